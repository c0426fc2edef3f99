"""A member's whole story on one line of time: claims, money, coverage and sign-ins, from the log itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from adapters.cli.members import accounts_of, coverages_of
from adapters.cli.show import console, dollars, new_table, text
from application.mapper import Unreadable
from composition import Ledger
from domain.account import BillAssessed
from domain.adjudication import Adjudication, Status, status_of
from domain.chart import OWED
from domain.facts import ID, Event, StreamId
from domain.money import Money
from projections.timeline_queries import STREAMS_OF


class Fact(StrEnum):
    """The kinds of facts that the ledger keeps of a member."""

    CLAIM = "claim"
    MONEY = "money"
    COVERAGE = "coverage"
    SIGN_IN = "sign-in"


FACT_OF = {
    "person": Fact.COVERAGE,
    "family": Fact.COVERAGE,
    "consent": Fact.COVERAGE,
    "confidentiality": Fact.COVERAGE,
    "coverage": Fact.COVERAGE,
    "plan_change": Fact.COVERAGE,
    "comparison": Fact.COVERAGE,
    "login": Fact.SIGN_IN,
    "claim": Fact.CLAIM,
    "bill": Fact.MONEY,
    "payment": Fact.MONEY,
    "schedule": Fact.MONEY,
    "statement": Fact.MONEY,
    "premium": Fact.MONEY,
}
"""By the first word of an event's topic"""

HAPPENED = ("at", "on", "day", "first_on")
"""Fields that say when something happened, the first that an event has"""
AMOUNTS = ("amount_cents", "cents", "total_cents")
REASONS = ("reason", "cause", "code", "resolution", "method", "outcome", "plan_id", "proof", "factor", "by")


@dataclass(frozen=True)
class Step:
    position: int
    recorded_at: datetime
    stream: StreamId
    topic: str
    event: Event | None
    """None where it cannot be read"""
    happened_on: date
    """In the plan's time zone. What tells no day of its own follows from what stands before it in its stream, and has
    the same; the first of a stream has that of recording"""
    happened_at: datetime | None
    """In the plan's time zone; None where only a day is told"""
    stands_at: datetime
    """Where it stands within its day: what tells only a day, behind what its stream tells of that day before it"""

    @property
    def fact(self) -> Fact:
        return FACT_OF[self.topic.partition(".")[0]]

    @property
    def what(self) -> str:
        """The topic's words."""
        return self.topic.partition(":")[0].replace("_", " ").replace(".", ": ")

    @property
    def cents(self) -> Money | None:
        """What a payer paid, what was paid or asked for, or by how much more the member owes of a bill."""
        adjudication = self._adjudication
        if adjudication is not None:
            return adjudication.paid_cents
        if isinstance(self.event, BillAssessed):
            return Money(sum(((p.destination in OWED) - (p.source in OWED)) * p.cents for p in self.event.postings))
        return next((getattr(self.event, name) for name in AMOUNTS if hasattr(self.event, name)), None)

    @property
    def why(self) -> str:
        """A claim's status by this adjudication, or what else the event gives as its reason."""
        adjudication = self._adjudication
        if adjudication is not None:
            status = status_of(adjudication)
            return "" if status is Status.REVERSED else status.replace("_", " ")
        facts = (self.event, getattr(self.event, "said", None))
        given = (str(getattr(each, name, "") or "") for each in facts for name in REASONS)
        return next((words for words in given if words and not re.match(ID, words)), "").replace("_", " ")

    @property
    def _adjudication(self) -> Adjudication | None:
        return getattr(self.event, "adjudication", None)

    def told(self) -> dict[str, Any]:
        """All of it as plain values, but for what is personal."""
        facts: dict[str, Any] = msgspec.to_builtins(self.event) if self.event is not None else {}
        facts.pop("personal", None)
        return {
            "position": self.position,
            "recorded_at": self.recorded_at,
            "happened_on": self.happened_on,
            "happened_at": self.happened_at,
            "kind": self.fact,
            "topic": self.topic,
            "stream": self.stream,
            "readable": self.event is not None,
            "facts": facts,
        }


def timeline(ledger: Ledger, member: str, known_at: int | None = None) -> list[Step]:
    """Every event that tells of a member, up to a position, in the order in which they happened, then of recording.

    What tells only a day begins it, unless its stream tells of a moment of that day before.
    """
    zone = ZoneInfo(ledger.settings.zone)
    with ledger.database.session() as cursor:
        asked = {
            "member": member,
            "known_at": known_at,
            "accounts": accounts_of(ledger, member, known_at),
            "coverages": list(coverages_of(ledger, member, known_at)),
        }
        streams = [row["stream"] for row in cursor.execute(STREAMS_OF, asked)]
    steps: list[Step] = []
    for position, recorded_at, stored in ledger.log.history(*streams) if streams else ():
        if known_at is not None and position > known_at:
            continue
        try:
            event = ledger.mapper.load(stored)
        except Unreadable:
            event = None
        before = steps[-1] if steps and steps[-1].stream == stored.originator_id else None
        day, moment = _happened(event, zone)
        day = day or (before.happened_on if before else recorded_at.astimezone(zone).date())
        if moment is None and before is not None and before.happened_on == day:
            stands = before.stands_at
        else:
            stands = (moment or datetime.combine(day, time.min, zone)).astimezone(UTC)
        stream = StreamId(stored.originator_id)
        steps.append(Step(position, recorded_at, stream, stored.topic, event, day, moment, stands))
    return sorted(steps, key=lambda step: (step.stands_at, step.position))


def _happened(event: Event | None, zone: ZoneInfo) -> tuple[date | None, datetime | None]:
    """The day, and the moment where it is told."""
    said: date | None = next((when for name in HAPPENED if (when := getattr(event, name, None))), None)
    if not isinstance(said, datetime):
        return said, None
    moment = said.astimezone(zone)
    return moment.date(), moment


def show(steps: Sequence[Step], zone: str) -> None:
    table = new_table("day", "time", "kind", "what", "of", "amount", "why", "position", right=("amount", "position"))
    for step in steps:
        amount = "" if step.cents is None else text(dollars(step.cents))
        why = step.why if step.event is not None else "[red]cannot be read[/]"
        at = f"{step.happened_at:%H:%M}" if step.happened_at else ""
        table.add_row(
            text(step.happened_on), at, step.fact, step.what, step.stream[:8], amount, why, text(step.position)
        )
    console.print(table)
    console.print(
        f"In the order in which it happened, times of {zone}; positions say in which order the ledger heard of it."
    )
