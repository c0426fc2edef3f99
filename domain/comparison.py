"""A comparison of plans that somebody made for a member, kept as it was shown.

Identity: the member's account and the key under which it was asked for. What it says is frozen: a claim that comes
later changes the next comparison.
"""

from datetime import date
from enum import StrEnum

from domain.facts import Event, Fact, StreamId
from domain.money import Money


class Kind(StrEnum):
    BENEFITS = "benefits"
    """Side by side, without what a year would cost"""
    OWN_YEAR = "own_year"
    """The member's last twelve months"""
    TYPED_YEAR = "typed_year"


class Option(Fact, frozen=True, omit_defaults=True, gc=False):
    """One plan of those that were compared, in the order in which they were shown."""

    plan_id: str
    services_cents: Money | None = None
    """What the member would pay for services; None where no year was priced"""
    premium_cents: Money | None = None
    """Of twelve months"""


class _Compared(Fact, frozen=True, gc=False):
    account: StreamId
    """The member's"""
    payer_id: str
    kind: Kind
    on: date
    """Plans that held and what was said by this day"""
    known_at: int
    """The position of the log at which it was looked at"""
    is_family: bool
    options: tuple[Option, ...]


# --- command


class Compare(_Compared, frozen=True, gc=False):
    """Keep a comparison."""


# --- event


class PlansCompared(_Compared, Event, frozen=True, gc=False):
    """A member was shown what plans cost."""


# --- state

INITIAL: PlansCompared | None = None

# --- decide


def decide(state: PlansCompared | None, command: Compare) -> tuple[PlansCompared, ...]:
    """One event for each key."""
    return () if state else (PlansCompared(*(getattr(command, name) for name in Compare.__struct_fields__)),)


# --- evolve


def evolve(_: PlansCompared | None, event: PlansCompared) -> PlansCompared:
    return event
