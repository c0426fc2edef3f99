"""Messages of topic providers: what is read, what is refused, and the schema and the page that say so."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.provider import read, translate
from domain.directory import Listing, Membership, ProviderNotice
from tests.unit.notices import Message
from tests.unit.providers import NPI, SILVER, provider
from tests.unit.topic import Topic, changed

TOPIC = Topic(ProviderNotice, translate, read, "provider-1", "Providers")
understood, refused = TOPIC.understood, TOPIC.refused


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


TEXTS = ["", " 1", "x" * 81, NPI, "2026-02-30", "2026-02-28"]
VALUES: list[Any] = [None, True, 0, -1, 10**6 + 1, *TEXTS, [], {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = provider(dict(SILVER))
    return draw(changed(message, [message, message["networks"][0]], ["other"], VALUES))


@settings(max_examples=300)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = TOPIC.examples()
    understood(example)


def test_every_field_is_on_the_page() -> None:
    assert TOPIC.missing_on_the_page(TOPIC.fields()) == []
