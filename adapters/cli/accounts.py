"""`scripts/ledger account`, `balance`, `trial-balance` and `check`: the member's money."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.opened import DAYS, Json, opened, progress
from adapters.cli.show import console, new_table, text
from application import accounts
from application.topics import TOPICS
from composition import Ledger
from domain.account import NEVER_NEGATIVE, NEVER_POSITIVE
from projections import journal
from projections.account_queries import (
    ACCOUNT,
    ACCUMULATORS,
    BALANCE,
    OUT_OF_SIGN,
    TRIAL_BALANCE,
    UNLIKE_CLAIMS,
    UNLIKE_LOG,
)

app = typer.Typer()

KINDS = ("deductible", "coinsurance", "copayment", "other", "credit")
SIDES = ("charged", "plan_paid", "adjustments", "patient_paid", "waived", "disputed", "owed")
HEADS = ("charged", "plan paid", "adjusted", "you paid", "waived", "disputed", "owed")

_ZERO = Decimal(0)

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="What payers had said by this day.")]


@app.command(epilog="Example: scripts/ledger account NHP131023432")
def account(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """Every entry of a member's account in the order in which it was booked, and what was owed after it."""
    rows = _ask(ACCOUNT, member, as_of, known_at)
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("No entries. (Is everything projected? scripts/ledger status)")
        return
    figures = (*HEADS, "balance")
    columns = ("position", "day", "what", "claim", *figures, "owed as")
    table = new_table(*columns, right=("position", *figures), folds=("what", "owed as"))
    for row in rows:
        where = (text(row["position"]), text(row["day"]), row["what"], (row["claim_id"] or "")[:8])
        table.add_row(*where, *_amounts(row), f"[bold]{text(row['balance'])}[/]", _kinds(row))
    console.print(table)
    console.print(
        "Charged = plan paid + adjusted + you paid + waived + disputed + owed - credit. The last payer's word counts."
    )


@app.command(epilog="Example: scripts/ledger balance NHP131023432 --as-of 2026-03-31")
def balance(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """What a member owes, bill by bill."""
    rows = _ask(BALANCE, member, as_of, known_at)
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("No bills. (Is everything projected? scripts/ledger status)")
        return
    table = new_table("bill", "first day", "last day", *HEADS, "owed as", right=HEADS, folds=("owed as",))
    for row in rows:
        days = (text(row["first_day"]), text(row["last_day"]))
        table.add_row(row["bill_id"][:8], *days, *_amounts(row), _kinds(row))
    table.add_section()
    together = {name: sum((row[name] for row in rows), start=_ZERO) for name in (*SIDES, *KINDS)}
    table.add_row(f"{len(rows)} bills", "", "", *_amounts(together), _kinds(together))
    console.print(table)


@app.command(epilog="Example: scripts/ledger accumulators NHP131023432")
def accumulators(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """What counts toward deductible and out-of-pocket limit, of each person and of the family, by plan year."""
    rows = _ask(ACCUMULATORS, member, as_of, known_at)
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("Nothing counts yet. (Is everything projected? scripts/ledger status)")
        return
    figures = ("claims", "deductible", "out of pocket")
    table = new_table("plan year", "payer", "network", "of", *figures, right=figures, folds=("payer", "of"))
    for row in rows:
        who = "[bold]family[/]" if row["level"] == "family" else text(row["patient"])
        amounts = (text(row[name]) for name in ("claims", "deductible", "out_of_pocket"))
        year = "undated" if row["plan_year"] is None else str(row["plan_year"])
        table.add_row(year, text(row["payer"] or row["payer_id"]), row["network"], who, *amounts)
    console.print(table)
    console.print(
        "Derived from claims by their last words: PR-1 and PR-66, and with PR-2 and PR-3 what is paid out of pocket."
    )


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
    with ledger.database.snapshot(), ledger.database.session() as cursor:
        return {
            "the journal says what the log says": cursor.execute(UNLIKE_LOG, booked).fetchall(),
            "no account has a balance of a sign that it must not have": cursor.execute(OUT_OF_SIGN, signs).fetchall(),
            "accounts say of each bill what its claims say": cursor.execute(UNLIKE_CLAIMS).fetchall(),
        }


# --- helpers


def _amounts(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(text(row[name]) if row[name] else "" for name in SIDES)


def _kinds(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {text(row[name])}" for name in KINDS if row[name])


def _ask(question: str, member: str, as_of: datetime | None, known_at: str | None) -> list[dict[str, Any]]:
    with opened() as ledger, ledger.database.snapshot():
        position = position_of(ledger, known_at)
        asked = {"member": member, "as_of": as_of and as_of.date(), "known_at": position}
        with ledger.database.session() as cursor:
            return cursor.execute(question, asked).fetchall()
