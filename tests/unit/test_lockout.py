"""When an account is locked, for whom, and how a lockout ends."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import identity
from domain.facts import StreamId
from domain.identity import EndLockouts, Login, Refusal, lock_on
from domain.lockout import CONSECUTIVE_MAX, COUNTED, LOCKS_MAX, Policy
from domain.sign_in import By, Cause, Kind, Said
from domain.sign_in_events import KIND_OF, LockedOut, LockoutEnded, LoginEvent, SignedIn, SignInFailed
from tests.unit.sign_ins import failed, minutes, record, said, signed_in, unlocked

PHONE = "the member's phone"
THREE = Policy(failures=3, minutes=20)
DECIDING = (Kind.SIGNED_IN, Kind.SIGN_IN_FAILED, Kind.UNLOCKED)


def decided(state: Login, fact: Said, policy: Policy | None = None) -> tuple[Any, ...]:
    events = identity.decide(state, record(fact, policy))
    assert not isinstance(events, Refusal)
    return events


def told(*facts: Said, policy: Policy | None = None) -> tuple[Login, list[Any]]:
    """The account after it was told of these, and all events."""
    state, events = identity.INITIAL, list[Any]()
    for fact in facts:
        for event in decided(state, fact, policy):
            state = identity.evolve(state, event)
            events.append(event)
    return state, events


def locks(events: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Lockouts and their ends."""
    return [
        ("locked", event.at, event.until, event.device)
        if isinstance(event, LockedOut)
        else (event.by, event.at, event.device)
        for event in events
        if isinstance(event, LockedOut | LockoutEnded)
    ]


def of(*facts: Said, policy: Policy | None = None) -> list[tuple[Any, ...]]:
    return locks(told(*facts, policy=policy)[1])


def test_five_failures_lock_for_a_quarter_of_an_hour() -> None:
    assert of(*map(failed, range(4))) == []
    assert of(*map(failed, range(5))) == [("locked", minutes(4), minutes(19), None)]


@pytest.mark.parametrize("failures", [3, 4, 5])
@pytest.mark.parametrize("length", [15, 30])
def test_how_many_and_how_long_is_the_policys(failures: int, length: int) -> None:
    policy = Policy(failures, length)
    assert of(*map(failed, range(failures - 1)), policy=policy) == []
    [lock] = of(*map(failed, range(failures)), policy=policy)
    assert lock[2] - lock[1] == timedelta(minutes=length)


@pytest.mark.parametrize(("failures", "length"), [(2, 15), (6, 15), (5, 14), (5, 31)])
def test_no_other_policy_is_taken(failures: int, length: int) -> None:
    with pytest.raises(ValueError, match="3 to 5 failures"):
        Policy(failures, length)


def test_the_failure_that_locks_and_the_lockout_are_one_decision() -> None:
    state, _ = told(*map(failed, range(4)))
    failure, locked = decided(state, failed(4))
    assert (type(failure), failure.cause) == (SignInFailed, Cause.WRONG_PASSWORD)
    assert locked == LockedOut(at=minutes(4), until=minutes(19), device=None, failures=5)


@pytest.mark.parametrize("cause", sorted(set(Cause) - COUNTED))
def test_only_what_may_be_a_guess_counts(cause: Cause) -> None:
    assert of(*(failed(at, cause=cause) for at in range(20))) == []


def test_failures_far_apart_do_not_count_together() -> None:
    assert of(*(failed(at * 15) for at in range(20))) == []
    assert of(*(failed(at * 14) for at in range(5))) != []


# --- while it holds


def test_an_attempt_during_a_lockout_is_refused_and_does_not_lengthen_it() -> None:
    state, events = told(*map(failed, range(5)), failed(10), signed_in(18.5))
    assert locks(events) == [("locked", minutes(4), minutes(19), None)]
    assert [(event.cause, event.verdict) for event in events[-2:]] == [
        (Cause.LOCKED, "wrong_password"),
        (Cause.LOCKED, "succeeded"),
    ]
    assert lock_on(state, None, minutes(18.9)) is not None
    assert lock_on(state, None, minutes(19)) is None


