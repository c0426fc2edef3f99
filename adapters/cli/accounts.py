"""`scripts/ledger account`, `balance`, `trial-balance` and `check`: the member's money."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.members import accounts_of
from adapters.cli.opened import DAYS, Json, day_of, opened, progress
from adapters.cli.seen import SeenBy, bills_seen_by, viewer_of
from adapters.cli.show import console, new_table, text
from application import accounts
from application.topics import TOPICS
from composition import Ledger
from domain.chart import NEVER_NEGATIVE, NEVER_POSITIVE
from domain.claim import Said
from domain.person import Names
from projections import journal
from projections.account_queries import (
    ACCOUNT,
    BALANCE,
    MISAPPLIED,
    OUT_OF_SIGN,
    SEEN_ACCOUNT,
    SEEN_BALANCE,
    TRIAL_BALANCE,
    UNLIKE_CLAIMS,
    UNLIKE_LIABILITY,
    UNLIKE_LOG,
    UNLIKE_PAYMENTS,
    UNLIKE_REASONS,
)

app = typer.Typer()

KINDS = ("deductible", "coinsurance", "copayment", "other", "credit")
SIDES = {
    "charged": "charged",
    "plan_paid": "plan paid",
    "adjustments": "adjusted",
    "patient_paid": "you paid",
    "waived": "waived",
    "disputed": "disputed",
    "owed": "owed",
}
"""What an entry is made of, by its name in the answer, with its name in a table"""

_ZERO = Decimal(0)

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="What payers had said by this day.")]


@app.command(epilog="Example: scripts/ledger account NHP131023432")
def account(
    member: Member, as_of: AsOf = None, known_at: KnownAt = None, seen_by: SeenBy = None, as_json: Json = False
) -> None:
    """Every entry of a member's account in the order in which it was booked, and what was owed after it."""
    rows = _rows((ACCOUNT, SEEN_ACCOUNT), member, as_of, known_at, seen_by)
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("No entries. (Is everything projected? scripts/ledger status)")
        return
    sides = _sides(rows)
    figures = (*(SIDES[side] for side in sides), "balance")
    table = new_table("position", "day", "what", "claim", *figures, right=("position", *figures))
    for row in rows:
        where = (text(row["position"]), text(row["day"]), row["what"].replace("_", " "), (row["claim_id"] or "")[:8])
        table.add_row(*where, *_amounts(row, sides), f"[bold]{text(row['balance'])}[/]")
    console.print(table)
    console.print(
        "Charged = plan paid + adjusted + you paid + waived + disputed + owed - credit. The last payer's word counts."
    )


@app.command(epilog="Example: scripts/ledger balance NHP131023432 --as-of 2026-03-31")
def balance(
    member: Member, as_of: AsOf = None, known_at: KnownAt = None, seen_by: SeenBy = None, as_json: Json = False
) -> None:
    """What a member owes, bill by bill."""
    rows = _rows((BALANCE, SEEN_BALANCE), member, as_of, known_at, seen_by)
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("No bills. (Is everything projected? scripts/ledger status)")
        return
    sides = _sides(rows)
    figures = tuple(SIDES[side] for side in sides)
    table = new_table("bill", "first day", "last day", *figures, "owed as", right=figures)
    for row in rows:
        days = (text(row["first_day"]), text(row["last_day"]))
        table.add_row((row["bill_id"] or "payments")[:8], *days, *_amounts(row, sides), _kinds(row))
    table.add_section()
    together = {name: sum((row[name] for row in rows), start=_ZERO) for name in (*SIDES, *KINDS)}
    table.add_row("together", "", "", *_amounts(together, sides), _kinds(together))
    console.print(table)


