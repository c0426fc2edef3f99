"""The account of one bill: what of the provider's charge is paid, taken off, and owed by the member.

Double entry: a posting moves an amount from one account to another, so whatever is posted, all balances together are
zero. A bill's claims, one a payer, and what is paid, disputed and written off of it come in any order. Together they
are one set of balances, and what is posted is the difference from the balances before: a reversal undoes exactly what
it reverses, also after it was paid.

The member owes what the **last payer in sequence** leaves to the patient, not the sum over payers. Of that is taken, in
this order: what was paid, what is written off, what is held while it is disputed. So what a payer leaves later on to be
owed again is never hidden by what was waived of another amount.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar, assert_never

import msgspec

from domain.adjudication import NO_SHARE, Share
from domain.chart import OWED, PAID_FIRST, SHARES, Account, Posting
from domain.claim import Claim, Kind
from domain.facts import Event, Fact, StreamId
from domain.money import ZERO, Money
from domain.standing import standing


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


class WriteOffReason(StrEnum):
    FINANCIAL_ASSISTANCE = "financial_assistance"
    """By the provider's own policy: 26 CFR 1.501(r)-4"""
    SMALL_BALANCE = "small_balance"
    UNCOLLECTIBLE = "uncollectible"
    BILLING_ERROR = "billing_error"


class DisputeReason(StrEnum):
    NOT_RECEIVED = "not_received"
    """The service"""
    ALREADY_PAID = "already_paid"
    WRONG_AMOUNT = "wrong_amount"
    ABOVE_ESTIMATE = "above_estimate"
    """400 dollars or more above a good-faith estimate: 45 CFR 149.620"""
    SURPRISE_BILL = "surprise_bill"
    """Beyond what the No Surprises Act lets be billed: 45 CFR 149.410"""
    OTHER = "other"


class Evidence(StrEnum):
    RECEIPT = "receipt"
    EXPLANATION_OF_BENEFITS = "explanation_of_benefits"
    ESTIMATE = "estimate"
    LETTER = "letter"
    OTHER = "other"


class Resolution(StrEnum):
    FOR_MEMBER = "for_member"
    """The amount is waived"""
    AGAINST_MEMBER = "against_member"
    """It is owed again"""


# --- commands


class Assess(Fact, frozen=True, gc=False):
    """Take over what a claim says by now."""

    claim: StreamId
    word: Word
    day: date
    """The payer's day of what changed it"""


class _Before(Fact, frozen=True, omit_defaults=True, gc=False):
    account: StreamId
    """The member's"""
    cents: Money
    day: date
    """Of the service, so that the oldest is paid first"""
    source: str
    """The load that brought it"""


class Open(_Before, frozen=True, omit_defaults=True, gc=False):
    """Take over what is owed of a bill that was never a claim here."""


class _Application(Fact, frozen=True, omit_defaults=True, gc=False):
    payment: StreamId
    cents: Money
    """All that the bill has of this payment from now on; nothing where it goes back"""
    day: date


class Apply(_Application, frozen=True, omit_defaults=True, gc=False):
    """Take so much of a payment."""


class _WriteOff(Fact, frozen=True, omit_defaults=True, gc=False):
    number: str
    """By which it is known again"""
    cents: Money
    reason: WriteOffReason
    day: date
    actor: str


class WriteOff(_WriteOff, frozen=True, omit_defaults=True, gc=False):
    """Waive what is owed, up to an amount."""


class _Opening(Fact, frozen=True, omit_defaults=True, gc=False):
    number: str
    cents: Money
    reason: DisputeReason
    day: date
    actor: str


class Dispute(_Opening, frozen=True, omit_defaults=True, gc=False):
    """Hold an amount until somebody has decided whether it is owed."""


class _Filing(Fact, frozen=True, omit_defaults=True, gc=False):
    number: str
    """The dispute's"""
    kind: Evidence
    document: str
    """Where the portal keeps it: an opaque reference"""
    day: date
    actor: str


class File(_Filing, frozen=True, omit_defaults=True, gc=False):
    """Add evidence to a dispute."""


class _Resolving(Fact, frozen=True, omit_defaults=True, gc=False):
    number: str
    resolution: Resolution
    day: date
    actor: str


class Resolve(_Resolving, frozen=True, omit_defaults=True, gc=False):
    """Decide a dispute."""


Command = Assess | Open | Apply | WriteOff | Dispute | File | Resolve

# --- events


class BillAssessed(Event, frozen=True, omit_defaults=True, gc=False):
    """A claim's last word changed, and with it the balances of its bill."""

    claim: StreamId
    day: date
    word: Word = NOTHING
    postings: tuple[Posting, ...] = ()


class BalanceOpened(_Before, Event, frozen=True, omit_defaults=True, gc=False):
    """What was owed of it in the books that this ledger took over."""

    postings: tuple[Posting, ...] = ()


class PaymentApplied(_Application, Event, frozen=True, omit_defaults=True, gc=False):
    """The bill has another part of a payment than before."""

    postings: tuple[Posting, ...] = ()


