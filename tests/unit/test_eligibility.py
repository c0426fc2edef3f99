"""Who is covered on a day, and why, whatever the order in which it was said."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import coverage
from domain.coverage import Numbers, Record, Refusal
from domain.eligibility import Why, eligibility, eligibility_under, persons, spans, tells_enrolment
from domain.enrolment import (
    Coverage,
    Covered,
    DependantAdded,
    DependantRemoved,
    Enrolled,
    Reinstated,
    Relationship,
    Said,
    Terminated,
    Voided,
)
from domain.facts import StreamId
from domain.plan_change import Confirmed

ADA, BEN, CY = (Covered(StreamId(name), Relationship.CHILD) for name in ("ada", "ben", "cy"))
START = datetime(2026, 1, 1, tzinfo=UTC)


def day(month: int, number: int = 1, year: int = 2026) -> date:
    return date(year, month, number)


def record(said: Said, name: str = "", minutes: int = 0) -> Record:
    """Said so many minutes after the beginning of the year, and named by what it says unless told otherwise."""
    return Record(
        content=repr((said, minutes)),
        change=StreamId(name or repr((said, minutes))),
        at=START + timedelta(minutes=minutes),
        payer_id="P",
        source="s",
        personal=Numbers("C"),
        said=said,
    )


def recorded(*commands: Record) -> Coverage:
    state: Coverage = coverage.INITIAL
    for command in commands:
        decided = coverage.decide(state, command)
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = coverage.evolve(state, event)
    return state


def told(*said: Said) -> Coverage:
    """One after the other."""
    return recorded(*(record(each, minutes=at) for at, each in enumerate(said)))


def covers(state: Coverage, on: date, who: Covered = ADA) -> tuple[str, Why]:
    """The plan, and what decides."""
    found = eligibility(state, who.person, on)
    assert found.covered == bool(found.plan_id)
    return found.plan_id, found.lines[-1].why


ENROLLED = Enrolled("SILVER", day(2), (ADA, BEN))


# --- decide


def test_what_is_said_becomes_the_event_that_says_it() -> None:
    [event] = coverage.decide(coverage.INITIAL, record(ENROLLED, "c1"))
    assert isinstance(event, coverage.CoverageEnrolled)
    assert (event.said, event.change, event.payer_id, event.source) == (ENROLLED, "c1", "P", "s")


KINDS: list[Said] = [
    ENROLLED,
    DependantAdded(day(3), (CY,)),
    DependantRemoved(day(3), (CY,)),
    Terminated(day(3), "moved"),
    Reinstated(day(4), "paid"),
    Voided(StreamId("x")),
    Confirmed(StreamId("x")),
]


@pytest.mark.parametrize("said", KINDS, ids=lambda said: type(said).__name__)
def test_the_same_again_is_nothing_and_otherwise_a_conflict(said: Said) -> None:
    state = recorded(record(said, "c1"))
    assert state.changes[0].said == said
    assert coverage.decide(state, record(said, "c1")) == ()
    assert coverage.decide(state, record(said, "c1", minutes=1)) is Refusal.CONFLICT


# --- the contract


def test_coverage_begins_with_its_first_day() -> None:
    state = told(ENROLLED)
    assert covers(state, day(1, 31)) == ("", Why.NOT_YET)
    assert covers(state, day(2)) == ("SILVER", Why.ENROLLED)
    assert covers(coverage.INITIAL, day(2)) == ("", Why.NOT_YET)


def test_whoever_is_not_named_is_not_covered() -> None:
    assert covers(told(ENROLLED), day(2), CY) == ("", Why.NOT_NAMED)


def test_the_enrolment_that_began_last_holds_whichever_was_said_first() -> None:
    later = Enrolled("GOLD", day(6), (ADA,))
    for state in (told(ENROLLED, later), told(later, ENROLLED)):
        assert covers(state, day(5, 31))[0] == "SILVER"
        assert covers(state, day(6))[0] == "GOLD"
        assert covers(state, day(6), BEN) == ("", Why.NOT_NAMED)


def test_of_two_enrolments_of_one_day_the_later_word_holds() -> None:
    assert covers(told(ENROLLED, Enrolled("GOLD", day(2), (ADA,))), day(2))[0] == "GOLD"


def test_the_day_of_a_termination_is_the_last_that_is_covered() -> None:
    state = told(ENROLLED, Terminated(day(6, 30), "moved"))
    assert covers(state, day(6, 30))[0] == "SILVER"
    assert covers(state, day(7)) == ("", Why.TERMINATED)
    [_, line] = eligibility(state, ADA.person, day(7)).lines
    assert (line.day, line.reason, line.change) == (day(6, 30), "moved", state.changes[1].change)


def test_a_termination_may_reach_back() -> None:
    state = told(ENROLLED, Terminated(day(6, 30), "moved"), Terminated(day(3, 31), "premium"))
    assert covers(state, day(4)) == ("", Why.TERMINATED)
    assert covers(state, day(3, 31))[0] == "SILVER"


def test_a_termination_ends_nothing_that_begins_after_it() -> None:
    state = told(ENROLLED, Enrolled("SILVER", day(1, 1, 2027), (ADA,)), Terminated(day(12, 31), "year_end"))
    assert covers(state, day(1, 1, 2027))[0] == "SILVER"


def test_a_reinstatement_leaves_the_days_before_it_uncovered() -> None:
    state = told(ENROLLED, Terminated(day(6, 30), "premium"), Reinstated(day(7, 10), "paid"))
    assert covers(state, day(7, 9)) == ("", Why.TERMINATED)
    assert covers(state, day(7, 10)) == ("SILVER", Why.REINSTATED)


def test_a_termination_that_is_said_after_a_reinstatement_ends_it() -> None:
    said = (ENROLLED, Terminated(day(6, 30), "premium"), Reinstated(day(7), "paid"))
    assert covers(told(*said, Terminated(day(5, 31), "fraud")), day(8)) == ("", Why.TERMINATED)


def test_a_reinstatement_of_an_earlier_enrolment_is_none_of_a_later_one() -> None:
    later = Enrolled("GOLD", day(6), (ADA,))
    state = told(ENROLLED, later, Terminated(day(8, 31), "moved"), Reinstated(day(4), "paid"))
    assert covers(state, day(9)) == ("", Why.TERMINATED)


def test_of_what_was_said_at_the_same_moment_the_same_counts_in_either_order() -> None:
    ended, again = record(Terminated(day(6, 30), "moved"), "b"), record(Reinstated(day(7), "paid"), "a")
    enrolled = record(ENROLLED)
    assert covers(recorded(enrolled, ended, again), day(8)) == covers(recorded(again, enrolled, ended), day(8))


def test_what_is_voided_is_as_if_never_made() -> None:
    ended = record(Terminated(day(3, 31), "mistake"), "end", minutes=5)
    void = record(Voided(StreamId("end")), minutes=9)
    for commands in ((record(ENROLLED), ended, void), (void, ended, record(ENROLLED))):
        assert covers(recorded(*commands), day(6)) == ("SILVER", Why.ENROLLED)


def test_a_void_that_was_a_mistake_itself_is_voided() -> None:
    ended = record(Terminated(day(3, 31), "moved"), "end", minutes=5)
    void, again = record(Voided(StreamId("end")), "void", minutes=9), record(Voided(StreamId("void")), minutes=10)
    for commands in ((record(ENROLLED), ended, void, again), (again, void, ended, record(ENROLLED))):
        assert covers(recorded(*commands), day(6)) == ("", Why.TERMINATED)


@pytest.mark.parametrize("minutes", [8, 9, 10])
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_whether_a_void_is_voided_no_moment_tells(names: tuple[str, str], minutes: int) -> None:
    """Both may come in one file, and of one moment."""
    ended = record(Terminated(day(3, 31), "moved"), "end", minutes=5)
    void = record(Voided(StreamId("end")), names[0], minutes=9)
    again = record(Voided(StreamId(names[0])), names[1], minutes=minutes)
    assert covers(recorded(record(ENROLLED), ended, void, again), day(6)) == ("", Why.TERMINATED)


def test_of_two_that_void_each_other_the_later_counts() -> None:
    ended = record(Terminated(day(3, 31), "moved"), "end", minutes=5)
    one, other = (
        record(Voided(StreamId("other")), "one", minutes=9),
        record(Voided(StreamId("one")), "other", minutes=8),
    )
    void = record(Voided(StreamId("end")), "void", minutes=7)
    assert covers(recorded(record(ENROLLED), ended, void, one, other), day(6)) == ("SILVER", Why.ENROLLED)
    of_the_void = record(Voided(StreamId("void")), "other", minutes=8)
    assert covers(recorded(record(ENROLLED), ended, void, one, of_the_void), day(6)) == ("SILVER", Why.ENROLLED)


# --- who is named


def test_a_dependant_is_added_and_removed() -> None:
    state = told(ENROLLED, DependantAdded(day(4), (CY,)), DependantRemoved(day(8, 31), (CY,)))
    assert covers(state, day(3, 31), CY) == ("", Why.NOT_NAMED)
    assert covers(state, day(4), CY) == ("SILVER", Why.ADDED)
    assert covers(state, day(9), CY) == ("", Why.REMOVED)
    assert covers(state, day(9))[0] == "SILVER"


def test_whoever_is_added_is_not_covered_longer_than_the_others() -> None:
    state = told(ENROLLED, Terminated(day(6, 30), "moved"), DependantAdded(day(4), (CY,)))
    assert covers(state, day(7), CY) == ("", Why.TERMINATED)
    assert [line.why for line in eligibility(state, CY.person, day(7)).lines] == [
        Why.ENROLLED,
        Why.ADDED,
        Why.TERMINATED,
    ]
    assert covers(
        told(ENROLLED, Terminated(day(6, 30), "moved"), DependantRemoved(day(5, 31), (BEN,))), day(7), BEN
    ) == (
        "",
        Why.REMOVED,
    )


def test_an_enrolment_that_does_not_name_a_dependant_ends_what_was_said_before_it() -> None:
    added, anew = DependantAdded(day(4), (CY,)), Enrolled("GOLD", day(6), (ADA, BEN))
    assert covers(told(ENROLLED, added, anew), day(6), CY) == ("", Why.NOT_NAMED)
    assert covers(told(ENROLLED, anew, added), day(6), CY) == ("GOLD", Why.ADDED)


def test_an_enrolment_that_names_a_dependant_anew_goes_before_an_earlier_removal() -> None:
    anew = Enrolled("GOLD", day(6), (ADA, CY))
    assert covers(told(DependantRemoved(day(3, 31), (CY,)), anew), day(6), CY) == ("GOLD", Why.ENROLLED)
    assert covers(told(anew, DependantRemoved(day(3, 31), (CY,))), day(6), CY) == ("", Why.REMOVED)


# --- any order

days = st.dates(date(2025, 12, 1), date(2027, 2, 1))
people = st.sampled_from([ADA, BEN, CY])
names = st.sampled_from("abcdefgh").map(StreamId)
facts: st.SearchStrategy[Any] = st.one_of(
    st.builds(Enrolled, st.sampled_from(["SILVER", "GOLD"]), days, st.lists(people, unique=True).map(tuple)),
    st.builds(DependantAdded, days, st.tuples(people)),
    st.builds(DependantRemoved, days, st.tuples(people)),
    st.builds(Terminated, days, st.just("moved")),
    st.builds(Reinstated, days, st.just("paid")),
    st.builds(Voided, names),
)
histories = st.lists(
    st.builds(record, facts, names, st.integers(0, 3)), max_size=8, unique_by=lambda command: command.change
)


@given(histories, st.randoms(), days, people)
def test_any_order_ends_in_the_same(history: Sequence[Record], chance: random.Random, on: date, who: Covered) -> None:
    shuffled = list(history) * 2
    chance.shuffle(shuffled)
    one, other = recorded(*history), recorded(*shuffled)
    assert eligibility(one, who.person, on) == eligibility(other, who.person, on)
    assert (persons(one), spans(one, [who.person])) == (persons(other), spans(other, [who.person]))


@given(histories, days, people)
def test_spans_say_of_every_day_what_eligibility_says(history: Sequence[Record], on: date, who: Covered) -> None:
    state = recorded(*history)
    told = spans(state, [who.person])
    [span] = [each for each in told if (each.first or date.min) <= on <= (each.last or date.max)]
    found = eligibility(state, who.person, on)
    assert (span.plan_id, span.why) == (found.plan_id, found.lines[-1].why)
    assert (told[0].first, told[-1].last) == (None, None)
    for one, after in pairwise(told):
        assert one.last is not None
        assert after.first == one.last + timedelta(1)


@given(histories, days, people)
def test_whoever_is_covered_is_so_by_an_enrolment_that_began(history: Sequence[Record], on: date, who: Covered) -> None:
    state = recorded(*history)
    found = eligibility(state, who.person, on)
    if found.covered:
        begun = [c.said for c in state.changes if isinstance(c.said, Enrolled) and c.said.effective_from <= on]
        assert found.plan_id in {each.plan_id for each in begun}


# --- several coverages, several numbers


def under(*states: Coverage, numbers: tuple[str, ...] = ("ada",)) -> tuple[str, Why]:
    found = eligibility_under(states, tuple(map(StreamId, numbers)), day(6))
    assert found is not None
    return found.plan_id, found.lines[-1].why


def test_of_several_coverages_one_that_covers_decides_then_one_that_names_the_person() -> None:
    older = told(Enrolled("GOLD", day(1), (Covered(StreamId("old"), Relationship.CHILD),)))
    ended = told(ENROLLED, Terminated(day(4), "premium"))
    others = told(Enrolled("BRONZE", day(1), (BEN,)))
    numbers = ("ada", "old")
    assert under(others, ended, older, numbers=numbers) == ("GOLD", Why.ENROLLED)
    assert under(others, ended) == ("", Why.TERMINATED)
    assert under(others, older) == ("", Why.NOT_NAMED)
    assert under(ended, told(ENROLLED)) == ("SILVER", Why.ENROLLED)


def test_without_any_enrolment_nobody_knows_who_is_covered() -> None:
    nothing, added_only = Coverage(), told(DependantAdded(day(3), (CY,)))
    assert eligibility_under((nothing, added_only), (CY.person,), day(6)) is None
    assert [tells_enrolment(each) for each in (nothing, added_only, told(ENROLLED))] == [False, False, True]


def test_an_enrolment_that_was_taken_back_is_known_to_cover_nobody() -> None:
    taken_back = recorded(record(ENROLLED, "enrolled"), record(Voided(StreamId("enrolled")), minutes=1))
    assert under(Coverage(), taken_back) == ("", Why.NOT_YET)
