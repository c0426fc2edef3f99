"""Preventive care: what is recommended at which age, and whether claims show that it was done.

A dated table of what plans must cover without cost sharing (45 CFR 147.130): what the USPSTF recommends with grade A or
B, vaccines that the ACIP does, children's visits by Bright Futures. A row holds from the day of its recommendation;
plans may follow a year later. The ledger sees claims and nothing else: not what was paid in cash, done before this
coverage or without a claim; nor who smokes. Due means that no claim shows it. It is no medical advice.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from domain.age import reached
from domain.code_ranges import is_among
from domain.person import Sex
from domain.sensitive import category_of_procedure


class Standing(StrEnum):
    DUE = "due"
    NOT_YET = "not_yet"
    """Too young"""
    DONE = "done"
    NO_LONGER = "no_longer"
    """Too old"""


class Done(NamedTuple):
    """A procedure that a claim shows."""

    procedure: str
    """Qualifier, code and modifiers, joined by colons: HC:45378:33"""
    on: date


Again = Callable[[date], date]
"""From the day on which it was done to the day from which on it is due again"""


def months(count: int) -> Again:
    return lambda day: reached(day, count)


def years(count: int) -> Again:
    return months(count * 12)


def for_good(_: date) -> date:
    return date.max


def next_season(day: date) -> date:
    """Most should have it in September or October (ACIP): what was given from September on is that season's."""
    return date(day.year + (day.month >= 9), 9, 1)


Ages = tuple[int, int]
"""In months: from the first on, and before the second"""


def aged(first: int, last: int) -> Ages:
    """In whole years, the last one included."""
    return first * 12, (last + 1) * 12


ALL_AGES = aged(0, 150)


class Method(NamedTuple):
    """One way to have it done."""

    codes: str
    """CPT and HCPCS codes that show it"""
    again: Again
    ages: Ages = ALL_AGES
    """At which it counts"""
    doses: int = 1


class Recommendation(NamedTuple):
    name: str
    valid_from: date
    """Until a later one of the same name"""
    ages: Ages
    methods: tuple[Method, ...]
    source: str
    sex: Sex | None = None
    """None: for all"""
    for_whom: str = ""
    """What else must be true, which the ledger can't know"""

    @property
    def is_sensitive(self) -> bool:
        """Whether its procedures tell of a sensitive service."""
        codes = (each.partition("-")[0] for method in self.methods for each in method.codes.split())
        return any(map(category_of_procedure, codes))


MAMMOGRAPHY = (Method("77061-77063 77065-77067", years(2)),)
COLORECTAL = (
    Method("44388-44408 45378-45398 G0105 G0121", years(10)),  # colonoscopy
    Method("45330-45350 G0104", years(5)),  # flexible sigmoidoscopy
    Method("74261-74263", years(5)),  # CT colonography
    Method("81528", years(3)),  # stool DNA
    Method("82270 82274 G0328", years(1)),  # blood in stool
)
GLUCOSE = (Method("82947 82950-82951 83036", years(3)),)
CHILD_VISIT = "99381-99385 99391-99395 99461"
LIPIDS = (Method("80061 82465 83718 83721 84478", years(5)),)
LUNG_CT = (Method("71271 G0297", years(1)),)
WEIGHT, SMOKED, SMOKES = (
    "with overweight or obesity",
    "who ever smoked",
    "with 20 pack-years, who smoke or quit within 15 years",
)

