"""What a portal says of one of its accounts: how it came to be, who signed in and who failed to, what was changed.

The portal checks what people know and have; the ledger records what came of it. Nothing secret is ever told: no
password, no code, no cookie. Each thing is known by the portal's own id of it, and stands where its moment puts it, in
whatever order it comes.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.facts import Fact, StreamId


class Kind(StrEnum):
    """What can be said of an account."""

    CODE_ISSUED = "code_issued"
    CODE_EXPIRED = "code_expired"
    CODE_REQUESTED = "code_requested"
    IDENTITY_PROVED = "identity_proved"
    REGISTERED = "registered"
    TERMS_ACCEPTED = "terms_accepted"
    FACTOR_ENROLLED = "factor_enrolled"
    FACTOR_REMOVED = "factor_removed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    UNLOCKED = "unlocked"
    SESSION_USED = "session_used"
    SESSION_ENDED = "session_ended"
    SESSION_REVOKED = "session_revoked"
    SESSIONS_REVOKED = "sessions_revoked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 the name of a kind
    PASSWORD_RECOVERED = "password_recovered"  # noqa: S105 the name of a kind
    USER_NAME_RECOVERED = "user_name_recovered"
    LINKED = "linked"
    UNLINKED = "unlinked"
    MOVED_OVER = "moved_over"
    APP_LINKED = "app_linked"
    APP_UNLINKED = "app_unlinked"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"


class Cause(StrEnum):
    """Why a sign-in failed. The list is closed."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 the name of a cause
    WRONG_SECOND_FACTOR = "wrong_second_factor"
    EXPIRED_PASSWORD = "expired_password"  # noqa: S105 the name of a cause
    EXPIRED_CODE = "expired_code"
    UNKNOWN_USER = "unknown_user"
    NOT_ACTIVATED = "not_activated"
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    DISABLED = "disabled"
    ABANDONED = "abandoned"
    """A second factor was asked for, and nothing came"""
    LOCKED = "locked"
    """It came while a lockout held: the ledger's word, whatever the portal made of it"""


class Factor(StrEnum):
    """What somebody signs in with beside a password, or instead of it."""

    AUTHENTICATOR_APP = "authenticator_app"
    PASSKEY = "passkey"
    SMS = "sms"
    EMAIL = "email"

    @property
    def is_legacy(self) -> bool:
        """SMS is restricted and e-mail no second factor at all (NIST SP 800-63B-4, sections 3.1.3 and 3.2.9): both are
        taken in, because portals have them, and are marked."""
        return self in (Factor.SMS, Factor.EMAIL)


class Proof(StrEnum):
    """By what somebody who signs up showed who they are."""

    ACTIVATION_CODE = "activation_code"
    DOCUMENT = "document"
    IN_PERSON = "in_person"
    KNOWLEDGE = "knowledge"
    """Member number, birth date, last digits of a number: NIST SP 800-63A-4 accepts no proof by knowledge"""

    @property
    def is_legacy(self) -> bool:
        return self is Proof.KNOWLEDGE


class Grade(StrEnum):
    """How sure the portal is of who somebody is: identity assurance levels (NIST SP 800-63A-4)."""

    NONE = "none"
    IAL1 = "ial1"
    IAL2 = "ial2"
    IAL3 = "ial3"


class App(StrEnum):
    """A health app that a member lets read their records."""

    APPLE_HEALTH = "apple_health"
    GOOGLE_FIT = "google_fit"


class Scope(StrEnum):
    """What such an app may read, as the member consented."""

    CLAIMS = "claims"
    COVERAGE = "coverage"
    CLINICAL = "clinical"


class By(StrEnum):
    """Who or what did it."""

    MEMBER = "member"
    AGENT = "agent"
    LINK = "link"
    """Sent to the member: whoever has it reads their mail"""
    PORTAL = "portal"
    RAN_OUT = "ran_out"
    """The time of it was over"""


class Personal(Fact, frozen=True, omit_defaults=True, gc=False):
    """Sealed under the account's own key."""

    user_name: str
    address: str = ""
    """IP address"""
    device: str = ""
    """As the portal describes it"""
    country: str = ""
    """ISO 3166-1 alpha-2, approximate"""
    other_user_name: str = ""
    """Of the account that is linked, or was moved over"""


class Numbers(Fact, frozen=True, omit_defaults=True, gc=False):
    """By which the portal knows them. Only opaque ids made of them are recorded."""

    event_id: str
    device_id: str = ""
    session_id: str = ""
    code_id: str = ""
    factor_id: str = ""
    about_event_id: str = ""
    """What an acknowledged alert was raised by"""
    about_fact_id: str = ""
    """Or the ledger's own id of that"""
    other_portal_id: str = ""


AHEAD = timedelta(minutes=10)
"""How far a portal's clock may go before ours. By what is said failures are counted, lockouts run out and sessions end,
and the last word holds: one from the future would hold against all that is said until then"""


class Said(Fact, frozen=True, omit_defaults=True, gc=False):
    """One thing that was said."""

    kind: Kind
    at: datetime
    """When, by the portal's clock and with its offset"""
    content: str = ""
    """Keyed hash of what was said, parsed"""
    fact: StreamId = StreamId("")
    """Stands for the portal's id of it"""
    device: StreamId | None = None
    address: StreamId | None = None
    session: StreamId | None = None
    code: StreamId | None = None
    expires_at: datetime | None = None
    proof: Proof | None = None
    grade: Grade | None = None
    terms: str = ""
    """Which version of them"""
    factor: Factor | None = None
    factor_id: StreamId | None = None
    cause: Cause | None = None
    by: By | None = None
    other: StreamId | None = None
    """Another account"""
    app: App | None = None
    scopes: tuple[Scope, ...] = ()
    about: StreamId | None = None
    """The fact that raised an alert"""
    unknown: StreamId | None = None
    """Stands for a user name that the portal does not know"""


class Member(Fact, frozen=True, gc=False):
    """Whose account it is, as a payer knows them."""

    payer_id: str
    member_id: str
    given_name: str


class Notice(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a portal says of one account."""

    portal_id: str
    personal: Personal
    numbers: Numbers
    said: Said
    member: Member | None = None
