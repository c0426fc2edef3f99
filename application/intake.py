"""From messages to events: understand once, load, decide, append; a batch in one transaction.

The same path serves Kafka, files and retries. Parsing is never repeated: where another writer was faster, only
loading and deciding are done again, and deciding is pure.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from application import payments
from application.accounts import assess, load_bills
from application.entries import Entry, tell
from application.identification import ClaimItem, Identification, Unit
from application.ids import Ids
from application.mapper import Encoded, Keys, Mapper
from application.ports import (
    EventLog,
    Format,
    Message,
    NotUnderstood,
    OffsetAdvance,
    ParkedItem,
    Translate,
    VersionConflict,
)
from application.streams import Member
from application.unit_of_work import Decider, Heads, UnitOfWork
from domain import account, claim, parking, payment, person, remittance
from domain.claim import Claim
from domain.facts import StreamId
from domain.lockout import DEFAULT, Policy

ATTEMPTS = 8
"""How often a batch is decided anew when other writers keep winning, before the caller hears of it."""

FILE_BATCH_CLAIMS = 2_000

BLOCKS_NOTHING = frozenset({"claim.discarded", "person.erased"})
"""Reasons to park a claim's posting that later postings of the claim need not wait for."""


class NotParked(Exception):
    """Nothing by this id is parked, or not any more."""


class Unexplained(Exception):
    """To give something up takes an actor and a reason."""


class Parked(NamedTuple):
    """Something of a message that stays unposted, and under which id."""

    parked_id: StreamId
    park: parking.Park


@dataclass
class Outcome:
    """What became of one message."""

    claims: int = 0
    """CLP segments, parked ones included"""
    events: int = 0
    duplicates: int = 0
    """What was posted before with the same content"""
    parked: list[Parked] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.claims += other.claims
        self.events += other.events
        self.duplicates += other.duplicates
        self.parked += other.parked


class _Held(NamedTuple):
    """What keeps news from being recorded, among the claims and persons of a batch, and what follows from payments."""

    blocked: set[StreamId]
    """Claims of which something is parked, so that later postings wait"""
    discarded: dict[StreamId, set[StreamId]]
    """Claims of which postings were given up, and those"""
    erased: set[str]
    """Persons whose key was destroyed"""
    owed: Mapping[Member, Sequence[StreamId]]
    """Of members of whose payments it tells: the bills of which anything is owed, the oldest first"""


class _Part(NamedTuple):
    """What stays unposted: under which id, and the bytes that are kept of it."""

    parked_id: StreamId
    park: parking.Park
    raw: bytes


