"""Folds the log into the projections, a batch at a time: decoded once, written in one transaction with the positions.

Notifications are a hint that there is something new; polling is the truth. A stream with a row that cannot be read is
set aside, with the position, and the others go on.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from application.mapper import Mapper, StoredEvent, Unreadable
from domain.facts import StreamId
from projections.projection import Change, Projected, Projection

BATCH_EVENTS = 4_000
POLL_S = 1.0


class Fault(NamedTuple):
    """A stored event that could not be read."""

    position: int
    stream: StreamId
    reason: str


class Advance(NamedTuple):
    """A compare-and-set on a projection's position."""

    projection: str
    expected: int
    position: int


class Store(Protocol):
    """The log as projections read it, and where their rows go."""

    def lead(self) -> bool:
        """Become the one that folds, or stay so; False while another process leads."""

    def positions(self) -> dict[str, int]:
        """Of each projection, by `name:version`."""

    def set_aside(self) -> dict[StreamId, int]:
        """Streams with an unreadable event so far, and the position of the first."""

    def read(self, after: int, limit: int) -> Sequence[tuple[int, StoredEvent]]: ...

    def commit(self, changes: Sequence[Change], advances: Sequence[Advance], faults: Sequence[Fault]) -> None:
        """All of it in one transaction. Raises Overtaken where a position is not the expected one."""

    def wait(self, timeout_s: float) -> None:
        """Until something was appended, or the time is out."""


class Overtaken(Exception):
    """Another process moved a projection meanwhile: nothing was written."""


class Runner:
    def __init__(self, store: Store, mapper: Mapper, projections: Sequence[Projection]) -> None:
        self._store = store
        self._mapper = mapper
        self._projections = {f"{p.NAME}:{p.VERSION}": p for p in projections}

    def step(self, limit: int = BATCH_EVENTS) -> int:
        """Fold the next batch into those projections that are furthest behind; how many events it had."""
        positions = {name: at for name, at in self._store.positions().items() if name in self._projections}
        after = min(positions.values())
        ahead = min((at for at in positions.values() if at > after), default=None)
        rows = self._store.read(after, limit if ahead is None else min(limit, ahead - after))
        if not rows:
            return 0
        behind = [name for name, at in positions.items() if at == after]
        # Asked every time: another leader may have set streams aside, and what is not committed is not set aside.
        changes, faults = self._fold([self._projections[name] for name in behind], rows, self._store.set_aside())
        last = rows[-1][0]
        self._store.commit(changes, [Advance(name, after, last) for name in behind], faults)
        return len(rows)

    def _fold(
        self, projections: list[Projection], rows: Sequence[tuple[int, StoredEvent]], set_aside: dict[StreamId, int]
    ) -> tuple[list[Change], list[Fault]]:
        batches = [(projection, list[Projected]()) for projection in projections]
        folds = defaultdict(list)
        for projection, batch in batches:
            for kind in projection.EVENTS:
                folds[kind].append((projection, batch))
        faults: list[Fault] = []
        load, unseal = self._mapper.load, self._mapper.unseal
        for position, stored in rows:
            stream = StreamId(stored.originator_id)
            if position >= set_aside.get(stream, position + 1):
                continue
            try:
                event = load(stored)
                for projection, batch in folds.get(type(event), ()):
                    personal = unseal(stored, event) if projection.OPENS_PERSONAL else None
                    batch.append(Projected(position, stream, event, personal))
            except Unreadable as unreadable:
                faults.append(Fault(position, stream, unreadable.reason))
                set_aside[stream] = position
        changes = [change for projection, batch in batches for change in projection.fold(batch)]
        return changes, faults

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Fold until nothing is left; how many events there were. Does nothing where another process leads."""
        total = 0
        while self._store.lead() and (events := self.step()):
            total += events
            progress(events)
        return total

    def run(self, stopped: Callable[[], bool], progress: Callable[[int], None] = lambda _: None) -> None:
        """Follow the log until told to stop. Raises Overtaken and DependencyDown."""
        while not stopped():
            if self._store.lead() and (events := self.step()):
                progress(events)
            else:
                self._store.wait(POLL_S)
