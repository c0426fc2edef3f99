"""Messages for a topic, a consumer of a test's own topic, and what exactly once means.

What is expected is computed from the models that the messages were made from, never from the ledger's own code.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any
from uuid import uuid4

import psutil
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError
from psycopg import Cursor, connect

from adapters.cli.accounts import checked
from adapters.kafka.source import KafkaSource
from adapters.settings import Settings
from application.mapper import StoredEvent
from application.ports import Format
from composition import PROJECTIONS, Ledger
from consumers.loop import Consumer
from domain.account import BillAssessed
from domain.claim import ClaimAdjudicated, ClaimForwarded, ClaimPredetermined, ClaimReversed
from domain.facts import Event
from domain.parking import MessageParked
from domain.person import PersonIdentified
from domain.remittance import RemittanceReceived
from samples import generator
from samples.generator import Remittance, render
from tests.broker import MESSAGE_BYTES_MAX, ROOT
from tests.given import rows, value

PATIENCE_S = 30

# Short times, so that a test of an outage or of a lost member takes seconds.
QUICK = {
    "session_timeout_ms": 6000,  # the least that a broker allows by default
    "heartbeat_interval_ms": 500,
    "metadata_max_age_ms": 1000,
    "reconnect_backoff_max_ms": 1000,
}

Offsets = dict[int, int]
"""Partition → the next offset"""


# --- messages


def remittances(seed: int, count: int, claims: int = 3) -> list[Remittance]:
    """One payer's remittances; each but the first also takes two claims of the one before back and corrects them."""
    rng, payer = random.Random(seed), generator.PAYERS[seed % len(generator.PAYERS)]
    return generator.history(rng, payer, generator.people(rng, payer, 8), remittances=count, claims=claims)


def rendered(messages: Sequence[Remittance]) -> list[bytes]:
    return [render(remittance, control=number) for number, remittance in enumerate(messages, 1)]


@contextmanager
def producing(bootstrap: str, **settings: Any) -> Iterator[KafkaProducer]:
    defaults = {"bootstrap_servers": bootstrap, "acks": "all", "linger_ms": 0}
    with closing(KafkaProducer(**(defaults | settings))) as producer:
        yield producer


def produce(bootstrap: str, topic: str, values: Sequence[bytes | None], partitions: int = 1) -> None:
    """Send to the partitions in turn; all of it is acknowledged when this returns."""
    with producing(bootstrap, max_request_size=MESSAGE_BYTES_MAX) as producer:
        sent = [producer.send(topic, value, key=b"", partition=at % partitions) for at, value in enumerate(values)]
        for future in sent:
            future.get(timeout=20)


def delete(bootstrap: str, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_topics([topic])


def create(bootstrap: str, topic: str, partitions: int = 1) -> None:
    """Make a topic, where need be under the name of one that the broker has not quite deleted yet."""
    layout = {"num_partitions": partitions, "replication_factor": 1}
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        for _ in attempts():
            try:
                admin.create_topics({topic: layout}, wait_for_metadata=True)
                return
            except TopicAlreadyExistsError:
                continue


# --- consuming


@contextmanager
def consuming(ledger: Ledger, bootstrap: str, topic: str, **settings: Any) -> Iterator[Consumer]:
    """A consumer of one topic, in this process, in a group that no other test knows."""
    source = KafkaSource(bootstrap, [topic], f"of-{topic}", **(QUICK | settings))
    with closing(source):
        yield ledger.consumer(source, formats={topic: Format.X12_835})


def drain(consumer: Consumer, ledger: Ledger, bootstrap: str, topic: str) -> None:
    """Step until everything that is in the topic now was taken in."""
    topic_id, ends = end_offsets(bootstrap, topic)
    for _ in attempts():
        if taken_in(ledger, topic_id) == ends:
            return
        consumer.step(0.2)


def attempts(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Tries, until an assertion fails because patience is out."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        yield
        time.sleep(0.01)
    raise AssertionError(f"it did not happen within {patience_s} s")


def wait_until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    for _ in attempts(patience_s):
        if condition():
            return


def end_offsets(bootstrap: str, topic: str) -> tuple[str, Offsets]:
    """The topic's id, and the end of each partition that holds anything."""
    with (
        closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin,
        closing(KafkaConsumer(bootstrap_servers=bootstrap)) as consumer,
    ):
        [described] = admin.describe_topics([topic])
        partitions = [TopicPartition(topic, part["partition_index"]) for part in described["partitions"]]
        ends = consumer.end_offsets(partitions)
    return str(described["topic_id"]), {where.partition: end for where, end in ends.items() if end}


def taken_in(ledger: Ledger, topic_id: str) -> Offsets:
    """How far the ledger says it is, in each partition of which it has anything."""
    with connect(ledger.database.dsn) as connection:  # not the ledger's own pool, which may be what is tested
        rows = connection.execute(
            "SELECT partition, next_offset FROM source_offset WHERE topic_id = %s AND next_offset > 0", [topic_id]
        )
        return dict(rows.fetchall())


def committed(bootstrap: str, topic: str, partition: int = 0) -> int | None:
    """How far the group's own offsets are."""
    group = f"of-{topic}"
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)) as consumer:
        offset: int | None = consumer.committed(TopicPartition(topic, partition))
    return offset


