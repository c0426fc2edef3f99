"""When a request to change plans is in time, what proves it, and what becomes of it."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import coverage, plan
from domain.coverage import PlanChangeRefused, PlanChangeRequested, Record, Refusal
from domain.eligibility import plan_on, spans
from domain.enrolment import Coverage, Covered, Enrolled, Relationship, Said, Terminated, Voided, requests
from domain.facts import StreamId
from domain.plan import INITIAL as UNKNOWN
from domain.plan import BenefitDesign, Period, Plan
from domain.plan_change import (
    RULES,
    Cause,
    Compared,
    Confirmed,
    LifeEvent,
    Proof,
    Reason,
    Requested,
    Standing,
    Withdrawn,
    refused,
)
from tests.unit.test_plan import DESIGN, publish

ZONE = ZoneInfo("America/New_York")
R = StreamId("request")
WINDOW = Period(date(2026, 3, 1), date(2026, 3, 31))


def design(window: Period | None = WINDOW, days: int = 60) -> BenefitDesign:
    return msgspec.structs.replace(DESIGN, open_enrolment=window, special_enrolment_days=days)


def offered(of: BenefitDesign) -> Plan:
    published = plan.decide(UNKNOWN, publish(of))
    assert not isinstance(published, plan.Refusal)
    return plan.evolve(UNKNOWN, published[0])


def moment(text: str) -> datetime:
    """On the clock of the plan's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


IN_TIME = moment("2026-03-15T12:00")
OPEN = Requested("GOLD", date(2026, 5, 1))
OTHER = Requested("BRONZE", date(2026, 5, 1))


def after(event: LifeEvent | str, on: date, *proofs: Proof, effective_on: date = date(2026, 5, 1)) -> Requested:
    return Requested("GOLD", effective_on, Cause(event, on, proofs))


# --- open enrolment, to the minute


@pytest.mark.parametrize(
    ("asked_at", "reason"),
    [
        ("2026-02-28T23:59:59", Reason.OUTSIDE_WINDOW),
        ("2026-03-01T00:00:00", None),
        ("2026-03-31T23:59:59", None),
        ("2026-04-01T00:00:00", Reason.OUTSIDE_WINDOW),
    ],
)
def test_a_window_lasts_to_the_last_minute_of_its_last_day(asked_at: str, reason: Reason | None) -> None:
    assert refused(OPEN, moment(asked_at), design()) is reason


@pytest.mark.parametrize(
    ("asked_at", "reason"),
    [
        ("2026-04-01T03:59:59+00:00", None),  # 23:59:59 on 31 March in New York
        ("2026-04-01T04:00:00+00:00", Reason.OUTSIDE_WINDOW),
        ("2026-03-31T23:59:59-07:00", Reason.OUTSIDE_WINDOW),  # three hours later than in New York
    ],
)
def test_the_plans_clock_counts_and_not_the_senders(asked_at: str, reason: Reason | None) -> None:
    assert refused(OPEN, datetime.fromisoformat(asked_at), design()) is reason


@pytest.mark.parametrize(
    ("last", "in_time", "too_late"),
    [
        (date(2026, 3, 8), "2026-03-09T03:59:59+00:00", "2026-03-09T04:00:00+00:00"),  # 23 hours long: UTC-4 at its end
        (date(2026, 3, 7), "2026-03-08T04:59:59+00:00", "2026-03-08T05:00:00+00:00"),  # the day before: UTC-5
        (date(2026, 11, 1), "2026-11-02T04:59:59+00:00", "2026-11-02T05:00:00+00:00"),  # 25 hours long
        (date(2026, 10, 31), "2026-11-01T03:59:59+00:00", "2026-11-01T04:00:00+00:00"),
    ],
)
def test_a_day_on_which_clocks_change_ends_at_its_own_midnight(last: date, in_time: str, too_late: str) -> None:
    of = design(Period(date(2026, 1, 1), last))
    asked = Requested("GOLD", date(2026, 12, 1))
    assert refused(asked, datetime.fromisoformat(in_time), of) is None
    assert refused(asked, datetime.fromisoformat(too_late), of) is Reason.OUTSIDE_WINDOW


def test_without_open_enrolment_it_takes_a_life_event() -> None:
    assert refused(OPEN, IN_TIME, design(None)) is Reason.OUTSIDE_WINDOW


def test_no_plan_begins_before_it_is_asked_for() -> None:
    assert refused(Requested("GOLD", date(2026, 3, 15)), IN_TIME, design()) is None
    assert refused(Requested("GOLD", date(2026, 3, 14)), IN_TIME, design()) is Reason.TOO_EARLY


# --- life events


