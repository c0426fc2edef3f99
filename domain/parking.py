"""What could not be understood or accepted, and what became of it. Nothing that comes in is ever dropped.

A parked item is the smallest unit that keeps the money whole: the interchange where its envelope is broken,
the transaction where it cannot be read or does not balance, else the single claim. A parked claim blocks its
own stream: later postings of that claim wait behind it until it is released or discarded.
"""

from enum import StrEnum
from typing import assert_never

import msgspec

from domain.facts import Event, Fact, StreamId

REASONS = {
    "message.empty": "The message holds nothing.",
    "message.too_large": "The message is larger than the configured limit.",
    "message.failed": "The ledger itself failed to understand the message; retry it once that is mended.",
    "x12.no_isa": "Not an X12 interchange: it does not begin with an ISA segment.",
    "x12.bad_isa": "The ISA segment is malformed, so the delimiters are unknown.",
    "x12.missing_iea": "The interchange is not closed by an IEA segment: it was probably cut off.",
    "x12.missing_ge": "A functional group is not closed by a GE segment.",
    "x12.missing_se": "A transaction is not closed by an SE segment.",
    "x12.wrong_iea_count": "IEA01 states another number of groups than there are.",
    "x12.wrong_ge_count": "GE01 states another number of transactions than there are.",
    "x12.wrong_se_count": "SE01 states another number of segments than there are.",
    "x12.control_mismatch": "A trailer's control number differs from its header's.",
    "x12.orphan_segment": "A segment stands where the format has no place for it.",
    "x12.bad_character": "The transaction holds a NUL, a lone surrogate or undecodable bytes.",
    "x12.segment_too_long": "A segment is longer than any real one.",
    "x12.unsupported_transaction": "The transaction is not an 835 remittance.",
    "835.missing_segment": "A segment that every remittance has is missing.",
    "835.missing_element": "An element that the ledger cannot do without is empty.",
    "835.element_too_long": "An element is longer than the guide allows.",
    "835.bad_amount": "An amount is not a decimal number with at most two places.",
    "835.bad_date": "A date is not a calendar day.",
    "json.not_json": "The message is not a JSON object in UTF-8.",
    "json.too_deep": "The message is nested deeper than any real one.",
    "json.duplicate_key": "An object of the message holds the same key twice.",
    "json.bad_character": "The message holds a NUL, another control character or a lone surrogate.",
    "json.not_an_integer": "The message holds a fraction, an exponent, NaN or infinity: amounts are whole cents.",
    "json.unknown_version": "The message's schema version is not one that the ledger knows.",
    "json.wrong_schema": "The message does not follow its published schema.",
    "line.unbalanced": "A service line's charge less its adjustments is not what was paid.",
    "claim.unbalanced": "A claim's charge less all its adjustments is not what was paid.",
    "transaction.unbalanced": "The claims less the provider adjustments are not the total of the payment.",
    "transaction.negative": "The total of the payment is negative.",
    "claim.unidentified": "The remittance does not say who the patient is.",
    "claim.unknown_status": "The claim's status code (CLP02) is not in the guide's list.",
    "claim.conflict": "The same posting came before with other content.",
    "claim.waiting": "An earlier posting of this claim is parked; this one waits behind it.",
    "claim.discarded": "This posting was parked before and given up by a person; it stays so.",
    "consent.conflict": "The same was said before of who may see what, with other content.",
    "payment.account_number": "A field holds what looks like the number of a card or bank account.",
    "payment.conflict": "The same was said of the payment before with other content.",
    "payment.other_member": "The payment is known as another member's.",
    "payment.over_refunded": "More would be refunded than was posted.",
    "schedule.conflict": "The same was said of the schedule before with other content.",
    "schedule.other_member": "The schedule is known as another member's.",
    "person.erased": "The person's key was destroyed; what is said of them is not recorded any more.",
    "premium.account_number": "A text of the message looks like the number of a card or a bank account.",
    "premium.conflict": "The same was said of this contract before with other content.",
    "settlement.account_number": "A name or number of a bank's entry looks like that of a card or a bank account.",
    "coverage.account_number": "A text about a member's coverage looks like the number of a card or a bank account.",
    "coverage.conflict": "The same change of coverage came before with other content.",
    "coverage.ahead_of_time": "A change of coverage is told to be said later than now: a payer's clock is wrong.",
    "coverage.unknown": "Another plan is asked for, and no enrolment of the member is known; retry it once one is.",
    "coverage.plan_unknown": "No design of the plan that a member asks for is known for that day; retry it once it is.",
    "provider.account_number": "A text of a provider's listing looks like the number of a card or a bank account.",
    "provider.conflict": "The same revision of a provider's listing was published before with other content.",
    "plan.account_number": "A text of a plan's design looks like the number of a card or a bank account.",
    "login.ahead_of_time": "What a portal says is told to have happened later than now: its clock is wrong.",
    "login.account_number": "A text of the message looks like the number of a card or a bank account.",
    "login.conflict": "Another thing was said of this account before under the same id.",
    "plan.conflict": "The same revision of a plan's design was published before with other content.",
    "settlement.conflict": "The same was said of the bank's entry before with other content.",
    "remittance.conflict": "The same payment came before with other totals.",
    "stream.unreadable": "The stored history that this must be checked against cannot be read.",
}
"""Every reason for which anything is parked, with its meaning. The only list of them."""


