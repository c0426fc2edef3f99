"""Whether somebody is covered on a day, and by which of all that was said of the coverage.

First the contract: the enrolment that began last by the day, and whether it was ended or went on after all. Then who is
named in it. Each answer is explained by the changes that decide it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from domain.enrolment import (
    Change,
    Coverage,
    DependantAdded,
    DependantRemoved,
    Enrolled,
    Reinstated,
    Terminated,
    requests,
    standing_changes,
    word,
)
from domain.facts import StreamId
from domain.plan_change import Request


class Why(StrEnum):
    """What a fact does to whether somebody is covered on a day."""

    NOT_YET = "not_yet"
    """No enrolment has begun"""
    ENROLLED = "enrolled"
    NOT_NAMED = "not_named"
    """The enrolment that holds does not name them"""
    PLAN_CHANGED = "plan_changed"
    ADDED = "added"
    REMOVED = "removed"
    TERMINATED = "terminated"
    REINSTATED = "reinstated"


_GOES_ON = (Why.ENROLLED, Why.PLAN_CHANGED, Why.REINSTATED)


class Line(NamedTuple):
    """One step to the answer, and the change that takes it."""

    why: Why
    change: StreamId | None = None
    day: date | None = None
    """From which on it holds; of an end the last day before"""
    reason: str = ""


class Eligibility(NamedTuple):
    covered: bool
    plan_id: str
    """Empty where they are not covered"""
    lines: tuple[Line, ...]
    """Each decides what those before it leave open"""


def eligibility(state: Coverage, person: StreamId, day: date) -> Eligibility:
    """Whether a person is covered on a day, and by which of all that was said."""
    return _eligibility(_told(state), person, day)


def tells_enrolment(state: Coverage) -> bool:
    """Whether it was ever said that somebody is enrolled, be it taken back by now."""
    return any(isinstance(each.said, Enrolled) for each in state.changes)


def eligibility_under(coverages: Iterable[Coverage], numbers: Collection[StreamId], day: date) -> Eligibility | None:
    """Of a person whom several coverages may name, each under one of their numbers: by the first that covers them, else
    the first that ever named them. None where no enrolment is known, so that nobody can tell."""
    known = [each for each in coverages if tells_enrolment(each)]
    found = [(number in persons(state), eligibility(state, number, day)) for state in known for number in numbers]
    by_rank = sorted(found, key=lambda each: (each[1].covered, each[0]), reverse=True)
    return by_rank[0][1] if by_rank else None


class _Told(NamedTuple):
    """What stands of all that was said, by what it speaks of, in the order in which the payer said it."""

    enrolments: Sequence[Change]
    ends: Sequence[Change]
    """What ends coverage for all, or takes it up again"""
    of_person: Mapping[StreamId, Sequence[Change]]
    """Who is added or removed alone"""
    changed: Sequence[Request]
    """The changes of plans that hold, in the order of their days: no two are for one"""


def _told(state: Coverage) -> _Told:
    changes = standing_changes(state.changes)
    of_person = defaultdict[StreamId, list[Change]](list)
    for each in changes:
        if isinstance(each.said, DependantAdded | DependantRemoved):
            of_person[each.said.members[0].person].append(each)
    return _Told(
        enrolments=[each for each in changes if isinstance(each.said, Enrolled)],
        ends=[each for each in changes if isinstance(each.said, Terminated | Reinstated)],
        of_person=of_person,
        changed=sorted((each for each in requests(state) if each.holds), key=_effective_on),
    )


def _eligibility(told: _Told, person: StreamId, day: date) -> Eligibility:
    enrolment, lines = _contract(told, day)
    if enrolment is None:
        return Eligibility(covered=False, plan_id="", lines=tuple(lines))
    named = _named(told, enrolment, person, day)
    covered = lines[-1].why in _GOES_ON and named.why in (Why.ENROLLED, Why.ADDED)
    if named.why is not Why.ENROLLED:  # the last line decides: what ended for all ended for whoever was added too
        lines.insert(len(lines) - (named.why is Why.ADDED and not covered), named)
    plan_id = _plan_id(told, enrolment, day) if covered else ""
    return Eligibility(covered, plan_id, tuple(lines))


def _contract(told: _Told, day: date) -> tuple[Change | None, list[Line]]:
    """The enrolment that began last by a day, and whether it goes on on that day, for whomever it covers."""
    begun = [each for each in told.enrolments if _enrolled(each).effective_from <= day]
    enrolment = max(begun, key=lambda each: (_enrolled(each).effective_from, word(each)), default=None)
    if enrolment is None:
        return None, [Line(Why.NOT_YET)]
    began = _enrolled(enrolment).effective_from
    lines = [Line(Why.ENROLLED, enrolment.change, began)]
    if changed := _changed(told, enrolment, day):
        lines.append(Line(Why.PLAN_CHANGED, changed.request, changed.said.effective_on))
    last: Line | None = None
    for each in told.ends:
        match each.said:
            case Terminated(on=on, reason=reason) if began <= on < day:
                last = Line(Why.TERMINATED, each.change, on, reason)
            case Reinstated(effective_from=on, reason=reason) if began <= on <= day:
                last = Line(Why.REINSTATED, each.change, on, reason)
            case _:
                pass
    return enrolment, [*lines, last] if last else lines


def _named(told: _Told, enrolment: Change, person: StreamId, day: date) -> Line:
    """What was said last of a person: by the enrolment, or of them alone after it, or for a day after it began."""
    began = _enrolled(enrolment).effective_from
    is_named = any(each.person == person for each in _enrolled(enrolment).members)
    last = Line(Why.ENROLLED if is_named else Why.NOT_NAMED, enrolment.change, began)
    for each in told.of_person.get(person, ()):
        match each.said:
            case DependantAdded(effective_from=on) if on <= day and (began <= on or word(enrolment) < word(each)):
                last = Line(Why.ADDED, each.change, on)
            case DependantRemoved(on=on) if on < day and (began <= on or word(enrolment) < word(each)):
                last = Line(Why.REMOVED, each.change, on)
            case _:
                pass
    return last


def _plan_id(told: _Told, enrolment: Change, day: date) -> str:
    changed = _changed(told, enrolment, day)
    return changed.said.plan_id if changed else _enrolled(enrolment).plan_id


def _changed(told: _Told, enrolment: Change, day: date) -> Request | None:
    """The last change of plans that holds since the enrolment began; of one for its first day `requests` decides."""
    by_day = bisect_right(told.changed, day, key=_effective_on)
    last = told.changed[by_day - 1] if by_day else None
    return last if last and _enrolled(enrolment).effective_from <= _effective_on(last) else None


def _effective_on(request: Request) -> date:
    return request.said.effective_on


def _enrolled(change: Change) -> Enrolled:
    assert isinstance(change.said, Enrolled)
    return change.said


# --- what follows: the whole of it


class Span(NamedTuple):
    """Days on which the same holds for a person, from the beginning of time to its end."""

    person: StreamId
    first: date | None
    last: date | None
    plan_id: str
    """Empty where they are not covered"""
    why: Why


def persons(state: Coverage) -> tuple[StreamId, ...]:
    """All who were ever named, in the order of their ids."""
    named = (each.said.members for each in state.changes if isinstance(each.said, Enrolled | DependantAdded))
    return tuple(sorted({member.person for members in named for member in members}))


def spans(state: Coverage, of: Iterable[StreamId]) -> list[Span]:
    """When each of some persons is covered and when not: every day is in one of their spans."""
    told = _told(state)
    turns = sorted(_turns(told))
    return [span for person in of for span in _spans(told, turns, person)]


def _spans(told: _Told, turns: Iterable[date], person: StreamId) -> list[Span]:
    found: list[Span] = []
    for first in [date.min, *turns]:
        on_day = _eligibility(told, person, first)
        if found and (found[-1].plan_id, found[-1].why) == (on_day.plan_id, on_day.lines[-1].why):
            continue
        if found:
            found[-1] = found[-1]._replace(last=first - timedelta(1))
        found.append(Span(person, None if first == date.min else first, None, on_day.plan_id, on_day.lines[-1].why))
    return found


def _turns(told: _Told) -> set[date]:
    """The days on which anything may begin to be otherwise. A request that does not hold turns nothing."""
    turns = {_effective_on(each) for each in told.changed}
    for each in chain(told.enrolments, told.ends, *told.of_person.values()):
        match each.said:
            case Enrolled(effective_from=day) | DependantAdded(effective_from=day) | Reinstated(effective_from=day):
                turns.add(day)
            case Terminated(on=day) | DependantRemoved(on=day):
                turns.add(day + timedelta(1))
            case _:
                pass
    return turns


# --- for the decision on a request to change plans


def plan_on(state: Coverage, day: date) -> str:
    """The plan that covers those whom the contract names on a day; empty where none does."""
    told = _told(state)
    enrolment, lines = _contract(told, day)
    return _plan_id(told, enrolment, day) if enrolment is not None and lines[-1].why in _GOES_ON else ""
