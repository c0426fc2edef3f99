"""Days on which banks post: weekdays but for holidays, which are given."""

from collections.abc import Container
from datetime import date, timedelta

SATURDAY = 5


def business_day_after(day: date, count: int, holidays: Container[date]) -> date:
    """The count-th business day after a day, which need not be one itself."""
    while count:
        day += timedelta(1)
        count -= day.weekday() < SATURDAY and day not in holidays
    return day
