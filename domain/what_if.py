"""What a member's services would have cost under each plan, with its premium; and whether the rules of the plan that
they were under explain what was owed.

Every plan prices the same services, each by the design that held on its day, and where the plan had none then by the
one that holds at the end. Limits begin anew with each plan year.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

from domain.accumulators import counted, told_by
from domain.adjudication import Network, Share, Status
from domain.claim import Claim, ClaimEvent, Identity, PostingEvent, said_by
from domain.facts import Fact, StreamId
from domain.money import CENTS_MAX, Money
from domain.plan import BenefitDesign, Plan, Service, design_on
from domain.pricing import NOTHING_USED, Part, Price, Served, Used, in_order, price, total
from domain.services import services_of
from domain.standing import standing
from domain.window import Window, year_begin

# --- the member's own claims


class Claimed(NamedTuple):
    """A claim as its last word has it, in the terms in which plans price."""

    claim_id: StreamId
    person: StreamId
    plan_id: str
    """Empty where no message tells"""
    day: date
    """The first of its services"""
    processed: tuple[date, Identity]
    """When, as far as messages tell"""
    network: Network
    services: tuple[Served, ...]
    owed: Share
    """What the payer leaves to the patient"""
    is_network_told: bool

    @property
    def turn(self) -> tuple[date, int, int]:
        """Where it stands among the claims of a day of service. What was processed first is first; of one day, whose
        deductible is the larger, then who owes more: behind a claim that met a limit less is left of that."""
        return self.processed[0], -self.owed.deductible, -sum(self.owed.kinds)

    @property
    def counts_on(self) -> date:
        """The first day of its services by themselves: what was owed uses the limits of that plan year."""
        return min(served.day for served in self.services)

    def of(self, person: StreamId) -> "Claimed":
        """The same claim of whom the patient is known to be by now."""
        services = tuple(served._replace(person=person) for served in self.services)
        return self._replace(person=person, services=services)


class LeftOut(StrEnum):
    """Why a claim cannot be priced."""

    NOT_DECIDED = "not_decided"
    """No adjudication stands: it is pended, or was taken back"""
    DENIED = "denied"
    """As a whole (CLP02 4), for a reason of the payer's that no plan's design tells"""
    NOT_PRIMARY = "not_primary"
    """Another payer paid first: what is left of it follows from that payer's plan"""
    UNDATED = "undated"
    """No message tells the day of service"""
    UNREADABLE = "unreadable"
    """What stands of it in the log cannot be read"""


def claimed(claim_id: StreamId, payer_id: str, events: Sequence[ClaimEvent]) -> Claimed | LeftOut:
    """By everything that was said of it. A network that is not told, as in an 835, is taken for the plan's own."""
    claim = Claim(tuple(map(said_by, events)))
    stands = standing(claim)
    if stands.final is None or not stands.payer_sequence:
        return LeftOut.DENIED if stands.status is Status.DENIED else LeftOut.NOT_DECIDED
    if stands.payer_sequence > 1:
        return LeftOut.NOT_PRIMARY
    if stands.service_from is None:
        return LeftOut.UNDATED
    word = events[stands.final]
    assert isinstance(word, PostingEvent)
    told = {each.identity: told_by(each.adjudication) for each in events if isinstance(each, PostingEvent)}
    counts = counted(payer_id, word.person, claim, told)
    assert counts is not None
    network = counts.network or Network.IN
    decided = Claimed(
        claim_id,
        word.person,
        counts.plan.plan_id,
        stands.service_from,
        (word.day, word.identity),
        network,
        tuple(services_of(claim_id, word.person, word.adjudication, network, stands.service_from)),
        counts.share,
        counts.network is not None,
    )
    return decided._replace(services=tuple(served._replace(turn=decided.turn) for served in decided.services))


# --- a year under a plan


class Costs(NamedTuple):
    """What a plan comes to."""

    plan_id: str
    design: BenefitDesign
    """The one that holds at the end"""
    prices: tuple[Price, ...]
    """Of the window, by day"""
    premium_cents: Money
    """Of twelve months"""

    @property
    def member_cents(self) -> Money:
        """For services."""
        return total(self.prices)

    @property
    def together_cents(self) -> Money:
        return Money(self.member_cents + self.premium_cents)


