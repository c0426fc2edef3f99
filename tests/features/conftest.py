"""Steps about what payers say of a claim outside remittances. Where it stands is asked of its events themselves."""

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import pytest
from pytest_bdd import given, parsers, then, when

from application.intake import Outcome
from application.ports import Format, Message
from composition import Ledger
from domain import claim
from domain.money import dollars
from domain.standing import Standing, standing
from tests.given import ADA, message, paid, remittance, rows
from tests.unit.notices import adjudicated, encoded, line, report

ABOUT: dict[str, Any] = {
    "payer_id": "1078810412",
    "patient": {"member_id": ADA.member_id, "given_name": ADA.given_name, "family_name": ADA.family_name},
    "numbers": {"patient_control_number": "PTA", "payer_claim_number": "A"},
}
"""The claim of `paid("A")`"""

ON_DAYS = {"received": "2026-02-20", "accepted": "2026-02-21", "rejected": "2026-02-22"}


@dataclass
class Told:
    """What a payer has said of one claim so far, and what became of it."""

    ledger: Ledger
    outcomes: list[Outcome] = field(default_factory=list)

    def say(self, said: dict[str, Any]) -> None:
        sent = Message(f"payer.adjudications/0@{len(self.outcomes)}", encoded(said | ABOUT), Format.JSON_CLAIM)
        self.outcomes += self.ledger.intake.handle([sent])

    def decide(self, cents: int, **said: Any) -> None:
        self.say(adjudicated(line(10_000, cents), **said))

    def claim(self) -> claim.Claim:
        streams = "SELECT DISTINCT originator_id::text AS id FROM events WHERE topic LIKE 'claim.%%'"
        [stream] = rows(self.ledger.database, streams)
        events = [self.ledger.mapper.load(recorded.stored) for recorded in self.ledger.log.history(stream["id"])]
        return reduce(claim.evolve, events, claim.INITIAL)  # type: ignore[arg-type]

    def standing(self) -> Standing:
        return standing(self.claim())


@pytest.fixture
def told(ledger: Ledger) -> Told:
    return Told(ledger)


@given("the payer has decided to pay 80.00 of a claim of 100.00")
@when("the payer says again that it decided to pay 80.00")
def _(told: Told) -> None:
    told.decide(8_000)


@when("the payer says under the same date that it decided to pay 70.00")
def _(told: Told) -> None:
    told.decide(7_000)


@when("the payer takes the decision back")
def _(told: Told) -> None:
    told.say(adjudicated(line(-10_000, -8_000), status_code="22", on="2026-03-09"))


@when("the remittance pays 80.00 of it")
def _(told: Told) -> None:
    told.outcomes += told.ledger.intake.handle([message(remittance(5, paid("A", cents=8_000)))])


@when("the payer decides that it does not cover the claim")
def _(told: Told) -> None:
    not_covered = {"group": "PR", "carc": "204", "cents": 10_000}
    told.say(adjudicated(line(10_000, 0, adjustments=[not_covered]), patient_cents=10_000))


@when(parsers.parse("the payer reports that the claim is {kind}"))
def _(told: Told, kind: str) -> None:
    told.say(report(kind, at=f"{ON_DAYS[kind]}T10:00:00-05:00"))


@then(parsers.parse("the claim is {status}, with {due} to be paid and {moved} moved"))
def _(told: Told, status: str, due: str, moved: str) -> None:
    found = told.standing()
    assert (found.status, dollars(found.paid_cents), dollars(found.cash_cents)) == (status, due, moved)


@then(parsers.parse("{count:d} thing was said of the claim"))
def _(told: Told, count: int) -> None:
    assert len(told.claim().said) == count


@then(parsers.parse("the message is parked as {reason}"))
def _(told: Told, reason: str) -> None:
    assert [part.park.reason for part in told.outcomes[-1].parked] == [reason]


@then("nothing can be appealed")
def _(told: Told) -> None:
    assert told.standing().appeal_until is None


@then(parsers.parse("it can be appealed until {day}"))
def _(told: Told, day: str) -> None:
    assert str(told.standing().appeal_until) == day
