"""`scripts/ledger settlement`: what banks booked beside what remittances and payouts say was paid."""

from datetime import datetime
from typing import Annotated

import typer

from adapters.cli import show
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.show import console, new_table, text
from projections.settlement import AGED, SETTLEMENT

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="By this day; today by default.")]


@app.command(epilog="Example: scripts/ledger settlement --open --as-of 2026-03-31")
def settlement(
    open_: Annotated[bool, typer.Option("--open", help="Only what is not matched, or partly.")] = False,
    aged: Annotated[bool, typer.Option("--aged", help="Summed up by age.")] = False,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Remittances and payouts of members' payments, and what banks booked of them: matched, partly or not."""
    with opened() as ledger:
        day = day_of(ledger, as_of)
        with ledger.database.session() as cursor:
            rows = cursor.execute(AGED if aged else SETTLEMENT, {"as_of": day, "open": open_}).fetchall()
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("Nothing. (Is everything projected? scripts/ledger status)")
        return
    if aged:
        table = new_table("state", "days old", "payments", "amount", right=("payments", "amount"))
        for row in rows:
            table.add_row(row["state"], row["age"], text(row["payments"]), text(row["amount"]))
        console.print(table)
        return
    figures = ("expected", "booked", "difference")
    table = new_table("day", "booked on", "payer", "of", "number", *figures, "age", "state", right=(*figures, "age"))
    for row in rows:
        number = row["trace_number"] or row["payout_reference"] or row["bank_reference"] or row["counterpart_id"][:8]
        days = text(row["expected_on"]), text(row["booked_on"])
        amounts = (text(row[name]) if row[name] else "" for name in figures)
        state = f"{row['state']} ({row['rule'].replace('_', ' ')})" if row["rule"] else row["state"]
        of = row["kind"] or (f"taken back {row['reversed_on']}" if row["reversed_on"] else "entry only")
        table.add_row(*days, text(row["payer_id"]), of, text(number), *amounts, text(row["age_days"]), state)
    console.print(table)
