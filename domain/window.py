"""Thirty-six months: what a claim history shows unless more is asked for. A view, not a retention rule."""

from datetime import date, timedelta
from typing import NamedTuple

YEARS = 3


class Window(NamedTuple):
    first: date
    last: date


def thirty_six_months(as_of: date) -> Window:
    """From the same day three years before, or the month's last where it has no such day (29 February), to `as_of`."""
    return Window(on(as_of, as_of.year - YEARS), as_of)


def twelve_months(as_of: date) -> Window:
    """The year that ends with `as_of`."""
    return Window(on(as_of, as_of.year - 1) + timedelta(1), as_of)


def year_begin(first: date, day: date) -> date:
    """The anniversary of a year's first day that a day follows, or is."""
    begin = on(first, day.year)
    return begin if begin <= day else on(first, day.year - 1)


def on(day: date, year: int) -> date:
    """The same day of another year, 28 February for the 29th where it has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
