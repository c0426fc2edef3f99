"""A member's claims as plans price them, read from the log itself."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from application.mapper import Mapper, StoredEvent, Unreadable
from application.ports import EventLog
from domain.claim import ClaimEvent, said_by
from domain.facts import StreamId
from domain.what_if import Claimed, LeftOut, claimed


class History(NamedTuple):
    claims: tuple[Claimed, ...]
    left_out: Mapping[StreamId, LeftOut]
    """Claims that cannot be priced, and why"""

    @property
    def providers(self) -> set[str]:
        """Who gave the services, where a message tells."""
        found = ((served.provider, claim.claim_id) for claim in self.claims for served in claim.services)
        return {provider for provider, claim_id in found if provider != claim_id}


def history_of(log: EventLog, mapper: Mapper, claims: Mapping[StreamId, int], payer_id: str, as_of: date) -> History:
    """Of each claim its first so many events, and of those what the payer had said by a day.

    Raises DependencyDown.
    """
    found, left_out = [], dict[StreamId, LeftOut]()
    for name, stored in groupby(log.load(claims), attrgetter("originator_id")):
        claim_id = StreamId(str(name))
        one = _claim(mapper, claim_id, list(stored)[: claims[claim_id]], payer_id, as_of)
        if isinstance(one, LeftOut):
            left_out[claim_id] = one
        elif one is not None:
            found.append(one)
    return History(tuple(found), left_out)


def _claim(
    mapper: Mapper, claim_id: StreamId, stored: Iterable[StoredEvent], payer_id: str, as_of: date
) -> Claimed | LeftOut | None:
    """None where nothing was said of it by then."""
    try:
        events = [event for each in stored if isinstance(event := mapper.load(each), ClaimEvent)]
    except Unreadable:
        return LeftOut.UNREADABLE
    by_then = [event for event in events if said_by(event).day <= as_of]
    return claimed(claim_id, payer_id, by_then) if by_then else None
