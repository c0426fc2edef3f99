"""A member's coverage: who is enrolled in which plan from when to when, and to which plan they asked to change.

Identity: payer and the number on the card. A change is known again by the payer's own number of it. Whether somebody is
covered on a day follows from the set of them (domain/eligibility.py). Only a request to change plans is decided, by
what is known when it comes.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from domain import plan_change
from domain.eligibility import plan_on
from domain.enrolment import (
    Change,
    Coverage,
    DependantAdded,
    DependantRemoved,
    Enrolled,
    Reinstated,
    Relationship,
    Said,
    Terminated,
    Voided,
    requests,
    standing_changes,
)
from domain.facts import Event, Fact, Sealed, StreamId
from domain.person import Description, Names
from domain.plan import INITIAL as NO_PLAN
from domain.plan import Plan, design_on
from domain.plan_change import Compared, Confirmed, Requested, Withdrawn

# --- a message about one member's coverage, understood


class Individual(Fact, frozen=True, gc=False):
    """One who is named in it. Personal."""

    names: Names
    relationship: Relationship
    description: Description | None
    """None where it only names them"""


class Numbers(Fact, frozen=True, omit_defaults=True, gc=False):
    """The payer's own, of this change and of the one that it speaks of. Personal."""

    change_id: str
    of_change_id: str = ""


class CoverageNotice(Fact, frozen=True, gc=False):
    payer_id: str
    member_id: str
    numbers: Numbers
    at: datetime
    """When the payer, or the member, said it"""
    said: Said
    """Without ids: those whom it names stand in `individuals`, other changes in `numbers`"""
    individuals: tuple[Individual, ...] = ()


# --- command


class _About(Fact, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    content: str
    """Keyed hash of what was said"""
    change: StreamId
    at: datetime
    payer_id: str
    source: str
    """Where it was read: topic, partition and offset, or the fingerprint of a file"""
    personal: Numbers | Sealed | None = None


class Record(_About, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Said
    plan: Plan = NO_PLAN
    """Of a request to change: the plan that is asked for"""


# --- events


class _Event(_About, Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    pass


class CoverageEnrolled(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Enrolled


class DependantEnrolled(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: DependantAdded


class DependantDisenrolled(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: DependantRemoved


class CoverageTerminated(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Terminated


class CoverageResumed(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Reinstated


class CoverageChangeVoided(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Voided


class PlanChangeRequested(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Requested


class PlanChangeCompared(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    """The member looked at what both plans cost."""

    said: Compared


class PlanChangeConfirmed(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Confirmed


class PlanChangeWithdrawn(_Event, frozen=True, omit_defaults=True, gc=False, kw_only=True):
    said: Withdrawn


class PlanChangeRefused(Event, frozen=True, gc=False):
    """A request was not granted, by what was known when it came in; the member is told why."""

    request: StreamId
    reason: plan_change.Reason


SaidEvent = (
    CoverageEnrolled
    | DependantEnrolled
    | DependantDisenrolled
    | CoverageTerminated
    | CoverageResumed
    | CoverageChangeVoided
    | PlanChangeRequested
    | PlanChangeCompared
    | PlanChangeConfirmed
    | PlanChangeWithdrawn
)
CoverageEvent = SaidEvent | PlanChangeRefused

_RECORDED_AS: dict[type[Said], type[SaidEvent]] = {event.__annotations__["said"]: event for event in SaidEvent.__args__}

# --- state


INITIAL = Coverage()

# --- decide

AHEAD = timedelta(days=1)
"""How far a payer's clock may go before ours: it may know days only. What is said last holds, so a word from the future
would hold against everything that is said until then"""


class Refusal(StrEnum):
    CONFLICT = "coverage.conflict"
    """The same change came before with other content"""
    ACCOUNT_NUMBER = "coverage.account_number"
    """A text holds the number of a card or a bank account: such a message is not taken in at all"""
    PLAN_UNKNOWN = "coverage.plan_unknown"
    """No design of the plan that is asked for holds on that day, as far as is known"""
    AHEAD_OF_TIME = "coverage.ahead_of_time"
    """It is told to be said later than now: such a message is not taken in at all, until then"""
    UNKNOWN = "coverage.unknown"
    """A change of plans is asked for, and no enrolment of this member is known that it could change"""


def decide(state: Coverage, command: Record) -> tuple[CoverageEvent, ...] | Refusal:
    """The event that says it where it is news, and a refusal beside a request that is not granted; none where it came
    before, else why not."""
    for known in state.changes:
        if known.change == command.change:
            return () if known.content == command.content else Refusal.CONFLICT
    if isinstance(command.said, Requested):
        return _decide_request(state, command, command.said)
    return (_recorded(command, command.said),)


def _decide_request(state: Coverage, command: Record, said: Requested) -> tuple[CoverageEvent, ...] | Refusal:
    design = design_on(command.plan, said.effective_on)
    if design is None:
        return Refusal.PLAN_UNKNOWN
    if not any(isinstance(each.said, Enrolled) for each in standing_changes(state.changes)):
        return Refusal.UNKNOWN
    event = _recorded(command, msgspec.structs.replace(said, zone=design.zone))
    reason = _refused(state, said) or plan_change.refused(said, command.at, design)
    return (event, PlanChangeRefused(command.change, reason)) if reason else (event,)


def _recorded(command: Record, said: Said) -> SaidEvent:
    return _RECORDED_AS[type(said)](
        content=command.content,
        change=command.change,
        at=command.at,
        payer_id=command.payer_id,
        source=command.source,
        personal=command.personal,
        said=said,  # type: ignore[arg-type] # of the type that _RECORDED_AS has the event for
    )


def _refused(state: Coverage, said: Requested) -> plan_change.Reason | None:
    """Why the coverage itself forbids it, if it does."""
    plan_id = plan_on(state, said.effective_on)
    if not plan_id:
        return plan_change.Reason.NOT_ENROLLED
    confirmed = {each.said.effective_on for each in requests(state) if each.holds}
    is_known = plan_id == said.plan_id or said.effective_on in confirmed
    return plan_change.Reason.ALREADY_CHANGED if is_known else None


# --- evolve


def evolve(state: Coverage, event: CoverageEvent) -> Coverage:
    if isinstance(event, PlanChangeRefused):
        return Coverage(state.changes, (*state.refused, (event.request, event.reason)))
    return Coverage((*state.changes, Change(event.change, event.at, event.content, event.said)), state.refused)
