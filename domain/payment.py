"""A member's payment through the portal, as the payment processor tells it: from its start to its last chargeback.

Identity: payer and the processor's transaction id. Each thing is said once; a refund and a chargeback are told apart by
their own ids. Where the payment stands, and what of it is collected, follows from the set of all that was said of it,
in whatever order it came.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import assert_never

import msgspec

from domain.business_days import business_day_after
from domain.chart import Account, Posting
from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import ZERO, Money

POSTS_WITHIN_BUSINESS_DAYS = 3
"""After it was initiated; the first is the day after"""


class Kind(StrEnum):
    """What can be said of a payment."""

    INITIATED = "initiated"
    AUTHORISED = "authorised"
    POSTED = "posted"
    FAILED = "failed"
    RETURNED = "returned"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    CHARGEBACK_REVERSED = "chargeback_reversed"


class Method(StrEnum):
    CARD = "card"
    BANK = "bank"
    HSA = "hsa"
    """A card or account of health savings"""
    FSA = "fsa"
    """Of flexible spending"""


class Failure(StrEnum):
    """Why a payment failed before it posted."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    DECLINED = "declined"
    EXPIRED = "expired"
    INVALID_ACCOUNT = "invalid_account"
    ACCOUNT_CLOSED = "account_closed"
    AUTHENTICATION_FAILED = "authentication_failed"
    LIMIT_EXCEEDED = "limit_exceeded"
    SUSPECTED_FRAUD = "suspected_fraud"
    CANCELLED = "cancelled"
    PROCESSOR_ERROR = "processor_error"
    OTHER = "other"


class Dispute(StrEnum):
    """Why the payer of a payment has their bank take it back."""

    FRAUD = "fraud"
    NOT_RECOGNISED = "not_recognised"
    DUPLICATE = "duplicate"
    INCORRECT_AMOUNT = "incorrect_amount"
    CREDIT_NOT_PROCESSED = "credit_not_processed"
    SERVICE_NOT_RECEIVED = "service_not_received"
    CANCELLED = "cancelled"
    OTHER = "other"


# --- a message about one payment, understood


class References(Fact, frozen=True, omit_defaults=True, gc=False):
    """The processor's own numbers. All of it is personal."""

    payment_id: str
    token: str = ""
    """Of card or account; the processor's, so that neither's number is ever seen here"""
    schedule_id: str = ""
    refund_id: str = ""
    case_id: str = ""
    payout: str = ""


class Reported(Fact, frozen=True, omit_defaults=True, gc=False):
    """One thing that the processor says."""

    kind: Kind
    at: datetime | None = None
    """Aware; its own offset says which day it was for the member"""
    on: date | None = None
    amount_cents: Money = ZERO
    method: Method | None = None
    reason: Failure | Dispute | None = None
    code: str = ""
    """NACHA return code, R01 to R85"""
    claims: tuple[StreamId, ...] = ()
    """What it is for; the oldest bills where nothing is chosen"""
    statements: tuple[StreamId, ...] = ()


class PaymentNotice(Fact, frozen=True, omit_defaults=True, gc=False):
    payer_id: str
    member_id: str
    references: References
    said: Reported


# --- commands


class _About(Fact, frozen=True, omit_defaults=True, gc=False):
    """What command and event say alike."""

    content: str
    """Keyed hash of what was said, parsed and without its envelope"""
    payer_id: str
    account: StreamId
    """Of the member's number"""
    source: str
    personal: References | Sealed | None = None

    @property
    def person(self) -> StreamId:
        """Whose key seals what is personal"""
        return self.account


