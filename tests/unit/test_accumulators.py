"""What counts toward deductible and out-of-pocket limit, and what the payer states of it."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.accumulators import Accumulated, Counted, Plan, Told, accumulated, counted
from domain.adjudication import NO_SHARE, Accumulator, AccumulatorKind, AccumulatorLevel, Design, Network, Share, Status
from domain.claim import Claim, Identity, Kind, Said
from domain.facts import StreamId
from domain.money import Money

DEDUCTIBLE, OUT_OF_POCKET = AccumulatorKind
INDIVIDUAL, FAMILY = AccumulatorLevel
ADA, BENITO = StreamId("ada"), StreamId("benito")
PLAN = Plan("payer", "silver", date(2026, 1, 1))


def stated(
    used: int,
    limit: int | None = None,
    *,
    kind: AccumulatorKind = DEDUCTIBLE,
    level: AccumulatorLevel = INDIVIDUAL,
    network: Network = Network.IN,
    design: Design | None = None,
) -> Accumulator:
    return Accumulator(kind, level, network, Money(used), None if limit is None else Money(limit), design)


# --- one claim

Spoken = tuple[Said, Told]


def said(
    day: int,
    deductible: int,
    *accumulators: Accumulator,
    remitted: bool = False,
    served: date | None = date(2026, 2, 2),
    code: str = "1",
    **told: Any,
) -> Spoken:
    """A charge of 100 dollars, of which a deductible is left to the patient and the rest is paid; 22 takes it back."""
    sign = -1 if code == "22" else 1
    on = date(2026, 3, day)
    posting = Said(
        identity=("remittance" if remitted else on.isoformat(), code, 1),
        content="",
        kind=Kind.REVERSED if code == "22" else Kind.ADJUDICATED,
        day=on,
        is_remitted=remitted,
        status=Status.REVERSED if code == "22" else Status.PAID,
        status_code=code,
        charge_cents=Money(sign * 10_000),
        paid_cents=Money(sign * (10_000 - deductible)),
        service_from=served,
        share=Share(Money(sign * deductible)),
    )
    return posting, Told(accumulators=accumulators, **told)


def voided(day: int) -> Spoken:
    on = date(2026, 3, day)
    return Said((on.isoformat(), Kind.VOIDED, 1), "", Kind.VOIDED, on), Told()


def count(*spoken: Spoken) -> Counted | None:
    told: Mapping[Identity, Told] = {each.identity: told for each, told in spoken}
    return counted("payer", ADA, Claim(tuple(each for each, _ in spoken)), told)


def test_a_claim_counts_by_its_last_word_in_the_calendar_year_of_its_service() -> None:
    assert count(said(2, 500)) == Counted(ADA, Plan("payer", "", date(2026, 1, 1)), None, Share(Money(500)))
    found = count(said(2, 500), said(9, 700, served=date(2025, 12, 31)))
    assert found == Counted(ADA, Plan("payer", "", date(2025, 1, 1)), None, Share(Money(700)))
    assert count(said(2, 500, served=None)) == Counted(ADA, Plan("payer", "", None), None, Share(Money(500)))


def test_a_plan_year_begins_when_the_payer_says_so() -> None:
    found = count(said(2, 500, plan_id="silver", plan_year_from=date(2025, 7, 1), network=Network.OUT))
    assert found == Counted(ADA, Plan("payer", "silver", date(2025, 7, 1)), Network.OUT, Share(Money(500)))


def test_what_a_remittance_cannot_tell_of_the_plan_the_decision_that_it_pays_tells() -> None:
    decided = said(2, 500, stated(1_500), plan_id="silver", network=Network.IN)
    assert count(decided, said(5, 500, remitted=True)) == Counted(
        ADA, PLAN, Network.IN, Share(Money(500)), date(2026, 3, 2), (stated(1_500),)
    )


def test_the_last_word_tells_of_the_plan_before_any_other() -> None:
    found = count(said(2, 500, plan_id="silver", network=Network.IN), said(9, 700, plan_id="gold"))
    assert found is not None
    assert (found.plan.plan_id, found.network) == ("gold", Network.IN)
    double = said(5, 500, plan_id="gold")
    found = count(said(2, 500, plan_id="silver"), double, said(9, 500, code="22"))
    assert found is not None
    assert found.plan.plan_id == "silver"  # the double one is taken back, so the first stands


def test_nothing_counts_of_a_claim_without_a_word_that_stands() -> None:
    decided = said(2, 500, stated(1_500))
    taken_back = said(9, 500, code="22")
    for gone in ([], [voided(3)], [decided, voided(3)], [decided, taken_back], [said(2, 0, code="4")]):
        assert count(*gone) is None
    assert count(decided, said(9, 500, stated(1_000), code="22"), voided(10)) is None


def test_a_correction_takes_the_statement_back_and_makes_its_own() -> None:
    first, second = said(2, 500, stated(1_500)), said(9, 700, stated(1_700))
    assert (found := count(first, said(9, 700))) is not None
    assert (found.share.deductible, found.stated_on, found.stated) == (700, None, ())
    assert (found := count(first, said(8, 500, code="22"), second)) is not None
    assert (found.share.deductible, found.stated_on, found.stated) == (700, date(2026, 3, 9), (stated(1_700),))


def test_a_statement_that_was_taken_back_is_not_that_of_another_word_with_the_same_amounts() -> None:
    found = count(said(2, 500, stated(1_500)), said(8, 500, code="22"), said(9, 500))
    assert found is not None
    assert (found.share.deductible, found.stated) == (500, ())


def test_a_reversal_may_state_what_is_left_without_the_claim() -> None:
    found = count(said(2, 500, stated(1_500)), said(9, 500, stated(1_000), code="22"))
    assert found == Counted(
        ADA, Plan("payer", "", date(2026, 1, 1)), None, NO_SHARE, date(2026, 3, 9), (stated(1_000),)
    )


_lives = st.lists(
    st.builds(
        lambda day, cents, statement, remitted, code, **told: said(
            day, cents, *(() if remitted else statement), remitted=remitted, code=code, **told
        ),
        st.integers(1, 4),
        st.sampled_from([500, 700]),
        st.lists(st.integers(0, 3_000).map(stated), max_size=1),
        st.booleans(),
        st.sampled_from(["1", "22"]),
        plan_id=st.sampled_from(["", "silver", "gold"]),
        network=st.sampled_from([None, Network.IN]),
    )
    | st.integers(1, 4).map(voided),
    max_size=6,
    unique_by=lambda each: each[0].identity,
)
"""What may be said of one claim, each thing once"""


def test_of_statements_with_the_same_word_the_latest_stands_whichever_came_first() -> None:
    first, second = said(2, 500, stated(1_500)), said(5, 500, stated(1_600))
    for found in (count(first, second), count(second, first)):
        assert found is not None
        assert (found.stated_on, found.stated) == (date(2026, 3, 5), (stated(1_600),))


@given(_lives, st.randoms(use_true_random=False))
def test_what_a_claim_counts_follows_from_what_was_said_in_any_order(spoken: list[Spoken], by: random.Random) -> None:
    shuffled = by.sample(spoken, len(spoken))
    assert count(*shuffled) == count(*spoken)


# --- a member's claims


def claim(
    person: StreamId,
    deductible: int,
    *accumulators: Accumulator,
    coinsurance: int = 0,
    day: int = 2,
    network: Network | None = Network.IN,
    plan: Plan = PLAN,
) -> Counted:
    on = date(2026, 3, day) if accumulators else None
    return Counted(person, plan, network, Share(Money(deductible), Money(coinsurance)), on, accumulators)


Key = tuple[StreamId | None, AccumulatorKind, Network | None]


def limits(*claims: Counted) -> dict[Key, Accumulated]:
    found = list(accumulated(claims))
    assert len({each.plan for each in found}) == 1
    return {(each.person, each.kind, each.network): each for each in found}


def test_coinsurance_and_copayment_count_toward_the_out_of_pocket_limit_only() -> None:
    share = Share(Money(100), Money(20), Money(3), Money(4_000))
    found = limits(Counted(ADA, PLAN, None, share), Counted(BENITO, PLAN, None, share))
    assert {key: each.used_cents for key, each in found.items()} == {
        (ADA, DEDUCTIBLE, None): 100,
        (BENITO, DEDUCTIBLE, None): 100,
        (None, DEDUCTIBLE, None): 200,
        (ADA, OUT_OF_POCKET, None): 123,
        (BENITO, OUT_OF_POCKET, None): 123,
        (None, OUT_OF_POCKET, None): 246,
    }
    assert all((each.limit_cents, each.left_cents, each.is_met) == (None, None, None) for each in found.values())


def test_networks_are_summed_apart_and_together_where_the_payer_counts_them_together() -> None:
    claims = [claim(ADA, 100), claim(ADA, 20, network=Network.OUT), claim(ADA, 3, network=None)]
    assert {each.network: each.used_cents for each in limits(*claims).values() if each.kind is DEDUCTIBLE} == {
        Network.IN: 100,
        Network.OUT: 20,
        None: 3,
    }
    both = limits(*claims, claim(ADA, 0, stated(120, network=Network.BOTH)))[ADA, DEDUCTIBLE, Network.BOTH]
    assert (both.used_cents, both.stated_cents, both.difference_cents) == (123, 120, 3)


def test_the_latest_statement_is_that_of_the_latest_day_and_of_one_day_the_one_of_most_use() -> None:
    claims = [claim(ADA, 100, stated(day * 100 + more), day=day) for day, more in ((3, 0), (4, 50), (4, 60), (4, 10))]
    [found] = [each for each in accumulated(claims) if each.person and each.kind is DEDUCTIBLE]
    assert (found.stated_cents, found.stated_on, found.difference_cents) == (460, date(2026, 3, 4), -60)


def test_each_person_has_a_statement_of_their_own_and_the_family_anybodys() -> None:
    found = limits(
        claim(ADA, 100, stated(100), stated(100, level=FAMILY), day=2),
        claim(BENITO, 20, stated(20), stated(120, level=FAMILY), day=3),
    )
    assert [found[who, DEDUCTIBLE, Network.IN].stated_cents for who in (ADA, BENITO, None)] == [100, 20, 120]


def family(design: Design, *used: tuple[StreamId, int]) -> dict[Key, Accumulated]:
    """A limit of 15 dollars for a person and 20 for the family, for deductible and out of pocket alike."""
    both = [
        each
        for kind in AccumulatorKind
        for each in (stated(0, 1_500, kind=kind), stated(0, 2_000, kind=kind, level=FAMILY, design=design))
    ]
    return limits(*(claim(person, cents, *both, day=day) for day, (person, cents) in enumerate(used, 1)))


def test_in_an_embedded_design_a_person_meets_their_own_limit_or_the_familys() -> None:
    found = family(Design.EMBEDDED, (ADA, 1_500), (BENITO, 300))
    told = {who: found[who, DEDUCTIBLE, Network.IN] for who in (ADA, BENITO, None)}
    assert {who: (each.limit_cents, each.left_cents, each.is_met) for who, each in told.items()} == {
        ADA: (1_500, 0, True),
        BENITO: (1_500, 200, False),
        None: (2_000, 200, False),
    }
    found = family(Design.EMBEDDED, (ADA, 1_500), (BENITO, 500))
    assert all(each.is_met for each in found.values())


def test_of_an_aggregate_deductible_only_the_familys_limit_holds() -> None:
    found = family(Design.AGGREGATE, (ADA, 1_700), (BENITO, 200))
    told = [found[who, DEDUCTIBLE, Network.IN] for who in (ADA, BENITO, None)]
    assert [(each.limit_cents, each.left_cents, each.is_met) for each in told] == [
        (None, 100, False),
        (None, 100, False),
        (2_000, 100, False),
    ]
    assert not any(each.is_exceeded for each in told)


def test_a_persons_out_of_pocket_limit_holds_in_an_aggregate_design_too() -> None:
    ada = family(Design.AGGREGATE, (ADA, 1_700), (BENITO, 200))[ADA, OUT_OF_POCKET, Network.IN]
    assert (ada.used_cents, ada.limit_cents, ada.left_cents, ada.is_met) == (1_700, 1_500, -200, True)


def test_what_is_beyond_a_limit_is_shown_whole_and_marked() -> None:
    found = family(Design.EMBEDDED, (ADA, 1_600), (BENITO, 600))
    told = [found[who, DEDUCTIBLE, Network.IN] for who in (ADA, BENITO, None)]
    assert [(each.used_cents, each.left_cents, each.is_exceeded) for each in told] == [
        (1_600, -200, True),
        (600, -200, False),
        (2_200, -200, True),
    ]


def test_a_limit_of_nothing_is_met_by_nothing() -> None:
    found = limits(claim(ADA, 0, stated(0, 0)))[ADA, DEDUCTIBLE, Network.IN]
    assert (found.left_cents, found.is_met, found.is_exceeded) == (0, True, False)


def test_plans_and_their_years_are_kept_apart() -> None:
    later, other = PLAN._replace(year_from=date(2027, 1, 1)), PLAN._replace(plan_id="gold")
    found = accumulated([claim(ADA, 100), claim(ADA, 20, plan=later), claim(ADA, 3, plan=other)])
    assert {each.plan: each.used_cents for each in found} == {PLAN: 100, later: 20, other: 3}


_cents = st.integers(0, 10**17).map(Money)
_statements = st.builds(
    Accumulator,
    st.sampled_from(AccumulatorKind),
    st.sampled_from(AccumulatorLevel),
    st.sampled_from(Network),
    _cents,
    st.none() | _cents,
    st.none() | st.sampled_from(Design),
)
_claims = st.lists(
    st.builds(
        Counted,
        st.sampled_from([ADA, BENITO]),
        st.sampled_from([PLAN, PLAN._replace(year_from=None)]),
        st.sampled_from([None, Network.IN, Network.OUT]),
        st.builds(Share, _cents, _cents, _cents, _cents),
        st.integers(0, 2).map(lambda days: date(2026, 3, 1) + timedelta(days)),
        st.lists(_statements, max_size=3).map(tuple),
    ),
    max_size=6,
)


def sorted_by_text(found: Iterable[Accumulated]) -> list[str]:
    return sorted(map(repr, found))


@given(_claims, st.randoms(use_true_random=False))
def test_accumulators_follow_from_the_set_of_claims(claims: list[Counted], by: random.Random) -> None:
    assert sorted_by_text(accumulated(by.sample(claims, len(claims)))) == sorted_by_text(accumulated(claims))


@given(_claims)
def test_persons_are_the_family_and_networks_are_everything(claims: list[Counted]) -> None:
    found = list(accumulated(claims))
    families, persons = (Counter[Any]({(e.plan, e.network, e.kind): 0 for e in found}) for _ in range(2))
    for each in found:
        (families if each.person is None else persons)[each.plan, each.network, each.kind] += each.used_cents
    assert families == persons
    for kind in AccumulatorKind:
        apart = sum(cents for (_, network, of), cents in families.items() if of is kind and network is not Network.BOTH)
        assert apart == sum(claim.cents(kind) for claim in claims)
