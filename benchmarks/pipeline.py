"""Consumers and projector side by side, as in production: each a process, over the same topics and one database."""

import json
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple
from uuid import uuid4

import psycopg
from psycopg import Connection

from application.ports import Format
from benchmarks.place import PARTITIONS, Place
from benchmarks.report import Figure
from benchmarks.workers import Worker, working
from composition import Ledger
from domain.remittance import RemittanceReceived

CONSUMERS = 2
"""As many as there are cores here: one waits for the database while the other parses"""
WATCH_S = 0.02
SAMPLE_S = 0.002
LATENCY_S = 12
STALLED_S = 120

# Up to where every projection has come. The library keeps a row of its own there, whose name has no version.
PROJECTED = "SELECT min(notification_id) FROM projection_position WHERE application_name LIKE '%:%'"

# How many messages of these topics are taken in, where the log ends, and that.
PROGRESS = """
SELECT (SELECT coalesce(sum(next_offset), 0) FROM source_offset WHERE topic = ANY(%s))::bigint,
    (SELECT position FROM head),
    (SELECT min(notification_id) FROM projection_position WHERE application_name LIKE '%%:%%')
"""


class Stalled(Exception):
    """Nothing moved for two minutes."""


class Traffic(NamedTuple):
    """What is sent through the pipeline."""

    formats: Mapping[str, Format]
    """By topic"""
    messages: int
    units: int
    """What its rate counts: claims, or messages where they hold no or many claims"""


