"""A claim's story: its events from the log, what caused each, and where the claim stood after it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from application.mapper import StoredEvent, Unreadable
from composition import Ledger
from domain import claim
from domain.claim import KIND_OF, Claim, ClaimEvent
from domain.remittance import RemittanceReceived
from domain.standing import Standing, standing


@dataclass(frozen=True)
class Cause:
    """Where an event was read, and the payment that brought it, if one did."""

    source: str
    trace_number: str | None = None


@dataclass(frozen=True)
class Step:
    """One event and what followed from it."""

    position: int
    version: int
    recorded_at: datetime
    topic: str
    event: ClaimEvent | None = None
    """None where it cannot be read"""
    personal: Any = None
    cause: Cause | None = None
    stands: Standing | None = None
    """None at and behind an event that cannot be read"""
    final_position: int | None = None
    """Of the posting that is the last word"""
    changed: frozenset[str] = frozenset()
    """Which parts of the standing are other than before"""
    unreadable: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What was said, as plain values."""
        facts: dict[str, Any] = msgspec.to_builtins(self.event) if self.event is not None else {}
        facts.pop("personal", None)
        return facts

    def told(self) -> dict[str, Any]:
        """All of it as plain values."""
        answer: dict[str, Any] = {
            "position": self.position,
            "version": self.version,
            "recorded_at": self.recorded_at,
            "topic": self.topic,
        }
        if self.event is None:
            return answer | {"unreadable": self.unreadable}
        cause = self.cause or Cause("")
        after = None if self.stands is None else self.stands._asdict() | {"final": self.final_position}
        return answer | {
            "said": KIND_OF[type(self.event)],
            **self.facts,
            "source": cause.source,
            "trace_number": cause.trace_number,
            "personal": msgspec.to_builtins(self.personal),
            "after": after,
            "changed": sorted(self.changed),
        }


def story(ledger: Ledger, claim_id: str, known_at: int | None = None) -> list[Step]:
    """Every event up to a position. Behind one that cannot be read there is no telling where the claim stood."""
    steps: list[Step] = []
    state: Claim | None = claim.INITIAL
    before: Standing | None = None
    positions: list[int] = []
    history = [each for each in ledger.log.history(claim_id) if known_at is None or each.position <= known_at]
    opened = [_opened(ledger, each.stored) for each in history]
    traces = _traces(ledger, [each[0] for each in opened if not isinstance(each, Unreadable)])
    for (position, recorded_at, stored), found in zip(history, opened, strict=True):
        positions.append(position)
        place = (position, stored.originator_version, recorded_at, stored.topic)
        if isinstance(found, Unreadable):
            state = None
            steps.append(Step(*place, unreadable=found.reason))
            continue
        event, personal = found
        cause = _cause(event, traces)
        if state is None:
            steps.append(Step(*place, event, personal, cause))
            continue
        state = claim.evolve(state, event)
        stands = standing(state)
        final = None if stands.final is None else positions[stands.final]
        steps.append(Step(*place, event, personal, cause, stands, final, _changed(before, stands)))
        before = stands
    return steps


def _opened(ledger: Ledger, stored: StoredEvent) -> tuple[ClaimEvent, Any] | Unreadable:
    """An event and its personal part."""
    try:
        event = ledger.mapper.load(stored)
        assert isinstance(event, ClaimEvent)
        return event, ledger.mapper.unseal(stored, event)
    except Unreadable as unreadable:
        return unreadable


def _changed(before: Standing | None, after: Standing) -> frozenset[str]:
    if before is None:
        return frozenset()
    names = (name for name in after._fields if name != "final")
    return frozenset(name for name in names if getattr(before, name) != getattr(after, name))


def _traces(ledger: Ledger, events: Sequence[ClaimEvent]) -> dict[str, RemittanceReceived]:
    """The remittances that brought them, as far as they can be read, in one query."""
    remittances = {str(stream) for event in events if (stream := getattr(event, "remittance", None)) is not None}
    found: dict[str, RemittanceReceived] = {}
    for stored in ledger.log.load(remittances) if remittances else ():
        with suppress(Unreadable):
            received = ledger.mapper.load(stored)
            assert isinstance(received, RemittanceReceived)
            found.setdefault(stored.originator_id, received)
    return found


def _cause(event: ClaimEvent, traces: Mapping[str, RemittanceReceived]) -> Cause:
    received = traces.get(getattr(event, "remittance", None) or "")
    if received is None:
        return Cause(event.source)
    return Cause(event.source or received.source, received.trace_number)
