"""Steps about when payments post."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.payments import asked
from application.ports import Format, Message
from composition import Ledger
from tests.unit.notices import Message as Json
from tests.unit.notices import encoded
from tests.unit.payments import MEMBER_ID, told

scenarios("when_a_payment_posts.feature")


@dataclass
class Processor:
    """Tells what becomes of one payment."""

    ledger: Ledger
    sent: list[Message] = field(default_factory=list)

    def say(self, message: Json) -> None:
        self.sent.append(Message(f"payments/0@{len(self.sent)}", encoded(message), Format.JSON_PAYMENT))
        [outcome] = self.ledger.intake.handle(self.sent[-1:])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def seen(self, day: str) -> dict[str, Any]:
        [[payment], _] = asked(self.ledger, MEMBER_ID, date.fromisoformat(day))
        return payment


@pytest.fixture
def processor(ledger: Ledger) -> Processor:
    return Processor(ledger)


@given(parsers.parse("a member pays 100.00 on {day}"))
@when(parsers.parse("a member pays 100.00 on {day}"))
def _(processor: Processor, day: str) -> None:
    processor.say(told("initiated", at=f"{day}T09:30:00-04:00"))


@when("the processor says that it is authorised")
def _(processor: Processor) -> None:
    processor.say(told("authorised"))


@when("the processor says that it failed")
def _(processor: Processor) -> None:
    processor.say(told("failed"))


@when(parsers.parse("the processor says that it {kind:w} on {day}"))
@when(parsers.parse("the processor says that it was {kind:w} on {day}"))
def _(processor: Processor, kind: str, day: str) -> None:
    processor.say(told(kind, on=day))


@then(parsers.parse("it should post by {last}"))
def _(processor: Processor, last: str) -> None:
    assert str(processor.seen(last)["expected_by"]) == last


@then(parsers.parse("on {day} it is {status}, and {late}"))
def _(processor: Processor, day: str, status: str, late: str) -> None:
    found = processor.seen(day)
    assert (found["status"], found["late"]) == (status, late == "late")


@then(parsers.parse("on {day} it is {status}, with {collected} collected"))
def _(processor: Processor, day: str, status: str, collected: str) -> None:
    found = processor.seen(day)
    assert (found["status"], str(found["collected"])) == (status, collected)
