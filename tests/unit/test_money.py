"""Text becomes cents in one place, exactly or not at all."""

import re
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import CENTS_MAX, DIGITS_MAX, NotAnAmount, dollars, parse


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("", 0),
        ("0", 0),
        ("-0", 0),
        ("-310", -31000),
        ("187.5", 18750),
        (".5", 50),
        ("-.05", -5),
        ("100.", 10000),
        ("0.07", 7),
        ("0007", 700),
        ("1.10", 110),
        ("1.100000", 110),
        ("9999999999.99", 999999999999),
        ("000000000000001.00", 100),
    ],
)
def test_an_x12_decimal_is_read_to_the_cent(text: str, cents: int) -> None:
    assert parse(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "+5",
        "1e2",
        "1E2",
        "NaN",
        "Infinity",
        "-Infinity",
        "1_000",
        "1,000.00",
        " 5",
        "5 ",
        "5\n",
        "$5",
        "--5",
        "5-",
        "1-2",
        "1.-5",
        "1.2.3",
        ".",
        "-",
        "-.",
        "0.001",
        "1.005",
        "1.00\u0660",
        "\u0661\u0662",
        "1.\u0665",
        "²",
        "0x10",
        "five",
    ],
)
def test_what_is_no_x12_decimal_of_whole_cents_is_refused(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse(text)


@pytest.mark.parametrize("digits", [11, DIGITS_MAX - 1, 30, 5_000, 60_000])
@pytest.mark.parametrize("places", ["", ".", ".9", ".99"])
def test_an_amount_beyond_all_bounds_is_refused(digits: int, places: str) -> None:
    with pytest.raises(NotAnAmount):
        parse("9" * digits + places)


def test_the_largest_amounts_sum_up_in_a_64_bit_integer() -> None:
    assert parse("10000000000.00") == CENTS_MAX
    for text in ("10000000000.01", "-10000000000.01"):
        with pytest.raises(NotAnAmount):
            parse(text)
    assert 9_000_000 * CENTS_MAX < 2**63


@given(st.integers(-CENTS_MAX, CENTS_MAX), st.integers(0, 4))
def test_every_count_of_cents_survives_being_written_as_a_decimal(cents: int, zeros: int) -> None:
    text = f"{Decimal(cents).scaleb(-2):f}" + "0" * zeros
    assert parse(text) == cents


@given(st.from_regex(r"[+\-_ ]?[0-9_]{0,4}[.,]?[0-9]{0,4}([eE][+-]?[0-9])?", fullmatch=True) | st.text(max_size=6))
def test_an_amount_is_what_decimal_says_or_is_refused(text: str) -> None:
    is_x12 = re.fullmatch(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)", text) is not None
    try:
        exact = Decimal(text) * 100 if is_x12 else None
    except InvalidOperation:  # pragma: no cover
        exact = None
    if not text:
        assert parse(text) == 0
    elif exact is None or exact != int(exact):
        with pytest.raises(NotAnAmount):
            parse(text)
    else:
        assert parse(text) == exact
        assert type(parse(text)) is int


@given(st.floats(width=32).map(str))
def test_no_amount_ever_passes_through_a_float(text: str) -> None:
    """A float's text is either exact cents, or refused; never rounded."""
    try:
        cents = parse(text)
    except NotAnAmount:
        return
    assert Decimal(cents) / 100 == Decimal(text)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (-5, "-0.05"),
        (123405, "1,234.05"),
        (-123405, "-1,234.05"),
        (10**11, "1,000,000,000.00"),
    ],
)
def test_cents_are_shown_as_people_write_them(cents: int, text: str) -> None:
    assert dollars(cents) == text


@given(st.integers(-CENTS_MAX, CENTS_MAX))
def test_what_is_shown_is_what_was_counted(cents: int) -> None:
    assert parse(dollars(cents).replace(",", "")) == cents
