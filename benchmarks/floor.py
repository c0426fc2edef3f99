"""The floor: the least that any consumer in Python has to do with the same messages.

Poll, cut into elements, and write one event and one row a claim with binary COPY into tables with the keys of the
ledger's own, one transaction a poll. No validation, no duplicates found, no encryption, no second process: what is
above it is our cost. Without the option `keys` the tables are bare heaps, in which no event could be found again.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import date
from uuid import UUID

import psycopg
from kafka import KafkaConsumer, TopicPartition

from adapters.kafka.source import POLL_RECORDS
from benchmarks.workers import Figures, Stopped, serve

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

Segments = list[list[str]]


def claims_of(message: bytes) -> Iterator[tuple[str, Segments]]:
    """Each claim's text and its segments, cut up and nothing else."""
    for text in message.decode().split("~\nCLP*")[1:]:
        yield text, [segment.split("*") for segment in text.split("~\n")]


def consumer(bootstrap: str, topic: str) -> KafkaConsumer:
    """A consumer with the settings of ours, at the beginning of the whole topic and connected."""
    polls = KafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        max_poll_records=POLL_RECORDS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_bytes=16 * 1024 * 1024,
    )
    partitions = [TopicPartition(topic, number) for number in polls.partitions_for_topic(topic)]
    polls.assign(partitions)
    polls.seek_to_beginning(*partitions)
    for partition in partitions:
        polls.position(partition)
    return polls


def floor(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    polls = consumer(options["bootstrap"], options["topic"])
    left = int(options["messages"])
    today, position = date(2026, 3, 2), 0
    with psycopg.connect(options["dsn"], autocommit=True) as connection:
        connection.execute(TABLES)
        if options.get("keys"):
            connection.execute(KEYS)
        cursor = connection.cursor()
        ready()
        began, cpu_began = time.monotonic(), time.process_time()
        while left and not stopped():
            events, rows = [], []
            for records in polls.poll(timeout_ms=500).values():
                left -= len(records)
                for record in records:
                    for text, segments in claims_of(record.value):
                        position += 1
                        claim_id, clp = UUID(int=random.getrandbits(128)), segments[0]
                        events.append((claim_id, 1, "claim.adjudicated:1", text.encode(), position))
                        rows.append((claim_id, claim_id, clp[6], "paid", clp[1], 1, 1, 1, today, claim_id, 1, position))
            with connection.transaction():
                with cursor.copy(EVENT) as copy:
                    copy.set_types(EVENT_TYPES)
                    for event in events:
                        copy.write_row(event)
                with cursor.copy(STATUS) as copy:
                    copy.set_types(STATUS_TYPES)
                    for row in rows:
                        copy.write_row(row)
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    polls.close()
    return {"claims": position, "took_s": took_s, "cpu_s": cpu_s}


if __name__ == "__main__":
    serve({"floor": floor})