UnderPlan = Callable[[Served, str], Served]
"""A service as the plan of an id sees it: its provider may be in one plan's network and not in another's"""


def what_if(
    services: Iterable[Served],
    plans: Mapping[str, Plan],
    as_of: date,
    *,
    is_family: bool,
    before: Iterable[Served] = (),
    under_plan: UnderPlan = lambda served, _plan_id: served,
) -> list[Costs]:
    """Under each plan that holds at the end, the cheapest first. What came before uses the limits of its plan year, and
    costs nothing here."""
    services, before = tuple(services), tuple(before)
    found = []
    for plan_id, plan in plans.items():
        if design_on(plan, as_of):
            own, own_before = ([under_plan(each, plan_id) for each in some] for some in (services, before))
            found.append(_costs(plan_id, plan, own, own_before, as_of, is_family))
    return sorted(found, key=lambda costs: (costs.together_cents, costs.plan_id))


def _costs(
    plan_id: str, plan: Plan, services: Iterable[Served], before: Iterable[Served], as_of: date, is_family: bool
) -> Costs:
    counting = {served.number for served in services}
    prices = _priced((*before, *services), plan, as_of, is_family)
    premiums = (_year(plan, month, as_of)[1].premium for month in _months(as_of))
    premium = sum(each.family_cents if is_family else each.individual_cents for each in premiums)
    kept = tuple(each for each in prices if each.served.number in counting)
    return Costs(plan_id, _year(plan, as_of, as_of)[1], kept, Money(premium))


def _priced(services: Iterable[Served], plan: Plan, as_of: date, is_family: bool) -> list[Price]:
    """Year by year, by day, each by the design of its day."""
    prices, used = list[Price](), dict[date, Used]()
    for (begin, design), of_design in groupby(
        sorted(services, key=in_order), key=lambda served: _year(plan, served.day, as_of)
    ):
        priced, used[begin] = price(of_design, design, is_family=is_family, used=used.get(begin, NOTHING_USED))
        prices += priced
    return prices


def _year(plan: Plan, day: date, as_of: date) -> tuple[date, BenefitDesign]:
    """The first day of the plan year that a day lies in, and its design; else the one that holds at the end."""
    design = design_on(plan, day) or design_on(plan, as_of)
    assert design is not None
    return year_begin(design.effective_from, day), design


