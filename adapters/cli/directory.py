"""`scripts/ledger in-network`: whether a provider is in a plan's network on a day, and why."""

from datetime import date, datetime
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, position_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.show import console, new_table, text
from composition import Ledger
from domain.directory import Why, in_network, is_npi
from projections.directory import LISTED, provider_in

app = typer.Typer()

ProviderId = Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider's NPI.")]
PayerId = Annotated[str | None, typer.Option(help="A payer's number; every payer that lists them by default.")]
PlanId = Annotated[str | None, typer.Option(help="A plan's own id; every plan that lists them by default.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", "--on", formats=DAYS, help="On this day; today by default.")]

ANSWERS = {True: "[green]in network[/]", False: "[red]not in network[/]", None: "not known"}


@app.command("in-network", epilog="Example: scripts/ledger in-network 1234567893 --as-of 2026-03-31")
def show_in_network(
    provider: ProviderId,
    payer: PayerId = None,
    plan: PlanId = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """Whether a provider is in a plan's network on a day, in which tier, and which entry of the directory says so."""
    if not is_npi(provider):
        raise typer.BadParameter("no NPI: ten digits, of which the last one checks the others", param_hint="PROVIDER")
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        rows = networks_of(ledger, provider, day, payer, plan, position_of(ledger, known_at))
    if as_json:
        for row in rows:
            show.line(row)
    else:
        _table(rows)


def networks_of(
    ledger: Ledger, provider_id: str, day: date, payer: str | None, plan: str | None, known_at: int | None
) -> list[dict[str, Any]]:
    """The answer for each payer and plan that is asked for, or that ever listed the provider."""
    with ledger.database.session() as cursor:
        wanted = {"provider": provider_id, "known_at": known_at}
        provider = provider_in(cursor.execute(LISTED, wanted).fetchall())
    named = {(each.payer_id, each.plan_id) for listed in provider.listed for each in listed.listing.networks}
    asked = {
        (payer_id, plan_id) for payer_id, plan_id in named if payer in (None, payer_id) and plan in (None, plan_id)
    }
    if not asked:
        asked = {(payer_id, plan or "") for payer_id in ([payer] if payer else dict(named))}
    latest = max(provider.listed, key=lambda each: each.revision, default=None)
    rows = []
    for payer_id, plan_id in sorted(asked):
        found = in_network(provider, payer_id, plan_id, day)
        rows.append(
            {
                "provider_id": provider_id,
                "name": latest and latest.listing.name,
                "payer_id": payer_id,
                "plan_id": plan_id,
                "on": day,
                "in_network": None if found.why is Why.UNKNOWN else found.is_in,
                "tier": found.tier,
                "why": found.why,
                "first_on": found.decided_by and found.decided_by.first_on,
                "until": found.decided_by and found.decided_by.until,
                "revision": found.revision,
            }
        )
    return rows


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print("No directory lists this provider. (Is everything projected? scripts/ledger status)")
        return
    table = new_table("payer", "plan", "in network", "tier", "because", "from", "to")
    for row in rows:
        answer = ANSWERS[row["in_network"]]
        days = (text(row["first_on"]), text(row["until"]))
        plan_id, why = text(row["plan_id"] or "all"), row["why"].replace("_", " ")
        table.add_row(text(row["payer_id"]), plan_id, answer, text(row["tier"]), why, *days)
    console.print(table)
    name = rows[0]["name"]
    told = f"{text(name)} on" if name else "No directory lists this provider, as of"
    console.print(f"{told} {text(rows[0]['on'])}.")
