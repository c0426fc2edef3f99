"""Steps about what banks booked, and what it settles."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from application.ports import Format, Message
from composition import Ledger
from projections.settlement import SETTLEMENT
from samples import generator
from tests.given import message, paid
from tests.unit.notices import encoded

scenarios("when_a_payment_is_settled.feature")

PAYER_ID = "1078810412"


@dataclass
class Bank:
    ledger: Ledger
    entries: int = 0

    def say(self, entry: int, **said: Any) -> None:
        sent = encoded({"schema": 1, "bank_account": "operating", "entry_id": f"E{entry}", "said": said})
        [outcome] = self.ledger.intake.handle([Message(f"settlements/0@{entry}", sent, Format.JSON_SETTLEMENT)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def book(self, amount: str, on: str, **numbers: str) -> None:
        self.entries += 1
        cents = round(float(amount) * 100)
        told = {"direction": "debit", "amount_cents": cents, "payer_id": PAYER_ID} | numbers
        self.say(self.entries, kind="booked", on=on, **told)

    def rows(self, as_of: date = date(2026, 3, 31)) -> list[dict[str, Any]]:
        with self.ledger.database.session() as cursor:
            return cursor.execute(SETTLEMENT, {"as_of": as_of, "open": False}).fetchall()

    def of_the_remittance(self, as_of: date = date(2026, 3, 31)) -> dict[str, Any]:
        [row] = [row for row in self.rows(as_of) if row["kind"] == "remittance"]
        return row


@pytest.fixture
def bank(ledger: Ledger) -> Bank:
    return Bank(ledger)


@given("a remittance of 80.00 under trace number T1, paid on 2026-03-16")
def _(bank: Bank) -> None:
    day = date(2026, 3, 16)
    made = generator.Remittance(generator.PAYERS[0], generator.PAYEES[0], "T1", day, day, (paid("A"),))
    bank.ledger.intake.handle([message(made, control=1, source="topic/0@1")])
    bank.ledger.runner.catch_up()


@when(parsers.parse("the bank books {amount} under trace number {number} on {on}"))
def _(bank: Bank, amount: str, number: str, on: str) -> None:
    bank.book(amount, on, trace_number=number)


@when(parsers.parse("another payer's {amount} is booked under trace number {number} on {on}"))
def _(bank: Bank, amount: str, number: str, on: str) -> None:
    bank.book(amount, on, trace_number=number, payer_id="1999999984")


@when(parsers.parse("the bank books {amount} without a number on {on}"))
def _(bank: Bank, amount: str, on: str) -> None:
    bank.book(amount, on)


@when(parsers.parse("the bank takes it back on {on}"))
def _(bank: Bank, on: str) -> None:
    bank.say(bank.entries, kind="reversed", on=on, reason="R03")


@then(parsers.parse("it is unmatched, and {age:d} days old on {on}"))
def _(bank: Bank, age: int, on: str) -> None:
    row = bank.of_the_remittance(date.fromisoformat(on))
    assert (row["state"], row["rule"], row["age_days"]) == ("unmatched", None, age)


@then(parsers.re(r"it is (?P<state>matched|partly) by (?P<rule>\w+) with a difference of (?P<difference>[-0-9.]+)"))
def _(bank: Bank, state: str, rule: str, difference: str) -> None:
    row = bank.of_the_remittance()
    assert (row["state"], row["rule"], f"{row['difference']:.2f}") == (state, rule, difference)


@then("one entry is left over")
def _(bank: Bank) -> None:
    assert [row["state"] for row in bank.rows() if row["kind"] is None] == ["unmatched"]
