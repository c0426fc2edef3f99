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
from benchmarks.workers import Figures, Worker, working
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
    conflicts: int = 0
    """Batches that were decided again, since another writer was faster"""

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


class Pipeline(NamedTuple):
    """A ledger's consumers, which share all topics, and its projector, all ready."""

    place: Place
    connection: Connection[tuple[int, ...]]
    topics: Collection[str]
    consumers: Sequence[Worker]
    projector: Worker

    def passage(self, until: int, units: int) -> Run:
        """From now on until so many messages, from the first one on, are taken in and projected."""
        run = Run(units)
        began, before = time.monotonic(), self._cpu_s()
        for taken in self.watch(until):
            largest = max(consumer.rss_mb() for consumer in self.consumers)
            run.samples.append(Sample(taken, largest, self.projector.rss_mb()))
        run.took_s = time.monotonic() - began
        run.cpu_s = {name: value - before[name] for name, value in self._cpu_s().items()}
        return run

    def watch(self, until: int) -> Iterator[int]:
        """How many messages are taken in, again and again, until all are and what they made is projected."""
        last, moved, end = None, time.monotonic(), None
        while True:
            row = self.connection.execute(PROGRESS, [list(self.topics)]).fetchone()
            assert row is not None
            taken, head, projected = row
            if taken == until and end is None:
                end = head  # somebody else may go on writing
            reached = (taken, end and projected)
            if reached != last:
                last, moved = reached, time.monotonic()
            elif time.monotonic() > moved + STALLED_S:
                raise Stalled(f"{taken} of {until} messages, {projected} of {head} events")
            yield taken
            if end is not None and projected >= end:
                return
            for worker in (*self.consumers, self.projector):
                worker.check()
            time.sleep(WATCH_S)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is taken in meanwhile. Only where all of it was: who is stopped inside a transaction loses it."""
        for consumer in self.consumers:
            consumer.usage.suspend()
        yield
        for consumer in self.consumers:
            consumer.usage.resume()

    def _cpu_s(self) -> dict[str, float]:
        return {
            "consumer": sum(consumer.cpu_s() for consumer in self.consumers),
            "projector": self.projector.cpu_s(),
            "postgres": self.place.postgres_cpu_s(),
            "broker": self.place.broker_cpu_s(),
        }


@contextmanager
def running(
    place: Place, ledger: Ledger, formats: Mapping[str, Format], *, accounts: bool = False
) -> Iterator[Pipeline]:
    """Each of its processes begins, and ends when this does."""
    options = {
        "bootstrap": place.bootstrap,
        "formats": json.dumps(formats),
        "group": f"bench-{uuid4()}",
        "dsn": ledger.database.dsn,
        "keys": str(ledger.settings.keys),
        "partitions": str(len(formats) * PARTITIONS // CONSUMERS),
        "accounts": "yes" if accounts else "",
    }
    logs = [place.folder / f"consume-{number}.log" for number in range(CONSUMERS)]
    with ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(ledger.database.dsn, autocommit=True))
        projector = stack.enter_context(working("benchmarks.workers", "project", options, place.folder / "project.log"))
        consumers = [
            stack.enter_context(closing(Worker("benchmarks.workers", "consume", options, log))) for log in logs
        ]
        for consumer in consumers:
            consumer.expect_ready()
        yield Pipeline(place, connection, list(formats), consumers, projector)


def end_to_end(place: Place, ledger: Ledger, traffic: Traffic, *, accounts: bool = False) -> Run:
    """From the first poll that brings messages until every event stands in every projection."""
    with running(place, ledger, traffic.formats, accounts=accounts) as pipeline:
        run = pipeline.passage(traffic.messages, traffic.units)
        ended = time.monotonic()
        figures = [consumer.stop() for consumer in pipeline.consumers]
        run.took_s = ended - min(each["began"] for each in figures if each["began"] is not None)
        run.conflicts = sum(each["conflicts"] for each in figures)
    return run


def ratio(floor: Figures, run: Run) -> float:
    """Of the rate of a run to the floor right before it: the machine is seldom as fast a minute later."""
    return float(floor["took_s"] / run.took_s)


def cpu(runs: Sequence[Run], name: str, unit: str) -> Iterator[Figure]:
    """What each process took for a claim or message, in the median."""
    for process in runs[0].cpu_s:
        yield Figure(f"{name}_{process}", median(run.cpu_s[process] / run.units * 1e6 for run in runs), unit)


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
        running(place, ledger, {topic: Format.X12_835}) as pipeline,
    ):
        pipeline.passage(len(warm), len(warm))
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
            pipeline.passage(len(warm) + len(paced), len(paced))
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
