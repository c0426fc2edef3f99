"""Requests to change plans beside all else that is said: what follows is the same as by looking through everything anew
for each answer, and it follows in good time where there are many.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import plan_change
from domain.eligibility import Span, Why, eligibility, persons, plan_on, spans
from domain.enrolment import (
    Change,
    Coverage,
    Covered,
    DependantAdded,
    DependantRemoved,
    Enrolled,
    Reinstated,
    Relationship,
    Terminated,
    Voided,
    requests,
    standing_changes,
    word,
)
from domain.facts import StreamId
from domain.plan_change import Compared, Confirmed, Reason, Request, Requested, Step, Withdrawn

FAMILY = tuple(Covered(StreamId(name), Relationship.CHILD) for name in ("ada", "ben", "cy", "dan"))
ZONE = "America/New_York"
FIRST = date(2026, 3, 1)
START = datetime(2026, 3, 1, tzinfo=UTC)

# --- by looking through everything


def every_request(state: Coverage, day: date = date.max) -> list[Request]:
    changes = standing_changes(state.changes)
    found = []
    for each in changes:
        if not isinstance(each.said, Requested) or each.said.day_of(each.at) > day:
            continue
        steps = [
            Step(other.at, other.said)
            for other in changes
            if isinstance(other.said, Compared | Confirmed | Withdrawn)
            and other.said.request == each.change
            and each.said.day_of(other.at) <= day
        ]
        anew = [
            other
            for other in changes
            if isinstance(other.said, Enrolled)
            and other.said.effective_from == each.said.effective_on
            and each.said.day_of(other.at) <= day
        ]
        is_said_anew = bool(anew) and each.at <= anew[-1].at and plan_of(anew[-1]) != each.said.plan_id
        refused = dict(state.refused).get(each.change)
        found.append(Request(each.change, each.at, each.said, tuple(steps), refused, is_said_anew))
    return plan_change.of_one_day_the_last(found)


def decides(state: Coverage, who: StreamId, day: date) -> tuple[str, Why]:
    """The plan of a person on a day, empty where they are not covered, and what decides."""
    changes = standing_changes(state.changes)
    begun = [(each.said.effective_from, word(each), each) for each in changes if isinstance(each.said, Enrolled)]
    begun = [each for each in begun if each[0] <= day]
    if not begun:
        return "", Why.NOT_YET
    began, said_at, enrolment = max(begun, key=lambda each: each[:2])
    plan_id, contract = plan_of(enrolment), Why.ENROLLED
    held = [(each.said.effective_on, each) for each in every_request(state) if each.holds]
    held = [each for each in held if began <= each[0] <= day]
    if held:
        _, changed = max(held, key=lambda each: each[0])
        plan_id, contract = changed.said.plan_id, Why.PLAN_CHANGED
    assert isinstance(enrolment.said, Enrolled)
    named = Why.ENROLLED if who in [each.person for each in enrolment.said.members] else Why.NOT_NAMED
    for each in changes:
        match each.said:
            case Terminated(on=on) if began <= on < day:
                contract = Why.TERMINATED
            case Reinstated(effective_from=on) if began <= on <= day:
                contract = Why.REINSTATED
            case DependantAdded(effective_from=on, members=[member]) if member.person == who and on <= day:
                named = Why.ADDED if began <= on or said_at < word(each) else named
            case DependantRemoved(on=on, members=[member]) if member.person == who and on < day:
                named = Why.REMOVED if began <= on or said_at < word(each) else named
            case _:
                pass
    if named in (Why.NOT_NAMED, Why.REMOVED):
        return "", named
    if contract is Why.TERMINATED:
        return "", contract
    return plan_id, named if named is Why.ADDED else contract


def plan_of(enrolment: Change) -> str:
    assert isinstance(enrolment.said, Enrolled)
    return enrolment.said.plan_id


# --- any history

days = st.integers(0, 5).map(lambda days: FIRST + timedelta(days))
moments = st.integers(-24, 5 * 24).map(lambda hours: START + timedelta(hours=hours))
plans = st.sampled_from(["SILVER", "GOLD", "BRONZE"])
people = st.sampled_from(FAMILY[:2])
of_requests, of_others = st.sampled_from("abc").map(StreamId), st.sampled_from("efghijklmnopqrst").map(StreamId)
enrolments = st.builds(Enrolled, plans, days, st.lists(people, unique=True).map(tuple))
others: st.SearchStrategy[Any] = st.one_of(
    st.builds(DependantAdded, days, st.tuples(people)),
    st.builds(DependantRemoved, days, st.tuples(people)),
    st.builds(Terminated, days, st.just("moved")),
    st.builds(Reinstated, days, st.just("paid")),
    st.builds(Voided, of_others),
    st.builds(Compared, of_requests),
    st.builds(Withdrawn, of_requests),
)
asked = st.builds(Requested, plans, days, st.none(), st.sampled_from(["", ZONE, "Asia/Tokyo"]))


def changes(name: st.SearchStrategy[StreamId], *said: st.SearchStrategy[Any], at_least: int) -> st.SearchStrategy[Any]:
    made = st.builds(Change, name, moments, st.just(""), st.one_of(*said))
    return st.lists(made, min_size=at_least, max_size=12, unique_by=lambda change: change.change)


@st.composite
def coverages(draw: st.DrawFn) -> Coverage:
    said = draw(changes(of_others, enrolments, st.builds(Confirmed, of_requests), others, at_least=6))
    requested = draw(changes(of_requests, asked, at_least=2))
    refused = draw(st.sets(of_requests, max_size=1))
    return Coverage((*said, *requested), tuple((each, Reason.OUTSIDE_WINDOW) for each in refused))


histories = coverages()


@given(histories, days)
def test_of_requests_the_same_is_found_as_by_looking_through_everything(state: Coverage, day: date) -> None:
    assert requests(state) == every_request(state)
    assert requests(state, day) == every_request(state, day)


@given(histories, days, people)
def test_who_is_covered_is_the_same_as_by_looking_through_everything(state: Coverage, day: date, who: Covered) -> None:
    found = eligibility(state, who.person, day)
    assert (found.plan_id, found.lines[-1].why) == decides(state, who.person, day)


@given(histories)
def test_spans_of_all_say_of_every_day_what_is_found_by_looking_through_everything(state: Coverage) -> None:
    told = spans(state, persons(state))
    for person in persons(state):
        for day in (FIRST + timedelta(days) for days in range(-2, 8)):
            assert on(told, person, day) == decides(state, person, day)


def on(told: Sequence[Span], person: StreamId, day: date) -> tuple[str, Why]:
    [span] = [
        each for each in told if each.person == person and (each.first or date.min) <= day <= (each.last or date.max)
    ]
    return span.plan_id, span.why


# --- many


def changes_asked_for(confirmed: bool, number: int = 300) -> Coverage:
    """By a family of four, each for another day, and all confirmed or all refused."""
    enrolled = Change(StreamId("enrolled"), START, "", Enrolled("SILVER", FIRST, FAMILY))
    ids = [StreamId(str(each)) for each in range(number)]
    asked = [
        Change(each, START + timedelta(minutes=at), "", Requested("GOLD" + each, FIRST + timedelta(1 + at), None, ZONE))
        for at, each in enumerate(ids)
    ]
    steps = [Change(StreamId("c" + each), START + timedelta(days=1), "", Confirmed(each)) for each in ids]
    refused = () if confirmed else tuple((each, Reason.OUTSIDE_WINDOW) for each in ids)
    return Coverage((enrolled, *asked, *steps), refused)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("confirmed", "number_of_plans"), [(True, 301), (False, 1)])
def test_many_requests_for_different_days_are_folded_in_good_time(confirmed: bool, number_of_plans: int) -> None:
    state = changes_asked_for(confirmed)
    told = spans(state, persons(state))
    assert len(told) == len(FAMILY) * (1 + number_of_plans)  # and the time before
    assert plan_on(state, date(2027, 3, 1)) == ("GOLD299" if confirmed else "SILVER")
