"""A load of opening balances, from the books that this ledger takes over, with its own control totals."""

from enum import StrEnum

from domain.facts import Event, Fact
from domain.money import Money


class Complete(Fact, frozen=True, gc=False):
    """All of it stands in the accounts of its bills."""

    source: str
    """The fingerprint of its file"""
    count: int
    cents: Money


class OpeningLoaded(Event, frozen=True, omit_defaults=True, gc=False):
    source: str
    count: int
    cents: Money


class Loaded(Fact, frozen=True, omit_defaults=True, gc=False):
    totals: OpeningLoaded | None = None


INITIAL = Loaded()


class Refusal(StrEnum):
    CONFLICT = "opening.conflict"
    """The same file was loaded with other totals"""


def decide(state: Loaded, command: Complete) -> tuple[OpeningLoaded, ...] | Refusal:
    loaded = OpeningLoaded(command.source, command.count, command.cents)
    if state.totals is None:
        return (loaded,)
    return () if state.totals == loaded else Refusal.CONFLICT


def evolve(state: Loaded, event: OpeningLoaded) -> Loaded:
    return Loaded(event)
