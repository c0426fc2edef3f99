"""A statement: what a member owes for several bills on a day, with what is due until when.

Its amounts are frozen: what is paid or corrected afterwards changes the bills, and shows in the next statement. What is
left to be paid of it follows from its bills' accounts (projections/statements.py).
"""

from datetime import date
from enum import StrEnum

from domain.facts import Event, Fact, StreamId
from domain.money import Money

MINIMUM_CENTS = Money(2_500)
MINIMUM_PERCENT = 10
"""Due by the day at least: a tenth, and no less than 25 dollars where so much is owed"""


class Line(Fact, frozen=True, gc=False, array_like=True):
    """What is owed of one bill."""

    bill: StreamId
    version: int
    """Of the bill's stream when it was looked at"""
    cents: Money


class Issue(Fact, frozen=True, gc=False):
    account: StreamId
    """The member's"""
    day: date
    due_on: date
    lines: tuple[Line, ...]
    """Of bills of which nothing is owed there is none"""


class StatementIssued(Event, frozen=True, omit_defaults=True, gc=False):
    account: StreamId
    day: date
    due_on: date
    lines: tuple[Line, ...]
    total_cents: Money
    minimum_cents: Money


StatementEvent = StatementIssued


class Statement(Fact, frozen=True, omit_defaults=True, gc=False):
    issued: StatementIssued | None = None


INITIAL = Statement()


class Refusal(StrEnum):
    ISSUED = "statement.issued"
    """There is one of that day with other amounts: they are frozen"""
    NOTHING_OWED = "statement.nothing_owed"
    DUE_TOO_SOON = "statement.due_too_soon"
    """It would be due before it is issued"""


def decide(state: Statement, command: Issue) -> tuple[StatementIssued, ...] | Refusal:
    if command.due_on < command.day:
        return Refusal.DUE_TOO_SOON
    if not command.lines:
        return Refusal.NOTHING_OWED
    total = Money(sum(line.cents for line in command.lines))
    issued = StatementIssued(command.account, command.day, command.due_on, command.lines, total, minimum_of(total))
    if state.issued is None:
        return (issued,)
    return () if state.issued == issued else Refusal.ISSUED


def minimum_of(total: Money) -> Money:
    """What is due of a total at least, in cents; rounded up."""
    return min(total, max(MINIMUM_CENTS, Money(-(-total * MINIMUM_PERCENT // 100))))


def evolve(state: Statement, event: StatementIssued) -> Statement:
    return Statement(event)
