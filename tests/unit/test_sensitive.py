"""What a claim tells of sensitive services, and that nothing is shown that cannot be judged."""

import pytest

from domain.adjudication import ServiceLine
from domain.money import Money
from domain.sensitive import PLACES, PROCEDURES, REVENUE, Category, Codes, category_of


def line(procedure: str = "", revenue_code: str = "", submitted: str = "") -> ServiceLine:
    return ServiceLine(procedure, Money(100), Money(100), revenue_code=revenue_code, submitted_procedure=submitted)


@pytest.mark.parametrize(
    ("procedure", "category"),
    [
        ("HC:99213:25", None),
        ("HC:45378", None),
        ("HC:77067", None),
        ("HC:90784", None),
        ("HC:90785", Category.MENTAL_HEALTH),
        ("HC:90837:95", Category.MENTAL_HEALTH),
        ("HC:90899", Category.MENTAL_HEALTH),
        ("HC:90901", None),
        ("HC:H0001", Category.SUBSTANCE_USE),
        ("HC:h0020", Category.SUBSTANCE_USE),
        ("HC:H2037", Category.SUBSTANCE_USE),
        ("HC:H2038", None),
        ("HC:87389", Category.HIV),
        ("HC:86703", Category.HIV),
        ("HC:87534", Category.HIV),
        ("HC:87491", Category.SEXUAL_HEALTH),
        ("HC:87592", Category.SEXUAL_HEALTH),
        ("HC:58300", Category.REPRODUCTIVE_HEALTH),
        ("HC:59400", Category.REPRODUCTIVE_HEALTH),
        ("HC:J3490", Category.UNKNOWN),
        ("HC:", Category.UNKNOWN),
        ("HC:9921", Category.UNKNOWN),
        ("AD:D1110", None),
        ("AD:", Category.UNKNOWN),
        ("N4:00093015001", Category.UNKNOWN),
        ("NU:0450", None),
        ("NU:0912", Category.MENTAL_HEALTH),
        ("NU:450", None),
        ("NU:", Category.UNKNOWN),
        ("HC:0219U", Category.HIV),
        ("HC:0001U", Category.UNKNOWN),
        ("HC:0642U", Category.UNKNOWN),
        ("HP:ABCDE", Category.UNKNOWN),
        ("99213", Category.UNKNOWN),
        ("", Category.UNKNOWN),
    ],
)
def test_a_procedure_tells_of_a_category_or_cannot_be_judged(procedure: str, category: Category | None) -> None:
    assert category_of([line(procedure)], "11") == category


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("0450", None),
        ("0899", None),
        ("0900", Category.MENTAL_HEALTH),
        ("0919", Category.MENTAL_HEALTH),
        ("0920", None),
        ("900", Category.MENTAL_HEALTH),
        ("0944", Category.SUBSTANCE_USE),
        ("0945", Category.SUBSTANCE_USE),
        ("1002", Category.MENTAL_HEALTH),
        ("0124", Category.MENTAL_HEALTH),
        ("0120", None),
        ("0001", Category.UNKNOWN),
    ],
)
def test_so_does_a_revenue_code(code: str, category: Category | None) -> None:
    assert category_of([line(revenue_code=code)], "11") == category
    assert category_of([line("HC:99283", code)], "13") == category


@pytest.mark.parametrize("place", ["51", "52", "53", "55", "56", "57", "58", "76"])
def test_so_does_the_place(place: str) -> None:
    assert category_of([line("HC:99213")], place) in (Category.MENTAL_HEALTH, Category.SUBSTANCE_USE)


@pytest.mark.parametrize("place", ["", "11", "21", "54", "59"])
def test_ordinary_places_tell_nothing(place: str) -> None:
    assert category_of([line("HC:99213")], place) is None


def test_one_line_is_enough_in_whatever_place() -> None:
    lines = [line("HC:99213"), line("N4:1"), line("HC:90837"), line("HC:36415")]
    assert category_of(lines, "") == category_of(lines[::-1], "") == Category.MENTAL_HEALTH


def test_of_several_the_category_that_stands_first_is_told() -> None:
    assert category_of([line("HC:87389"), line("HC:90837")], "11") == Category.MENTAL_HEALTH


def test_what_was_billed_before_it_was_coded_otherwise_counts_too() -> None:
    assert category_of([line("HC:99213", submitted="HC:90837")], "11") == Category.MENTAL_HEALTH


def test_a_claim_without_lines_cannot_be_judged() -> None:
    assert category_of([], "11") == Category.UNKNOWN


@pytest.mark.parametrize("row", [*PROCEDURES, *REVENUE, *PLACES], ids=lambda row: row.what)
def test_codes_of_the_table_are_of_one_length_and_ranges_ascend(row: Codes) -> None:
    length = 5 if row in PROCEDURES else 4 if row in REVENUE else 2
    for each in row.codes.split():
        first, dash, last = each.partition("-")
        assert len(first) == length
        assert not dash or (len(last) == length and first < last and first[0].isalpha() is last[0].isalpha())
