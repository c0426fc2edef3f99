"""What counts toward deductibles and out-of-pocket limits: as claims add up, and beside it as the payer states it.

A claim counts by its last word, in the plan year of its **service**, whenever it was processed. What the payer states
with a claim is its own count with that claim in it. Both follow from the set of all that was said, in whatever order it
came. Neither is bent to fit the other, nor cut off at a limit: what differs is shown.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from domain.adjudication import (
    NO_SHARE,
    Accumulator,
    AccumulatorKind,
    AccumulatorLevel,
    Adjudication,
    Design,
    Network,
    Share,
    Status,
)
from domain.claim import Claim, Identity, Kind, Said
from domain.facts import Fact, StreamId
from domain.money import Money
from domain.standing import in_order, standing, taken_back_by


class Told(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a posting tells of the plan that its claim falls under, and of how far the limits are used with it."""

    network: Network | None = None
    plan_id: str = ""
    plan_year_from: date | None = None
    accumulators: tuple[Accumulator, ...] = ()


NOTHING_TOLD = Told()


def told_by(adjudication: Adjudication) -> Told:
    return Told(adjudication.network, adjudication.plan_id, adjudication.plan_year_from, adjudication.accumulators)


class Plan(NamedTuple):
    """A plan year of a payer's plan."""

    payer_id: str
    plan_id: str
    """Empty where no message tells"""
    year_from: date | None
    """The calendar year's first day where no message tells; None where the day of service is unknown too"""


class Counted(NamedTuple):
    """What one claim counts by its last word, and what the payer states with it."""

    person: StreamId
    plan: Plan
    network: Network | None
    share: Share = NO_SHARE
    stated_on: date | None = None
    """The payer's day of the statement"""
    stated: tuple[Accumulator, ...] = ()

    def cents(self, kind: AccumulatorKind) -> Money:
        """Every cost share counts toward the out-of-pocket limit; what the plan does not cover counts nowhere."""
        share = self.share
        if kind is AccumulatorKind.DEDUCTIBLE:
            return share.deductible
        return Money(share.deductible + share.coinsurance + share.copayment)


class Accumulated(NamedTuple):
    """How far one limit is used: by one person, or by the family (all whom the payer knows under one number)."""

    plan: Plan
    network: Network | None
    """None where it is not known; what counts in either network is summed under BOTH, where the payer states it"""
    person: StreamId | None
    """None for the family"""
    kind: AccumulatorKind
    used_cents: Money
    """Derived from claims"""
    stated_cents: Money | None = None
    stated_on: date | None = None
    limit_cents: Money | None = None
    design: Design | None = None
    """Of the family's limit"""
    left_cents: Money | None = None
    """What can be used until the limit is met, derived: less than nothing beyond it. None where no limit is known"""

    @property
    def level(self) -> AccumulatorLevel:
        return AccumulatorLevel.INDIVIDUAL if self.person else AccumulatorLevel.FAMILY

    @property
    def difference_cents(self) -> Money | None:
        """What is derived beyond what is stated."""
        return None if self.stated_cents is None else Money(self.used_cents - self.stated_cents)

    @property
    def is_met(self) -> bool | None:
        return None if self.left_cents is None else self.left_cents <= 0

    @property
    def is_exceeded(self) -> bool:
        """More was used than the limit allows: a claim was processed wrongly, or one is missing its correction."""
        return self.limit_cents is not None and self.used_cents > self.limit_cents


# --- one claim


def counted(payer_id: str, person: StreamId, claim: Claim, told: Mapping[Identity, Told]) -> Counted | None:
    """None where no word stands that counts: nothing was decided, or it was voided, or taken back without a statement.

    What the last word does not tell of plan and network, an earlier one may: an 835, which pays what was decided, never
    tells it.
    """
    stands = standing(claim)
    if stands.final is None or stands.status is Status.VOIDED:
        return None
    word = claim.said[stands.final]
    statement = _statement(claim, word, told) if stands.payer_sequence or word.kind is Kind.REVERSED else None
    if not stands.payer_sequence and statement is None:
        return None
    latest = [told.get(said.identity, NOTHING_TOLD) for said in (word, *reversed(in_order(claim)))]
    year_from = next((each.plan_year_from for each in latest if each.plan_year_from), None)
    if year_from is None and stands.service_from is not None:
        year_from = stands.service_from.replace(month=1, day=1)
    return Counted(
        person,
        Plan(payer_id, next((each.plan_id for each in latest if each.plan_id), ""), year_from),
        next((each.network for each in latest if each.network), None),
        word.share if stands.payer_sequence else NO_SHARE,
        None if statement is None else statement.day,
        () if statement is None else told[statement.identity].accumulators,
    )


