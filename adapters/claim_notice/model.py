"""The message as it is written: one document for every kind, and the source of docs/schemas/claim-notice-1.json.

An optional field that is left out is UNSET, so that encoding a message again gives back exactly the keys that it had:
by that the reader finds keys that stand twice. Every name here is a name of the domain's own.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.parts import At, Number, OptionalNumber, Part, Text
from domain.adjudication import AccumulatorKind, AccumulatorLevel, Network
from domain.claim import Awaited, Outcome, Party
from domain.money import CENTS_MAX

VERSION = 1

Cents = Annotated[int, Meta(ge=-CENTS_MAX, le=CENTS_MAX, description="Whole cents of US dollars")]
Charge = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="Whole cents of US dollars")]
Quantity = Annotated[str, Meta(max_length=15, pattern=r"^(?:-?[0-9]+(?:\.[0-9]+)?)?$")]
Code = Annotated[str, Meta(max_length=4, pattern=r"^[A-Z0-9]*$")]
Procedure = Annotated[
    str,
    Meta(
        max_length=80,
        pattern=r"^[A-Z0-9]{2}:[A-Za-z0-9.-]+(?::[A-Za-z0-9]{2}){0,4}$",
        description="Qualifier, code and up to four modifiers (SVC01)",
        examples=["HC:99213:25", "N4:00093015001", "NU:0450"],
    ),
]
OptionalProcedure = Annotated[str, Meta(max_length=80, pattern=r"^(?:[A-Z0-9]{2}:[A-Za-z0-9.:-]+)?$")]
Remark = Annotated[str, Meta(max_length=6, pattern=r"^[A-Z]{1,2}[0-9]{1,4}$", description="RARC (LQ02, MOA03)")]
Reason = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{1,2}[0-9]{1,2}:[0-9]{1,4}(?::[A-Z0-9]{1,3})?$",
        description="Category, status and entity of a 277 (STC01)",
        examples=["A7:562:85"],
    ),
]
Remarks = Annotated[tuple[Remark, ...], Meta(max_length=99)]
ClaimType = Literal["", "professional", "institutional", "pharmacy", "dental", "vision"]
Level = Annotated[int, Meta(ge=1, le=3, description="1 and 2 at the payer, 3 at an independent reviewer")]

OptionalDate = date | None | UnsetType
OptionalCharge = Charge | None | UnsetType
OptionalCents = Cents | None | UnsetType


# --- whose claim


class Patient(Part, frozen=True, gc=False):
    """Who was treated, as the payer knows them."""

    member_id: Number
    family_name: Text | UnsetType = UNSET
    given_name: Text | UnsetType = UNSET
    middle_name: Text | UnsetType = UNSET
    suffix: Text | UnsetType = UNSET


class Numbers(Part, frozen=True, gc=False):
    """The numbers by which provider and payer know the claim."""

    patient_control_number: Number
    payer_claim_number: OptionalNumber | UnsetType = UNSET
    line_control_numbers: Annotated[tuple[Number, ...], Meta(max_length=999)] | UnsetType = UNSET


# --- reports


class _Report(Part, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    at: At
    claim_type: ClaimType | UnsetType = UNSET
    charge_cents: OptionalCharge = UNSET
    service_from: OptionalDate = UNSET
    service_to: OptionalDate = UNSET


class Received(_Report, frozen=True, gc=False, kw_only=True, tag="received"):
    """The claim arrived at the payer."""


class Accepted(_Report, frozen=True, gc=False, kw_only=True, tag="accepted"):
    """It entered adjudication."""


class Rejected(_Report, frozen=True, gc=False, kw_only=True, tag="rejected"):
    """It was sent back as unprocessable and never entered adjudication: this is no denial."""

    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=99)]


class Pended(_Report, frozen=True, gc=False, kw_only=True, tag="pended"):
    """It is held until something comes."""

    awaits: Awaited
    due_on: OptionalDate = UNSET


class Released(_Report, frozen=True, gc=False, kw_only=True, tag="released"):
    """It is held no longer."""


class Voided(_Report, frozen=True, gc=False, kw_only=True, tag="voided"):
    """It was cancelled: as if never made."""


class Disputed(_Report, frozen=True, gc=False, kw_only=True, tag="disputed"):
    """Somebody says that it was not processed rightly, short of an appeal."""

    by: Party


class Appealed(_Report, frozen=True, gc=False, kw_only=True, tag="appealed"):
    """An appeal was made."""

    level: Level
    by: Party
    due_on: OptionalDate = UNSET


class AppealDecided(_Report, frozen=True, gc=False, kw_only=True, tag="appeal_decided"):
    """What came of an appeal."""

    level: Level
    outcome: Outcome


# --- adjudication


class Adjustment(Part, frozen=True, gc=False):
    """Why a charge was not paid in full (CAS). A positive amount lowers the payment."""

    group: Literal["CO", "PR", "OA", "PI", "CR"]
    carc: Annotated[str, Meta(max_length=4, pattern=r"^[A-Z]?[0-9]{1,3}$")]
    cents: Cents
    quantity: Quantity | UnsetType = UNSET


Adjustments = Annotated[tuple[Adjustment, ...], Meta(max_length=99)]


class Line(Part, frozen=True, gc=False):
    """A service line (SVC). Charge less adjustments is what was paid."""

    procedure: Procedure
    charge_cents: Cents
    paid_cents: Cents
    adjustments: Adjustments | UnsetType = UNSET
    remarks: Remarks | UnsetType = UNSET
    service_from: OptionalDate = UNSET
    service_to: OptionalDate = UNSET
    allowed_cents: OptionalCents = UNSET
    revenue_code: Code | UnsetType = UNSET
    units: Quantity | UnsetType = UNSET
    submitted_procedure: OptionalProcedure | UnsetType = UNSET


class Accumulator(Part, frozen=True, gc=False):
    """What has been used of one limit, this claim included."""

    kind: AccumulatorKind
    level: AccumulatorLevel
    network: Network
    used_cents: Charge
    limit_cents: OptionalCharge = UNSET
    design: Literal["", "embedded", "aggregate"] | UnsetType = UNSET


class Adjudicated(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="adjudicated"):
    """What the payer decided. It moves no money: remittances do. Charge less all adjustments is what is paid."""

    on: date
    sequence: Annotated[int, Meta(ge=1, le=999)] | UnsetType = UNSET
    status_code: Annotated[str, Meta(pattern=r"^[0-9]{1,2}$", description="CLP02")]
    charge_cents: Cents
    paid_cents: Cents
    patient_cents: Cents
    lines: Annotated[tuple[Line, ...], Meta(max_length=999)] | UnsetType = UNSET
    adjustments: Adjustments | UnsetType = UNSET
    remarks: Remarks | UnsetType = UNSET
    service_from: OptionalDate = UNSET
    service_to: OptionalDate = UNSET
    received_on: OptionalDate = UNSET
    filing_code: Code | UnsetType = UNSET
    facility_code: Code | UnsetType = UNSET
    frequency_code: Code | UnsetType = UNSET
    rendering_provider: OptionalNumber | UnsetType = UNSET
    forwarded_to: Text | UnsetType = UNSET
    claim_type: ClaimType | UnsetType = UNSET
    network: Literal["", "in", "out"] | UnsetType = UNSET
    plan_id: OptionalNumber | UnsetType = UNSET
    plan_year_from: OptionalDate = UNSET
    accumulators: Annotated[tuple[Accumulator, ...], Meta(max_length=20)] | UnsetType = UNSET


Report = Received | Accepted | Rejected | Pended | Released | Voided | Disputed | Appealed | AppealDecided


# --- the whole


class ClaimNotice(Part, frozen=True, gc=False, kw_only=True):
    """What a payer says of one claim outside a remittance."""

    schema: Literal[1]
    payer_id: Number
    patient: Patient
    numbers: Numbers
    billing_provider_id: OptionalNumber | UnsetType = UNSET
    said: Report | Adjudicated
