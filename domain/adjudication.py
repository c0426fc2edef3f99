"""What a payer says of a claim when it processes it: amounts, lines, and the reasons why not all of it was paid.

The same facts come in a remittance (one CLP loop of an 835) and in a message of the payer's own.
"""

from datetime import date
from enum import StrEnum

from domain.facts import Fact
from domain.money import ZERO, Money
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


class AccumulatorKind(StrEnum):
    DEDUCTIBLE = "deductible"
    OUT_OF_POCKET = "out_of_pocket"


class AccumulatorLevel(StrEnum):
    INDIVIDUAL = "individual"
    FAMILY = "family"


class Network(StrEnum):
    IN = "in"
    OUT = "out"
    BOTH = "both"
    """Of an accumulator that counts either; a claim is in one of them"""


class Design(StrEnum):
    """How a family meets its limit."""

    EMBEDDED = "embedded"
    """Each member has a limit of their own within the family's"""
    AGGREGATE = "aggregate"
    """Only what all have used together is held against a limit"""


class Accumulator(Fact, frozen=True, omit_defaults=True, gc=False):
    """What the payer says has been used of one limit, this claim included."""

    kind: AccumulatorKind
    level: AccumulatorLevel
    network: Network
    used_cents: Money
    limit_cents: Money | None = None
    design: Design | None = None
    """Of a family"""


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
    claim_type: str = ""
    """A ClaimType where the source states one; an 835 does not"""
    network: Network | None = None
    """Of the provider; None where the source does not tell, as in an 835. So with what follows"""
    plan_id: str = ""
    """The payer's own"""
    plan_year_from: date | None = None
    """First day of the plan year that the service falls in"""
    accumulators: tuple[Accumulator, ...] = ()


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


class ClaimType(StrEnum):
    PROFESSIONAL = "professional"
    INSTITUTIONAL = "institutional"
    PHARMACY = "pharmacy"
    DENTAL = "dental"
    VISION = "vision"


def type_of(adjudication: Adjudication) -> str:
    """The stated type, else what the lines tell: drugs by NDC, dental codes, revenue codes, or no lines (a stay)."""
    if adjudication.claim_type:
        return adjudication.claim_type
    if not adjudication.lines:
        return ClaimType.INSTITUTIONAL
    qualifiers = {line.procedure[:3] for line in adjudication.lines}
    if "N4:" in qualifiers:
        return ClaimType.PHARMACY
    if "AD:" in qualifiers:
        return ClaimType.DENTAL
    if "NU:" in qualifiers or any(line.revenue_code for line in adjudication.lines):
        return ClaimType.INSTITUTIONAL
    return ClaimType.PROFESSIONAL


def service_day(adjudication: Adjudication) -> date | None:
    """The first day of service: the claim's own, else its earliest line's."""
    if adjudication.service_from is not None:
        return adjudication.service_from
    return min([line.service_from for line in adjudication.lines if line.service_from is not None], default=None)


class Share(Fact, frozen=True, gc=False, array_like=True):
    """What a payer leaves to the patient (group PR), by kind, in cents."""

    deductible: Money = ZERO
    """Reason 1, and 66 for blood"""
    coinsurance: Money = ZERO
    """Reason 2"""
    copayment: Money = ZERO
    """Reason 3"""
    other: Money = ZERO
    """Every other one"""

    @property
    def kinds(self) -> tuple[Money, Money, Money, Money]:
        return self.deductible, self.coinsurance, self.copayment, self.other


NO_SHARE = Share()
_KIND_OF_SHARE = {"1": 0, "66": 0, "2": 1, "3": 2}


def share_of(adjudication: Adjudication) -> Share:
    """By its adjustments, of claim and lines together: they are part of the claim's balance, and CLP05 is not."""
    share = None
    for adjustments in (adjudication.adjustments, *(line.adjustments for line in adjudication.lines)):
        for adjustment in adjustments:
            if adjustment.group == "PR":
                share = share or [ZERO] * 4
                kind = _KIND_OF_SHARE.get(adjustment.carc, 3)
                share[kind] = Money(share[kind] + adjustment.cents)
    return NO_SHARE if share is None else Share(*share)


def patient_paid_of(adjudication: Adjudication) -> Money:
    """What the patient has paid already (AMT*F5); never less than nothing, whatever a payer writes."""
    return Money(max(0, sum(cents for qualifier, cents in adjudication.amounts if qualifier == "F5")))


PAYER_SEQUENCE = {"1": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}
"""CLP02: processed as primary, secondary or tertiary payer (19 to 21: and forwarded to a further one)"""


class Status(StrEnum):
    """Where a claim stands by the last word on it."""

    RECEIVED = "received"
    """It arrived; not accepted yet"""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Sent back as unprocessable: it never entered adjudication, so it is no denial"""
    PENDED = "pended"
    """Held until something awaited comes"""
    IN_PROCESS = "in_process"
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
    VOIDED = "voided"


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
        return Status.PARTIALLY_PAID if any(map(is_denied, adjudication.lines)) else Status.PAID
    reasons = adjudication.adjustments + tuple(a for line in adjudication.lines for a in line.adjustments)
    if any(a.group == "PR" and a.carc in COST_SHARE and a.cents for a in reasons):
        return Status.MEMBER_LIABILITY
    return Status.DENIED if denying(reasons) else Status.NOTHING_DUE


def is_denied(line: ServiceLine) -> bool:
    """Whether a line was charged, and paid nothing for a reason that denies."""
    return not line.paid_cents and line.charge_cents > 0 and bool(denying(line.adjustments))


def denying(adjustments: tuple[Adjustment, ...]) -> list[Adjustment]:
    """Those that deny: no cost share, and no reason that merely lowers what is due."""
    return [a for a in adjustments if a.carc not in NOT_A_DENIAL and a.carc not in COST_SHARE]