class BillWrittenOff(_WriteOff, Event, frozen=True, omit_defaults=True, gc=False):
    """What is owed is waived, up to an amount."""

    postings: tuple[Posting, ...] = ()


class DisputeOpened(_Opening, Event, frozen=True, omit_defaults=True, gc=False):
    """Somebody says that an amount is not owed; it is held."""

    postings: tuple[Posting, ...] = ()


class EvidenceFiled(_Filing, Event, frozen=True, omit_defaults=True, gc=False):
    """Something was brought forward in a dispute."""


class DisputeResolved(_Resolving, Event, frozen=True, omit_defaults=True, gc=False):
    """A dispute is decided: what was held is waived, or owed again."""

    postings: tuple[Posting, ...] = ()


AccountEvent = (
    BillAssessed | BalanceOpened | PaymentApplied | BillWrittenOff | DisputeOpened | EvidenceFiled | DisputeResolved
)

# --- state


class Held(Fact, frozen=True, gc=False, array_like=True):
    """A dispute: what it holds, and what became of it."""

    opened: _Opening
    resolution: Resolution | None = None
    evidence: frozenset[str] = frozenset()
    """Documents"""


class Bill(Fact, frozen=True, gc=False):
    words: tuple[tuple[StreamId, Word], ...] = ()
    """The last word of each of its claims"""
    applied: tuple[tuple[StreamId, Money], ...] = ()
    """What it has of each payment"""
    written_off: tuple[_WriteOff, ...] = ()
    disputes: tuple[Held, ...] = ()
    before_cents: Money = ZERO
    """What was owed of it in the books that this ledger took over"""


INITIAL = Bill()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "bill.conflict"
    """The same was said before with other content"""
    NOTHING_OWED = "bill.nothing_owed"
    """More than is owed can be neither disputed nor waived"""
    UNKNOWN_DISPUTE = "bill.unknown_dispute"
    RESOLVED = "bill.resolved"
    """The dispute is over"""
    UNEXPLAINED = "bill.unexplained"
    """It takes somebody who does it"""


def decide(state: Bill, command: Command) -> tuple[AccountEvent, ...] | Refusal:
    """One event where something changes, none where it is known, else why not."""
    match command:
        case Assess():
            return assess(state, command)
        case Open():
            if state.before_cents:
                return () if state.before_cents == command.cents else Refusal.CONFLICT
            return (_posted(state, BalanceOpened(*msgspec.structs.astuple(command))),)
        case Apply():
            return apply(state, command)
        case _:
            return _decide(state, command)


def _decide(state: Bill, command: WriteOff | Dispute | File | Resolve) -> tuple[AccountEvent, ...] | Refusal:
    """What a person does."""
    if not command.actor.strip():
        return Refusal.UNEXPLAINED
    match command:
        case WriteOff():
            written_off = _WriteOff(*msgspec.structs.astuple(command))
            if known := [each for each in state.written_off if each.number == command.number]:
                return () if known == [written_off] else Refusal.CONFLICT
            if not ZERO < command.cents <= owed(state):
                return Refusal.NOTHING_OWED
            return (_posted(state, BillWrittenOff(*msgspec.structs.astuple(command))),)
        case Dispute():
            if (disputed := _dispute(state, command.number)) is not None:
                return () if disputed.opened == _Opening(*msgspec.structs.astuple(command)) else Refusal.CONFLICT
            if not ZERO < command.cents <= owed(state):
                return Refusal.NOTHING_OWED
            return (_posted(state, DisputeOpened(*msgspec.structs.astuple(command))),)
        case File() | Resolve():
            return _on_dispute(state, command)
        case _:
            assert_never(command)


def assess(state: Bill, command: Assess) -> tuple[BillAssessed, ...]:
    """One event where the claim's word changed, none where it is known."""
    if dict(state.words).get(command.claim, NOTHING) == command.word:
        return ()
    return (_posted(state, BillAssessed(command.claim, command.day, command.word)),)


def apply(state: Bill, command: Apply) -> tuple[PaymentApplied, ...]:
    """One event where the bill has another part of the payment than before."""
    if dict(state.applied).get(command.payment, ZERO) == command.cents:
        return ()
    return (_posted(state, PaymentApplied(command.payment, command.cents, command.day)),)


def _on_dispute(state: Bill, command: File | Resolve) -> tuple[AccountEvent, ...] | Refusal:
    disputed = _dispute(state, command.number)
    if disputed is None:
        return Refusal.UNKNOWN_DISPUTE
    if isinstance(command, File):
        if command.document in disputed.evidence:
            return ()
        filed = EvidenceFiled(*msgspec.structs.astuple(command))
        return Refusal.RESOLVED if disputed.resolution else (filed,)
    if disputed.resolution is not None:
        return () if disputed.resolution is command.resolution else Refusal.RESOLVED
    return (_posted(state, DisputeResolved(*msgspec.structs.astuple(command))),)


def _dispute(bill: Bill, number: str) -> Held | None:
    return next((each for each in bill.disputes if each.opened.number == number), None)


