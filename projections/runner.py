"""Folds the log into the projections, a batch at a time: decoded once, written in one transaction with the positions.

Notifications are a hint that there is something new; polling is the truth. A generation leaves a stream out from its
first event on that cannot be read, and goes on with the others.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import structlog

from application.mapper import Mapper, StoredEvent, Unreadable
from domain.facts import Event, StreamId
from projections.projection import Change, Projected, Projection

BATCH_EVENTS = 4_000
BATCH_S = 2.0
"""How long a batch should take at most: the server ends a transaction that rests for 15 s, and a lag should be seen to
shrink"""
POLL_S = 1.0


class Generation(NamedTuple):
    """The tables of a projection as one version of its code folds them, in a schema of their own."""

    name: str
    number: int
    version: int
    live: bool
    """Whether readers see it; of each projection one is live, and one may be being built beside it"""
    position: int = 0
    left_out: frozenset[StreamId] = frozenset()
    """Streams with an event up to here that could not be read"""

    @property
    def schema(self) -> str:
        return f"{self.name}_g{self.number}"

    @property
    def key(self) -> str:
        """By which its position is kept."""
        return f"{self.name}:{self.number}"


class Fault(NamedTuple):
    """A stored event that could not be read."""

    position: int
    stream: StreamId
    reason: str


class Store(Protocol):
    """The log as projections read it, and where their rows go."""

    def lead(self) -> bool:
        """Become the one that folds live generations, or stay so; False while another process leads."""

    def generations(self) -> Sequence[Generation]: ...

    def events(self, after: int, limit: int) -> Sequence[tuple[int, datetime, StoredEvent]]:
        """Position, when it was recorded, and the event."""

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written in it, or nothing."""

    def advance(self, generation: Generation, position: int, faults: Sequence[Fault]) -> None:
        """Move a generation on, whose tables `read` and `write` then speak of until the transaction ends or another is
        moved. Raises Overtaken where it stands elsewhere by now, or is gone."""

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]: ...

    def write(self, changes: Sequence[Change]) -> None: ...

    def wait(self, timeout_s: float) -> None:
        """Until something was appended, or the time is out."""


class Overtaken(Exception):
    """Another process moved a generation or put another in its place meanwhile: nothing was written."""


@dataclass
class _Share:
    """What one generation gets of a batch."""

    generation: Generation
    projection: Projection
    events: list[Projected] = field(default_factory=list)
    faults: dict[StreamId, Fault] = field(default_factory=dict)

    def leaves_out(self, stream: StreamId) -> bool:
        return stream in self.generation.left_out or stream in self.faults

    def leave_out(self, position: int, stream: StreamId, unreadable: Unreadable) -> None:
        if not self.leaves_out(stream):
            self.faults[stream] = Fault(position, stream, unreadable.reason)


class Runner:
    def __init__(self, store: Store, mapper: Mapper, projections: Sequence[Projection]) -> None:
        self._store = store
        self._mapper = mapper
        self._projections = {projection.NAME: projection for projection in projections}
        self._log = structlog.get_logger()
        self._warned: set[str] = set()
        self._pace_events = BATCH_EVENTS

    def step(self, limit: int = BATCH_EVENTS) -> int:
        """Fold the next batch into those live generations that are furthest behind; how many events it had."""
        live = [each for each in self._store.generations() if each.live and self._folds(each)]
        if not live:
            return 0
        after = min(each.position for each in live)
        ahead = min((each.position for each in live if each.position > after), default=None)
        behind = [each for each in live if each.position == after]
        return self.fold(behind, limit if ahead is None else min(limit, ahead - after))

    def fold(self, generations: Sequence[Generation], limit: int) -> int:
        """Fold the next batch into generations that stand at the same position; how many events it had."""
        rows = self._store.events(generations[0].position, min(limit, self._pace_events))
        if not rows:
            return 0
        started = time.monotonic()
        try:
            self._write(self._shares(generations, rows), rows[-1][0])
        finally:  # also where it failed, perhaps because it took too long
            per_s = len(rows) / max(time.monotonic() - started, 1e-6)
            self._pace_events = max(1, min(BATCH_EVENTS, int(BATCH_S * per_s)))
        return len(rows)

    def _write(self, shares: Sequence[_Share], position: int) -> None:
        with self._store.transaction():
            for share in shares:
                self._store.advance(share.generation, position, list(share.faults.values()))
                if share.events:
                    self._store.write(share.projection.fold(share.events, self._store.read))

    def _folds(self, generation: Generation) -> bool:
        """Whether this code may fold it: never one version into the tables of another."""
        projection = self._projections.get(generation.name)
        if projection is None:
            return False
        if generation.version == projection.VERSION:
            return True
        if generation.key not in self._warned:
            self._warned.add(generation.key)
            self._log.warning(
                "projection.needs_rebuild",
                projection=generation.name,
                version=projection.VERSION,
                live_version=generation.version,
            )
        return False

    def _shares(
        self, generations: Sequence[Generation], rows: Sequence[tuple[int, datetime, StoredEvent]]
    ) -> list[_Share]:
        shares = [_Share(each, self._projections[each.name]) for each in generations]
        wanting: dict[type[Event], list[_Share]] = defaultdict(list)
        for share in shares:
            for kind in share.projection.EVENTS:
                wanting[kind].append(share)
        load, unseal = self._mapper.load, self._mapper.unseal
        for position, recorded_at, stored in rows:
            stream = StreamId(stored.originator_id)
            try:
                event = load(stored)
            except Unreadable as unreadable:
                for share in shares:
                    share.leave_out(position, stream, unreadable)
                continue
            projected = Projected(position, recorded_at, stream, stored.originator_version, event)
            for share in wanting.get(type(event), ()):
                if share.leaves_out(stream):
                    continue
                if not share.projection.OPENS_PERSONAL:
                    share.events.append(projected)
                    continue
                try:
                    share.events.append(projected._replace(personal=unseal(stored, event)))
                except Unreadable as unreadable:
                    share.leave_out(position, stream, unreadable)
        return shares

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
