"""Messages that say something of one stream: which stream, and with what command, by opaque ids and keyed hashes."""

from collections.abc import Sequence
from typing import Any, NamedTuple, assert_never

import msgspec

from application.ids import Ids
from application.ports import OfOneStream
from application.streams import Member, account_of, coverage_stream, login_of, person_of, plan_stream
from application.unit_of_work import Chapter, Decider, UnitOfWork
from domain import (
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
    schedule,
    settlement,
    sign_in,
)
from domain.facts import Event, Fact, StreamId
from domain.lockout import Policy
from domain.person import Names


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
    is_lasting: bool = True
    """False where nothing else ever comes to its stream, so that nobody needs to remember it"""

    @property
    def streams(self) -> dict[StreamId, Decider]:
        """All that it is decided by, and all that it may change."""
        persons = dict.fromkeys((person_id for person_id, _ in self.persons), person)
        return {self.stream: self.chapter, **persons, **({} if self.plan is None else {self.plan: plan})}

    @property
    def remembered(self) -> set[StreamId]:
        """Those of its streams whose heads are worth keeping (`Heads`): of persons and of portals' accounts."""
        lasting = self.streams.items() if self.is_lasting else ()
        return {stream for stream, decider in lasting if decider in (identity, person)}

    @property
    def subjects(self) -> set[StreamId]:
        """All whose keys seal anything of it."""
        return {person_id for person_id, _ in self.persons} | ({self.subject} if self.subject else set())

    def decide(self, work: UnitOfWork) -> Any:
        """The events of its own stream, none where all of it is known, or the chapter's refusal, a StrEnum. Its streams
        are loaded."""
        command = self.command
        if self.plan is not None:
            command = msgspec.structs.replace(command, plan=work.state(self.plan, plan))
        return self.chapter.decide(work.state(self.stream, self.chapter), command)

    def record(self, work: UnitOfWork, decided: Sequence[Event]) -> int:
        """Take what was decided into the batch, and what is news of persons with it; how many events that took."""
        work.record(self.stream, self.chapter, *decided)
        return len(decided) + sum(tell(work, *told) for told in (self.persons if decided else ()))


def tell(work: UnitOfWork, person_id: StreamId, told: person.Command) -> int:
    """Record what is news of a person; how many events it took."""
    events = person.decide(work.state(person_id, person), told)
    if events:
        work.record(person_id, person, *events)
    return len(events)


def entry_of(ids: Ids, source: str, notice: OfOneStream, lockout: Policy) -> Entry:
    """What a message says, wherever it was read."""
    match notice:
        case payment.PaymentNotice():
            return payment_entry(ids, source, notice)
        case schedule.ScheduleNotice():
            return _schedule(ids, source, notice)
        case settlement.BankNotice():
            return _bank_entry(ids, source, notice)
        case premium.Notice():
            return _premium(ids, source, notice)
        case coverage.CoverageNotice():
            return _coverage(ids, source, notice)
        case person.LinkNotice():
            return _join(ids, source, notice)
        case directory.ProviderNotice():
            return _provider(ids, source, notice)
        case plan.PlanNotice():
            return _plan(ids, source, notice)
        case sign_in.Notice():
            return _sign_in(ids, source, notice, lockout)
        case consent.Notice():
            return _consent(ids, source, notice)
        case _:
            assert_never(notice)


def identify_of(ids: Ids, payer_id: str, names: Names) -> person.Identify:
    return person.Identify(payer_id, names, ids.content(names))


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


def _sign_in(ids: Ids, source: str, notice: sign_in.Notice, lockout: Policy) -> Entry:
    """What is said of one account of a portal.

    A user name that the portal does not know is nobody's account, and may be a password: it is not kept, and each
    attempt has a stream of its own, so that whoever tries one after the other makes no keys and nothing to remember.
    """
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
        about=StreamId(numbers.about_fact_id) or opaque("sign_in", portal, numbers.about_event_id),
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
    if said.cause is not sign_in.Cause.UNKNOWN_USER:
        return Entry(stream, identity, command, stream)
    said = msgspec.structs.replace(said, unknown=ids.stream("unknown_login", stream))
    nobody = identity.Record(portal_id=portal, source=source, said=said, policy=lockout)
    return Entry(ids.stream("unknown_login", said.fact), identity, nobody, is_lasting=False)


def _schedule(ids: Ids, source: str, notice: schedule.ScheduleNotice) -> Entry:
    payer_id = notice.payer_id
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


def _bank_entry(ids: Ids, source: str, notice: settlement.BankNotice) -> Entry:
    said, payout = notice.said, None
    if isinstance(said, settlement.Booked) and said.payout and said.payer_id:
        payout = ids.stream("payout", said.payer_id, said.payout)
    report = settlement.Report(ids.content(notice), notice.bank_account, notice.entry_id, source, said, payout)
    return Entry(ids.stream("bank_entry", notice.bank_account, notice.entry_id), settlement, report)


def _premium(ids: Ids, source: str, notice: premium.Notice) -> Entry:
    payer_id, numbers = notice.payer_id, notice.numbers
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


def _coverage(ids: Ids, source: str, notice: coverage.CoverageNotice) -> Entry:
    payer_id, numbers, said = notice.payer_id, notice.numbers, notice.said
    stream = coverage_stream(ids, payer_id, notice.member_id)
    told, members = list[tuple[StreamId, person.Command]](), list[enrolment.Covered]()
    for each in notice.individuals:
        person_id = person_of(ids, payer_id, each.names)
        members.append(enrolment.Covered(person_id, each.relationship))
        if each.description is not None:
            describe = person.Describe(payer_id, each.description, ids.content(each.description), notice.at)
            told += [(person_id, identify_of(ids, payer_id, each.names)), (person_id, describe)]
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


def _join(ids: Ids, source: str, notice: person.LinkNotice) -> Entry:
    """Whom nothing has named yet is known from then on: a new card shows what was before at once."""
    payer_id = notice.payer_id
    stream, earlier = (person_of(ids, payer_id, names) for names in (notice.names, notice.earlier))
    named = msgspec.structs.replace(identify_of(ids, payer_id, notice.names), only_if_unnamed=True)
    join = person.Join(payer_id, earlier, notice.link, notice.at, source)
    return Entry(stream, person, join, persons=[(stream, named)])


def _provider(ids: Ids, source: str, notice: directory.ProviderNotice) -> Entry:
    publish = directory.Publish(ids.content(notice), source, notice)
    return Entry(ids.stream("provider", notice.provider_id), directory, publish)


def _plan(ids: Ids, source: str, notice: plan.PlanNotice) -> Entry:
    stream = plan_stream(ids, notice.payer_id, notice.plan_id)
    return Entry(stream, plan, plan.Publish(ids.content(notice), source, notice))


def _consent(ids: Ids, source: str, notice: consent.Notice) -> Entry:
    payer_id, said, viewer = notice.payer_id, notice.said, None
    subject = person_of(ids, payer_id, notice.subject)
    if notice.viewer is None:
        stream = ids.stream("confidentiality", subject)
    else:
        viewer = person_of(ids, payer_id, notice.viewer)
        stream = ids.stream("consent", viewer, subject)
    change = ids.stream("consent_change", stream, notice.numbers.change_id)
    command = consent.Record(
        payer_id=payer_id,
        person=subject,
        source=source,
        personal=notice.numbers,
        said=msgspec.structs.replace(said, change=change, content=ids.content(said)),
        viewer=viewer,
    )
    return Entry(stream, consent, command, subject)