TABLE = (
    Recommendation("colorectal_cancer_screening", date(2016, 6, 15), aged(50, 75), COLORECTAL, "USPSTF 2016, A"),
    Recommendation("colorectal_cancer_screening", date(2021, 5, 18), aged(45, 75), COLORECTAL, "USPSTF 2021, A and B"),
    Recommendation(
        "breast_cancer_screening", date(2016, 1, 11), aged(50, 74), MAMMOGRAPHY, "USPSTF 2016, B", Sex.FEMALE
    ),
    Recommendation(
        "breast_cancer_screening", date(2024, 4, 30), aged(40, 74), MAMMOGRAPHY, "USPSTF 2024, B", Sex.FEMALE
    ),
    Recommendation(
        "cervical_cancer_screening",
        date(2018, 8, 21),
        aged(21, 65),
        (
            Method("88141-88175 G0123-G0124 G0141-G0148 P3000-P3001", years(3)),  # cytology
            Method("87624-87626 G0476", years(5), aged(30, 65)),  # papillomavirus
        ),
        "USPSTF 2018, A",
        Sex.FEMALE,
    ),
    Recommendation("diabetes_screening", date(2015, 10, 26), aged(40, 70), GLUCOSE, "USPSTF 2015, B", for_whom=WEIGHT),
    Recommendation("diabetes_screening", date(2021, 8, 24), aged(35, 70), GLUCOSE, "USPSTF 2021, B", for_whom=WEIGHT),
    Recommendation(
        "lipid_screening", date(2016, 11, 13), aged(40, 75), LIPIDS, "USPSTF 2016 and 2022, B (use of statins)"
    ),
    Recommendation(
        "abdominal_aortic_aneurysm_screening",
        date(2019, 12, 10),
        aged(65, 75),
        (Method("76706 G0389", for_good),),
        "USPSTF 2019, B",
        Sex.MALE,
        SMOKED,
    ),
    Recommendation("lung_cancer_screening", date(2021, 3, 9), aged(50, 80), LUNG_CT, "USPSTF 2021, B", for_whom=SMOKES),
    Recommendation(
        "osteoporosis_screening",
        date(2018, 6, 26),
        aged(65, 150),
        (Method("76977 77078 77080-77081 77085", for_good),),
        "USPSTF 2018 and 2025, B",
        Sex.FEMALE,
    ),
    Recommendation(
        "hepatitis_c_screening",
        date(2020, 3, 2),
        aged(18, 79),
        (Method("86803-86804 G0472", for_good),),
        "USPSTF 2020, B",
    ),
    Recommendation(
        "hiv_screening",
        date(2019, 6, 11),
        aged(15, 65),
        (Method("86689 86701-86703 87389-87391 87806 G0432-G0435 G0475", for_good),),
        "USPSTF 2019, A",
    ),
    Recommendation(
        "influenza_vaccine",
        date(2010, 8, 6),
        (6, ALL_AGES[1]),
        (Method("90630 90653-90662 90672-90674 90682 90685-90689 90694 90756 G0008 Q2034-Q2039", next_season),),
        "ACIP, each season",
    ),
    Recommendation(
        "shingles_vaccine",
        date(2018, 1, 26),
        aged(50, 150),
        (Method("90750", for_good, doses=2),),
        "ACIP 2018",
    ),
    Recommendation(
        "pneumococcal_vaccine",
        date(2022, 1, 28),
        aged(65, 150),
        (Method("90671 90677", for_good),),
        "ACIP 2022",
    ),
    Recommendation(
        "pneumococcal_vaccine",
        date(2025, 1, 9),
        aged(50, 150),
        (Method("90671 90677 90684", for_good),),
        "ACIP 2025",
    ),
    Recommendation(
        "tetanus_diphtheria_vaccine",
        date(2020, 1, 24),
        aged(19, 150),
        (Method("90714-90715", years(10)),),
        "ACIP 2020",
    ),
    Recommendation(
        "well_child_visit",
        date(2010, 9, 23),
        aged(0, 20),
        (
            Method(CHILD_VISIT, months(2), (0, 9)),
            Method(CHILD_VISIT, months(3), (9, 18)),
            Method(CHILD_VISIT, months(6), (18, 36)),
            Method(CHILD_VISIT, years(1), (36, 252)),
        ),
        "Bright Futures",
    ),
)


# --- what follows


class Care(NamedTuple):
    """Where one recommendation stands for a person on a day."""

    recommendation: Recommendation
    standing: Standing
    from_on: date
    """Due: since when. Not yet: from when on. Done: the day on which it was. No longer: the first day too old"""
    until: date | None = None
    """Done: the last day on which that counts; None for good"""


def due(birth_date: date, sex: Sex | None, done: Iterable[Done], day: date) -> list[Care]:
    """Each recommendation that holds on the day for somebody of this sex, in the order of the table. What is for one
    sex is left out where the sex is not known."""
    done = [each for each in done if each.on <= day and birth_date <= each.on]
    latest = {each.name: each for each in sorted(TABLE, key=_valid_from) if each.valid_from <= day}
    meant = [each for each in latest.values() if each.sex in (None, sex)]
    return [_care(each, birth_date, done, day) for each in meant]


def _valid_from(recommendation: Recommendation) -> date:
    return recommendation.valid_from


def _care(recommendation: Recommendation, birth_date: date, done: list[Done], day: date) -> Care:
    begins, ends = (reached(birth_date, age) for age in recommendation.ages)
    if day < begins:
        return Care(recommendation, Standing.NOT_YET, begins)
    if day >= ends:
        return Care(recommendation, Standing.NO_LONGER, ends)
    counted = [found for method in recommendation.methods if (found := _last(method, birth_date, done))]
    again, last_on = max(counted, default=(begins, begins))
    if day < again:
        return Care(recommendation, Standing.DONE, last_on, None if again == date.max else again - timedelta(1))
    return Care(recommendation, Standing.DUE, max(again, begins, recommendation.valid_from))


def _last(method: Method, birth_date: date, done: list[Done]) -> tuple[date, date] | None:
    """From when on it is due again by this method, and the day on which it was done last."""
    first, before = (reached(birth_date, age) for age in method.ages)
    days = sorted({each.on for each in done if first <= each.on < before and _shows(each.procedure, method.codes)})
    return (method.again(days[-1]), days[-1]) if len(days) >= method.doses else None


@lru_cache(maxsize=20_000)
def shown_by(procedure: str) -> tuple[str, ...]:
    """The names of the recommendations for which a procedure counts, at some age."""
    shown = (each.name for each in TABLE if any(_shows(procedure, method.codes) for method in each.methods))
    return tuple(dict.fromkeys(shown))


DISCONTINUED = frozenset({"53", "73", "74"})
"""Modifiers of what was begun and broken off"""


def _shows(procedure: str, codes: str) -> bool:
    qualifier, code, *modifiers = (*procedure.split(":"), "")
    return qualifier == "HC" and is_among(code.upper(), codes) and DISCONTINUED.isdisjoint(modifiers)
