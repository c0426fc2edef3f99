"""A health plan: what it costs and what it leaves to the member, as dated benefit designs.

Identity: payer and the payer's own id of the plan, as its claims have it. A design holds for a plan year; one that is
published again under a higher revision takes the place of the earlier one, and both stay on record.
"""

from datetime import date
from enum import StrEnum

from domain.adjudication import Design, Network
from domain.facts import Event, Fact
from domain.money import ZERO, Money


class Service(StrEnum):
    """Types of service that designs price differently, as a summary of benefits and coverage lists them
    (45 CFR 147.200)."""

    PREVENTIVE = "preventive"
    PRIMARY_CARE = "primary_care"
    SPECIALIST = "specialist"
    URGENT_CARE = "urgent_care"
    EMERGENCY = "emergency"
    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"
    IMAGING = "imaging"
    LABORATORY = "laboratory"
    BEHAVIORAL_HEALTH = "behavioral_health"
    PHARMACY = "pharmacy"
    OTHER = "other"
    """Whatever has no rule of its own"""


class CostShare(Fact, frozen=True, omit_defaults=True, gc=False):
    """What the member pays of the allowed amount: first the deductible where it applies, then the copay, then
    coinsurance of what is left."""

    copay_cents: Money = ZERO
    """Once for a service type, day and provider"""
    coinsurance_percent: int = 0
    """0 to 100, of what deductible and copay leave"""
    deductible_applies: bool = True
    covered: bool = True
    """False: the member pays all of it, and it counts toward nothing"""


class ServiceShare(Fact, frozen=True, omit_defaults=True, gc=False):
    service: Service
    share: CostShare
    tier: str = ""
    """Of the network, in the plan's own words; empty: any that has no rule of its own"""


class Limit(Fact, frozen=True, omit_defaults=True, gc=False):
    """Of a plan year. None: there is none."""

    individual_cents: Money | None = None
    family_cents: Money | None = None


NO_LIMIT = Limit()


class Benefits(Fact, frozen=True, omit_defaults=True, gc=False):
    """What holds within one network, or outside of all of them."""

    network: Network
    """in or out"""
    shares: tuple[ServiceShare, ...]
    deductible: Limit = NO_LIMIT
    out_of_pocket: Limit = NO_LIMIT

    def share(self, service: Service, tier: str = "") -> CostShare:
        """That of the service in its tier, else in any, else of what has no rule of its own; else it is not covered."""
        shares = {(each.service, each.tier): each.share for each in self.shares}
        for key in ((service, tier), (service, ""), (Service.OTHER, tier), (Service.OTHER, "")):
            if key in shares:
                return shares[key]
        return NOT_COVERED


NOT_COVERED = CostShare(covered=False)


class Premium(Fact, frozen=True, gc=False):
    """A month's."""

    individual_cents: Money
    family_cents: Money


class Period(Fact, frozen=True, gc=False):
    """First and last day, both included, in the plan's time zone."""

    first: date
    last: date


class BenefitDesign(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    name: str
    effective_from: date
    effective_to: date
    zone: str
    """IANA name of the time zone in which the plan's days begin and end"""
    premium: Premium
    family: Design
    """How a family meets its deductible and its out-of-pocket limit"""
    benefits: tuple[Benefits, ...]
    """One for each network; out of network nothing is covered where there is none"""
    open_enrolment: Period | None = None
    """In which members may choose this plan for this plan year without a life event"""
    special_enrolment_days: int = 60
    """After a life event, in which they may: 60 on the marketplace (45 CFR 155.420(c)), 30 at least with an employer
    (29 CFR 2590.701-6)"""

    def within(self, network: Network) -> Benefits:
        """What holds there; where the plan says nothing of it, that nothing is covered."""
        found = (each for each in self.benefits if each.network is network)
        return next(found, Benefits(network, ()))


# --- a message about one plan, understood


class PlanNotice(Fact, frozen=True, gc=False):
    payer_id: str
    plan_id: str
    revision: int
    """From 1 on, of the design that begins on the same day"""
    design: BenefitDesign


# --- command


class Publish(Fact, frozen=True, gc=False):
    content: str
    """Keyed hash of what was said"""
    source: str
    notice: PlanNotice


# --- event


class PlanPublished(Event, frozen=True, omit_defaults=True, gc=False):
    content: str
    payer_id: str
    plan_id: str
    revision: int
    design: BenefitDesign
    source: str = ""
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""


PlanEvent = PlanPublished

# --- state


class Plan(Fact, frozen=True, gc=False):
    """All that was published so far, in order of arrival."""

    published: tuple[PlanPublished, ...] = ()


INITIAL = Plan()

# --- decide


class Refusal(StrEnum):
    CONFLICT = "plan.conflict"
    """The same revision was published before with other content"""
    ACCOUNT_NUMBER = "plan.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""


def decide(state: Plan, command: Publish) -> tuple[PlanEvent, ...] | Refusal:
    """One event where it is news, none where it came before, else why not."""
    notice = command.notice
    for known in state.published:
        if (known.design.effective_from, known.revision) == (notice.design.effective_from, notice.revision):
            return () if known.content == command.content else Refusal.CONFLICT
    about = command.content, notice.payer_id, notice.plan_id, notice.revision
    return (PlanPublished(*about, notice.design, command.source),)


# --- evolve


def evolve(state: Plan, event: PlanEvent) -> Plan:
    return Plan((*state.published, event))


# --- what follows


def design_on(plan: Plan, day: date) -> BenefitDesign | None:
    """The design that holds on a day: of each plan year the highest revision, in whatever order they came; of those the
    one that began last."""
    latest: dict[date, PlanPublished] = {}
    for each in plan.published:
        begins = each.design.effective_from
        if begins not in latest or latest[begins].revision < each.revision:
            latest[begins] = each
    holding = [each.design for each in latest.values() if each.design.effective_from <= day <= each.design.effective_to]
    return max(holding, key=lambda design: design.effective_from, default=None)
