"""When banks post, by the Federal Reserve's own list (frbservices.org, holiday schedules of 2025 to 2027)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bank_holidays import bank_holidays
from domain.business_days import business_day_after

PUBLISHED = {
    2025: ["01-01", "01-20", "02-17", "05-26", "06-19", "07-04", "09-01", "10-13", "11-11", "11-27", "12-25"],
    2026: ["01-01", "01-19", "02-16", "05-25", "06-19", "07-04", "09-07", "10-12", "11-11", "11-26", "12-25"],
    2027: ["01-01", "01-18", "02-15", "05-31", "06-19", "07-05", "09-06", "10-11", "11-11", "11-25", "12-25"],
}
"""With those on a Saturday, on which no bank posts anyhow: 4 July 2026, 19 June and 25 December 2027"""


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_holidays_are_the_published_ones(year: int) -> None:
    assert sorted(bank_holidays([year])) == [date.fromisoformat(f"{year}-{day}") for day in PUBLISHED[year]]


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [
        ("2026-07-01", 1, "2026-07-02"),
        ("2026-07-02", 1, "2026-07-03"),  # the federal government's holiday, not the banks'
        ("2026-07-02", 3, "2026-07-07"),
        ("2027-07-02", 1, "2027-07-06"),  # the 4th is a Sunday, so Monday is kept
        ("2026-11-25", 1, "2026-11-27"),
        ("2026-11-28", 1, "2026-11-30"),  # from a Saturday
        ("2022-12-30", 1, "2023-01-03"),  # New Year's Day on a Sunday
        ("2021-12-30", 1, "2021-12-31"),  # New Year's Day on a Saturday
        ("2026-12-24", 3, "2026-12-30"),
    ],
)
def test_days_are_counted_from_the_next_one_on_which_banks_post(day: str, count: int, then: str) -> None:
    begun = date.fromisoformat(day)
    holidays = bank_holidays([begun.year, begun.year + 1])
    assert business_day_after(begun, count, holidays) == date.fromisoformat(then)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 9))
def test_it_is_a_weekday_and_one_further_for_each(day: date, count: int) -> None:
    found = business_day_after(day, count, frozenset())
    assert found.weekday() < 5
    assert found == business_day_after(business_day_after(day, count - 1, ()), 1, ())
