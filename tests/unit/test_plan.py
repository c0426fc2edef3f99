"""Benefit designs: which one holds on a day, and what it leaves to the member."""

import itertools
from datetime import date

import msgspec
import pytest

from domain.adjudication import Design, Network
from domain.money import Money
from domain.plan import (
    INITIAL,
    NOT_COVERED,
    BenefitDesign,
    Benefits,
    CostShare,
    Plan,
    PlanNotice,
    Premium,
    Publish,
    Refusal,
    Service,
    ServiceShare,
    decide,
    design_on,
    evolve,
)

COPAY = CostShare(copay_cents=Money(2_500), deductible_applies=False)
TIER_2 = CostShare(copay_cents=Money(5_000), deductible_applies=False)
REST = CostShare(coinsurance_percent=20)
IN = Benefits(
    Network.IN,
    (
        ServiceShare(Service.SPECIALIST, COPAY),
        ServiceShare(Service.SPECIALIST, TIER_2, "2"),
        ServiceShare(Service.OTHER, REST),
    ),
)
DESIGN = BenefitDesign(
    name="Silver 2000",
    effective_from=date(2026, 1, 1),
    effective_to=date(2026, 12, 31),
    zone="America/New_York",
    premium=Premium(Money(45_000), Money(120_000)),
    family=Design.EMBEDDED,
    benefits=(IN,),
)
RENAMED = msgspec.structs.replace(DESIGN, name="Silver 2000 plus")
NEXT_YEAR = msgspec.structs.replace(DESIGN, effective_from=date(2027, 1, 1), effective_to=date(2027, 12, 31))


def publish(design: BenefitDesign, revision: int = 1) -> Publish:
    notice = PlanNotice("1078810412", "SILVER", revision, design)
    return Publish(f"{design.name} {design.effective_from} {revision}", "plans/0@1", notice)


def given(*commands: Publish) -> Plan:
    state = INITIAL
    for command in commands:
        decided = decide(state, command)
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = evolve(state, event)
    return state


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_highest_revision_of_the_year_holds_in_whatever_order_it_came(order: tuple[int, ...]) -> None:
    commands = (publish(DESIGN), publish(RENAMED, 2), publish(NEXT_YEAR))
    plan = given(*(commands[at] for at in order))
    assert design_on(plan, date(2025, 12, 31)) is None
    assert design_on(plan, date(2026, 1, 1)) == design_on(plan, date(2026, 12, 31)) == RENAMED
    assert design_on(plan, date(2027, 1, 1)) == NEXT_YEAR
    assert design_on(plan, date(2028, 1, 1)) is None


def test_the_same_again_is_nothing_and_another_design_of_a_revision_is_refused() -> None:
    plan = given(publish(DESIGN))
    assert decide(plan, publish(DESIGN)) == ()
    assert decide(plan, publish(RENAMED)) is Refusal.CONFLICT


@pytest.mark.parametrize(
    ("service", "tier", "share"),
    [
        (Service.SPECIALIST, "", COPAY),
        (Service.SPECIALIST, "2", TIER_2),
        (Service.SPECIALIST, "3", COPAY),
        (Service.IMAGING, "2", REST),
    ],
)
def test_a_service_costs_what_is_said_of_its_tier_or_of_any_or_of_the_rest(
    service: Service, tier: str, share: CostShare
) -> None:
    assert DESIGN.within(Network.IN).share(service, tier) == share


def test_what_no_rule_covers_is_not_covered() -> None:
    assert DESIGN.within(Network.OUT).share(Service.EMERGENCY) is NOT_COVERED
