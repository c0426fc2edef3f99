"""What can be said of a member's coverage, and all that was said of it.

Changes come late and in any order. Where two speak of the same days the one counts that the payer said later; one that
was said by mistake is voided, and is as if never made.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from domain import plan_change
from domain.facts import Fact, StreamId
from domain.plan_change import Compared, Confirmed, Request, Requested, Step, Withdrawn


class Relationship(StrEnum):
    """To the subscriber."""

    SUBSCRIBER = "subscriber"
    SPOUSE = "spouse"
    DOMESTIC_PARTNER = "domestic_partner"
    CHILD = "child"
    OTHER = "other"


# --- what can be said


class Covered(Fact, frozen=True, gc=False):
    person: StreamId
    relationship: Relationship


class Enrolled(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="enrolled"):
    """All whom a plan covers from a day on. Whoever is not named is not covered from then on."""

    plan_id: str
    effective_from: date
    members: tuple[Covered, ...] = ()


class DependantAdded(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="dependant_added"):
    effective_from: date
    members: tuple[Covered, ...] = ()


class DependantRemoved(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="dependant_removed"):
    on: date
    """The last day on which they are covered (834: DTP 349)"""
    members: tuple[Covered, ...] = ()


class Terminated(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="terminated"):
    """Coverage that began by a day ends with it, for all; also where that day has long passed."""

    on: date
    """The last day of coverage"""
    reason: str
    """Why, in the plan's own code"""


class Reinstated(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="reinstated"):
    """It goes on after all, from a day on."""

    effective_from: date
    reason: str


class Voided(Fact, frozen=True, omit_defaults=True, gc=False, tag_field="kind", tag="voided"):
    """Another change was said by mistake: it is as if never made."""

    change: StreamId = StreamId("")


Said = (
    Enrolled
    | DependantAdded
    | DependantRemoved
    | Terminated
    | Reinstated
    | Voided
    | Requested
    | Compared
    | Confirmed
    | Withdrawn
)

# --- all that was said


class Change(Fact, frozen=True, omit_defaults=True, gc=False):
    """One thing that was said, and when."""

    change: StreamId
    at: datetime
    content: str
    said: Said


class Coverage(Fact, frozen=True, gc=False):
    """All that was said, in order of arrival, and the requests that were refused."""

    changes: tuple[Change, ...] = ()
    refused: tuple[tuple[StreamId, plan_change.Reason], ...] = ()


def standing_changes(changes: Iterable[Change]) -> list[Change]:
    """Those that are not voided, in the order in which the payer said them."""
    changes = sorted(changes, key=word)
    voided = _voided(changes)
    return [each for each in changes if each.change not in voided]


def _voided(changes: Iterable[Change]) -> set[StreamId]:
    """What is taken back by voids that stand themselves. Of some that void each other in a circle the latest stands."""
    voids = {each.change: each for each in changes if isinstance(each.said, Voided)}
    voided = set[StreamId]()
    while voids:
        named = {_target(each) for each in voids.values()}
        decided = [each for each in voids.values() if each.change not in named] or [max(voids.values(), key=word)]
        for each in decided:
            del voids[each.change]
            if each.change not in voided:
                voided.add(_target(each))
    return voided


def _target(void: Change) -> StreamId:
    assert isinstance(void.said, Voided)
    return void.said.change


def word(change: Change) -> tuple[datetime, StreamId]:
    """The place of a change among what the payer said."""
    return change.at, change.change


def requests(state: Coverage, day: date = date.max) -> list[Request]:
    """Every request to change plans that was made by a day, with what became of it until then, in the order of their
    moments."""
    changes, refused = standing_changes(state.changes), dict(state.refused)
    steps, enrolled = _steps(changes), _enrolled(changes)
    made = (
        Request(each.change, each.at, each.said, tuple(steps[each.change]), refused.get(each.change)).by(day)
        for each in changes
        if isinstance(each.said, Requested)
    )

    def is_said_anew(each: Request) -> bool:
        """Otherwise, by the last enrolment that begins on the same day and was not said before it was asked for."""
        for at, plan_id in reversed(enrolled[each.said.effective_on]):
            if each.said.day_of(at) <= day:
                return each.at <= at and plan_id != each.said.plan_id
        return False

    asked = (each._replace(is_replaced=is_said_anew(each)) for each in made if each.asked_on <= day)
    return plan_change.of_one_day_the_last(asked)


def _steps(changes: Iterable[Change]) -> defaultdict[StreamId, list[Step]]:
    """What was said of each request."""
    steps = defaultdict[StreamId, list[Step]](list)
    for each in changes:
        if isinstance(each.said, Compared | Confirmed | Withdrawn):
            steps[each.said.request].append(Step(each.at, each.said))
    return steps


def _enrolled(changes: Iterable[Change]) -> defaultdict[date, list[tuple[datetime, str]]]:
    """When which plan was said to begin, by its first day."""
    enrolled = defaultdict[date, list[tuple[datetime, str]]](list)
    for each in changes:
        if isinstance(each.said, Enrolled):
            enrolled[each.said.effective_from].append((each.at, each.said.plan_id))
    return enrolled
