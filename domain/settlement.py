"""An entry of a bank's statement: what the bank booked, and whether it took it back.

The plan's accounts have names of its own here, never numbers. With what an entry is matched follows from rules over
everything that is known (projections/settlement.py), so an entry may come before what it settles.
"""

from datetime import date
from enum import StrEnum

import msgspec

from domain.facts import Event, Fact, StreamId
from domain.money import Money


class Direction(StrEnum):
    CREDIT = "credit"
    """Money came: from a payment processor"""
    DEBIT = "debit"
    """Money went: to a provider, as a remittance tells"""


class Booked(Fact, frozen=True, omit_defaults=True, gc=False):
    """It stands in the account."""

    on: date
    direction: Direction
    amount_cents: Money
    trace_number: str = ""
    """Of the transfer, as the remittance has it (TRN02): CAQH CORE 370 has banks pass it on"""
    payer_id: str = ""
    payout: str = ""
    """The processor's reference of a payout of members' payments"""


class Reversed(Fact, frozen=True, omit_defaults=True, gc=False):
    """The bank took the entry back."""

    on: date
    reason: str


class BankNotice(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a bank says of one entry, understood."""

    bank_account: str
    """The plan's own name of it"""
    entry_id: str
    said: Booked | Reversed


# --- command


class Report(Fact, frozen=True, omit_defaults=True, gc=False):
    content: str
    """Keyed hash of what was said"""
    bank_account: str
    entry_id: str
    source: str
    said: Booked | Reversed
    payout: StreamId | None = None
    """What stands for payer and payout, as in the payments that it pays out"""


# --- events


class EntryBooked(Event, frozen=True, omit_defaults=True, gc=False):
    content: str
    bank_account: str
    source: str
    on: date
    direction: Direction
    amount_cents: Money
    trace_number: str = ""
    payer_id: str = ""
    payout: StreamId | None = None
    entry_id: str = ""
    """The bank's own id of the entry; the first events of this kind have none"""
    payout_reference: str = ""
    """The processor's own"""


class EntryReversed(Event, frozen=True, omit_defaults=True, gc=False):
    """The bank took it back, whether or not it is known that it was booked."""

    content: str
    bank_account: str
    source: str
    on: date
    reason: str
    entry_id: str = ""


SettlementEvent = EntryBooked | EntryReversed

# --- state


class Entry(Fact, frozen=True, omit_defaults=True, gc=False):
    """What was said of it, by the hash of its content."""

    booked: str = ""
    reversed: str = ""


INITIAL = Entry()


class Refusal(StrEnum):
    CONFLICT = "settlement.conflict"
    """The same was said of the entry before with other content"""


def decide(state: Entry, command: Report) -> tuple[SettlementEvent, ...] | Refusal:
    """One event where it is news, none where it was said before, else why not."""
    said = command.said
    known = state.booked if isinstance(said, Booked) else state.reversed
    if known:
        return () if known == command.content else Refusal.CONFLICT
    about = command.content, command.bank_account, command.source
    if isinstance(said, Reversed):
        return (EntryReversed(*about, said.on, said.reason, command.entry_id),)
    booked = EntryBooked(*about, said.on, said.direction, said.amount_cents, said.trace_number, said.payer_id)
    named = {"payout": command.payout, "entry_id": command.entry_id, "payout_reference": said.payout}
    return (msgspec.structs.replace(booked, **named),)


def evolve(state: Entry, event: SettlementEvent) -> Entry:
    if isinstance(event, EntryBooked):
        return Entry(event.content, state.reversed)
    return Entry(state.booked, event.content)