class _Parked(Fact, frozen=True, omit_defaults=True, gc=False):
    """What command and event say alike."""

    reason: str
    """A key of REASONS"""
    source: str
    where: str = ""
    """Segment, claim or line numbers within the source; never content"""
    detail: str = ""
    """Counts, codes and names of segments; never content"""
    claims: int = 0
    """How many CLP segments it holds"""
    blocks: StreamId | None = None
    raw_id: str = ""
    format: str = "x12-835"
    """How its bytes are to be read on a retry; what was parked before 0.2 is all of that one"""


# --- commands


class Park(_Parked, frozen=True, omit_defaults=True, gc=False):
    """Keep it, blocking what it may block."""


class Release(Fact, frozen=True, omit_defaults=True, gc=False):
    """It went through on a retry."""


class Discard(Fact, frozen=True, omit_defaults=True, gc=False):
    actor: str
    reason: str


# --- events


class MessageParked(_Parked, Event, frozen=True, omit_defaults=True, gc=False):
    """It could not be understood or accepted."""


class MessageReleased(Event, frozen=True, omit_defaults=True, gc=False):
    pass


class MessageDiscarded(Event, frozen=True, omit_defaults=True, gc=False):
    actor: str
    reason: str


ParkingEvent = MessageParked | MessageReleased | MessageDiscarded

# --- state


class State(StrEnum):
    UNKNOWN = "unknown"
    PARKED = "parked"
    RELEASED = "released"
    DISCARDED = "discarded"


INITIAL = State.UNKNOWN

# --- decide


class Refusal(StrEnum):
    NOT_PARKED = "not_parked"
    """Nothing by this id is parked, or not any more"""
    UNEXPLAINED = "unexplained"
    """To give something up takes somebody who does it, and why"""


def decide(state: State, command: Park | Release | Discard) -> tuple[ParkingEvent, ...] | Refusal:
    """Park what is not parked already; release or discard only what is parked."""
    match command:
        case Park():
            if state is State.PARKED or state is State.DISCARDED:
                return ()
            return (MessageParked(*msgspec.structs.astuple(command)),)
        case Release():
            return (MessageReleased(),) if state is State.PARKED else Refusal.NOT_PARKED
        case Discard():
            if state is not State.PARKED:
                return Refusal.NOT_PARKED
            if not command.actor.strip() or not command.reason.strip():
                return Refusal.UNEXPLAINED
            return (MessageDiscarded(actor=command.actor, reason=command.reason),)
        case _:
            assert_never(command)


# --- evolve


def evolve(state: State, event: ParkingEvent) -> State:
    match event:
        case MessageParked():
            return State.PARKED
        case MessageReleased():
            return State.RELEASED
        case MessageDiscarded():
            return State.DISCARDED
        case _:
            assert_never(event)
