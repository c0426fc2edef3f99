"""The rules about who is covered, run over a real ledger."""

import re
from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.claims import find
from adapters.cli.coverage import coverage_of
from application.ports import Format, Message
from composition import Ledger
from domain.money import dollars
from tests.given import rows
from tests.unit.coverage import ADA, CY, change
from tests.unit.notices import adjudicated, encoded

scenarios("who_is_covered.feature")

MEMBER, NEW = "TGV100000001", "TGV200000001"


class Plan:
    """It says something of one member's coverage at a time."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def say(self, kind: str, at: str = "2026-08-01T09:00:00-04:00", member_id: str = MEMBER, **said: Any) -> None:
        message = change(kind, at, **said) | {"member_id": member_id}
        self.take(message, Format.JSON_COVERAGE)

    def take(self, message: Any, as_: Format) -> None:
        [outcome] = self.ledger.intake.handle([Message("t/0@1", encoded(message), as_)])
        assert (outcome.parked, outcome.duplicates) == ([], 0)
        self.ledger.runner.catch_up()

    def coverage(self, day: str = "2026-12-31") -> dict[str, Any]:
        [coverage] = coverage_of(self.ledger, MEMBER, date.fromisoformat(day), None)
        return coverage


@pytest.fixture
def plan(ledger: Ledger) -> Plan:
    return Plan(ledger)


@given(parsers.parse("the plan enrols ADA and BEN in {plan_id} from {day} on"))
def _(plan: Plan, plan_id: str, day: str) -> None:
    ben = {"relationship": "spouse", "given_name": "BEN", "birth_date": "1979-05-05", "sex": "male"}
    enrolled: dict[str, Any] = {"plan_id": plan_id, "effective_from": day, "subscriber": ADA, "dependants": [ben]}
    plan.say("enrolled", "2025-11-18T09:00:00-05:00", **enrolled)


@given(parsers.parse("80.00 are paid for a service to ADA on 2026-02-02"))
def _(plan: Plan) -> None:
    plan.take(adjudicated(), Format.JSON_CLAIM)


@when(parsers.parse("the plan adds CY from {day} on"))
def _(plan: Plan, day: str) -> None:
    plan.say("dependant_added", effective_from=day, dependant=CY | {"relationship": "child"})


@when(parsers.parse("the plan terminates coverage after {day}"))
def _(plan: Plan, day: str) -> None:
    plan.say("terminated", on=day)


@when(parsers.parse("the plan terminated coverage before that, after {day}"))
def _(plan: Plan, day: str) -> None:
    plan.say("terminated", "2026-07-01T09:00:00-04:00", on=day)


@when(parsers.parse("the plan reinstates coverage from {day} on"))
def _(plan: Plan, day: str) -> None:
    plan.say("reinstated", effective_from=day)


@when("the plan takes the termination back")
def _(plan: Plan) -> None:
    plan.say("voided")


@when("ADA gets a new number")
def _(plan: Plan) -> None:
    plan.say("enrolled", member_id=NEW)
    plan.say("merged", member_id=NEW, earlier_member_id=MEMBER, earlier_given_name="ADA")


@when("the plan says that it is not hers after all")
def _(plan: Plan) -> None:
    later = "2026-08-02T09:00:00-04:00"
    plan.say("unlinked", later, member_id=NEW, earlier_member_id=MEMBER, earlier_given_name="ADA")


@then(parsers.parse("on {day} {names} are covered"))
def _(plan: Plan, day: str, names: str) -> None:
    covered = {each["name"].partition(" ")[0] for each in plan.coverage(day)["persons"] if each["covered"]}
    assert covered == set(re.split(r", | and ", names))


@then(parsers.parse("on {day} nobody is covered"))
def _(plan: Plan, day: str) -> None:
    assert not any(each["covered"] for each in plan.coverage(day)["persons"])


@then(parsers.parse("{amount} are paid and not covered"))
def _(plan: Plan, amount: str) -> None:
    shown = plan.coverage()["uncovered_claims"]
    listed = rows(plan.ledger.database, "SELECT claim_id::text, paid FROM uncovered_claims")
    assert [(each["claim_id"], each["paid"]) for each in shown] == [(row["claim_id"], row["paid"]) for row in listed]
    assert dollars(round(sum(row["paid"] for row in listed) * 100)) == amount


@then("the claim is paid as before")
def _(plan: Plan) -> None:
    [claim] = find(plan.ledger, member=MEMBER)
    assert (claim["status"], float(claim["paid"]), claim["events"]) == ("paid", 80, 1)


@then(parsers.parse("under the new number {count:d} claim is found"))
@then(parsers.parse("under the new number {count:d} claims are found"))
def _(plan: Plan, count: int) -> None:
    assert len(find(plan.ledger, member=NEW)) == count
