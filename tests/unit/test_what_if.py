"""A year under each plan, and what was owed beside what the rules make of it."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.adjudication import Adjudication, Adjustment, Network, ServiceLine, Share
from domain.claim import Awaited, ClaimAdjudicated, ClaimEvent, ClaimPended, ClaimReversed
from domain.facts import StreamId
from domain.money import Money
from domain.plan import BenefitDesign, Plan, PlanPublished, Premium, Service
from domain.pricing import Part, Price, Served, in_order, price
from domain.what_if import Claimed, Explained, LeftOut, claimed, compared, used_by, what_if
from domain.window import Window, twelve_months
from tests.unit.pricing import ADA, BENITO, SILVER, benefits, cents, design, designs, limit, served, share
from tests.unit.pricing import years as any_year

END = date(2026, 12, 31)
YEAR = twelve_months(END)


def published(*held: BenefitDesign) -> Plan:
    return Plan(tuple(PlanPublished(each.name, "payer", each.name, 1, each) for each in held))


def of_year(made: BenefitDesign, year: int, **otherwise: Any) -> BenefitDesign:
    days = {"effective_from": date(year, 1, 1), "effective_to": date(year, 12, 31)}
    return msgspec.structs.replace(made, **days, **otherwise)


BRONZE = design(
    benefits({Service.OTHER: share(deductible=True)}, limit(5_000), limit(5_000)),
    premium=Premium(cents(200), cents(600)),
)
PLANS = {"SILVER": published(SILVER), "BRONZE": published(BRONZE)}


def test_the_window_is_the_year_that_ends_with_a_day() -> None:
    assert Window(date(2026, 1, 1), END) == YEAR
    assert twelve_months(date(2024, 2, 29)).first == date(2023, 3, 1)


# --- a year under each plan


def test_a_year_costs_its_services_and_its_premium_and_the_cheapest_plan_comes_first() -> None:
    bronze, silver = what_if([served(1_000)], PLANS, END, is_family=False)
    assert (bronze.plan_id, bronze.member_cents, bronze.premium_cents) == ("BRONZE", cents(1_000), cents(2_400))
    assert (silver.plan_id, silver.member_cents, silver.premium_cents) == ("SILVER", cents(600), cents(5_400))
    assert silver.together_cents == cents(6_000)
    silver, bronze = what_if([served(9_000)], PLANS | {"BRONZE": published(SILVER)}, END, is_family=True)
    assert silver.premium_cents == bronze.premium_cents == cents(14_400)


def test_a_plan_that_does_not_hold_at_the_end_is_none_to_choose() -> None:
    gone = {"GONE": published(of_year(SILVER, 2025)), "NEXT": published(of_year(SILVER, 2027))}
    assert what_if([served(1_000)], gone, END, is_family=False) == []


def test_limits_begin_anew_with_the_plan_year_and_each_design_prices_its_own() -> None:
    dearer = of_year(SILVER, 2027, premium=Premium(cents(500), cents(1_300)))
    plan = published(SILVER, dearer)
    services = [served(500, number="1"), served(500, number="2"), served(500, number="3", day=date(2027, 1, 1))]
    [costs] = what_if(services, {"SILVER": plan}, date(2027, 2, 28), is_family=False)
    assert [each.member_cents for each in costs.prices] == [cents(500), cents(100), cents(500)]
    assert costs.premium_cents == cents(10 * 450 + 2 * 500)


def test_where_the_plan_had_no_design_the_one_that_holds_at_the_end_prices_by_plan_years_of_its_own() -> None:
    services = [
        served(500, number="1", day=date(2025, 12, 31)),
        served(500, number="2", day=date(2026, 1, 1)),
        served(500, number="3", day=date(2026, 1, 2)),
    ]
    [costs] = what_if(services, {"SILVER": published(SILVER)}, date(2026, 6, 30), is_family=False)
    assert [each.member_cents for each in costs.prices] == [cents(500), cents(500), cents(100)]


def test_where_the_plan_had_no_design_another_one_of_the_same_year_does_not_stand_in() -> None:
    """Nothing holds in the second half of 2026. Its services are Bronze's, which holds at the end, and the year that
    they lie in is the same as the first half's."""
    silver = of_year(SILVER, 2026)
    half = msgspec.structs.replace(silver, effective_to=date(2026, 6, 30))
    plan = published(half, of_year(BRONZE, 2027))
    services = [
        served(600, number="1", day=date(2026, 6, 30)),
        served(600, number="2", day=date(2026, 7, 1)),
        served(100, number="3", day=date(2026, 5, 1)),
    ]
    [costs] = what_if(services, {"P": plan}, date(2027, 1, 31), is_family=False)
    assert [(each.served.number, each.member_cents) for each in costs.prices] == [
        ("3", cents(100)),
        ("1", cents(400 + 40)),
        ("2", cents(600)),
    ]


