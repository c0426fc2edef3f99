"""Where a claim stands follows from the set of what was said of it, not from the order in which it came."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import claim
from domain.adjudication import Adjudication, Adjustment, ServiceLine, Status
from domain.claim import Awaited, Claim, Kind, Outcome, Party, Post, Report, Reported
from domain.facts import StreamId
from domain.money import Money
from domain.standing import POSTED, Standing, in_order, of_all, of_one, standing

JAN, FEB, MAR, APR = (date(2026, month, 10) for month in (1, 2, 3, 4))


def posting(
    day: date, paid: int, owed: int = 0, *, code: str = "1", charge: int = 10000, remitted: bool = True, **facts: Any
) -> Post:
    """Of a charge of 100.00; what is neither paid nor owed is the contract's."""
    sign = -1 if code == "22" else 1
    reasons = (
        Adjustment("PR", "2", Money(sign * owed)),
        Adjustment("CO", facts.pop("carc", "45"), Money(sign * (charge - paid - owed))),
    )
    line = ServiceLine("HC:99213", Money(sign * charge), Money(sign * paid), reasons, service_from=date(2026, 1, 2))
    adjudication = Adjudication(
        code,
        Money(sign * charge),
        Money(sign * paid),
        Money(0 if sign < 0 else owed),
        facts.pop("lines", (line,)),
        **facts,
    )
    stream = StreamId(f"{day} {code} {paid} {owed}") if remitted else None
    return Post(f"{day}{code}{paid}{owed}", StreamId("ada"), "payer", stream, day, adjudication)


def report(kind: Kind, day: date, hour: int = 12, **facts: Any) -> Report:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    said = Reported(kind, facts.pop("at", at), **facts)
    return Report(f"{kind}{at}", StreamId("ada"), "payer", "topic/0@1", StreamId("bill"), said=said)


def after(*commands: Post | Report) -> Standing:
    return standing(told(*commands))


def told(*commands: Post | Report) -> Claim:
    state = claim.INITIAL
    for command in commands:
        decided = claim.decide(state, command)
        assert isinstance(decided, tuple)
        for event in decided:
            state = claim.evolve(state, event)
    return state


def anyhow(*commands: Post | Report) -> Standing:
    """The same in every order of arrival, or it fails."""
    first, *others = {after(*order)._replace(final=None) for order in permutations(commands)}
    assert not others
    return first


def money(stands: Standing) -> tuple[int, int, int, int]:
    return stands.charge_cents, stands.paid_cents, stands.member_cents, stands.cash_cents


# --- the life of a claim

RECEIVED, ACCEPTED = report(Kind.RECEIVED, JAN), report(Kind.ACCEPTED, JAN, 13)
PENDED = report(Kind.PENDED, JAN, 14, awaits=Awaited.PROVIDER_INFORMATION)
RELEASED = report(Kind.RELEASED, JAN, 15)
PAID = posting(FEB, 7000, 2000)
REVERSED = posting(MAR, 7000, 2000, code="22")
CORRECTED = posting(MAR, 6000, 1000)

