"""A claim: the status that an adjudication gives, and which postings are news."""

from datetime import date
from typing import get_args

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import asdict

from domain import claim
from domain.adjudication import Adjudication, Adjustment, ClaimNumbers, ServiceLine, Status, status_of
from domain.claim import (
    ClaimAdjudicated,
    ClaimForwarded,
    ClaimPredetermined,
    ClaimReversed,
    Post,
    PostingEvent,
    Refusal,
)
from domain.facts import StreamId
from domain.money import Money, parse
from tests.unit.scenario import Given


def adjustments(*texts: str) -> tuple[Adjustment, ...]:
    """`CO-45 20.00` as an adjustment."""
    made = []
    for text in texts:
        reason, dollars = text.split()
        group, carc = reason.split("-")
        made.append(Adjustment(group, carc, parse(dollars)))
    return tuple(made)


def line(charge: int, *reasons: str) -> ServiceLine:
    adjusted = adjustments(*reasons)
    return ServiceLine("HC:99213", Money(charge), Money(charge - sum(a.cents for a in adjusted)), adjusted)


def adjudication(code: str, *lines: ServiceLine, at_claim: tuple[str, ...] = (), charge: int = 0) -> Adjudication:
    charge = charge or sum(each.charge_cents for each in lines)
    adjusted = adjustments(*at_claim)
    all_adjusted = sum(a.cents for a in adjusted) + sum(a.cents for each in lines for a in each.adjustments)
    paid = Money(charge - all_adjusted)
    return Adjudication(code, Money(charge), paid, Money(0), lines, adjusted)


