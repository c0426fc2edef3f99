"""Entries of a provider directory as JSON: the model, which is the source of docs/schemas/provider-1.json, and the way
from the bytes of a message to what is listed in it, or to the reason why it must be parked.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, keep, one
from adapters.json_message.parts import YEARS, Number, OptionalNumber, Part, Text
from adapters.json_message.reader import Fault, Reader
from domain.account_numbers import holds_account_number
from domain.directory import Listing, ProviderNotice, Refusal, is_npi

VERSION = 1

Npi = Annotated[str, Meta(pattern=r"^[0-9]{10}$", description="National provider identifier (45 CFR 162.406)")]
Taxonomy = Annotated[str, Meta(pattern=r"^[0-9A-Z]{9}X$", description="NUCC taxonomy code", examples=["207R00000X"])]

# --- the message as it is written


class Membership(Part, frozen=True, gc=False, kw_only=True):
    """In the network of a plan, or of all the payer's plans where none is named."""

    payer_id: Number
    plan_id: OptionalNumber | UnsetType = UNSET
    first_on: date
    until: date | UnsetType | None = UNSET
    tier: Text | UnsetType = UNSET


class ProviderMessage(Part, frozen=True, gc=False, kw_only=True):
    """All that a directory says of one provider, or a new revision of it."""

    schema: Literal[1]
    provider_id: Npi
    directory_revision: Annotated[int, Meta(ge=1, le=1_000_000, description="The highest holds")]
    name: Number
    specialty: Taxonomy
    networks: tuple[Membership, ...]


read = Reader(ProviderMessage, VERSION).read


def understand(raw: bytes) -> ProviderNotice:
    """The one provider of a message. Raises Fault."""
    notice = _notice(read(raw))
    keep(RULES, notice)
    if holds_account_number(notice.listing):
        raise Fault(Refusal.ACCOUNT_NUMBER)
    return notice


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms


def _notice(read: ProviderMessage) -> ProviderNotice:
    """Every field has the domain's own name."""
    networks = [{"plan_id": ""} | msgspec.to_builtins(each) for each in read.networks]
    said = {"name": read.name, "specialty": read.specialty, "networks": networks}
    return ProviderNotice(read.provider_id, read.directory_revision, msgspec.convert(said, Listing))


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing


def number_checks(notice: ProviderNotice) -> str:
    return "" if is_npi(notice.provider_id) else "$.provider_id: its check digit is another"


def days_are_possible(notice: ProviderNotice) -> str:
    for number, each in enumerate(notice.listing.networks):
        if each.first_on.year not in YEARS or (each.until and each.until.year not in YEARS):
            return f"$.networks[{number}]: out of bounds"
        if each.until and each.until < each.first_on:
            return f"$.networks[{number}].until: before first_on"
    return ""


RULES = (number_checks, days_are_possible)
