"""Opening balances into the accounts of their bills: some thousand a transaction, and again without harm."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from application.ids import Ids
from application.mapper import Mapper
from application.ports import EventLog
from application.streams import Member, account_of
from application.unit_of_work import UnitOfWork
from domain import account, opening
from domain.money import Money

BATCH = 2_000


class Opening(NamedTuple):
    """What was owed of one bill."""

    member: Member
    reference: str
    """The former books' number of it"""
    day: date
    """Of the service"""
    cents: Money


class Loaded(NamedTuple):
    opened: int
    known: int
    """Taken over before, with the same amount"""
    conflicts: list[int]
    """The places, from 1, of those that were taken over before with another amount"""


def load(
    log: EventLog,
    mapper: Mapper,
    ids: Ids,
    openings: Sequence[Opening],
    source: str,
    progress: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """The totals of a load are recorded once all of it is in.

    Raises Unreadable, VersionConflict, DependencyDown.
    """
    opened, known, conflicts = 0, 0, list[int]()
    for start in range(0, len(openings), BATCH):
        batch = openings[start : start + BATCH]
        bills = [ids.stream("opening", *each.member, each.reference) for each in batch]
        work = UnitOfWork(log, mapper)
        work.load(dict.fromkeys(bills, account))
        for unreadable in work.unreadable.values():
            raise unreadable
        for number, (bill, each) in enumerate(zip(bills, batch, strict=True), start + 1):
            command = account.Open(account_of(ids, *each.member), each.cents, each.day, source)
            decided = account.decide(work.state(bill, account), command)
            if isinstance(decided, account.Refusal):
                conflicts.append(number)
                continue
            work.record(bill, account, *decided)
            opened += len(decided)
            known += not decided
        work.append()
        progress(len(batch))
    if not conflicts:
        work, stream = UnitOfWork(log, mapper), ids.stream("opening_load", source)
        work.load({stream: opening})
        total = opening.Complete(source, len(openings), Money(sum(each.cents for each in openings)))
        decided_load = opening.decide(work.state(stream, opening), total)
        assert not isinstance(decided_load, opening.Refusal), "the same bytes have the same totals"
        work.record(stream, opening, *decided_load)
        work.append()
    return Loaded(opened, known, conflicts)
