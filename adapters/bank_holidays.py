"""On which days the Federal Reserve's banks are closed, and nothing posts.

Not quite the federal government's holidays: one that falls on a Sunday is kept on Monday, but one on a Saturday is not
kept on Friday (frbservices.org, "Holiday Schedules").
"""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

SUNDAY = 6


def bank_holidays(years: Iterable[int]) -> frozenset[date]:
    return frozenset().union(*map(_of, years))


@lru_cache
def _of(year: int) -> frozenset[date]:
    from holidays import country_holidays  # a fifth of a second, only for those who ask

    kept = country_holidays("US", years=year, observed=False)
    return frozenset(day + timedelta(day.weekday() == SUNDAY) for day in kept)