LIVES: dict[str, tuple[list[Post | Report], Status, tuple[int, int, int, int]]] = {
    "received": ([RECEIVED], Status.RECEIVED, (0, 0, 0, 0)),
    "accepted": ([RECEIVED, ACCEPTED], Status.ACCEPTED, (0, 0, 0, 0)),
    "rejected": ([RECEIVED, report(Kind.REJECTED, JAN, 13)], Status.REJECTED, (0, 0, 0, 0)),
    "pended": ([RECEIVED, ACCEPTED, PENDED], Status.PENDED, (0, 0, 0, 0)),
    "released": ([RECEIVED, ACCEPTED, PENDED, RELEASED], Status.IN_PROCESS, (0, 0, 0, 0)),
    "paid": ([RECEIVED, ACCEPTED, PAID], Status.PAID, (10000, 7000, 2000, 7000)),
    "decided, not paid yet": ([posting(FEB, 7000, 2000, remitted=False)], Status.PAID, (10000, 7000, 2000, 0)),
    "decided, then paid": (
        [posting(JAN, 7000, 2000, remitted=False), PAID],
        Status.PAID,
        (10000, 7000, 2000, 7000),
    ),
    "reversed": ([PAID, REVERSED], Status.REVERSED, (10000, 0, 0, 0)),
    "reversed and corrected": ([PAID, REVERSED, CORRECTED], Status.PAID, (10000, 6000, 1000, 6000)),
    "corrected without a reversal": ([PAID, CORRECTED], Status.PAID, (10000, 6000, 1000, 13000)),
    "reversed, corrected, reversed again": (
        [PAID, REVERSED, CORRECTED, posting(APR, 6000, 1000, code="22")],
        Status.REVERSED,
        (10000, 0, 0, 0),
    ),
    "corrected before the first payment is reversed": (
        [PAID, CORRECTED, posting(APR, 7000, 2000, code="22")],
        Status.PAID,
        (10000, 6000, 1000, 6000),
    ),
    "corrected for the same money": (
        [PAID, REVERSED, posting(MAR, 7000, 2000)],
        Status.PAID,
        (10000, 7000, 2000, 7000),
    ),
    "paid twice, one payment reversed": (
        [posting(JAN, 7000, 2000), PAID, REVERSED],
        Status.PAID,
        (10000, 7000, 2000, 7000),
    ),
    "decided, paid and reversed": (
        [posting(JAN, 7000, 2000, remitted=False), PAID, REVERSED],
        Status.REVERSED,
        (10000, 0, 0, 0),
    ),
    "reversed, and decided anew": (
        [PAID, REVERSED, posting(APR, 6000, 1000, remitted=False)],
        Status.PAID,
        (10000, 6000, 1000, 0),
    ),
    "paid and passed on": ([PAID, posting(MAR, 0, 0, code="23")], Status.FORWARDED, (10000, 7000, 2000, 7000)),
    "paid, reversed and corrected on one day": (
        [posting(MAR, 7000, 2000), REVERSED, CORRECTED],
        Status.PAID,
        (10000, 6000, 1000, 6000),
    ),
    "all deductible": ([posting(FEB, 0, 10000)], Status.MEMBER_LIABILITY, (10000, 0, 10000, 0)),
    "denied": ([posting(FEB, 0, 0, carc="50")], Status.DENIED, (10000, 0, 0, 0)),
    "predetermined": ([posting(JAN, 0, 10000, code="25")], Status.PREDETERMINATION, (10000, 0, 0, 0)),
    "predetermined, then paid": (
        [posting(MAR, 0, 10000, code="25"), PAID],
        Status.PAID,
        (10000, 7000, 2000, 7000),
    ),
    "not ours after all": ([PAID, REVERSED, posting(MAR, 0, 0, code="23")], Status.FORWARDED, (10000, 0, 0, 0)),
    "voided": ([PAID, report(Kind.VOIDED, FEB)], Status.VOIDED, (10000, 0, 0, 7000)),
    "voided, then processed anew": ([report(Kind.VOIDED, JAN), PAID], Status.PAID, (10000, 7000, 2000, 7000)),
    "reversed, then held": (
        [PAID, REVERSED, report(Kind.PENDED, APR, awaits=Awaited.OTHER)],
        Status.PENDED,
        (10000, 0, 0, 0),
    ),
    "received by a report that comes late": (
        [PAID, report(Kind.RECEIVED, FEB)],
        Status.PAID,
        (10000, 7000, 2000, 7000),
    ),
}


@pytest.mark.parametrize(("life", "status", "amounts"), LIVES.values(), ids=LIVES)
def test_any_order_of_arrival_ends_in_the_same(
    life: list[Post | Report], status: Status, amounts: tuple[int, int, int, int]
) -> None:
    stands = anyhow(*life)
    assert (stands.status, money(stands)) == (status, amounts)