@pytest.mark.parametrize("event", LifeEvent)
def test_every_life_event_has_a_rule_and_takes_its_own_proof(event: LifeEvent) -> None:
    right = RULES[event].proof
    on = date(2026, 3, 10)
    assert refused(after(event, on, right), IN_TIME, design(None)) is None
    others = [proof for proof in Proof if proof is not right]
    assert refused(after(event, on, *others), IN_TIME, design(None)) is Reason.PROOF_MISSING
    assert refused(after(event, on), IN_TIME, design(None)) is Reason.PROOF_MISSING


def test_a_life_event_that_nobody_knows_is_refused() -> None:
    assert refused(after("lottery", date(2026, 3, 10)), IN_TIME, design()) is Reason.UNKNOWN_LIFE_EVENT


@pytest.mark.parametrize(
    ("asked_at", "reason"),
    [
        ("2026-02-09T23:59:59", Reason.OUTSIDE_WINDOW),
        ("2026-02-10T00:00:00", None),
        ("2026-03-12T23:59:59", None),
        ("2026-03-13T00:00:00", Reason.OUTSIDE_WINDOW),
    ],
)
def test_the_days_after_a_life_event_are_those_of_the_design(asked_at: str, reason: Reason | None) -> None:
    married = after(LifeEvent.MARRIAGE, date(2026, 2, 10), Proof.MARRIAGE_CERTIFICATE)
    assert refused(married, moment(asked_at), design(None, days=30)) is reason


@pytest.mark.parametrize(("asked_on", "reason"), [("2026-03-02", None), ("2026-03-01", Reason.OUTSIDE_WINDOW)])
def test_a_loss_of_coverage_may_be_told_sixty_days_ahead(asked_on: str, reason: Reason | None) -> None:
    lost = after(LifeEvent.LOSS_OF_COVERAGE, date(2026, 5, 1), Proof.TERMINATION_LETTER)
    assert refused(lost, moment(f"{asked_on}T12:00"), design(None)) is reason


def test_only_with_a_birth_or_an_adoption_coverage_begins_with_the_event() -> None:
    for event in LifeEvent:
        asked = after(event, date(2026, 3, 10), RULES[event].proof, effective_on=date(2026, 3, 10))
        reaches_back = event in (LifeEvent.BIRTH, LifeEvent.ADOPTION)
        assert refused(asked, IN_TIME, design(None)) is (None if reaches_back else Reason.TOO_EARLY)
    born = after(LifeEvent.BIRTH, date(2026, 3, 10), Proof.BIRTH_CERTIFICATE, effective_on=date(2026, 3, 9))
    assert refused(born, IN_TIME, design(None)) is Reason.TOO_EARLY


# --- decide


def record(said: Said, name: str = "", at: datetime = IN_TIME, of: Plan | None = None) -> Record:
    asked = offered(design()) if of is None else of
    known = {"content": repr((said, at)), "change": StreamId(name or repr(said)), "payer_id": "P", "source": "s"}
    return msgspec.convert(known | {"at": at, "said": msgspec.to_builtins(said), "plan": asked}, Record)


ENROLLED = record(Enrolled("SILVER", date(2026, 1, 1)))
ASKED = record(OPEN, R)
CONFIRMED = record(Confirmed(R), at=moment("2026-03-16T12:00"))


def recorded(*commands: Record) -> Coverage:
    state: Coverage = coverage.INITIAL
    for command in commands:
        decided = coverage.decide(state, command)
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = coverage.evolve(state, event)
    return state


def outcome(*commands: Record) -> Reason | None:
    """Of the request that comes last."""
    events = coverage.decide(recorded(*commands[:-1]), commands[-1])
    assert not isinstance(events, Refusal)
    assert isinstance(events[0], PlanChangeRequested)
    told = [event for event in events[1:] if isinstance(event, PlanChangeRefused)]
    assert all(event.request == commands[-1].change for event in told)
    return told[0].reason if told else None


def test_a_request_that_is_granted_is_only_recorded() -> None:
    assert outcome(ENROLLED, ASKED) is None


def test_a_refused_one_is_recorded_with_its_reason() -> None:
    assert outcome(ENROLLED, record(OPEN, at=moment("2026-04-01T00:00"))) is Reason.OUTSIDE_WINDOW


def test_a_plan_without_a_design_for_that_day_is_waited_for() -> None:
    assert coverage.decide(recorded(ENROLLED), record(OPEN, of=UNKNOWN)) is Refusal.PLAN_UNKNOWN
    next_year = record(Requested("GOLD", date(2027, 1, 1)))
    assert coverage.decide(recorded(ENROLLED), next_year) is Refusal.PLAN_UNKNOWN


