"""The events of a portal's account: everything that was said of it, and the lockouts that followed."""

from datetime import datetime

from domain.facts import Event, Fact, Sealed, StreamId
from domain.sign_in import App, By, Cause, Factor, Grade, Kind, Personal, Proof, Said, Scope

# --- what commands and events say alike


class About(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
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


# --- events


class _Event(About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
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


SUCCEEDED = "succeeded"


class SignInFailed(_Attempt, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    cause: Cause
    verdict: str = ""
    """Of an attempt during a lockout: what the portal made of it, a cause or SUCCEEDED"""
    unknown: StreamId | None = None
    """Stands for the user name where it is nobody's"""


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
    source: str = ""
    """Where that was read"""
    portal_id: str = ""
    payer_id: str = ""
    account: StreamId | None = None
    owner: StreamId | None = None


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
    scopes: tuple[Scope, ...]


class AppUnlinked(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The consent was taken back."""

    app: App


class AlertAcknowledged(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    about: StreamId
    by: By


NotedEvent = (
    CodeIssued
    | CodeExpired
    | CodeRequested
    | IdentityProved
    | Registered
    | TermsAccepted
    | FactorEnrolled
    | FactorRemoved
    | SessionUsed
    | SessionEnded
    | SessionRevoked
    | SessionsRevoked
    | PasswordChanged
    | PasswordRecovered
    | UserNameRecovered
    | AccountLinked
    | AccountUnlinked
    | MovedOver
    | AppLinked
    | AppUnlinked
    | AlertAcknowledged
)
"""Nothing is decided by them but whether the same comes again"""
SaidEvent = NotedEvent | SignedIn | SignInFailed
LoginEvent = SaidEvent | LockedOut | LockoutEnded

RECORDED_AS: dict[Kind, type[SaidEvent]] = {
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

KIND_OF: dict[type[Event], str] = {event: kind for kind, event in RECORDED_AS.items()} | {
    LockedOut: "locked_out",
    LockoutEnded: "lockout_ended",
}
"""By what an event is called where people read it"""

ABOUT = About.__struct_fields__
"""What commands and events say alike"""
ABOUT_UNLOCKING = tuple(name for name in ABOUT if name in LockoutEnded.__struct_fields__)
TOLD = {
    event: tuple(name for name in event.__struct_fields__ if name in Said.__struct_fields__)
    for event in RECORDED_AS.values()
}
"""The fields that say of an event what was said"""
