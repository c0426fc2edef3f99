"""Preventive care that is due: by age, sex, the table of the day, and what claims show."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.care import TABLE, Care, Done, Standing, due
from domain.person import Sex

BORN = date(1981, 3, 15)
COLONOSCOPY, STOOL, STOOL_DNA = "HC:45378:33", "HC:82274", "HC:81528"


def care(
    name: str, day: date, *done: tuple[str, date], born: date = BORN, sex: Sex | None = Sex.FEMALE
) -> tuple[Standing, date, date | None] | None:
    """Of one recommendation: where it stands, from when, until when; None where it is not meant for them."""
    found = [each for each in due(born, sex, [Done(*each) for each in done], day) if each.recommendation.name == name]
    assert len(found) <= 1
    return found[0][1:] if found else None


def colorectal(day: date, *done: tuple[str, date], born: date = BORN) -> tuple[Standing, date, date | None] | None:
    return care("colorectal_cancer_screening", day, *done, born=born)


def standing(day: date, *done: tuple[str, date]) -> tuple[Standing, date, date | None]:
    """Where it is recommended at all."""
    found = colorectal(day, *done)
    assert found is not None
    return found


# --- ages


def test_it_is_due_from_the_first_birthday_that_is_meant_to_the_last_day_of_the_last_age() -> None:
    assert colorectal(date(2026, 3, 14)) == (Standing.NOT_YET, date(2026, 3, 15), None)
    assert colorectal(date(2026, 3, 15)) == (Standing.DUE, date(2026, 3, 15), None)
    old = date(1950, 3, 15)
    assert colorectal(date(2026, 3, 14), born=old) == (Standing.DUE, date(2021, 5, 18), None)
    assert colorectal(date(2026, 3, 15), born=old) == (Standing.NO_LONGER, date(2026, 3, 15), None)


def test_the_table_of_the_day_decides() -> None:
    born = date(1975, 1, 1)
    assert colorectal(date(2015, 1, 1), born=born) is None
    assert colorectal(date(2021, 5, 17), born=born) == (Standing.NOT_YET, date(2025, 1, 1), None)
    assert colorectal(date(2021, 5, 18), born=born) == (Standing.DUE, date(2021, 5, 18), None)


# --- done


@pytest.mark.parametrize(
    ("procedure", "until"),
    [
        (COLONOSCOPY, date(2036, 3, 31)),
        ("HC:G0121", date(2036, 3, 31)),
        ("HC:g0105", date(2036, 3, 31)),
        ("HC:45330", date(2031, 3, 31)),
        ("HC:74263", date(2031, 3, 31)),
        (STOOL_DNA, date(2029, 3, 31)),
        (STOOL, date(2027, 3, 31)),
    ],
)
def test_what_was_done_counts_for_as_long_as_it_lasts(procedure: str, until: date) -> None:
    on = date(2026, 4, 1)
    assert colorectal(on, (procedure, on)) == (Standing.DONE, on, until)
    assert colorectal(until, (procedure, on)) == (Standing.DONE, on, until)
    assert colorectal(until + timedelta(1), (procedure, on)) == (Standing.DUE, until + timedelta(1), None)


def test_what_was_done_early_counts_once_it_is_due() -> None:
    assert standing(date(2026, 3, 15), (COLONOSCOPY, date(2020, 1, 1)))[:2] == (Standing.DONE, date(2020, 1, 1))


def test_of_several_ways_the_one_that_lasts_longest_counts() -> None:
    done = (COLONOSCOPY, date(2026, 4, 1)), (STOOL, date(2027, 4, 1))
    assert colorectal(date(2030, 1, 1), *done) == (Standing.DONE, date(2026, 4, 1), date(2036, 3, 31))


@pytest.mark.parametrize(
    "procedure", ["HC:45378:53", "HC:45378:PT:74", "HC:99213", "HC:4538", "NU:0750", "AD:D0120", "45378", ""]
)
def test_what_was_broken_off_or_is_something_else_does_not_count(procedure: str) -> None:
    assert standing(date(2026, 5, 1), (procedure, date(2026, 4, 1)))[0] is Standing.DUE


def test_what_is_done_after_the_day_or_before_birth_does_not_count() -> None:
    assert standing(date(2026, 5, 1), (COLONOSCOPY, date(2026, 5, 2)))[0] is Standing.DUE
    assert standing(date(2026, 5, 1), (COLONOSCOPY, date(1981, 3, 14)))[0] is Standing.DUE


def test_a_papillomavirus_test_counts_from_30_on_and_lasts_five_years() -> None:
    name, born, day = "cervical_cancer_screening", date(1996, 5, 1), date(2026, 6, 1)
    assert (care(name, day, ("HC:87624", date(2026, 4, 30)), born=born) or (None,))[0] is Standing.DUE
    expected = (Standing.DONE, date(2026, 5, 1), date(2031, 4, 30))
    assert care(name, day, ("HC:87624", date(2026, 5, 1)), born=born) == expected
    assert care(name, day, ("HC:88142", date(2026, 5, 1)), born=born) == (*expected[:2], date(2029, 4, 30))


def test_two_doses_are_two_days() -> None:
    name, born, day = "shingles_vaccine", date(1970, 1, 1), date(2026, 6, 1)
    first, second = ("HC:90750", date(2026, 1, 5)), ("HC:90750", date(2026, 4, 5))
    assert (care(name, day, first, first, born=born) or (None,))[0] is Standing.DUE
    assert care(name, day, first, second, born=born) == (Standing.DONE, date(2026, 4, 5), None)


@pytest.mark.parametrize(
    ("given_on", "until"),
    [
        (date(2025, 9, 1), date(2026, 8, 31)),
        (date(2026, 1, 20), date(2026, 8, 31)),
        (date(2026, 8, 31), date(2026, 8, 31)),
        (date(2026, 9, 1), date(2027, 8, 31)),
    ],
)
def test_a_flu_vaccine_lasts_until_the_next_season(given_on: date, until: date) -> None:
    flu = ("HC:90686", given_on)
    assert care("influenza_vaccine", given_on, flu) == (Standing.DONE, given_on, until)
    assert care("influenza_vaccine", until + timedelta(1), flu) == (Standing.DUE, until + timedelta(1), None)


def test_how_long_a_childs_visit_lasts_turns_on_the_age_at_it() -> None:
    born = date(2024, 1, 10)
    for visit, until in [
        (date(2024, 3, 10), date(2024, 5, 9)),
        (date(2024, 10, 10), date(2025, 1, 9)),
        (date(2025, 7, 10), date(2026, 1, 9)),
        (date(2027, 1, 10), date(2028, 1, 9)),
    ]:
        assert care("well_child_visit", visit, ("HC:99392", visit), born=born) == (Standing.DONE, visit, until)


# --- for whom


@pytest.mark.parametrize(
    ("name", "sex"),
    [
        ("breast_cancer_screening", Sex.FEMALE),
        ("cervical_cancer_screening", Sex.FEMALE),
        ("osteoporosis_screening", Sex.FEMALE),
        ("abdominal_aortic_aneurysm_screening", Sex.MALE),
    ],
)
def test_what_is_for_one_sex_is_left_out_for_another_and_where_it_is_not_known(name: str, sex: Sex) -> None:
    assert care(name, date(2026, 1, 1), sex=sex) is not None
    for other in {*Sex, None} - {sex}:
        assert care(name, date(2026, 1, 1), sex=other) is None


def test_what_tells_of_a_sensitive_service_is_known_as_such() -> None:
    assert {each.name for each in TABLE if each.is_sensitive} == {"cervical_cancer_screening", "hiv_screening"}


def test_a_later_row_of_the_table_takes_the_place_of_an_earlier_one() -> None:
    days = [(each.name, each.valid_from) for each in TABLE]
    assert len(set(days)) == len(days)
    names = [each.recommendation.name for each in due(BORN, Sex.FEMALE, [], date(2026, 1, 1))]
    assert len(set(names)) == len(names)


# --- any order

procedures = st.sampled_from(
    [COLONOSCOPY, STOOL, STOOL_DNA, "HC:90750", "HC:90686", "HC:87624", "HC:88142", "HC:77067"]
)
days = st.dates(date(2015, 1, 1), date(2030, 12, 31))
histories = st.lists(st.builds(Done, procedures, days), max_size=8)


def listed(cares: Sequence[Care]) -> list[tuple[object, ...]]:
    return [(each.recommendation.name, *each[1:]) for each in cares]


@given(st.dates(date(1940, 1, 1), date(2010, 1, 1)), histories, st.randoms(), days)
def test_any_order_and_twice_the_same_ends_in_the_same(
    born: date, done: list[Done], chance: random.Random, day: date
) -> None:
    shuffled = done * 2
    chance.shuffle(shuffled)
    assert listed(due(born, Sex.FEMALE, done, day)) == listed(due(born, Sex.FEMALE, shuffled, day))


@given(st.dates(date(1940, 1, 1), date(2010, 1, 1)), histories, days)
def test_more_care_never_makes_more_due(born: date, done: list[Done], day: date) -> None:
    def is_due(done: list[Done]) -> set[str]:
        found = due(born, Sex.FEMALE, done, day)
        return {each.recommendation.name for each in found if each.standing is Standing.DUE}

    assert is_due(done) <= is_due(done[:-1]) <= is_due([])
    for each in due(born, Sex.FEMALE, done, day):
        assert each.standing is not Standing.DUE or each.from_on <= day
        assert each.standing is not Standing.DONE or each.from_on <= day <= (each.until or date.max)