@app.command(epilog="Example: scripts/ledger trial-balance --at 1000")
def trial_balance(
    at: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, metavar="POSITION", help="Of the log; now by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Every account over all members. Together they are zero."""
    with opened() as ledger, ledger.database.session() as cursor:
        rows = cursor.execute(TRIAL_BALANCE, {"at": at}).fetchall()
    if as_json:
        for row in rows:
            show.line(row)
        return
    figures = ("added", "taken", "balance")
    table = new_table("account", *figures, right=figures)
    for row in rows:
        table.add_row(row["account"], *(text(row[name] or _ZERO) for name in figures))
    table.add_section()
    table.add_row("together", *(text(sum((row[name] or _ZERO for row in rows), start=_ZERO)) for name in figures))
    console.print(table)


@app.command(epilog="Example: scripts/ledger enter-claims")
def enter_claims(as_json: Json = False) -> None:
    """Enter claims that were recorded before accounts were kept (version 0.2). Once is enough."""
    with opened() as ledger, progress(quiet=as_json) as bar:
        task = bar.add_task("Entering", total=None)
        recorded = accounts.enter_claims(ledger.log, ledger.mapper, lambda claims: bar.advance(task, claims))
    show.out({"events": recorded}, as_json, f"{recorded:,} entries made.")


@app.command(epilog="Example: scripts/ledger check")
def check(as_json: Json = False) -> None:
    """Whether every sum holds. Exit status 1 where one does not."""
    with opened() as ledger:
        found = checked(ledger)
    if as_json:
        for name, rows in found.items():
            show.line({"check": name, "holds": not rows, "failures": rows})
    else:
        for name, rows in found.items():
            console.print(f"{'[green]holds[/]' if not rows else f'[red]fails {len(rows)} times[/]'}  {name}")
            for row in rows[:20]:
                console.print("       ", ", ".join(f"{key} {text(value)}" for key, value in row.items()))
    if any(found.values()):
        raise typer.Exit(1)


def checked(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """What each check finds wrong."""
    booked = {"booked": [f"{topic.name}:%" for topic in TOPICS if topic.event in journal.EVENTS]}
    signs = {"never_positive": sorted(NEVER_POSITIVE), "never_negative": sorted(NEVER_NEGATIVE)}
    share = {"share": Said.__struct_fields__.index("share")}
    with ledger.database.snapshot(), ledger.database.session() as cursor:
        return {
            "the journal says what the log says": cursor.execute(UNLIKE_LOG, booked).fetchall(),
            "no account has a balance of a sign that it must not have": cursor.execute(OUT_OF_SIGN, signs).fetchall(),
            "bills have of each payment what it gives them": cursor.execute(MISAPPLIED).fetchall(),
            "accounts say of each bill what its claims say": cursor.execute(UNLIKE_CLAIMS).fetchall(),
            "what is owed is what claims leave, less what was paid and waived": cursor.execute(
                UNLIKE_LIABILITY, share
            ).fetchall(),
            "what is collected is what processors say": cursor.execute(UNLIKE_PAYMENTS).fetchall(),
            "accumulators count of each claim what its reasons say": cursor.execute(UNLIKE_REASONS, share).fetchall(),
        }


# --- helpers


def _sides(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those of which there is anything."""
    return [side for side in SIDES if side in ("charged", "owed") or any(row[side] for row in rows)]


def _amounts(row: Mapping[str, Any], sides: Sequence[str]) -> tuple[str, ...]:
    return tuple(text(row[side]) if row[side] else "" for side in sides)


def _kinds(row: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} {text(row[name])}" for name in KINDS if row[name])


def ask(question: str, member: str, as_of: datetime | None, known_at: str | None) -> list[dict[str, Any]]:
    """Of a member, and their account with every payer."""
    with opened() as ledger, ledger.database.snapshot():
        position = position_of(ledger, known_at)
        own = accounts_of(ledger, member, position)
        with ledger.database.session() as cursor:
            asked = {"member": member, "accounts": own, "as_of": as_of and as_of.date(), "known_at": position}
            return cursor.execute(question, asked).fetchall()


def _rows(
    questions: tuple[str, str], member: str, as_of: datetime | None, known_at: str | None, seen_by: str | None
) -> list[dict[str, Any]]:
    """By the first question, or the second where somebody else looks."""
    if seen_by is None:
        return ask(questions[0], member, as_of, known_at)
    with opened() as ledger, ledger.database.snapshot():
        viewer, day, position = viewer_of(seen_by), day_of(ledger, as_of), position_of(ledger, known_at)
        return money_seen_by(ledger, questions[1], member, viewer, day, as_of and as_of.date(), position)


def money_seen_by(
    ledger: Ledger, question: str, member: str, viewer: Names, day: date, as_of: date | None, known_at: int | None
) -> list[dict[str, Any]]:
    """Of the bills whose money somebody may see on a day.

    What the whole number paid, and what of that waits, is left out: others' bills could be worked out from it.
    Raises NotFolded.
    """
    bills = bills_seen_by(ledger, member, viewer, day, known_at)
    with ledger.database.session() as cursor:
        return cursor.execute(question, {"bills": list(bills), "as_of": as_of, "known_at": known_at}).fetchall()
