"""A claim, as far as a payer's remittances tell of it: each adjudication, reversal and forwarding of it is posted once.

Identity: payer, the payer's claim number (CLP07, else the provider's CLP01) and the patient, because different
patients do stand under one number. A posting's identity adds the payment (TRN02, BPR16), the status code and
the occurrence within the transaction, so the same remittance may be sent any number of times.

Messages are taken in the order in which the ledger records them; `evolve` is the place where a later arrival
of an earlier fact will be put in its order.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import assert_never

import msgspec

from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import Money
from domain.person import Names


class Adjustment(Fact, frozen=True, omit_defaults=True, gc=False, array_like=True):
    """Why a charge was not paid in full: one group, reason and amount of a CAS. Positive decreases the payment."""

    group: str
    """CO contractual, PR patient responsibility, OA other, PI payer-initiated (CR before 5010)"""
    carc: str
    """Claim adjustment reason code"""
    cents: Money
    quantity: str = ""


class ServiceLine(Fact, frozen=True, omit_defaults=True, gc=False):
    """One SVC loop."""

    procedure: str
    """Qualifier, code and modifiers, joined by colons: HC:99213:25"""
    charge_cents: Money
    paid_cents: Money
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    """Remittance advice remark codes (RARC)"""
    service_from: date | None = None
    service_to: date | None = None
    allowed_cents: Money | None = None
    """AMT*B6"""
    revenue_code: str = ""
    units: str = ""
    submitted_procedure: str = ""


class Adjudication(Fact, frozen=True, omit_defaults=True, gc=False):
    """What the payer says of a claim in one CLP loop, without anything that tells who the patient is."""

    status_code: str
    """CLP02"""
    charge_cents: Money
    paid_cents: Money
    patient_cents: Money
    """CLP05, the patient's responsibility as the payer states it"""
    lines: tuple[ServiceLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    remarks: tuple[str, ...] = ()
    service_from: date | None = None
    service_to: date | None = None
    received_on: date | None = None
    amounts: tuple[tuple[str, Money], ...] = ()
    """Claim-level AMT: qualifier and cents (AU coverage, F5 already paid by the patient, I interest …)"""
    filing_code: str = ""
    facility_code: str = ""
    frequency_code: str = ""
    rendering_provider: str = ""
    forwarded_to: str = ""
    """The payer to whom the claim was passed on (NM1*TT)"""


class ClaimNumbers(Fact, frozen=True, omit_defaults=True, gc=False):
    """The numbers by which payer and provider know a claim. All of it is personal."""

    patient_control_number: str
    payer_claim_number: str = ""
    line_control_numbers: tuple[str, ...] = ()


class ClaimPayment(Fact, frozen=True, omit_defaults=True, gc=False):
    """One CLP loop, understood."""

    numbers: ClaimNumbers
    adjudication: Adjudication
    patient: Names | None = None
    """None where the remittance does not say who the patient is: such a claim cannot be posted."""


class Status(StrEnum):
    """Where a claim stands after its latest posting."""

    PAID = "paid"
    PARTIALLY_PAID = "partially_paid"
    DENIED = "denied"
    MEMBER_LIABILITY = "member_liability"
    """Nothing paid, because deductible, coinsurance or co-payment take all of it: not a denial"""
    NOTHING_DUE = "nothing_due"
    """Nothing paid and nothing owed: a contract or a prior payer covers the charge"""
    FORWARDED = "forwarded"
    PREDETERMINATION = "predetermination"
    REVERSED = "reversed"


# Deductible, coinsurance, co-payment, blood deductible: what the plan's design leaves to the member.
COST_SHARE = frozenset({"1", "2", "3", "66"})
# Reasons that lower what is due and yet deny nothing: prior payer, capitation, fee schedules, withholding,
# sequestration, already paid to or by the patient.
NOT_A_DENIAL = frozenset({"23", "24", "45", "59", "94", "100", "104", "105", "131", "187", "253"})


_STATUS_OF = {
    "4": Status.DENIED,
    "22": Status.REVERSED,
    "23": Status.FORWARDED,
    "25": Status.PREDETERMINATION,
}
"""CLP02 codes that settle the status by themselves; the rest turn on what was paid and why not."""


def status_of(adjudication: Adjudication) -> Status:
    """The status that one adjudication gives; zero paid is told apart by its reasons, claim and lines together."""
    fixed = _STATUS_OF.get(adjudication.status_code)
    if fixed is not None:
        return fixed
    if adjudication.paid_cents:
        denied = any(
            not line.paid_cents and line.charge_cents and _denies(line.adjustments) for line in adjudication.lines
        )
        return Status.PARTIALLY_PAID if denied else Status.PAID
    reasons = adjudication.adjustments + tuple(a for line in adjudication.lines for a in line.adjustments)
    if any(a.group == "PR" and a.carc in COST_SHARE for a in reasons):
        return Status.MEMBER_LIABILITY
    return Status.DENIED if _denies(reasons) else Status.NOTHING_DUE


def _denies(adjustments: tuple[Adjustment, ...]) -> bool:
    return any(a.carc not in NOT_A_DENIAL and a.carc not in COST_SHARE for a in adjustments)


class _Posting(Fact, frozen=True, omit_defaults=True, gc=False):
    """What command and events say alike."""

    content: str
    """Keyed hash of the parsed claim without its envelope"""
    person: StreamId
    remittance: StreamId
    payer_id: str
    paid_on: date
    """BPR16"""
    adjudication: Adjudication
    personal: ClaimNumbers | Sealed | None = None
    occurrence: int = 1
    """Which posting with this status code it is, of this claim in this remittance"""

    @property
    def identity(self) -> tuple[str, str, int]:
        """By which a posting is known again within its claim."""
        return self.remittance, self.adjudication.status_code, self.occurrence


# --- commands


class Post(_Posting, frozen=True, omit_defaults=True, gc=False):
    """Post one adjudication of a claim, whatever its kind."""


# --- events


class ClaimAdjudicated(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer processed the claim: paid, denied or left to the member (CLP02 1 to 4 and 19 to 21)."""


class ClaimReversed(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer took an earlier adjudication back (CLP02 22); its amounts are that one's, negated."""


class ClaimForwarded(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """Not this payer's claim: passed on to another (CLP02 23)."""


class ClaimPredetermined(_Posting, Event, frozen=True, omit_defaults=True, gc=False):
    """The payer said what it would pay; no money moved (CLP02 25)."""


ClaimEvent = ClaimAdjudicated | ClaimReversed | ClaimForwarded | ClaimPredetermined

# CLP02. 19 to 21 are 1 to 3 passed on to a further payer; 4 means that the patient is not recognised.
_EVENT_OF: dict[str, type[ClaimEvent]] = {
    **dict.fromkeys(("1", "2", "3", "4", "19", "20", "21"), ClaimAdjudicated),
    "22": ClaimReversed,
    "23": ClaimForwarded,
    "25": ClaimPredetermined,
}

# --- state


class Claim(Fact, frozen=True, omit_defaults=True, gc=False):
    """The postings so far: identity → content."""

    postings: Mapping[tuple[str, str, int], str] = msgspec.field(default_factory=dict)


INITIAL = Claim()

# --- decide


class Refusal(StrEnum):
    """Why a posting is not accepted."""

    CONFLICT = "claim.conflict"
    """The same posting came before with other content"""
    UNKNOWN_STATUS = "claim.unknown_status"
    """CLP02 is not in the guide's list"""


def decide(state: Claim, command: Post) -> tuple[ClaimEvent, ...] | Refusal:
    """One event where the posting is news, none where it came before, else why not."""
    known = state.postings.get(command.identity) if state.postings else None
    if known == command.content:
        return ()
    if known is not None:
        return Refusal.CONFLICT
    kind = _EVENT_OF.get(command.adjudication.status_code)
    if kind is None:
        return Refusal.UNKNOWN_STATUS
    return (kind(*msgspec.structs.astuple(command)),)


# --- evolve


def evolve(state: Claim, event: ClaimEvent) -> Claim:
    match event:
        case ClaimAdjudicated() | ClaimReversed() | ClaimForwarded() | ClaimPredetermined():
            return Claim(postings={**state.postings, event.identity: event.content})
        case _:
            assert_never(event)
