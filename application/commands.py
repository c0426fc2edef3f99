"""What a client asks for: load, decide, append, once for each key, however often it is sent.

The key stands in the log, in a stream of its own, written in one transaction with what it asked for. Where an answer
was lost on its way, the same key gives it again.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from application.entries import Entry
from application.ids import Ids
from application.mapper import Keys, Mapper
from application.ports import EventLog, VersionConflict
from application.unit_of_work import Heads, UnitOfWork
from domain import request
from domain.request import Answer, RequestAnswered

ATTEMPTS = 8
"""How often a command is decided anew when other writers keep winning, before the caller hears of it."""


class IdempotencyConflict(Exception):
    """The same key came before with another request."""


class VersionMismatch(Exception):
    """The stream is not at the version that the client has seen: read it again."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"expected version {expected}, the stream is at {actual}")
        self.expected = expected
        self.actual = actual


class Request(NamedTuple):
    key: str
    """The client's own; two clients' keys are told apart by whoever makes the request"""
    content: str
    """Keyed hash of what is asked for, without what differs when it is sent again"""
    entry: Entry
    expected_version: int | None = None
    """Of its stream, 0 where it must not be there yet; None where any will do"""
    then: Callable[[UnitOfWork], int] = lambda _: 0
    """Records what follows from it in other streams, in the same transaction; how many events that took"""


def execute(
    log: EventLog, mapper: Mapper, keys: Keys, ids: Ids, asked: Request, heads: Heads | None = None
) -> Answer | StrEnum:
    """Do it, and answer; a request that was answered gets the same answer again. A refusal is the chapter's own, and is
    not kept: what is refused now may be asked for again. With heads, of portals' accounts only what is new is loaded.

    Raises IdempotencyConflict, VersionMismatch, Unreadable, KeyDestroyed, and VersionConflict after too many attempts:
    then nothing was written. Raises DependencyDown: then either nothing or all of it was, which the same key will tell.
    """
    keys.ensure(asked.entry.subjects)
    for _ in range(ATTEMPTS - 1):
        try:
            return _attempt(log, mapper, ids, asked, heads)
        except VersionConflict:
            continue
    return _attempt(log, mapper, ids, asked, heads)


def _attempt(log: EventLog, mapper: Mapper, ids: Ids, asked: Request, heads: Heads | None) -> Answer | StrEnum:
    work, entry, key = UnitOfWork(log, mapper), asked.entry, ids.stream("request", asked.key)
    kept = heads if entry.stream in entry.remembered else None
    if kept is not None and (known := kept.get(entry.stream)) is not None:
        work.know(entry.stream, known)
    work.load({key: request, **entry.streams})
    for unreadable in work.unreadable.values():
        raise unreadable
    answered: RequestAnswered | None = work.state(key, request)
    if answered is not None:
        if (answered.content, answered.answer.stream) != (asked.content, entry.stream):
            raise IdempotencyConflict
        return answered.answer
    head = work.head(entry.stream)
    version = 0 if head is None else head.version
    if asked.expected_version not in (None, version):
        raise VersionMismatch(asked.expected_version, version)
    decided = entry.decide(work)
    if isinstance(decided, StrEnum):
        return decided
    recorded = entry.record(work, decided)
    if decided:
        recorded += asked.then(work)
    answer = Answer(entry.stream, version + len(decided), recorded)
    work.record(key, request, RequestAnswered(asked.content, answer))
    work.append()
    if kept is not None and (head := work.head(entry.stream)) is not None:
        kept.keep(entry.stream, head)
    return answer
