"""The rules about what plans cost, run over a real ledger."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.costs import asked_of
from adapters.cli.estimate import estimated
from adapters.cli.what_if import year_of
from application.ports import Format, Message
from composition import Ledger
from domain.adjudication import Network
from domain.money import Money
from tests.unit.costs import MEMBER, claim, plan_of, share
from tests.unit.notices import Message as Told
from tests.unit.notices import encoded

scenarios("which_plan_would_have_been_cheaper.feature")

MONTHS = {"March": "2026-03-10", "May": "2026-05-10"}
PROCEDURES = {"scan": "HC:70551", "stay": "HC:99223"}


def cents(amount: str) -> int:
    return round(float(amount) * 100)


class Ada:
    """Her plan, her claims, and what is asked about them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.plan_id = ""
        self.used = 0

    def take(self, message: Told, kind: Format) -> None:
        [outcome] = self.ledger.intake.handle([Message(str(message), encoded(message), kind)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def owe(self, what: str, allowed: int, month: str, owed: int) -> None:
        """First of the deductible of 500.00, as much as is left of it."""
        deductible = min(owed, 50_000 - self.used)
        self.used += deductible
        left: dict[str, Any] = {"deductible": deductible, "coinsurance": owed - deductible}
        told = claim(month, MONTHS[month], PROCEDURES[what], allowed, allowed, plan_id=self.plan_id, **left)
        self.take(told, Format.JSON_CLAIM)

    def year(self) -> Mapping[str, dict[str, Any]]:
        asked = asked_of(self.ledger, MEMBER, None, date(2026, 12, 31), None)
        return {each["plan_id"]: each for each in year_of(asked, is_family=False).told()}

    def estimate(self, allowed: int, day: date) -> int:
        asked = asked_of(self.ledger, MEMBER, None, day, None)
        [person] = asked.patients
        told = estimated(asked, "70551", Money(allowed), person, self.plan_id, Network.IN, is_family=False)
        return int(told["you_pay"] * 100)


@pytest.fixture
def ada(ledger: Ledger) -> Ada:
    return Ada(ledger)


@given(
    parsers.parse(
        "a plan {name} at {premium} a month: {percent:d}% after a deductible of {deductible}, at most {most} a year"
    )
)
def _(ada: Ada, name: str, premium: str, percent: int, deductible: str, most: str) -> None:
    limits = cents(deductible), cents(most)
    rest = share("other", percent=percent, deductible=True)
    for year in (2026, 2027):
        days = {"effective_from": f"{year}-01-01", "effective_to": f"{year}-12-31"}
        ada.take(plan_of(name.upper(), cents(premium), limits, rest, **days), Format.JSON_PLAN)


@given(parsers.parse("Ada is in {name}"))
def _(ada: Ada, name: str) -> None:
    ada.plan_id = name.upper()


@when(parsers.parse("she has a {what} of {amount} in {month}, and owes {owed} of it"))
def _(ada: Ada, what: str, amount: str, month: str, owed: str) -> None:
    ada.owe(what, cents(amount), month, cents(owed))


@then(parsers.parse("her year costs {own} under {name} and {others} under {other}"))
def _(ada: Ada, own: str, name: str, others: str, other: str) -> None:
    year = ada.year()
    assert [int(year[each.upper()]["together"] * 100) for each in (name, other)] == [cents(own), cents(others)]


@then(parsers.parse("{name} is cheaper: {premium} {which} premium, {amount} {how} for services"))
def _(ada: Ada, name: str, premium: str, which: str, amount: str, how: str) -> None:
    cheapest, other = ada.year().values()
    assert cheapest["name"] == name
    sign = {"less": -1, "more": 1}
    assert int((cheapest["premium"] - other["premium"]) * 100) == sign[which] * cents(premium)
    assert int((cheapest["you_pay"] - other["you_pay"]) * 100) == sign[how] * cents(amount)


@then(parsers.parse("the rules of {name} explain every claim"))
def _(ada: Ada, name: str) -> None:
    claims = ada.year()[name.upper()]["claims"]
    assert claims
    assert all(each["explained"] for each in claims)


@then(parsers.parse("what she owed and what {name} makes of it is {amount}"))
def _(ada: Ada, name: str, amount: str) -> None:
    year = ada.year()[name.upper()]
    owed = sum(each["owed"] for each in year["claims"])
    assert int(owed * 100) == int(year["you_pay"] * 100) == cents(amount)


@then(parsers.parse("the rules of {name} do not explain the claim of {month}: {amount} too much"))
def _(ada: Ada, name: str, month: str, amount: str) -> None:
    [named] = [each for each in ada.year()[name.upper()]["claims"] if not each["explained"]]
    assert str(named["day"]) == MONTHS[month]
    assert int(sum(named["unexplained"].values()) * 100) == int(named["difference"] * 100) == cents(amount)


@then(parsers.parse("another scan of {amount} would cost her {cost} {when}"))
def _(ada: Ada, amount: str, cost: str, when: str) -> None:
    day = {"in December": date(2026, 12, 1), "next January": date(2027, 1, 10)}[when]
    assert ada.estimate(cents(amount), day) == cents(cost)
