"""Load and observation beside a fault: a producer that knows what was acknowledged, and readers that never rest."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from kafka.errors import KafkaError
from psycopg import Connection, OperationalError, connect

from adapters.postgres.event_log import READ
from composition import Ledger
from samples.generator import Remittance, render
from tests.delivery import PATIENCE_S, Offsets, assert_exactly_once, end_offsets, producing, taken_in, wait_until
from tests.faults.checker import Entry, History, anomalies

TAIL_EVENTS = 500
TAIL_S = 0.05

# What may only grow: the log's head, and the ledger's place in each partition.
COUNTERS = """
SELECT 'head', position FROM head
UNION ALL SELECT topic_id || '/' || partition, next_offset FROM source_offset
"""


class Companion:
    """Runs in a thread of its own until it is finished; what it raises is raised then."""

    def __init__(self) -> None:
        self._finished = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._running: Future[None] | None = None

    def run(self) -> None:
        raise NotImplementedError

    def start(self) -> None:
        self._running = self._thread.submit(self.run)

    def finish(self) -> None:
        self._finished.set()
        self._thread.shutdown()
        if self._running is not None:
            self._running.result()


class Load(Companion):
    """Sends messages at a steady rate to the partitions in turn, and remembers which ones the broker acknowledged."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        messages: Sequence[Remittance],
        per_s: float,
        partitions: int = 1,
        clock_off_s: float = 0,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.per_s = per_s
        self.sent: list[Remittance] = []
        self.acknowledged: list[Remittance] = []
        self.refused: list[Remittance] = []
        """Of which nobody knows whether they are in the topic"""
        self._messages, self._partitions, self._clock_off_s = messages, partitions, clock_off_s
        self._bootstrap, self._topic, self._settings = bootstrap, topic, settings

    def run(self) -> None:
        with producing(self._bootstrap, **self._settings) as producer:
            due = time.monotonic()
            for number, message in enumerate(self._messages):
                due = max(due, time.monotonic() - 1) + 1 / self.per_s
                if self._finished.wait(max(0.0, due - time.monotonic())):
                    break
                self.sent.append(message)
                value = render(message, control=number + 1)
                told_ms, partition = int((time.time() + self._clock_off_s) * 1000), number % self._partitions
                try:
                    future = producer.send(self._topic, value, partition=partition, timestamp_ms=told_ms)
                except KafkaError:
                    self.refused.append(message)
                    continue
                future.add_callback(lambda _, message=message: self.acknowledged.append(message))
                future.add_errback(lambda _, message=message: self.refused.append(message))
            with suppress(KafkaError):
                producer.flush(timeout=PATIENCE_S)

    def finish(self) -> None:
        """Send no more; every message that was sent is acknowledged or refused when this returns."""
        super().finish()
        wait_until(lambda: len(self.acknowledged) + len(self.refused) == len(self.sent))


class Tail(Companion):
    """A reader that follows the log as a projection does, in its own connection, and keeps each poll."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.polls: list[list[Entry]] = []
        self.counters: dict[str, list[int]] = {}
        self.outages = 0
        self._dsn = dsn
        self._after = 0

    def run(self) -> None:
        while not self._finished.is_set():
            try:
                with connect(self._dsn, autocommit=True, connect_timeout=2) as connection:
                    while not self._finished.wait(TAIL_S):
                        self._poll(connection)
            except OperationalError:
                self.outages += 1
                time.sleep(TAIL_S)

    def finish(self) -> None:
        """Read to the end of the log, and rest."""
        super().finish()
        with connect(self._dsn, autocommit=True) as connection:
            while self._poll(connection):
                pass

    def _poll(self, connection: Connection[Any]) -> int:
        for counter, value in connection.execute(COUNTERS):
            self.counters.setdefault(counter, []).append(value)
        poll = entries(connection, self._after, TAIL_EVENTS)
        if poll:
            self.polls.append(poll)
            self._after = poll[-1].position
        return len(poll)


def entries(connection: Connection[Any], after: int, limit: int) -> list[Entry]:
    """A remittance's first event is its message's trace number, so that one that counted twice shows."""
    found = []
    for position, _, stream, version, topic, state in connection.cursor(binary=True).execute(READ, [after, limit]):
        is_message = topic.startswith("remittance.received")
        value = trace(json.loads(state)["trace_number"]) if is_message else f"{stream} version {version}"
        found.append(Entry(position, value))
    return found


def trace(number: str) -> str:
    return f"message {number}"


class Progress(Companion):
    """Watches how long each partition stands still while something waits in it."""

    def __init__(self, ledger: Ledger, load: Load, topic_id: str, partitions: int) -> None:
        super().__init__()
        self.longest_s = 0.0
        self._ledger, self._load, self._topic_id, self._partitions = ledger, load, topic_id, partitions

    def run(self) -> None:
        before: Offsets = {}
        since = [time.monotonic()] * self._partitions
        while not self._finished.wait(0.1):
            try:
                at = taken_in(self._ledger, self._topic_id)
            except OperationalError:  # stands still for all we know
                at = before
            now = time.monotonic()
            sent = len(self._load.acknowledged)
            for partition in range(self._partitions):
                place = at.get(partition, 0)
                waits = place < sent // self._partitions  # at least as many are in each partition
                if place != before.get(partition, 0) or not waits:
                    since[partition] = now
                self.longest_s = max(self.longest_s, now - since[partition])
            before = at


class Watch:
    """A load, a tail and, at the end, the verdict."""

    def __init__(self, ledger: Ledger, load: Load, tail: Tail, progress: Progress, bootstrap: str, topic: str) -> None:
        self.ledger, self.load, self.tail, self.progress = ledger, load, tail, progress
        self._bootstrap, self._topic = bootstrap, topic

    def drained(self, patience_s: float = 60) -> float:
        """Stop the load and wait until all that the broker has is in the ledger; how long that took."""
        self.load.finish()
        started = time.monotonic()
        topic_id, ends = end_offsets(self._bootstrap, self._topic)
        wait_until(lambda: taken_in(self.ledger, topic_id) == ends, patience_s)
        self.progress.finish()
        return time.monotonic() - started

    def judge(self, messages: Sequence[Remittance] | None = None) -> dict[str, int]:
        """Fails with the names of what went wrong. `messages` are those in the topic, where some were refused.

        Gives how many messages and events were looked at, and in how many polls.
        """
        self.tail.finish()
        expected = self.load.acknowledged if messages is None else messages
        with connect(self.ledger.database.dsn) as connection:
            final = entries(connection, 0, 10**9)
        acknowledged = {trace(message.trace_number) for message in self.load.acknowledged}
        found = anomalies(History(acknowledged, {"tail": self.tail.polls}, final, self.tail.counters))
        assert not found, found[:20]
        assert_exactly_once(self.ledger, expected, self._bootstrap, self._topic)
        return {"messages": len(expected), "events": len(final), "polls": len(self.tail.polls)}


@contextmanager
def watching(
    ledger: Ledger,
    bootstrap: str,
    topic: str,
    messages: Sequence[Remittance],
    per_s: float,
    partitions: int = 1,
    **settings: Any,
) -> Iterator[Watch]:
    """Everything runs when this is entered, and has ended when it is left, however that is."""
    load = Load(bootstrap, topic, messages, per_s, partitions, **settings)
    tail = Tail(ledger.database.dsn)
    topic_id, _ = end_offsets(bootstrap, topic)
    progress = Progress(ledger, load, topic_id, partitions)
    with ExitStack() as running:
        for thread in (load, tail, progress):
            thread.start()
            running.callback(thread.finish)
        yield Watch(ledger, load, tail, progress, bootstrap, topic)