def test_the_final_posting_is_named_by_its_place_of_arrival() -> None:
    assert after(PAID, REVERSED, CORRECTED).final == 2
    assert after(CORRECTED, RECEIVED, REVERSED, PAID).final == 0
    assert after(RECEIVED).final is None


def test_everything_is_told_in_the_order_of_the_payers_days() -> None:
    kinds = [each.kind for each in in_order(told(CORRECTED, RELEASED, REVERSED, PAID, RECEIVED))]
    assert kinds == [Kind.RECEIVED, Kind.RELEASED, Kind.ADJUDICATED, Kind.REVERSED, Kind.ADJUDICATED]


def test_a_reports_day_is_the_payers_own() -> None:
    east = timezone(timedelta(hours=-5))
    late = report(Kind.RECEIVED, FEB, at=datetime(2026, 2, 10, 23, 30, tzinfo=east))  # the 11th in UTC
    assert anyhow(PAID, late).status is Status.PAID


# --- what is left open

OPEN: dict[str, tuple[list[Post | Report], str]] = {
    "a pended claim waits for what it says": ([RECEIVED, PENDED], "provider_information"),
    "a reversal waits for its original": ([REVERSED], "original"),
    "a reversal of other amounts waits for its original": ([PAID, posting(MAR, 5000, code="22")], "original"),
    "a reversal does not take back what is later": ([REVERSED, posting(APR, 7000, 2000)], "original"),
    "a remittance's reversal waits for the remittance": (
        [posting(FEB, 7000, 2000, remitted=False), REVERSED],
        "original",
    ),
    "an announced reversal of a payment waits": (
        [PAID, posting(MAR, 7000, 2000, code="22", remitted=False)],
        "original",
    ),
    "until a remittance says anything": (
        [PAID, posting(MAR, 7000, 2000, code="22", remitted=False), posting(APR, 7000, 2000, code="22")],
        "",
    ),
    "two payments wait for a reversal": ([PAID, CORRECTED], "reversal"),
    "a payment before a denial waits for a reversal": ([PAID, posting(MAR, 0, carc="50")], "reversal"),
    "a payment after a denial waits for nothing": ([posting(FEB, 0, carc="50"), CORRECTED], ""),
    "a decision and its payment wait for nothing": ([posting(JAN, 7000, 2000, remitted=False), PAID], ""),
    "all is told": ([PAID, REVERSED, CORRECTED], ""),
    "one reversal does not take two payments back": ([PAID, posting(FEB, 7000, 2001), REVERSED], ""),
    "two alike, one taken back": ([PAID, posting(JAN, 7000, 2000), REVERSED], ""),
    "two alike and a third, one taken back": ([PAID, posting(JAN, 7000, 2000), REVERSED, CORRECTED], "reversal"),
}


@pytest.mark.parametrize(("life", "awaits"), OPEN.values(), ids=OPEN)
def test_what_is_left_open_is_shown(life: list[Post | Report], awaits: str) -> None:
    assert anyhow(*life).awaits == awaits


# --- details

APPEALED = report(Kind.APPEALED, MAR, level=1, by=Party.MEMBER, due_on=APR)
DENIED = posting(FEB, 0, 0, carc="50")


def test_a_denial_can_be_appealed_for_180_days() -> None:
    assert anyhow(DENIED).appeal_until == date(2026, 8, 9)
    assert anyhow(PAID).appeal_until is None


def test_a_day_at_the_calendars_end_stops_nobody() -> None:
    """One row that cannot be folded would stop every projection."""
    denied = posting(date.max, 0, 0, carc="50")
    assert anyhow(denied).appeal_until == anyhow(denied, RECEIVED).appeal_until == date.max


def test_an_appeal_runs_beside_the_status() -> None:
    stands = anyhow(DENIED, APPEALED)
    assert (stands.status, stands.appeal, stands.appeal_level, stands.appeal_due_on) == (
        Status.DENIED,
        "appealed",
        1,
        APR,
    )
    decided = anyhow(DENIED, APPEALED, report(Kind.APPEAL_DECIDED, APR, level=1, outcome=Outcome.OVERTURNED))
    assert (decided.status, decided.appeal, decided.appeal_due_on) == (Status.DENIED, "overturned", None)
    assert anyhow(DENIED, report(Kind.DISPUTED, MAR)).appeal == "disputed"


