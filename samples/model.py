"""What an 835 says, as small frozen values. Every amount is an integer count of cents.

Payments are never stored: a line pays its charge less its adjustments, a claim its charge less all of its
adjustments, a remittance its claims less its provider-level adjustments. So the three balances of the guide
005010X221A1 (section 1.10.2.1) hold by construction, and the computed sums are what a parser must find.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

REVERSAL = "22"


class Adjustment(NamedTuple):
    """One CAS entry. A positive amount lowers the payment."""

    group: str
    carc: str
    cents: int
    quantity: int | None = None


class ProviderAdjustment(NamedTuple):
    """One PLB entry. A positive amount lowers the payment of the whole transaction."""

    code: str
    reference: str
    cents: int


class Carrier(NamedTuple):
    """Whom a claim was forwarded to (NM1*TT)."""

    name: str
    carrier_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """A covered person. `member_id` may be shared by a family; a dependant names the subscriber."""

    member_id: str
    given_name: str
    family_name: str
    birth: date
    subscriber: "Member | None" = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A person (`given_name` set) or an organisation, with its national provider identifier."""

    npi: str
    name: str
    given_name: str = ""
    tax_id: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """`code` prefixes member, claim and trace numbers; `tax_id` has nine digits (TRN03 is '1' and these)."""

    code: str
    name: str
    payer_id: str
    tax_id: str
    street: str
    city: str
    state: str
    postal_code: str
    phone: str
    filing: str
    routing: str
    account: str


@dataclass(frozen=True, slots=True)
class Line:
    """One service line. `billed_procedure` stands where the payer changed the code; no date, no DTM*472."""

    procedure: str
    charge_cents: int
    adjustments: tuple[Adjustment, ...]
    service_date: date | None
    control: str = ""
    qualifier: str = "HC"
    modifiers: tuple[str, ...] = ()
    revenue_code: str = ""
    units: int = 1
    billed_procedure: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def paid_cents(self) -> int:
        return self.charge_cents - sum(a.cents for a in self.adjustments)

    @property
    def patient_cents(self) -> int:
        return sum(a.cents for a in self.adjustments if a.group == "PR")


@dataclass(frozen=True, slots=True)
class Claim:
    """One CLP. Without lines the charge is `header_charge_cents`; `covered_days` make it inpatient (MIA)."""

    patient_control: str
    status: str
    claim_number: str
    member: Member
    lines: tuple[Line, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    header_charge_cents: int = 0
    filing: str = "12"
    facility: str = "11"
    frequency: str = "1"
    drg: str = ""
    covered_days: int | None = None
    rendering: Provider | None = None
    statement: tuple[date, date] | None = None
    received: date | None = None
    remarks: tuple[str, ...] = ()
    forwarded_to: Carrier | None = None

    @property
    def charge_cents(self) -> int:
        return sum(line.charge_cents for line in self.lines) if self.lines else self.header_charge_cents

    @property
    def paid_cents(self) -> int:
        return self.charge_cents - sum(a.cents for a in self.all_adjustments())

    @property
    def patient_cents(self) -> int:
        """CLP05: the sum of the PR adjustments, and zero on a reversal."""
        if self.status == REVERSAL:
            return 0
        return sum(a.cents for a in self.all_adjustments() if a.group == "PR")

    def all_adjustments(self) -> Iterator[Adjustment]:
        """The claim's own adjustments, then those of its lines."""
        yield from self.adjustments
        for line in self.lines:
            yield from line.adjustments


@dataclass(frozen=True, slots=True)
class Remittance:
    """One ST..SE: a payment of `payer` to `payee`. Raises ValueError where it would pay a negative amount."""

    payer: Payer
    payee: Provider
    trace_number: str
    paid_on: date
    produced_on: date
    claims: tuple[Claim, ...]
    adjustments: tuple[ProviderAdjustment, ...] = ()

    def __post_init__(self) -> None:
        if self.paid_cents < 0:
            raise ValueError(
                f"remittance {self.trace_number} would pay {self.paid_cents} cents: carry it forward by PLB"
            )

    @property
    def claims_paid_cents(self) -> int:
        return sum(claim.paid_cents for claim in self.claims)

    @property
    def paid_cents(self) -> int:
        """BPR02: what the claims pay, less the provider-level adjustments."""
        return self.claims_paid_cents - sum(a.cents for a in self.adjustments)

    @property
    def status_counts(self) -> Counter[str]:
        """How many claims have each CLP02."""
        return Counter(claim.status for claim in self.claims)