def test_fifty_failures_at_the_same_moment_lock_once() -> None:
    assert of(*(failed(0, name=str(at)) for at in range(50))) == [("locked", minutes(0), minutes(15), None)]


# --- how it ends


def test_the_next_attempt_after_its_time_tells_first_that_it_ran_out() -> None:
    state, _ = told(*map(failed, range(5)))
    ended, success = decided(state, signed_in(19))
    assert ended == LockoutEnded(at=minutes(19), by=By.RAN_OUT)
    assert isinstance(success, SignedIn)
    state = identity.evolve(state, ended)
    assert identity.decide(state, EndLockouts(minutes(60))) == ()


def test_it_is_told_that_its_time_is_over_without_an_attempt() -> None:
    state, _ = told(*map(failed, range(5)))
    assert identity.decide(state, EndLockouts(minutes(18.9))) == ()
    assert identity.decide(state, EndLockouts(minutes(60))) == (LockoutEnded(at=minutes(19), by=By.RAN_OUT),)


@pytest.mark.parametrize("by", [By.LINK, By.AGENT])
def test_a_link_or_an_agent_ends_it_and_counting_begins_anew(by: By) -> None:
    state, events = told(*map(failed, range(5)), unlocked(6, by), *map(failed, range(7, 11)), signed_in(11))
    assert locks(events) == [("locked", minutes(4), minutes(19), None), (by, minutes(6), None)]
    assert isinstance(events[-1], SignedIn)
    assert identity.decide(state, EndLockouts(minutes(60))) == ()


def test_what_is_unlocked_before_its_failures_are_told_is_not_locked_by_them() -> None:
    assert of(unlocked(6), *map(failed, range(5))) == [(By.LINK, minutes(6), None)]


def test_after_its_end_as_many_failures_lock_again() -> None:
    again = of(*map(failed, range(5)), *(failed(at) for at in range(20, 25)))
    assert [each[0] for each in again] == ["locked", By.RAN_OUT, "locked"]
    assert len(of(*map(failed, range(5)), *(failed(at) for at in range(20, 24)))) == 2


# --- success between failures


def test_a_success_takes_back_the_failures_of_its_own_device() -> None:
    phone = [failed(at, PHONE) for at in range(1, 5)]
    assert of(signed_in(0, PHONE), *phone, signed_in(5, PHONE), *(failed(at, PHONE) for at in range(6, 10))) == []
    assert of(*phone, signed_in(5, PHONE), *(failed(at, PHONE) for at in range(6, 10))) == []
    assert len(of(signed_in(0, PHONE), *phone, failed(5, PHONE))) == 1


def test_an_attackers_success_resets_nothing_and_nor_does_the_members() -> None:
    guesses = [failed(at, f"device {at}") for at in range(1, 6)]
    assert of(*guesses[:4], signed_in(4.5, "another device"), guesses[4])[0][0] == "locked"
    assert of(signed_in(0, PHONE), *guesses[:4], signed_in(4.5, PHONE), guesses[4])[0][0] == "locked"


# --- locking others out on purpose


def test_nobody_locks_a_member_out_on_their_own_device() -> None:
    guesses = [failed(at / 10, f"device {at}") for at in range(1, 50)]
    state, events = told(signed_in(0, PHONE), *guesses, signed_in(5, PHONE))
    assert [each[3] for each in locks(events)] == [None]
    assert isinstance(events[-1], SignedIn)
    assert lock_on(state, StreamId(PHONE), minutes(5)) is None
    assert lock_on(state, StreamId("a new device"), minutes(5)) is not None


def test_a_known_device_is_locked_by_its_own_failures_and_alone() -> None:
    state, events = told(signed_in(0, PHONE), *(failed(at, PHONE) for at in range(1, 6)))
    assert locks(events) == [("locked", minutes(5), minutes(20), PHONE)]
    assert lock_on(state, StreamId("a new device"), minutes(6)) is None