def _statement(claim: Claim, word: Said, told: Mapping[Identity, Told]) -> Said | None:
    """Which posting's statement stands: the latest of those that say what the last word says and are not taken back.

    So a remittance that pays what was decided lets the decision's statement stand, and a correction takes it back.
    """
    taken_back = {claim.said[at].identity for at in taken_back_by(claim.said).values()}
    fitting = [
        said
        for said in claim.said
        if told.get(said.identity, NOTHING_TOLD).accumulators
        and said.identity not in taken_back
        and _content(said) == _content(word)
    ]
    return max(fitting, key=lambda said: (said.day, said.identity), default=None)


def _content(said: Said) -> tuple[Kind, Money | None, Money, Share]:
    return said.kind, said.charge_cents, said.paid_cents, said.share


# --- a member's claims


class _Stated(NamedTuple):
    """A statement that stands. In order, the last is the latest; of one day it is the one of most use, because each
    claim only adds to what was used: messages tell no time of day, and their arrival proves nothing."""

    on: date
    used_cents: Money
    limit_cents: int
    """-1 where none is stated"""
    design: str
    person: StreamId


def accumulated(claims: Iterable[Counted]) -> Iterator[Accumulated]:
    """Of one member's number: every limit of each plan year, for the family and for each person in it."""
    plans = defaultdict[Plan, list[Counted]](list)
    for claim in claims:
        plans[claim.plan].append(claim)
    for plan, of_plan in plans.items():
        networks = {claim.network for claim in of_plan} | {each.network for claim in of_plan for each in claim.stated}
        for network in networks:
            counting = [claim for claim in of_plan if network in (claim.network, Network.BOTH)]
            for kind in AccumulatorKind:
                stated = {level: _stated(of_plan, kind, level, network) for level in AccumulatorLevel}
                yield from _limits(plan, network, kind, counting, stated)


def _stated(
    claims: Iterable[Counted], kind: AccumulatorKind, level: AccumulatorLevel, network: Network | None
) -> list[_Stated]:
    return sorted(
        _Stated(
            claim.stated_on or date.min,
            each.used_cents,
            -1 if each.limit_cents is None else each.limit_cents,
            each.design or "",
            claim.person,
        )
        for claim in claims
        for each in claim.stated
        if (each.kind, each.level, each.network) == (kind, level, network)
    )


def _limits(
    plan: Plan,
    network: Network | None,
    kind: AccumulatorKind,
    claims: Sequence[Counted],
    stated: Mapping[AccumulatorLevel, Sequence[_Stated]],
) -> Iterator[Accumulated]:
    """The family's limit, and each person's.

    A person has met theirs when they have used it up, or when the family has used up its own. Of an aggregate
    deductible a person has none. An out-of-pocket limit a person has in any design: the one for self-only coverage
    holds for everybody in a family plan too (45 CFR 156.130(a), as explained in 80 FR 10750). A plan's limit for a
    person is the same for all of them, so whoever's claim states it last states it for all. Of limits only those hold
    that are stated.
    """
    of_family, of_persons = stated[AccumulatorLevel.FAMILY], stated[AccumulatorLevel.INDIVIDUAL]
    design = next((Design(each.design) for each in reversed(of_family) if each.design), None)
    limit = _limit(of_family)
    used = Money(sum(claim.cents(kind) for claim in claims))
    left = None if limit is None else Money(limit - used)
    yield Accumulated(plan, network, None, kind, used, *_last(of_family), limit, design, left)
    own_limit = None if kind is AccumulatorKind.DEDUCTIBLE and design is Design.AGGREGATE else _limit(of_persons)
    for person in {claim.person for claim in claims} | {each.person for each in of_persons}:
        own = Money(sum(claim.cents(kind) for claim in claims if claim.person == person))
        lefts = [] if left is None else [left]
        if own_limit is not None:
            lefts.append(Money(own_limit - own))
        last = _last([each for each in of_persons if each.person == person])
        yield Accumulated(plan, network, person, kind, own, *last, own_limit, design, min(lefts, default=None))


def _last(stated: Sequence[_Stated]) -> tuple[Money | None, date | None]:
    return (stated[-1].used_cents, stated[-1].on) if stated else (None, None)


def _limit(stated: Sequence[_Stated]) -> Money | None:
    return next((Money(each.limit_cents) for each in reversed(stated) if each.limit_cents >= 0), None)