def test_what_came_before_uses_the_limits_of_its_plan_year_and_costs_nothing() -> None:
    before = served(400, number="0", day=date(2026, 1, 9))
    [costs] = what_if([served(500)], {"SILVER": PLANS["SILVER"]}, END, is_family=False, before=[before])
    [only] = costs.prices
    assert only.taken(Part.DEDUCTIBLE) == cents(100)


@given(any_year, designs, st.booleans())
def test_a_year_under_one_design_is_what_it_is_priced_at(
    services: list[Served], design: BenefitDesign, is_family: bool
) -> None:
    [costs] = what_if(services, {"P": published(design)}, END, is_family=is_family)
    assert list(costs.prices) == price(services, design, is_family=is_family)[0]


# --- what was owed beside it


def owed_by(prices: Sequence[Price]) -> Share:
    names = (Part.DEDUCTIBLE, Part.COINSURANCE, Part.COPAY, Part.NOT_COVERED)
    return Share(*(Money(sum(each.taken(name) for each in prices)) for name in names))


def claim(*services: Served, owed: Share, processed: date = date(2026, 5, 1)) -> Claimed:
    first = services[0]
    at = processed, ("", first.number, 1)
    name = StreamId(first.number)
    return Claimed(name, first.person, "SILVER", first.day, at, first.network, services, owed, True)


def by_the_rules(services: Sequence[Served], held: BenefitDesign, *, is_family: bool = False) -> list[Claimed]:
    """Each service a claim, decided by day as the rules say."""
    return [claim(each.served, owed=owed_by([each])) for each in price(services, held, is_family=is_family)[0]]


@given(any_year, designs, st.booleans(), st.randoms(use_true_random=False))
def test_what_the_rules_explain_costs_under_the_plan_what_was_owed(
    services: list[Served], held: BenefitDesign, is_family: bool, shuffled: random.Random
) -> None:
    claims = by_the_rules(services, held, is_family=is_family)
    plan = published(held)
    found = compared(shuffled.sample(claims, len(claims)), plan, YEAR, is_family=is_family)
    assert {each.explained for each in found} <= {Explained.BY_DAY}
    assert not any(each.unexplained or each.difference_cents for each in found)
    [costs] = what_if(services, {"P": plan}, END, is_family=is_family)
    assert costs.member_cents == sum(each.owed_cents for each in found)


@given(any_year.filter(bool), designs, st.booleans(), st.integers(1, 1_000), st.data())
def test_a_claim_that_the_rules_do_not_explain_is_named_and_no_other(
    services: list[Served], held: BenefitDesign, is_family: bool, more: int, data: st.DataObject
) -> None:
    """What is owed beyond coverage uses no limit, so that what follows is as it was."""
    claims = by_the_rules(services, held, is_family=is_family)
    at = data.draw(st.integers(0, len(claims) - 1))
    share = claims[at].owed
    claims[at] = claims[at]._replace(owed=msgspec.structs.replace(share, other=Money(share.other + more)))
    found = compared(claims, published(held), YEAR, is_family=is_family)
    named = {each.claim.claim_id: each.unexplained for each in found if each.unexplained}
    assert named == {claims[at].claim_id: ((Part.NOT_COVERED, more),)}


def test_a_claim_decided_against_the_rules_is_named_with_its_step_and_those_behind_it_are_not() -> None:
    """Of the first the deductible was forgotten, so the second, rightly, takes it."""
    forgotten = claim(served(300, number="1"), owed=Share())
    behind = claim(served(300, number="2", day=date(2026, 4, 1)), owed=Share(cents(300)))
    first, second = compared([forgotten, behind], PLANS["SILVER"], YEAR, is_family=False)
    assert (first.unexplained, first.difference_cents) == (((Part.DEDUCTIBLE, cents(-300)),), cents(-300))
    assert (second.unexplained, second.difference_cents) == ((), cents(300 - 220))


