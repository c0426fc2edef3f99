"""`scripts/ledger alerts`: what a member should hear of, about money and about sign-ins, in one list."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.members import accounts_of
from adapters.cli.opened import DAYS, Json, opened
from adapters.cli.show import console, new_table, text
from composition import Ledger
from projections.account_queries import ALERTS

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="What stood on this day.")]


@app.command(epilog="Example: scripts/ledger alerts NHP131023432 --all")
def alerts(
    member: Member,
    all_: Annotated[bool, typer.Option("--all", help="Also what was resolved by then.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """What a member should hear of: premiums due, failed payments, what is past due; lockouts and strange sign-ins."""
    with opened() as ledger, ledger.database.snapshot():
        rows = alerts_of(ledger, member, as_of and as_of.date(), position_of(ledger, known_at))
    wanted = [row for row in rows if all_ or row["resolved_on"] is None]
    if as_json:
        for row in wanted:
            show.line(row)
        return
    if not wanted:
        console.print("No alerts.")
        return
    table = new_table("since", "what", "of", "amount", "until", right=("amount",))
    for row in wanted:
        what = (text(row["raised_on"]), row["kind"], row["subject_id"][:8])
        table.add_row(*what, _amount(row), text(row["resolved_on"]))
    console.print(table)


def alerts_of(ledger: Ledger, member: str, as_of: date | None, known_at: int | None) -> list[dict[str, Any]]:
    """All that were raised by a day, as known at a position; what resolves them later is not said yet."""
    asked = {
        "member": member,
        "accounts": accounts_of(ledger, member, known_at),
        "as_of": as_of,
        "zone": ledger.settings.zone,
        "known_at": known_at,
    }
    with ledger.database.session() as cursor:
        return cursor.execute(ALERTS, asked).fetchall()


def _amount(row: Mapping[str, Any]) -> str:
    return "" if row["amount"] is None else text(row["amount"])
