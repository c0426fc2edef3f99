"""A claim: everything that was said of it, each thing once, from its receipt to its last correction and appeal.

Identity: payer, the payer's claim number (CLP07, else the provider's CLP01) and the patient, because different
patients do stand under one number. Two kinds of things are said: **postings** (the payer processed it: adjudicated,
reversed, forwarded, predetermined) and **reports** (received, pended, appealed …).

What comes is recorded in the order in which it comes, and no order is refused: a reversal may come before what it
reverses. Where the claim stands follows from the set of all that was said (domain/standing.py), not from that order.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Literal, assert_never

import msgspec

from domain.adjudication import (
    NO_SHARE,
    Adjudication,
    ClaimNumbers,
    Share,
    Status,
    patient_paid_of,
    service_day,
    share_of,
    status_of,
    type_of,
)
from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import ZERO, Money
from domain.person import Names

Identity = tuple[str, str, int]
"""By which one thing that was said of a claim is known again"""


class Kind(StrEnum):
    """What can be said of a claim."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDED = "pended"
    RELEASED = "released"
    ADJUDICATED = "adjudicated"
    REVERSED = "reversed"
    FORWARDED = "forwarded"
    PREDETERMINED = "predetermined"
    VOIDED = "voided"
    DISPUTED = "disputed"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"


class Awaited(StrEnum):
    """What a pended claim waits for."""

    PROVIDER_INFORMATION = "provider_information"
    PATIENT_INFORMATION = "patient_information"
    MEDICAL_REVIEW = "medical_review"
    COORDINATION_OF_BENEFITS = "coordination_of_benefits"
    OTHER = "other"


class Party(StrEnum):
    MEMBER = "member"
    PROVIDER = "provider"


class Outcome(StrEnum):
    """Of an appeal. Overturned: what was appealed against does not hold, and a correction follows."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"
    PARTLY_OVERTURNED = "partly_overturned"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"


# --- a message about one claim, understood


class Decided(Fact, frozen=True, omit_defaults=True, gc=False):
    """An adjudication that came by itself. It says what was decided; money moves by remittances only."""

    on: date
    adjudication: Adjudication
    sequence: int = 1
    """Tells several decisions of one day and status code apart"""


class Reported(Fact, frozen=True, omit_defaults=True, gc=False):
    """How far a claim has come, or what became of an objection to it."""

    kind: Kind
    at: datetime
    """Aware; its own offset says which day it was for the payer"""
    claim_type: str = ""
    charge_cents: Money | None = None
    service_from: date | None = None
    service_to: date | None = None
    reasons: tuple[str, ...] = ()
    """Rejected: 277 category, status and entity codes, A7:562:85"""
    awaits: Awaited | None = None
    """Pended"""
    by: Party | None = None
    """Disputed, appealed"""
    level: int = 0
    """Of an appeal: 1 and 2 at the payer, 3 at an independent reviewer"""
    due_on: date | None = None
    """Pended: until when what is awaited must come. Appealed: until when it must be decided"""
    outcome: Outcome | None = None


class Notice(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a payer says of one claim outside a remittance."""

    payer_id: str
    patient: Names
    numbers: ClaimNumbers
    said: Decided | Reported
    billing_provider_id: str = ""


# --- what commands and events say alike


class _About(Fact, frozen=True, omit_defaults=True, gc=False):
    content: str
    """Keyed hash of what was said, parsed and without its envelope"""
    person: StreamId
    payer_id: str


class _Posting(_About, frozen=True, omit_defaults=True, gc=False):
    remittance: StreamId | None
    """None where it came outside a remittance: then no money moved"""
    day: date
    """BPR16, the day of the payment; outside a remittance the day on which it was decided"""
    adjudication: Adjudication
    personal: ClaimNumbers | Sealed | None = None
    occurrence: int = 1
    """Which posting with this status code it is, of this claim in this remittance or on this day"""
    source: str = ""
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""
    bill: StreamId | None = None
    """The provider's bill, which every payer of the same services knows; None in what was recorded before 0.2"""

    @property
    def identity(self) -> Identity:
        return self.remittance or self.day.isoformat(), self.adjudication.status_code, self.occurrence


class _Report(_About, frozen=True, omit_defaults=True, gc=False):
    source: str
    bill: StreamId
    personal: ClaimNumbers | Sealed | None = None


# --- commands


