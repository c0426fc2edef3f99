"""The premiums of one contract: what the plan asks for coverage, and what came in for it.

Premiums are owed to the plan; what claims leave to the member is owed to providers (domain/account.py), and the two are
never added up. Identity: payer and contract. Facts come in any order: a payment before its invoice, a return before its
payment. What is open and where the contract stands follows from the set of them and a day.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.chart import Account, Posting
from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import ZERO, Money

Identity = tuple[str, str]
"""By which one thing that was said of a contract is known again"""


class Kind(StrEnum):
    """What can be said of a contract."""

    INVOICED = "invoiced"
    INVOICE_VOIDED = "invoice_voided"
    PAID = "paid"
    PAYMENT_RETURNED = "payment_returned"
    LAPSED = "lapsed"
    REINSTATED = "reinstated"


class Standing(StrEnum):
    """Of a contract, and but for the last two of an invoice."""

    PAID_UP = "paid_up"
    """Nothing is open"""
    DUE = "due"
    """Something is open, and its day has not passed"""
    PAST_DUE = "past_due"
    """Its day has passed, and so has its grace where it had any"""
    IN_GRACE = "in_grace"
    """Its day has passed, and coverage goes on: 31 days are common. With advance payments of the premium tax credit it
    goes on for three consecutive months (45 CFR 156.270(d)), stated as 90 days: the plan pays claims of the first, and
    may pend those of the second and third"""
    LAPSED = "lapsed"
    """The plan said that coverage ended. No date says so by itself"""
    REINSTATED = "reinstated"
    """The plan said that it goes on after all. That holds until the next premium falls due"""


# --- a message about one contract, understood


class Numbers(Fact, frozen=True, omit_defaults=True, gc=False):
    """By which the plan knows them. Personal."""

    contract_id: str
    invoice_id: str = ""
    """Of an invoice; of a payment the one that it names"""
    payment_id: str = ""


class Said(Fact, frozen=True, omit_defaults=True, gc=False):
    """One thing that was said."""

    kind: Kind
    on: date
    """The plan's own day of it"""
    content: str = ""
    """Keyed hash of what was said, parsed"""
    invoice: StreamId | None = None
    payment: StreamId | None = None
    amount_cents: Money = ZERO
    """Of an invoice or a payment; positive"""
    period_from: date | None = None
    period_to: date | None = None
    """First and last day of the coverage that an invoice is for"""
    due_on: date | None = None
    grace_days: int = 0
    """After due_on"""
    reason: str = ""
    """Why, in the plan's own code"""

    @property
    def grace_until(self) -> date | None:
        """The last day of an invoice's grace, where it has any."""
        return self.due_on + timedelta(self.grace_days) if self.due_on and self.grace_days else None

    @property
    def identity(self) -> Identity:
        match self.kind:
            case Kind.INVOICED | Kind.INVOICE_VOIDED:
                return self.kind, self.invoice or ""
            case Kind.PAID | Kind.PAYMENT_RETURNED:
                return self.kind, self.payment or ""
            case Kind.LAPSED | Kind.REINSTATED:
                return self.kind, self.on.isoformat()


