"""The rules about changes of plans, run over a real ledger."""

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.coverage import coverage_of
from application.intake import Outcome
from application.ports import Format, Message
from composition import Ledger
from tests.unit.coverage import change
from tests.unit.notices import encoded
from tests.unit.plans import plan

scenarios("when_a_plan_change_is_refused.feature")


class Member:
    """What is said of one member's coverage, and what became of it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.requests = 0
        self.begins = date.max
        self.outcome = Outcome()

    def say(self, kind: str, at: str, change_id: str = "", **said: Any) -> None:
        message = encoded(change(kind, at, change_id, **said))
        [self.outcome] = self.ledger.intake.handle([Message(kind, message, Format.JSON_COVERAGE)])
        self.ledger.runner.catch_up()

    def ask(self, at: str, plan_id: str, day: str, life_event: Any = None) -> None:
        self.requests += 1
        self.begins = date.fromisoformat(day)
        asked = {"plan_id": plan_id, "effective_on": day, "life_event": life_event}
        self.say("plan_change_requested", at, f"R-{self.requests}", **asked)

    def coverage(self, day: date) -> dict[str, Any]:
        [coverage] = coverage_of(self.ledger, "TGV100000001", day, None)
        return coverage

    def standing(self, request: int, day: date | None = None) -> tuple[str, str]:
        """With its reason; before the other plan begins, unless another day is asked for."""
        asked = self.coverage(day or self.begins - timedelta(1))["plan_changes"][request - 1]
        return asked["standing"], (asked["reason"] or "").replace("_", " ")


@pytest.fixture
def member(ledger: Ledger) -> Member:
    return Member(ledger)


@given(parsers.parse("a member who is enrolled in {plan_id} from {day} on"))
def _(member: Member, plan_id: str, day: str) -> None:
    member.say("enrolled", "2025-11-18T09:00:00-05:00", plan_id=plan_id, effective_from=day)


@given(parsers.parse("a plan {plan_id} with open enrolment from {first} to {last}, New York time"))
def _(member: Member, plan_id: str, first: str, last: str) -> None:
    published = plan(plan_id, open_enrolment={"first": first, "last": last}, zone="America/New_York")
    member.ledger.intake.handle([Message("plans/0@1", encoded(published), Format.JSON_PLAN)])


@when(parsers.parse("the plan terminates their coverage after {day}"))
def _(member: Member, day: str) -> None:
    member.say("terminated", "2026-03-01T09:00:00-05:00", on=day)


@when(parsers.re(r"they ask at (?P<at>\S+) for (?P<plan_id>\w+) from (?P<day>\S+) on$"))
def _(member: Member, at: str, plan_id: str, day: str) -> None:
    member.ask(at, plan_id, day)


@when(
    parsers.re(
        r"they ask at (?P<at>\S+) for (?P<plan_id>\w+) from (?P<day>\S+) on, "
        r"because of a (?P<event>\w+) on (?P<on>\S+), with (?P<proof>[\w ]+)$"
    )
)
def _(member: Member, at: str, plan_id: str, day: str, event: str, on: str, proof: str) -> None:
    member.ask(at, plan_id, day, {"event": event, "on": on, "proofs": [proof.replace(" ", "_")]})


@when(parsers.parse("they confirm it at {at}"))
def _(member: Member, at: str) -> None:
    member.say("plan_change_confirmed", at, f"C-{at}", of_change_id=f"R-{member.requests}")


@when(parsers.parse("they confirm request {request:d} at {at}"))
def _(member: Member, request: int, at: str) -> None:
    member.say("plan_change_confirmed", at, f"C-{at}", of_change_id=f"R-{request}")


@when(parsers.parse("they withdraw it at {at}"))
def _(member: Member, at: str) -> None:
    member.say("plan_change_withdrawn", at, of_change_id=f"R-{member.requests}")


@then(parsers.re(r"the request is (?P<standing>\w+)(?: as (?P<reason>[\w ]+))?$"))
def _(member: Member, standing: str, reason: str | None) -> None:
    assert not member.outcome.parked
    assert member.standing(member.requests) == (standing, reason or "")


@then(parsers.re(r"on (?P<day>[\d-]+) request (?P<request>\d) is (?P<standing>\w+)$"))
def _(member: Member, day: str, request: str, standing: str) -> None:
    assert member.standing(int(request), date.fromisoformat(day)) == (standing, "")


@then("the request waits until the plan is known")
def _(member: Member) -> None:
    assert [part.park.reason for part in member.outcome.parked] == ["coverage.plan_unknown"]
    assert member.coverage(date(2026, 12, 31))["plan_changes"] == []


@then(parsers.parse("on {day} they are covered by {plan_id}"))
def _(member: Member, day: str, plan_id: str) -> None:
    assert {person["plan_id"] for person in member.coverage(date.fromisoformat(day))["persons"]} == {plan_id}