class Post(_Posting, frozen=True, omit_defaults=True, gc=False):
    """Post one adjudication of a claim, whatever its kind."""


class Report(_Report, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Take one report of a claim in."""

    said: Reported

    @property
    def identity(self) -> Identity:
        return _moment(self.said.at), self.said.kind, 1


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


# --- events: postings


class ClaimAdjudicated(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer processed the claim: paid, denied or left to the member (CLP02 1 to 4 and 19 to 21)."""


class ClaimReversed(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer took an earlier adjudication back (CLP02 22); its amounts are that one's, negated."""


class ClaimForwarded(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """Not this payer's claim: passed on to another (CLP02 23)."""


class ClaimPredetermined(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer said what it would pay; no money moved (CLP02 25)."""


PostingEvent = ClaimAdjudicated | ClaimReversed | ClaimForwarded | ClaimPredetermined

# --- events: reports


class _ReportEvent(_Report, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime
    """Aware; its own offset says which day it was for the payer"""
    claim_type: str = ""
    charge_cents: Money | None = None
    service_from: date | None = None
    service_to: date | None = None


class ClaimReceived(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It arrived at the payer."""


class ClaimAccepted(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It entered adjudication."""


class ClaimRejected(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It was sent back as unprocessable and never entered adjudication."""

    reasons: tuple[str, ...] = ()


class ClaimPended(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It is held until something comes."""

    awaits: Awaited | None = None
    due_on: date | None = None


class ClaimReleased(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It is held no longer."""


class ClaimVoided(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """It was cancelled (frequency code 8): as if never made."""


class ClaimDisputed(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Somebody says that it was not processed rightly, short of an appeal."""

    by: Party | None = None


class ClaimAppealed(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    by: Party | None = None
    level: int = 0
    due_on: date | None = None


class AppealDecided(_ReportEvent, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    level: int = 0
    outcome: Outcome | None = None


ReportEvent = (
    ClaimReceived
    | ClaimAccepted
    | ClaimRejected
    | ClaimPended
    | ClaimReleased
    | ClaimVoided
    | ClaimDisputed
    | ClaimAppealed
    | AppealDecided
)
ClaimEvent = PostingEvent | ReportEvent

# CLP02. 19 to 21 are 1 to 3 passed on to a further payer; 4 means that the patient is not recognised.
_POSTED_AS: dict[str, type[PostingEvent]] = {
    **dict.fromkeys(("1", "2", "3", "4", "19", "20", "21"), ClaimAdjudicated),
    "22": ClaimReversed,
    "23": ClaimForwarded,
    "25": ClaimPredetermined,
}
_REPORTED_AS: dict[Kind, type[ReportEvent]] = {
    Kind.RECEIVED: ClaimReceived,
    Kind.ACCEPTED: ClaimAccepted,
    Kind.REJECTED: ClaimRejected,
    Kind.PENDED: ClaimPended,
    Kind.RELEASED: ClaimReleased,
    Kind.VOIDED: ClaimVoided,
    Kind.DISPUTED: ClaimDisputed,
    Kind.APPEALED: ClaimAppealed,
    Kind.APPEAL_DECIDED: AppealDecided,
}
KIND_OF: dict[type[ClaimEvent], Kind] = {
    ClaimAdjudicated: Kind.ADJUDICATED,
    ClaimReversed: Kind.REVERSED,
    ClaimForwarded: Kind.FORWARDED,
    ClaimPredetermined: Kind.PREDETERMINED,
    **{event: kind for kind, event in _REPORTED_AS.items()},
}

# --- state


class Said(Fact, frozen=True, gc=False, array_like=True):
    """One thing that was said, as far as the claim's standing turns on it."""

    identity: Identity
    content: str
    kind: Kind
    day: date
    at: datetime | None = None
    """Of a report"""
    is_remitted: bool = False
    status: Status | None = None
    """What a posting by itself makes of the claim"""
    status_code: str = ""
    charge_cents: Money | None = None
    paid_cents: Money = ZERO
    member_cents: Money = ZERO
    claim_type: str = ""
    facility_code: str = ""
    service_from: date | None = None
    service_to: date | None = None
    detail: str = ""
    """Of a report: what is awaited, by whom, the outcome"""
    level: int = 0
    due_on: date | None = None
    bill: StreamId | None = None
    share: Share = NO_SHARE
    """Of a posting: what it leaves to the patient, by kind"""
    patient_paid_cents: Money = ZERO
    """Of a posting: what the patient has paid already, as the payer states it (AMT*F5)"""


class Claim(Fact, frozen=True, gc=False, array_like=True):
    """All that was said so far, in order of arrival: the n-th is the stream's n-th event."""

    said: tuple[Said, ...] = ()


INITIAL = Claim()

# --- decide


class Refusal(StrEnum):
    """Why something is not accepted."""

    CONFLICT = "claim.conflict"
    """The same was said before with other content"""
    UNKNOWN_STATUS = "claim.unknown_status"
    """CLP02 is not in the guide's list"""


def decide(state: Claim, command: Post | Report) -> tuple[ClaimEvent, ...] | Refusal:
    """One event where it is news, none where it came before, else why not."""
    news = is_news(state, command.identity, command.content)
    if news is not True:
        return news or ()
    event = event_of(command)
    return event if isinstance(event, Refusal) else (event,)


def is_news(state: Claim, identity: Identity, content: str) -> bool | Literal[Refusal.CONFLICT]:
    """Half of `decide`: was it said before?"""
    for said in state.said:
        if said.identity == identity:
            return False if said.content == content else Refusal.CONFLICT
    return True


def event_of(command: Post | Report) -> ClaimEvent | Literal[Refusal.UNKNOWN_STATUS]:
    """The other half of `decide`, which needs no state: what happened, if it is news."""
    match command:
        case Post():
            posted = _POSTED_AS.get(command.adjudication.status_code)
            return Refusal.UNKNOWN_STATUS if posted is None else posted(*msgspec.structs.astuple(command))
        case Report():
            return _event_of(command)
        case _:
            assert_never(command)


def _event_of(report: Report) -> ReportEvent:
    kind = _REPORTED_AS[report.said.kind]
    said = {name: getattr(report.said, name) for name in kind.__struct_fields__ if name in Reported.__struct_fields__}
    return kind(
        content=report.content,
        person=report.person,
        payer_id=report.payer_id,
        source=report.source,
        bill=report.bill,
        personal=report.personal,
        **said,
    )


# --- evolve


def evolve(state: Claim, event: ClaimEvent) -> Claim:
    return Claim((*state.said, said_by(event)))


def said_by(event: ClaimEvent) -> Said:
    match event:
        case ClaimAdjudicated() | ClaimReversed() | ClaimForwarded() | ClaimPredetermined():
            return _posted(event)
        case ClaimRejected():
            return _reported(event, " ".join(event.reasons))
        case ClaimPended():
            return _reported(event, event.awaits or "", due_on=event.due_on)
        case ClaimDisputed():
            return _reported(event, event.by or "")
        case ClaimAppealed():
            return _reported(event, event.by or "", event.level, event.due_on)
        case AppealDecided():
            return _reported(event, event.outcome or "", event.level)
        case ClaimReceived() | ClaimAccepted() | ClaimReleased() | ClaimVoided():
            return _reported(event)
        case _:
            assert_never(event)


def _posted(event: PostingEvent) -> Said:
    adjudication = event.adjudication
    return Said(
        identity=event.identity,
        content=event.content,
        kind=KIND_OF[type(event)],
        day=event.day,
        is_remitted=event.remittance is not None,
        status=status_of(adjudication),
        status_code=adjudication.status_code,
        charge_cents=adjudication.charge_cents,
        paid_cents=adjudication.paid_cents,
        member_cents=adjudication.patient_cents,
        claim_type=type_of(adjudication),
        facility_code=adjudication.facility_code,
        service_from=service_day(adjudication),
        service_to=adjudication.service_to,
        bill=event.bill,
        share=share_of(adjudication),
        patient_paid_cents=patient_paid_of(adjudication),
    )


def _reported(event: ReportEvent, detail: str = "", level: int = 0, due_on: date | None = None) -> Said:
    kind = KIND_OF[type(event)]
    return Said(
        identity=(_moment(event.at), kind, 1),
        content=event.content,
        kind=kind,
        day=event.at.date(),
        at=event.at,
        charge_cents=event.charge_cents,
        claim_type=event.claim_type,
        service_from=event.service_from,
        service_to=event.service_to,
        detail=detail,
        level=level,
        due_on=due_on,
        bill=event.bill,
    )
