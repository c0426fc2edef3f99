"""What a family says of itself: what they are to each other, and what they allowed each other to see.

Identity: viewer and subject, in this order; that communications are confidential is said of the subject alone. A fact
is known again by the payer's own number of the change. Facts come in any order, and who may see what follows from the
set of them (domain/visibility.py).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from domain.facts import Event, Fact, Sealed, StreamId
from domain.person import Names


class Kind(StrEnum):
    """What can be said."""

    FAMILY_LINKED = "family_linked"
    CONSENT_GRANTED = "consent_granted"
    CONSENT_LIMITED = "consent_limited"
    CONSENT_REVOKED = "consent_revoked"
    CONFIDENTIAL_REQUESTED = "confidential_communications_requested"
    CONFIDENTIAL_WITHDRAWN = "confidential_communications_withdrawn"


class Relationship(StrEnum):
    """What the viewer is to the subject. The last one that was said holds: whose guardianship ended is `other`."""

    SPOUSE = "spouse"
    PARENT = "parent"
    GUARDIAN = "guardian"
    CHILD = "child"
    OTHER = "other"


class Area(StrEnum):
    """What there is to see of a person."""

    CLAIMS = "claims"
    MONEY = "money"
    """What is owed and paid"""
    COVERAGE = "coverage"
    CARE = "care"
    """Preventive care that is due"""


class Party(StrEnum):
    """Who said it."""

    SUBJECT = "subject"
    REPRESENTATIVE = "representative"
    """Who may decide for the subject: a minor's parent, whoever has power of attorney (45 CFR 164.502(g))"""
    PLAN = "plan"


# --- a message of one such fact, understood


class Said(Fact, frozen=True, omit_defaults=True, gc=False):
    """One thing that was said."""

    kind: Kind
    at: datetime
    """Aware; its own offset says which day it was"""
    by: Party
    change: StreamId = StreamId("")
    """The change that says it"""
    content: str = ""
    """Keyed hash of what was said, parsed"""
    relationship: Relationship | None = None
    areas: tuple[Area, ...] = ()
    """Granted: what may be seen. Limited: what of all that was granted before may be seen still"""
    first_on: date | None = None
    """Of a grant: the first day on which it holds"""
    until: date | None = None
    """Of a grant: the last one, where it has an end"""


class Numbers(Fact, frozen=True, gc=False):
    """The payer's own. Personal."""

    change_id: str


class Notice(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a plan says of viewer and subject, or of a subject alone."""

    payer_id: str
    subject: Names
    numbers: Numbers
    said: Said
    viewer: Names | None = None


# --- what commands and events say alike


class _About(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    payer_id: str
    person: StreamId
    """The subject"""
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""
    personal: Numbers | Sealed | None = None


# --- command


class Record(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Said
    viewer: StreamId | None = None
    """None where it is said of the subject alone"""


# --- events


class _Event(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    change: StreamId
    content: str
    at: datetime
    by: Party


class _OfViewer(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    viewer: StreamId


class FamilyLinked(_OfViewer, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    relationship: Relationship


class ConsentGranted(_OfViewer, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    areas: tuple[Area, ...]
    first_on: date | None = None
    """None: from the day on which it was said, on the plan's clock"""
    until: date | None = None


class ConsentLimited(_OfViewer, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Of all that was granted before, only this may be seen from now on."""

    areas: tuple[Area, ...]


class ConsentRevoked(_OfViewer, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """All that was granted before is taken back (45 CFR 164.508(b)(5))."""


class ConfidentialityRequested(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The subject wants communications to come to nobody else (45 CFR 164.522(b))."""


class ConfidentialityWithdrawn(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    pass


ConsentEvent = (
    FamilyLinked
    | ConsentGranted
    | ConsentLimited
    | ConsentRevoked
    | ConfidentialityRequested
    | ConfidentialityWithdrawn
)

_RECORDED_AS: dict[Kind, type[ConsentEvent]] = {
    Kind.FAMILY_LINKED: FamilyLinked,
    Kind.CONSENT_GRANTED: ConsentGranted,
    Kind.CONSENT_LIMITED: ConsentLimited,
    Kind.CONSENT_REVOKED: ConsentRevoked,
    Kind.CONFIDENTIAL_REQUESTED: ConfidentialityRequested,
    Kind.CONFIDENTIAL_WITHDRAWN: ConfidentialityWithdrawn,
}
_KIND_OF = {event: kind for kind, event in _RECORDED_AS.items()}

# --- state


class Consents(Fact, frozen=True, gc=False):
    """All that was said so far, in order of arrival."""

    said: tuple[Said, ...] = ()


INITIAL = Consents()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "consent.conflict"
    """The same was said before with other content"""


def decide(state: Consents, command: Record) -> tuple[ConsentEvent, ...] | Refusal:
    """One event where it is news, none where it came before, else why not."""
    for known in state.said:
        if known.change == command.said.change:
            return () if known.content == command.said.content else Refusal.CONFLICT
    recorded_as = _RECORDED_AS[command.said.kind]
    event: Any = recorded_as  # fields differ from kind to kind
    viewer = {} if command.viewer is None else {"viewer": command.viewer}
    return (
        event(
            payer_id=command.payer_id,
            person=command.person,
            source=command.source,
            personal=command.personal,
            **viewer,
            **{name: getattr(command.said, name) for name in _shared(recorded_as)},
        ),
    )


def _shared(event: type[ConsentEvent]) -> list[str]:
    """The fields that say of an event what was said."""
    return [name for name in event.__struct_fields__ if name in Said.__struct_fields__]


# --- evolve


def evolve(state: Consents, event: ConsentEvent) -> Consents:
    return Consents((*state.said, said_by(event)))


def said_by(event: ConsentEvent) -> Said:
    kind = type(event)
    return Said(kind=_KIND_OF[kind], **{name: getattr(event, name) for name in _shared(kind)})