class Intake:
    """The one writer of what payers send."""

    def __init__(
        self,
        log: EventLog,
        mapper: Mapper,
        keys: Keys,
        ids: Ids,
        translations: Mapping[Format, Translate],
        bills: payments.Bills,
        max_message_bytes: int = 64 * 1024 * 1024,
        *,
        accounts: bool = True,
        lockout: Policy = DEFAULT,
    ) -> None:
        """Without accounts nothing is assessed: for measuring what claims cost by themselves."""
        self._log = log
        self._mapper = mapper
        self._keys = keys
        self._ids = ids
        self._translations = translations
        self._bills = bills
        self._identification = Identification(ids, mapper, lockout, accounts=accounts)
        self._max_message_bytes = max_message_bytes
        self._accounts = accounts
        self._heads = Heads()

    # --- use cases

    def handle(self, messages: Sequence[Message], offsets: Sequence[OffsetAdvance] = ()) -> list[Outcome]:
        """Post or park everything in the messages and advance the offsets, all in one transaction.

        Raises StaleSource, and VersionConflict after too many attempts: then nothing was written. Raises
        DependencyDown: then either nothing or all of it was, which the offsets or the duplicates will show.
        """
        return self._settle([self._understand(message) for message in messages], offsets)

    def handle_file(self, message: Message) -> Outcome:
        """Post or park everything in one file, however large: some thousand claims a transaction.

        A file that is broken off by a fault of ours is simply taken in again: what was posted is a duplicate then.
        """
        total, units, claims = Outcome(), list[Unit | _Part](), 0
        for part in self._parts(message):
            units.append(part)
            claims += max(1, len(part.claims)) if isinstance(part, Unit) else FILE_BATCH_CLAIMS // 20
            if claims >= FILE_BATCH_CLAIMS:
                total.add(self._settle([units], ())[0])
                units, claims = [], 0
        if units:
            total.add(self._settle([units], ())[0])
        return total

    def retry(self, parked_id: StreamId) -> bool:
        """Send a parked item through the same path again; whether it went through.

        What waited behind it follows, in the order in which it came. Raises NotParked.
        """
        item = self._log.parked_item(parked_id)
        if item is None or item.state != parking.State.PARKED:
            raise NotParked(parked_id)
        released = self._retry(item)
        if released and item.blocks:
            self._retry_waiting(item.blocks)
        return released

    def discard(self, parked_id: StreamId, actor: str, reason: str) -> None:
        """Give a parked item up, on record; what waited behind it follows. Raises NotParked, Unexplained."""
        item = self._log.parked_item(parked_id)
        if item is None:
            raise NotParked(parked_id)
        work = self._begin()
        work.load({parked_id: parking})
        decided = parking.decide(work.state(parked_id, parking), parking.Discard(actor=actor, reason=reason))
        if decided is parking.Refusal.UNEXPLAINED:
            raise Unexplained
        if isinstance(decided, parking.Refusal):
            raise NotParked(parked_id)
        work.record(parked_id, parking, *decided)
        work.batch.parking += [(parked_id, event) for event in decided]
        work.append()
        if item.blocks:
            self._retry_waiting(item.blocks)

    def raw(self, raw_id: str) -> bytes:
        """The bytes of a parked message as they came."""
        sealed = self._log.raw(raw_id)
        if sealed is None:
            raise NotParked(raw_id)
        return zlib.decompress(self._keys.open(raw_id, sealed, raw_id.encode()))

    def _retry_waiting(self, stream: StreamId) -> None:
        """One after the other, until one stays parked or somebody else was faster."""
        for posting in self._log.parked_postings([stream]).get(stream, []):
            item = self._log.parked_item(posting.parked_id)
            if item is not None and item.state == parking.State.PARKED and not self._retry(item):
                break

    def _retry(self, item: ParkedItem) -> bool:
        message = Message(item.source, self.raw(item.raw_id), Format(item.format))
        self._settle([self._understand(message)], (), retried=item.parked_id)
        after = self._log.parked_item(item.parked_id)
        return after is not None and after.state == parking.State.RELEASED

    # --- understand: once for each message

    def _understand(self, message: Message) -> list[Unit | _Part]:
        value = message.value
        if len(value) > self._max_message_bytes:
            raw = bytes(value[:])
            detail = f"{len(value)} bytes, the limit is {self._max_message_bytes}"
            return [self._not_understood(message, NotUnderstood("message.too_large", "", detail, 0, raw, raw))]
        return list(self._parts(message))

    def _parts(self, message: Message) -> Iterator[Unit | _Part]:
        try:
            for part in self._translations[message.format](message.value):
                if isinstance(part, NotUnderstood):
                    yield self._not_understood(message, part)
                else:
                    yield self._identification.unit(message, part)
        except Exception as error:  # noqa: BLE001 a fault of ours must not stop the partition: it is parked and named
            raw = bytes(message.value[:])
            yield self._not_understood(message, NotUnderstood("message.failed", "", type(error).__name__, 0, raw, raw))

    def _not_understood(self, message: Message, part: NotUnderstood) -> _Part:
        park = parking.Park(part.reason, message.source, part.where, part.detail, part.claims, format=message.format)
        return _Part(self._ids.stream("parked", self._ids.digest(part.identity)), park, part.raw)

    # --- load, decide, append

    def _begin(self) -> UnitOfWork:
        return UnitOfWork(self._log, self._mapper)

    def _settle(
        self,
        messages: list[list[Unit | _Part]],
        offsets: Sequence[OffsetAdvance],
        retried: StreamId | None = None,
    ) -> list[Outcome]:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._attempt(messages, offsets, retried)
            except VersionConflict:
                self._heads.forget(
                    item.person
                    for units in messages
                    for unit in units
                    if isinstance(unit, Unit)
                    for item in unit.claims
                )
        return self._attempt(messages, offsets, retried)

    def _attempt(
        self,
        messages: list[list[Unit | _Part]],
        offsets: Sequence[OffsetAdvance],
        retried: StreamId | None,
    ) -> list[Outcome]:
        work = self._begin()
        work.batch.offsets = offsets
        units = [unit for message in messages for unit in message if isinstance(unit, Unit)]
        held = self._load(work, units, retried)
        outcomes = [Outcome() for _ in messages]
        parts: list[tuple[Outcome, _Part]] = []
        for outcome, message in zip(outcomes, messages, strict=True):
            for part in message:
                if isinstance(part, _Part):
                    outcome.claims += part.park.claims
                    parts.append((outcome, part))
                else:
                    outcome.claims += len(part.claims) + len(part.unidentified)
                    parts.extend((outcome, left) for left in self._post(work, part, held, outcome))
        self._park(work, parts, retried)
        work.append()
        self._remember(work, units)
        return outcomes

    def _load(self, work: UnitOfWork, units: list[Unit], retried: StreamId | None) -> _Held:
        """Load the states of all streams that the units touch, and what holds any of them up."""
        streams: dict[StreamId, Decider] = {unit.stream: remittance for unit in units if unit.receive is not None}
        claims: dict[StreamId, Decider] = {c.stream: claim for unit in units for c in unit.claims}
        entries = [unit.entry for unit in units if unit.entry is not None]
        persons = {c.person for unit in units for c in unit.claims}
        streams |= {person_id: person for person_id in persons if self._heads.get(person_id) is None}
        entered = {stream: decider for entry in entries for stream, decider in entry.streams.items()}
        for stream in entered:
            if (known := self._heads.get(stream)) is not None:
                work.know(stream, known)
        streams |= entered
        bills = {c.bill for unit in units for c in unit.claims} if self._accounts else set()
        work.load(streams | claims | dict.fromkeys(bills, account))
        if self._accounts:
            load_bills(work, claims, bills)
        # Made durable before anything is sealed: an event whose key a crash could take must not exist.
        referring = {
            unit.stream for unit in units if unit.receive is not None and unit.receive.remittance.provider_adjustments
        }
        owed = payments.load(work, self._bills, entries)
        subjects = persons.union(referring, *(entry.subjects for entry in entries))
        held = _Held(set(), {}, self._keys.ensure(subjects), owed)
        for stream, postings in self._log.parked_postings(claims.keys()).items() if claims else ():
            parked = [p.parked_id for p in postings if p.state == parking.State.PARKED]
            if parked and parked[0] != retried:  # the oldest is the one whose turn it is
                held.blocked.add(stream)
            held.discarded[stream] = {p.parked_id for p in postings if p.state == parking.State.DISCARDED}
        return held

    def _post(self, work: UnitOfWork, unit: Unit, held: _Held, outcome: Outcome) -> list[_Part]:
        """Record what is news in a remittance and its claims; what of it must be parked."""
        if unit.receive is not None:
            if unit.stream in work.unreadable:
                return [self._whole(unit, unit.receive, "stream.unreadable")]
            received = remittance.decide(work.state(unit.stream, remittance), unit.receive)
            if isinstance(received, remittance.Refusal):
                return [self._whole(unit, unit.receive, received)]
            if received:
                work.record(unit.stream, remittance, *received)
                outcome.events += 1
        if unit.entry is not None:
            return self._enter(work, unit, unit.entry, held, outcome)
        parts = [self._single(unit, "claim.unidentified", number, str(number)) for number in unit.unidentified]
        for item in unit.claims:
            decided = self._decide(work, unit, item, held)
            if isinstance(decided, str):
                blocks = None if decided in BLOCKS_NOTHING else item.stream
                if blocks is not None:
                    held.blocked.add(blocks)
                parts.append(self._single(unit, decided, item.number, item.parked_as, blocks))
            elif decided is not None:
                if item.said is None:
                    work.record(item.stream, claim, decided)
                else:
                    before: Claim = work.state(item.stream, claim)
                    work.record_as(item.stream, claim, decided, Claim((*before.said, item.said)))
                    outcome.events += assess(work, item.stream, before)
                outcome.events += 1 + self._identified(work, item)
            else:
                outcome.duplicates += 1
        return parts

    def _enter(self, work: UnitOfWork, unit: Unit, entry: Entry, held: _Held, outcome: Outcome) -> list[_Part]:
        """Record what a chapter makes of a message; the message where it refuses."""
        if not work.unreadable.keys().isdisjoint(entry.streams):
            decided: Any = "stream.unreadable"
        elif not held.erased.isdisjoint(entry.subjects):
            decided = "person.erased"
        else:
            decided = entry.decide(work)
        if isinstance(decided, str):
            park = parking.Park(decided, unit.source, unit.where, format=unit.format)
            return [_Part(self._parked_id(unit, self._ids.digest(unit.raw())), park, unit.raw())]
        outcome.events += entry.record(work, decided)
        if decided and entry.member is not None:
            day = payment.said_by(decided[-1]).day
            outcome.events += payments.apply(work, entry.stream, held.owed[entry.member], day)
        outcome.duplicates += not decided
        return []

    def _decide(self, work: UnitOfWork, unit: Unit, item: ClaimItem, held: _Held) -> Encoded | str | None:
        """The event of what is said of a claim, none where it was said before, else the reason to park it."""
        if not work.unreadable.keys().isdisjoint((item.stream, item.person, item.bill)):
            return "stream.unreadable"
        news = claim.is_news(work.state(item.stream, claim), item.identity, item.content)
        if not news:
            return None
        if item.stream in held.discarded and self._parked_id(unit, item.parked_as) in held.discarded[item.stream]:
            return "claim.discarded"
        if news is not True:
            return news
        if isinstance(item.event, Encoded):
            if item.person in held.erased:
                return "person.erased"
            if item.stream in held.blocked:
                return "claim.waiting"
        return item.event

    def _identified(self, work: UnitOfWork, item: ClaimItem) -> int:
        """Record who the patient is, where that is news; how many events it took."""
        person_id = item.person
        known = self._heads.get(person_id)
        if known is not None and work.head(person_id) is None:
            if known.state.content == item.identify.content:
                return 0
            work.know(person_id, known)
        return tell(work, person_id, item.identify)

    def _remember(self, work: UnitOfWork, units: list[Unit]) -> None:
        """What the next batches begin with, now that it is committed."""
        entries = [unit.entry for unit in units if unit.entry is not None]
        kept = {stream for entry in entries for stream in entry.remembered}
        for stream in kept.union(c.person for unit in units for c in unit.claims):
            head = work.head(stream)
            if head is not None and stream not in work.unreadable:
                self._heads.keep(stream, head)

    def _whole(self, unit: Unit, receive: remittance.Receive, reason: str) -> _Part:
        claims = len(unit.claims) + len(unit.unidentified)
        park = parking.Park(reason, unit.source, unit.where, "", claims, format=unit.format)
        return _Part(self._parked_id(unit, receive.content), park, unit.raw())

    def _single(self, unit: Unit, reason: str, number: int, identity: str, blocks: StreamId | None = None) -> _Part:
        where = f"{unit.where} claim {number}".strip()
        park = parking.Park(reason, unit.source, where, "", 1, blocks, format=unit.format)
        return _Part(self._parked_id(unit, identity), park, unit.raw())

    def _parked_id(self, unit: Unit, identity: str) -> StreamId:
        return self._ids.stream("parked", unit.stream, identity)

    def _park(self, work: UnitOfWork, parts: list[tuple[Outcome, _Part]], retried: StreamId | None) -> None:
        """Park what is not parked yet; release the retried item unless it stays."""
        streams: dict[StreamId, Decider] = {part.parked_id: parking for _, part in parts}
        if retried is not None:
            streams[retried] = parking
        work.load(streams)
        raw_ids: dict[bytes, StreamId] = {}
        news: dict[StreamId, bytes] = {}
        for outcome, part in parts:
            outcome.parked.append(Parked(part.parked_id, part.park))
            raw_id = raw_ids.get(part.raw)
            if raw_id is None:
                raw_id = raw_ids[part.raw] = self._ids.stream("raw", self._ids.digest(part.raw))
            park = msgspec.structs.replace(part.park, raw_id=raw_id)
            if self._record_parking(work, part.parked_id, park):
                outcome.events += 1
                news[raw_id] = part.raw
        self._keys.ensure(news)
        for raw_id, raw in news.items():
            work.batch.raws[raw_id] = self._keys.seal(raw_id, zlib.compress(raw, 1), raw_id.encode())
        if retried is not None and all(part.parked_id != retried for _, part in parts):
            self._record_parking(work, retried, parking.Release())

    def _record_parking(self, work: UnitOfWork, parked_id: StreamId, command: parking.Park | parking.Release) -> bool:
        if parked_id in work.unreadable:
            return False
        decided = parking.decide(work.state(parked_id, parking), command)
        if isinstance(decided, parking.Refusal):
            return False
        work.record(parked_id, parking, *decided)
        work.batch.parking += [(parked_id, event) for event in decided]
        return bool(decided)
