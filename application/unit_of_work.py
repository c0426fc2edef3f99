"""The streams that one batch touches: their states as they were loaded and as the batch's own events change them."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from application.mapper import Keys, Mapper, Unreadable
from application.ports import Batch, EventLog
from domain.facts import Event, StreamId


class Decider(Protocol):
    """A domain module: where its streams begin and how an event changes them (and, by its own types, `decide`)."""

    @property
    def INITIAL(self) -> Any: ...  # noqa: N802

    def evolve(self, state: Any, event: Any) -> Any: ...


class Head(NamedTuple):
    """A stream's version and its state at that version."""

    version: int
    state: Any


class UnitOfWork:
    def __init__(self, log: EventLog, mapper: Mapper, keys: Keys) -> None:
        self._log = log
        self._mapper = mapper
        self._keys = keys
        self._heads: dict[StreamId, Head] = {}
        self._recorded: list[tuple[StreamId, int, Event]] = []
        self.unreadable: dict[StreamId, Unreadable] = {}
        """Streams whose history cannot be read: nothing may be decided on them"""
        self.batch = Batch()

    def load(self, streams: Mapping[StreamId, Decider]) -> None:
        """Fold the streams' histories in one query."""
        if not streams:
            return
        for stored in self._log.load(streams.keys()):
            stream = StreamId(stored.originator_id)
            if stream in self.unreadable:
                continue
            try:
                event = self._mapper.load(stored)
            except Unreadable as unreadable:
                self.unreadable[stream] = unreadable
                continue
            decider = streams[stream]
            state = decider.evolve(self.state(stream, decider), event)
            self._heads[stream] = Head(stored.originator_version, state)

    def know(self, stream: StreamId, head: Head) -> None:
        """Use a head that is already at hand. If it is stale the append will conflict."""
        self._heads[stream] = head

    def state(self, stream: StreamId, decider: Decider) -> Any:
        head = self._heads.get(stream)
        return decider.INITIAL if head is None else head.state

    def head(self, stream: StreamId) -> Head | None:
        return self._heads.get(stream)

    def record(self, stream: StreamId, decider: Decider, events: tuple[Event, ...]) -> Head:
        """Take decided events into the batch; the stream's head after them."""
        head = self._heads.get(stream) or Head(0, decider.INITIAL)
        for event in events:
            head = Head(head.version + 1, decider.evolve(head.state, event))
            self._recorded.append((stream, head.version, event))
        self._heads[stream] = head
        return head

    def append(self) -> int:
        """Seal and write everything recorded, with the rest of the batch; the log's last position.

        Keys are made durable first: an event whose key could be lost in a crash must not exist.
        """
        self._keys.ensure(
            {
                getattr(event, "person", stream)
                for stream, _, event in self._recorded
                if getattr(event, "personal", None) is not None
            }
        )
        store = self._mapper.store
        self.batch.events = [store(*recorded) for recorded in self._recorded]
        return self._log.append(self.batch)