def test_after_a_hundred_failures_in_a_row_only_a_link_or_an_agent_unlocks() -> None:
    slow = [failed(at * 15) for at in range(CONSECUTIVE_MAX)]
    assert of(*slow[:-1]) == []
    state, events = told(signed_in(-1, PHONE), *slow)
    assert locks(events) == [("locked", slow[-1].at, None, None)]
    later = slow[-1].at + timedelta(days=365)
    assert identity.decide(state, EndLockouts(later)) == ()
    assert lock_on(state, None, later) is not None
    assert lock_on(state, StreamId(PHONE), later) is None
    state, events = told(signed_in(-1, PHONE), *slow, unlocked(15 * CONSECUTIVE_MAX), failed(15 * CONSECUTIVE_MAX + 1))
    assert [each[0] for each in locks(events)] == ["locked", By.LINK]
    assert state.consecutive == 1


def test_strangers_do_not_turn_the_minutes_of_a_known_device_into_a_lock_without_end() -> None:
    slow = [failed(at * 15) for at in range(CONSECUTIVE_MAX)]
    typos = [failed(15 * CONSECUTIVE_MAX + at, PHONE) for at in range(5)]
    found = of(signed_in(-1, PHONE), *slow, *typos)
    assert [each[2] for each in found if each[0] == "locked"] == [None, typos[-1].at + timedelta(minutes=15)]
    own = [failed(at * 20 + number / 10, PHONE) for at in range(20) for number in range(5)]
    untils = [each[2] for each in of(signed_in(-1, PHONE), *own) if each[0] == "locked"]
    assert [until is None for until in untils] == [False] * 19 + [True]


def test_a_success_of_a_new_device_does_not_begin_the_hundred_anew() -> None:
    slow = [failed(at * 15) for at in range(CONSECUTIVE_MAX)]
    found = of(*slow[:-1], signed_in(15 * CONSECUTIVE_MAX - 20, "a new device"), slow[-1])
    assert found == [("locked", slow[-1].at, None, None)]
    own = [failed(15 * CONSECUTIVE_MAX, "a new device"), signed_in(15 * CONSECUTIVE_MAX + 1, "a new device")]
    assert of(*slow[:-1], *own) == [("locked", own[0].at, None, None)]
    assert of(*slow[:-2], *own) == []
    assert of(*slow[:-2], *own, failed(2000)) == []
    assert of(*slow[:-2], *own, failed(2000), failed(3000)) == [("locked", minutes(3000), None, None)]


def test_whoever_signs_in_where_no_device_is_marked_takes_back_what_failed() -> None:
    days = [at * 1_440 for at in range(30)]
    each = [fact for day in days for fact in (*(failed(day + at, None) for at in range(5)), signed_in(day + 60, None))]
    untils = [found[2] for found in of(*each) if found[0] == "locked"]
    assert len(untils) == 30
    assert None not in untils


def test_a_hundred_failures_are_counted_through_lockouts() -> None:
    swift = [failed(at * 20 + number / 10) for at in range(30) for number in range(5)]
    found = of(*swift)
    assert [each[0] for each in found[-3:]] == ["locked", By.RAN_OUT, "locked"]
    assert [each[2] for each in found if each[0] == "locked"].index(None) == CONSECUTIVE_MAX // 5 - 1


# --- the same again, and whatever comes late


def test_an_event_that_the_chapter_does_not_know_is_not_swallowed() -> None:
    other: Any = msgspec.defstruct("Other", [("fact", str), ("content", str)])("F", "c")
    with pytest.raises(AssertionError):
        identity.evolve(identity.INITIAL, other)


def test_every_event_of_an_account_has_a_name_for_people() -> None:
    assert set(KIND_OF) == set(LoginEvent.__args__)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in DECIDING])
def test_what_is_no_attempt_changes_nothing_but_what_is_known(kind: Kind) -> None:
    before, _ = told(*map(failed, range(4)))
    [event] = decided(before, said(kind, 5))
    after = identity.evolve(before, event)
    assert after.known.get(event.fact) == event.content
    assert after._replace(known=before.known) == before


