"""What services cost the member under a plan's benefit design, each line explained by the steps that lead to it.

Within a plan year services are priced by day, one after the other: first the deductible, then the copay, then
coinsurance of what is left, all of it until the out-of-pocket limit is met. What a service used of the limits is handed
on to the next, so a year can be cut anywhere. Nothing here knows a claim: domain/services.py tells its services.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from domain.adjudication import AccumulatorKind, Design, Network
from domain.facts import StreamId
from domain.money import ZERO, Money
from domain.plan import BenefitDesign, Benefits, Service


class Served(NamedTuple):
    """One service, given or thought of."""

    number: str
    """Tells it apart"""
    person: StreamId
    day: date
    service: Service
    charge_cents: Money
    allowed_cents: Money
    """What plan and member pay together where it is covered"""
    network: Network = Network.IN
    provider: str = ""
    """Whose copay it is: one for a service type, day and provider"""
    tier: str = ""
    """Of the network, in the plan's own words"""
    turn: tuple[date, int, int] | tuple[()] = ()
    """Of one day, services are priced in the order of their turns, then of their numbers"""


in_order = attrgetter("day", "turn", "number")
"""For sorting: the order in which services are priced"""


class Part(StrEnum):
    """Of what a service costs, in the order in which it is taken."""

    NOT_COVERED = "not_covered"
    DEDUCTIBLE = "deductible"
    COPAY = "copay"
    COINSURANCE = "coinsurance"
    LIMIT_MET = "limit_met"
    """What the member would pay but for the out-of-pocket limit"""
    PLAN_PAYS = "plan_pays"


class Step(NamedTuple):
    part: Part
    cents: Money
    of_cents: Money
    """From what it is taken"""
    left_cents: Money | None = None
    """Of the limit after it: the deductible, or out of pocket where that is met. None where there is none"""
    percent: int | None = None
    """Of coinsurance"""


class Price(NamedTuple):
    """What one service costs the member, and what the plan pays of it."""

    served: Served
    steps: tuple[Step, ...]

    def taken(self, part: Part) -> Money:
        return Money(sum(step.cents for step in self.steps if step.part is part))

    @property
    def member_cents(self) -> Money:
        return Money(sum(step.cents for step in self.steps if step.part in _OWED))

    @property
    def plan_cents(self) -> Money:
        return self.taken(Part.PLAN_PAYS)


_OWED = frozenset({Part.NOT_COVERED, Part.DEDUCTIBLE, Part.COPAY, Part.COINSURANCE})

Visit = tuple[Network, StreamId, date, Service, str, str]
"""What a copay is paid once for: also the person, tier and network must be the same"""


class Used(NamedTuple):
    """What was used of a plan year's limits, by each person in each network."""

    cents: Mapping[tuple[Network, AccumulatorKind, StreamId], Money]
    copays: Mapping[Visit, Money]
    """Taken for each visit"""

    def own(self, network: Network, kind: AccumulatorKind, person: StreamId) -> Money:
        return self.cents.get((network, kind, person), ZERO)

    def family(self, network: Network, kind: AccumulatorKind) -> Money:
        return Money(sum(cents for key, cents in self.cents.items() if key[:2] == (network, kind)))

    def plus(self, network: Network, person: StreamId, deductible: Money, cost_share: Money) -> "Used":
        """All cost share counts toward the out-of-pocket limit, the deductible toward its own too."""
        cents = dict(self.cents)
        for kind, more in ((AccumulatorKind.DEDUCTIBLE, deductible), (AccumulatorKind.OUT_OF_POCKET, cost_share)):
            if more:
                cents[network, kind, person] = Money(self.own(network, kind, person) + more)
        return self._replace(cents=cents)


NOTHING_USED = Used({}, {})


def price(
    services: Iterable[Served], design: BenefitDesign, *, is_family: bool, used: Used = NOTHING_USED
) -> tuple[list[Price], Used]:
    """Services of one plan year, and what is used of its limits behind the last of them."""
    prices = []
    for served in sorted(services, key=in_order):
        priced = price_one(served, design, is_family=is_family, used=used)
        prices.append(priced)
        used = _used_with(used, priced)
    return prices, used


