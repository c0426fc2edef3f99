"""What was understood, with ids: the stream of every fact, the identity of everything that is said, keyed hashes.

Computed once for each message; where another writer was faster, only loading and deciding are done again.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple, assert_never

import msgspec

from application.ids import Ids
from application.mapper import Encoded, Mapper
from application.ports import Message, Understood
from application.unit_of_work import HEADS_MAX, Chapter
from domain import (
    claim,
    consent,
    coverage,
    directory,
    enrolment,
    identity,
    payment,
    person,
    plan,
    plan_change,
    premium,
    remittance,
    schedule,
    settlement,
    sign_in,
)
from domain.adjudication import ClaimNumbers, service_day
from domain.facts import Fact, StreamId
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


class Member(NamedTuple):
    """All whom a payer knows under one number."""

    payer_id: str
    member_id: str


class Entry(NamedTuple):
    """What a message says of one stream, whose chapter decides by itself what of it is news."""

    stream: StreamId
    chapter: Chapter
    command: Fact
    subject: StreamId | None = None
    """Whose key seals what is personal, where anything is"""
    member: Member | None = None
    """Of a payment: whose bills it may pay"""
    persons: Sequence[tuple[StreamId, person.Command]] = ()
    """What it tells of persons, recorded with it where it is news"""
    plan: StreamId | None = None
    """Of a request to change plans: the plan that is asked for, which the decision looks at"""


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


def account_of(ids: Ids, payer_id: str, member_id: str) -> StreamId:
    """The account of all whom a payer knows under one member's number."""
    return ids.stream("account", payer_id, _folded(member_id))


def coverage_stream(ids: Ids, payer_id: str, member_id: str) -> StreamId:
    """The coverage of all whom a payer knows under one member's number."""
    return ids.stream("coverage", payer_id, _folded(member_id))


def plan_stream(ids: Ids, payer_id: str, plan_id: str) -> StreamId:
    return ids.stream("plan", payer_id, plan_id)


def person_of(ids: Ids, payer_id: str, names: Names) -> StreamId:
    """A person as a payer knows them."""
    return ids.stream("person", payer_id, _folded(names.member_id), _folded(names.given_name))


def payment_entry(ids: Ids, source: str, notice: payment.PaymentNotice) -> Entry:
    """What is said of one payment."""
    payer_id, references = notice.payer_id, notice.references
    payment_id, account = references.payment_id, account_of(ids, payer_id, notice.member_id)

    def opaque(kind: str, *number: str) -> StreamId | None:
        return ids.stream(kind, payer_id, *number) if all(number) else None

    report = payment.Report(
        content=ids.content(notice),
        payer_id=payer_id,
        account=account,
        source=source,
        personal=references,
        said=notice.said,
        schedule=opaque("schedule", references.schedule_id),
        refund=opaque("refund", payment_id, references.refund_id),
        case=opaque("case", payment_id, references.case_id),
        payout=opaque("payout", references.payout),
    )
    member = Member(payer_id, notice.member_id)
    return Entry(ids.stream("payment", payer_id, payment_id), payment, report, account, member)


def login_of(ids: Ids, portal_id: str, user_name: str) -> StreamId:
    """One account of a portal."""
    return ids.stream("login", portal_id, _folded(user_name))