# --- exactly once


def assert_exactly_once(
    ledger: Ledger, messages: Sequence[Remittance], bootstrap: str, topic: str, parked: int = 0
) -> None:
    """Every message's events are in the log once, the ledger stands at the topic's end, and projections replay."""
    events = recorded(ledger)
    assert [position for position, _, _, _ in events] == list(range(1, len(events) + 1))
    said, expected = facts(events), expected_facts(messages) + Counter({"parked": parked})
    assert said == expected, f"too much: {said - expected}; missing: {expected - said}"
    topic_id, ends = end_offsets(bootstrap, topic)
    assert taken_in(ledger, topic_id) == ends
    assert_projections_replay(ledger)


Recorded = list[tuple[int, str, Event, Any]]
"""Position, stream, event and its opened personal facts"""


def recorded(ledger: Ledger) -> Recorded:
    with ledger.database.session() as cursor:
        rows = cursor.execute(
            "SELECT notification_id, originator_id::text, originator_version, topic, state FROM events "
            "ORDER BY notification_id",
            binary=True,
        ).fetchall()
    events: Recorded = []
    for position, *row in (tuple(row.values()) for row in rows):
        stored = StoredEvent(*row)
        event = ledger.mapper.load(stored)
        events.append((position, stored.originator_id, event, ledger.mapper.unseal(stored, event)))
    return events


def facts(events: Recorded) -> Counter[Any]:
    """What the log says happened, told in the terms of the messages: nothing of ids, versions or positions."""
    names = {stream: (p.member_id, p.given_name) for _, stream, e, p in events if isinstance(e, PersonIdentified)}
    traces = {stream: e.trace_number for _, stream, e, _ in events if isinstance(e, RemittanceReceived)}
    claims: dict[Any, str] = {}
    said: Counter[Any] = Counter()
    for _, stream, event, personal in events:
        match event:
            case RemittanceReceived():
                said["remittance", event.trace_number, event.paid_on, event.total_cents, event.claim_count] += 1
            case PersonIdentified():
                said["person", event.payer_id, *names[stream], personal.family_name] += 1
            case ClaimAdjudicated() | ClaimReversed() | ClaimForwarded() | ClaimPredetermined():
                claim = (event.payer_id, personal.payer_claim_number, *names[event.person])
                assert claims.setdefault(claim, stream) == stream, "one claim is one stream"
                assert event.remittance is not None
                a = event.adjudication
                amounts = (a.charge_cents, a.paid_cents, a.patient_cents)
                kind = type(event).__name__
                said["posting", kind, traces[event.remittance], event.day, claim, a.status_code, amounts] += 1
            case MessageParked():
                said["parked"] += 1
            case BillAssessed():
                pass  # says nothing new: `assert_books_hold`
            case _:
                raise AssertionError(f"unexpected {type(event).__name__}")
    assert len(set(claims.values())) == len(claims), "different claims are different streams"
    return said