def test_claims_that_were_processed_in_another_order_than_they_were_served_in_are_explained() -> None:
    served_first = claim(served(500, number="1"), owed=Share(coinsurance=cents(100)), processed=date(2026, 6, 1))
    served_last = served(500, number="2", day=date(2026, 4, 1))
    paid_first = claim(served_last, owed=Share(cents(500)), processed=date(2026, 5, 1))
    found = compared([served_first, paid_first], PLANS["SILVER"], YEAR, is_family=False)
    assert [each.unexplained for each in found] == [(), ()]
    assert [each.explained for each in found] == [Explained.AS_PROCESSED, Explained.BEHIND_OWED]
    assert [each.difference_cents for each in found] == [cents(-400), cents(400)]


decided = st.tuples(st.integers(0, 400), st.booleans())
"""On which day of the year a claim was processed, and whether against the rules"""


@given(any_year, designs, st.booleans(), st.lists(decided, min_size=12, max_size=12), st.integers(1, 999))
def test_the_claims_that_are_named_make_the_whole_difference(
    services: list[Served], held: BenefitDesign, is_family: bool, decisions: Sequence[tuple[int, bool]], more: int
) -> None:
    """Whatever order they were processed in, and whatever the payer made of them."""
    claims = []
    for each, (day, is_wrong) in zip(by_the_rules(services, held, is_family=is_family), decisions, strict=False):
        on = date(2026, 1, 1) + timedelta(day)
        owed = msgspec.structs.replace(each.owed, deductible=Money(each.owed.deductible + more * is_wrong))
        claims.append(each._replace(processed=(on, each.processed[1]), owed=owed))
    plan = published(held)
    found = compared(claims, plan, YEAR, is_family=is_family)
    [costs] = what_if([each.services[0] for each in claims], {"P": plan}, END, is_family=is_family)
    named = [each for each in found if each.explained is not Explained.BY_DAY]
    assert sum(each.owed_cents for each in found) - costs.member_cents == sum(each.difference_cents for each in named)
    assert all(bool(each.unexplained) == (each.explained is None) for each in found)


@given(any_year, designs, st.booleans())
def test_claims_use_of_the_limits_what_their_services_do(
    services: list[Served], held: BenefitDesign, is_family: bool
) -> None:
    claims = by_the_rules(services, held, is_family=is_family)
    used = price(services, held, is_family=is_family)[1]
    counted = {key: cents for key, cents in used_by(claims).cents.items() if cents}
    assert counted == {key: cents for key, cents in used.cents.items() if cents}


def test_a_claim_that_was_corrected_late_keeps_its_turn_by_day() -> None:
    forgotten = claim(served(300, number="1"), owed=Share())
    second = claim(served(300, number="2", day=date(2026, 4, 1)), owed=Share(cents(300)), processed=date(2026, 6, 1))
    third = claim(served(500, number="3", day=date(2026, 5, 1)), owed=Share(cents(200), cents(60)))
    found = compared([forgotten, second, third], PLANS["SILVER"], YEAR, is_family=False)
    assert [bool(each.unexplained) for each in found] == [True, False, False]


def test_a_visits_copay_is_taken_once_over_its_claims_also_behind_one_that_is_not_explained() -> None:
    """Of the first the deductible was forgotten; so the visit takes all of it, and 100.00 and 200.00 of its copay."""
    forgotten = claim(served(300, number="1", day=date(2026, 1, 5)), owed=Share())
    visit = served(600, Service.EMERGENCY, number="2", provider="hospital")
    claims = [
        forgotten,
        claim(visit, owed=Share(cents(500), copayment=cents(100))),
        claim(visit._replace(number="3", allowed_cents=cents(900)), owed=Share(copayment=cents(200))),
    ]
    found = compared(claims, PLANS["SILVER"], YEAR, is_family=False)
    assert [bool(each.unexplained) for each in found] == [True, False, False]


def test_what_was_served_before_the_window_uses_limits_and_is_not_compared() -> None:
    early, late = by_the_rules([served(400, number="1"), served(400, number="2", day=date(2026, 5, 5))], SILVER)
    [found] = compared([early, late], PLANS["SILVER"], Window(date(2026, 5, 1), END), is_family=False)
    assert (found.claim, found.unexplained, found.difference_cents) == (late, (), 0)


def test_a_day_for_which_the_plan_has_no_design_is_not_held_against_it() -> None:
    before = claim(served(300, day=date(2025, 12, 31)), owed=Share(cents(1)))
    assert compared([before], PLANS["SILVER"], twelve_months(date(2026, 6, 30)), is_family=False) == []


# --- from what was said of a claim


