"""What a member, or somebody for them, asks for: to pay, to have back, to dispute, to be told what is owed."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from application import payments
from application.ahead_of_time import ahead_of_time
from application.commands import Request
from application.entries import Entry, entry_of, payment_entry
from application.ids import Ids
from application.ports import OfOneStream
from application.streams import Member, account_of
from application.unit_of_work import UnitOfWork
from domain import account, comparison, payment, statement
from domain.account_numbers import holds_account_number
from domain.facts import Fact, StreamId
from domain.lockout import Policy
from domain.money import Money
from domain.what_if import Use


class AccountNumber(Exception):
    """Something that was said looks like the number of a card or a bank account, which the ledger never takes."""


class AheadOfTime(Exception):
    """What is said is told to have happened later than now. Its text is the reason for which a message is parked."""


class _Asked(Fact, frozen=True):
    """What tells one request for a statement from another: not what was owed when it was first made."""

    account: StreamId
    day: date
    due_on: date


def said_of(
    ids: Ids, key: str, notice: OfOneStream, lockout: Policy, now: datetime, expected_version: int | None = None
) -> Request:
    """To say what a message may say of one thing: a change of plans, a consent, an enrolment, a plan, a provider, an
    attempt to sign in. Of payments see `payment_of`. The notice comes from the reader of such messages, which knows
    what no text of theirs may hold. Raises AccountNumber by the key, and AheadOfTime."""
    _refuse_account_numbers(key)
    if reason := ahead_of_time(notice, now):
        raise AheadOfTime(reason)
    entry = entry_of(ids, "command", notice, lockout)
    assert entry.member is None, "a payment may pay bills, which are to be loaded for it"
    return Request(key, ids.content(notice), entry, expected_version)


def of_bill(
    ids: Ids, key: str, bill: StreamId, command: account.Command, expected_version: int | None = None
) -> Request:
    """To dispute it, to file evidence, to decide a dispute, to waive an amount. Raises AccountNumber."""
    _refuse_account_numbers(key, command)
    return Request(key, ids.content(command), Entry(bill, account, command), expected_version)


def payment_of(ids: Ids, key: str, notice: payment.PaymentNotice) -> Request:
    """To start one. With the same key it is the same one, at whatever moment it is asked for again.

    Raises AccountNumber.
    """
    _refuse_account_numbers(key, notice)
    entry = payment_entry(ids, "command", notice)
    content = ids.content(msgspec.structs.replace(notice, said=msgspec.structs.replace(notice.said, at=None)))
    return Request(key, content, entry)


def refund_of(
    ids: Ids,
    key: str,
    stream: StreamId,
    known: payment.ReportEvent,
    references: payment.References,
    cents: Money,
    on: date,
) -> Request:
    """To give some of a payment back, of which one event with its references is known. Raises AccountNumber."""
    _refuse_account_numbers(key)
    said = payment.Reported(payment.Kind.REFUNDED, on=on, amount_cents=cents)
    told = payment.References(references.payment_id, refund_id=key)
    report = payment.Report(
        content=ids.content(payment.PaymentNotice(known.payer_id, "", told, said)),
        payer_id=known.payer_id,
        account=known.account,
        source="command",
        personal=told,
        said=said,
        refund=ids.stream("refund", known.payer_id, references.payment_id, key),
    )

    def gives_back(work: UnitOfWork) -> int:
        payments.load_bills_of(work, [stream], [], [])
        return payments.apply(work, stream, [], on)

    return Request(key, report.content, Entry(stream, payment, report, known.account), None, gives_back)


def statement_of(
    work: UnitOfWork, ids: Ids, key: str, member: Member, bills: Sequence[StreamId], day: date, due_on: date
) -> Request:
    """To freeze what is owed of the bills."""
    work.load(dict.fromkeys(bills, account))
    lines = []
    for bill in bills:
        head = work.head(bill)
        if head is not None and bill not in work.unreadable and (cents := account.owed(head.state)):
            lines.append(statement.Line(bill, head.version, cents))
    whose = account_of(ids, *member)
    stream = ids.stream("statement", whose, day.isoformat())
    command = statement.Issue(whose, day, due_on, tuple(lines))
    return Request(key, ids.content(_Asked(whose, day, due_on)), Entry(stream, statement, command))


class Question(Fact, frozen=True):
    """What tells one comparison of plans from another: not what came of it, nor what was known or which day it was by
    then."""

    kind: comparison.Kind
    on: date | None
    """None where today was asked for"""
    known_at: int | None
    """None where all that is known was asked for"""
    is_family: bool | None = None
    """None where it was left to what is known of the member"""
    uses: tuple[Use, ...] = ()
    seen_by: str = ""
    """Personal: it goes into the keyed hash of what is asked, and nowhere else"""


def comparison_of(ids: Ids, key: str, question: Question, command: comparison.Compare) -> Request:
    """To keep what a member is shown, once for the member's key. Raises AccountNumber."""
    _refuse_account_numbers(key)
    stream = ids.stream("comparison", command.account, key)
    entry = Entry(stream, comparison, command)
    return Request(f"{command.account} compare {key}", ids.content(question), entry)


def _refuse_account_numbers(*said: str | Fact) -> None:
    if holds_account_number(said):
        raise AccountNumber


def apply_credits(work: UnitOfWork, streams: Sequence[StreamId], owed: Sequence[StreamId], day: date) -> int:
    """Let payments pay what is owed by now, with what waits of them and what bills have too much of."""
    work.load(dict.fromkeys(streams, payment))
    readable = [stream for stream in streams if stream not in work.unreadable]
    payments.load_bills_of(work, readable, [], [owed])
    return sum(payments.apply(work, stream, owed, day, anew=True) for stream in readable)
