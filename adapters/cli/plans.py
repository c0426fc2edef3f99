"""`scripts/ledger plans`: which benefit designs hold on a day."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, position_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.show import console, dollars, new_table, text
from composition import Ledger
from domain.adjudication import Network
from domain.plan import BenefitDesign, Plan, design_on
from projections.plans import PUBLISHED, plans_in

app = typer.Typer()

PayerId = Annotated[str | None, typer.Option(help="A payer's number.")]
AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="Designs of this day; of today by default.")]


@app.command("plans", epilog="Example: scripts/ledger plans --as-of 2026-03-31 --json")
def show_plans(payer: PayerId = None, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """The benefit designs that hold on a day; all of a design with --json."""
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        rows = designs_on(ledger, day, payer, position_of(ledger, known_at))
    if as_json:
        for row in rows:
            show.line(row)
    elif rows:
        _table(rows)
        console.print(f"As of {text(day)}, in network.")
    else:
        console.print("No plans. (Is everything projected? scripts/ledger status)")


def plans_of(ledger: Ledger, payer: str | None = None, known_at: int | None = None) -> dict[tuple[str, str], Plan]:
    """Plans by payer and plan, as known at a position of the log."""
    with ledger.database.session() as cursor:
        return plans_in(cursor.execute(PUBLISHED, {"payer": payer, "known_at": known_at}).fetchall())


def designs_on(
    ledger: Ledger, day: date, payer: str | None = None, known_at: int | None = None
) -> list[dict[str, Any]]:
    """Of each plan the design that holds on a day, where one does."""
    found = ((key, design_on(plan, day)) for key, plan in plans_of(ledger, payer, known_at).items())
    return [
        {"payer_id": payer_id, "plan_id": plan_id, "design": design}
        for (payer_id, plan_id), design in found
        if design is not None
    ]


def _table(rows: list[dict[str, Any]]) -> None:
    figures = ("premium", "family premium", "deductible", "out of pocket")
    table = new_table("payer", "plan", "name", "holds", *figures, "open enrolment", right=figures, folds=("name",))
    for row in rows:
        design: BenefitDesign = row["design"]
        benefits, enrolment = design.within(Network.IN), design.open_enrolment
        limits = (benefits.deductible.individual_cents, benefits.out_of_pocket.individual_cents)
        table.add_row(
            row["payer_id"],
            text(row["plan_id"]),
            text(design.name),
            f"{design.effective_from} to {design.effective_to}",
            *(text(dollars(cents)) for cents in (design.premium.individual_cents, design.premium.family_cents)),
            *(text(None if cents is None else dollars(cents)) for cents in limits),
            f"{enrolment.first} to {enrolment.last}" if enrolment else "–",
        )
    console.print(table)
