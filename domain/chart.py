"""The chart of accounts, and what moves between them. docs/accounts.md publishes it."""

from enum import StrEnum

from domain.facts import Fact
from domain.money import Money

USD = "USD"


class Account(StrEnum):
    """The chart of accounts."""

    CHARGES = "charges"
    """What providers charge: where all of it comes from, so its balance is never positive"""
    PLAN_PAID = "plan_paid"
    """What plans pay to providers for it"""
    ADJUSTMENTS = "adjustments"
    """What nobody pays: contractual and other adjustments. Negative where payers pay more than was charged"""
    DEDUCTIBLE = "owed.deductible"
    """Owed by the member to the provider, by its kind"""
    COINSURANCE = "owed.coinsurance"
    COPAYMENT = "owed.copayment"
    OTHER = "owed.other"
    OWED_BEFORE = "owed.before"
    """What was owed of it in the books that this ledger took over"""
    PATIENT_PAID = "patient_paid"
    """What the patient has paid to the provider already, as payers state it (AMT*F5)"""
    APPLIED = "applied"
    """What of members' payments is applied here; the other side of it stands with the payment"""
    WRITTEN_OFF = "written_off"
    """What was owed and is waived"""
    DISPUTED = "disputed"
    """What would be owed, and is held until a dispute is resolved"""
    CREDIT = "credit"
    """What was paid beyond what is owed: it is owed back, so its balance is never positive"""
    OPENING = "opening"
    """Where that comes from: never positive"""
    COLLECTED = "collected"
    """What payment processors have collected from the member: domain/payment.py"""
    UNAPPLIED = "unapplied"
    """What of it waits as the member's credit, so its balance is never positive"""
    PREMIUM_BILLED = "premium.billed"
    """What plans ask for coverage: where all premiums come from, so its balance is never positive"""
    PREMIUM_OWED = "premium.owed"
    """Owed by the member to the plan. Negative where more was paid than asked: a credit"""
    PREMIUM_PAID = "premium.paid"
    """What the plan received for it"""


SHARES = (Account.DEDUCTIBLE, Account.COINSURANCE, Account.COPAYMENT, Account.OTHER)
OWED = (*SHARES, Account.OWED_BEFORE)

PAID_FIRST = (Account.OWED_BEFORE, Account.COPAYMENT, Account.DEDUCTIBLE, Account.COINSURANCE, Account.OTHER)
"""In which order what a patient paid is set against what is owed: what is asked for at the desk comes first"""

NEVER_POSITIVE = frozenset(
    {Account.CHARGES, Account.OPENING, Account.CREDIT, Account.UNAPPLIED, Account.PREMIUM_BILLED}
)
NEVER_NEGATIVE = frozenset(
    {
        *(Account.PLAN_PAID, *OWED, Account.PATIENT_PAID, Account.WRITTEN_OFF, Account.DISPUTED),
        *(Account.COLLECTED, Account.PREMIUM_PAID),
    }
)


class Posting(Fact, frozen=True, gc=False, array_like=True):
    """An amount moves from one account to another."""

    source: Account
    destination: Account
    cents: Money
    """Positive"""
    asset: str = USD