_PostedEvent = TypeVar(
    "_PostedEvent", BillAssessed, BalanceOpened, PaymentApplied, BillWrittenOff, DisputeOpened, DisputeResolved
)


def _posted(state: Bill, event: _PostedEvent) -> _PostedEvent:
    """With the difference that it makes."""
    moves = _moves(balances(state), balances(evolve(state, event)))
    return msgspec.structs.replace(event, postings=tuple(moves))


def owed(bill: Bill) -> Money:
    """What the member owes of it now, whatever its kind."""
    stand = balances(bill)
    return Money(sum(stand[account] for account in OWED))


def balances(bill: Bill) -> Mapping[Account, Money]:
    """What all that is known of the bill comes to. The sum over the accounts is zero."""
    if bill is INITIAL:
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
        **dict(zip(SHARES, share.kinds, strict=True)),
        Account.OWED_BEFORE: bill.before_cents,
        Account.PATIENT_PAID: ZERO,
        Account.APPLIED: ZERO,
        Account.WRITTEN_OFF: ZERO,
        Account.DISPUTED: ZERO,
        Account.CREDIT: ZERO,
        Account.OPENING: Money(-bill.before_cents),
    }
    # The same payment of the patient's is told by every payer who knows of it.
    if patient_paid := max([word.patient_paid_cents for _, word in bill.words], default=ZERO):
        found[Account.PATIENT_PAID] = patient_paid
    if bill.applied:
        found[Account.APPLIED] = Money(sum(cents for _, cents in bill.applied))
    if payments := found[Account.PATIENT_PAID] + found[Account.APPLIED]:
        found[Account.CREDIT] = Money(_taken(found, payments) - payments)
    if bill.written_off or bill.disputes:
        waived = [each.cents for each in bill.written_off]
        waived += [each.opened.cents for each in bill.disputes if each.resolution is Resolution.FOR_MEMBER]
        held = [each.opened.cents for each in bill.disputes if each.resolution is None]
        found[Account.WRITTEN_OFF] = _taken(found, sum(waived))
        found[Account.DISPUTED] = _taken(found, sum(held))
    return found


_OF_BILLS = (
    *(Account.CHARGES, Account.PLAN_PAID, Account.ADJUSTMENTS, *OWED, Account.PATIENT_PAID, Account.APPLIED),
    *(Account.WRITTEN_OFF, Account.DISPUTED, Account.CREDIT, Account.OPENING),
)
_NONE: Mapping[Account, Money] = dict.fromkeys(_OF_BILLS, ZERO)


def _taken(found: dict[Account, Money], cents: int) -> Money:
    """Take up to so much off what is owed; how much that was."""
    left = cents
    for account in PAID_FIRST:
        taken = max(0, min(left, found[account]))
        found[account] = Money(found[account] - taken)
        left -= taken
    return Money(cents - left)


def _moves(before: Mapping[Account, Money], after: Mapping[Account, Money]) -> Iterable[Posting]:
    """From the accounts that have less afterwards to those that have more, in the order of the chart."""
    changes = [(account, cents - before[account]) for account, cents in after.items() if cents != before[account]]
    givers = iter([(account, -change) for account, change in changes if change < 0])
    source, left = next(givers, (Account.CHARGES, 0))
    for destination, wanted in [(account, change) for account, change in changes if change > 0]:
        while wanted:
            if not left:
                source, left = next(givers)
            moved = min(wanted, left)
            yield Posting(source, destination, Money(moved))
            wanted, left = wanted - moved, left - moved


# --- evolve


def evolve(state: Bill, event: AccountEvent) -> Bill:
    match event:
        case BillAssessed():
            others = tuple(each for each in state.words if each[0] != event.claim)
            words = others if event.word == NOTHING else (*others, (event.claim, event.word))
            return _with(state, words=words)
        case BalanceOpened():
            return _with(state, before_cents=event.cents)
        case PaymentApplied():
            rest = tuple(each for each in state.applied if each[0] != event.payment)
            return _with(state, applied=(*rest, (event.payment, event.cents)) if event.cents else rest)
        case BillWrittenOff():
            written_off = _WriteOff(event.number, event.cents, event.reason, event.day, event.actor)
            return _with(state, written_off=(*state.written_off, written_off))
        case DisputeOpened():
            opened = _Opening(event.number, event.cents, event.reason, event.day, event.actor)
            return _with(state, disputes=(*state.disputes, Held(opened)))
        case EvidenceFiled() | DisputeResolved():
            return _with(state, disputes=tuple(_disputed(each, event) for each in state.disputes))
        case _:
            assert_never(event)


def _disputed(held: Held, event: EvidenceFiled | DisputeResolved) -> Held:
    if held.opened.number != event.number:
        return held
    if isinstance(event, EvidenceFiled):
        return Held(held.opened, held.resolution, held.evidence | {event.document})
    return Held(held.opened, event.resolution, held.evidence)


def _with(bill: Bill, **changes: Any) -> Bill:
    """One object is the empty bill."""
    changed = msgspec.structs.replace(bill, **changes)
    return INITIAL if changed == INITIAL else changed
