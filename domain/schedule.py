"""Automatic payments: on which days a member's processor is told to pay, and what came between.

Identity: payer and the processor's id of the schedule, whose terms never change: other terms are another schedule.
When it pays next follows from the set of all that was said of it and a day.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import assert_never

from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import Money

LAST_DAY = date(2199, 12, 31)
"""Of any schedule: no message tells of a later one"""


class Kind(StrEnum):
    """What can be said of a schedule."""

    SCHEDULED = "scheduled"
    SKIPPED = "skipped"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"


class Every(StrEnum):
    ONCE = "once"
    WEEK = "week"
    MONTH = "month"
    """On the same day of the month, or on its last where it has no such day"""


class Terms(Fact, frozen=True, omit_defaults=True, gc=False):
    first_on: date
    every: Every
    until: date | None = None
    """The last day on which it may pay"""
    amount_cents: Money | None = None
    """None: whatever the balance is by then"""


# --- a message about one schedule, understood


class References(Fact, frozen=True, gc=False):
    """All of it is personal."""

    schedule_id: str


class Reported(Fact, frozen=True, omit_defaults=True, gc=False):
    kind: Kind
    at: datetime | None = None
    """Aware; its own offset says which day it was for the member"""
    on: date | None = None
    terms: Terms | None = None


class ScheduleNotice(Fact, frozen=True, omit_defaults=True, gc=False):
    payer_id: str
    member_id: str
    references: References
    said: Reported


# --- commands


class _About(Fact, frozen=True, omit_defaults=True, gc=False):
    """What command and event say alike."""

    content: str
    """Keyed hash of what was said, parsed and without its envelope"""
    payer_id: str
    account: StreamId
    """Of the member's number"""
    source: str
    personal: References | Sealed | None = None

    @property
    def person(self) -> StreamId:
        """Whose key seals what is personal"""
        return self.account


class Report(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Take one thing in that was said."""

    said: Reported


# --- events


class ScheduleMade(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime
    terms: Terms


class ScheduleSkipped(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The payment of one day is left out."""

    on: date


class SchedulePaused(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime


class ScheduleResumed(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime


class ScheduleCancelled(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime


ScheduleEvent = ScheduleMade | ScheduleSkipped | SchedulePaused | ScheduleResumed | ScheduleCancelled

_REPORTED_AS: dict[Kind, type[ScheduleEvent]] = {
    Kind.SCHEDULED: ScheduleMade,
    Kind.SKIPPED: ScheduleSkipped,
    Kind.PAUSED: SchedulePaused,
    Kind.RESUMED: ScheduleResumed,
    Kind.CANCELLED: ScheduleCancelled,
}

# --- state


class Said(Fact, frozen=True, gc=False, array_like=True):
    kind: Kind
    content: str
    at: datetime | None = None
    on: date | None = None
    terms: Terms | None = None

    @property
    def identity(self) -> tuple[Kind, str]:
        return _identity(self.kind, self.at, self.on)


class Schedule(Fact, frozen=True, gc=False):
    account: StreamId | None = None
    said: tuple[Said, ...] = ()


INITIAL = Schedule()


def _identity(kind: Kind, at: datetime | None, on: date | None) -> tuple[Kind, str]:
    """Terms are said once; the rest can be said of any day or at any moment."""
    if kind is Kind.SCHEDULED:
        return kind, ""
    return kind, at.astimezone(UTC).isoformat() if at else str(on)


# --- where it stands


class Status(StrEnum):
    UNKNOWN = "unknown"
    """Its terms have not come yet"""
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"
    """It has no day left"""


class Standing(Fact, frozen=True, gc=False):
    status: Status
    terms: Terms | None
    next_on: date | None
    """The first day, that day or later, on which it pays; None where it does not"""


def standing(schedule: Schedule, day: date) -> Standing:
    """As of a day."""
    said = [each for each in schedule.said if each.at is None or each.at.date() <= day]
    terms = next((each.terms for each in said if each.terms), None)
    if terms is None:
        return Standing(Status.UNKNOWN, None, None)
    if any(each.kind is Kind.CANCELLED for each in said):
        return Standing(Status.CANCELLED, terms, None)
    # Of the same moment the pause counts: what was not to be paid can still be.
    held = [(each.at, each.kind is Kind.PAUSED) for each in said if each.kind in (Kind.PAUSED, Kind.RESUMED)]
    if held and max(held)[1]:
        return Standing(Status.PAUSED, terms, None)
    skipped = {each.on for each in said if each.kind is Kind.SKIPPED}
    next_on = next((each for each in days(terms) if each >= day and each not in skipped), None)
    return Standing(Status.ACTIVE if next_on else Status.ENDED, terms, next_on)


def days(terms: Terms) -> Iterator[date]:
    """All days on which it pays by its terms."""
    for number in count():
        on = _nth(terms, number)
        if on is None or on > (terms.until or LAST_DAY):
            return
        yield on


def _nth(terms: Terms, number: int) -> date | None:
    first = terms.first_on
    match terms.every:
        case Every.ONCE:
            return None if number else first
        case Every.WEEK:
            return first + timedelta(weeks=number)
        case Every.MONTH:
            years, month = divmod(first.month - 1 + number, 12)
            last = monthrange(first.year + years, month + 1)[1]
            return date(first.year + years, month + 1, min(first.day, last))
        case _:
            assert_never(terms.every)


# --- decide


class Refusal(StrEnum):
    CONFLICT = "schedule.conflict"
    """The same was said before with other content"""
    OTHER_MEMBER = "schedule.other_member"
    """It is known as the schedule of another member"""


def decide(state: Schedule, command: Report) -> tuple[ScheduleEvent, ...] | Refusal:
    """One event where it is news, none where it was said before, else why not."""
    reported = command.said
    for said in state.said:
        if said.identity == _identity(reported.kind, reported.at, reported.on):
            return () if said.content == command.content else Refusal.CONFLICT
    if state.account not in (None, command.account):
        return Refusal.OTHER_MEMBER
    kind = _REPORTED_AS[reported.kind]
    fields = {n: getattr(command if hasattr(command, n) else reported, n) for n in kind.__struct_fields__}
    return (kind(**fields),)


# --- evolve


def evolve(state: Schedule, event: ScheduleEvent) -> Schedule:
    return Schedule(event.account, (*state.said, said_by(event)))


def said_by(event: ScheduleEvent) -> Said:
    match event:
        case ScheduleMade():
            return Said(Kind.SCHEDULED, event.content, event.at, None, event.terms)
        case ScheduleSkipped():
            return Said(Kind.SKIPPED, event.content, None, event.on)
        case SchedulePaused():
            return Said(Kind.PAUSED, event.content, event.at)
        case ScheduleResumed():
            return Said(Kind.RESUMED, event.content, event.at)
        case ScheduleCancelled():
            return Said(Kind.CANCELLED, event.content, event.at)
        case _:
            assert_never(event)
