"""What a payment pays: in the same batch in which it posts, its bills take their parts of it; or later, on request.

What a payment was made for gets it, and no other bill; where nothing was chosen, the oldest bills of which anything is
owed. What is left waits as the member's credit. Where less is collected than bills have, as after a return, they give
back what they got last.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

from application.entries import Entry
from application.streams import Member
from application.unit_of_work import Decider, UnitOfWork
from domain import account, claim, payment, statement
from domain.chart import Account
from domain.facts import StreamId
from domain.money import ZERO, Money
from domain.standing import standing


class Bills(Protocol):
    def owed_by(self, members: Collection[Member]) -> Mapping[Member, Sequence[StreamId]]:
        """The bills of which anything is owed, those of the oldest services first. As far as they are projected: what
        is owed by now is looked up in the log."""


def load(work: UnitOfWork, bills: Bills, entries: Iterable[Entry]) -> Mapping[Member, Sequence[StreamId]]:
    """Everything that `apply` looks at, for payments that are loaded; and the bills of which each member owes."""
    paying = [entry for entry in entries if entry.member is not None]
    if not paying:
        return {}
    owed = bills.owed_by({entry.member for entry in paying if entry.member is not None})
    said = [entry.command.said for entry in paying if isinstance(entry.command, payment.Report)]
    chosen = [payment.Chosen(each.claims, each.statements) for each in said]
    load_bills_of(work, [entry.stream for entry in paying], chosen, owed.values())
    return owed


def load_bills_of(
    work: UnitOfWork,
    streams: Iterable[StreamId],
    chosen: Iterable[payment.Chosen],
    owed: Iterable[Sequence[StreamId]],
) -> None:
    """Of payments that are loaded: what they, or messages about them, are for, and all bills that they may pay."""
    states: list[payment.Payment] = [work.state(stream, payment) for stream in streams]
    choices = [*(state.chosen for state in states), *chosen]
    chosen_streams: dict[StreamId, Decider] = {each: claim for choice in choices for each in choice.claims}
    chosen_streams |= {each: statement for choice in choices for each in choice.statements}
    # What the batch has loaded already, for its own claims or another payment, must not be loaded twice.
    work.load({each: decider for each, decider in chosen_streams.items() if work.head(each) is None})
    bills = {bill for state in states for bill, _ in state.allocated}.union(*owed)
    bills.update(*(_chosen(work, choice) for choice in choices))
    work.load({bill: account for bill in bills if work.head(bill) is None})


def apply(work: UnitOfWork, stream: StreamId, owed: Sequence[StreamId], on: date, *, anew: bool = False) -> int:
    """Let bills take their parts of a payment; how many events that took.

    `anew`: bills give back what they have too much of, and what was not chosen may get it.
    """
    state = work.state(stream, payment)
    bills = _chosen(work, state.chosen) or list(owed)
    if anew:
        bills += [bill for bill in owed if bill not in bills]
    keeps = {bill: Money(cents - (min(cents, _credit(work, bill)) if anew else 0)) for bill, cents in state.allocated}
    readable = [bill for bill in bills if bill not in work.unreadable]
    given = payment.allocation(state, keeps, [(bill, account.owed(work.state(bill, account))) for bill in readable])
    recorded, had = 0, dict(state.allocated)
    # What goes back comes first: at no moment is more applied than collected.
    for bill, cents in sorted(given.items(), key=lambda each: each[1] > had.get(each[0], ZERO)):
        if cents != had.get(bill, ZERO) and bill not in work.unreadable:
            work.record(bill, account, *account.apply(work.state(bill, account), account.Apply(stream, cents, on)))
            work.record(stream, payment, payment.allocate(work.state(stream, payment), bill, cents, on))
            recorded += 2
    return recorded


def _chosen(work: UnitOfWork, chosen: payment.Chosen) -> list[StreamId]:
    """The bills of claims and statements, each once."""
    claims = [work.state(each, claim) for each in chosen.claims]
    bills: list[StreamId | None] = [standing(state).bill for state in claims if state.said]
    for each in chosen.statements:
        issued = work.state(each, statement).issued
        bills += [line.bill for line in issued.lines] if issued else []
    return [bill for bill in dict.fromkeys(bills) if bill is not None]


def _credit(work: UnitOfWork, bill: StreamId) -> int:
    return -account.balances(work.state(bill, account))[Account.CREDIT]
