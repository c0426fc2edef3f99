"""The rule about a family's deductible, run over a real ledger."""

from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from adapters.cli.accounts import checked
from application.ports import Format, Message
from composition import Ledger
from domain.accumulators import Accumulated
from domain.adjudication import AccumulatorKind
from projections.account_queries import ACCUMULATORS, accumulators_of
from tests.given import value
from tests.unit.notices import adjudicated, encoded, line

scenarios("how_a_family_meets_its_deductible.feature")

MEMBER = "TGV100000001"
CHARGE = 500_000


class Family:
    """Its claims, one a person, and what the payer states with each."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.design = ""
        self.limits: dict[str, int] = {}
        self.used: dict[str, int] = {}

    def decide(self, name: str, deductible: int, stated: int | None = None) -> None:
        self.used[name] = deductible
        together = sum(self.used.values()) if stated is None else stated
        limits = [
            {"level": "individual", "used_cents": deductible},
            {"level": "family", "used_cents": together, "design": self.design},
        ]
        every = {"kind": "deductible", "network": "in"}
        accumulators = [each | every | {"limit_cents": self.limits[str(each["level"])]} for each in limits]
        self._send(name, 1, on=f"2026-03-{len(self.used):02}", accumulators=accumulators)

    def take_back(self, name: str) -> None:
        self._send(name, -1, on="2026-03-30", status_code="22")

    def _send(self, name: str, sign: int, **said: Any) -> None:
        charge, left = sign * CHARGE, sign * self.used[name]
        served = line(charge, charge - left, adjustments=[{"group": "PR", "carc": "1", "cents": left}])
        notice = adjudicated(served, network="in", plan_id="SILVER", **said) | {
            "patient": {"member_id": MEMBER, "given_name": name},
            "numbers": {"patient_control_number": name, "payer_claim_number": name},
        }
        [outcome] = self.ledger.intake.handle([Message(f"{name} {sign}", encoded(notice), Format.JSON_CLAIM)])
        assert not outcome.parked
        self.ledger.runner.catch_up()

    def deductible(self, who: str) -> Accumulated:
        question = "SELECT person_id::text FROM people WHERE given_name = %s"
        person = None if who == "the family" else value(self.ledger.database, question, who)
        with self.ledger.database.session() as cursor:
            said = cursor.execute(ACCUMULATORS, {"member": MEMBER, "as_of": None, "known_at": None}).fetchall()
        of_whom = [each for each in accumulators_of(said) if each.person == person]
        [found] = [each for each in of_whom if each.kind is AccumulatorKind.DEDUCTIBLE]
        return found


@pytest.fixture
def family(ledger: Ledger) -> Family:
    return Family(ledger)


def cents(amount: str) -> int:
    return round(float(amount) * 100)


@given(parsers.parse("a plan with an {design} deductible of {own} for a person and {together} for the family"))
def _(family: Family, design: str, own: str, together: str) -> None:
    family.design = design
    family.limits = {"individual": cents(own), "family": cents(together)}


@when(parsers.re(r"(?P<amount>[\d.]+) of a claim of (?P<name>\w+)'s go to the deductible$"))
def _(family: Family, amount: str, name: str) -> None:
    family.decide(name, cents(amount))


@when(
    parsers.parse(
        "{amount} of a claim of {name}'s go to the deductible, after which the payer states {stated} for the family"
    )
)
def _(family: Family, amount: str, name: str, stated: str) -> None:
    family.decide(name, cents(amount), cents(stated))


@when(parsers.parse("the payer takes the claim of {name}'s back"))
def _(family: Family, name: str) -> None:
    family.take_back(name)


@then(parsers.parse("{who} has met the deductible"))
def _(family: Family, who: str) -> None:
    assert family.deductible(who).is_met
    assert not any(checked(family.ledger).values())


@then(parsers.parse("{who} has {left} of it left"))
def _(family: Family, who: str, left: str) -> None:
    found = family.deductible(who)
    assert (found.is_met, found.left_cents) == (False, cents(left))


@then(parsers.parse("the payer states {stated} for the family, {less} less than its claims"))
def _(family: Family, stated: str, less: str) -> None:
    found = family.deductible("the family")
    assert (found.stated_cents, found.difference_cents) == (cents(stated), cents(less))
