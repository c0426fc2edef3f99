"""A remittance: what one payer paid one provider in one payment, and how the sum came about.

It arrives as an X12 835 transaction set. Its three balances (005010X221A1, section 1.10.2.1) are proved here
before anything is posted: a remittance that does not add up is parked whole, never half posted.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import assert_never

from domain.adjudication import Adjudication, Adjustment, ClaimPayment
from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import Money


class Payer(Fact, frozen=True, omit_defaults=True, gc=False):
    payer_id: str
    """TRN03, the payer's own tax-based number, which stays the same from payment to payment; else BPR10, N104."""
    name: str = ""


class Payee(Fact, frozen=True, omit_defaults=True, gc=False):
    provider_id: str = ""
    """National provider identifier, else tax number."""
    name: str = ""


class ProviderAdjustment(Fact, frozen=True, omit_defaults=True, gc=False):
    """One PLB amount. Positive decreases the payment."""

    provider_id: str
    reason: str
    """Code list 1032: WO overpayment recovery, FB forwarding balance, L6 interest owed, 72 refund …"""
    cents: Money
    fiscal_period_end: date | None = None
    reference: str = ""
    """Often a claim's or a patient's number, so it is personal: empty once posted, and sealed beside."""
    balance: StreamId | None = None
    """Of a take-back or a forwarding balance: what it carries on, the same in every remittance that moves it"""


CARRIED = frozenset({"WO", "FB"})
"""PLB reasons whose negative amounts stand over until later remittances take them, by the same reference"""


class Remittance(Fact, frozen=True, omit_defaults=True, gc=False):
    """One 835 transaction set, understood."""

    payer: Payer
    payee: Payee
    trace_number: str
    """TRN02: the check or transfer number, which binds the paper to the money."""
    paid_on: date
    """BPR16: the day of the payment."""
    total_cents: Money
    """BPR02"""
    method: str
    """BPR04: ACH, CHK, NON (no payment) …"""
    claims: tuple[ClaimPayment, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    handling: str = ""
    """BPR01"""
    produced_on: date | None = None
    """DTM*405"""
    guide: str = ""
    """GS08: the version of the guide by which it was written, 005010X221A1 or an older one"""


class Imbalance(Fact, frozen=True, omit_defaults=True, gc=False):
    """One sum of a remittance that does not hold, in cents, with where it stands (claim and line count from 1)."""

    reason: str
    where: str
    expected_cents: int
    stated_cents: int


def imbalances(remittance: Remittance) -> Iterator[Imbalance]:
    """Every balance of the guide that fails. AMT amounts never take part; a positive adjustment decreases."""
    paid = 0
    for number, claim in enumerate(remittance.claims, 1):
        yield from claim_imbalances(claim.adjudication, f"claim {number}")
        paid += claim.adjudication.paid_cents
    due = paid - sum(adjustment.cents for adjustment in remittance.provider_adjustments)
    if due != remittance.total_cents:
        yield Imbalance("transaction.unbalanced", "BPR02", due, remittance.total_cents)
    if remittance.total_cents < 0:
        yield Imbalance("transaction.negative", "BPR02", 0, remittance.total_cents)


def claim_imbalances(said: Adjudication, where: str) -> Iterator[Imbalance]:
    """The balances of one claim and its lines."""
    adjusted = _total(said.adjustments)
    for number, line in enumerate(said.lines, 1):
        line_adjusted = _total(line.adjustments)
        adjusted += line_adjusted
        if line.charge_cents - line_adjusted != line.paid_cents:
            expected = line.charge_cents - line_adjusted
            yield Imbalance("line.unbalanced", f"{where} line {number}", expected, line.paid_cents)
    if said.charge_cents - adjusted != said.paid_cents:
        yield Imbalance("claim.unbalanced", where, said.charge_cents - adjusted, said.paid_cents)


def _total(adjustments: tuple[Adjustment, ...]) -> int:
    total = 0
    for adjustment in adjustments:
        total += adjustment.cents
    return total


# --- commands


class Receive(Fact, frozen=True, omit_defaults=True, gc=False):
    """Record that a remittance came; its claims are posted to their own streams in the same batch."""

    remittance: Remittance
    """Without its claims"""
    claim_count: int
    content: str
    """Keyed hash of everything but the claims."""
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file."""
    balances: tuple[StreamId | None, ...] = ()
    """For each provider adjustment, what it carries on."""


# --- events


class RemittanceReceived(Event, frozen=True, omit_defaults=True, gc=False):
    payer: Payer
    payee: Payee
    trace_number: str
    paid_on: date
    total_cents: Money
    method: str
    claim_count: int
    content: str
    source: str
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    handling: str = ""
    produced_on: date | None = None
    guide: str = ""
    personal: tuple[str, ...] | Sealed | None = None
    """The references of the provider adjustments, in their order."""


RemittanceEvent = RemittanceReceived

# --- state


class Received(Fact, frozen=True, omit_defaults=True, gc=False):
    content: str = ""


INITIAL = Received()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "remittance.conflict"
    """The same payment was received before with other totals or provider adjustments"""


def decide(state: Received, command: Receive) -> tuple[RemittanceEvent, ...] | Refusal:
    """One event where the remittance is news, none where it came before, else why not."""
    if state.content == command.content:
        return ()
    if state.content:
        return Refusal.CONFLICT
    remittance = command.remittance
    return (
        RemittanceReceived(
            payer=remittance.payer,
            payee=remittance.payee,
            trace_number=remittance.trace_number,
            paid_on=remittance.paid_on,
            total_cents=remittance.total_cents,
            method=remittance.method,
            claim_count=command.claim_count,
            content=command.content,
            source=command.source,
            provider_adjustments=tuple(
                ProviderAdjustment(a.provider_id, a.reason, a.cents, a.fiscal_period_end, balance=balance)
                for a, balance in zip(remittance.provider_adjustments, command.balances, strict=True)
            ),
            handling=remittance.handling,
            produced_on=remittance.produced_on,
            guide=remittance.guide,
            personal=tuple(a.reference for a in remittance.provider_adjustments) or None,
        ),
    )


# --- evolve


def evolve(state: Received, event: RemittanceEvent) -> Received:
    match event:
        case RemittanceReceived():
            return Received(content=event.content)
        case _:
            assert_never(event)
