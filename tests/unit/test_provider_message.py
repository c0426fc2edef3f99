"""Messages of topic providers: what is read, what is refused, and the schema and the page that say so."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from adapters.json_message.provider import read, translate
from adapters.json_message.reader import Fault
from adapters.json_message.schema import file
from application.ports import NotUnderstood, Understood
from domain.directory import Listing, Membership, ProviderNotice
from tests.unit.notices import Message, encoded
from tests.unit.providers import NPI, SILVER, provider
from tests.unit.test_docs import CHECKOUT

SCHEMA = json.loads(file("provider-1").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker(["date"]))


def understood(message: Message) -> ProviderNotice:
    [part] = translate(encoded(message))
    assert isinstance(part, Understood), part
    assert isinstance(part.said, ProviderNotice)
    return part.said


def refused(message: Message) -> tuple[str, str]:
    [part] = translate(encoded(message))
    assert isinstance(part, NotUnderstood)
    return part.reason, part.detail


def test_a_listing_is_read_into_the_ledgers_terms() -> None:
    everywhere = {"payer_id": "1078830634", "first_on": "2026-07-01"}
    silver = Membership("1078830634", "TGV-SILVER", date(2026, 1, 1), date(2026, 6, 30), "1")
    networks = (silver, Membership("1078830634", "", date(2026, 7, 1)))
    listing = Listing("Lakeside Clinic", "207R00000X", networks)
    assert understood(provider(SILVER, everywhere)) == ProviderNotice(NPI, 1, listing)


def test_what_is_empty_is_as_if_left_out() -> None:
    bare = {"payer_id": "1078830634", "first_on": "2026-07-01"}
    assert understood(provider(bare | {"plan_id": "", "until": None, "tier": ""})) == understood(provider(bare))


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (provider(provider_id="1234567890"), "$.provider_id: its check digit is another"),
        (provider(provider_id="123456789"), "$.provider_id: not of the right form"),
        (provider(specialty="internist"), "$.specialty: not of the right form"),
        (provider(SILVER | {"until": "2025-12-31"}), "$.networks[0].until: before first_on"),
        (provider(SILVER, SILVER | {"first_on": "1899-12-31"}), "$.networks[1]: out of bounds"),
        (provider(revision=0), "$.directory_revision: out of bounds"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_place(message: Message, where: str) -> None:
    assert refused(message) == ("json.wrong_schema", where)


def test_no_text_may_be_the_number_of_a_card_or_a_bank_account() -> None:
    assert refused(provider(name="4111 1111 1111 1111"))[0] == "provider.account_number"
    assert refused(provider(SILVER | {"plan_id": "DE89370400440532013000"}))[0] == "provider.account_number"


# --- the schema, and the page


@st.composite
def changed(draw: st.DrawFn) -> Message:
    """A good message in which something is left out, added or put in another's place."""
    message: Message = json.loads(json.dumps(provider()))
    part: Any = draw(st.sampled_from([message, message["networks"][0]]))
    name = draw(st.sampled_from([*sorted(part), "other"]))
    texts = ["", " 1", "x" * 81, NPI, "2026-02-30", "2026-02-28"]
    values: list[Any] = [None, True, 0, -1, 10**6 + 1, *texts, [], {}]
    if draw(st.booleans()):
        part.pop(name, None)
    else:
        part[name] = draw(st.sampled_from(values))
    return message


@settings(max_examples=300)
@given(changed())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    assert (refusal(message) is None) == VALIDATOR.is_valid(message), refusal(message)


def refusal(message: Message) -> Fault | None:
    try:
        read(encoded(message))
    except Fault as fault:
        return fault
    return None


PAGE = (CHECKOUT / "docs" / "messages.md").read_text()
SECTION = PAGE.partition("\n## Providers\n")[2].partition("\n## ")[0]


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = [json.loads(part.partition("\n```")[0]) for part in SECTION.split("```json\n")[1:]]
    VALIDATOR.validate(example)
    understood(example)


def test_every_field_is_on_the_page() -> None:
    fields = {name for part in SCHEMA["$defs"].values() for name in part.get("properties", {})}
    assert [name for name in sorted(fields) if f"`{name}`" not in SECTION] == []
