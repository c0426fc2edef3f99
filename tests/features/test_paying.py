"""Steps about what payments pay."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.accounts import checked
from application import requests
from application.ports import Format, Message
from application.streams import Member, account_of
from composition import Ledger
from domain import account
from domain.facts import StreamId
from domain.money import Money
from domain.request import Answer
from projections.account_queries import ACCOUNT
from samples import generator
from tests.given import ADA, rows
from tests.integration.test_accounts import claim, take
from tests.unit.notices import encoded
from tests.unit.payments import told

scenarios("what_a_payment_pays.feature")

PAYER_ID = "1078810412"
CLAIMS = {
    "January": claim("1", 8_000, ("1", 1_500), served=date(2026, 1, 10)),
    "February": claim("2", 8_000, ("1", 2_000), served=date(2026, 2, 20)),
}
DAY = date(2026, 7, 10)


@dataclass
class World:
    ledger: Ledger
    payments: list[StreamId] = field(default_factory=list)

    def claim_id(self, month: str) -> str:
        ids = self.ledger.ids
        person = ids.stream("person", PAYER_ID, ADA.member_id, ADA.given_name)
        return ids.stream("claim", PAYER_ID, "payer", CLAIMS[month].claim_number, person)

    def bill(self, month: str) -> StreamId:
        question = "SELECT bill_id::text FROM claim_status WHERE claim_id = %s"
        return StreamId(rows(self.ledger.database, question, self.claim_id(month))[0]["bill_id"])

    def say(self, kind: str, **said: Any) -> None:
        message = told(kind, member_id=ADA.member_id, **said) | {"payer_id": PAYER_ID}
        [outcome] = self.ledger.intake.handle([Message(f"payments {kind}", encoded(message), Format.JSON_PAYMENT)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def pay(self, cents: int, *claims: str) -> None:
        self.payments.append(self.ledger.ids.stream("payment", PAYER_ID, "py_1"))
        self.say("initiated", claims=[self.claim_id(month) for month in claims])
        self.say("posted", amount_cents=cents)

    def decide(self, command: account.Command) -> None:
        asked = requests.of_bill(self.ledger.ids, type(command).__name__, self.bill("February"), command)
        assert isinstance(self.ledger.execute(asked), Answer)
        self.ledger.runner.catch_up()


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger)


def cents(amount: str) -> Money:
    return Money(round(float(amount) * 100))


@given("the member owes 15.00 of a bill of January and 20.00 of a bill of February")
def _(world: World) -> None:
    take(world.ledger, 1, *CLAIMS.values())


@when(parsers.re(r"(?P<amount>[0-9.]+) are paid( for (?P<month>\w+))?"))
def _(world: World, amount: str, month: str | None) -> None:
    world.pay(cents(amount), *([month] if month else []))


@when("the payer takes January back")
def _(world: World) -> None:
    take(world.ledger, 2, generator.reversal(CLAIMS["January"]), claim("9", 10_000))


@when("credits are applied")
def _(world: World) -> None:
    member = Member(PAYER_ID, ADA.member_id)
    work = world.ledger.work()
    requests.apply_credits(work, world.payments, world.ledger.bills.owed_by({member})[member], DAY)
    work.append()
    world.ledger.runner.catch_up()


@when("the bank returns it")
def _(world: World) -> None:
    world.say("returned")


@when("the member disputes the 20.00 of February")
def _(world: World) -> None:
    world.decide(account.Dispute("D1", Money(2_000), account.DisputeReason.ALREADY_PAID, DAY, "member"))


@when("the dispute is decided against the member")
def _(world: World) -> None:
    world.decide(account.Resolve("D1", account.Resolution.AGAINST_MEMBER, DAY, "billing"))


@then(parsers.parse("the member owes {january} of January and {february} of February, and has a credit of {credit}"))
def _(world: World, january: str, february: str, credit: str) -> None:
    owed = "SELECT coalesce(sum(amount), 0) AS owed FROM entries WHERE bill_id = %s AND account LIKE 'owed.%%'"
    found = [rows(world.ledger.database, owed, world.bill(month))[0]["owed"] for month in CLAIMS]
    waits = "SELECT coalesce(-sum(amount), 0) AS credit FROM entries WHERE account IN ('credit', 'unapplied')"
    found += [rows(world.ledger.database, waits)[0]["credit"]]
    assert [round(each * 100) for each in found] == [cents(january), cents(february), cents(credit)]
    assert not any(checked(world.ledger).values())


@then(parsers.parse("the account's balance is {balance}"))
def _(world: World, balance: str) -> None:
    accounts = [account_of(world.ledger.ids, PAYER_ID, ADA.member_id)]
    asked = {"member": ADA.member_id, "accounts": accounts, "as_of": None, "known_at": None}
    with world.ledger.database.session() as cursor:
        *_, last = cursor.execute(ACCOUNT, asked).fetchall()
    assert round(last["balance"] * 100) == round(float(balance) * 100)