def test_the_same_again_is_nothing_and_otherwise_a_conflict() -> None:
    state, _ = told(failed(0, name="1"), unlocked(1))
    assert identity.decide(state, record(failed(0, name="1"))) == ()
    assert identity.decide(state, record(unlocked(1))) == ()
    assert identity.decide(state, record(failed(1, name="1"))) is Refusal.CONFLICT
    assert identity.decide(state, record(said(Kind.REGISTERED, 0, "1"))) is Refusal.CONFLICT


def test_a_failure_that_comes_late_is_put_in_its_place() -> None:
    assert of(*map(failed, (0, 1, 3, 4)), failed(2)) == [("locked", minutes(4), minutes(19), None)]
    assert of(*(failed(at, PHONE) for at in range(4)), signed_in(10, PHONE), failed(5, PHONE), failed(11, PHONE)) == []
    assert of(*map(failed, range(4)), failed(-70)) == []


def test_a_failure_and_a_success_at_the_same_moment_count_the_same_in_any_order() -> None:
    before = [signed_in(-1, PHONE), failed(0, PHONE)]
    first, _ = told(*before, failed(4, PHONE), signed_in(4, PHONE))
    second, _ = told(*before, signed_in(4, PHONE), failed(4, PHONE))
    counter = first.counter(StreamId(PHONE))
    assert counter == second.counter(StreamId(PHONE))
    assert [failure.at for failure in counter.counting] == [minutes(4)]


def test_who_does_not_say_which_device_it_is_counts_as_one_of_them() -> None:
    state, _ = told(failed(1), failed(2), failed(3), failed(3, "a device"), signed_in(2))
    assert [(failure.at, failure.device) for failure in state.counter(None).counting] == [
        (minutes(2), None), (minutes(3), None), (minutes(3), "a device"),
    ]  # fmt: skip


def test_an_attempt_from_within_a_lockout_that_comes_after_its_end_is_still_refused() -> None:
    _, events = told(*map(failed, range(5)), signed_in(30), failed(10, name="late"))
    assert events[-1].cause is Cause.LOCKED


def test_an_attempt_from_within_an_earlier_lockout_is_refused_though_later_ones_came() -> None:
    state, events = told(*map(failed, range(5)), *(failed(at) for at in range(30, 35)), signed_in(10), failed(18.9))
    assert [each[1:3] for each in locks(events) if each[0] == "locked"] == [
        (minutes(4), minutes(19)),
        (minutes(34), minutes(49)),
    ]
    assert [(event.cause, event.verdict) for event in events[-2:]] == [
        (Cause.LOCKED, "succeeded"),
        (Cause.LOCKED, "wrong_password"),
    ]
    assert isinstance(decided(state, signed_in(19))[-1], SignedIn)


def test_what_unlocks_ends_the_lockout_of_its_moment_though_later_ones_came() -> None:
    state, events = told(*map(failed, range(5)), *(failed(at) for at in range(30, 35)), unlocked(10), signed_in(11))
    assert isinstance(events[-1], SignedIn)
    assert decided(state, signed_in(9))[-1].cause is Cause.LOCKED
    assert decided(state, signed_in(40))[-1].cause is Cause.LOCKED


@pytest.mark.parametrize("late", [signed_in(-10), unlocked(-10), signed_in(7.5 * 60), unlocked(7.5 * 60)])
def test_what_comes_late_takes_back_only_what_failed_before_it(late: Said) -> None:
    slow = [failed(at * 15) for at in range(CONSECUTIVE_MAX)]
    taken_back = sum(1 for each in slow if each.at < late.at)
    state, _ = told(*slow[:-1], late)
    assert state.consecutive == CONSECUTIVE_MAX - 1 - taken_back
    [*_, last] = [*decided(state, slow[-1])]
    assert isinstance(last, SignInFailed if taken_back else LockedOut)


