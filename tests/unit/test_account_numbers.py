"""What looks like the number of a card or bank account, and what does not. The numbers are those of test systems."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.account_numbers import holds_account_number

CARD = "4111111111111111"
IBAN = "DE89370400440532013000"
ROUTING = "021000021"


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "378282246310005",  # 15 digits
        "4222222222222",  # 13
        "6304000000000000018",  # 19
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "\uff14111111111111111",  # a digit of full width
        "12 4111 1111 1111 1111 03/28",
        f"card{CARD}x",
        f"paid with {CARD}, thank you",
        IBAN,
        "DE89 3704 0044 0532 0130 00",
        "gb82 west 1234 5698 7654 32",
        "IBAN NO93-8601-1117-947 of the payer",
        f"{ROUTING} 12345678",
        f"12345678 {ROUTING}",
        f"routing {ROUTING}, account 1234",
        f"{ROUTING}/12345678901234567",
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert holds_account_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",  # does not check
        "411111111111",  # 12 digits
        CARD + "0000",  # 20 digits are no card's
        "DE88370400440532013000",
        "tok_1PqXn2AbCdEf",
        "TGV00000000101",
        "021000021",  # a routing number alone is public
        "021000022 12345678",
        "021000021 123",
        "3f2a9c1e-5e0c-8a11-9f00-a1b2c3d4e5f6",
    ],
)
def test_other_numbers_are_not(text: str) -> None:
    assert not holds_account_number(text)


class Part(msgspec.Struct):
    note: str
    count: int = int(CARD)


def test_every_text_within_a_fact_is_looked_at_and_no_amount() -> None:
    assert holds_account_number((Part("good"), Part(CARD)))
    assert holds_account_number({"notes": ["good", {"more": CARD}]})
    assert not holds_account_number((Part("good"), Part("better"), None))


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]), st.integers(1, 6))
def test_of_all_last_digits_one_makes_a_card_however_it_is_grouped(digits: str, between: str, size: int) -> None:
    def grouped(number: str) -> str:
        return between.join(number[at : at + size] for at in range(0, len(number), size))

    assert any(holds_account_number(grouped(f"{digits}{last}")) for last in range(10))


@given(st.text(max_size=80))
def test_nothing_makes_it_fail(text: str) -> None:
    holds_account_number(text)


@pytest.mark.parametrize("version", "12345678")
def test_a_uuid_is_no_number_although_its_digits_check(version: str) -> None:
    for last in range(10):  # of which one makes a card's number of the first sixteen digits
        assert not holds_account_number(f"4111111{last}-1111-{version}111-8111-abcdefabcdef")
        assert not holds_account_number(f"4111111{last}-1111-{version}111-8111-ABCDEFABCDEF")


@pytest.mark.parametrize(
    "text",
    [
        "41111111-1111-1111-1111-111111111111",  # of no variant that RFC 9562 gives out
        "41111111-1111-8111-8111-111111111111\n4111111111111111",
        "4111111111111111 41111111-1111-8111-8111-111111111111",
    ],
)
def test_what_only_looks_like_a_uuid_or_stands_beside_one_is_found(text: str) -> None:
    assert holds_account_number(text)
