"""What a payment processor says of a member's payment, or of the schedule of automatic ones: model and translation.

The source of docs/schemas/payment-1.json. Every field has the domain's own name.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, keep, one
from adapters.json_message.parts import YEARS, Amount, At, Id, Number, OptionalNumber, Part
from adapters.json_message.reader import BOM, Fault, Reader
from domain import payment, schedule
from domain.account_numbers import holds_account_number
from domain.money import Money

VERSION = 1

OptionalDate = date | None | UnsetType
Ids = Annotated[tuple[Id, ...], Meta(max_length=99, description="What the payment is for")]
ReturnCode = Annotated[str, Meta(pattern=r"^R(?:0[1-9]|[1-7][0-9]|8[0-5])$", description="NACHA return code")]


# --- of a payment


class Initiated(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="initiated"):
    """The member started it; no money has moved."""

    at: At
    amount_cents: Amount
    method: payment.Method
    token: Annotated[Number, Meta(description="The processor's own, of card or account; never a number of either")]
    claims: Ids | UnsetType = UNSET
    statements: Ids | UnsetType = UNSET
    schedule_id: OptionalNumber | UnsetType = UNSET


class Authorised(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="authorised"):
    """The money is promised."""

    at: At


class Posted(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="posted"):
    """The money came."""

    on: date
    amount_cents: Amount
    payout: OptionalNumber | UnsetType = UNSET


class Failed(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="failed"):
    """It came to nothing before it posted."""

    at: At
    reason: payment.Failure


class Returned(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="returned"):
    """The member's bank sent all of it back."""

    on: date
    code: ReturnCode


class Refunded(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="refunded"):
    """Some of it went back to the member, or all."""

    on: date
    refund_id: Number
    amount_cents: Amount


class ChargedBack(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="charged_back"):
    """The card's holder disputes it, and the money is taken until that is decided."""

    on: date
    case_id: Number
    amount_cents: Amount
    reason: payment.Dispute


class ChargebackReversed(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="chargeback_reversed"):
    """The dispute was decided for the plan, and the money is back."""

    on: date
    case_id: Number


# --- of a schedule


class Scheduled(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="scheduled"):
    """The member has payments made by themselves. Terms never change: other terms are another schedule."""

    at: At
    first_on: date
    every: schedule.Every
    until: OptionalDate = UNSET
    amount_cents: Amount | Literal["balance"]


class Skipped(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="skipped"):
    """The payment of one day is left out."""

    on: date


class _At(Part, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    at: At


class Paused(_At, frozen=True, gc=False, kw_only=True, tag="paused"):
    """Nothing is paid until it is resumed."""


class Resumed(_At, frozen=True, gc=False, kw_only=True, tag="resumed"):
    """It pays again."""


class Cancelled(_At, frozen=True, gc=False, kw_only=True, tag="cancelled"):
    """It never pays again."""


OfPayment = Initiated | Authorised | Posted | Failed | Returned | Refunded | ChargedBack | ChargebackReversed
OfSchedule = Scheduled | Skipped | Paused | Resumed | Cancelled


# --- the whole


class PaymentMessage(Part, frozen=True, gc=False, kw_only=True):
    """What a payment processor says of one payment, or of one schedule."""

    schema: Literal[1]
    payer_id: Number
    member_id: Number
    payment_id: OptionalNumber | UnsetType = UNSET
    schedule_id: OptionalNumber | UnsetType = UNSET
    said: OfPayment | OfSchedule


read = Reader(PaymentMessage, VERSION).read


def understand(raw: bytes) -> payment.PaymentNotice | schedule.ScheduleNotice:
    """The one notice of a message. Raises Fault."""
    message = _read(raw)
    keep(RULES, message)
    return _notice(message)


def _read(raw: bytes) -> PaymentMessage:
    """A card's number may well come in a field that we don't know: whatever else is wrong, that is to be heard of."""
    try:
        message = read(raw)
    except Fault as fault:
        if fault.reason == "json.wrong_schema" and holds_account_number(_document(raw)):
            raise Fault("payment.account_number") from None
        raise
    if holds_account_number(message):
        raise Fault("payment.account_number")
    return message


def _document(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw.removeprefix(BOM))
    except msgspec.DecodeError:  # a number beyond all bounds
        return None


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms


_KINDS = {kind: payment.Kind(kind.__struct_config__.tag) for kind in OfPayment.__args__}
_SCHEDULE_KINDS = {kind: schedule.Kind(kind.__struct_config__.tag) for kind in OfSchedule.__args__}


def _notice(message: PaymentMessage) -> payment.PaymentNotice | schedule.ScheduleNotice:
    said = message.said
    given = {name: value for name in said.__struct_fields__ if (value := getattr(said, name)) is not UNSET}
    if isinstance(said, OfPayment):
        others = {name: given.pop(name) for name in payment.References.__struct_fields__ if name in given}
        return payment.PaymentNotice(
            message.payer_id,
            message.member_id,
            payment.References(message.payment_id or "", **others),
            payment.Reported(_KINDS[type(said)], **given),
        )
    if isinstance(said, Scheduled):
        amount = None if said.amount_cents == "balance" else Money(said.amount_cents)
        terms = schedule.Terms(said.first_on, said.every, said.until or None, amount)
        given = {"at": said.at, "terms": terms}
    references = schedule.References(message.schedule_id or "")
    reported = schedule.Reported(_SCHEDULE_KINDS[type(said)], **given)
    return schedule.ScheduleNotice(message.payer_id, message.member_id, references, reported)


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing


def it_is_of_a_payment_or_of_a_schedule(message: PaymentMessage) -> str:
    is_payment = isinstance(message.said, OfPayment)
    wanted, other = ("payment_id", "schedule_id") if is_payment else ("schedule_id", "payment_id")
    if not getattr(message, wanted):
        return f"$.{wanted}: missing"
    return f"$.{other}: not of this kind" if getattr(message, other) else ""


def years_are_possible(message: PaymentMessage) -> str:
    for name in ("at", "on", "first_on", "until"):
        day = getattr(message.said, name, None)
        if day and day.year not in YEARS:
            return f"$.said.{name}: out of bounds"
    return ""


def a_schedule_ends_after_it_begins(message: PaymentMessage) -> str:
    said = message.said
    is_wrong = isinstance(said, Scheduled) and said.until and said.until < said.first_on
    return "$.said.until: before first_on" if is_wrong else ""


RULES = (it_is_of_a_payment_or_of_a_schedule, years_are_possible, a_schedule_ends_after_it_begins)
