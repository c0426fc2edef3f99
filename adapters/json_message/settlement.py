"""What banks say of an account's entries as JSON: the model, which is the source of docs/schemas/settlement-1.json, and
the way from the bytes of a message to what is said in it, or to the reason why it must be parked.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, one
from adapters.json_message.parts import YEARS, Amount, Number, OptionalNumber, Part
from adapters.json_message.reader import Fault, Reader
from domain import settlement
from domain.account_numbers import holds_account_number
from domain.settlement import BankNotice, Direction

VERSION = 1

Reason = Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="One word, no free text")]


class Booked(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="booked"):
    """The entry stands in the account."""

    on: date
    direction: Direction
    amount_cents: Amount
    trace_number: OptionalNumber | UnsetType = UNSET
    payer_id: OptionalNumber | UnsetType = UNSET
    payout: OptionalNumber | UnsetType = UNSET


class Reversed(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="reversed"):
    """The bank took it back."""

    on: date
    reason: Reason


class BankEntry(Part, frozen=True, gc=False, kw_only=True):
    """What a bank says of one entry of an account's statement."""

    schema: Literal[1]
    bank_account: Annotated[
        str,
        Meta(pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="The plan's own name of the account, never its number"),
    ]
    entry_id: Number
    said: Booked | Reversed


read = Reader(BankEntry, VERSION).read


def understand(raw: bytes) -> BankNotice:
    """The one notice of a message. Raises Fault."""
    entry = read(raw)
    if any(map(_is_account_number, _texts(entry))):
        raise Fault("settlement.account_number")
    if entry.said.on.year not in YEARS:
        raise Fault("json.wrong_schema", "$.said.on: out of bounds")
    if isinstance(entry.said, Booked) and entry.said.payout and not entry.said.payer_id:
        raise Fault("json.wrong_schema", "$.said.payer_id: missing")  # whose payout it is
    return _notice(entry)


translate = one(understand)
translate_lines = by_line(translate)


def _texts(entry: BankEntry) -> Iterator[str]:
    """All that a sender writes freely."""
    yield from (entry.bank_account, entry.entry_id)
    if isinstance(entry.said, Booked):
        yield from filter(None, (entry.said.trace_number, entry.said.payer_id, entry.said.payout))


# Trace numbers of ACH have 15 digits, and a tenth of them pass a card's check. The first eight are a bank's routing
# number, which never begins as the cards of that length do, with 34 or 37.
_ACH_TRACE = re.compile(r"(?!3[47])[0-9]{15}")


def _is_account_number(text: str) -> bool:
    return holds_account_number(text) and not _ACH_TRACE.fullmatch(text)


def _notice(entry: BankEntry) -> BankNotice:
    """Every field has the domain's own name."""
    given = {name: value for name, value in msgspec.structs.asdict(entry.said).items() if value is not UNSET}
    said = settlement.Booked(**given) if isinstance(entry.said, Booked) else settlement.Reversed(**given)
    return BankNotice(entry.bank_account, entry.entry_id, said)
