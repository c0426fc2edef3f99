"""The thirty-six months of a claim history."""

from datetime import date

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.window import Window, thirty_six_months

EDGES = {
    "an ordinary day": (date(2026, 3, 31), date(2023, 3, 31)),
    "the year's first day": (date(2026, 1, 1), date(2023, 1, 1)),
    "a leap day has no such day three years before": (date(2024, 2, 29), date(2021, 2, 28)),
    "the day before it has": (date(2024, 2, 28), date(2021, 2, 28)),
    "the day after a leap day's month": (date(2027, 3, 1), date(2024, 3, 1)),
    "three years behind a leap day": (date(2027, 2, 28), date(2024, 2, 28)),
}


@pytest.mark.parametrize(("as_of", "first"), EDGES.values(), ids=EDGES)
def test_it_begins_on_the_same_day_three_years_before(as_of: date, first: date) -> None:
    assert thirty_six_months(as_of) == Window(first, as_of)


@for_all(st.dates(date(1903, 1, 1), date(9999, 12, 31)))
def test_it_is_36_calendar_months_long(as_of: date) -> None:
    first, last = thirty_six_months(as_of)
    assert last == as_of
    assert (last.year - first.year) * 12 + last.month - first.month == 36
    assert first.day == last.day or (first.month, first.day) == (2, 28)