def test_a_failure_from_before_a_lockout_is_one_of_the_hundred() -> None:
    state, events = told(*(failed(at) for at in range(20, 25)), failed(0), failed(30))
    assert (len(locks(events)), state.consecutive) == (1, 6)
    assert [failure.at for failure in state.counter(None).counting] == []


SPREAD = st.lists(
    st.tuples(
        st.sampled_from(["failed", "failed", "failed", "signed in", "unlocked"]),
        st.sampled_from([None, PHONE, "laptop"]),
        st.integers(0, 1),
    ),
    max_size=CONSECUTIVE_MAX - 1,
)


@given(SPREAD, st.randoms())
def test_the_hundred_are_those_after_the_last_success_or_unlocking_in_any_order(spread: Any, random: Any) -> None:
    """While nothing locks: a quarter of an hour lies between any two failures."""
    facts = [
        (what, 15 * number + (0 if what == "failed" else 7 * more), device)
        for number, (what, device, more) in enumerate(spread)
    ]
    state, events = told(*as_said(random.sample(facts, len(facts))))
    assert [event for event in events if isinstance(event, LockedOut)] == []
    unlocks = [at for what, at, _ in facts if what == "unlocked"]
    successes = {of: [at for what, at, device in facts if what == "signed in" and device == of] for _, _, of in facts}
    counted = [
        device if device and successes[device] else None
        for what, at, device in facts
        if what == "failed" and at >= max([*unlocks, *successes[device]], default=0)
    ]
    assert state.consecutive == len(counted)
    for scope in (None, StreamId(PHONE), StreamId("laptop")):
        assert len(state.counter(scope).failures) == counted.count(scope)


def test_of_lockouts_the_latest_hundred_are_remembered() -> None:
    days = [at * 1_440 for at in range(LOCKS_MAX + 1)]
    state, _ = told(*(fact for day in days for fact in (*(failed(day + at) for at in range(5)), signed_in(day + 60))))
    assert len(state.counter(None).locks) == LOCKS_MAX
    assert [lock_on(state, None, minutes(day + 5)) is None for day in days] == [True] + [False] * LOCKS_MAX


FACTS = st.lists(
    st.tuples(
        st.sampled_from(["failed", "failed", "failed", "signed in", "unlocked"]),
        st.integers(0, 90),
        st.sampled_from([None, PHONE, "laptop", "attacker"]),
    ),
    max_size=40,
    unique=True,
)


def as_said(facts: Iterable[tuple[str, int, str | None]]) -> list[Said]:
    made = {"failed": failed, "signed in": signed_in}
    return [unlocked(at) if what == "unlocked" else made[what](at, device) for what, at, device in facts]


@given(FACTS, st.sampled_from([Policy(), THREE]), st.integers(-10_000_000, 10_000_000))
def test_replaying_at_any_clock_gives_the_same_locks(facts: Any, policy: Policy, shift_s: int) -> None:
    shift = timedelta(seconds=shift_s)

    def shifted(moment: datetime | None) -> datetime | None:
        return moment and moment + shift

    facts = as_said(facts)
    later = [msgspec.structs.replace(each, at=each.at + shift) for each in facts]
    expected = [
        (what, *(shifted(each) if isinstance(each, datetime) else each for each in rest))
        for what, *rest in of(*facts, policy=policy)
    ]
    assert of(*later, policy=policy) == expected


@given(FACTS, st.randoms())
def test_failures_in_any_order_lock_once_and_successes_of_others_do_not_matter(facts: Any, random: Any) -> None:
    """Of one window, with no success of their own devices: the same lockout, whoever was told first."""
    failures = sorted({(at, device) for _, at, device in facts if device is not None and at <= 50})
    random.shuffle(failures)
    found = of(*(failed(*each) for each in failures))
    assert [each[0] for each in found if each[0] == "locked"] == ["locked"] * (len(failures) >= 5)


