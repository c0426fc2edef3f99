"""The floor: the least that any consumer in Python has to do with the same messages.

Poll, cut 835s into elements and decode JSON, and write one event and one row a claim with binary COPY into tables with
the keys of the ledger's own, one transaction a poll; of a remittance one event more, and a message that holds nothing
else as it came, because nothing may be lost. No validation, no duplicates found, no encryption, no second
process: what is above it is our cost. Without the option `keys` the tables are bare heaps, in which no event could be
found again. With `accounts` it writes a second event and three rows more a claim, as a charge is split into what is
paid, taken off and owed.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from kafka import KafkaConsumer, TopicPartition

from adapters.kafka.source import POLL_RECORDS, poll_records
from application.ports import Format
from benchmarks.place import Place
from benchmarks.workers import Figures, Stopped, serve, working

TABLES = """
CREATE TABLE floor_event (
    originator_id uuid, originator_version bigint, topic text, state bytea, notification_id bigint,
    recorded_at timestamptz DEFAULT now()
);
CREATE TABLE floor_status (
    claim_id uuid, person_id uuid, payer_id text, status text, status_code text, charge_cents bigint,
    paid_cents bigint, member_cents bigint, paid_on date, remittance_id uuid, postings integer, position bigint,
    projected_at timestamptz DEFAULT now()
);
"""
JOURNAL = """
CREATE TABLE floor_journal (
    position bigint, number int, bill_id uuid, claim_id uuid, day date, source text, destination text, cents bigint,
    asset text, recorded_at timestamptz DEFAULT now(), PRIMARY KEY (position, number)
);
CREATE INDEX ON floor_journal (bill_id);
"""
KEYS = """
ALTER TABLE floor_event ADD PRIMARY KEY (originator_id, originator_version), ADD UNIQUE (notification_id);
ALTER TABLE floor_status ADD PRIMARY KEY (claim_id);
CREATE INDEX ON floor_status (person_id, paid_on);
"""
EVENT = "COPY floor_event (originator_id, originator_version, topic, state, notification_id) FROM STDIN (FORMAT BINARY)"
EVENT_TYPES = ("uuid", "int8", "text", "bytea", "int8")
STATUS = """
COPY floor_status (
    claim_id, person_id, payer_id, status, status_code, charge_cents, paid_cents, member_cents, paid_on,
    remittance_id, postings, position
) FROM STDIN (FORMAT BINARY)
"""
STATUS_TYPES = (
    *("uuid", "uuid", "text", "text", "text", "int8", "int8", "int8", "date"),
    *("uuid", "int4", "int8"),
)
ENTRY = """
COPY floor_journal (position, number, bill_id, claim_id, day, source, destination, cents, asset)
FROM STDIN (FORMAT BINARY)
"""
ENTRY_TYPES = ("int8", "int4", "uuid", "uuid", "date", "text", "text", "int8", "text")
ENTRIES = ("plan_paid", "adjustments", "owed")

Segments = list[list[str]]


class Said(NamedTuple):
    """What is kept of one thing that a message says."""

    topic: str
    state: bytes
    number: str = ""
    """A claim's; empty of anything else, which has no status"""
    status: str = ""
    is_money: bool = True
    """Whether it moves any, where accounts are kept"""


def claims_of(message: bytes) -> Iterator[tuple[str, Segments]]:
    """Each claim's text and its segments, cut up and nothing else."""
    for text in message.decode().split("~\nCLP*")[1:]:
        yield text, [segment.split("*") for segment in text.split("~\n")]


def _of_835(message: bytes) -> Iterator[Said]:
    yield Said("remittance.received:1", message[: message.find(b"~\nCLP*")])
    for text, segments in claims_of(message):
        clp = segments[0]
        if len(clp) > 6:  # a bad message may be cut off in it
            yield Said("claim.adjudicated:1", text.encode(), clp[6], clp[1])


def _of_json(message: bytes) -> Iterator[Said]:
    try:
        notice = _decode(message)
        yield Said("claim.reported:1", message, notice["numbers"]["payer_claim_number"], notice["said"]["kind"])
    except (msgspec.DecodeError, KeyError):
        yield Said("message.kept:1", message)


