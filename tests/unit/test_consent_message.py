"""Messages about families: what is read, what is refused, and the schema and the page that say so."""

from copy import deepcopy
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.json_message.coverage import read, translate
from domain import consent
from domain.consent import Area, Kind, Notice, Numbers, Party
from domain.person import Names
from tests.unit.families import MEMBER, PAYER, SAID, said
from tests.unit.notices import Message
from tests.unit.topic import Topic, changed

TOPIC = Topic(Notice, translate, read, "coverage-change-1", "Changes of coverage")
understood, refused = TOPIC.understood, TOPIC.refused
KINDS = sorted(SAID.keys() - {"enrolled", "linked", "unlinked"})


def test_a_grant_is_read_into_the_ledgers_terms() -> None:
    assert understood(said("consent_granted", change_id="C-1", areas=["care", "money"], until="2026-12-31")) == Notice(
        payer_id=PAYER,
        subject=Names(MEMBER, given_name="ADA"),
        numbers=Numbers("C-1"),
        said=consent.Said(
            Kind.CONSENT_GRANTED,
            datetime.fromisoformat("2026-03-02T12:00:00-05:00"),
            Party.SUBJECT,
            areas=(Area.CARE, Area.MONEY),
            until=date(2026, 12, 31),
        ),
        viewer=Names(MEMBER, given_name="BEN"),
    )


def test_a_viewer_may_be_known_under_another_number() -> None:
    elsewhere = {"given_name": "BEN", "member_id": "TGV999999999"}
    assert understood(said("consent_revoked", viewer=elsewhere)).viewer == Names("TGV999999999", given_name="BEN")
    assert understood(said("consent_revoked", viewer=elsewhere | {"given_name": "ADA"})).viewer is not None


def test_a_grant_may_be_for_one_day() -> None:
    assert understood(said("consent_granted", first_on="2026-03-05", until="2026-03-05")).said.until == date(2026, 3, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read(kind: str) -> None:
    notice = understood(said(kind))
    assert (notice.said.kind, notice.viewer is None) == (kind, kind.startswith("confidential"))


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (said("consent_granted", by="plan"), "$.said.by: not one of the allowed values"),
        (said("consent_granted", areas=[]), "$.said.areas: out of bounds"),
        (said("consent_limited", areas=["claims", "claims"]), "$.said.areas: one of them twice"),
        (said("consent_granted", areas=["all"]), "$.said.areas[0]: not one of the allowed values"),
        (said("consent_granted", first_on="2026-03-03", until="2026-03-02"), "$.said.until: before it begins"),
        (said("consent_granted", until="2026-02-28"), "$.said.until: before it begins"),
        (said("consent_granted", until="2200-01-01"), "$.said.until: out of bounds"),
        (said("consent_revoked") | {"at": "1899-12-31T00:00:00Z"}, "$.at: out of bounds"),
        (said("consent_revoked", viewer={"given_name": "Ada"}), "$.said.viewer: the subject"),
        (said("consent_revoked", reason="divorce"), "$.said: unknown field"),
        (said("family_linked", relationship="cousin"), "$.said.relationship: not one of the allowed values"),
        (said("confidential_communications_requested", viewer={"given_name": "BEN"}), "$.said: unknown field"),
    ],
)  # fmt: skip
def test_what_does_not_follow_the_schema_is_refused_with_its_place(message: Message, where: str) -> None:
    assert refused(message) == ("json.wrong_schema", where)


@pytest.mark.parametrize("field", ["subject", "viewer"])
def test_no_name_may_be_the_number_of_a_card(field: str) -> None:
    card = "4111 1111 1111 1111"
    named = {"subject": card} if field == "subject" else {"viewer": {"given_name": card}}
    assert refused(said("consent_revoked", **named))[0] == "coverage.account_number"


TEXTS = ["", " 1", "x" * 81, "plan", "subject", "spouse", "2026-02-30", "2026-12-31"]
VALUES: list[Any] = [None, True, 0, *TEXTS, [], ["claims"], ["claims"] * 5, ["other"], {}]


@st.composite
def slips(draw: st.DrawFn) -> Message:
    message = deepcopy(said(draw(st.sampled_from(KINDS))))
    parts = [message, message["said"], *([message["said"]["viewer"]] if "viewer" in message["said"] else [])]
    return draw(changed(message, parts, ["until", "member_id", "other"], VALUES))


@settings(max_examples=300)
@given(slips())
def test_our_reader_and_an_independent_validator_agree(message: Message) -> None:
    TOPIC.assert_reader_and_schema_agree(message)


def test_the_example_on_the_page_is_a_good_message() -> None:
    _, example = TOPIC.examples()
    understood(example)


def test_every_kind_is_on_the_page() -> None:
    assert TOPIC.missing_on_the_page({*Kind, *consent.Relationship, *Area, *Party}) == []
