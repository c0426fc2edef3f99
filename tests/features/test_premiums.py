"""The rules about premiums, run over a real ledger."""

from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.premiums import contracts_of
from application.ports import Format, Message
from composition import Ledger
from domain.chart import Account
from tests.given import rows
from tests.unit.notices import encoded
from tests.unit.premiums import premium

scenarios("coverage_ends_when_the_plan_says_so.feature")


class Plan:
    """It says something of one contract at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def say(self, kind: str, **said: Any) -> None:
        [outcome] = self.ledger.intake.handle([Message(kind, encoded(premium(kind, **said)), Format.JSON_PREMIUM)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def contract(self, day: str) -> dict[str, Any]:
        [contract] = contracts_of(self.ledger, "TGV100000001", date.fromisoformat(day), None)
        return contract

    def booked_cents(self, account: Account) -> int:
        """By the postings of its events alone."""
        streams = rows(self.ledger.database, "SELECT DISTINCT contract_id::text AS id FROM premium_facts")
        histories = [self.ledger.log.history(stream["id"]) for stream in streams]
        events: list[Any] = [self.ledger.mapper.load(recorded.stored) for each in histories for recorded in each]
        postings = [posting for event in events for posting in event.postings]
        return sum(p.cents * ((p.destination is account) - (p.source is account)) for p in postings)


@pytest.fixture
def plan(ledger: Ledger) -> Plan:
    return Plan(ledger)


def cents(amount: str) -> int:
    return round(float(amount) * 100)


@given(parsers.parse("a premium of {amount} for April, due on {day}, with {days:d} days of grace"))
def _(plan: Plan, amount: str, day: str, days: int) -> None:
    plan.say("invoiced", amount_cents=cents(amount), due_on=day, grace_days=days)


@when(parsers.parse("{amount} are paid on {day}"))
def _(plan: Plan, amount: str, day: str) -> None:
    plan.say("paid", amount_cents=cents(amount), on=day)


@when(parsers.parse("the payment is returned on {day}"))
def _(plan: Plan, day: str) -> None:
    plan.say("payment_returned", on=day)


@when(parsers.parse("the plan says on {day} that coverage lapsed"))
def _(plan: Plan, day: str) -> None:
    plan.say("lapsed", on=day)


@when(parsers.parse("the plan says on {day} that coverage is reinstated"))
def _(plan: Plan, day: str) -> None:
    plan.say("reinstated", on=day)


@then(parsers.parse("on {day} the contract is {standing}, and {amount} are open"))
def _(plan: Plan, day: str, standing: str, amount: str) -> None:
    told = plan.contract(day)
    assert (told["standing"].replace("_", " "), str(told["open"])) == (standing, amount)


@then(parsers.parse("grace ends on {day}"))
def _(plan: Plan, day: str) -> None:
    assert str(plan.contract(day)["grace_until"]) == day


@then(parsers.parse("{amount} are owed by the postings"))
def _(plan: Plan, amount: str) -> None:
    assert plan.booked_cents(Account.PREMIUM_OWED) == cents(amount)
