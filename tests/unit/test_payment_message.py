"""What a payment processor's message says, and why one is not taken."""

import json
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from adapters.json_message.payment import translate, translate_lines
from adapters.json_message.schema import file
from application.ports import NotUnderstood, Understood
from domain.facts import StreamId
from domain.money import Money
from domain.payment import Kind, Method, PaymentNotice, References, Reported
from domain.schedule import Every, ScheduleNotice, Terms
from tests.unit.notices import Message, encoded
from tests.unit.payments import CARD, KINDS, SCHEDULE_KINDS, told, told_of_schedule
from tests.unit.test_docs import CHECKOUT
from tests.unit.test_notice_schema import names

SCHEMA = json.loads(file("payment-1").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker(["date"]))
GOOD = [*map(told, KINDS), *map(told_of_schedule, SCHEDULE_KINDS)]


def understood(message: Message) -> Any:
    [part] = translate(encoded(message))
    assert isinstance(part, Understood), part
    return part.said


def refusal(message: Message) -> tuple[str, str]:
    [part] = translate(encoded(message))
    assert isinstance(part, NotUnderstood)
    return part.reason, part.detail


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message["said"]["kind"])
def test_every_kind_is_taken_and_follows_the_published_schema(message: Message) -> None:
    VALIDATOR.validate(message)
    assert understood(message).said.kind == message["said"]["kind"]


def test_numbers_of_others_stand_apart_from_what_is_said() -> None:
    notice = understood(told("initiated", schedule_id="sc_1"))
    assert notice == PaymentNotice(
        notice.payer_id,
        "NHP100000001",
        References("py_1", token="tok_1PqXn2AbCdEf", schedule_id="sc_1"),
        Reported(
            Kind.INITIATED,
            notice.said.at,
            None,
            Money(10_000),
            Method.CARD,
            claims=(StreamId("0a1b2c3d-0000-8000-8000-000000000001"),),
        ),
    )
    assert understood(told("refunded")).references == References("py_1", refund_id="re_1")


def test_the_terms_of_a_schedule_are_an_amount_or_the_balance() -> None:
    notice = understood(told_of_schedule("scheduled"))
    assert isinstance(notice, ScheduleNotice)
    assert notice.said.terms == Terms(date(2026, 1, 31), Every.MONTH)
    amount = understood(told_of_schedule("scheduled", amount_cents=2_500, until="2026-12-31")).said.terms
    assert (amount.amount_cents, str(amount.until)) == (2_500, "2026-12-31")


@pytest.mark.parametrize(
    "message",
    [
        told("posted", payment_id=CARD),
        told("posted", member_id=CARD),
        told("posted") | {"payer_id": CARD},
        told("initiated", token=CARD),
        told("initiated", token="4111-1111-1111-1111"),
        told("initiated", schedule_id="021000021 12345678"),
        told("posted", payout=CARD),
        told("refunded", refund_id=CARD),
        told("charged_back", case_id=CARD),
        told_of_schedule("paused", schedule_id=CARD),
        told("initiated", card_number=CARD),  # a field that nobody knows
        told("initiated") | {"metadata": {"notes": ["", f"card {CARD}"]}},
        told("failed", reason=CARD),
    ],
)
def test_an_account_number_is_refused_in_every_field(message: Message) -> None:
    assert refusal(message) == ("payment.account_number", "")


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (told("posted", payment_id=""), "$.payment_id: missing"),
        (told("posted") | {"schedule_id": "sc_1"}, "$.schedule_id: not of this kind"),
        (told_of_schedule("paused") | {"payment_id": "py_1"}, "$.payment_id: not of this kind"),
        (told_of_schedule("paused", schedule_id=""), "$.schedule_id: missing"),
        (told("posted", on="1899-12-31"), "$.said.on: out of bounds"),
        (told("failed", at="2200-01-01T00:00:00Z"), "$.said.at: out of bounds"),
        (told_of_schedule("scheduled", until="2026-01-30"), "$.said.until: before first_on"),
        (told_of_schedule("scheduled", first_on="2200-01-01"), "$.said.first_on: out of bounds"),
        (told("posted", amount_cents=0), "$.said.amount_cents: out of bounds"),
        (told("returned", code="R00"), "$.said.code: not of the right form"),
        (told("returned", code="R86"), "$.said.code: not of the right form"),
        (told("failed", reason="whatever"), "$.said.reason: not one of the allowed values"),
        (told("initiated", method="cash"), "$.said.method: not one of the allowed values"),
        (told("posted", card_number="x"), "$.said: unknown field"),
        (told("failed", at="2026-07-02T09:30:02"), "$.said.at: without an offset"),
    ],
)
def test_what_breaks_a_rule_is_named(message: Message, detail: str) -> None:
    assert refusal(message) == ("json.wrong_schema", detail)


def test_a_number_beyond_all_bounds_is_no_text() -> None:
    whole = encoded(told("posted")).replace(b"10000", b"9" * 5000)
    [part] = translate(whole)
    assert isinstance(part, NotUnderstood)
    assert part.reason == "json.wrong_schema"


def test_of_a_file_each_line_is_a_message() -> None:
    parts = list(translate_lines(b"\n".join(map(encoded, [told("posted"), {}]))))
    assert [(type(part), part.where) for part in parts] == [(Understood, "line 1"), (NotUnderstood, "line 2")]


# --- the page


def section() -> str:
    page = (CHECKOUT / "docs" / "messages.md").read_text()
    return page.partition("\n## Payments\n")[2].partition("\n## ")[0]


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = [json.loads(part.partition("\n```")[0]) for part in section().split("```json\n")[1:]]
    VALIDATOR.validate(example)
    assert understood(example).said.kind == "initiated"


def test_every_field_kind_and_word_is_on_the_page() -> None:
    fields = section().partition("### Fields of payments")[2]
    listed = {
        name for row in fields.splitlines() if row.startswith("| `") for name in row.split("|")[1].split("`")[1::2]
    }
    assert listed == names(SCHEMA) - {"kind"}
    words = {word for part in SCHEMA["$defs"].values() for word in part.get("enum", ())}
    assert [word for word in words | KINDS.keys() | SCHEDULE_KINDS.keys() if f"`{word}`" not in section()] == []
