"""What a projection is: tables, and a fold of events into changes of their rows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.facts import Event, StreamId


class Projected(NamedTuple):
    """An event as projections see it: decoded once, and opened only for those that ask."""

    position: int
    recorded_at: datetime
    stream: StreamId
    version: int
    """Number of the event within its stream, from 1"""
    event: Event
    personal: Any = None
    """The opened personal facts, where the projection asked for them; None too where their key was destroyed"""


class Statement(NamedTuple):
    """One SQL statement over many rows. The rows travel as one JSON array, the statement's only parameter `rows`."""

    sql: str
    rows: bytes


class Copy(NamedTuple):
    """New rows by `COPY … FROM STDIN`, in its text format."""

    sql: str
    data: bytes


Change = Statement | Copy

Read = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
"""A query over the generation's own tables as they stand before the batch, in the transaction that will change them"""


class Projection(Protocol):
    """One read model. Each of its generations has a schema of its own, `NAME_g1`, `NAME_g2`, …: its SQL names its tables
    without a schema, and runs with that one in front of the search path. Readers use its views in `public`."""

    @property
    def NAME(self) -> str: ...  # noqa: N802
    @property
    def VERSION(self) -> int:  # noqa: N802
        """Of tables and fold: another one needs another generation."""

    @property
    def TABLES(self) -> str:  # noqa: N802
        """Creates the tables with their comments in an empty schema."""

    @property
    def VIEWS(self) -> str:  # noqa: N802
        """`CREATE OR REPLACE VIEW public.…` with their comments. They are a contract: columns are only ever appended."""

    @property
    def EVENTS(self) -> tuple[type[Event], ...]:  # noqa: N802
        """The kinds of events that it folds."""

    @property
    def OPENS_PERSONAL(self) -> bool: ...  # noqa: N802

    def fold(self, events: Sequence[Projected], read: Read) -> Sequence[Change]:
        """What a batch of events changes, in the order in which it is written. The same, however a log is cut into batches."""
