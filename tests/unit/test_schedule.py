"""Automatic payments: when one is due next, in whatever order it is told."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import schedule
from domain.facts import StreamId
from domain.schedule import Every, Kind, Refusal, Report, Reported, Schedule, Terms, days, decide, standing

ACCOUNT = StreamId("account")
MONTHLY = Terms(date(2026, 1, 31), Every.MONTH)


def report(kind: Kind, account: StreamId = ACCOUNT, **said: Any) -> Report:
    """Its content is what it says."""
    reported = Reported(kind, **said)
    return Report(content=str(reported), payer_id="1", account=account, source="test", said=reported)


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def made(terms: Terms = MONTHLY) -> Report:
    return report(Kind.SCHEDULED, at=at(1, 5), terms=terms)


def skipped(month: int, day: int) -> Report:
    return report(Kind.SKIPPED, on=date(2026, month, day))


def paused(month: int, day: int) -> Report:
    return report(Kind.PAUSED, at=at(month, day))


def resumed(month: int, day: int) -> Report:
    return report(Kind.RESUMED, at=at(month, day))


def cancelled(month: int, day: int) -> Report:
    return report(Kind.CANCELLED, at=at(month, day))


def taken(*reports: Report) -> Schedule:
    state = schedule.INITIAL
    for each in reports:
        decided = decide(state, each)
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = schedule.evolve(state, event)
    return state


def stands(state: Schedule, month: int, day: int) -> tuple[str, str | None]:
    found = standing(state, date(2026, month, day))
    return found.status, found.next_on.isoformat()[5:] if found.next_on else None


@pytest.mark.parametrize(
    ("terms", "first"),
    [
        (MONTHLY, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (Terms(date(2027, 12, 30), Every.MONTH), ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]),
        (Terms(date(2026, 12, 28), Every.WEEK), ["2026-12-28", "2027-01-04", "2027-01-11", "2027-01-18"]),
        (Terms(date(2026, 1, 31), Every.ONCE), ["2026-01-31"]),
        (Terms(date(2026, 1, 31), Every.MONTH, date(2026, 3, 31)), ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (Terms(date(2026, 1, 31), Every.MONTH, date(2026, 3, 30)), ["2026-01-31", "2026-02-28"]),
        (Terms(date(2199, 12, 30), Every.WEEK), ["2199-12-30"]),
    ],
)
def test_on_which_days_it_pays(terms: Terms, first: list[str]) -> None:
    assert [day.isoformat() for day in islice(days(terms), 4)] == first


def test_the_next_day_is_that_day_or_later_and_not_skipped() -> None:
    state = taken(made(), skipped(2, 28))
    assert stands(state, 1, 5) == ("active", "01-31")
    assert stands(state, 1, 31) == ("active", "01-31")
    assert stands(state, 2, 1) == ("active", "03-31")


def test_while_paused_nothing_is_paid() -> None:
    state = taken(made(), paused(3, 1), resumed(4, 1))
    assert stands(state, 2, 28) == ("active", "02-28")
    assert stands(state, 3, 1) == ("paused", None)
    assert stands(state, 4, 1) == ("active", "04-30")
    assert stands(taken(made(), resumed(3, 1), paused(3, 1)), 3, 2) == ("paused", None)


def test_once_cancelled_or_at_its_end_it_never_pays_again() -> None:
    state = taken(made(), cancelled(6, 1), resumed(7, 1))
    assert stands(state, 5, 31) == ("active", "05-31")
    assert stands(state, 8, 1) == ("cancelled", None)
    once = taken(made(Terms(date(2026, 1, 31), Every.ONCE)))
    assert stands(once, 2, 1) == ("ended", None)
    assert stands(taken(made(Terms(date(2026, 1, 31), Every.ONCE)), skipped(1, 31)), 1, 6) == ("ended", None)


def test_without_terms_nothing_is_known_of_it() -> None:
    assert stands(taken(paused(3, 1)), 4, 1) == ("unknown", None)
    assert stands(taken(made()), 1, 4) == ("unknown", None)  # it was made on the 5th


def test_the_same_again_is_nothing_and_other_terms_are_a_conflict() -> None:
    state = taken(made(), skipped(2, 28), paused(3, 1))
    assert [decide(state, each) for each in (made(), skipped(2, 28), paused(3, 1))] == [()] * 3
    assert decide(state, made(Terms(date(2026, 2, 1), Every.MONTH))) is Refusal.CONFLICT
    assert len(decide(state, paused(3, 2))) == 1
    assert decide(state, report(Kind.PAUSED, StreamId("other"), at=at(5, 5))) is Refusal.OTHER_MEMBER


months = st.integers(1, 12)
dates = st.tuples(months, st.integers(1, 28))
said = st.builds(lambda of, day: of(*day), st.sampled_from([skipped, paused, resumed, cancelled]), dates)


@given(st.lists(said, max_size=8), dates, st.randoms())
def test_any_order_ends_in_the_same(told: list[Report], day: tuple[int, int], rng: random.Random) -> None:
    shuffled = [made(), *told, *told[:2]]
    rng.shuffle(shuffled)
    assert stands(taken(*shuffled), *day) == stands(taken(made(), *told), *day)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.sampled_from(Every))
def test_days_only_go_forward_and_keep_the_day_where_the_month_has_it(first: date, every: Every) -> None:
    found = list(islice(days(Terms(first, every)), 30))
    assert found == sorted(set(found))
    if every is Every.MONTH:
        assert all(day.day == first.day or (day + timedelta(1)).day == 1 for day in found)