def test_an_enrolment_that_has_not_come_yet_is_waited_for() -> None:
    assert coverage.decide(coverage.INITIAL, ASKED) is Refusal.UNKNOWN
    assert coverage.decide(recorded(record(Terminated(date(2026, 4, 30), "moved"))), ASKED) is Refusal.UNKNOWN
    assert coverage.decide(recorded(record(Voided(ENROLLED.change)), ENROLLED), ASKED) is Refusal.UNKNOWN


def test_only_what_is_covered_on_that_day_can_change() -> None:
    assert outcome(record(Enrolled("SILVER", date(2026, 6, 1))), ASKED) is Reason.NOT_ENROLLED
    assert outcome(ENROLLED, record(Terminated(date(2026, 4, 30), "moved")), ASKED) is Reason.NOT_ENROLLED
    assert outcome(ENROLLED, record(Terminated(date(2026, 5, 1), "moved")), ASKED) is None


def test_nobody_changes_to_where_they_are_or_twice_for_one_day() -> None:
    assert outcome(ENROLLED, record(Requested("SILVER", date(2026, 5, 1)))) is Reason.ALREADY_CHANGED
    second = record(OTHER, "second")
    assert outcome(ENROLLED, ASKED, second) is None
    assert outcome(ENROLLED, ASKED, CONFIRMED, second) is Reason.ALREADY_CHANGED
    withdrawn = record(Withdrawn(R), at=moment("2026-03-17T12:00"))
    assert outcome(ENROLLED, ASKED, CONFIRMED, withdrawn, second) is None


# --- where it stands


def standing(on: date, *commands: Record) -> Standing:
    [request] = requests(recorded(ENROLLED, *commands))
    return request.standing(on)


def test_it_is_effective_from_its_day_on_once_it_is_confirmed() -> None:
    compared = record(Compared(R), at=moment("2026-03-15T13:00"))
    before, first = date(2026, 4, 30), date(2026, 5, 1)
    assert standing(first, ASKED) is Standing.REQUESTED
    assert standing(first, ASKED, compared) is Standing.COMPARED
    assert standing(before, ASKED, compared, CONFIRMED) is Standing.CONFIRMED
    assert standing(first, ASKED, compared, CONFIRMED) is Standing.EFFECTIVE
    state = recorded(ENROLLED, ASKED, CONFIRMED)
    assert (plan_on(state, before), plan_on(state, first)) == ("SILVER", "GOLD")


def test_an_enrolment_that_begins_after_the_change_says_the_plan_anew() -> None:
    state = recorded(ENROLLED, ASKED, CONFIRMED, record(Enrolled("BRONZE", date(2026, 6, 1))))
    assert (plan_on(state, date(2026, 5, 31)), plan_on(state, date(2026, 6, 1))) == ("GOLD", "BRONZE")


def test_a_change_divides_the_time_that_somebody_is_covered() -> None:
    ada = Covered(StreamId("ada"), Relationship.SUBSCRIBER)
    state = recorded(record(Enrolled("SILVER", date(2026, 1, 1), (ada,))), ASKED, CONFIRMED)
    assert [(span.first, span.last, span.plan_id) for span in spans(state, [ada.person])] == [
        (None, date(2025, 12, 31), ""),
        (date(2026, 1, 1), date(2026, 4, 30), "SILVER"),
        (date(2026, 5, 1), None, "GOLD"),
    ]


def test_a_change_for_the_day_of_a_renewal_takes_its_place_where_it_was_asked_for_later() -> None:
    ada = Covered(StreamId("ada"), Relationship.SUBSCRIBER)
    renewal = Enrolled("SILVER", date(2026, 5, 1), (ada,))
    before, after = (record(renewal, f"renewed {on}", moment(f"{on}T12:00")) for on in ("2026-02-01", "2026-04-01"))
    first = record(Enrolled("SILVER", date(2026, 1, 1), (ada,)), at=moment("2025-12-01T12:00"))
    plans = [spans(recorded(first, ASKED, CONFIRMED, said), [ada.person])[-1].plan_id for said in (before, after)]
    assert plans == ["GOLD", "SILVER"]


def test_the_later_word_counts_until_the_other_plan_holds() -> None:
    withdrawn = record(Withdrawn(R), at=moment("2026-04-30T23:59"))
    assert standing(date(2026, 5, 1), ASKED, withdrawn, CONFIRMED) is Standing.WITHDRAWN
    too_late = record(Withdrawn(R), at=moment("2026-05-01T00:00"))
    assert standing(date(2026, 5, 1), ASKED, CONFIRMED, too_late) is Standing.EFFECTIVE
    again = record(Confirmed(R), "again", at=moment("2026-04-30T23:59:30"))
    assert standing(date(2026, 4, 30), ASKED, withdrawn, again) is Standing.CONFIRMED