def expected_facts(messages: Sequence[Remittance]) -> Counter[Any]:
    """The same, from the models alone. A message counts once, however often it was sent."""
    expected: Counter[Any] = Counter()
    for message in {(m.payer.code, m.trace_number): m for m in messages}.values():
        payer_id = "1" + message.payer.tax_id
        paid_on = message.paid_on
        expected["remittance", message.trace_number, paid_on, message.paid_cents, len(message.claims)] = 1
        for claim in message.claims:
            member = claim.member
            expected["person", payer_id, member.member_id, member.given_name, member.family_name] = 1
            identity = (payer_id, claim.claim_number, member.member_id, member.given_name)
            kind = {"22": "ClaimReversed", "23": "ClaimForwarded", "25": "ClaimPredetermined"}.get(claim.status)
            amounts = (claim.charge_cents, claim.paid_cents, claim.patient_cents)
            posting = (kind or "ClaimAdjudicated", message.trace_number, paid_on, identity, claim.status, amounts)
            expected["posting", *posting] += 1
    return expected


def assert_projections_replay(ledger: Ledger) -> None:
    """What was folded on the way equals what a fold from the first event gives."""
    ledger.runner.catch_up()
    folded = _projected(ledger)
    assert not value(ledger.database, "SELECT count(*) FROM projection_fault")
    for projection in PROJECTIONS:
        rebuilt = ledger.rebuild(projection.NAME)
        assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0), rebuilt
    assert _projected(ledger) == folded
    assert_books_hold(ledger)


OWED_OTHERWISE = """
SELECT bill_id, bill.member_owes, owed.cents FROM bills bill
FULL JOIN (
    SELECT bill_id, sum(balance) AS cents FROM balances
    WHERE account LIKE 'owed.%%' OR account IN ('patient_paid', 'credit') GROUP BY bill_id
) owed
USING (bill_id) WHERE coalesce(bill.member_owes, 0) <> coalesce(owed.cents, 0)
"""


def assert_books_hold(ledger: Ledger) -> None:
    """The accounts say what the claims say, and what is owed is what payers state by themselves (CLP05)."""
    assert not any(checked(ledger).values())
    assert rows(ledger.database, OWED_OTHERWISE) == []


def _projected(ledger: Ledger) -> dict[str, list[str]]:
    """All rows of all projections, but for the time at which they were written."""
    with ledger.database.session() as cursor:
        return {
            table: [
                row["row"]
                for row in cursor.execute(
                    f"SELECT (to_jsonb(t) - 'projected_at')::text AS row FROM {schema}.{table} t ORDER BY 1"
                )
            ]
            for schema, table in _tables(cursor)
        }


def _tables(cursor: Cursor[Any]) -> list[tuple[str, str]]:
    """Schema and name of each table of the live generations."""
    found = cursor.execute(
        "SELECT schemaname, tablename FROM pg_tables "
        "JOIN projection_generation ON schemaname = name || '_g' || generation AND live"
    ).fetchall()
    assert len({row["schemaname"] for row in found}) == len(PROJECTIONS)
    return [(row["schemaname"], row["tablename"]) for row in found]


# --- a consumer in a process of its own


class ConsumerProcess:
    """tests/consumer_process.py as a child; its log is a file of JSON lines among others."""

    def __init__(
        self,
        settings: Settings,
        bootstrap: str,
        topic: str,
        *faults: str,
        client: Mapping[str, Any] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        """`within` is a command that runs the one which follows it, somewhere else or under another clock."""
        self.log_file = settings.data / f"consumer-{uuid4()}.log"
        ledger = {"LEDGER_DSN": str(settings.dsn), "LEDGER_KEYS": str(settings.keys), "LEDGER_DATA": str(settings.data)}
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(*within, sys.executable, "-m", "tests.consumer_process", bootstrap, topic, f"of-{topic}"),
                    *("--settings", json.dumps(QUICK | dict(client or {}))),
                    *faults,
                ],
                env=os.environ | ledger | {"LEDGER_MAX_MESSAGE_MB": str(settings.max_message_mb)},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = self.log_file.read_text().splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [entry for entry in entries if entry["event"] == event]

    def is_stopped(self) -> bool:
        """Whether SIGSTOP holds it."""
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def end(self) -> str:
        """Ask it to end as it should; what it printed."""
        self.process.terminate()
        printed, _ = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, self.log_file.read_text()[-4000:]
        return printed

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