def price_one(served: Served, design: BenefitDesign, *, is_family: bool, used: Used) -> Price:
    """Amounts never less than nothing come in; what comes out adds up to the allowed amount, or to the charge where
    the plan does not cover the service."""
    assert min(served.charge_cents, served.allowed_cents) >= 0
    benefits = design.within(served.network)
    share = benefits.share(served.service, served.tier)
    if not share.covered:
        return Price(served, (Step(Part.NOT_COVERED, served.charge_cents, served.charge_cents),))
    allowed, kinds = served.allowed_cents, AccumulatorKind
    left, out_of_pocket = (_left(benefits, design, is_family, served.person, used, kind) for kind in kinds)
    deductible = min(left, allowed) if share.deductible_applies and left is not None else ZERO
    behind_it = Money(allowed - deductible)
    copay = min(max(0, share.copay_cents - used.copays.get(_visit(served), ZERO)), behind_it)
    behind_both = Money(behind_it - copay)
    coinsurance = rounded(behind_both, share.coinsurance_percent)
    wanted = Money(deductible + copay + coinsurance)
    member = wanted if out_of_pocket is None else min(out_of_pocket, wanted)
    limit_met = Money(wanted - member)
    # What the limit takes off is taken off the last step first.
    copay_paid = min(copay, max(0, member - deductible))
    deductible_paid = min(deductible, member)
    steps = (
        Step(Part.DEDUCTIBLE, deductible_paid, allowed, Money((left or 0) - deductible_paid)),
        Step(Part.COPAY, Money(copay_paid), behind_it),
        Step(
            Part.COINSURANCE, Money(member - deductible_paid - copay_paid), behind_both, None, share.coinsurance_percent
        ),
        Step(Part.LIMIT_MET, limit_met, wanted, ZERO),
        Step(Part.PLAN_PAYS, Money(allowed - member), allowed),
    )
    priced = Price(served, tuple(step for step in steps if step.cents or step.part is Part.PLAN_PAYS))
    assert priced.member_cents + priced.plan_cents == allowed
    return priced


def rounded(cents: int, percent: int) -> Money:
    """That part of an amount, half a cent rounded up."""
    return Money((cents * percent + 50) // 100)


def _left(
    benefits: Benefits, design: BenefitDesign, is_family: bool, person: StreamId, used: Used, kind: AccumulatorKind
) -> Money | None:
    """What a person can use until a limit is met: the smaller of what is left of their own and of the family's. None
    where no limit holds.

    Of an aggregate deductible a family's members have none of their own. An out-of-pocket limit a person has in any
    design: the one for self-only coverage holds for everybody in a family plan too (45 CFR 156.130(a), as explained in
    80 FR 10750).
    """
    limit = benefits.deductible if kind is AccumulatorKind.DEDUCTIBLE else benefits.out_of_pocket
    lefts = []
    shares_alone = is_family and kind is AccumulatorKind.DEDUCTIBLE and design.family is Design.AGGREGATE
    if limit.individual_cents is not None and not shares_alone:
        lefts.append(limit.individual_cents - used.own(benefits.network, kind, person))
    if limit.family_cents is not None and is_family:
        lefts.append(limit.family_cents - used.family(benefits.network, kind))
    return Money(max(0, min(lefts))) if lefts else None


def _used_with(used: Used, priced: Price) -> Used:
    """What is not covered counts toward nothing."""
    served, copay = priced.served, priced.taken(Part.COPAY)
    cost_share = Money(priced.member_cents - priced.taken(Part.NOT_COVERED))
    used = used.plus(served.network, served.person, priced.taken(Part.DEDUCTIBLE), cost_share)
    visit = _visit(served)
    return used._replace(copays={**used.copays, visit: Money(used.copays.get(visit, ZERO) + copay)}) if copay else used


def _visit(served: Served) -> Visit:
    return served.network, served.person, served.day, served.service, served.tier, served.provider


def total(prices: Sequence[Price]) -> Money:
    """What the member pays."""
    return Money(sum(each.member_cents for each in prices))
