"""`scripts/ledger payments`: what a member paid through the portal, and what is paid by itself."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import typer

from adapters.bank_holidays import bank_holidays
from adapters.cli import show
from adapters.cli.accounts import AsOf
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.members import accounts_of
from adapters.cli.opened import Json, day_of, opened
from adapters.cli.show import console, dollars, new_table, text
from composition import Ledger
from domain import payment, schedule
from projections.payment_queries import PAYMENTS, SCHEDULES

app = typer.Typer()


@app.command(epilog="Example: scripts/ledger payments NHP131023432 --as-of 2026-07-08")
def payments(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """A member's payments: where each stands, when it posted or should have, and the schedules of automatic ones."""
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        told, scheduled = asked(ledger, member, day, position_of(ledger, known_at))
    if as_json:
        for row in (*told, *scheduled):
            show.line(row)
        return
    if not told and not scheduled:
        console.print("No payments. (Is everything projected? scripts/ledger status)")
        return
    if told:
        console.print(_payments(told))
    if scheduled:
        console.print(_schedules(scheduled))


def asked(
    ledger: Ledger, member: str, day: date, known_at: int | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A member's payments and schedules as of a day, as known at a position."""
    wanted = {"accounts": accounts_of(ledger, member, known_at), "known_at": known_at}
    with ledger.database.session() as cursor:
        paid, scheduled = (cursor.execute(question, wanted).fetchall() for question in (PAYMENTS, SCHEDULES))
    return list(_told(paid, day)), list(_scheduled(scheduled, day))


def _told(rows: list[dict[str, Any]], day: date) -> Iterator[dict[str, Any]]:
    """In the order in which they were started, or first heard of."""
    facts = defaultdict[str, list[payment.Said]](list)
    for row in rows:
        said = msgspec.convert(row["fact"], payment.Said)
        if said.day <= day:
            facts[row["payment_id"]].append(said)
    for payment_id, said_of_it in facts.items():
        stands = payment.standing(payment.Payment(said=tuple(said_of_it)))
        begun = stands.initiated_on
        expected = payment.expected_by(stands, bank_holidays([begun.year, begun.year + 1]) if begun else ())
        yield {
            "payment_id": payment_id,
            "status": stands.status,
            "detail": stands.detail,
            "method": stands.method,
            "initiated_on": begun,
            "expected_by": expected,
            "posted_on": stands.posted_on,
            "late": payment.is_late(stands, expected, day),
            "amount": dollars(stands.amount_cents),
            "refunded": dollars(stands.refunded_cents),
            "disputed": dollars(stands.disputed_cents),
            "collected": dollars(stands.collected_cents),
        }


def _scheduled(rows: list[dict[str, Any]], day: date) -> Iterator[dict[str, Any]]:
    facts = defaultdict[str, list[schedule.Said]](list)
    for row in rows:
        facts[row["schedule_id"]].append(msgspec.convert(row["fact"], schedule.Said))
    for schedule_id, said in facts.items():
        stands = schedule.standing(schedule.Schedule(said=tuple(said)), day)
        terms = stands.terms
        if terms is None:
            continue
        yield {
            "schedule_id": schedule_id,
            "status": stands.status,
            "every": terms.every,
            "first_on": terms.first_on,
            "until": terms.until,
            "next_on": stands.next_on,
            "amount": None if terms.amount_cents is None else dollars(terms.amount_cents),
        }


# --- for people


FIGURES = ("amount", "refunded", "disputed", "collected")


def _payments(rows: list[dict[str, Any]]) -> Any:
    columns = ("payment", "started", "by", *FIGURES, "posted", "status")
    table = new_table(*columns, right=FIGURES, folds=("status",))
    for row in rows:
        where = row["payment_id"][:8], text(row["initiated_on"]), text(row["method"])
        amounts = (text(row[name]) if row[name] else "" for name in FIGURES)
        waits = row["status"] in payment.WAITING and row["expected_by"]
        posted = f"by {row['expected_by']}" if waits else text(row["posted_on"])
        late = " [red]late[/]" if row["late"] else ""
        detail = f" ({text(row['detail'].replace('_', ' '))})" if row["detail"] else ""
        table.add_row(*where, *amounts, posted + late, row["status"].replace("_", " ") + detail)
    return table


def _schedules(rows: list[dict[str, Any]]) -> Any:
    table = new_table("schedule", "pays", "every", "from", "until", "next", "status", right=("pays",))
    for row in rows:
        pays = "balance" if row["amount"] is None else text(row["amount"])
        days = (text(row[name]) for name in ("first_on", "until", "next_on"))
        table.add_row(row["schedule_id"][:8], pays, row["every"], *days, row["status"])
    return table
