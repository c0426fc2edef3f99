"""Messages of topic portal.sign-ins: what is read, what is refused, and the schema and the page that say so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.sign_in import read, translate, translate_lines
from application.ports import NotUnderstood, Understood
from domain.sign_in import Cause, Kind, Member, Notice, Numbers, Personal, Said
from tests.unit.notices import Message, encoded
from tests.unit.sign_ins import SAID, of_member, sign_in
from tests.unit.topic import Topic, changed

TOPIC = Topic(Notice, translate, read, "sign-in-1", "Sign-ins")
understood, refused = TOPIC.understood, TOPIC.refused


def test_a_failed_sign_in_is_read_into_the_ledgers_terms() -> None:
    at = datetime.fromisoformat("2026-03-02T07:00:00-05:00")
    assert understood(of_member(sign_in("sign_in_failed", device="Firefox"))) == Notice(
        portal_id="member-portal",
        personal=Personal("ada", address="203.0.113.7", device="Firefox", country="US"),
        numbers=Numbers("E-1", device_id="D-1"),
        said=Said(Kind.SIGN_IN_FAILED, at, cause=Cause.WRONG_PASSWORD),
        member=Member("1078810412", "NHP100000001", "ADA"),
    )


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_read(kind: Kind) -> None:
    assert understood(sign_in(kind)).said.kind is kind


def test_an_address_is_known_again_however_it_is_written() -> None:
    spellings = ["2001:DB8:0:0::7", "2001:db8::7", "2001:0db8:0000::0007"]
    told = [understood(sign_in("session_used", address=each)).personal.address for each in spellings]
    assert told == ["2001:db8::7"] * 3


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (sign_in("signed_in") | {"user_name": ""}, "$.user_name: not of the right form"),
        (sign_in("signed_in") | {"user_name": " "}, "$.user_name: not of the right form"),
        (sign_in("sign_in_failed", cause="locked"), "$.said.cause: not one of the allowed values"),
        (sign_in("sign_in_failed", cause="forgot it"), "$.said.cause: not one of the allowed values"),
        (sign_in("sign_in_failed", address="localhost"), "$.said.address: not of the right form"),
        (sign_in("sign_in_failed", country="us"), "$.said.country: not of the right form"),
        (sign_in("sign_in_failed", at="2026-03-02T07:00:00"), "$.said.at: without an offset"),
        (sign_in("sign_in_failed", at="0001-01-01T00:00:00+05:00"), "$.said.at: out of bounds"),
        (sign_in("code_issued", expires_at="9999-12-31T23:59:59Z"), "$.said.at: out of bounds"),
        (sign_in("unlocked", by="ran_out"), "$.said.by: not one of the allowed values"),
        (sign_in("signed_in", password="hunter2"), "$.said: unknown field"),
        (sign_in("app_linked", scopes=[]), "$.said.scopes: out of bounds"),
        (of_member(sign_in("registered"), member_id=""), "$.member.member_id: not of the right form"),
    ],
)
def test_what_does_not_follow_the_schema_is_refused_with_its_place(message: Message, where: str) -> None:
    assert refused(message) == ("json.wrong_schema", where)


@pytest.mark.parametrize("number", ["4111111111111111", "DE89370400440532013000"])
def test_no_text_that_is_kept_may_hold_the_number_of_a_card_or_a_bank_account(number: str) -> None:
    named = {"payer_id": number, "member_id": "M", "given_name": "ADA"}
    for message in (
        sign_in("registered") | {"user_name": number},
        sign_in("registered") | {"member": named},
        sign_in("terms_accepted", terms=number),
    ):
        assert refused(message)[0] == "login.account_number"
    assert understood(sign_in("linked", event_id=number)).numbers.event_id == number


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"device": "phone 4111111111111111"}, ("", "D-1")),
        ({"device": "x" * 8_000}, ("x" * 80, "D-1")),
        ({"device_id": "x" * 81}, ("Firefox", "")),
        ({"device_id": " "}, ("Firefox", "")),
    ],
)
def test_nothing_that_a_browser_sends_keeps_an_attempt_from_being_counted(
    sent: dict[str, str], kept: tuple[str, str]
) -> None:
    told = understood(sign_in("sign_in_failed", **{"device": "Firefox"} | sent))
    assert (told.personal.device, told.numbers.device_id) == kept
    named = understood(sign_in("sign_in_failed") | {"user_name": "4111111111111111"})
    assert named.personal.user_name == "4111111111111111"


@pytest.mark.parametrize("kind", Kind)
def test_what_is_told_from_the_future_is_not_taken_in_until_then(kind: Kind) -> None:
    soon, later = (datetime.now(UTC) + timedelta(minutes=far) for far in (5, 15))
    assert understood(sign_in(kind, at=soon.isoformat())).said.kind is kind
    assert refused(sign_in(kind, at=later.isoformat())) == ("login.ahead_of_time", "")


def test_until_when_an_activation_code_is_good_may_lie_ahead() -> None:
    far = datetime.now(UTC) + timedelta(days=365)
    assert understood(sign_in("code_issued", expires_at=far.isoformat())).said.expires_at == far


def test_an_acknowledgement_names_what_was_seen_by_the_portals_id_or_by_the_ledgers() -> None:
    fact = "018f3c1e-0000-8000-8000-000000000001"
    by_fact = understood(sign_in("alert_acknowledged", about_event_id=None, about_fact_id=fact))
    assert by_fact.numbers == Numbers("E-1", about_fact_id=fact)
    assert understood(sign_in("alert_acknowledged")).numbers == Numbers("E-1", about_event_id="E-1")
    for ids in ({"about_event_id": None}, {"about_fact_id": fact}):
        assert refused(sign_in("alert_acknowledged", **ids)) == (
            "json.wrong_schema",
            "$.said: either about_event_id or about_fact_id",
        )
    assert refused(sign_in("alert_acknowledged", about_event_id=None, about_fact_id="E-1")) == (
        "json.wrong_schema",
        "$.said.about_fact_id: not of the right form",
    )


def test_an_address_has_one_way_to_be_written() -> None:
    assert understood(sign_in("signed_in", address="::ffff:203.0.113.7")).personal.address == "203.0.113.7"
    assert refused(sign_in("signed_in", address="fe80::1%ada"))[1] == "$.said.address: not of the right form"


def test_lines_of_a_file_are_read_each_as_if_it_came_alone() -> None:
    parts = list(translate_lines(encoded(sign_in("registered")) + b"\n\n{\n" + encoded(sign_in("signed_in"))))
    assert [(type(part), part.where) for part in parts] == [
        (Understood, "line 1"),
        (NotUnderstood, "line 3"),
        (Understood, "line 4"),
    ]


# --- the schema, and the page


TEXTS = ["", " 1", "x" * 46, "x" * 81, "US", "us", "link", "agent", "member", "passkey", "ial2", "a b"]
VALUES: list[Any] = [None, True, 0, 1, *TEXTS, [], ["claims"], ["claims"] * 4, {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = of_member(sign_in(draw(st.sampled_from(sorted(SAID)))))
    parts = [message, message["said"], message["member"]]
    return draw(changed(message, parts, ["device", "factor", "by", "other"], VALUES))


@settings(max_examples=500)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    [example] = TOPIC.examples()
    understood(example)


def test_every_kind_and_field_is_on_the_page() -> None:
    assert TOPIC.missing_on_the_page(TOPIC.fields() | set(SAID)) == []


def test_every_value_of_a_closed_list_is_on_the_page() -> None:
    told = {value for part in TOPIC.schema["$defs"].values() for value in part.get("enum", ())}
    assert TOPIC.missing_on_the_page(told) == []
