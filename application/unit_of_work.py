"""The streams that one batch touches: their states as they were loaded and as the batch's own events change them."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from application.mapper import Encoded, Mapper, Unreadable
from application.ports import Batch, EventLog
from domain.facts import Event, StreamId


class Decider(Protocol):
    """A domain module: where its streams begin and how an event changes them (and, by its own types, `decide`)."""

    @property
    def INITIAL(self) -> Any: ...  # noqa: N802

    def evolve(self, state: Any, event: Any) -> Any: ...


class Chapter(Decider, Protocol):
    """A decider whose commands come from messages as they are."""

    def decide(self, state: Any, command: Any) -> Any:
        """The events, none where all of it is known, or a Refusal: a StrEnum of reasons to park it."""


class Head:
    """A stream's version and its state. Events that the batch itself adds are applied when the state is asked for."""

    __slots__ = ("_decider", "_mapper", "_news", "_state", "version")

    def __init__(self, mapper: Mapper, decider: Decider, version: int = 0, state: Any = None) -> None:
        self.version = version
        self._mapper = mapper
        self._decider = decider
        self._state = decider.INITIAL if version == 0 else state
        self._news: list[Event | Encoded] = []

    def copy(self) -> "Head":
        return Head(self._mapper, self._decider, self.version, self.state)

    @property
    def state(self) -> Any:
        for each in self._news:
            event = self._mapper.decode(each) if isinstance(each, Encoded) else each
            self._state = self._decider.evolve(self._state, event)
        self._news = []
        return self._state

    def add(self, event: Event | Encoded) -> None:
        self.version += 1
        self._news.append(event)

    def advance(self, state: Any) -> None:
        """Over one event, where the state that it leads to is at hand."""
        self.version += 1
        self._state = state
        self._news = []


HEADS_MAX = 200_000


class Heads:
    """Heads that are kept between batches, but only once they are committed: of persons, who change so seldom that they
    are not looked up again, and of portals' accounts, which grow long: of these only what is new is loaded."""

    def __init__(self) -> None:
        self._heads: dict[StreamId, Head] = {}

    def get(self, stream: StreamId) -> Head | None:
        return self._heads.get(stream)

    def keep(self, stream: StreamId, head: Head) -> None:
        if len(self._heads) >= HEADS_MAX:
            self._heads.clear()
        self._heads[stream] = head.copy()

    def forget(self, streams: Iterable[StreamId]) -> None:
        for stream in streams:
            self._heads.pop(stream, None)


class UnitOfWork:
    def __init__(self, log: EventLog, mapper: Mapper) -> None:
        self._log = log
        self._mapper = mapper
        self._heads: dict[StreamId, Head] = {}
        self._recorded: list[tuple[StreamId, int, Event | Encoded]] = []
        self.unreadable: dict[StreamId, Unreadable] = {}
        """Streams whose history cannot be read: nothing may be decided on them"""
        self.batch = Batch()

    def load(self, streams: Mapping[StreamId, Decider]) -> None:
        """Take in the streams' histories, as far as they are not known yet, in one query."""
        if not streams:
            return
        known: dict[str, int] = {
            stream: head.version for stream in streams if (head := self._heads.get(stream)) is not None
        }
        for stored in self._log.load(streams.keys(), known):
            stream = StreamId(stored.originator_id)
            if stream in self.unreadable:
                continue
            try:
                event = self._mapper.load(stored)
            except Unreadable as unreadable:
                self.unreadable[stream] = unreadable
                continue
            self._head(stream, streams[stream]).add(event)

    def know(self, stream: StreamId, head: Head) -> None:
        """Begin with a head that is at hand, which stays as it is. What is new since then may be loaded; if it is not,
        and there is any, the append will conflict."""
        self._heads[stream] = head.copy()

    def state(self, stream: StreamId, decider: Decider) -> Any:
        head = self._heads.get(stream)
        return decider.INITIAL if head is None else head.state

    def head(self, stream: StreamId) -> Head | None:
        return self._heads.get(stream)

    def record(self, stream: StreamId, decider: Decider, *events: Event | Encoded) -> None:
        """Take decided events into the batch."""
        head = self._head(stream, decider)
        for event in events:
            head.add(event)
            self._recorded.append((stream, head.version, event))

    def record_as(self, stream: StreamId, decider: Decider, event: Encoded, state: Any) -> None:
        """Take an event into the batch of which the state that it leads to is known, so that nobody decodes it."""
        head = self._head(stream, decider)
        head.advance(state)
        self._recorded.append((stream, head.version, event))

    def append(self) -> int:
        """Seal and write everything recorded, with the rest of the batch; the position of its last event."""
        store = self._mapper.store
        self.batch.events = [store(*recorded) for recorded in self._recorded]
        return self._log.append(self.batch)

    def _head(self, stream: StreamId, decider: Decider) -> Head:
        head = self._heads.get(stream)
        if head is None:
            head = self._heads[stream] = Head(self._mapper, decider)
        return head
