"""The business rules in `features/`, run over a real ledger."""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from application.intake import Outcome
from application.ports import Message
from composition import Ledger
from domain.parking import MessageDiscarded
from samples.catalog import PAYEES, PAYERS
from samples.generator import Adjustment, Claim, Line, Member, Remittance, render

FEATURES = Path(__file__).parents[2] / "features"
ELSEWHERE = {
    name
    for path in Path(__file__).parent.glob("test_*.py")
    if path != Path(__file__)
    for name in re.findall(r'"(\w+\.feature)"', path.read_text())
}
"""Those that other modules here run"""

scenarios(*(path.name for path in sorted(FEATURES.glob("*.feature")) if path.name not in ELSEWHERE))

SERVED, PAID = date(2026, 3, 2), date(2026, 3, 16)
MEMBER = Member("M100200300", "ADA", "LOVELOCK", date(1980, 5, 17))


@dataclass
class World:
    """What a scenario has said so far."""

    ledger: Ledger
    claims: list[Claim] = field(default_factory=list)
    spoilt: tuple[str, str] | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    sent: int = 0

    def send(self, claims: list[Claim], trace_number: str = "T1", paid_on: date = PAID) -> None:
        remittance = Remittance(next(iter(PAYERS)), next(iter(PAYEES)), trace_number, paid_on, paid_on, tuple(claims))
        self.sent += 1
        data = render(remittance, control=self.sent).decode()
        if self.spoilt is not None:
            right, wrong = self.spoilt
            assert right in data
            data = data.replace(right, wrong, 1)
        self.outcomes.append(self.ledger.intake.handle_file(Message("file:scenario", data.encode())))
        self.ledger.runner.catch_up()

    def rows(self) -> list[dict[str, Any]]:
        with self.ledger.database.session() as cursor:
            return cursor.execute("SELECT * FROM claim_status ORDER BY charge DESC").fetchall()

    def parked(self) -> list[str]:
        return [item.reason for item in self.ledger.log.parked_items()]


@pytest.fixture
def world(ledger: Ledger) -> World:
    return World(ledger)


def cents(amount: str) -> int:
    return round(float(amount) * 100)


def claim_of(number: str, charge: str, reasons: str) -> Claim:
    line = Line("99213", cents(charge), adjustments(reasons), SERVED)
    return Claim(f"P{number}", "1", f"C{number}", MEMBER, (line,))


def adjustments(text: str) -> tuple[Adjustment, ...]:
    found = re.findall(r"(\w\w)-(\w+) ([\d.]+)", text)
    assert found, text
    return tuple(Adjustment(group, carc, cents(amount)) for group, carc, amount in found)


def reversed_(claim: Claim) -> Claim:
    lines = tuple(
        replace(
            line,
            charge_cents=-line.charge_cents,
            adjustments=tuple(a._replace(cents=-a.cents) for a in line.adjustments),
        )
        for line in claim.lines
    )
    return replace(claim, status="22", lines=lines)


# --- given


@given(parsers.parse("a claim of {charge} with {reasons}"))
def _(world: World, charge: str, reasons: str) -> None:
    world.claims = [claim_of("1", charge, reasons)]


@given(parsers.parse("another claim of {charge} with {reasons}"))
def _(world: World, charge: str, reasons: str) -> None:
    world.claims.append(claim_of("2", charge, reasons))


@given(parsers.parse("its status code is {code}"))
def _(world: World, code: str) -> None:
    world.claims = [replace(world.claims[0], status=code)]


@given("the remittance has been taken in")
@when("the remittance is taken in")
@when("the remittance is taken in once more in a new envelope")
def _(world: World) -> None:
    world.send(world.claims)


@given(parsers.parse("the payer now says that the claim has {reasons}"))
def _(world: World, reasons: str) -> None:
    (line,) = world.claims[0].lines
    world.claims = [replace(world.claims[0], lines=(replace(line, adjustments=adjustments(reasons)),))]


@given(parsers.parse("the {amount} is stated a cent too high"))
def _(world: World, amount: str) -> None:
    world.spoilt = {
        "payment of a line": ("SVC*HC:99213*200*96", "SVC*HC:99213*200*96.01"),
        "payment of a claim": ("CLP*P1*1*200*96", "CLP*P1*1*200*96.01"),
        "total of the payment": ("BPR*I*136", "BPR*I*136.01"),
    }[amount]


@given("a reversal of the claim has been taken in")
@when("a reversal of the claim is taken in")
def _(world: World) -> None:
    # A take-back is paid out of another claim, since no payment is negative.
    other = claim_of("9", "500.00", "CO-45 100.00")
    world.send([reversed_(claim_of("1", "200.00", "CO-45 80.00 PR-2 24.00")), other], "T2", date(2026, 4, 6))


# --- when


@when(parsers.parse("a correction of the claim with {reasons} is taken in"))
def _(world: World, reasons: str) -> None:
    world.send([claim_of("1", "200.00", reasons)], "T3", date(2026, 4, 7))


@when(parsers.parse("a remittance with another claim of {charge} with {reasons} is taken in"))
def _(world: World, charge: str, reasons: str) -> None:
    world.send([claim_of("2", charge, reasons)], "T4")


@when(parsers.parse('the item parked as {reason} is discarded by "{actor}" because "{why}"'))
def _(world: World, reason: str, actor: str, why: str) -> None:
    (item,) = [item for item in world.ledger.log.parked_items() if item.reason == reason]
    world.ledger.intake.discard(item.parked_id, actor, why)
    last = world.ledger.mapper.load(world.ledger.log.history(item.parked_id)[-1].stored)
    assert last == MessageDiscarded(actor=actor, reason=why)
    world.ledger.runner.catch_up()


# --- then


@then(parsers.parse("the claim stands as {status}, paid {paid}, member owes {owes}"))
def _(world: World, status: str, paid: str, owes: str) -> None:
    (row,) = [row for row in world.rows() if abs(row["charge"]) == 200]
    assert (row["status"].replace("_", " "), f"{row['paid']:.2f}", f"{row['member_owes']:.2f}") == (status, paid, owes)


@then(parsers.parse("the other claim stands as {status}, paid {paid}, member owes {owes}"))
def _(world: World, status: str, paid: str, owes: str) -> None:
    (row,) = [row for row in world.rows() if row["charge"] == 50]
    assert (row["status"].replace("_", " "), f"{row['paid']:.2f}", f"{row['member_owes']:.2f}") == (status, paid, owes)


@then(parsers.parse("it has {count:d} postings"))
def _(world: World, count: int) -> None:
    (row,) = [row for row in world.rows() if abs(row["charge"]) == 200]
    assert row["events"] == count


@then("nothing is recorded")
def _(world: World) -> None:
    assert world.outcomes[-1].events == 0


@then(parsers.parse("{count:d} claim is counted as a duplicate"))
def _(world: World, count: int) -> None:
    assert world.outcomes[-1].duplicates == count


@then(parsers.parse("{count:d} item is parked as {reason}"))
def _(world: World, count: int, reason: str) -> None:
    assert world.parked().count(reason) == count


@then("nothing is parked")
def _(world: World) -> None:
    assert world.parked() == []


@then("no claim is known")
def _(world: World) -> None:
    assert world.rows() == []