def _of_others(message: bytes) -> Iterator[Said]:
    """One event and one row, whatever it tells of."""
    notice = _decode(message)
    yield Said("portal.said:1", message, "1", notice["said"]["kind"], is_money="amount_cents" in notice["said"])


_decode = msgspec.json.Decoder().decode
_READ = {
    Format.X12_835: _of_835,
    Format.JSON_CLAIM: _of_json,
    Format.JSON_PAYMENT: _of_others,
    Format.JSON_SIGN_IN: _of_others,
    Format.JSON_COVERAGE: _of_others,
}


def consumer(bootstrap: str, topics: Sequence[str]) -> KafkaConsumer:
    """A consumer with the settings of ours, at the beginning of the whole topics and connected."""
    polls = KafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_bytes=16 * 1024 * 1024,
    )
    partitions = [TopicPartition(topic, number) for topic in topics for number in polls.partitions_for_topic(topic)]
    polls.assign(partitions)
    polls.seek_to_beginning(*partitions)
    for partition in partitions:
        polls.position(partition)
    return polls


def floor(
    where: Place, formats: Mapping[str, Format], messages: int, *, keys: str = "yes", accounts: str = ""
) -> Figures:
    """One run over all messages of the topics: how long it took, and the CPU time of its one process."""
    with where.database() as dsn:
        options = {
            "bootstrap": where.bootstrap,
            "formats": json.dumps(formats),
            "dsn": dsn,
            "messages": str(messages),
            "keys": keys,
            "accounts": accounts,
        }
        with working("benchmarks.floor", "floor", options, where.folder / "floor.log") as worker:
            return worker.finish()


def _work(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    read = {topic: _READ[Format(name)] for topic, name in json.loads(options["formats"]).items()}
    polls = consumer(options["bootstrap"], list(read))
    left = int(options["messages"])
    today, position, batch = date(2026, 3, 2), 0, POLL_RECORDS
    with psycopg.connect(options["dsn"], autocommit=True) as connection:
        connection.execute(TABLES)
        if options.get("keys"):
            connection.execute(KEYS)
        accounts = bool(options["accounts"])
        if accounts:
            connection.execute(JOURNAL)
        cursor = connection.cursor()
        ready()
        began, cpu_began = time.monotonic(), time.process_time()
        while left and not stopped():
            events, rows, entries = [], [], []
            polled = polls.poll(timeout_ms=500, max_records=batch)
            if polled:  # batches as large as ours
                batch = poll_records([record.value for records in polled.values() for record in records])
            for where, records in polled.items():
                left -= len(records)
                for record in records:
                    for topic, state, number, status_code, is_money in read[where.topic](record.value):
                        position += 1
                        claim_id = UUID(int=random.getrandbits(128))
                        events.append((claim_id, 1, topic, state, position))
                        if not number:
                            continue
                        rows.append(
                            (claim_id, claim_id, number, "paid", status_code, 1, 1, 1, today, claim_id, 1, position)
                        )
                        if accounts and is_money:
                            position += 1
                            bill_id = UUID(int=random.getrandbits(128))
                            events.append((bill_id, 1, "bill.assessed:1", state[:200], position))
                            entries += [
                                (position, at, bill_id, claim_id, today, "charges", name, 1, "USD")
                                for at, name in enumerate(ENTRIES)
                            ]
            with connection.transaction():
                with cursor.copy(EVENT) as copy:
                    copy.set_types(EVENT_TYPES)
                    for event in events:
                        copy.write_row(event)
                with cursor.copy(STATUS) as copy:
                    copy.set_types(STATUS_TYPES)
                    for row in rows:
                        copy.write_row(row)
                if accounts:
                    with cursor.copy(ENTRY) as copy:
                        copy.set_types(ENTRY_TYPES)
                        for entry in entries:
                            copy.write_row(entry)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    polls.close()
    return {"took_s": took_s, "cpu_s": cpu_s}


if __name__ == "__main__":
    serve({"floor": _work})
