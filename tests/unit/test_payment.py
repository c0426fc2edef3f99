"""A payment: what is collected of it and where it stands, in whatever order it is told."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bank_holidays import bank_holidays
from domain import payment
from domain.chart import NEVER_NEGATIVE, NEVER_POSITIVE, Account, Posting
from domain.facts import StreamId
from domain.money import Money
from domain.payment import (
    Dispute,
    Failure,
    Kind,
    Method,
    Payment,
    PaymentEvent,
    Refusal,
    Report,
    Reported,
    Standing,
    as_of,
    decide,
    expected_by,
    is_late,
    standing,
)

ACCOUNT = StreamId("account")


def report(
    kind: Kind,
    cents: int = 0,
    day: int = 1,
    reference: str = "",
    reason: Failure | Dispute | None = None,
    account: StreamId = ACCOUNT,
) -> Report:
    """Its content is what it says."""
    on, code = date(2026, 7, day), "R01" if kind is Kind.RETURNED else ""
    at = datetime(2026, 7, day, 12, tzinfo=UTC)
    method = Method.BANK if kind is Kind.INITIATED else None
    said = Reported(kind, at, on, Money(cents), method, reason, code)
    refund = StreamId(reference) if kind is Kind.REFUNDED else None
    case = StreamId(reference) if reference and not refund else None
    content = f"{kind} {cents} {day} {reference}"
    return Report(content=content, payer_id="1", account=account, source="test", said=said, refund=refund, case=case)


def initiated(cents: int = 10_000, day: int = 1) -> Report:
    return report(Kind.INITIATED, cents, day)


def posted(cents: int = 10_000, day: int = 3) -> Report:
    return report(Kind.POSTED, cents, day)


def refunded(cents: int, reference: str = "re_1") -> Report:
    return report(Kind.REFUNDED, cents, 10, reference)


def charged_back(cents: int, reference: str = "dp_1") -> Report:
    return report(Kind.CHARGED_BACK, cents, 20, reference, Dispute.FRAUD)


def reversed_(reference: str = "dp_1") -> Report:
    return report(Kind.CHARGEBACK_REVERSED, 0, 30, reference)


AUTHORISED = report(Kind.AUTHORISED)
FAILED = report(Kind.FAILED, reason=Failure.DECLINED)
RETURNED = report(Kind.RETURNED, day=8)


def taken(*reports: Report) -> tuple[Payment, list[PaymentEvent], list[Refusal]]:
    """One after the other; what is refused changes nothing."""
    state, events, refused = payment.INITIAL, list[PaymentEvent](), list[Refusal]()
    for each in reports:
        decided = decide(state, each)
        if isinstance(decided, Refusal):
            refused.append(decided)
            continue
        for event in decided:
            state = payment.evolve(state, event)
            events.append(event)
    return state, events, refused


def stands(*reports: Report) -> Standing:
    return standing(taken(*reports)[0])


def booked(events: Iterable[PaymentEvent]) -> dict[str, int]:
    """The balances by the postings alone."""
    total = Counter[str]()
    for event in events:
        for posting in getattr(event, "postings", ()):
            assert posting.cents > 0
            total[posting.source] -= posting.cents
            total[posting.destination] += posting.cents
    return {name: cents for name, cents in total.items() if cents}


@pytest.mark.parametrize(
    ("reports", "status", "collected"),
    [
        ([initiated()], "initiated", 0),
        ([initiated(), AUTHORISED], "authorised", 0),
        ([initiated(), FAILED], "failed", 0),
        ([initiated(), AUTHORISED, FAILED], "failed", 0),
        ([initiated(), AUTHORISED, posted()], "posted", 10_000),
        ([posted()], "posted", 10_000),
        ([initiated(), FAILED, posted()], "posted", 10_000),
        ([initiated(), RETURNED], "returned", 0),
        ([posted(), RETURNED], "returned", 0),
        ([posted(), refunded(2_500)], "partly_refunded", 7_500),
        ([posted(), refunded(2_500), refunded(7_500, "re_2")], "refunded", 0),
        ([refunded(2_500)], "partly_refunded", 0),
        ([posted(), charged_back(10_000)], "charged_back", 0),
        ([posted(), charged_back(4_000)], "charged_back", 6_000),
        ([posted(), charged_back(4_000), reversed_()], "posted", 10_000),
        ([posted(), charged_back(4_000), reversed_(), charged_back(1_000, "dp_2")], "charged_back", 9_000),
        ([posted(), refunded(2_500), charged_back(10_000)], "charged_back", 0),  # never below zero
        ([posted(), refunded(2_500), charged_back(10_000), reversed_()], "partly_refunded", 7_500),
        ([posted(), reversed_()], "posted", 10_000),  # its chargeback is still to come
        ([reversed_()], "initiated", 0),
    ],
)
def test_where_it_stands(reports: list[Report], status: str, collected: int) -> None:
    for told in (reports, reports[::-1]):
        state, events, refused = taken(*told)
        assert (standing(state).status, standing(state).collected_cents, refused) == (status, collected, [])
        assert booked(events) == ({"collected": collected, "unapplied": -collected} if collected else {})


def test_what_waits_as_credit_is_what_is_collected() -> None:
    _, events, _ = taken(initiated(), posted(), refunded(2_500))
    assert [getattr(event, "postings", ()) for event in events] == [
        (),
        (Posting(Account.UNAPPLIED, Account.COLLECTED, Money(10_000)),),
        (Posting(Account.COLLECTED, Account.UNAPPLIED, Money(2_500)),),
    ]


def test_why_it_failed_or_went_back_is_told() -> None:
    assert [stands(initiated(), each).detail for each in (FAILED, RETURNED, charged_back(1))] == [
        "declined",
        "R01",
        "fraud",
    ]


def test_the_same_again_is_nothing_and_otherwise_a_conflict() -> None:
    known = initiated(), posted(), refunded(2_500), charged_back(100)
    state, _, _ = taken(*known)
    assert [decide(state, each) for each in known] == [()] * 4
    for otherwise in (initiated(9_999), posted(9_999), refunded(2_499), charged_back(101)):
        assert decide(state, otherwise) is Refusal.CONFLICT
    assert len(decide(state, refunded(2_500, "re_2"))) == 1


def test_a_payment_has_one_member() -> None:
    state, _, _ = taken(initiated())
    assert decide(state, report(Kind.POSTED, 10_000, account=StreamId("other"))) is Refusal.OTHER_MEMBER


def test_more_is_refunded_than_was_posted_only_where_it_is_not_known_yet() -> None:
    state, _, _ = taken(posted(), refunded(9_000))
    assert decide(state, refunded(1_001, "re_2")) is Refusal.OVER_REFUNDED
    assert len(decide(state, refunded(1_000, "re_2"))) == 1
    assert taken(refunded(9_000), refunded(1_001, "re_2"))[2] == []
    late = stands(refunded(9_000), refunded(1_001, "re_2"), posted())
    assert (late.status, late.refunded_cents, late.collected_cents) == ("refunded", 10_001, 0)


cents = st.integers(1, 20_000)
others = st.one_of(
    st.just(initiated()),
    st.just(AUTHORISED),
    st.just(FAILED),
    st.just(RETURNED),
    st.builds(charged_back, cents, st.sampled_from(["dp_1", "dp_2", "dp_3"])),
    st.builds(reversed_, st.sampled_from(["dp_1", "dp_2", "dp_3"])),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Report]:
    """Of which nothing conflicts, and no more is refunded than posted."""
    told = {each.identity: each for each in draw(st.lists(others, max_size=9))}
    refunds = draw(st.lists(cents, max_size=4))
    more = [refunded(each, f"re_{number}") for number, each in enumerate(refunds)]
    most = posted(sum(refunds) + draw(st.integers(1, 20_000)))
    return [*told.values(), *more, *draw(st.sampled_from([[most], []]))]


@given(histories(), st.randoms())
def test_any_order_ends_in_the_same(told: list[Report], rng: random.Random) -> None:
    state, events, refused = taken(*told)
    shuffled = told + told[: rng.randint(0, len(told))]
    rng.shuffle(shuffled)
    other, other_events, other_refused = taken(*shuffled)
    assert standing(other) == standing(state)
    assert booked(other_events) == booked(events)
    assert refused == other_refused == []


@given(st.lists(others | st.builds(posted, cents) | st.builds(refunded, cents, st.sampled_from(["re_1", "re_2"]))))
def test_whatever_comes_postings_are_what_is_collected_and_no_account_leaves_its_sign(told: Sequence[Report]) -> None:
    state, events, _ = taken(*told)
    balances = booked(events)
    assert balances.get("collected", 0) == standing(state).collected_cents == -balances.get("unapplied", 0)
    assert all(balances.get(account, 0) <= 0 for account in NEVER_POSITIVE)
    assert all(balances.get(account, 0) >= 0 for account in NEVER_NEGATIVE)


def test_as_of_a_day_it_stands_as_it_had_come_by_then() -> None:
    state, _, _ = taken(initiated(), posted(), refunded(2_500), charged_back(10_000), reversed_())
    found = [standing(as_of(state, date(2026, 7, day))).status for day in (1, 3, 10, 20, 30)]
    assert found == ["initiated", "posted", "partly_refunded", "charged_back", "partly_refunded"]


def test_it_is_late_from_the_fourth_business_day_on() -> None:
    holidays = bank_holidays([2026])
    waiting = stands(initiated(day=2))  # a Thursday; the 3rd is no holiday of the banks
    expected = expected_by(waiting, holidays)
    assert expected == date(2026, 7, 7)
    assert [is_late(waiting, expected, date(2026, 7, day)) for day in (7, 8)] == [False, True]
    assert not is_late(stands(initiated(day=2), FAILED), expected, date(2026, 7, 30))
    assert not is_late(stands(initiated(day=2), posted(day=7)), expected, date(2026, 7, 30))
    assert is_late(stands(initiated(day=2), posted(day=8)), expected, date(2026, 7, 8))
    assert expected_by(stands(posted()), holidays) is None
    assert not is_late(stands(posted()), None, date(2026, 7, 30))
