"""Notices of claims as JSON: through the intake, from files, and over Kafka beside remittances."""

import json
from contextlib import closing
from typing import Any

import pytest

from adapters.kafka.source import KafkaSource
from application.intake import Outcome
from application.ports import Format, Message
from composition import Ledger
from domain.claim import ClaimAdjudicated, ClaimPended, ClaimReceived, ClaimReleased, ClaimReversed
from samples.generator import render
from tests.broker import Broker
from tests.delivery import QUICK, create, delete, drain, produce
from tests.given import ADA, paid, remittance, rows
from tests.unit.notices import adjudicated, encoded, line, report


def take(ledger: Ledger, *messages: bytes) -> list[Outcome]:
    """One batch."""
    return ledger.intake.handle([
        Message(f"payer.adjudications/0@{at}", message, Format.JSON_CLAIM) for at, message in enumerate(messages)
    ])  # fmt: skip


def reasons(outcome: Outcome) -> list[str]:
    return [part.park.reason for part in outcome.parked]


def claim_events(ledger: Ledger) -> list[Any]:
    streams = rows(ledger.database, "SELECT DISTINCT originator_id FROM events WHERE topic LIKE %s", "claim%")
    return [
        ledger.mapper.load(recorded.stored)
        for stream in streams
        for recorded in ledger.log.history(str(stream["originator_id"]))
    ]


# --- through the intake


def test_what_is_said_of_a_claim_becomes_its_events(ledger: Ledger) -> None:
    outcomes = take(ledger, encoded(report("received")), encoded(report("pended")), encoded(adjudicated()))
    assert [(outcome.claims, outcome.events, outcome.parked) for outcome in outcomes] == [
        (1, 2, []),
        (1, 1, []),
        (1, 2, []),
    ]
    received, pended, decided = claim_events(ledger)
    assert isinstance(received, ClaimReceived)
    assert isinstance(pended, ClaimPended)
    assert isinstance(decided, ClaimAdjudicated)
    assert (decided.remittance, decided.day.isoformat(), decided.source) == (
        None,
        "2026-03-02",
        "payer.adjudications/0@2",
    )


def test_the_same_in_another_order_and_layout_is_a_duplicate(ledger: Ledger) -> None:
    messages = [adjudicated(line(), line(2_000, 0)), report("rejected")]
    take(ledger, *map(encoded, messages))
    again = [json.dumps(dict(reversed(each.items())), indent=3).encode() for each in messages]
    for outcome in take(ledger, *again):
        assert (outcome.events, outcome.duplicates, outcome.parked) == (0, 1, [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (report("pended"), report("pended", awaits="medical_review")),
        (adjudicated(), adjudicated(line(10_000, 7_000))),
        (report("received"), report("received", charge_cents=1)),
    ],
)
def test_the_same_thing_said_otherwise_is_a_conflict(ledger: Ledger, first: Any, second: Any) -> None:
    posted, conflicting = take(ledger, encoded(first), encoded(second))
    assert (reasons(posted), reasons(conflicting)) == ([], ["claim.conflict"])
    [item] = ledger.log.parked_items()
    assert ledger.intake.raw(item.raw_id) == encoded(second)
    [waiting] = take(ledger, encoded(report("released")))
    assert reasons(waiting) == ["claim.waiting"]


def test_several_decisions_of_a_day_are_told_apart_by_their_sequence(ledger: Ledger) -> None:
    first, second = take(ledger, encoded(adjudicated()), encoded(adjudicated(line(10_000, 7_000), sequence=2)))
    assert (reasons(first), reasons(second)) == ([], [])


def test_a_reversal_takes_the_adjudication_of_its_claim_back(ledger: Ledger) -> None:
    back = adjudicated(line(-10_000, -8_000), status_code="22", on="2026-03-09")
    take(ledger, encoded(adjudicated()), encoded(back))
    assert [type(event) for event in claim_events(ledger)] == [ClaimAdjudicated, ClaimReversed]


def test_a_code_that_no_payer_has_parks_the_claim(ledger: Ledger) -> None:
    [outcome] = take(ledger, encoded(adjudicated(status_code="7")))
    assert reasons(outcome) == ["claim.unknown_status"]


def test_what_waited_behind_a_notice_that_is_discarded_is_taken_in(ledger: Ledger) -> None:
    _, conflicting = take(ledger, encoded(report("pended")), encoded(report("pended", awaits="other")))
    [outcome] = take(ledger, encoded(report("released")))
    ledger.intake.discard(conflicting.parked[0].parked_id, "ada", "sent by mistake")
    assert outcome.parked[0].park.format == Format.JSON_CLAIM
    assert ledger.log.parked_items() == []
    assert [type(event) for event in claim_events(ledger)] == [ClaimPended, ClaimReleased]


# --- beside remittances


def test_one_consumer_reads_each_topic_in_its_own_format(broker: Broker, topic: str, ledger: Ledger) -> None:
    decided = adjudicated(line(10_000, 8_000)) | {
        "payer_id": "1078810412",
        "patient": {"member_id": ADA.member_id, "given_name": ADA.given_name, "family_name": ADA.family_name},
        "numbers": {"patient_control_number": "PTA", "payer_claim_number": "A"},
    }
    notices = f"{topic}-notices"
    create(broker.bootstrap, notices)
    produce(broker.bootstrap, topic, [render([remittance(1, paid("A"))], control=1), encoded(decided)])
    produce(broker.bootstrap, notices, [encoded(decided), render([remittance(1, paid("A"))], control=1)])
    with closing(KafkaSource(broker.bootstrap, [topic, notices], f"of-{topic}", **QUICK)) as source:
        consumer = ledger.consumer(source, formats={topic: Format.X12_835, notices: Format.JSON_CLAIM})
        drain(consumer, ledger, broker.bootstrap, topic)
        drain(consumer, ledger, broker.bootstrap, notices)
    delete(broker.bootstrap, notices)
    first, second = claim_events(ledger)
    assert {first.source, second.source} == {f"{topic}/0@0", f"{notices}/0@0"}
    assert {first.remittance is None, second.remittance is None} == {True, False}
    parked = {(item.reason, item.source) for item in ledger.log.parked_items()}
    assert parked == {("x12.no_isa", f"{topic}/0@1"), ("json.not_json", f"{notices}/0@1")}
    ledger.intake.retry(ledger.log.parked_items()[0].parked_id)
    assert {(item.reason, item.source) for item in ledger.log.parked_items()} == parked


# --- from files


def test_a_file_of_lines_is_taken_in_line_by_line(ledger: Ledger) -> None:
    data = b"\n".join([encoded(report("received")), b"{", encoded(adjudicated()), encoded(report("received"))])
    outcome = ledger.intake.handle_file(Message("file:abc", data, Format.JSON_CLAIM_LINES))
    assert (outcome.claims, outcome.events, outcome.duplicates) == (3, 2 + 1 + 2, 1)
    assert reasons(outcome) == ["json.not_json"]
    [item] = ledger.log.parked_items()
    assert (item.where, item.source, ledger.intake.raw(item.raw_id)) == ("line 2", "file:abc", b"{")
    assert ledger.intake.retry(item.parked_id) is False
