"""What a projection is: a table, and a fold of events into its rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from domain.facts import Event, StreamId


class Projected(NamedTuple):
    """An event as projections see it: decoded once, and opened only for those that ask."""

    position: int
    stream: StreamId
    event: Event
    personal: Any = None
    """The opened personal facts, where the projection asked for them; None too where their key was destroyed"""


class Change(NamedTuple):
    """One SQL statement over many rows. The rows travel as one JSON array, the statement's only parameter `rows`."""

    sql: str
    rows: bytes


class Projection(Protocol):
    """One read model. Its table's name ends in its version: a new version is built beside the old one, and the
    view of the plain name is what readers use."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def VERSION(self) -> int: ...  # noqa: N802
    @property
    def DDL(self) -> str:  # noqa: N802
        """Creates table and view with their comments, where they are not there."""

    @property
    def EVENTS(self) -> tuple[type[Event], ...]:  # noqa: N802
        """The kinds of events that it folds."""

    @property
    def OPENS_PERSONAL(self) -> bool: ...  # noqa: N802

    def fold(self, events: Sequence[Projected]) -> Sequence[Change]:
        """What a batch of events changes; to be written in one transaction with the position."""
