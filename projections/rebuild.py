"""Builds the next generation of a projection beside the live one, and puts it in its place.

The live one is read and folded on meanwhile. What was built is kept batch by batch: after a kill the next rebuild goes
on from there. How the two differ is told, and never hinders: what is folded from the first event by this code is right.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import structlog

from application.mapper import Mapper
from projections.projection import Projection
from projections.runner import BATCH_EVENTS, POLL_S, Generation, Runner, Store


class BeingRebuilt(Exception):
    """Another process is rebuilding this projection."""


class ReadersBusy(Exception):
    """A reader holds the public views: nothing was written."""


class Comparison(NamedTuple):
    """Of the tables and columns that two generations share; a row that differs counts on both sides."""

    rows: int
    """Of the new one"""
    only_in_old: int
    only_in_new: int


class Rebuilt(NamedTuple):
    projection: str
    generation: int
    events: int
    """Folded by this run"""
    rows: int
    only_in_old: int
    only_in_new: int


class Builder(Store, Protocol):
    """A store that can make, compare and exchange generations."""

    def begin(self, projection: Projection) -> None:
        """Make the next generation, or go on with the one that an earlier run of this version left, until the store is
        closed. Raises BeingRebuilt."""

    def snapshot(self) -> AbstractContextManager[None]:
        """A transaction that sees of others what there was at its first read."""

    def hold(self) -> None:
        """Nobody else moves a live generation until the transaction ends."""

    def compare(self, old: Generation, new: Generation) -> Comparison: ...

    def exchange(self, old: Generation, new: Generation, projection: Projection) -> None:
        """Readers see the new one, the old one is dropped. Raises ReadersBusy."""


class Rebuild:
    def __init__(
        self,
        store: Builder,
        mapper: Mapper,
        projection: Projection,
        progress: Callable[[int, int], None],
        limit: int = BATCH_EVENTS,
    ) -> None:
        """`progress` is told the position of the new generation and of the live one, after each batch."""
        self._store = store
        self._projection = projection
        self._runner = Runner(store, mapper, [projection])
        self._progress = progress
        self._limit = limit

    def run(self) -> Rebuilt:
        self._store.begin(self._projection)
        _, begun = self._generations()
        self._catch_up(within=self._limit)
        # In a snapshot the live one stands still, though the projector goes on.
        with self._store.snapshot():
            self._catch_up()
            old, new = self._generations()
            compared = self._store.compare(old, new)
        while (position := self._exchanged()) is None:
            structlog.get_logger().info("rebuild.waits_for_readers", projection=self._projection.NAME)
            self._store.wait(POLL_S)
        return Rebuilt(new.name, new.number, position - begun.position, *compared)

    def _exchanged(self) -> int | None:
        """The position at which it was done; None where readers are in the way."""
        self._catch_up(within=self._limit)
        old, new = self._generations()
        try:
            with self._store.transaction():
                self._store.hold()
                position = self._catch_up()
                self._store.exchange(old, new, self._projection)
        except ReadersBusy:
            return None
        return position

    def _catch_up(self, within: int = 0) -> int:
        """Fold until the new one is at most so many events behind the live one; its position then."""
        old, new = self._generations()
        while (behind := old.position - new.position) > within:
            self._runner.fold([new], min(self._limit, behind))
            old, new = self._generations()
            self._progress(new.position, old.position)
        return new.position

    def _generations(self) -> tuple[Generation, Generation]:
        """The live one, and the one that is built."""
        both = [each for each in self._store.generations() if each.name == self._projection.NAME]
        new, old = sorted(both, key=lambda each: each.live)
        return old, new
