"""How old somebody is on a day."""

from datetime import date

MAJORITY_MONTHS = 18 * 12
"""Eighteen years: the age of majority in most states (19 in Alabama and Nebraska, 21 in Mississippi)"""


def reached(birth_date: date, months: int) -> date:
    """The day with which somebody has reached an age: that of the anniversary, from its beginning; where the month has
    no such day the first of the next one. So whoever was born on 29 February reaches it on 1 March of a common year
    (Maryland, General Provisions 1-303; no federal rule says it for all)."""
    year, month = divmod(birth_date.year * 12 + birth_date.month - 1 + months, 12)
    try:
        return date(year, month + 1, birth_date.day)
    except ValueError:
        return date(year, month + 2, 1)  # December has every day


def of_age_on(birth_date: date) -> date:
    """The first day as an adult."""
    return reached(birth_date, MAJORITY_MONTHS)
