"""One account of a portal: everything that was said of it, and when it is locked.

Identity: portal and user name, without regard to case. The portal checks credentials and tells the outcome; lockout is
decided here, in one decision with the failure that leads to it, so that attempts at the same time lock once. A lock
that was recorded stands, whatever comes late. What nobody's account is has streams of its own and is never locked.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never

import msgspec

from domain.facts import Fact, StreamId
from domain.growing import Growing
from domain.lockout import CONSECUTIVE_MAX, COUNTED, NOTHING, Counter, Device, Lock, Policy, Scope
from domain.sign_in import By, Cause, Kind, Said
from domain.sign_in_events import (
    ABOUT,
    ABOUT_UNLOCKING,
    RECORDED_AS,
    SUCCEEDED,
    TOLD,
    About,
    LockedOut,
    LockoutEnded,
    LoginEvent,
    NotedEvent,
    SaidEvent,
    SignedIn,
    SignInFailed,
)

# --- commands


class Record(About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Said
    policy: Policy


class EndLockouts(Fact, frozen=True, gc=False):
    """Those whose time is over."""

    at: datetime


# --- state


class Seen(NamedTuple):
    """When a device signed in, first and last."""

    first: datetime
    last: datetime


class Login(NamedTuple):
    """What decisions turn on. Nothing in it grows with what an attacker does, but for the ids of facts."""

    known: Growing[StreamId, str] = Growing()
    """The content of each fact"""
    devices: Growing[Device, Seen] = Growing()
    counters: Growing[Scope, Counter] = Growing()
    consecutive: int = 0
    """Failures over all scopes"""
    unlocked_at: datetime | None = None
    locked: tuple[Scope, ...] = ()
    """Where a lockout was not said to have ended"""

    def scope(self, device: Device, at: datetime) -> Scope:
        seen = self.devices.get(device)
        return device if seen is not None and seen.first <= at else None

    def counter(self, scope: Scope) -> Counter:
        return self.counters.get(scope) or NOTHING

    def with_counter(self, scope: Scope, counter: Counter) -> "Login":
        before = self.counter(scope)
        if counter == before:
            return self
        consecutive = self.consecutive + len(counter.failures) - len(before.failures)
        return self._replace(counters=self.counters.plus(scope, counter), consecutive=consecutive)


INITIAL = Login()


def lock_on(state: Login, device: Device, at: datetime) -> Lock | None:
    """The lock that an attempt meets, if any."""
    return state.counter(state.scope(device, at)).lock_at(at)


# --- decide


class Refusal(StrEnum):
    CONFLICT = "login.conflict"
    """The same was said before with other content"""
    AHEAD_OF_TIME = "login.ahead_of_time"
    """It is told to have happened later than now: such a message is not taken in at all, until then"""
    ACCOUNT_NUMBER = "login.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""


def decide(state: Login, command: Record | EndLockouts) -> tuple[LoginEvent, ...] | Refusal:
    """What was said where it is news, with what follows from it; none where it came before, else why not."""
    if isinstance(command, EndLockouts):
        return tuple(_run_out(state, command.at))
    said = command.said
    known = state.known.get(said.fact)
    if known is not None:
        return () if known == said.content else Refusal.CONFLICT
    ended = tuple(_run_out(state, said.at))
    if said.kind is Kind.UNLOCKED:
        assert said.by is not None
        about = {name: getattr(command, name) for name in ABOUT_UNLOCKING}
        return (*ended, LockoutEnded(at=said.at, by=said.by, fact=said.fact, content=said.content, **about))
    event = _event(command)
    if said.kind not in (Kind.SIGNED_IN, Kind.SIGN_IN_FAILED):
        return (*ended, event)
    if lock_on(state, said.device, said.at):
        locked = msgspec.structs.replace(said, kind=Kind.SIGN_IN_FAILED, cause=Cause.LOCKED)
        verdict = said.cause or SUCCEEDED
        return (*ended, _event(msgspec.structs.replace(command, said=locked), verdict=verdict))
    return (*ended, event, *_locking(state, event, command.policy))


def _run_out(state: Login, at: datetime) -> Iterator[LockoutEnded]:
    for scope in state.locked:
        lock = state.counter(scope).locks[-1]
        if lock.until is not None and lock.until <= at:
            yield LockoutEnded(at=lock.until, by=By.RAN_OUT, device=scope)


def _locking(state: Login, event: SaidEvent, policy: Policy) -> Iterator[LockedOut]:
    """The lockout that an attempt leads to, if it does."""
    if not isinstance(event, SignInFailed) or not _counts(state, event):
        return
    scope = state.scope(event.device, event.at)
    after = state.with_counter(scope, state.counter(scope).failed(event.device, event.at))
    counter = after.counter(scope)
    counting, own = counter.counting, len(counter.failures)
    # The account's hundred are those of all devices, and lock strangers only: a known device is locked by its own.
    is_full = (after.consecutive if scope is None else own) >= CONSECUTIVE_MAX
    if counting and (len(counting) >= policy.failures or (is_full and scope is None)):
        since = counting[-1].at
        until = None if is_full else since + timedelta(minutes=policy.minutes)
        yield LockedOut(at=since, until=until, device=scope, failures=len(counting))


def _counts(state: Login, event: SignInFailed) -> bool:
    """Not where the same device signed in later, or the account was unlocked later: such a failure comes late."""
    if event.cause not in COUNTED:
        return False
    seen, unlocked_at = state.devices.get(event.device), state.unlocked_at
    return (seen is None or seen.last <= event.at) and (unlocked_at is None or unlocked_at <= event.at)


def _event(command: Record, **more: str) -> SaidEvent:
    event = RECORDED_AS[command.said.kind]
    recorded_as: Callable[..., SaidEvent] = event  # fields differ from kind to kind
    about = {name: getattr(command, name) for name in ABOUT}
    return recorded_as(**about, **{name: getattr(command.said, name) for name in TOLD[event]}, **more)


# --- evolve


def evolve(state: Login, event: LoginEvent) -> Login:
    match event:
        case LockedOut():
            lock = Lock(event.at, event.until)
            others = tuple(scope for scope in state.locked if scope != event.device)
            locked = state.with_counter(event.device, state.counter(event.device).locked(lock))
            return locked._replace(locked=(*others, event.device))
        case LockoutEnded(by=By.RAN_OUT):
            return state._replace(locked=tuple(scope for scope in state.locked if scope != event.device))
        case LockoutEnded():
            return _unlocked(_knowing(state, event), event.at)
        case SignedIn():
            return _signed_in(_knowing(state, event), event.device, event.at)
        case SignInFailed():
            return _failed(_knowing(state, event), event)
        case _ if isinstance(event, NotedEvent):
            return _knowing(state, event)
        case _:
            assert_never(event)


def _knowing(state: Login, event: SaidEvent | LockoutEnded) -> Login:
    return state._replace(known=state.known.plus(event.fact, event.content))


def _failed(state: Login, event: SignInFailed) -> Login:
    if not _counts(state, event):
        return state
    scope = state.scope(event.device, event.at)
    return state.with_counter(scope, state.counter(scope).failed(event.device, event.at))


def _signed_in(state: Login, device: Device, at: datetime) -> Login:
    seen = state.devices.get(device) or Seen(at, at)
    state = state._replace(devices=state.devices.plus(device, Seen(min(seen.first, at), max(seen.last, at))))
    strangers, own = state.counter(None), state.counter(device)
    if device is None:
        # All who do not say which device it is are one: else those of a portal that marks none would add up for ever.
        left = [failure for failure in strangers.failures if failure.device is not None or failure.at >= at]
        return state.with_counter(None, strangers.having(left))
    mine = [failure for failure in strangers.failures if failure.device == device]
    others = [failure for failure in strangers.failures if failure.device != device]
    # What it failed later stays, and is its own from now on.
    later = [failure for failure in (*own.failures, *mine) if failure.at >= at]
    return state.with_counter(None, strangers.having(others)).with_counter(device, own.having(later))


def _unlocked(state: Login, at: datetime) -> Login:
    """Whatever failed before doesn't count any more. A lockout that began later stays."""
    for scope, counter in state.counters.merged().items():
        state = state.with_counter(scope, counter.unlocked(at))
    held = tuple(scope for scope in state.locked if at < state.counter(scope).locks[-1].since)
    unlocked_at = at if state.unlocked_at is None else max(state.unlocked_at, at)
    return state._replace(unlocked_at=unlocked_at, locked=held)