@pytest.mark.parametrize(
    ("withdrawn_at", "expected"),
    [
        ("2026-05-01T03:59:59+00:00", Standing.WITHDRAWN),  # 23:59:59 on 30 April in New York
        ("2026-05-01T04:00:00+00:00", Standing.EFFECTIVE),
        ("2026-04-30T21:00:00-07:00", Standing.EFFECTIVE),
    ],
)
def test_whether_it_is_withdrawn_in_time_the_plans_clock_tells(withdrawn_at: str, expected: Standing) -> None:
    withdrawn = record(Withdrawn(R), at=datetime.fromisoformat(withdrawn_at))
    assert standing(date(2026, 5, 1), ASKED, CONFIRMED, withdrawn) is expected


def test_what_was_recorded_without_a_zone_goes_by_each_moments_own_offset() -> None:
    recorded_before = Requested("GOLD", date(2026, 5, 1))
    assert recorded_before.day_of(datetime.fromisoformat("2026-04-30T23:30:00-07:00")) == date(2026, 4, 30)
    of_its_plan = msgspec.structs.replace(recorded_before, zone="America/New_York")
    assert of_its_plan.day_of(datetime.fromisoformat("2026-04-30T23:30:00-07:00")) == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("confirmed_at", "expected"),
    [
        ("2026-05-02T03:59:59+00:00", Standing.EFFECTIVE),  # 23:59:59 on 1 May in New York
        ("2026-05-02T04:00:00+00:00", Standing.LAPSED),
    ],
)
def test_it_is_confirmed_by_the_first_day_of_the_other_plan(confirmed_at: str, expected: Standing) -> None:
    confirmed = record(Confirmed(R), at=datetime.fromisoformat(confirmed_at))
    assert standing(date(2026, 5, 2), ASKED, confirmed) is expected
    assert plan_on(recorded(ENROLLED, ASKED, confirmed), date(2026, 6, 1)) == (
        "GOLD" if expected is Standing.EFFECTIVE else "SILVER"
    )


@pytest.mark.parametrize(
    ("confirmed_at", "expected"), [("2026-04-14T23:59:59", Standing.EFFECTIVE), ("2026-04-15T00:00", Standing.LAPSED)]
)
def test_what_reaches_back_can_be_confirmed_for_thirty_days(confirmed_at: str, expected: Standing) -> None:
    born = after(LifeEvent.BIRTH, date(2026, 3, 10), Proof.BIRTH_CERTIFICATE, effective_on=date(2026, 3, 10))
    commands = (record(born, R), record(Confirmed(R), at=moment(confirmed_at)))
    assert standing(date(2026, 4, 15), *commands) is expected


def test_it_lapses_only_once_nothing_can_confirm_it_any_more() -> None:
    compared = record(Compared(R), at=moment("2026-03-15T13:00"))
    assert standing(date(2026, 5, 2), ASKED) is standing(date(2026, 5, 2), ASKED, compared) is Standing.LAPSED
    withdrawn = record(Withdrawn(R), at=moment("2026-04-30T23:59"))
    assert standing(date(2026, 5, 2), ASKED, withdrawn) is Standing.WITHDRAWN
    too_late = record(Withdrawn(R), at=moment("2026-06-01T12:00"))
    assert standing(date(2026, 6, 2), ASKED, too_late) is Standing.LAPSED


def test_of_two_for_one_day_the_one_that_is_confirmed_last_holds() -> None:
    second = StreamId("second")
    asked = (ENROLLED, ASKED, record(OTHER, second, moment("2026-03-15T13:00")))
    first_confirmed = record(Confirmed(R), at=moment("2026-03-18T12:00"))
    second_confirmed = record(Confirmed(second), at=moment("2026-03-17T12:00"))
    on = date(2026, 5, 1)
    for order in ((first_confirmed, second_confirmed), (second_confirmed, first_confirmed)):
        state = recorded(*asked, *order)
        assert [each.standing(on) for each in requests(state)] == [Standing.EFFECTIVE, Standing.REPLACED]
        assert plan_on(state, on) == "GOLD"
    withdrawn = record(Withdrawn(R), at=moment("2026-03-19T12:00"))
    state = recorded(*asked, first_confirmed, second_confirmed, withdrawn)
    assert [each.standing(on) for each in requests(state)] == [Standing.WITHDRAWN, Standing.EFFECTIVE]
    assert plan_on(state, on) == "BRONZE"


