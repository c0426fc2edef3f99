"""What was understood, with ids: the stream of every fact, the identity of everything that is said, keyed hashes.

Computed once for each message; where another writer was faster, only loading and deciding are done again.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from application.entries import Entry, entry_of, identify_of
from application.ids import Ids
from application.mapper import Encoded, Mapper
from application.ports import Message, Understood
from application.streams import folded, person_of
from application.unit_of_work import HEADS_MAX
from domain import claim, person, remittance
from domain.adjudication import ClaimNumbers, service_day
from domain.facts import StreamId
from domain.lockout import DEFAULT, Policy
from domain.person import Names


class ClaimItem(NamedTuple):
    """One thing that a message says of a claim."""

    number: int
    """Its place in the message, from 1"""
    stream: StreamId
    bill: StreamId
    person: StreamId
    identify: person.Identify
    identity: claim.Identity
    content: str
    event: Encoded | claim.Refusal
    """What happened, if it is news"""
    said: claim.Said | None
    """What of it the claim's standing turns on; None where nobody asks for that"""

    @property
    def parked_as(self) -> str:
        """By which it is known again if it is parked: the same thing with the same content."""
        return f"{self.stream} {self.identity} {self.content}"


class Unit(NamedTuple):
    """What a message says by one remittance, of one claim, or of another stream, ready to be decided."""

    source: str
    format: str
    where: str
    raw: Callable[[], bytes]
    """What is kept if any of it has to be parked"""
    stream: StreamId
    """The remittance's; of a notice its claim's; of an entry its own"""
    receive: remittance.Receive | None = None
    claims: Sequence[ClaimItem] = ()
    unidentified: Sequence[int] = ()
    """The places of claims that do not say who the patient is"""
    entry: Entry | None = None


class _Once:
    """One copy, however many of a remittance's claims are parked. (`functools.cache` takes longer to make.)"""

    __slots__ = ("_copy", "_raw")

    def __init__(self, raw: Callable[[], bytes]) -> None:
        self._raw = raw
        self._copy: bytes | None = None

    def __call__(self) -> bytes:
        if self._copy is None:
            self._copy = self._raw()
        return self._copy