class Notice(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a plan says of one contract. Its invoice and payment stand in the numbers."""

    payer_id: str
    member_id: str
    numbers: Numbers
    said: Said


# --- what commands and events say alike


class _About(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    account: StreamId
    """The member's"""
    payer_id: str
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""
    personal: Numbers | Sealed | None = None


# --- command


class Record(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Said


# --- events


class _Event(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    content: str
    on: date
    postings: tuple[Posting, ...] = ()


class PremiumInvoiced(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    invoice: StreamId
    amount_cents: Money
    period_from: date
    period_to: date
    due_on: date
    grace_days: int = 0


class PremiumInvoiceVoided(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The invoice was cancelled, as if never made."""

    invoice: StreamId
    reason: str


class PremiumPaid(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    payment: StreamId
    amount_cents: Money
    invoice: StreamId | None = None
    """For which it was meant, where it names one"""


class PremiumPaymentReturned(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The money went back: the whole of that payment."""

    payment: StreamId
    reason: str


class CoverageLapsed(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    reason: str


class CoverageReinstated(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    reason: str


PremiumEvent = (
    PremiumInvoiced | PremiumInvoiceVoided | PremiumPaid | PremiumPaymentReturned | CoverageLapsed | CoverageReinstated
)

_RECORDED_AS: dict[Kind, type[PremiumEvent]] = {
    Kind.INVOICED: PremiumInvoiced,
    Kind.INVOICE_VOIDED: PremiumInvoiceVoided,
    Kind.PAID: PremiumPaid,
    Kind.PAYMENT_RETURNED: PremiumPaymentReturned,
    Kind.LAPSED: CoverageLapsed,
    Kind.REINSTATED: CoverageReinstated,
}
_KIND_OF = {event: kind for kind, event in _RECORDED_AS.items()}

# --- state


class Contract(Fact, frozen=True, gc=False):
    """All that was said so far, in order of arrival."""

    said: tuple[Said, ...] = ()


INITIAL = Contract()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "premium.conflict"
    """The same was said before with other content"""
    ACCOUNT_NUMBER = "premium.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""


def decide(state: Contract, command: Record) -> tuple[PremiumEvent, ...] | Refusal:
    """One event where it is news, none where it came before, else why not."""
    for known in state.said:
        if known.identity == command.said.identity:
            return () if known.content == command.said.content else Refusal.CONFLICT
    recorded_as, said = _RECORDED_AS[command.said.kind], command.said
    event = recorded_as(
        account=command.account,
        payer_id=command.payer_id,
        source=command.source,
        personal=command.personal,
        postings=tuple(_difference(balances(state.said), balances((*state.said, said)))),
        **{name: getattr(said, name) for name in _shared(recorded_as)},
    )
    return (event,)


def _shared(event: type[PremiumEvent]) -> list[str]:
    """The fields that say of an event what was said."""
    return [name for name in event.__struct_fields__ if name in Said.__struct_fields__]


# --- evolve


def evolve(state: Contract, event: PremiumEvent) -> Contract:
    return Contract((*state.said, said_by(event)))


def said_by(event: PremiumEvent) -> Said:
    kind = type(event)
    return Said(kind=_KIND_OF[kind], **{name: getattr(event, name) for name in _shared(kind)})


# --- what follows: the money


def balances(said: Iterable[Said]) -> dict[Account, Money]:
    """What the facts come to, whatever their days. Owed is negative where more was paid than asked: a credit.

    A void without its invoice and a return without its payment come to nothing, and so do both together.
    """
    invoices, payments = _standing_facts(said)
    billed = sum(each.amount_cents for each in invoices)
    paid = sum(each.amount_cents for each in payments)
    return {
        Account.PREMIUM_BILLED: Money(-billed),
        Account.PREMIUM_OWED: Money(billed - paid),
        Account.PREMIUM_PAID: Money(paid),
    }


def _difference(before: dict[Account, Money], after: dict[Account, Money]) -> Iterable[Posting]:
    """What is billed comes to be owed, and what is paid is owed no more; or the reverse."""
    for account in (Account.PREMIUM_BILLED, Account.PREMIUM_PAID):
        cents = after[account] - before[account]
        if cents > 0:
            yield Posting(Account.PREMIUM_OWED, account, Money(cents))
        elif cents < 0:
            yield Posting(account, Account.PREMIUM_OWED, Money(-cents))


def _standing_facts(said: Iterable[Said]) -> tuple[list[Said], list[Said]]:
    """Invoices that are not voided, the oldest first, and payments that were not returned."""
    by_kind: dict[Kind, list[Said]] = {kind: [] for kind in Kind}
    for each in said:
        by_kind[each.kind].append(each)
    voided = {each.invoice for each in by_kind[Kind.INVOICE_VOIDED]}
    returned = {each.payment for each in by_kind[Kind.PAYMENT_RETURNED]}
    invoices = [each for each in by_kind[Kind.INVOICED] if each.invoice not in voided]
    payments = [each for each in by_kind[Kind.PAID] if each.payment not in returned]
    return sorted(invoices, key=lambda each: (each.due_on or date.max, each.invoice or "")), payments


# --- what follows: where it stands on a day


class Invoice(NamedTuple):
    """One that is not voided."""

    said: Said
    open_cents: Money

    @property
    def due_on(self) -> date:
        assert self.said.due_on is not None
        return self.said.due_on

    def standing(self, day: date) -> Standing:
        if not self.open_cents:
            return Standing.PAID_UP
        if day <= self.due_on:
            return Standing.DUE
        return Standing.IN_GRACE if day <= (self.said.grace_until or self.due_on) else Standing.PAST_DUE


class Premiums(NamedTuple):
    standing: Standing
    grace_until: date | None
    """Of the oldest invoice that is open: grace does not begin anew with the next one"""
    invoices: tuple[Invoice, ...]
    """The oldest first"""
    credit_cents: Money
    """What was paid beyond them; the next invoice takes it"""


def premiums(contract: Contract, day: date) -> Premiums:
    """What a contract comes to on a day, by what was said to have happened up to it."""
    said = [each for each in contract.said if each.on <= day]
    invoices, credit_cents = _set_against(said)
    oldest = next((each for each in invoices if each.open_cents), None)
    standing = _by_word(said, invoices, day) or (oldest.standing(day) if oldest else Standing.PAID_UP)
    return Premiums(standing, oldest and oldest.said.grace_until, invoices, credit_cents)


def _set_against(said: Iterable[Said]) -> tuple[tuple[Invoice, ...], Money]:
    """What payments leave open of each invoice, and what is left of them.

    A payment goes to the invoice that it names. What that does not take, or is not there to take, goes to the oldest
    open one, with all other payments.
    """
    invoices, payments = _standing_facts(said)
    open_cents = {each.invoice: each.amount_cents for each in invoices}
    left = ZERO
    for payment in payments:
        taken = min(open_cents.get(payment.invoice, ZERO), payment.amount_cents)
        if taken:
            open_cents[payment.invoice] = Money(open_cents[payment.invoice] - taken)
        left = Money(left + payment.amount_cents - taken)
    for invoice, cents in open_cents.items():
        taken = min(cents, left)
        open_cents[invoice], left = Money(cents - taken), Money(left - taken)
    return tuple(Invoice(each, open_cents[each.invoice]) for each in invoices), left


def _by_word(said: Iterable[Said], invoices: Iterable[Invoice], day: date) -> Standing | None:
    """What the plan says of coverage, where that holds. Of one day, a reinstatement is the later word."""
    words = [each for each in said if each.kind in (Kind.LAPSED, Kind.REINSTATED)]
    last = max(words, key=lambda each: (each.on, each.kind is Kind.REINSTATED), default=None)
    if last is None:
        return None
    if last.kind is Kind.LAPSED:
        return Standing.LAPSED
    return None if any(last.on < each.due_on <= day for each in invoices) else Standing.REINSTATED
