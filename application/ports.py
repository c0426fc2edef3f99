"""What the application asks of the log and of a message's format. Adapters provide it; tests may fake it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from mmap import mmap
from typing import NamedTuple, Protocol

from application.mapper import StoredEvent
from domain import consent, premium, sign_in
from domain.claim import Notice
from domain.coverage import CoverageNotice
from domain.directory import ProviderNotice
from domain.facts import StreamId
from domain.parking import ParkingEvent
from domain.payment import PaymentNotice
from domain.person import LinkNotice
from domain.plan import PlanNotice
from domain.remittance import Remittance
from domain.schedule import ScheduleNotice
from domain.settlement import BankNotice

Buffer = bytes | mmap
"""A message's bytes; a large file's stay on disk."""


class Format(StrEnum):
    """How a message's bytes are to be read."""

    X12_835 = "x12-835"
    """X12 835 remittance advice"""
    JSON_CLAIM = "json-claim"
    """A notice of one claim: docs/messages.md"""
    JSON_CLAIM_LINES = "json-claim-lines"
    """Such notices, one a line, as files hold them"""
    JSON_PAYMENT = "json-payment"
    """A payment processor's notice of one payment or schedule: docs/messages.md"""
    JSON_PAYMENT_LINES = "json-payment-lines"
    JSON_SETTLEMENT = "json-settlement"
    """What a bank says of one entry of an account: docs/messages.md"""
    JSON_SETTLEMENT_LINES = "json-settlement-lines"
    JSON_PREMIUM = "json-premium"
    """What a plan says of the premiums of one contract: docs/messages.md"""
    JSON_PREMIUM_LINES = "json-premium-lines"
    """The same, one a line"""
    JSON_PLAN = "json-plan"
    """A plan's benefit design of a plan year: docs/messages.md"""
    JSON_PLAN_LINES = "json-plan-lines"
    JSON_COVERAGE = "json-coverage"
    """One change of a member's coverage: docs/messages.md"""
    JSON_COVERAGE_LINES = "json-coverage-lines"
    JSON_PROVIDER = "json-provider"
    """What a directory says of one provider: docs/messages.md"""
    JSON_PROVIDER_LINES = "json-provider-lines"
    JSON_SIGN_IN = "json-sign-in"
    """What a portal says of one account: docs/messages.md"""
    JSON_SIGN_IN_LINES = "json-sign-in-lines"


class Message(NamedTuple):
    """What came in, and where it was read."""

    source: str
    """`topic/partition@offset`, or the fingerprint of a file; never a file's name, which may tell of a person"""
    value: Buffer
    format: Format = Format.X12_835


OfOneStream = (
    PaymentNotice
    | ScheduleNotice
    | BankNotice
    | premium.Notice
    | CoverageNotice
    | LinkNotice
    | ProviderNotice
    | PlanNotice
    | sign_in.Notice
    | consent.Notice
)
"""What is said of one thing, whose chapter decides by itself"""

Said = Remittance | Notice | OfOneStream


class Understood(NamedTuple):
    """One remittance of a message, or a notice of one claim, payment, schedule, contract, entry of a bank or account
    of a portal."""

    said: Said
    where: str
    raw: Callable[[], bytes]
    """The same as a message of its own: what is kept if any of it has to be parked"""
    identity: bytes
    """The same without its envelope: by which it is known again"""

    @property
    def remittance(self) -> Remittance:
        """For those who know that the message can hold nothing else."""
        assert isinstance(self.said, Remittance)
        return self.said


class NotUnderstood(NamedTuple):
    """A part of a message that must be parked."""

    reason: str
    where: str
    detail: str
    claims: int
    raw: bytes
    """What is kept, and sent through the same path on a retry"""
    identity: bytes
    """By which the same thing is known again when it comes in another envelope"""


Translate = Callable[[Buffer], Iterable[Understood | NotUnderstood]]


class OffsetAdvance(NamedTuple):
    """A compare-and-set on the ledger's position in one topic-partition."""

    topic_id: str
    partition: int
    expected: int
    """The next offset that the ledger must still be waiting for"""
    next: int


class ParkedItem(NamedTuple):
    """An open or closed parked item, as the writer keeps it."""

    parked_id: StreamId
    reason: str
    where: str
    detail: str
    source: str
    claims: int
    blocks: StreamId | None
    raw_id: str
    format: str
    state: str
    parked_at: datetime


class ParkedPosting(NamedTuple):
    parked_id: StreamId
    state: str


@dataclass
class Batch:
    """All that one transaction writes."""

    events: list[StoredEvent] = field(default_factory=list)
    parking: list[tuple[StreamId, ParkingEvent]] = field(default_factory=list)
    raws: dict[str, bytes] = field(default_factory=dict)
    """Sealed raw messages by raw id"""
    offsets: Sequence[OffsetAdvance] = ()


class VersionConflict(Exception):
    """Another writer appended to one of the batch's streams first. Load, decide and try again."""


class StaleSource(Exception):
    """The ledger's position in a topic-partition is not the one this batch was read from: read it again from there."""


class DependencyDown(Exception):
    """Database, broker or key files can't be used now. What was being written may or may not have been written."""


NOTHING_KNOWN: Mapping[str, int] = {}


class EventLog(Protocol):
    def load(self, streams: Collection[str], known: Mapping[str, int] = NOTHING_KNOWN) -> Iterator[StoredEvent]:
        """All events of the streams, each stream's in the order of its versions, behind the version that is known."""

    def claims(self, after: StreamId, limit: int) -> list[StreamId]:
        """The next claims' streams, in the order of their ids."""

    def parked_postings(self, streams: Collection[str]) -> dict[StreamId, list[ParkedPosting]]:
        """The open and the discarded parked items that block or blocked each stream, oldest first."""

    def append(self, batch: Batch) -> int:
        """Write all of the batch or nothing; the position of its last event, 0 where it has none.

        Raises VersionConflict (also where a claim would wait behind what was released meanwhile), StaleSource and
        DependencyDown.
        """

    def parked_item(self, parked_id: str) -> ParkedItem | None: ...

    def raw(self, raw_id: str) -> bytes | None:
        """A sealed raw message."""