class Report(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """Take one thing in that was said; of its references there are opaque ids."""

    said: Reported
    schedule: StreamId | None = None
    refund: StreamId | None = None
    case: StreamId | None = None
    payout: StreamId | None = None

    @property
    def identity(self) -> tuple[Kind, str]:
        return self.said.kind, self.refund or self.case or ""


# --- events


class PaymentInitiated(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The member started it; no money has moved."""

    at: datetime
    amount_cents: Money
    method: Method
    schedule: StreamId | None = None
    """Of an automatic payment"""
    claims: tuple[StreamId, ...] = ()
    """What it is for"""
    statements: tuple[StreamId, ...] = ()


class PaymentAuthorised(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime


class PaymentPosted(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The money came."""

    on: date
    amount_cents: Money
    payout: StreamId | None = None
    """With which of the processor's payouts it goes to the bank"""
    postings: tuple[Posting, ...] = ()


class PaymentFailed(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    at: datetime
    reason: Failure


class PaymentReturned(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The member's bank sent all of it back (NACHA)."""

    on: date
    code: str
    postings: tuple[Posting, ...] = ()


class PaymentRefunded(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    on: date
    refund: StreamId
    amount_cents: Money
    postings: tuple[Posting, ...] = ()


class PaymentChargedBack(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The card's holder disputes it, and the money is taken until that is decided."""

    on: date
    case: StreamId
    amount_cents: Money
    reason: Dispute
    postings: tuple[Posting, ...] = ()


class ChargebackReversed(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The dispute was decided for the plan, and the money is back."""

    on: date
    case: StreamId
    postings: tuple[Posting, ...] = ()


class PaymentAllocated(Event, frozen=True, omit_defaults=True, gc=False):
    """A bill has another part of it than before: the other side of `bill.payment_applied`."""

    bill: StreamId
    cents: Money
    """All that the bill has of it from now on"""
    on: date
    postings: tuple[Posting, ...] = ()


ReportEvent = (
    PaymentInitiated
    | PaymentAuthorised
    | PaymentPosted
    | PaymentFailed
    | PaymentReturned
    | PaymentRefunded
    | PaymentChargedBack
    | ChargebackReversed
)
PaymentEvent = ReportEvent | PaymentAllocated

_REPORTED_AS: dict[Kind, type[ReportEvent]] = {
    Kind.INITIATED: PaymentInitiated,
    Kind.AUTHORISED: PaymentAuthorised,
    Kind.POSTED: PaymentPosted,
    Kind.FAILED: PaymentFailed,
    Kind.RETURNED: PaymentReturned,
    Kind.REFUNDED: PaymentRefunded,
    Kind.CHARGED_BACK: PaymentChargedBack,
    Kind.CHARGEBACK_REVERSED: ChargebackReversed,
}

# --- state


class Said(Fact, frozen=True, gc=False, array_like=True):
    """One thing that was said, as far as the payment's standing turns on it."""

    kind: Kind
    content: str
    day: date
    reference: str = ""
    """The refund's or the chargeback's id"""
    amount_cents: Money = ZERO
    detail: str = ""
    """Method, reason or return code"""


class Chosen(Fact, frozen=True, gc=False):
    """What a payment is for; the oldest bills where nothing is chosen."""

    claims: tuple[StreamId, ...] = ()
    statements: tuple[StreamId, ...] = ()


NOTHING_CHOSEN = Chosen()


class Payment(Fact, frozen=True, gc=False):
    account: StreamId | None = None
    said: tuple[Said, ...] = ()
    allocated: tuple[tuple[StreamId, Money], ...] = ()
    """What each bill has of it, in the order in which they got it"""
    chosen: Chosen = NOTHING_CHOSEN


INITIAL = Payment()

# --- where it stands


class Status(StrEnum):
    INITIATED = "initiated"
    """As every payment was, whether that has been said or not"""
    AUTHORISED = "authorised"
    FAILED = "failed"
    POSTED = "posted"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
    RETURNED = "returned"
    CHARGED_BACK = "charged_back"


WAITING = frozenset({Status.INITIATED, Status.AUTHORISED})


class Standing(Fact, frozen=True, gc=False):
    status: Status
    method: str
    """Empty until the start is known"""
    amount_cents: Money
    """What posted, else what was to be paid"""
    initiated_on: date | None
    posted_on: date | None
    refunded_cents: Money
    disputed_cents: Money
    """Chargebacks that are not reversed"""
    collected_cents: Money
    """What is left of what posted, never below zero"""
    detail: str
    """Why it is failed, returned or charged back"""


def standing(payment: Payment) -> Standing:
    once = {said.kind: said for said in payment.said if not said.reference}
    initiated, posted = once.get(Kind.INITIATED), once.get(Kind.POSTED)
    refunded = sum(said.amount_cents for said in payment.said if said.kind is Kind.REFUNDED)
    reversed_ = {said.reference for said in payment.said if said.kind is Kind.CHARGEBACK_REVERSED}
    disputes = [s for s in payment.said if s.kind is Kind.CHARGED_BACK and s.reference not in reversed_]
    disputed = sum(said.amount_cents for said in disputes)
    posted_cents = posted.amount_cents if posted else ZERO
    collected = ZERO if Kind.RETURNED in once else max(ZERO, posted_cents - refunded - disputed)
    status = Status.INITIATED
    detail = ""
    if disputes:
        status, detail = Status.CHARGED_BACK, max(disputes, key=lambda said: (said.day, said.reference)).detail
    elif Kind.RETURNED in once:
        status, detail = Status.RETURNED, once[Kind.RETURNED].detail
    elif refunded:
        status = Status.REFUNDED if posted and refunded >= posted_cents else Status.PARTLY_REFUNDED
    elif posted:
        status = Status.POSTED
    elif Kind.FAILED in once:
        status, detail = Status.FAILED, once[Kind.FAILED].detail
    elif Kind.AUTHORISED in once:
        status = Status.AUTHORISED
    return Standing(
        status=status,
        method=initiated.detail if initiated else "",
        amount_cents=posted_cents or (initiated.amount_cents if initiated else ZERO),
        initiated_on=initiated.day if initiated else None,
        posted_on=posted.day if posted else None,
        refunded_cents=Money(refunded),
        disputed_cents=Money(disputed),
        collected_cents=Money(collected),
        detail=detail,
    )


def as_of(payment: Payment, day: date) -> Payment:
    """What had happened by the end of a day."""
    return Payment(payment.account, tuple(said for said in payment.said if said.day <= day))


def expected_by(stands: Standing, bank_holidays: Container[date]) -> date | None:
    """The last day on which it should post; None while its start is not known."""
    if stands.initiated_on is None:
        return None
    return business_day_after(stands.initiated_on, POSTS_WITHIN_BUSINESS_DAYS, bank_holidays)


def is_late(stands: Standing, expected: date | None, day: date) -> bool:
    """Whether it posted later than expected, or as of a day is still waited for."""
    posted_on = stands.posted_on or (day if stands.status in WAITING else None)
    return expected is not None and posted_on is not None and posted_on > expected


# --- decide


class Refusal(StrEnum):
    CONFLICT = "payment.conflict"
    """The same was said before with other content"""
    OTHER_MEMBER = "payment.other_member"
    """It is known as the payment of another member"""
    OVER_REFUNDED = "payment.over_refunded"
    """More would be refunded than is known to have posted"""


def decide(state: Payment, command: Report) -> tuple[ReportEvent, ...] | Refusal:
    """One event where it is news, none where it was said before, else why not."""
    for said in state.said:
        if (said.kind, said.reference) == command.identity:
            return () if said.content == command.content else Refusal.CONFLICT
    if state.account not in (None, command.account):
        return Refusal.OTHER_MEMBER
    event = _event_of(command)
    after = standing(evolve(state, event))
    if isinstance(event, PaymentRefunded) and after.posted_on and after.refunded_cents > after.amount_cents:
        return Refusal.OVER_REFUNDED
    moved = after.collected_cents - standing(state).collected_cents
    if moved:
        event = msgspec.structs.replace(event, postings=(_posting(moved),))
    return (event,)


def allocate(state: Payment, bill: StreamId, cents: Money, on: date) -> PaymentAllocated:
    """Give so much of it to a bill, which has to take it in the same batch (domain/account.py: Apply)."""
    more = cents - dict(state.allocated).get(bill, ZERO)
    if more > 0:
        return PaymentAllocated(bill, cents, on, (Posting(Account.APPLIED, Account.UNAPPLIED, Money(more)),))
    return PaymentAllocated(bill, cents, on, (Posting(Account.UNAPPLIED, Account.APPLIED, Money(-more)),))


def allocation(
    payment: Payment, keeps: Mapping[StreamId, Money], wanted: Iterable[tuple[StreamId, Money]]
) -> dict[StreamId, Money]:
    """What each bill gets of a payment: what it keeps, as far as what is collected goes, in the order in which they got
    it; what is left goes to the wanted ones in theirs. What still is left waits as the member's credit."""
    left, given = standing(payment).collected_cents, dict[StreamId, Money]()
    for bill, cents in (*keeps.items(), *wanted):
        taken = min(cents, left)
        given[bill] = Money(given.get(bill, ZERO) + taken)
        left = Money(left - taken)
    return given


def _event_of(report: Report) -> ReportEvent:
    kind = _REPORTED_AS[report.said.kind]
    names = [name for name in kind.__struct_fields__ if name != "postings"]
    return kind(**{name: getattr(report if hasattr(report, name) else report.said, name) for name in names})


def _posting(cents: int) -> Posting:
    """What is collected waits as the member's credit, and is taken from it where it goes back."""
    if cents > 0:
        return Posting(Account.UNAPPLIED, Account.COLLECTED, Money(cents))
    return Posting(Account.COLLECTED, Account.UNAPPLIED, Money(-cents))


# --- evolve


def evolve(state: Payment, event: PaymentEvent) -> Payment:
    if isinstance(event, PaymentAllocated):
        others = [each for each in state.allocated if each[0] != event.bill]
        allocated = (*others, (event.bill, event.cents)) if event.cents else tuple(others)
        return msgspec.structs.replace(state, allocated=allocated)
    chosen = Chosen(event.claims, event.statements) if isinstance(event, PaymentInitiated) else state.chosen
    return msgspec.structs.replace(state, account=event.account, said=(*state.said, said_by(event)), chosen=chosen)


def said_by(event: ReportEvent) -> Said:
    match event:
        case PaymentInitiated():
            return Said(Kind.INITIATED, event.content, event.at.date(), "", event.amount_cents, event.method)
        case PaymentAuthorised():
            return Said(Kind.AUTHORISED, event.content, event.at.date())
        case PaymentPosted():
            return Said(Kind.POSTED, event.content, event.on, "", event.amount_cents)
        case PaymentFailed():
            return Said(Kind.FAILED, event.content, event.at.date(), detail=event.reason)
        case PaymentReturned():
            return Said(Kind.RETURNED, event.content, event.on, detail=event.code)
        case PaymentRefunded():
            return Said(Kind.REFUNDED, event.content, event.on, event.refund, event.amount_cents)
        case PaymentChargedBack():
            return Said(Kind.CHARGED_BACK, event.content, event.on, event.case, event.amount_cents, event.reason)
        case ChargebackReversed():
            return Said(Kind.CHARGEBACK_REVERSED, event.content, event.on, event.case)
        case _:
            assert_never(event)
