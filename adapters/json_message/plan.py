"""Plans' benefit designs as JSON: the model, which is the source of docs/schemas/plan-1.json, and the way from the
bytes of a message to what is published in it, or to the reason why it must be parked.
"""

from datetime import date
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message.lines import by_line, keep, one
from adapters.json_message.parts import YEARS, Number, Part, Text
from adapters.json_message.reader import Fault, Reader
from domain.account_numbers import holds_account_number
from domain.adjudication import Design as FamilyDesign
from domain.money import CENTS_MAX
from domain.plan import BenefitDesign, PlanNotice, Refusal, Service

VERSION = 1

Cents = Annotated[int, Meta(ge=0, le=CENTS_MAX, description="Whole cents of US dollars")]
OptionalCents = Cents | None | UnsetType
Percent = Annotated[int, Meta(ge=0, le=100, description="Of what deductible and copay leave of the allowed amount")]
Days = Annotated[int, Meta(ge=0, le=366)]
Zone = Annotated[str, Meta(max_length=40, pattern=r"^[A-Z][A-Za-z0-9_+/-]*$", examples=["America/New_York"])]

# --- the message as it is written


class Premium(Part, frozen=True, gc=False, kw_only=True):
    """A month's."""

    individual_cents: Cents
    family_cents: Cents


class Limit(Part, frozen=True, gc=False, kw_only=True):
    """Of a plan year. What is left out or null has no limit."""

    individual_cents: OptionalCents = UNSET
    family_cents: OptionalCents = UNSET


class CostShare(Part, frozen=True, gc=False, kw_only=True):
    """What the member pays: the deductible where it applies, then the copay, then coinsurance of what is left."""

    copay_cents: Cents | UnsetType = UNSET
    coinsurance_percent: Percent | UnsetType = UNSET
    deductible_applies: bool | UnsetType = UNSET
    covered: bool | UnsetType = UNSET


class ServiceShare(Part, frozen=True, gc=False, kw_only=True):
    service: Service
    share: CostShare
    tier: Text | UnsetType = UNSET


class Benefits(Part, frozen=True, gc=False, kw_only=True):
    """What holds within the network, or outside of it."""

    network: Literal["in", "out"]
    shares: tuple[ServiceShare, ...]
    deductible: Limit | UnsetType = UNSET
    out_of_pocket: Limit | UnsetType = UNSET


class Period(Part, frozen=True, gc=False, kw_only=True):
    """First and last day, both included, in the plan's time zone."""

    first: date
    last: date


class Design(Part, frozen=True, gc=False, kw_only=True):
    name: Number
    effective_from: date
    effective_to: date
    zone: Zone
    premium: Premium
    family: FamilyDesign
    benefits: tuple[Benefits, ...]
    open_enrolment: Period | UnsetType | None = UNSET
    special_enrolment_days: Days | UnsetType = UNSET


class PlanMessage(Part, frozen=True, gc=False, kw_only=True):
    """A plan's benefit design for one plan year, or a new revision of it."""

    schema: Literal[1]
    payer_id: Number
    plan_id: Number
    revision: Annotated[int, Meta(ge=1, le=10_000, description="The highest of those that begin on a day holds")]
    design: Design


read = Reader(PlanMessage, VERSION).read


def understand(raw: bytes) -> PlanNotice:
    """The one design of a message. Raises Fault."""
    notice = _notice(read(raw))
    keep(RULES, notice.design)
    if holds_account_number(notice):
        raise Fault(Refusal.ACCOUNT_NUMBER)
    return notice


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms


def _notice(read: PlanMessage) -> PlanNotice:
    """Every field has the domain's own name."""
    design = msgspec.convert(msgspec.to_builtins(read.design), BenefitDesign)
    return PlanNotice(read.payer_id, read.plan_id, read.revision, design)


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing


def years_are_possible(design: BenefitDesign) -> str:
    for name in ("effective_from", "effective_to"):
        if getattr(design, name).year not in YEARS:
            return f"$.design.{name}: out of bounds"
    enrolment = design.open_enrolment
    if enrolment is not None and not {enrolment.first.year, enrolment.last.year} <= set(YEARS):
        return "$.design.open_enrolment: out of bounds"
    return ""


def days_are_in_order(design: BenefitDesign) -> str:
    if design.effective_to < design.effective_from:
        return "$.design.effective_to: before effective_from"
    enrolment = design.open_enrolment
    is_backward = enrolment is not None and enrolment.last < enrolment.first
    return "$.design.open_enrolment.last: before first" if is_backward else ""


def zone_is_known(design: BenefitDesign) -> str:
    return "" if design.zone in _zones() else "$.design.zone: not one of the allowed values"


@cache
def _zones() -> set[str]:
    return available_timezones()


def each_network_stands_once(design: BenefitDesign) -> str:
    networks = [each.network for each in design.benefits]
    return "$.design.benefits: a network stands twice" if len(set(networks)) < len(networks) else ""


def each_share_stands_once(design: BenefitDesign) -> str:
    for number, benefits in enumerate(design.benefits):
        keys = [(each.service, each.tier) for each in benefits.shares]
        if len(set(keys)) < len(keys):
            return f"$.design.benefits[{number}].shares: a service and tier stand twice"
    return ""


RULES = (
    years_are_possible,
    days_are_in_order,
    zone_is_known,
    each_network_stands_once,
    each_share_stands_once,
)