@given(FACTS, st.randoms())
def test_what_counts_follows_from_what_was_said_in_any_order(facts: Any, random: Any) -> None:
    """While nothing locks, and within one window: a lockout that was recorded stands."""
    kept = [each for each in facts if each[1] <= 50]
    failures = [each for each in kept if each[0] == "failed"][:4]
    told_in_order = [*failures, *(each for each in kept if each[0] != "failed")]
    shuffled = random.sample(told_in_order, len(told_in_order))
    (first, found), (second, _) = told(*as_said(told_in_order)), told(*as_said(shuffled))
    assert [event for event in found if isinstance(event, LockedOut)] == []

    def counted(state: Login) -> dict[Any, Any]:
        counters = state.counters.merged()
        return {scope: set(each.failures) for scope, each in counters.items() if each.failures}

    assert (counted(first), first.consecutive) == (counted(second), second.consecutive)
    assert (first.devices, first.unlocked_at) == (second.devices, second.unlocked_at)


@given(FACTS, st.sampled_from([Policy(), THREE]))
def test_events_alone_lead_to_the_state(facts: Any, policy: Policy) -> None:
    state, events = told(*as_said(facts), policy=policy)
    replayed = identity.INITIAL
    for event in events:
        replayed = identity.evolve(replayed, event)
    assert replayed == state
    assert state.consecutive == sum(len(each.failures) for each in state.counters.merged().values())


def misjudged(events: Iterable[Any]) -> list[Any]:
    """Attempts that were let through inside a lockout that was recorded before them, or refused outside of any."""
    held, since, wrong = dict[tuple[str | None, datetime], datetime | None](), dict[str, datetime](), list[Any]()
    for event in events:
        match event:
            case LockedOut():
                held[event.device, event.at] = event.until
            case LockoutEnded(by=By.RAN_OUT):
                assert held[event.device, max(at for device, at in held if device == event.device)] == event.at
            case LockoutEnded():
                held |= {lock: event.at for lock, until in held.items() if lock[1] <= event.at < (until or NEVER)}
            case SignedIn() | SignInFailed():
                known = event.device is not None and since.get(event.device, NEVER) <= event.at
                scope = event.device if known else None
                locked = any(at <= event.at < (until or NEVER) for (of, at), until in held.items() if of == scope)
                if locked != (isinstance(event, SignInFailed) and event.cause is Cause.LOCKED):
                    wrong.append(event)
                if isinstance(event, SignedIn) and event.device is not None:
                    since[event.device] = min(event.at, since.get(event.device, event.at))
            case _:
                pass
    return wrong


NEVER = datetime.max.replace(tzinfo=UTC)
LONG = st.lists(
    st.tuples(
        st.sampled_from(["failed"] * 16 + ["signed in", "signed in", "unlocked"]),
        st.integers(0, 180),
        st.sampled_from([None, PHONE, "laptop", "attacker"]),
    ),
    min_size=20,
    max_size=150,
    unique=True,
)


@settings(max_examples=300)
@given(LONG, st.sampled_from([Policy(), THREE]))
def test_in_any_order_nothing_is_let_through_inside_a_lockout_that_was_recorded(facts: Any, policy: Policy) -> None:
    """The facts come in the order in which they are drawn, hours late. What was recorded leads to the same state again,
    at each step."""
    state, events, replayed = identity.INITIAL, list[Any](), identity.INITIAL
    for fact in as_said(facts):
        for event in decided(state, fact, policy):
            state = identity.evolve(state, event)
            events.append(event)
        assert state.consecutive == sum(len(each.failures) for each in state.counters.merged().values())
        for counter in state.counters.merged().values():
            untils = [(lock.since, lock.until or NEVER) for lock in counter.locks]
            assert untils == sorted(untils)
            assert all(one[1] <= other[0] for one, other in pairwise(untils))
            assert list(counter.failures) == sorted(counter.failures, key=lambda failure: failure.at)
            assert len(counter.failures) <= CONSECUTIVE_MAX
    for event in events:
        replayed = identity.evolve(replayed, event)
    assert replayed == state
    assert misjudged(events) == []
