"""What a portal asks for beside recording attempts: whether the next one meets a lockout; and the end of those whose
time is over.
"""

from collections.abc import Iterable
from datetime import datetime

from application.ids import Ids
from application.mapper import Mapper
from application.ports import EventLog, VersionConflict
from application.streams import login_of
from application.unit_of_work import Heads, UnitOfWork
from domain import identity
from domain.facts import StreamId
from domain.identity import EndLockouts
from domain.lockout import Lock


def lock_of(
    work: UnitOfWork, heads: Heads, ids: Ids, portal_id: str, user_name: str, device_id: str, at: datetime
) -> Lock | None:
    """The lockout that an attempt from a device meets at a moment. Raises Unreadable."""
    stream = login_of(ids, portal_id, user_name)
    if (known := heads.get(stream)) is not None:
        work.know(stream, known)
    work.load({stream: identity})
    for unreadable in work.unreadable.values():
        raise unreadable
    if (head := work.head(stream)) is not None:
        heads.keep(stream, head)
    device = ids.stream("device", portal_id, device_id) if device_id else None
    return identity.lock_on(work.state(stream, identity), device, at)


def end_lockouts(log: EventLog, mapper: Mapper, logins: Iterable[StreamId], now: datetime) -> int:
    """Tell of accounts that their lockouts ran out; how many had.

    An account that cannot be read is passed over, and so is one to which somebody else is writing: the next attempt
    tells it, or the next call.
    """
    ended = 0
    for stream in logins:
        work = UnitOfWork(log, mapper)
        work.load({stream: identity})
        decided = identity.decide(work.state(stream, identity), EndLockouts(now))
        assert isinstance(decided, tuple)
        if stream in work.unreadable or not decided:
            continue
        work.record(stream, identity, *decided)
        try:
            work.append()
        except VersionConflict:
            continue
        ended += len(decided)
    return ended