class Identification:
    def __init__(self, ids: Ids, mapper: Mapper, lockout: Policy = DEFAULT, *, accounts: bool = True) -> None:
        self._ids = ids
        self._lockout = lockout
        self._accounts = accounts
        self._mapper = mapper
        self._persons: dict[tuple[str, Names], tuple[StreamId, person.Identify]] = {}

    def unit(self, message: Message, understood: Understood) -> Unit:
        match understood.said:
            case remittance.Remittance():
                return self._remittance(message, understood, understood.said)
            case claim.Notice():
                return self._notice(message, understood, understood.said)
            case _:
                entry = entry_of(self._ids, message.source, understood.said, self._lockout)
        return Unit(message.source, message.format, understood.where, understood.raw, entry.stream, entry=entry)

    def _remittance(self, message: Message, understood: Understood, parsed: remittance.Remittance) -> Unit:
        payer_id, ids = parsed.payer.payer_id, self._ids
        stream = ids.stream("remittance", payer_id, parsed.trace_number, parsed.paid_on.isoformat())
        # What the payment is: its total, its receiver and its adjustments. Names and production days may be written
        # otherwise when a remittance is made again.
        envelope = remittance.Remittance(
            remittance.Payer(payer_id),
            remittance.Payee(parsed.payee.provider_id),
            parsed.trace_number,
            parsed.paid_on,
            parsed.total_cents,
            method="",
            claims=(),
            provider_adjustments=parsed.provider_adjustments,
        )
        claims, unidentified, occurrences = [], [], dict[tuple[str, str], int]()
        for number, paid in enumerate(parsed.claims, 1):
            if paid.patient is None:
                unidentified.append(number)
                continue
            person_id, identify = self._person(payer_id, paid.patient)
            adjudication = paid.adjudication
            claim_id, status_code = self._claim_id(payer_id, paid.numbers, person_id), adjudication.status_code
            occurrence = occurrences[claim_id, status_code] = occurrences.get((claim_id, status_code), 0) + 1
            post = claim.Post(
                content=ids.content(paid),
                person=person_id,
                payer_id=payer_id,
                remittance=stream,
                day=parsed.paid_on,
                adjudication=adjudication,
                personal=paid.numbers,
                occurrence=occurrence,
                source=message.source,
                bill=self._bill(parsed.payee.provider_id, paid.numbers, paid.patient, service_day(adjudication)),
            )
            claims.append(self._item(number, claim_id, post, identify))
        balances = tuple(
            ids.stream("balance", payer_id, parsed.payee.provider_id, each.reason, each.reference)
            if each.reason in remittance.CARRIED
            else None
            for each in parsed.provider_adjustments
        )
        alone = msgspec.structs.replace(parsed, claims=())
        receive = remittance.Receive(alone, len(parsed.claims), ids.content(envelope), message.source, balances)
        raw = _Once(understood.raw)
        return Unit(message.source, message.format, understood.where, raw, stream, receive, claims, unidentified)

    def _notice(self, message: Message, understood: Understood, notice: claim.Notice) -> Unit:
        person_id, identify = self._person(notice.payer_id, notice.patient)
        stream = self._claim_id(notice.payer_id, notice.numbers, person_id)
        said, content = notice.said, self._ids.content(notice)
        served_on = service_day(said.adjudication) if isinstance(said, claim.Decided) else said.service_from
        bill = self._bill(notice.billing_provider_id, notice.numbers, notice.patient, served_on)
        command: claim.Post | claim.Report
        if isinstance(said, claim.Decided):
            command = claim.Post(
                content=content,
                person=person_id,
                payer_id=notice.payer_id,
                remittance=None,
                day=said.on,
                adjudication=said.adjudication,
                personal=notice.numbers,
                occurrence=said.sequence,
                source=message.source,
                bill=bill,
            )
        else:
            command = claim.Report(
                content=content,
                person=person_id,
                payer_id=notice.payer_id,
                source=message.source,
                bill=bill,
                personal=notice.numbers,
                said=said,
            )
        items = [self._item(1, stream, command, identify)]
        return Unit(message.source, message.format, understood.where, understood.raw, stream, claims=items)

    def _item(
        self, number: int, stream: StreamId, command: claim.Post | claim.Report, identify: person.Identify
    ) -> ClaimItem:
        event = claim.event_of(command)
        bill, said = command.bill or stream, None
        encoded: Encoded | claim.Refusal
        if isinstance(event, claim.Refusal):
            encoded = event
        else:
            encoded = self._mapper.encode(event)
            said = claim.said_by(event) if self._accounts else None
        identity, content = command.identity, command.content
        return ClaimItem(number, stream, bill, command.person, identify, identity, content, encoded, said)

    def _claim_id(self, payer_id: str, numbers: ClaimNumbers, person_id: StreamId) -> StreamId:
        if numbers.payer_claim_number:
            return self._ids.stream("claim", payer_id, "payer", numbers.payer_claim_number, person_id)
        return self._ids.stream("claim", payer_id, "provider", numbers.patient_control_number, person_id)

    def _bill(self, provider_id: str, numbers: ClaimNumbers, patient: Names, served_on: date | None) -> StreamId:
        """One id for what every payer of the same services is told: the provider's own number of it comes back from
        all of them (CLP01), but a provider may use it for another patient or another day."""
        day = served_on.isoformat() if served_on else ""
        return self._ids.stream("bill", provider_id, numbers.patient_control_number, folded(patient.given_name), day)

    def _person(self, payer_id: str, names: Names) -> tuple[StreamId, person.Identify]:
        known = self._persons.get((payer_id, names))
        if known is None:
            stream = person_of(self._ids, payer_id, names)
            known = stream, identify_of(self._ids, payer_id, names)
            if len(self._persons) >= HEADS_MAX:
                self._persons.clear()
            self._persons[payer_id, names] = known
        return known
