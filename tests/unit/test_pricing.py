"""What services cost under a benefit design: the rules one by one, then what holds of any year under any design."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.adjudication import AccumulatorKind, Design, Network
from domain.money import Money
from domain.plan import NO_LIMIT, BenefitDesign, Limit, Service
from domain.pricing import NOTHING_USED, Part, Served, in_order, price, price_one, rounded, total
from tests.unit.pricing import ADA, BENITO, CARMEN, SILVER, benefits, cents, design, designs, limit, served, share, told
from tests.unit.pricing import years as any_year

DEDUCTIBLE, OUT_OF_POCKET = AccumulatorKind


def steps(design: BenefitDesign, *services: Served, is_family: bool = False) -> list[list[tuple[str, float]]]:
    return [told(each) for each in price(services, design, is_family=is_family)[0]]


def plan(deductible: Limit = NO_LIMIT, out_of_pocket: Limit = NO_LIMIT, *, percent: int = 0) -> BenefitDesign:
    shares = {Service.OTHER: share(percent=percent, deductible=True)}
    return design(benefits(shares, deductible, out_of_pocket))


# --- the rules


def test_the_deductible_comes_first_and_coinsurance_takes_of_what_it_leaves() -> None:
    assert steps(SILVER, served(400, number="1"), served(300, number="2")) == [
        [("deductible", 400), ("plan_pays", 0)],
        [("deductible", 100), ("coinsurance", 40), ("plan_pays", 160)],
    ]


def test_a_step_says_from_what_it_is_taken_and_what_is_left() -> None:
    [priced], _ = price([served(700)], SILVER, is_family=False)
    deductible, coinsurance, plan_pays = priced.steps
    assert (deductible.of_cents, deductible.left_cents) == (cents(700), 0)
    assert (coinsurance.of_cents, coinsurance.percent, coinsurance.cents) == (cents(200), 20, cents(40))
    assert (plan_pays.of_cents, plan_pays.cents) == (cents(700), cents(160))


def test_a_copay_may_come_without_the_deductible_or_behind_it() -> None:
    assert steps(SILVER, served(140, Service.PRIMARY_CARE)) == [[("copay", 25), ("plan_pays", 115)]]
    assert steps(SILVER, served(900, Service.EMERGENCY)) == [
        [("deductible", 500), ("copay", 300), ("plan_pays", 100)],
    ]


def test_a_copay_is_never_more_than_what_is_left() -> None:
    assert steps(SILVER, served(10, Service.PRIMARY_CARE)) == [[("copay", 10), ("plan_pays", 0)]]
    assert steps(SILVER, served(600, Service.EMERGENCY)) == [[("deductible", 500), ("copay", 100), ("plan_pays", 0)]]


@pytest.mark.parametrize(
    ("otherwise", "copay"),
    [
        ({}, 0),
        ({"provider": "other"}, 25),
        ({"day": date(2026, 3, 3)}, 25),
        ({"person": BENITO}, 25),
        ({"tier": "2"}, 25),
    ],
)
def test_a_copay_is_paid_once_for_a_service_type_day_and_provider(otherwise: dict[str, Any], copay: int) -> None:
    first = served(100, Service.PRIMARY_CARE, number="1")
    _, second = price([first, first._replace(number="2", **otherwise)], SILVER, is_family=True)[0]
    assert second.taken(Part.COPAY) == cents(copay)


def test_what_one_line_leaves_of_a_visits_copay_the_next_one_takes() -> None:
    lines = [served(10, Service.PRIMARY_CARE, number="1"), served(100, Service.PRIMARY_CARE, number="2")]
    assert steps(SILVER, *lines) == [[("copay", 10), ("plan_pays", 0)], [("copay", 15), ("plan_pays", 85)]]


@pytest.mark.parametrize(
    ("amount", "percent", "part"), [(1, 50, 1), (3, 50, 2), (249, 10, 25), (245, 10, 25), (244, 10, 24), (0, 20, 0)]
)
def test_half_a_cent_is_rounded_up(amount: int, percent: int, part: int) -> None:
    assert rounded(amount, percent) == part


def test_beyond_the_out_of_pocket_limit_the_plan_pays_all_and_what_it_takes_off_is_said() -> None:
    assert steps(SILVER, served(7_500, number="1"), served(1_000, number="2"), served(300, number="3")) == [
        [("deductible", 500), ("coinsurance", 1_400), ("plan_pays", 5_600)],
        [("coinsurance", 100), ("limit_met", 100), ("plan_pays", 900)],
        [("limit_met", 60), ("plan_pays", 300)],
    ]


def test_a_limit_lower_than_the_deductible_ends_that_too() -> None:
    tight = plan(limit(500), limit(300))
    assert steps(tight, served(400)) == [[("deductible", 300), ("limit_met", 100), ("plan_pays", 100)]]


def test_preventive_care_costs_what_the_design_says_of_it() -> None:
    assert steps(SILVER, served(180, Service.PREVENTIVE)) == [[("plan_pays", 180)]]


def test_what_is_not_covered_costs_its_charge_and_counts_toward_nothing() -> None:
    [priced], used = price([served(100, Service.BEHAVIORAL_HEALTH)], SILVER, is_family=False)
    assert (told(priced), priced.member_cents, priced.plan_cents) == ([("not_covered", 200)], cents(200), 0)
    assert used.cents == {}


def test_each_network_has_limits_of_its_own() -> None:
    inside, outside = served(600, number="1"), served(1_200, number="2", network=Network.OUT)
    assert steps(SILVER, inside, outside) == [
        [("deductible", 500), ("coinsurance", 20), ("plan_pays", 80)],
        [("deductible", 1_000), ("coinsurance", 100), ("plan_pays", 100)],
    ]


def test_where_the_design_says_nothing_of_out_of_network_nothing_is_covered_there() -> None:
    assert steps(plan(), served(100, network=Network.OUT)) == [[("not_covered", 200)]]


# --- families


def test_embedded_a_person_meets_the_smaller_of_what_is_left_of_their_own_and_of_the_familys() -> None:
    family = plan(limit(500, 800))
    found = steps(
        family,
        served(600, number="1"),
        served(200, number="2", person=BENITO),
        served(200, number="3", person=CARMEN),
        is_family=True,
    )
    assert [dict(each).get("deductible") for each in found] == [500, 200, 100]


def test_aggregate_only_the_familys_deductible_counts_and_alone_ones_own_does() -> None:
    aggregate = design(benefits({Service.OTHER: share(deductible=True)}, limit(500, 800)), family=Design.AGGREGATE)
    assert steps(aggregate, served(900), is_family=True) == [[("deductible", 800), ("plan_pays", 100)]]
    assert steps(aggregate, served(900)) == [[("deductible", 500), ("plan_pays", 400)]]


def test_who_is_covered_alone_has_nothing_to_do_with_a_familys_limits() -> None:
    assert steps(plan(limit(500, 300)), served(600)) == [[("deductible", 500), ("plan_pays", 100)]]


def test_what_a_family_used_within_one_network_is_not_used_within_the_other() -> None:
    shares, limits = {Service.OTHER: share(deductible=True)}, limit(500, 800)
    both = design(*(benefits(shares, limits, network=network) for network in (Network.IN, Network.OUT)))
    services = [served(500, number="1"), served(500, number="2", person=BENITO, network=Network.OUT)]
    found = steps(both, *services, is_family=True)
    assert [dict(each)["deductible"] for each in found] == [500, 500]


def test_in_any_family_a_person_pays_no_more_than_the_individual_out_of_pocket_limit() -> None:
    """45 CFR 156.130(a)"""
    aggregate = design(
        benefits({Service.OTHER: share(deductible=True)}, limit(None, 5_000), limit(1_000, 2_000)),
        family=Design.AGGREGATE,
    )
    services = [
        served(1_500, number="1"),
        served(700, number="2", person=BENITO),
        served(700, number="3", person=CARMEN),
    ]
    prices, _ = price(services, aggregate, is_family=True)
    assert [each.member_cents for each in prices] == [cents(1_000), cents(700), cents(300)]


# --- of any year, under any design


def spent(
    services: list[Served], network: Network, *kinds: Part, design: BenefitDesign, is_family: bool
) -> dict[str, int]:
    prices, _ = price(services, design, is_family=is_family)
    return {
        person: sum(
            each.taken(kind)
            for kind in kinds
            for each in prices
            if (each.served.person, each.served.network) == (person, network)
        )
        for person in (ADA, BENITO, CARMEN)
    }


@given(any_year, designs, st.booleans())
def test_every_cent_is_somebodys(services: list[Served], design: BenefitDesign, is_family: bool) -> None:
    for each in price(services, design, is_family=is_family)[0]:
        covered = design.within(each.served.network).share(each.served.service).covered
        together = each.served.allowed_cents if covered else each.served.charge_cents
        assert each.member_cents + each.plan_cents == together
        assert all(step.cents >= 0 and (step.left_cents or 0) >= 0 for step in each.steps)


@given(any_year, designs, st.booleans())
def test_nobody_pays_more_than_a_limit(services: list[Served], design: BenefitDesign, is_family: bool) -> None:
    for network in (Network.IN, Network.OUT):
        within = design.within(network)
        out_of_pocket = spent(
            services, network, Part.DEDUCTIBLE, Part.COPAY, Part.COINSURANCE, design=design, is_family=is_family
        )
        deductible = spent(services, network, Part.DEDUCTIBLE, design=design, is_family=is_family)
        if within.out_of_pocket.individual_cents is not None:
            assert max(out_of_pocket.values()) <= within.out_of_pocket.individual_cents
        if within.deductible.individual_cents is not None and not (is_family and design.family is Design.AGGREGATE):
            assert max(deductible.values()) <= within.deductible.individual_cents
        for limit_, used in ((within.out_of_pocket, out_of_pocket), (within.deductible, deductible)):
            if is_family and limit_.family_cents is not None:
                assert sum(used.values()) <= limit_.family_cents


@given(any_year, designs, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_in_which_services_are_given_does_not_matter(
    services: list[Served], design: BenefitDesign, is_family: bool, shuffled: random.Random
) -> None:
    other = shuffled.sample(services, len(services))
    assert price(other, design, is_family=is_family) == price(services, design, is_family=is_family)


@given(any_year, designs, st.booleans(), st.integers(0, 12))
def test_a_year_cut_anywhere_and_carried_on_is_the_same_year(
    services: list[Served], design: BenefitDesign, is_family: bool, at: int
) -> None:
    ordered = sorted(services, key=in_order)
    before, used = price(ordered[:at], design, is_family=is_family)
    behind, at_the_end = price(ordered[at:], design, is_family=is_family, used=used)
    assert (before + behind, at_the_end) == price(services, design, is_family=is_family)


@given(any_year)
def test_without_any_cost_share_nothing_costs_anything(services: list[Served]) -> None:
    free = design(*(benefits({Service.OTHER: share()}, network=network) for network in (Network.IN, Network.OUT)))
    assert total(price(services, free, is_family=True)[0]) == 0


@given(any_year.filter(bool), designs, st.booleans(), st.integers(1, 100_000), st.data())
def test_more_allowed_costs_the_member_no_less_and_the_plan_no_less(
    services: list[Served], design: BenefitDesign, is_family: bool, more: int, data: st.DataObject
) -> None:
    """Of a single service; in a year, what one costs more another may cost less."""
    _, used = price(services[1:], design, is_family=is_family)
    less = services[0]
    dearer = less._replace(allowed_cents=Money(less.allowed_cents + more))
    at_first, at_last = (price_one(each, design, is_family=is_family, used=used) for each in (less, dearer))
    assert at_last.member_cents >= at_first.member_cents
    assert at_last.plan_cents >= at_first.plan_cents


@given(any_year.filter(bool), designs, st.booleans())
def test_what_was_used_before_never_makes_a_service_dearer(
    services: list[Served], design: BenefitDesign, is_family: bool
) -> None:
    _, used = price(services[1:], design, is_family=is_family)
    afresh, afterwards = (
        price_one(services[0], design, is_family=is_family, used=each) for each in (NOTHING_USED, used)
    )
    assert afterwards.member_cents <= afresh.member_cents