def test_a_claim_of_which_only_an_objection_is_known_has_no_status() -> None:
    stands = anyhow(APPEALED)
    assert (stands.status, stands.appeal, money(stands)) == (None, "appealed", (0, 0, 0, 0))


@pytest.mark.parametrize(
    ("code", "sequence"),
    [("1", 1), ("19", 1), ("2", 2), ("20", 2), ("3", 3), ("21", 3), ("4", 0), ("22", 0), ("25", 0)],
)
def test_the_status_code_tells_the_payers_place(code: str, sequence: int) -> None:
    assert after(posting(FEB, 7000, 2000, code=code)).payer_sequence == sequence


def test_what_the_last_word_leaves_out_an_earlier_one_says() -> None:
    received = report(Kind.RECEIVED, JAN, charge_cents=Money(12000), service_from=date(2026, 1, 1), claim_type="dental")
    stay = posting(MAR, 6000, 1000, lines=(), facility_code="11")
    assert anyhow(received).service_from == date(2026, 1, 1)
    assert anyhow(received).charge_cents == 12000
    undated = anyhow(received, stay)
    assert (undated.service_from, undated.charge_cents, undated.claim_type) == (
        date(2026, 1, 1),
        10000,
        "institutional",
    )
    assert anyhow(received, PAID, stay).service_from == date(2026, 1, 2)
    assert anyhow(stay).service_from is None


def test_the_bill_is_that_of_what_tells_the_day_of_service() -> None:
    """Without a day the same bill has another id, so what says least must not rename it by coming last."""
    paid = msgspec.structs.replace(PAID, bill=StreamId("dated"))
    assert anyhow(RECEIVED, paid, report(Kind.DISPUTED, MAR)).bill == "dated"
    assert anyhow(RECEIVED).bill == "bill"
    undated = msgspec.structs.replace(posting(MAR, 6000, 1000, lines=()), bill=StreamId("undated"))
    assert anyhow(undated).bill == "undated"
    assert anyhow(undated, report(Kind.RECEIVED, JAN, service_from=date(2026, 1, 1))).bill == "bill"


# --- one thing said

DAYS = st.none() | st.sampled_from([JAN, FEB])
CENTS = st.sampled_from([0, 2000, 7000])
POSTINGS = st.builds(
    posting,
    st.sampled_from([FEB, MAR]),
    CENTS,
    st.sampled_from([0, 1000, 3000]),
    code=st.sampled_from(["1", "4", "20", "3", "22", "23", "25"]),
    remitted=st.booleans(),
    carc=st.sampled_from(["45", "50"]),
    claim_type=st.sampled_from(["", "dental"]),
    facility_code=st.sampled_from(["", "11"]),
    service_from=DAYS,
    service_to=DAYS,
    lines=st.just(()),
) | st.builds(posting, st.just(FEB), CENTS, carc=st.sampled_from(["45", "50"]))
REPORTS = st.builds(
    report,
    st.sampled_from(sorted(set(Kind) - POSTED)),
    st.sampled_from([FEB, MAR]),
    claim_type=st.sampled_from(["", "dental"]),
    charge_cents=st.none() | CENTS,
    service_from=DAYS,
    service_to=DAYS,
    reasons=st.sampled_from([(), ("A7:562",)]),
    awaits=st.none() | st.sampled_from(Awaited),
    by=st.none() | st.sampled_from(Party),
    level=st.integers(0, 3),
    due_on=DAYS,
    outcome=st.none() | st.sampled_from(Outcome),
)


@given(POSTINGS | REPORTS)
def test_one_thing_said_stands_as_any_number_of_things_does(command: Post | Report) -> None:
    (said,) = told(command).said
    assert of_one(said) == of_all([said])
