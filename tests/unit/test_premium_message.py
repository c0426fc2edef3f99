"""Messages of topic premiums: what is read, what is refused, and the schema and the page that say so."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.premium import read, translate, translate_lines
from application.ports import NotUnderstood, Understood
from domain.money import CENTS_MAX, Money
from domain.premium import Kind, Notice, Numbers, Said
from tests.unit.notices import Message, encoded
from tests.unit.premiums import SAID, premium
from tests.unit.topic import Topic, changed

TOPIC = Topic(Notice, translate, read, "premium-1", "Premiums")
understood, refused = TOPIC.understood, TOPIC.refused


def test_an_invoice_is_read_into_the_ledgers_terms() -> None:
    assert understood(premium("invoiced")) == Notice(
        payer_id="1078830634",
        member_id="TGV100000001",
        numbers=Numbers("C-1", invoice_id="I-04"),
        said=Said(
            Kind.INVOICED,
            date(2026, 3, 15),
            amount_cents=Money(30_000),
            period_from=date(2026, 4, 1),
            period_to=date(2026, 4, 30),
            due_on=date(2026, 4, 1),
            grace_days=31,
        ),
    )


@pytest.mark.parametrize("kind", SAID)
def test_every_kind_is_read(kind: str) -> None:
    assert understood(premium(kind)).said.kind == kind


@pytest.mark.parametrize(
    ("message", "same"),
    [
        (premium("paid", invoice_id=""), premium("paid")),
        (premium("invoiced", grace_days=None), premium("invoiced", grace_days=0)),
    ],
)
def test_what_is_empty_is_as_if_left_out(message: Message, same: Message) -> None:
    assert understood(message) == understood(same)


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (premium("invoiced", period_to="2026-03-31"), "$.said.period_to: before period_from"),
        (premium("invoiced", due_on="1899-12-31"), "$.said.due_on: out of bounds"),
        (premium("lapsed", on="2200-01-01"), "$.said.on: out of bounds"),
        (premium("paid", amount_cents=0), "$.said.amount_cents: out of bounds"),
        (premium("paid", amount_cents="1"), "$.said.amount_cents: wrong type"),
        (premium("lapsed", reason="did not pay"), "$.said.reason: not of the right form"),
        (premium("lapsed", payment_id="P"), "$.said: unknown field"),
        (premium("billed"), "$.said.kind: not one of the allowed values"),
    ],
)
def test_what_does_not_follow_the_schema_is_refused_with_its_place(message: Message, where: str) -> None:
    assert refused(message) == ("json.wrong_schema", where)


@pytest.mark.parametrize(
    "number", ["4111111111111111", "4111 1111-1111 1111", "DE89370400440532013000", "021000021/123456"]
)
@pytest.mark.parametrize("field", ["payer_id", "member_id", "contract_id", "invoice_id", "payment_id"])
def test_no_number_may_be_that_of_a_card_or_a_bank_account(field: str, number: str) -> None:
    message = premium("paid", invoice_id="I-04")
    (message if field in message else message["said"])[field] = number
    assert refused(message)[0] == "premium.account_number"


def test_no_reason_may_hold_one() -> None:
    assert refused(premium("lapsed", reason="DE89370400440532013000"))[0] == "premium.account_number"


def test_lines_of_a_file_are_read_each_as_if_it_came_alone() -> None:
    parts = list(translate_lines(encoded(premium("paid")) + b"\n\n{\n" + encoded(premium("lapsed"))))
    assert [(type(part), part.where) for part in parts] == [
        (Understood, "line 1"),
        (NotUnderstood, "line 3"),
        (Understood, "line 4"),
    ]


# --- the schema, and the page


TEXTS = ["", " 1", "x" * 41, "x" * 81, "R01", "a b", "2026-02-30", "2026-02-28"]
VALUES: list[Any] = [None, True, 0, -1, 1, 366, 367, CENTS_MAX + 1, *TEXTS, [], {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = premium(draw(st.sampled_from(sorted(SAID))))
    names = ["invoice_id", "grace_days", "reason", "other"]
    return draw(changed(message, [message, message["said"]], names, VALUES))


@settings(max_examples=500)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = TOPIC.examples()
    understood(example)


def test_every_kind_and_field_is_on_the_page() -> None:
    assert TOPIC.missing_on_the_page(TOPIC.fields() | set(SAID)) == []
