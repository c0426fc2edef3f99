"""Thirty-six months: what a claim history shows unless more is asked for. A view, not a retention rule."""

from datetime import date
from typing import NamedTuple

YEARS = 3


class Window(NamedTuple):
    first: date
    last: date


def thirty_six_months(as_of: date) -> Window:
    """From the same day three years before, or the month's last where it has no such day (29 February), to `as_of`."""
    try:
        first = as_of.replace(year=as_of.year - YEARS)
    except ValueError:
        first = as_of.replace(year=as_of.year - YEARS, day=28)
    return Window(first, as_of)