def said(code: str = "1", *, day: int = 2, served_on: date | None = date(2026, 2, 2), **told: Any) -> ClaimEvent:
    """A visit of 200.00: 50.00 written off, 25.00 left to the patient."""
    sign = -1 if code == "22" else 1
    reasons = tuple(
        Adjustment(group, carc, Money(sign * amount))
        for group, carc, amount in (("CO", "45", 5_000), ("PR", "3", 2_500))
    )
    line = ServiceLine("HC:99213", Money(sign * 20_000), Money(sign * 12_500), reasons)
    adjudication = Adjudication(
        code, Money(sign * 20_000), Money(sign * 12_500), Money(sign * 2_500), (line,), service_from=served_on, **told
    )
    kind = ClaimReversed if code == "22" else ClaimAdjudicated
    return kind("content", ADA, "payer", None, date(2026, 3, day), adjudication)


def test_a_claim_is_priced_by_its_last_word_on_what_any_word_tells_of_plan_and_network() -> None:
    found = claimed(StreamId("c"), "payer", [said(plan_id="SILVER", network=Network.OUT), said(day=9)])
    assert isinstance(found, Claimed)
    [visit] = found.services
    assert (visit.service, visit.network, visit.person) == (Service.PRIMARY_CARE, Network.OUT, ADA)
    assert (visit.charge_cents, visit.allowed_cents, visit.day) == (cents(200), cents(150), date(2026, 2, 2))
    assert (found.plan_id, found.owed, found.is_network_told) == ("SILVER", Share(copayment=cents(25)), True)
    assert found.processed[0] == date(2026, 3, 9)


def test_of_one_day_of_service_what_was_processed_first_is_priced_first() -> None:
    early, late = (claimed(StreamId(name), "payer", [said(day=day)]) for name, day in (("z", 2), ("a", 9)))
    assert isinstance(early, Claimed)
    assert isinstance(late, Claimed)
    assert sorted([*late.services, *early.services], key=in_order) == [*early.services, *late.services]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=["ids in this order", "ids in the other"])
def test_of_one_day_of_processing_whose_deductible_is_larger_is_first_whatever_their_ids(
    names: tuple[str, str],
) -> None:
    """Two scans of one visit: 500.00 deductible and a fifth of the rest, then a fifth alone."""
    met, behind = (
        claimed(StreamId(name), "payer", [scan(deductible, coinsurance)])
        for name, deductible, coinsurance in ((names[0], 500, 100), (names[1], 0, 200))
    )
    assert isinstance(met, Claimed)
    assert isinstance(behind, Claimed)
    found = compared([behind, met], PLANS["SILVER"], YEAR, is_family=False)
    assert [(each.claim, each.explained) for each in found] == [(met, Explained.BY_DAY), (behind, Explained.BY_DAY)]


def scan(deductible: int, coinsurance: int) -> ClaimEvent:
    """Of 1,000.00."""
    left = cents(deductible), cents(coinsurance)
    reasons = tuple(Adjustment("PR", carc, amount) for carc, amount in zip("12", left, strict=True) if amount)
    paid = Money(cents(1_000) - sum(left))
    line = ServiceLine("HC:70450", cents(1_000), paid, reasons)
    told = Adjudication("1", cents(1_000), paid, Money(sum(left)), (line,), service_from=date(2026, 2, 2))
    return ClaimAdjudicated("content", ADA, "payer", None, date(2026, 3, 2), told)


def test_a_network_that_is_not_told_is_taken_for_the_plans_own() -> None:
    found = claimed(StreamId("c"), "payer", [said()])
    assert isinstance(found, Claimed)
    assert (found.network, found.is_network_told) == (Network.IN, False)


def pended() -> ClaimEvent:
    return ClaimPended(
        "content",
        BENITO,
        "payer",
        source="s",
        bill=StreamId("bill"),
        at=datetime(2026, 3, 1, tzinfo=UTC),
        awaits=Awaited.OTHER,
    )


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([pended()], LeftOut.NOT_DECIDED),
        ([said(), said("22", day=3)], LeftOut.NOT_DECIDED),
        ([said("4")], LeftOut.DENIED),
        ([said("4"), said("22", day=3)], LeftOut.NOT_DECIDED),
        ([said("2")], LeftOut.NOT_PRIMARY),
        ([said(served_on=None)], LeftOut.UNDATED),
    ],
)
def test_what_cannot_be_priced_says_why(events: list[ClaimEvent], why: LeftOut) -> None:
    assert claimed(StreamId("c"), "payer", events) is why
