"""What plans say of premiums as JSON: the model, which is the source of docs/schemas/premium-1.json, and the way from
the bytes of a message to what is said in it, or to the reason why it must be parked.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, keep, one
from adapters.json_message.parts import YEARS, Amount, Number, OptionalNumber, Part
from adapters.json_message.reader import Fault, Reader
from domain.account_numbers import holds_account_number
from domain.premium import Kind, Notice, Numbers, Refusal, Said

VERSION = 1

Reason = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        description="Why, in the plan's own code: one word, and no free text",
        examples=["nonpayment", "R01"],
    ),
]
GraceDays = Annotated[
    int,
    Meta(
        ge=0,
        le=366,
        description="For how many days after due_on coverage goes on: 31 are common, 90 with advance payments of the "
        "premium tax credit (45 CFR 156.270(d))",
    ),
]

OptionalGraceDays = GraceDays | None | UnsetType

# --- the message as it is written


class _Said(Part, frozen=True, gc=False, kw_only=True, tag_field="kind"):
    on: Annotated[date, Meta(description="The plan's own day of it")]


class Invoiced(_Said, frozen=True, gc=False, kw_only=True, tag="invoiced"):
    """A premium is asked for."""

    invoice_id: Number
    period_from: date
    period_to: date
    amount_cents: Amount
    due_on: date
    grace_days: OptionalGraceDays = UNSET


class InvoiceVoided(_Said, frozen=True, gc=False, kw_only=True, tag="invoice_voided"):
    """An invoice was cancelled, as if never made."""

    invoice_id: Number
    reason: Reason


class Paid(_Said, frozen=True, gc=False, kw_only=True, tag="paid"):
    """A payment came in. Without an invoice it goes to the oldest that is open."""

    payment_id: Number
    amount_cents: Amount
    invoice_id: OptionalNumber | UnsetType = UNSET


class PaymentReturned(_Said, frozen=True, gc=False, kw_only=True, tag="payment_returned"):
    """The money of a payment went back, all of it."""

    payment_id: Number
    reason: Reason


class Lapsed(_Said, frozen=True, gc=False, kw_only=True, tag="lapsed"):
    """Coverage ended."""

    reason: Reason


class Reinstated(_Said, frozen=True, gc=False, kw_only=True, tag="reinstated"):
    """It goes on after all."""

    reason: Reason


class Premium(Part, frozen=True, gc=False, kw_only=True):
    """What a plan says of the premiums of one contract."""

    schema: Literal[1]
    payer_id: Number
    member_id: Number
    contract_id: Number
    said: Invoiced | InvoiceVoided | Paid | PaymentReturned | Lapsed | Reinstated


read = Reader(Premium, VERSION).read


def understand(raw: bytes) -> Notice:
    """The one fact of a message. Raises Fault."""
    notice = _notice(read(raw))
    keep(RULES, notice.said)
    if holds_account_number(notice):
        raise Fault(Refusal.ACCOUNT_NUMBER)
    return notice


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms


def _notice(read: Premium) -> Notice:
    """Every field has the domain's own name; numbers stand apart, since they are personal."""
    said = {name: value for name, value in msgspec.structs.asdict(read.said).items() if value not in (UNSET, None)}
    numbers = {name: said.pop(name) for name in ("invoice_id", "payment_id") if name in said}
    return Notice(
        payer_id=read.payer_id,
        member_id=read.member_id,
        numbers=Numbers(read.contract_id, **numbers),
        said=Said(Kind(str(read.said.__struct_config__.tag)), **said),
    )


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing

_DAYS = ("on", "period_from", "period_to", "due_on")


def years_are_possible(said: Said) -> str:
    for name in _DAYS:
        day: date | None = getattr(said, name)
        if day is not None and day.year not in YEARS:
            return f"$.said.{name}: out of bounds"
    return ""


def period_ends_after_it_begins(said: Said) -> str:
    is_backward = said.period_from and said.period_to and said.period_to < said.period_from
    return "$.said.period_to: before period_from" if is_backward else ""


RULES = (years_are_possible, period_ends_after_it_begins)