STATUSES = {
    "paid in full": (adjudication("1", line(10000)), Status.PAID),
    "paid less the contract's write-off": (adjudication("1", line(10000, "CO-45 20")), Status.PAID),
    "paid less deductible and coinsurance": (adjudication("1", line(10000, "PR-1 20", "PR-2 16")), Status.PAID),
    "one cent paid, the rest deductible": (adjudication("1", line(10000, "PR-1 99.99")), Status.PAID),
    "paid, a second line all to the deductible": (
        adjudication("1", line(10000), line(5000, "PR-1 50")),
        Status.PAID,
    ),
    "paid, a second line all to the contract": (adjudication("1", line(10000), line(5000, "CO-45 50")), Status.PAID),
    "paid, a second line denied": (adjudication("1", line(10000), line(5000, "CO-50 50")), Status.PARTIALLY_PAID),
    "paid, a second line not covered": (
        adjudication("2", line(10000), line(5000, "PR-204 50")),
        Status.PARTIALLY_PAID,
    ),
    "paid, a second line bundled": (adjudication("3", line(10000), line(5000, "CO-97 50")), Status.PARTIALLY_PAID),
    "paid, a second line cut but not to nothing": (
        adjudication("1", line(10000), line(5000, "CO-50 49.99")),
        Status.PAID,
    ),
    "paid, a second line of no charge with a remark": (adjudication("1", line(10000), line(0, "CO-97 0")), Status.PAID),
    "paid without lines": (adjudication("1", charge=10000, at_claim=("CO-45 50",)), Status.PAID),
    "nothing paid, all deductible": (adjudication("1", line(10000, "PR-1 100")), Status.MEMBER_LIABILITY),
    "nothing paid, all deductible after the write-off": (
        adjudication("1", line(10000, "CO-45 40", "PR-1 60")),
        Status.MEMBER_LIABILITY,
    ),
    "nothing paid, all coinsurance": (adjudication("1", line(10000, "PR-2 100")), Status.MEMBER_LIABILITY),
    "nothing paid, all co-payment": (adjudication("1", line(2000, "PR-3 20")), Status.MEMBER_LIABILITY),
    "nothing paid, blood deductible": (adjudication("1", line(2000, "PR-66 20")), Status.MEMBER_LIABILITY),
    "nothing paid, deductible at the claim": (
        adjudication("1", charge=10000, at_claim=("PR-1 100",)),
        Status.MEMBER_LIABILITY,
    ),
    "nothing paid, one line deductible and one denied": (
        adjudication("1", line(10000, "PR-1 100"), line(5000, "CO-50 50")),
        Status.MEMBER_LIABILITY,
    ),
    "nothing paid, all within the contract": (adjudication("1", line(10000, "CO-45 100")), Status.NOTHING_DUE),
    "nothing paid, capitated": (adjudication("1", line(10000, "CO-24 100")), Status.NOTHING_DUE),
    "nothing paid, a prior payer paid it all": (adjudication("2", line(10000, "OA-23 100")), Status.NOTHING_DUE),
    "nothing paid, a prior payer left coinsurance": (
        adjudication("2", line(10000, "OA-23 80", "PR-2 20")),
        Status.MEMBER_LIABILITY,
    ),
    "denied, and a co-payment of nothing": (adjudication("1", line(10000, "CO-50 100", "PR-3 0")), Status.DENIED),
    "nothing charged, nothing paid": (adjudication("1", line(0)), Status.NOTHING_DUE),
    "nothing paid, not medically necessary": (adjudication("1", line(10000, "CO-50 100")), Status.DENIED),
    "nothing paid, not covered by the plan": (adjudication("1", line(10000, "PR-204 100")), Status.DENIED),
    "nothing paid, filed too late": (adjudication("1", line(10000, "CO-45 20", "CO-29 80")), Status.DENIED),
    "nothing paid, denied at the claim": (adjudication("1", charge=10000, at_claim=("CO-16 100",)), Status.DENIED),
    "nothing paid, deductible reported as the contract's is no liability of the member": (
        adjudication("1", line(10000, "CO-1 100")),
        Status.NOTHING_DUE,
    ),
    "a denial with an unknown reason": (adjudication("1", line(10000, "OA-XYZ 100")), Status.DENIED),
    "patient not recognised": (adjudication("4", line(10000, "CO-31 100")), Status.DENIED),
    "patient not recognised, whatever the amounts say": (adjudication("4", line(10000, "PR-1 100")), Status.DENIED),
    "reversal of a payment": (adjudication("22", line(-10000, "CO-45 -20")), Status.REVERSED),
    "reversal of what was all deductible": (adjudication("22", line(-10000, "PR-1 -100")), Status.REVERSED),
    "not our claim, forwarded": (adjudication("23", line(10000, "OA-109 100")), Status.FORWARDED),
    "predetermination, no payment": (adjudication("25", line(10000, "OA-101 100")), Status.PREDETERMINATION),
    "processed as primary and forwarded": (adjudication("19", line(10000, "CO-45 20")), Status.PAID),
    "processed as secondary and forwarded, zero paid": (
        adjudication("20", line(10000, "OA-23 100")),
        Status.NOTHING_DUE,
    ),
    "processed as tertiary and forwarded, denied": (adjudication("21", line(10000, "CO-50 100")), Status.DENIED),
}


@pytest.mark.parametrize(("judged", "status"), STATUSES.values(), ids=STATUSES)
def test_an_adjudication_gives_a_status(judged: Adjudication, status: Status) -> None:
    assert status_of(judged) is status


def test_the_table_of_boundaries_reaches_every_status() -> None:
    reported = {Status.RECEIVED, Status.ACCEPTED, Status.REJECTED, Status.PENDED, Status.IN_PROCESS, Status.VOIDED}
    assert {status for _, status in STATUSES.values()} == set(Status) - reported


# --- postings

NUMBERS = ClaimNumbers("PATIENT7", "CLAIM7", ("PATIENT7L1",))


def post(posting: str = "p1", content: str = "c1", code: str = "1") -> Post:
    return Post(
        content=content,
        person=StreamId("person"),
        remittance=StreamId(posting),
        payer_id="1078810412",
        day=date(2026, 3, 2),
        personal=NUMBERS,
        adjudication=adjudication(code, line(10000, "CO-45 20")),
    )


def posted(kind: type[PostingEvent], posting: str = "p1", content: str = "c1", code: str = "1") -> PostingEvent:
    return kind(
        content=content,
        person=StreamId("person"),
        remittance=StreamId(posting),
        payer_id="1078810412",
        day=date(2026, 3, 2),
        adjudication=adjudication(code, line(10000, "CO-45 20")),
        personal=NUMBERS,
    )


