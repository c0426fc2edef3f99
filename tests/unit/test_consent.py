"""Who of a family may see what: what was said, whatever its order, and the day decide."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import consent
from domain.age import of_age_on, reached
from domain.consent import (
    Area,
    ConsentEvent,
    ConsentGranted,
    Consents,
    Kind,
    Party,
    Record,
    Refusal,
    Relationship,
    Said,
)
from domain.facts import StreamId
from domain.visibility import RULES, Case, ends_on, may_see

PARENT, CHILD = StreamId("parent"), StreamId("child")
BORN = date(2008, 6, 15)
LAST_DAY, BIRTHDAY = date(2026, 6, 14), date(2026, 6, 15)
ALL = tuple(Area)
EASTERN = timezone(timedelta(hours=-5))


def moment(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=EASTERN)


def said(kind: Kind, at: datetime | date, by: Party = Party.SUBJECT, **what: Any) -> Said:
    at = at if isinstance(at, datetime) else moment(at)
    content = repr((kind, at.astimezone(UTC), by, what))
    return Said(kind, at, by, StreamId(f"{kind} {at.astimezone(UTC)}"), content, **what)


def linked(relationship: Relationship = Relationship.PARENT, at: datetime | date = date(2020, 1, 1)) -> Said:
    return said(Kind.FAMILY_LINKED, at, Party.PLAN, relationship=relationship)


def granted(at: datetime | date, *areas: Area, first_on: date | None = None, until: date | None = None) -> Said:
    day = at.date() if isinstance(at, datetime) else at
    return said(Kind.CONSENT_GRANTED, at, areas=areas or ALL, first_on=first_on or day, until=until)


def limited(at: datetime | date, *areas: Area) -> Said:
    return said(Kind.CONSENT_LIMITED, at, areas=areas)


def revoked(at: datetime | date) -> Said:
    return said(Kind.CONSENT_REVOKED, at)


def confidential(at: datetime | date) -> Said:
    return said(Kind.CONFIDENTIAL_REQUESTED, at)


def open_again(at: datetime | date) -> Said:
    return said(Kind.CONFIDENTIAL_WITHDRAWN, at)


def case(
    day: date,
    *facts: Said,
    area: Area = Area.CLAIMS,
    born: date | None = BORN,
    sensitive: bool = False,
    viewer: StreamId = PARENT,
) -> Case:
    return Case(viewer, CHILD, area, sensitive, day, born, facts)


def told(asked: Case) -> tuple[bool, str]:
    return may_see(asked)[:2]


def recorded(*facts: Said) -> tuple[Consents, list[ConsentEvent]]:
    state, events = consent.INITIAL, list[ConsentEvent]()
    for fact in facts:
        viewer = None if fact.kind in (Kind.CONFIDENTIAL_REQUESTED, Kind.CONFIDENTIAL_WITHDRAWN) else PARENT
        decided = consent.decide(state, Record(payer_id="P", person=CHILD, viewer=viewer, source="s", said=fact))
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = consent.evolve(state, event)
            events.append(event)
    return state, events


# --- decide

DAY = date(2026, 3, 2)
FACTS = (
    linked(),
    granted(DAY, Area.CLAIMS, until=date(2026, 12, 31)),
    limited(DAY, Area.MONEY),
    revoked(DAY),
    confidential(DAY),
    open_again(DAY),
)


def test_what_is_said_becomes_the_event_that_says_it() -> None:
    state, events = recorded(*FACTS)
    assert [consent.said_by(event) for event in events] == list(FACTS) == list(state.said)
    event = events[1]
    assert isinstance(event, ConsentGranted)
    assert (event.viewer, event.person, event.areas, event.first_on) == (PARENT, CHILD, (Area.CLAIMS,), DAY)


def test_the_same_again_is_nothing_and_otherwise_a_conflict() -> None:
    state, _ = recorded(*FACTS)
    assert recorded(*FACTS, *FACTS)[0] == state
    for fact in FACTS:
        otherwise = Said(fact.kind, fact.at, Party.PLAN, fact.change, "other")
        command = Record(payer_id="P", person=CHILD, viewer=PARENT, source="s", said=otherwise)
        assert consent.decide(state, command) is Refusal.CONFLICT


# --- age


@pytest.mark.parametrize(
    ("born", "months", "day"),
    [
        (date(2008, 6, 15), 216, date(2026, 6, 15)),
        (date(2008, 2, 29), 216, date(2026, 3, 1)),
        (date(2008, 2, 29), 240, date(2028, 2, 29)),
        (date(2008, 2, 28), 216, date(2026, 2, 28)),
        (date(2025, 8, 31), 6, date(2026, 3, 1)),
        (date(2025, 12, 31), 12, date(2026, 12, 31)),
        (date(2025, 3, 31), 1, date(2025, 5, 1)),
        (date(2025, 11, 30), 1, date(2025, 12, 30)),
    ],
)
def test_an_age_is_reached_on_the_anniversary_or_on_the_first_of_the_next_month(
    born: date, months: int, day: date
) -> None:
    assert reached(born, months) == day


@given(st.dates(date(1900, 1, 1), date(2150, 12, 31)))
def test_nobody_is_of_age_before_eighteen_whole_years(born: date) -> None:
    first, last = of_age_on(born), of_age_on(born) - timedelta(1)
    anniversary = (born.year + 18, born.month, born.day)
    assert (last.year, last.month, last.day) < anniversary <= (first.year, first.month, first.day)


# --- parents


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        (LAST_DAY, (True, "parent_of_minor")),  # 17 years and 364 days
        (BIRTHDAY, (False, "no_consent")),
        (date(2020, 1, 1), (True, "parent_of_minor")),
        (date(2019, 12, 31), (False, "no_consent")),  # not known as a parent yet
    ],
)
@pytest.mark.parametrize("relationship", [Relationship.PARENT, Relationship.GUARDIAN])
def test_a_parent_sees_a_minor_until_the_day_before_the_18th_birthday(
    day: date, verdict: tuple[bool, str], relationship: Relationship
) -> None:
    assert told(case(day, linked(relationship))) == verdict


@pytest.mark.parametrize(
    ("day", "allowed"), [(date(2026, 2, 28), True), (date(2026, 3, 1), False), (date(2026, 3, 2), False)]
)
def test_who_was_born_on_29_february_comes_of_age_on_1_march(day: date, allowed: bool) -> None:
    assert told(case(day, linked(), born=date(2008, 2, 29)))[0] is allowed


@pytest.mark.parametrize("relationship", [Relationship.SPOUSE, Relationship.CHILD, Relationship.OTHER])
def test_nobody_else_sees_a_minor_without_consent(relationship: Relationship) -> None:
    assert told(case(LAST_DAY, linked(relationship))) == (False, "no_consent")


def test_whose_guardianship_ended_sees_nothing_any_more() -> None:
    facts = linked(Relationship.GUARDIAN), linked(Relationship.OTHER, date(2024, 5, 1))
    assert told(case(date(2024, 4, 30), *facts)) == (True, "parent_of_minor")
    assert told(case(date(2024, 5, 1), *facts)) == (False, "no_consent")


@pytest.mark.parametrize("numbers", ["12", "21"])
def test_of_one_moment_who_is_no_guardian_any_more_sees_nothing_whatever_the_changes_ids(numbers: str) -> None:
    both = (linked(Relationship.GUARDIAN), linked(Relationship.OTHER))
    facts = (msgspec.structs.replace(fact, change=StreamId(at)) for fact, at in zip(both, numbers, strict=True))
    assert told(case(LAST_DAY, *facts)) == (False, "no_consent")


def test_a_minor_cannot_take_back_what_a_parent_sees() -> None:
    assert told(case(LAST_DAY, linked(), revoked(DAY))) == (True, "parent_of_minor")


# --- consent

SPOUSE = linked(Relationship.SPOUSE)
ADULT = date(1980, 1, 1)


def test_everybody_sees_their_own() -> None:
    asked = case(DAY, confidential(DAY), sensitive=True, born=None, viewer=CHILD)
    assert told(asked) == (True, "self")


def test_a_spouse_sees_what_was_allowed_on_its_days() -> None:
    facts = SPOUSE, granted(date(2026, 3, 1), first_on=date(2026, 3, 10), until=date(2026, 3, 20))
    for day, verdict in [
        (date(2026, 2, 28), (False, "no_consent")),
        (date(2026, 3, 9), (False, "not_in_its_days")),
        (date(2026, 3, 10), (True, "consent")),
        (date(2026, 3, 20), (True, "consent")),
        (date(2026, 3, 21), (False, "not_in_its_days")),
    ]:
        assert told(case(day, *facts, born=ADULT)) == verdict, day


def test_a_limited_consent_shows_what_it_names_and_nothing_else() -> None:
    facts = SPOUSE, granted(DAY, Area.MONEY, Area.COVERAGE)
    seen = {area: told(case(DAY, *facts, area=area, born=ADULT)) for area in Area}
    assert seen == {
        Area.CLAIMS: (False, "limited"),
        Area.MONEY: (True, "consent"),
        Area.COVERAGE: (True, "consent"),
        Area.CARE: (False, "limited"),
    }


def test_a_limit_holds_for_what_was_granted_before_it() -> None:
    facts = granted(moment(DAY, 9)), limited(moment(DAY, 10), Area.MONEY)
    assert told(case(DAY, *facts, born=ADULT)) == (False, "limited")
    assert told(case(DAY, *facts, born=ADULT, area=Area.MONEY)) == (True, "consent")
    later = granted(moment(DAY, 11), Area.CLAIMS)
    assert told(case(DAY, *facts, later, born=ADULT)) == (True, "consent")


def test_a_limit_widens_nothing() -> None:
    facts = granted(moment(DAY, 9), Area.CLAIMS), limited(moment(DAY, 10), Area.CLAIMS, Area.MONEY)
    assert told(case(DAY, *facts, born=ADULT)) == (True, "consent")
    assert told(case(DAY, *facts, born=ADULT, area=Area.MONEY)) == (False, "limited")


def test_a_revocation_holds_from_its_moment_on() -> None:
    facts = granted(moment(DAY, 9)), revoked(moment(DAY, 10))
    assert told(case(DAY, *facts, born=ADULT)) == (False, "revoked")
    assert told(case(DAY, granted(DAY - timedelta(1)), *facts[1:], born=ADULT)) == (False, "revoked")
    assert told(case(DAY - timedelta(1), granted(DAY - timedelta(1)), *facts[1:], born=ADULT)) == (True, "consent")
    assert told(case(DAY, *facts, granted(moment(DAY, 11)), born=ADULT)) == (True, "consent")


def test_a_revocation_takes_back_what_has_not_begun() -> None:
    facts = granted(DAY, first_on=date(2026, 5, 1)), revoked(date(2026, 4, 1))
    assert told(case(date(2026, 5, 1), *facts, born=ADULT)) == (False, "revoked")


def test_of_one_moment_the_stricter_word_holds() -> None:
    at = moment(DAY)
    for facts in (granted(at), revoked(at)), (revoked(at), granted(at)):
        assert told(case(DAY, *facts, born=ADULT)) == (False, "revoked")
    for facts in (confidential(at), open_again(at)), (open_again(at), confidential(at)):
        assert told(case(DAY, granted(DAY), *facts, born=ADULT)) == (False, "confidential")


# --- what was allowed for a minor


@pytest.mark.parametrize(
    ("given_on", "day", "verdict"),
    [
        (LAST_DAY, LAST_DAY, (True, "consent")),
        (LAST_DAY, BIRTHDAY, (False, "expired_at_18")),
        (DAY, BIRTHDAY, (False, "expired_at_18")),
        (BIRTHDAY, BIRTHDAY, (True, "consent")),
        (BIRTHDAY, date(2030, 1, 1), (True, "consent")),
    ],
)
def test_a_grant_for_a_minor_ends_at_18_and_the_adults_own_is_a_new_one(
    given_on: date, day: date, verdict: tuple[bool, str]
) -> None:
    assert told(case(day, linked(Relationship.OTHER), granted(given_on))) == verdict


def test_a_grant_that_was_to_begin_after_the_birthday_never_begins() -> None:
    assert told(case(BIRTHDAY, granted(DAY, first_on=BIRTHDAY))) == (False, "expired_at_18")


# --- never


@pytest.mark.parametrize("area", Area)
def test_confidential_communications_and_sensitive_services_show_to_nobody_else(area: Area) -> None:
    facts = linked(), granted(DAY)
    assert told(case(LAST_DAY, *facts, area=area)) == (True, "parent_of_minor")
    assert told(case(LAST_DAY, *facts, area=area, sensitive=True)) == (False, "sensitive")
    assert told(case(LAST_DAY, *facts, confidential(LAST_DAY), area=area)) == (False, "confidential")
    assert told(case(DAY, *facts, confidential(LAST_DAY), area=area)) == (True, "parent_of_minor")
    again = open_again(moment(LAST_DAY, 13))
    assert told(case(LAST_DAY, *facts, confidential(LAST_DAY), again, area=area)) == (True, "parent_of_minor")


def test_without_a_birth_date_nobody_else_sees_anything() -> None:
    assert told(case(DAY, linked(), granted(DAY), born=None)) == (False, "birth_date_unknown")


# --- until when


def test_until_when_it_is_allowed_is_told_where_it_is_known() -> None:
    assert ends_on(case(DAY, linked())) == LAST_DAY
    assert ends_on(case(DAY, granted(DAY))) == LAST_DAY
    assert ends_on(case(DAY, granted(DAY, until=date(2026, 4, 1)))) == date(2026, 4, 1)
    assert ends_on(case(DAY, granted(DAY), born=ADULT)) is None
    assert ends_on(case(DAY, born=ADULT)) is None
    longer = granted(moment(DAY, 9), until=date(2026, 6, 1)), granted(DAY, until=date(2026, 5, 1))
    assert ends_on(case(DAY, *longer, born=ADULT)) == date(2026, 6, 1)


# --- any order

days = st.dates(date(2026, 6, 10), date(2026, 6, 20))
moments = st.builds(moment, days, st.integers(0, 23))
areas = st.lists(st.sampled_from(Area), min_size=1, max_size=4, unique=True)
facts = st.one_of(
    st.builds(linked, st.sampled_from(Relationship), moments),
    st.builds(
        lambda at, which, first, until: granted(at, *which, first_on=first, until=until),
        moments,
        areas,
        days,
        st.none() | days,
    ),
    st.builds(lambda at, which: limited(at, *which), moments, areas),
    st.builds(revoked, moments),
    st.builds(confidential, moments),
    st.builds(open_again, moments),
)
histories = st.lists(facts, max_size=10).map(
    lambda told: [msgspec.structs.replace(fact, change=StreamId(str(number))) for number, fact in enumerate(told)]
)
cases = st.tuples(st.sampled_from(Area), days, st.sampled_from([BORN, ADULT, None]), st.booleans())


@given(histories, st.randoms(), cases)
def test_any_order_ends_in_the_same(told_: Sequence[Said], chance: random.Random, asked: Any) -> None:
    area, day, born, sensitive = asked
    shuffled = list(told_) * 2
    chance.shuffle(shuffled)
    one, other = recorded(*told_)[0].said, recorded(*shuffled)[0].said
    verdicts = {may_see(case(day, *each, area=area, born=born, sensitive=sensitive)) for each in (one, other)}
    assert len(verdicts) == 1


@given(histories, cases)
def test_what_is_allowed_is_allowed_up_to_the_day_on_which_it_ends(told_: Sequence[Said], asked: Any) -> None:
    area, day, born, sensitive = asked
    facts = [fact for fact in told_ if fact.at.date() <= day]
    ends = ends_on(case(day, *facts, area=area, born=born, sensitive=sensitive))
    if ends is not None:
        assert may_see(case(ends, *facts, area=area, born=born)).allowed
        after = may_see(case(ends + timedelta(1), *facts, area=area, born=born))
        begins_later = any(fact.first_on and fact.first_on > day for fact in facts)
        assert begins_later or not after.allowed


@given(histories, cases)
def test_nothing_sensitive_confidential_or_of_an_unknown_age_is_ever_seen_by_another(
    told_: Sequence[Said], asked: Any
) -> None:
    area, day, born, _ = asked
    assert not may_see(case(day, *told_, area=area, born=born, sensitive=True)).allowed
    assert not may_see(case(day, *told_, area=area, born=None)).allowed


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert RULES[-1].applies(case(DAY))