def test_what_a_renewal_says_anew_is_no_change_any_more_and_can_be_asked_for_again() -> None:
    renewal = record(Enrolled("SILVER", date(2026, 5, 1)), at=moment("2026-03-20T12:00"))
    first = record(Enrolled("SILVER", date(2026, 1, 1)), at=moment("2025-12-01T12:00"))
    state = recorded(first, ASKED, CONFIRMED, renewal)
    on = date(2026, 5, 1)
    assert [each.standing(on) for each in requests(state)] == [Standing.REPLACED]
    assert [each.standing(on) for each in requests(state, date(2026, 3, 19))] == [Standing.EFFECTIVE]
    assert plan_on(state, on) == "SILVER"
    again = record(OPEN, "again", at=moment("2026-03-25T12:00"))
    assert outcome(first, ASKED, CONFIRMED, renewal, again) is None
    other = record(OTHER, "other", at=moment("2026-03-21T12:00"))
    confirmed = record(Confirmed(StreamId("other")), at=moment("2026-03-22T12:00"))
    late = record(Confirmed(R), at=moment("2026-03-23T12:00"))
    state = recorded(first, ASKED, renewal, other, confirmed, late)
    assert [each.standing(on) for each in requests(state)] == [Standing.REPLACED, Standing.EFFECTIVE]
    assert plan_on(state, on) == "BRONZE"


def test_an_enrolment_that_carries_a_change_out_does_not_replace_it() -> None:
    carried_out = record(Enrolled("GOLD", date(2026, 5, 1)), at=moment("2026-03-20T12:00"))
    state = recorded(ENROLLED, ASKED, CONFIRMED, carried_out)
    assert [each.standing(date(2026, 5, 1)) for each in requests(state)] == [Standing.EFFECTIVE]
    assert plan_on(state, date(2026, 5, 1)) == "GOLD"


def test_as_of_a_day_nothing_counts_that_was_said_later() -> None:
    state = recorded(ENROLLED, ASKED, CONFIRMED)
    standings = [
        [each.standing(day) for each in requests(state, day)] for day in map(date, [2026] * 3, [3] * 3, (14, 15, 16))
    ]
    assert standings == [[], [Standing.REQUESTED], [Standing.CONFIRMED]]
    late = record(OPEN, R, at=datetime.fromisoformat("2026-03-31T21:01:00-07:00"))  # 1 April in New York
    assert [len(requests(recorded(ENROLLED, late), date(2026, month, day))) for month, day in ((3, 31), (4, 1))] == [
        0,
        1,
    ]


def test_what_is_refused_stays_refused() -> None:
    late = record(OPEN, R, at=moment("2026-04-01T00:00"))
    assert standing(date(2026, 5, 1), late, CONFIRMED) is Standing.REFUSED
    assert plan_on(recorded(ENROLLED, late, CONFIRMED), date(2026, 5, 1)) == "SILVER"


def test_a_voided_confirmation_is_as_if_never_made() -> None:
    mistake = record(Confirmed(R), "mistake", at=moment("2026-03-16T12:00"))
    assert standing(date(2026, 5, 1), ASKED, mistake, record(Voided(StreamId("mistake")))) is Standing.REQUESTED


# --- any order

moments = st.integers(0, 70 * 24).map(lambda hours: moment("2026-03-01T00:00") + timedelta(hours=hours))
steps = st.builds(
    lambda kind, at: record(kind(R), at=at, name=f"{kind} {at}"),
    st.sampled_from([Compared, Confirmed, Withdrawn]),
    moments,
)
days = st.dates(date(2026, 3, 1), date(2026, 6, 1))


@given(st.lists(steps, max_size=5, unique_by=lambda step: step.at), st.randoms(), days)
def test_any_order_of_what_is_said_of_a_request_ends_in_the_same(
    said: Sequence[Record], chance: random.Random, on: date
) -> None:
    commands = [ASKED, *said]
    shuffled = [*commands, *commands]
    chance.shuffle(shuffled)
    one, other = recorded(ENROLLED, *commands), recorded(ENROLLED, *shuffled)
    assert requests(one) == requests(other)
    assert requests(one, on) == requests(other, on)
    assert plan_on(one, on) == plan_on(other, on)


@given(st.integers(-90, 90), st.integers(0, 90))
def test_a_life_event_is_in_time_from_its_day_to_the_last_of_its_days(days: int, allowed: int) -> None:
    on = date(2026, 3, 15) - timedelta(days)
    reason = refused(after(LifeEvent.MOVE, on, Proof.PROOF_OF_ADDRESS), IN_TIME, design(None, allowed))
    assert (reason is None) == (0 <= days <= allowed)