KINDS: dict[str, type[PostingEvent]] = {
    "1": ClaimAdjudicated,
    "2": ClaimAdjudicated,
    "3": ClaimAdjudicated,
    "4": ClaimAdjudicated,
    "19": ClaimAdjudicated,
    "20": ClaimAdjudicated,
    "21": ClaimAdjudicated,
    "22": ClaimReversed,
    "23": ClaimForwarded,
    "25": ClaimPredetermined,
}


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_the_first_posting_of_a_claim_is_recorded_as_what_its_status_code_says(
    code: str, kind: type[PostingEvent]
) -> None:
    Given(claim).when(post(code=code)).then(posted(kind, code=code))


def test_every_kind_of_event_is_some_status_codes() -> None:
    assert set(KINDS.values()) == set(get_args(PostingEvent))


@pytest.mark.parametrize("code", ["", "0", "5", "01", " 1", "13", "24", "77", "X"])
def test_a_status_code_that_is_not_in_the_guide_is_refused(code: str) -> None:
    Given(claim).when(post(code=code)).refused(Refusal.UNKNOWN_STATUS)


@pytest.mark.parametrize("kind", get_args(PostingEvent))
def test_the_same_posting_again_is_a_duplicate(kind: type[PostingEvent]) -> None:
    Given(claim, posted(kind)).when(post()).then()


@pytest.mark.parametrize("kind", get_args(PostingEvent))
def test_the_same_posting_with_other_content_is_a_conflict(kind: type[PostingEvent]) -> None:
    Given(claim, posted(kind)).when(post(content="c2")).refused(Refusal.CONFLICT)


def test_another_posting_of_the_same_claim_is_news_even_with_the_same_content() -> None:
    Given(claim, posted(ClaimAdjudicated)).when(post("p2")).then(posted(ClaimAdjudicated, "p2"))


def test_a_reversal_and_its_correction_follow_the_adjudication() -> None:
    history = [posted(ClaimAdjudicated), posted(ClaimReversed, "p2", "c2", "22")]
    Given(claim, *history).when(post("p3", "c3")).then(posted(ClaimAdjudicated, "p3", "c3"))


def test_a_reversal_may_come_before_what_it_reverses() -> None:
    Given(claim, posted(ClaimReversed, "p2", "c2", "22")).when(post()).then(posted(ClaimAdjudicated))


def test_an_old_posting_stays_a_duplicate_behind_later_ones() -> None:
    history = [posted(ClaimAdjudicated), posted(ClaimReversed, "p2", "c2", "22"), posted(ClaimAdjudicated, "p3", "c3")]
    Given(claim, *history).when(post()).then()
    Given(claim, *history).when(post("p2", "c2", "22")).then()
    Given(claim, *history).when(post("p2", "c1", "22")).refused(Refusal.CONFLICT)


POSTINGS = st.builds(
    post, st.sampled_from(["p1", "p2", "p3"]), st.sampled_from(["c1", "c2"]), st.sampled_from([*KINDS, "77"])
)


@for_all(st.lists(POSTINGS, max_size=12))
def test_however_often_postings_come_each_is_recorded_once_and_never_changed(commands: list[Post]) -> None:
    state, recorded = claim.INITIAL, dict[tuple[str, str, int], str]()
    for command in commands:
        before = asdict(state)
        decided = claim.decide(state, command)
        assert asdict(state) == before
        if isinstance(decided, Refusal):
            is_known = command.identity in recorded
            assert decided is (Refusal.CONFLICT if is_known else Refusal.UNKNOWN_STATUS)
            assert recorded.get(command.identity) != command.content
            continue
        for event in decided:
            assert isinstance(event, PostingEvent)
            assert event.identity not in recorded
            recorded[event.identity] = event.content
            state = claim.evolve(state, event)
        assert recorded[command.identity] == command.content
        assert claim.decide(state, command) == ()
    assert {said.identity: said.content for said in state.said} == recorded