def sign_in_entry(ids: Ids, source: str, notice: sign_in.Notice, lockout: Policy) -> Entry:
    """What is said of one account of a portal. A user name that the portal does not know is nobody's account: it gets a
    stream of another kind."""
    portal, numbers, personal, whose = notice.portal_id, notice.numbers, notice.personal, notice.member

    def opaque(kind: str, *number: str) -> StreamId | None:
        return ids.stream(kind, *number) if all(number) else None

    said = msgspec.structs.replace(
        notice.said,
        content=ids.content(notice),
        fact=ids.stream("sign_in", portal, numbers.event_id),
        device=opaque("device", portal, numbers.device_id),
        address=opaque("address", portal, personal.address),
        session=opaque("session", portal, numbers.session_id),
        code=opaque("activation_code", portal, numbers.code_id),
        factor_id=opaque("factor", portal, numbers.factor_id),
        other=login_of(ids, numbers.other_portal_id, personal.other_user_name) if numbers.other_portal_id else None,
        about=opaque("sign_in", portal, numbers.about_event_id),
    )
    command = identity.Record(
        portal_id=portal,
        source=source,
        payer_id=whose.payer_id if whose else "",
        account=account_of(ids, whose.payer_id, whose.member_id) if whose else None,
        owner=person_of(ids, whose.payer_id, Names(whose.member_id, given_name=whose.given_name)) if whose else None,
        personal=personal,
        said=said,
        policy=lockout,
    )
    stream = login_of(ids, portal, personal.user_name)
    if said.cause is sign_in.Cause.UNKNOWN_USER:
        stream = ids.stream("unknown_login", stream)
    return Entry(stream, identity, command, stream)


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
            case payment.PaymentNotice():
                entry = payment_entry(self._ids, message.source, understood.said)
            case schedule.ScheduleNotice():
                entry = self._schedule(message.source, understood.said)
            case settlement.BankNotice():
                entry = self._bank_entry(message.source, understood.said)
            case premium.Notice():
                entry = self._premium(message.source, understood.said)
            case coverage.CoverageNotice():
                entry = self._coverage(message.source, understood.said)
            case person.LinkNotice():
                entry = self._join(message.source, understood.said)
            case directory.ProviderNotice():
                entry = self._provider(message.source, understood.said)
            case plan.PlanNotice():
                entry = self._plan(message.source, understood.said)
            case sign_in.Notice():
                entry = sign_in_entry(self._ids, message.source, understood.said, self._lockout)
            case consent.Notice():
                entry = self._consent(message.source, understood.said)
            case _:
                assert_never(understood.said)
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

    def _schedule(self, source: str, notice: schedule.ScheduleNotice) -> Entry:
        ids, payer_id = self._ids, notice.payer_id
        account = account_of(ids, payer_id, notice.member_id)
        report = schedule.Report(
            content=ids.content(notice),
            payer_id=payer_id,
            account=account,
            source=source,
            personal=notice.references,
            said=notice.said,
        )
        return Entry(ids.stream("schedule", payer_id, notice.references.schedule_id), schedule, report, account)

    def _bank_entry(self, source: str, notice: settlement.BankNotice) -> Entry:
        ids, said, payout = self._ids, notice.said, None
        if isinstance(said, settlement.Booked) and said.payout and said.payer_id:
            payout = ids.stream("payout", said.payer_id, said.payout)
        report = settlement.Report(ids.content(notice), notice.bank_account, notice.entry_id, source, said, payout)
        return Entry(ids.stream("bank_entry", notice.bank_account, notice.entry_id), settlement, report)

    def _premium(self, source: str, notice: premium.Notice) -> Entry:
        ids, payer_id, numbers = self._ids, notice.payer_id, notice.numbers
        stream = ids.stream("premium", payer_id, numbers.contract_id)
        said = msgspec.structs.replace(
            notice.said,
            content=ids.content(notice),
            invoice=ids.stream("premium_invoice", stream, numbers.invoice_id) if numbers.invoice_id else None,
            payment=ids.stream("premium_payment", stream, numbers.payment_id) if numbers.payment_id else None,
        )
        command = premium.Record(
            account=account_of(ids, payer_id, notice.member_id),
            payer_id=payer_id,
            source=source,
            personal=numbers,
            said=said,
        )
        return Entry(stream, premium, command, stream)

    def _coverage(self, source: str, notice: coverage.CoverageNotice) -> Entry:
        ids, payer_id, numbers, said = self._ids, notice.payer_id, notice.numbers, notice.said
        stream = coverage_stream(ids, payer_id, notice.member_id)
        told, members = list[tuple[StreamId, person.Command]](), list[enrolment.Covered]()
        for each in notice.individuals:
            person_id, identify = self._person(payer_id, each.names)
            members.append(enrolment.Covered(person_id, each.relationship))
            if each.description is not None:
                describe = person.Describe(payer_id, each.description, ids.content(each.description))
                told += [(person_id, identify), (person_id, describe)]
        of_change = ids.stream("coverage_change", stream, numbers.of_change_id) if numbers.of_change_id else None
        match said:
            case enrolment.Enrolled() | enrolment.DependantAdded() | enrolment.DependantRemoved():
                said = msgspec.structs.replace(said, members=tuple(members))
            case enrolment.Voided():
                said = msgspec.structs.replace(said, change=of_change)
            case plan_change.Compared() | plan_change.Confirmed() | plan_change.Withdrawn():
                said = msgspec.structs.replace(said, request=of_change)
            case enrolment.Terminated() | enrolment.Reinstated() | plan_change.Requested():
                pass
            case _:
                assert_never(said)
        record = coverage.Record(
            content=ids.content(notice),
            change=ids.stream("coverage_change", stream, numbers.change_id),
            at=notice.at,
            payer_id=payer_id,
            source=source,
            personal=numbers,
            said=said,
        )
        asked = plan_stream(ids, payer_id, said.plan_id) if isinstance(said, plan_change.Requested) else None
        return Entry(stream, coverage, record, stream, persons=told, plan=asked)

    def _join(self, source: str, notice: person.LinkNotice) -> Entry:
        stream, _ = self._person(notice.payer_id, notice.names)
        earlier, _ = self._person(notice.payer_id, notice.earlier)
        return Entry(stream, person, person.Join(notice.payer_id, earlier, notice.link, notice.at, source))

    def _provider(self, source: str, notice: directory.ProviderNotice) -> Entry:
        publish = directory.Publish(self._ids.content(notice), source, notice)
        return Entry(self._ids.stream("provider", notice.provider_id), directory, publish)

    def _plan(self, source: str, notice: plan.PlanNotice) -> Entry:
        stream = plan_stream(self._ids, notice.payer_id, notice.plan_id)
        return Entry(stream, plan, plan.Publish(self._ids.content(notice), source, notice))

    def _consent(self, source: str, notice: consent.Notice) -> Entry:
        payer_id, said, viewer = notice.payer_id, notice.said, None
        subject = person_of(self._ids, payer_id, notice.subject)
        if notice.viewer is None:
            stream = self._ids.stream("confidentiality", subject)
        else:
            viewer = person_of(self._ids, payer_id, notice.viewer)
            stream = self._ids.stream("consent", viewer, subject)
        change = self._ids.stream("consent_change", stream, notice.numbers.change_id)
        command = consent.Record(
            payer_id=payer_id,
            person=subject,
            source=source,
            personal=notice.numbers,
            said=msgspec.structs.replace(said, change=change, content=self._ids.content(said)),
            viewer=viewer,
        )
        return Entry(stream, consent, command, subject)

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
        return self._ids.stream("bill", provider_id, numbers.patient_control_number, _folded(patient.given_name), day)

    def _person(self, payer_id: str, names: Names) -> tuple[StreamId, person.Identify]:
        known = self._persons.get((payer_id, names))
        if known is None:
            stream = person_of(self._ids, payer_id, names)
            known = stream, person.Identify(payer_id, names, self._ids.content(names))
            if len(self._persons) >= HEADS_MAX:
                self._persons.clear()
            self._persons[payer_id, names] = known
        return known


def _folded(text: str) -> str:
    return text.strip().upper()
