"""The poll loop: exactly once, in the ledger.

A batch's events and its source positions commit in one transaction; the broker hears of it afterwards. Positions are
compare-and-set, and belong to a topic's id, not its name: whatever was read from another place than where the ledger
stands is rolled back and read again. Partitions never wait for each other's bad messages.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from application.intake import Intake, Outcome
from application.ports import DependencyDown, Format, Message, OffsetAdvance, StaleSource, VersionConflict

POLL_S = 0.5
BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)

Partition = tuple[str, int]
"""Topic name and partition number"""


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    value: bytes


class OutOfRange(Exception):
    """The broker no longer (or not yet) has the offsets that the ledger is waiting for in these partitions."""

    def __init__(self, partitions: Collection[Partition]) -> None:
        super().__init__(partitions)
        self.partitions = partitions


class Source(Protocol):
    """Where records come from. All of it raises DependencyDown."""

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """Records, each partition's in order. Raises OutOfRange."""

    def take_assigned(self) -> set[Partition]:
        """Partitions assigned since the last call; they stand still until `start_at`."""

    def topic_id(self, topic: str) -> str | None:
        """None while there is no such topic."""

    def start_at(self, partition: Partition, offset: int) -> None: ...

    def stop(self, partition: Partition) -> None: ...

    def commit(self, offsets: Mapping[Partition, int]) -> None: ...


class Positions(Protocol):
    """How far the ledger has taken in each source."""

    def next_offset(self, topic_id: str, topic: str, partition: int) -> int:
        """0 for a source that is new."""

    def alarm(self, topic_id: str, partition: int, alarm: str) -> None:
        """Raise a named alarm on a partition for people to see. It goes when the position moves."""


class _Place(NamedTuple):
    """Where the ledger stands in a partition, as far as this consumer knows."""

    topic_id: str
    next_offset: int


class Consumer:
    def __init__(
        self,
        source: Source,
        intake: Intake,
        positions: Positions,
        formats: Mapping[str, Format],
        log: Any,
        report: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._intake = intake
        self._positions = positions
        self._formats = formats
        self._log = log
        self._report = report
        self._places: dict[Partition, _Place] = {}
        self._unplaced: set[Partition] = set()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Consume until told to stop; where database or broker are down, wait and go on."""
        failures = 0
        while not stopped():
            try:
                self.step()
                failures = 0
            except DependencyDown as down:
                wait_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
                self._log.error("consumer.dependency_down", dependency=str(down), wait_s=wait_s)
                failures += 1
                time.sleep(wait_s)

    def step(self, timeout_s: float = POLL_S) -> int:
        """Poll once and settle what came; how many messages were taken in.

        Raises DependencyDown. The client has gone on behind what it handed out by then, so every partition is sent
        back to the ledger's own position before the next poll.
        """
        try:
            return self._step(timeout_s)
        except DependencyDown:
            self._unplaced |= self._places.keys()
            raise

    def _step(self, timeout_s: float) -> int:
        self._place()
        try:
            records = self._source.poll(timeout_s)
        except OutOfRange as out_of_range:
            self._stop(out_of_range.partitions)
            return 0
        self._unplaced |= self._source.take_assigned()
        for topic in {topic for topic, _ in self._places}:
            self._check_identity(topic)
        return self._take_in([r for r in records if (r.topic, r.partition) not in self._unplaced])

    # --- where to read

    def _place(self) -> None:
        """Send each partition to the ledger's own position, whatever the group remembers."""
        for partition in sorted(self._unplaced):
            topic, number = partition
            topic_id = self._source.topic_id(topic)
            if topic_id is None:
                continue  # deleted, perhaps to be made again
            next_offset = self._positions.next_offset(topic_id, topic, number)
            self._places[partition] = _Place(topic_id, next_offset)
            self._source.start_at(partition, next_offset)
            self._unplaced.discard(partition)

    def _check_identity(self, topic: str) -> None:
        """A topic that was deleted and made again is another source, although its name and offsets look the same.

        Asked after the poll: records that were fetched before the answer are of the topic that it names. Asked also
        where nothing came: a new topic that is just as long as the old one was gives no other sign.
        """
        topic_id = self._source.topic_id(topic)
        strange = {p for p, place in self._places.items() if p[0] == topic and place.topic_id != topic_id}
        if strange - self._unplaced:
            self._log.warning("consumer.topic_recreated", topic=topic, topic_id=topic_id)
        self._unplaced |= strange

    def _stop(self, partitions: Collection[Partition]) -> None:
        """Stand still with an alarm: going on elsewhere would skip messages or read them as another topic's."""
        for partition in partitions:
            topic, number = partition
            place = self._places.get(partition)
            if place is None or self._source.topic_id(topic) != place.topic_id:
                self._unplaced.add(partition)
                continue
            self._source.stop(partition)
            self._positions.alarm(place.topic_id, number, "source.offset_out_of_range")
            self._log.error("source.offset_out_of_range", topic=topic, partition=number, offset=place.next_offset)

    # --- what was read

    def _take_in(self, records: Sequence[Record]) -> int:
        if not records:
            return 0
        advances: dict[Partition, OffsetAdvance] = {}
        for partition, group in groupby(records, key=lambda record: (record.topic, record.partition)):
            *_, last = group
            place = self._places[partition]
            advances[partition] = OffsetAdvance(place.topic_id, last.partition, place.next_offset, last.offset + 1)
        messages = [Message(f"{r.topic}/{r.partition}@{r.offset}", r.value, self._formats[r.topic]) for r in records]
        started = time.perf_counter()
        try:
            outcomes = self._intake.handle(messages, list(advances.values()))
        except (StaleSource, VersionConflict) as refused:
            self._unplaced |= advances.keys()
            self._log.warning("consumer.batch_refused", reason=type(refused).__name__, messages=len(messages))
            return 0
        for partition, advance in advances.items():
            self._places[partition] = _Place(advance.topic_id, advance.next)
        self._source.commit({partition: advance.next for partition, advance in advances.items()})
        batch = {**summary(outcomes), **_span(advances), **_took(started)}
        self._log.info("consumer.batch", **batch)
        self._report(batch)
        return len(records)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The canonical figures of a batch: counts and reasons, never content."""
    reasons = Counter(str(part.park.reason) for outcome in outcomes for part in outcome.parked)
    return {
        "messages": len(outcomes),
        "claims": sum(outcome.claims for outcome in outcomes),
        "events": sum(outcome.events for outcome in outcomes),
        "duplicates": sum(outcome.duplicates for outcome in outcomes),
        "parked": dict(reasons),
    }


def _span(advances: Mapping[Partition, OffsetAdvance]) -> dict[str, Any]:
    return {"offsets": {f"{topic}/{number}": [a.expected, a.next] for (topic, number), a in advances.items()}}


def _took(started: float) -> dict[str, float]:
    return {"duration_ms": round((time.perf_counter() - started) * 1000, 1)}