@contextmanager
def running(place: Place, ledger: Ledger, formats: Mapping[str, Format]) -> Iterator[tuple[list[Worker], Worker]]:
    """A ledger's consumers, which share all topics, and its projector, all ready."""
    options = {
        "bootstrap": place.bootstrap,
        "formats": json.dumps(formats),
        "group": f"bench-{uuid4()}",
        "dsn": ledger.database.dsn,
        "keys": str(ledger.settings.keys),
        "partitions": str(len(formats) * PARTITIONS // CONSUMERS),
    }
    logs = [place.folder / f"consume-{number}.log" for number in range(CONSUMERS)]
    with ExitStack() as stack:
        projector = stack.enter_context(working("benchmarks.workers", "project", options, place.folder / "project.log"))
        consumers = [
            stack.enter_context(closing(Worker("benchmarks.workers", "consume", options, log))) for log in logs
        ]
        for consumer in consumers:
            consumer.expect_ready()
        yield consumers, projector


class Sample(NamedTuple):
    messages: int
    consumer_mb: float
    projector_mb: float


@dataclass
class Run:
    """One passage of all messages through the pipeline."""

    units: int
    took_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    @property
    def units_per_s(self) -> float:
        return self.units / self.took_s

    def peak_mb(self) -> tuple[float, float]:
        return max(s.consumer_mb for s in self.samples), max(s.projector_mb for s in self.samples)

    def growth_mb(self) -> tuple[float, float]:
        """From a quarter of the messages to the end."""
        last = self.samples[-1]
        quarter = next(s for s in self.samples if s.messages >= last.messages / 4)
        return last.consumer_mb - quarter.consumer_mb, last.projector_mb - quarter.projector_mb


def end_to_end(place: Place, ledger: Ledger, traffic: Traffic) -> Run:
    """From the first poll that brings messages until every event stands in every projection."""
    run = Run(traffic.units)
    with (
        running(place, ledger, traffic.formats) as (consumers, projector),
        psycopg.connect(ledger.database.dsn, autocommit=True) as connection,
    ):

        def cpu_s() -> dict[str, float]:
            return {
                "consumer": sum(consumer.cpu_s() for consumer in consumers),
                "projector": projector.cpu_s(),
                "postgres": place.postgres_cpu_s(),
                "broker": place.broker_cpu_s(),
            }

        before = cpu_s()
        for taken in _watch(connection, traffic.formats, traffic.messages, (*consumers, projector)):
            largest = max(consumer.rss_mb() for consumer in consumers)
            run.samples.append(Sample(taken, largest, projector.rss_mb()))
        ended = time.monotonic()
        run.cpu_s = {name: value - before[name] for name, value in cpu_s().items()}
        run.took_s = ended - min(began for c in consumers if (began := c.stop()["began"]) is not None)
    return run


def cpu(runs: Sequence[Run], name: str, unit: str) -> Iterator[Figure]:
    """What each process took for a claim or message, in the median."""
    for process in runs[0].cpu_s:
        yield Figure(f"{name}_{process}", median(run.cpu_s[process] / run.units * 1e6 for run in runs), unit)


def _watch(
    connection: Connection[tuple[int, ...]], topics: Collection[str], messages: int, workers: Sequence[Worker]
) -> Iterator[int]:
    """How many messages are taken in, again and again, until all are, and all of it is projected."""
    last, moved = None, time.monotonic()
    while True:
        row = connection.execute(PROGRESS, [list(topics)]).fetchone()
        assert row is not None
        taken, head, projected = row
        if row != last:
            last, moved = row, time.monotonic()
        elif time.monotonic() > moved + STALLED_S:
            raise Stalled(f"{taken} of {messages} messages, {projected} of {head} events")
        yield taken
        if taken == messages and projected == head:
            return
        for worker in workers:
            worker.check()
        time.sleep(WATCH_S)


def latency_ms(place: Place, messages: Sequence[bytes], claims_per_s: float, each: int) -> list[float]:
    """Of each message, from `send` to its last claim standing in the projections, at a steady pace. Sorted."""
    pace_s = each / claims_per_s
    paced = messages[: int(LATENCY_S / pace_s)]
    warm, paced = paced[: len(paced) // 10], paced[len(paced) // 10 :]
    sent: dict[str, float] = {}
    visible: list[tuple[float, int]] = []
    done = threading.Event()
    with (
        place.topic(warm) as topic,
        place.ledger() as ledger,
        running(place, ledger, {topic: Format.X12_835}) as (consumers, projector),
        psycopg.connect(ledger.database.dsn, autocommit=True) as connection,
    ):
        workers = (*consumers, projector)
        for _ in _watch(connection, [topic], len(warm), workers):
            pass
        sampler = threading.Thread(target=_sample, args=[ledger.database.dsn, visible, done])
        sampler.start()
        try:
            producer = place.producer()
            pending = []
            began = time.monotonic()
            for number, message in enumerate(paced):
                time.sleep(max(0.0, began + number * pace_s - time.monotonic()))
                pending.append((time.monotonic(), producer.send(topic, message)))
            for at, future in pending:
                where = future.get(timeout=30)
                sent[f"{topic}/{where.partition}@{where.offset}"] = at
            producer.close()
            for _ in _watch(connection, [topic], len(warm) + len(paced), workers):
                pass
            time.sleep(5 * SAMPLE_S)
        finally:
            done.set()
            sampler.join()
        ends = _last_positions(ledger)
    return sorted(_seen(visible, ends[source]) - at for source, at in sent.items())


def _sample(dsn: str, visible: list[tuple[float, int]], done: threading.Event) -> None:
    """When each position was first seen to be projected."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not done.is_set():
            row = connection.execute(PROJECTED).fetchone()
            assert row is not None
            if not visible or row[0] > visible[-1][1]:
                visible.append((time.monotonic(), row[0]))
            time.sleep(SAMPLE_S)


def _seen(visible: list[tuple[float, int]], position: int) -> float:
    return next(at for at, projected in visible if projected >= position)


def _last_positions(ledger: Ledger) -> dict[str, int]:
    """Where each message's events end in the log, by the source that its remittance names."""
    store = ledger.projection_store
    ends: dict[str, int] = {}
    source, at = "", 0
    while events := store.events(at, 10_000):
        for at, _, stored in events:
            event = ledger.mapper.load(stored)
            source = event.source if isinstance(event, RemittanceReceived) else source
            ends[source] = at
    return ends
