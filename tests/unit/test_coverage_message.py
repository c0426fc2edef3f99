"""Messages of topic coverage.changes: what is read, what is refused, and the schema and the page that say so."""

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.coverage import read, translate
from application.ports import Understood
from domain.coverage import CoverageNotice, Individual, Numbers
from domain.enrolment import Enrolled, Relationship
from domain.person import Description, Link, LinkNotice, Names, Sex
from domain.plan_change import RULES, Cause, Proof, Requested
from tests.unit.coverage import ADA, CY, LINKS, SAID, change
from tests.unit.notices import Message, encoded
from tests.unit.topic import Topic, changed

TOPIC = Topic(CoverageNotice, translate, read, "coverage-change-1", "Changes of coverage")
understood, refused = TOPIC.understood, TOPIC.refused
CHILD = CY | {"relationship": "child"}
TWICE = "$.said.dependants: a given_name stands twice"
LONG_AGO = {"event": "birth", "on": "1800-01-01"}


def test_an_enrolment_is_read_into_the_ledgers_terms() -> None:
    ada, ben = Names("TGV100000001", "ABERNOLT", "ADA"), Names("TGV100000001", given_name="BEN")
    assert understood(change("enrolled")) == CoverageNotice(
        payer_id="1078830634",
        member_id="TGV100000001",
        numbers=Numbers("CH-enrolled"),
        at=datetime.fromisoformat("2026-04-10T09:00:00-04:00"),
        said=Enrolled("TGV-SILVER", date(2026, 1, 1)),
        individuals=(
            Individual(ada, Relationship.SUBSCRIBER, Description(date(1980, 1, 1), Sex.FEMALE)),
            Individual(ben, Relationship.SPOUSE, Description(date(1979, 5, 5), Sex.UNKNOWN)),
        ),
    )


def test_a_request_is_read_with_its_life_event_and_proofs() -> None:
    notice = understood(change("plan_change_requested"))
    event = Cause("birth", date(2026, 3, 30), (Proof.BIRTH_CERTIFICATE,))
    assert notice.said == Requested("TGV-GOLD", date(2026, 5, 1), event)
    assert understood(change("plan_change_requested", life_event=None)).said == Requested("TGV-GOLD", date(2026, 5, 1))


@pytest.mark.parametrize("kind", SAID)
def test_every_kind_is_read(kind: str) -> None:
    notice = understood(change(kind))
    assert notice.said.__struct_config__.tag == kind
    assert notice.numbers.of_change_id == SAID[kind].get("of_change_id", "")


@pytest.mark.parametrize(("kind", "earlier"), [("linked", "ADA"), ("merged", "ADDIE"), ("unlinked", "ADA")])
def test_a_link_and_that_there_is_none_are_read_as_said_of_two_persons(kind: str, earlier: str) -> None:
    [part] = translate(encoded(change(kind)))
    assert isinstance(part, Understood)
    ada, before = Names("TGV100000001", given_name="ADA"), Names("OLD1", given_name=earlier)
    at = datetime.fromisoformat("2026-04-10T09:00:00-04:00")
    assert part.said == LinkNotice("1078830634", ada, before, Link(kind), at)


def test_whoever_is_removed_is_only_named() -> None:
    [ben] = understood(change("dependant_removed")).individuals
    assert (ben.names.given_name, ben.description) == ("BEN", None)


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (change("enrolled", dependants=[CHILD, CHILD | {"given_name": "cy"}]), TWICE),
        (change("enrolled", dependants=[ADA | {"relationship": "child"}]), TWICE),
        (change("enrolled", effective_from="2200-01-01"), "$.said.effective_from: out of bounds"),
        (change("enrolled", subscriber=ADA | {"birth_date": "1899-12-31"}), "$.said: a birth_date is out of bounds"),
        (change("terminated", on="1899-12-31"), "$.said.on: out of bounds"),
        (change("terminated", reason="did not pay"), "$.said.reason: not of the right form"),
        (change("plan_change_requested", life_event=LONG_AGO), "$.said.life_event.on: out of bounds"),
        (change("dependant_added", dependant=CY), "$.said.dependant.relationship: missing"),
        (change("terminated", at="2026-04-10T09:00:00"), "$.at: without an offset"),
        (change("linked", at="1899-04-10T09:00:00-04:00"), "$.at: out of bounds"),
        (change("ended"), "$.said.kind: not one of the allowed values"),
    ],
)  # fmt: skip
def test_what_does_not_follow_the_schema_is_refused_with_its_place(message: Message, where: str) -> None:
    assert refused(message) == ("json.wrong_schema", where)


def test_what_is_kept_in_the_clear_or_is_a_name_may_not_be_the_number_of_a_card_or_a_bank_account() -> None:
    card, account = "4111 1111 1111 1111", "DE89370400440532013000"
    assert refused(change("terminated") | {"payer_id": card})[0] == "coverage.account_number"
    assert refused(change("plan_change_requested", plan_id=account))[0] == "coverage.account_number"
    assert refused(change("dependant_removed", given_name=card))[0] == "coverage.account_number"


@pytest.mark.parametrize("field", ["member_id", "change_id"])
def test_the_payers_own_numbers_are_sealed_and_may_be_any(field: str) -> None:
    number = "4111111111111111"
    told = understood(change("terminated") | {field: number})
    assert number in (told.member_id, told.numbers.change_id)
    assert understood(change("voided", of_change_id=number)).numbers.of_change_id == number


@pytest.mark.parametrize("kind", ["enrolled", "plan_change_confirmed", "linked"])
def test_what_is_said_in_the_future_is_not_taken_in_until_then(kind: str) -> None:
    """A payer may know days only, wherever it is."""
    today, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (23, 25))
    [part] = translate(encoded(change(kind, today.isoformat())))
    assert isinstance(part, Understood)
    assert refused(change(kind, later.isoformat())) == ("coverage.ahead_of_time", "")


# --- the schema, and the page


TEXTS = ["", " 1", "x" * 41, "x" * 81, "R01", "a b", "birth", "female", "2026-02-30", "2026-02-28"]
VALUES: list[Any] = [None, True, 0, 1, *TEXTS, [], {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = deepcopy(change(draw(st.sampled_from(sorted(SAID | LINKS)))))
    said = message["said"]
    inner = [said[name] for name in ("subscriber", "dependant", "life_event") if name in said]
    return draw(changed(message, [message, said, *inner], ["reason", "suffix", "other"], VALUES))


@settings(max_examples=500)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    example, _ = TOPIC.examples()
    understood(example)


def test_every_kind_and_field_is_on_the_page() -> None:
    words = set(SAID) | set(LINKS) | set(Relationship) - {"subscriber"} | set(Sex) | set(Proof) | set(RULES)
    assert TOPIC.missing_on_the_page(TOPIC.fields() | words) == []
