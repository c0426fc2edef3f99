"""One account of a portal: everything that was said of it, and when it is locked.

Identity: portal and user name, without regard to case. The portal checks credentials and tells the outcome; lockout is
decided here, in one decision with the failure that leads to it, so that attempts at the same time lock once. A lock
that was recorded stands, whatever comes late. What nobody's account is has a stream of its own and is never locked.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from domain.facts import Event, Fact, Sealed, StreamId
from domain.growing import Growing
from domain.lockout import CONSECUTIVE_MAX, COUNTED, NOTHING, Counter, Device, Failure, Lock, Policy, Scope
from domain.sign_in import App, By, Cause, Factor, Grade, Kind, Personal, Proof, Said
from domain.sign_in import Scope as Reads

# --- what commands and events say alike


class _About(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    portal_id: str
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""
    payer_id: str = ""
    """Of whose member it is, where that was told"""
    account: StreamId | None = None
    """The member's"""
    owner: StreamId | None = None
    """The person"""
    personal: Personal | Sealed | None = None


# --- commands


class Record(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Said
    policy: Policy


class EndLockouts(Fact, frozen=True, gc=False):
    """Those whose time is over."""

    at: datetime


# --- events


class _Event(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    fact: StreamId
    content: str
    at: datetime


class CodeIssued(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """An activation code went out. The code itself is never told."""

    code: StreamId
    expires_at: datetime


class CodeExpired(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Somebody came with it too late."""

    code: StreamId


class CodeRequested(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Another one was asked for."""


class IdentityProved(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    proof: Proof
    grade: Grade


class Registered(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The account is there."""


class TermsAccepted(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    terms: str


class FactorEnrolled(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Under an id that is known already: it was changed."""

    factor: Factor
    factor_id: StreamId


class FactorRemoved(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    factor_id: StreamId


class _Attempt(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    device: StreamId | None = None
    address: StreamId | None = None
    factor: Factor | None = None


class SignedIn(_Attempt, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    session: StreamId


class SignInFailed(_Attempt, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    cause: Cause
    verdict: str = ""
    """Of an attempt during a lockout: what the portal made of it, a cause or `succeeded`"""


class LockedOut(Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime
    until: datetime | None = None
    """None: until a link or an agent unlocks it"""
    device: StreamId | None = None
    """Whom it holds for; None: all devices that never signed in"""
    failures: int
    """That led to it"""


class LockoutEnded(Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime
    by: By
    device: StreamId | None = None
    """Of which the time ran out. A link or an agent ends all that hold for anybody"""
    fact: StreamId = StreamId("")
    """Of a link's or an agent's"""
    content: str = ""


class SessionUsed(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    session: StreamId
    address: StreamId | None = None


class SessionEnded(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """By signing out, or after a while without use, which is the portal's to tell."""

    session: StreamId
    by: By


class SessionRevoked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    session: StreamId
    by: By


class SessionsRevoked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """All that had begun."""

    by: By


class PasswordChanged(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """By somebody who was signed in, or for them."""

    by: By


class PasswordRecovered(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    by: By


class UserNameRecovered(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    by: By


class AccountLinked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Who is signed in here is signed in there."""

    other: StreamId


class AccountUnlinked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    other: StreamId


class MovedOver(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """This account takes the place of another."""

    other: StreamId


class AppLinked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """A health app may read what the member consented to."""

    app: App
    scopes: tuple[Reads, ...]


class AppUnlinked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The consent was taken back."""

    app: App


class AlertAcknowledged(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    about: StreamId
    by: By


_RECORDED_AS: dict[Kind, type[_Event]] = {
    Kind.CODE_ISSUED: CodeIssued,
    Kind.CODE_EXPIRED: CodeExpired,
    Kind.CODE_REQUESTED: CodeRequested,
    Kind.IDENTITY_PROVED: IdentityProved,
    Kind.REGISTERED: Registered,
    Kind.TERMS_ACCEPTED: TermsAccepted,
    Kind.FACTOR_ENROLLED: FactorEnrolled,
    Kind.FACTOR_REMOVED: FactorRemoved,
    Kind.SIGNED_IN: SignedIn,
    Kind.SIGN_IN_FAILED: SignInFailed,
    Kind.SESSION_USED: SessionUsed,
    Kind.SESSION_ENDED: SessionEnded,
    Kind.SESSION_REVOKED: SessionRevoked,
    Kind.SESSIONS_REVOKED: SessionsRevoked,
    Kind.PASSWORD_CHANGED: PasswordChanged,
    Kind.PASSWORD_RECOVERED: PasswordRecovered,
    Kind.USER_NAME_RECOVERED: UserNameRecovered,
    Kind.LINKED: AccountLinked,
    Kind.UNLINKED: AccountUnlinked,
    Kind.MOVED_OVER: MovedOver,
    Kind.APP_LINKED: AppLinked,
    Kind.APP_UNLINKED: AppUnlinked,
    Kind.ALERT_ACKNOWLEDGED: AlertAcknowledged,
}
"""Every kind but `unlocked`, which ends lockouts"""

KIND_OF: dict[type[Event], str] = {event: kind for kind, event in _RECORDED_AS.items()} | {
    LockedOut: "locked_out",
    LockoutEnded: "lockout_ended",
}
"""By what an event is called where people read it"""

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
        return self.counters.get(scope) or NOTHING._replace(since=self.unlocked_at)

    def with_counter(self, scope: Scope, counter: Counter) -> "Login":
        consecutive = self.consecutive + counter.consecutive - self.counter(scope).consecutive
        return self._replace(counters=self.counters.plus(scope, counter), consecutive=consecutive)


INITIAL = Login()


def lock_on(state: Login, device: Device, at: datetime) -> Lock | None:
    """The lock that an attempt meets, if any."""
    lock = state.counter(state.scope(device, at)).lock
    return lock if lock is not None and lock.holds(at) else None


# --- decide


class Refusal(StrEnum):
    CONFLICT = "login.conflict"
    """The same was said before with other content"""
    ACCOUNT_NUMBER = "login.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""


def decide(state: Login, command: Record | EndLockouts) -> tuple[Any, ...] | Refusal:
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
        return (*ended, LockoutEnded(at=said.at, by=said.by, fact=said.fact, content=said.content))
    event = _event(command)
    if said.kind not in (Kind.SIGNED_IN, Kind.SIGN_IN_FAILED):
        return (*ended, event)
    if lock_on(state, said.device, said.at):
        locked = msgspec.structs.replace(said, kind=Kind.SIGN_IN_FAILED, cause=Cause.LOCKED)
        verdict = said.cause or "succeeded"
        return (*ended, _event(msgspec.structs.replace(command, said=locked), verdict=verdict))
    return (*ended, event, *_locking(state, event, command.policy))


def _run_out(state: Login, at: datetime) -> Iterator[LockoutEnded]:
    for scope in state.locked:
        lock = state.counter(scope).lock
        if lock is not None and lock.until is not None and lock.until <= at:
            yield LockoutEnded(at=lock.until, by=By.RAN_OUT, device=scope)


def _locking(state: Login, event: Any, policy: Policy) -> Iterator[LockedOut]:
    """The lockout that an attempt leads to, if it does."""
    if not isinstance(event, SignInFailed) or not _counts(state, event):
        return
    scope = state.scope(event.device, event.at)
    after = state.with_counter(scope, state.counter(scope).failed(event.device, event.at))
    counter, is_full = after.counter(scope), after.consecutive >= CONSECUTIVE_MAX
    if counter.failures and (len(counter.failures) >= policy.failures or (is_full and scope is None)):
        since = counter.failures[-1].at
        until = None if is_full else since + timedelta(minutes=policy.minutes)
        yield LockedOut(at=since, until=until, device=scope, failures=len(counter.failures))


def _counts(state: Login, event: SignInFailed) -> bool:
    """Not where the same device signed in later: such a failure comes late."""
    if event.cause not in COUNTED:
        return False
    seen, counter = state.devices.get(event.device), state.counter(state.scope(event.device, event.at))
    return (seen is None or seen.last <= event.at) and (counter.since is None or counter.since <= event.at)


def _event(command: Record, **more: str) -> Any:
    recorded_as: Any = _RECORDED_AS[command.said.kind]
    about = {name: getattr(command, name) for name in _ABOUT}
    return recorded_as(**about, **{name: getattr(command.said, name) for name in _TOLD[recorded_as]}, **more)


_ABOUT = _About.__struct_fields__
_TOLD = {
    event: tuple(name for name in event.__struct_fields__ if name in Said.__struct_fields__)
    for event in _RECORDED_AS.values()
}
"""The fields that say of an event what was said"""


# --- evolve


def evolve(state: Login, event: Any) -> Login:
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
        case SignInFailed() if _counts(state, event):
            scope = state.scope(event.device, event.at)
            counter = state.counter(scope).failed(event.device, event.at)
            return _knowing(state, event).with_counter(scope, counter)
        case _:
            return _knowing(state, event)


def _knowing(state: Login, event: Any) -> Login:
    return state._replace(known=state.known.plus(event.fact, event.content))


def _signed_in(state: Login, device: Device, at: datetime) -> Login:
    seen = state.devices.get(device) or Seen(at, at)
    state = state._replace(devices=state.devices.plus(device, Seen(min(seen.first, at), max(seen.last, at))))
    among_strangers = [failure for failure in state.counter(None).failures if failure.device == device]
    if device is None:
        return _without(state, [failure for failure in among_strangers if failure.at < at])
    own = state.counter(device).succeeded(at, among_strangers)
    return _without(state, among_strangers).with_counter(device, own)


def _without(state: Login, failures: Sequence[Failure]) -> Login:
    """They don't count among strangers'."""
    return state.with_counter(None, state.counter(None).without(failures)) if failures else state


def _unlocked(state: Login, at: datetime) -> Login:
    """Whatever failed before doesn't count any more. A lockout that began later stays."""
    for scope, counter in state.counters.merged().items():
        state = state.with_counter(scope, counter.unlocked(at))
    held = tuple(scope for scope in state.locked if (lock := state.counter(scope).lock) is not None and at < lock.since)
    unlocked_at = at if state.unlocked_at is None else max(state.unlocked_at, at)
    return state._replace(unlocked_at=unlocked_at, locked=held)
