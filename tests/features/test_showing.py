"""Steps about when a claim shows, and to whom asks for which time."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.claims import find
from application.ports import Message
from composition import Ledger
from domain.window import thirty_six_months
from samples import generator
from tests.features.conftest import Told
from tests.given import ADA, message, paid, remittance, rows, value
from tests.unit.notices import adjudicated, line, report

scenarios("what_the_window_holds.feature", "when_a_claim_shows.feature")


@dataclass
class Asked:
    """A ledger, and the last answer of it."""

    ledger: Ledger
    before: int = 0
    answer: list[dict[str, Any]] = field(default_factory=list)

    def take(self, sent: Message) -> None:
        self.ledger.intake.handle([sent])

    def served(self, on: date | None) -> generator.Claim:
        made = paid("A")
        return replace(made, lines=tuple(replace(each, service_date=on) for each in made.lines))

    def ask(self, **wanted: Any) -> None:
        self.ledger.runner.catch_up()
        self.answer = find(self.ledger, member=ADA.member_id, **wanted)

    def ask_as_of(self, day: date, **wanted: Any) -> None:
        first, last = thirty_six_months(day)
        self.ask(first_day=first, last_day=last, **wanted)


@pytest.fixture
def asked(ledger: Ledger) -> Asked:
    return Asked(ledger)


# --- the window


@given(parsers.parse("a claim that was served on {day}"))
def _(asked: Asked, day: str) -> None:
    asked.take(message(remittance(1, asked.served(date.fromisoformat(day)))))


@given("a claim without a day of service")
def _(asked: Asked) -> None:
    asked.take(message(remittance(1, asked.served(None))))


@given("its payment has been reversed since")
def _(asked: Asked) -> None:
    asked.before = value(asked.ledger.database, "SELECT position FROM head")
    original = asked.served(date(2026, 2, 2))
    asked.take(message(remittance(2, generator.reversal(original), paid("B", replace(ADA, given_name="OTHER")))))


@when(parsers.parse("the member's history is asked for as of {day}"))
def _(asked: Asked, day: str) -> None:
    asked.ask_as_of(date.fromisoformat(day))


@when("the member's whole history is asked for")
def _(asked: Asked) -> None:
    asked.ask()


@when("the member's history is asked for as it was known before the reversal")
def _(asked: Asked) -> None:
    asked.ask_as_of(date(2026, 3, 31), known_at=asked.before)


@then("the claim is shown")
def _(asked: Asked) -> None:
    assert len(asked.answer) == 1


@then("the claim is not shown")
def _(asked: Asked) -> None:
    assert asked.answer == []


@then(parsers.parse("the claim is shown as {status}"))
def _(asked: Asked, status: str) -> None:
    [row] = [row for row in asked.answer if row["patient"].startswith(ADA.given_name)]
    assert row["status"] == status


# --- when a claim shows


@when("the payer's receipt comes")
def _(told: Told) -> None:
    told.say(report("received"))


@when("the payer's decision comes")
def _(told: Told) -> None:
    told.say(adjudicated(line(10_000, 8_000)))


@when("the payment comes")
def _(asked: Asked) -> None:
    asked.take(message(remittance(1, paid("A"))))


@when("the reversal of a payment comes")
def _(asked: Asked) -> None:
    asked.take(message(remittance(1, generator.reversal(paid("A")), paid("B", replace(ADA, member_id="OTHER")))))


@then(parsers.parse("the claim shows as {status}"))
def _(asked: Asked, status: str) -> None:
    asked.ask()
    assert [row["status"] for row in asked.answer] == [status]


@when(parsers.parse("the payment of a claim comes that was served {days:d} days ago"))
def _(asked: Asked, days: int) -> None:
    [row] = rows(asked.ledger.database, "SELECT (now() AT TIME ZONE zone)::date AS today FROM calendar")
    asked.take(message(remittance(1, asked.served(row["today"] - timedelta(days)))))
    asked.ask()


@then(parsers.parse("it counts as {visibility}, and there is {alarm} alarm"))
def _(asked: Asked, visibility: str, alarm: str) -> None:
    [row] = rows(asked.ledger.database, "SELECT visibility, alarm FROM claim_freshness")
    assert (row["visibility"].replace("_", " "), row["alarm"] is not None) == (visibility, alarm == "an")


@given("the payment of a claim that names no patient")
def _(asked: Asked) -> None:
    sent = message(remittance(1, paid("A")))
    text = bytes(sent.value[:])
    nameless = b"".join(part for part in text.splitlines(keepends=True) if not part.startswith(b"NM1*QC"))
    segments = text.count(b"~\n") - nameless.count(b"~\n")
    [counted] = [part for part in nameless.splitlines(keepends=True) if part.startswith(b"SE*")]
    number = int(counted.split(b"*")[1]) - segments
    asked.take(sent._replace(value=nameless.replace(counted, b"SE*%d*%b" % (number, counted.split(b"*")[2]))))


@then("no claim shows, and 1 item is parked")
def _(asked: Asked) -> None:
    asked.ask()
    assert asked.answer == []
    assert [item.reason for item in asked.ledger.log.parked_items()] == ["claim.unidentified"]
