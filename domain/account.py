"""The account of one bill: what of the provider's charge is paid, taken off, and owed by the member.

Double entry: a posting moves an amount from one account to another, so whatever is posted, all balances together are
zero. A bill's claims, one a payer, come in any order. What they say together by their last words is one set of
balances, and what is posted is the difference from the balances before: a reversal undoes exactly what it reverses.

The member owes what the **last payer in sequence** leaves to the patient, not the sum over payers.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import assert_never

from domain.adjudication import NO_SHARE, Share
from domain.claim import Claim, Kind
from domain.facts import Event, Fact, StreamId
from domain.money import ZERO, Money
from domain.standing import standing

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
    PATIENT_PAID = "patient_paid"
    """What the patient has paid to the provider already, as payers state it (AMT*F5)"""
    CREDIT = "credit"
    """What the patient paid beyond what is owed: the provider owes it back, so its balance is never positive"""


OWED = (Account.DEDUCTIBLE, Account.COINSURANCE, Account.COPAYMENT, Account.OTHER)

PAID_FIRST = (Account.COPAYMENT, Account.DEDUCTIBLE, Account.COINSURANCE, Account.OTHER)
"""In which order what a patient paid is set against what is owed: what is asked for at the desk comes first"""

NEVER_POSITIVE = frozenset({Account.CHARGES, Account.CREDIT})
NEVER_NEGATIVE = frozenset({Account.PLAN_PAID, Account.PATIENT_PAID, *OWED})


class Posting(Fact, frozen=True, gc=False, array_like=True):
    """An amount moves from one account to another."""

    source: Account
    destination: Account
    cents: Money
    """Positive"""
    asset: str = USD


class Word(Fact, frozen=True, omit_defaults=True, gc=False):
    """What one claim of the bill says by its last word. Where none stands, nothing but what the patient paid."""

    payer_sequence: int = 0
    """1 primary, 2 secondary, 3 tertiary; 0 where no adjudication stands"""
    processed_on: date | None = None
    charge_cents: Money = ZERO
    paid_cents: Money = ZERO
    share: Share = NO_SHARE
    patient_paid_cents: Money = ZERO
    """What the patient has paid already (AMT*F5)"""


NOTHING = Word()


def last_word(claim: Claim) -> tuple[StreamId | None, Word]:
    """Of a claim, and the bill that it is for: None where nothing names one, as in what was recorded before 0.2.

    What the patient paid stays paid where the adjudication that tells it is taken back.
    """
    adjudicated = [said for said in claim.said if said.kind is Kind.ADJUDICATED]
    if not adjudicated:
        return None, NOTHING
    stands = standing(claim)
    if stands.final is None or not stands.payer_sequence:
        latest = max(adjudicated, key=lambda said: (said.day, said.identity))
        return stands.bill, Word(patient_paid_cents=latest.patient_paid_cents)
    final = claim.said[stands.final]
    return stands.bill, Word(
        stands.payer_sequence,
        final.day,
        final.charge_cents or ZERO,
        final.paid_cents,
        final.share,
        final.patient_paid_cents,
    )


# --- commands


class Assess(Fact, frozen=True, gc=False):
    """Take over what a claim says by now."""

    claim: StreamId
    word: Word
    day: date
    """The payer's day of what changed it"""


# --- events


class BillAssessed(Event, frozen=True, omit_defaults=True, gc=False):
    """A claim's last word changed, and with it the balances of its bill."""

    claim: StreamId
    day: date
    word: Word = NOTHING
    postings: tuple[Posting, ...] = ()


AccountEvent = BillAssessed

# --- state


class Bill(Fact, frozen=True, gc=False):
    """The last word of each of its claims."""

    words: tuple[tuple[StreamId, Word], ...] = ()


INITIAL = Bill()

# --- decide


def decide(state: Bill, command: Assess) -> tuple[AccountEvent, ...]:
    """One event where the claim's word changed, none where it is known."""
    if dict(state.words).get(command.claim, NOTHING) == command.word:
        return ()
    after = _with(state, command.claim, command.word)
    postings = tuple(_difference(balances(state), balances(after)))
    return (BillAssessed(command.claim, command.day, command.word, postings),)


def balances(bill: Bill) -> Mapping[Account, Money]:
    """What all claims of the bill say together. The sum over the accounts is zero."""
    if not bill.words:
        return _NONE
    words = [word for _, word in bill.words if word.payer_sequence]
    if len(words) > 1:
        standing = sorted((w.payer_sequence, w.processed_on or date.min, claim, w) for claim, w in bill.words)
        words = [word for *_, word in standing if word.payer_sequence]
    charge = paid = 0
    for word in words:
        charge = max(charge, word.charge_cents)
        paid += word.paid_cents
    share = words[-1].share if words else NO_SHARE
    found = {
        Account.CHARGES: Money(-charge),
        Account.PLAN_PAID: Money(paid),
        Account.ADJUSTMENTS: Money(charge - paid - sum(share.kinds)),
        **dict(zip(OWED, share.kinds, strict=True)),
        Account.PATIENT_PAID: ZERO,
        Account.CREDIT: ZERO,
    }
    # The same payment of the patient's is told by every payer who knows of it.
    if left := max([word.patient_paid_cents for _, word in bill.words]):
        found[Account.PATIENT_PAID] = left
        for account in PAID_FIRST:
            taken = max(ZERO, min(left, found[account]))
            found[account] = Money(found[account] - taken)
            left = Money(left - taken)
        found[Account.CREDIT] = Money(-left)
    return found


_NONE: Mapping[Account, Money] = dict.fromkeys(Account, ZERO)


def _difference(before: Mapping[Account, Money], after: Mapping[Account, Money]) -> Iterable[Posting]:
    """Everything comes from the charges, or goes back to them."""
    for account, cents in after.items():
        moved = cents - before[account]
        if not moved or account is Account.CHARGES:
            continue
        if moved > 0:
            yield Posting(Account.CHARGES, account, Money(moved))
        else:
            yield Posting(account, Account.CHARGES, Money(-moved))


# --- evolve


def evolve(state: Bill, event: AccountEvent) -> Bill:
    match event:
        case BillAssessed():
            return _with(state, event.claim, event.word)
        case _:
            assert_never(event)


def _with(bill: Bill, claim: StreamId, word: Word) -> Bill:
    others = tuple(each for each in bill.words if each[0] != claim)
    return Bill(others if word == NOTHING else (*others, (claim, word)))
