"""The rules about members' accounts, run over a real ledger."""

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.accounts import checked
from application.ports import Format, Message
from composition import Ledger
from tests.given import rows
from tests.unit.notices import adjudicated, encoded, line

scenarios("the_last_payer_says_what_is_owed.feature")

PAYERS = {"first": ("1078830634", "1"), "second": ("1078810412", "2")}
"""Number and status code: processed as primary or secondary payer"""
CHARGE = 50_000


class Payers:
    """Who say what they pay of one bill."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.said: dict[str, tuple[int, int]] = {}

    def say(self, payer: str, paid: int, left: int) -> None:
        self.said[payer] = paid, left
        self._send(payer, CHARGE, paid, left, PAYERS[payer][1], "2026-03-02")

    def take_back(self, payer: str) -> None:
        paid, left = self.said[payer]
        self._send(payer, -CHARGE, -paid, -left, "22", "2026-04-06")

    def _send(self, payer: str, charge: int, paid: int, left: int, status_code: str, on: str) -> None:
        reasons = [
            {"group": "PR", "carc": "1", "cents": left},
            {"group": "OA", "carc": "23", "cents": charge - paid - left},
        ]
        served = line(charge, paid, adjustments=[each for each in reasons if each["cents"]])
        said = adjudicated(served, status_code=status_code, on=on, patient_cents=left)
        sent = encoded(said | {"payer_id": PAYERS[payer][0]})
        [outcome] = self.ledger.intake.handle([Message(f"{payer} {on}", sent, Format.JSON_CLAIM)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def balance(self, like: str) -> str:
        question = "SELECT coalesce(sum(balance), 0)::numeric(20, 2) AS sum FROM balances WHERE account LIKE %s"
        return str(rows(self.ledger.database, question, like)[0]["sum"])


@pytest.fixture
def payers(ledger: Ledger) -> Payers:
    return Payers(ledger)


def cents(amount: str) -> int:
    return round(float(amount) * 100)


@given(parsers.parse("the {payer} payer pays {paid} of a bill of 500.00 and leaves {left} to the member"))
@when(parsers.parse("the {payer} payer pays {paid} and leaves {left} to the member"))
def _(payers: Payers, payer: str, paid: str, left: str) -> None:
    payers.say(payer, cents(paid), cents(left))


@when(parsers.parse("the {payer} payer takes it back"))
def _(payers: Payers, payer: str) -> None:
    payers.take_back(payer)


@then(parsers.parse("the member owes {owed} of the bill, of which plans paid {paid}"))
def _(payers: Payers, owed: str, paid: str) -> None:
    assert (payers.balance("owed.%"), payers.balance("plan_paid")) == (owed, paid)
    assert not any(checked(payers.ledger).values())


@then("every entry is undone by another one")
def _(payers: Payers) -> None:
    booked = rows(payers.ledger.database, "SELECT source, destination, amount FROM journal")
    undone = [{"source": e["destination"], "destination": e["source"], "amount": e["amount"]} for e in booked]
    assert len(booked) > 1
    assert sorted(booked, key=str) == sorted(undone, key=str)