def _months(as_of: date) -> Iterator[date]:
    """The first days of the last twelve."""
    for number in range(as_of.year * 12 + as_of.month - 12, as_of.year * 12 + as_of.month):
        yield date(number // 12, number % 12 + 1, 1)


# --- a typed year


class Use(Fact, frozen=True, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """So many services of a type, each of an amount."""

    service: Service
    count: Annotated[int, Meta(ge=1, le=1_000)]
    allowed_cents: Annotated[Money, Meta(ge=0, le=CENTS_MAX)]
    network: Literal["in", "out"] = "in"


def typed_year(uses: Iterable[Use], day: date) -> list[Served]:
    """All of it on one day, in the order in which it is told; each service a visit of its own."""
    visits = [use for use in uses for _ in range(use.count)]
    return [
        Served(
            number=f"{at:06}",
            person=StreamId("you"),
            day=day,
            service=use.service,
            charge_cents=use.allowed_cents,
            allowed_cents=use.allowed_cents,
            network=Network(use.network),
            provider=f"{at:06}",
        )
        for at, use in enumerate(visits, 1)
    ]


# --- what was owed beside it

_STEPS = (Part.DEDUCTIBLE, Part.COINSURANCE, Part.COPAY, Part.NOT_COVERED)
"""In the order of a share's kinds"""

Kinds = tuple[Money, ...]
Beyond = tuple[tuple[Part, Money], ...]


class Explained(StrEnum):
    """How a plan's rules come to what was owed of a claim."""

    BY_DAY = "by_day"
    """With everything before it by the rules too, in the order of days: so a year is priced"""
    BEHIND_OWED = "behind_owed"
    """Behind what was really owed of the claims before it, by day"""
    AS_PROCESSED = "as_processed"
    """The same, in the order in which claims were processed"""


class Compared(NamedTuple):
    """A claim by the rules of the plan that it was under, and as the payer decided it."""

    claim: Claimed
    prices: tuple[Price, ...]
    """With everything before it by the rules too, in the order of days"""
    explained: Explained | None
    unexplained: Beyond
    """What the payer leaves to the member beyond what the rules do, by step; negative where it leaves less. Of the ways
    in which they may come to it, by the one that comes nearest; nothing where one of them explains it"""

    @property
    def member_cents(self) -> Money:
        return total(self.prices)

    @property
    def owed_cents(self) -> Money:
        return Money(sum(self.claim.owed.kinds))

    @property
    def difference_cents(self) -> Money:
        """What was owed beyond it. Nothing where the rules explain the claim by day, so the claims that are explained
        otherwise or not at all make the whole difference between a year by the rules and what was owed of it."""
        return Money(self.owed_cents - self.member_cents)


def is_ruled(claim: Claimed, plan: Plan) -> bool:
    """Whether the plan has a design for each day of it."""
    return all(design_on(plan, served.day) for served in claim.services)


def compared(claims: Iterable[Claimed], plan: Plan, window: Window, *, is_family: bool) -> list[Compared]:
    """Those of the window for which the plan has a design, by day."""
    claims = sorted(
        (each for each in claims if is_ruled(each, plan)), key=attrgetter("day", "turn", "processed", "claim_id")
    )
    as_processed = sorted(claims, key=lambda each: each.processed[0])
    behind_owed, processed = (_at_their_turn(each, plan, is_family) for each in (claims, as_processed))
    by_number = {
        each.served.number: each
        for each in _priced((served for claim in claims for served in claim.services), plan, window.last, is_family)
    }
    found = []
    for claim in claims:
        if window.first <= claim.day <= window.last:
            prices = tuple(by_number[served.number] for served in claim.services)
            by_day, at_its_turn = _kinds(prices), (behind_owed[claim.claim_id], processed[claim.claim_id])
            ways = zip(Explained, (_beyond(claim.owed, way) for way in (by_day, *at_its_turn)), strict=True)
            way, beyond = min(ways, key=lambda each: _size(each[1]))
            found.append(Compared(claim, prices, None if beyond else way, beyond))
    return found


def _at_their_turn(claims: Iterable[Claimed], plan: Plan, is_family: bool) -> dict[StreamId, Kinds]:
    """What the rules make of each claim behind what was owed of those before it, whatever the rules say of those."""
    used: dict[date, Used] = defaultdict(lambda: NOTHING_USED)
    found = {}
    for claim in claims:
        prices = list[Price]()
        by_year = groupby(sorted(claim.services, key=in_order), key=lambda served: _year(plan, served.day, served.day))
        for (year, design), services in by_year:
            priced, behind = price(services, design, is_family=is_family, used=used[year])
            prices += priced
            used[year] = used[year]._replace(copays=behind.copays)
        found[claim.claim_id] = _kinds(prices)
        year, _ = _year(plan, claim.counts_on, claim.counts_on)
        used[year] = _used_with(used[year], claim)
    return found


def used_by(claims: Iterable[Claimed]) -> Used:
    """What was really owed of some claims uses so much of the limits of their plan year."""
    used = NOTHING_USED
    for claim in claims:
        used = _used_with(used, claim)
    return used


def _used_with(used: Used, claim: Claimed) -> Used:
    deductible, coinsurance, copay, _ = claim.owed.kinds
    return used.plus(claim.services[0].network, claim.person, deductible, Money(deductible + coinsurance + copay))


def _kinds(prices: Sequence[Price]) -> Kinds:
    return tuple(Money(sum(each.taken(part) for each in prices)) for part in _STEPS)


def _beyond(owed: Share, by_rules: Kinds) -> Beyond:
    both = zip(_STEPS, owed.kinds, by_rules, strict=True)
    return tuple((part, Money(owes - rules)) for part, owes, rules in both if owes != rules)


def _size(beyond: Beyond) -> int:
    return sum(abs(cents) for _, cents in beyond)
