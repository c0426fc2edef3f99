"""The premiums of a contract: what is open, and where coverage stands, whatever the order in which it was said."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import premium
from domain.chart import Account, Posting
from domain.facts import StreamId
from domain.money import Money
from domain.premium import (
    Contract,
    Kind,
    Numbers,
    PremiumEvent,
    PremiumPaid,
    Premiums,
    Record,
    Refusal,
    Said,
    Standing,
    balances,
    premiums,
    said_by,
)


def day(month: int, number: int = 1) -> date:
    return date(2026, month, number)


def said(kind: Kind, on: date, **what: Any) -> Said:
    given = Said(kind, on, **what)
    return Said(kind, on, content=repr(given), **what)


def invoice(month: int, cents: int = 30_000, grace_days: int = 31, name: str = "", on: date | None = None) -> Said:
    """Due on the first day of the month that it is for."""
    return said(
        Kind.INVOICED,
        on or date(2025, 12, 15),
        invoice=StreamId(name or f"of month {month}"),
        amount_cents=Money(cents),
        period_from=day(month),
        period_to=day(month, 28),
        due_on=day(month),
        grace_days=grace_days,
    )


def voided(month: int, on: date) -> Said:
    return said(Kind.INVOICE_VOIDED, on, invoice=StreamId(f"of month {month}"), reason="rate")


def paid(name: str, on: date, cents: int = 30_000, month: int | None = None) -> Said:
    meant_for = None if month is None else StreamId(f"of month {month}")
    return said(Kind.PAID, on, payment=StreamId(name), amount_cents=Money(cents), invoice=meant_for)


def returned(name: str, on: date) -> Said:
    return said(Kind.PAYMENT_RETURNED, on, payment=StreamId(name), reason="R01")


def lapsed(on: date) -> Said:
    return said(Kind.LAPSED, on, reason="nonpayment")


def reinstated(on: date) -> Said:
    return said(Kind.REINSTATED, on, reason="paid_in_full")


def record(what: Said) -> Record:
    numbers = Numbers("C1", what.invoice or "", what.payment or "")
    return Record(account=StreamId("account"), payer_id="P", source="s", personal=numbers, said=what)


def recorded(*facts: Said) -> tuple[Contract, list[PremiumEvent]]:
    """One after the other, from the first."""
    state, events = premium.INITIAL, list[PremiumEvent]()
    for fact in facts:
        decided = premium.decide(state, record(fact))
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = premium.evolve(state, event)
            events.append(event)
    return state, events


def booked(events: Iterable[PremiumEvent]) -> dict[Account, int]:
    """The balances by the postings alone."""
    total = Counter[Account]()
    for event in events:
        for posting in event.postings:
            assert posting.cents > 0
            total[posting.source] -= posting.cents
            total[posting.destination] += posting.cents
    return {name: total[name] for name in (Account.PREMIUM_BILLED, Account.PREMIUM_OWED, Account.PREMIUM_PAID)}


def open_cents(stands: Premiums) -> list[int]:
    return [each.open_cents for each in stands.invoices]


# --- decide


def test_what_is_said_becomes_the_event_that_says_it() -> None:
    fact = paid("p", day(1), 500, month=1)
    state, [event] = recorded(fact)
    assert isinstance(event, PremiumPaid)
    assert (event.on, event.amount_cents, event.invoice, event.source) == (day(1), 500, "of month 1", "s")
    assert state.said == (fact,)


def test_the_same_again_is_nothing_and_otherwise_a_conflict() -> None:
    facts = (
        invoice(1),
        voided(1, day(1)),
        paid("p", day(1)),
        returned("p", day(2)),
        lapsed(day(3)),
        reinstated(day(4)),
    )
    state, events = recorded(*facts)
    assert [said_by(event) for event in events] == list(facts)
    for fact in facts:
        assert premium.decide(state, record(fact)) == ()
        otherwise = Said(fact.kind, fact.on, "other", fact.invoice, fact.payment)
        assert premium.decide(state, record(otherwise)) is Refusal.CONFLICT


# --- what is open


def test_a_payment_goes_to_the_invoice_that_it_names() -> None:
    state, _ = recorded(invoice(1), invoice(2), paid("p", day(1), month=2))
    assert open_cents(premiums(state, day(3))) == [30_000, 0]


def test_a_payment_that_names_none_goes_to_the_oldest_open_one_and_on_to_the_next() -> None:
    state, _ = recorded(invoice(3), invoice(1), invoice(2), paid("p", day(1), 40_000))
    assert open_cents(premiums(state, day(3))) == [0, 20_000, 30_000]


def test_what_is_too_much_is_a_credit_until_the_next_invoice_takes_it() -> None:
    early = invoice(1), paid("p", day(1), 50_000, month=1)
    stands = premiums(recorded(*early)[0], day(3))
    assert (open_cents(stands), stands.credit_cents) == ([0], 20_000)
    stands = premiums(recorded(*early, invoice(2))[0], day(3))
    assert (open_cents(stands), stands.credit_cents) == ([0, 10_000], 0)


def test_a_payment_of_a_voided_invoice_is_a_credit() -> None:
    state, events = recorded(invoice(1), paid("p", day(1), month=1), voided(1, day(2)))
    assert premiums(state, day(3))[2:] == ((), 30_000)
    assert booked(events)[Account.PREMIUM_OWED] == -30_000


def test_a_return_takes_back_exactly_what_its_payment_brought() -> None:
    before = invoice(1), invoice(2), paid("other", day(1), 10_000)
    state, events = recorded(*before, paid("p", day(1), 45_000), returned("p", day(2)))
    assert open_cents(premiums(state, day(3))) == open_cents(premiums(recorded(*before)[0], day(3)))
    assert events[-1].postings == (Posting(Account.PREMIUM_PAID, Account.PREMIUM_OWED, Money(45_000)),)


@pytest.mark.parametrize("facts", [(returned("p", day(2)), paid("p", day(1))), (voided(1, day(2)), invoice(1))])
def test_what_is_taken_back_before_it_comes_moves_nothing(facts: tuple[Said, ...]) -> None:
    assert [event.postings for event in recorded(*facts)[1]] == [(), ()]


def test_only_what_was_said_to_have_happened_by_a_day_counts_on_it() -> None:
    state, _ = recorded(returned("p", day(2)), invoice(1), paid("p", day(1, 10)), invoice(2, on=day(1, 20)))
    assert open_cents(premiums(state, day(1, 9))) == [30_000]
    assert open_cents(premiums(state, day(1, 10))) == [0]
    assert open_cents(premiums(state, day(1, 20))) == [0, 30_000]
    assert open_cents(premiums(state, day(2))) == [30_000, 30_000]


# --- where it stands


@pytest.mark.parametrize(
    ("on", "standing"),
    [
        (day(3, 31), Standing.DUE),
        (day(4, 1), Standing.DUE),
        (day(4, 2), Standing.IN_GRACE),
        (day(5, 2), Standing.IN_GRACE),
        (day(5, 3), Standing.PAST_DUE),
        (day(12), Standing.PAST_DUE),
    ],
)
def test_an_open_premium_is_due_then_in_grace_then_past_due(on: date, standing: Standing) -> None:
    stands = premiums(recorded(invoice(4))[0], on)
    assert (stands.standing, stands.grace_until) == (standing, day(5, 2))


def test_without_grace_it_is_past_due_at_once() -> None:
    stands = premiums(recorded(invoice(4, grace_days=0))[0], day(4, 2))
    assert (stands.standing, stands.grace_until) == (Standing.PAST_DUE, None)


def test_grace_does_not_begin_anew_with_the_next_invoice() -> None:
    state, _ = recorded(*(invoice(month, grace_days=90) for month in (1, 2, 3, 4)))
    assert premiums(state, day(4, 1))[:2] == (Standing.IN_GRACE, day(4, 1))
    assert premiums(state, day(4, 2))[:2] == (Standing.PAST_DUE, day(4, 1))


def test_invoices_of_one_day_are_taken_in_the_order_of_their_ids_and_not_of_arrival() -> None:
    first, second, payment = invoice(1, 100, name="I-1"), invoice(1, 100, name="I-2"), paid("p", day(1), 150)
    for told in ((first, second, payment), (second, payment, first)):
        invoices = premiums(recorded(*told)[0], day(1)).invoices
        assert [(each.said.invoice, each.open_cents) for each in invoices] == [("I-1", 0), ("I-2", 50)]


def test_what_is_paid_is_paid_up() -> None:
    assert premiums(recorded(invoice(4), paid("p", day(4, 20)))[0], day(4, 20))[:2] == (Standing.PAID_UP, None)
    assert premiums(premium.INITIAL, day(4)).standing is Standing.PAID_UP
    one_of_two = premiums(recorded(invoice(4), invoice(5), paid("p", day(4)))[0], day(5))
    assert [each.standing(day(5)) for each in one_of_two.invoices] == [Standing.PAID_UP, Standing.DUE]


def test_coverage_lapses_when_the_plan_says_so_and_not_before() -> None:
    state, _ = recorded(invoice(1), lapsed(day(6)))
    assert premiums(state, day(5, 31)).standing is Standing.PAST_DUE
    stands = premiums(state, day(6))
    assert (stands.standing, stands.invoices[0].standing(day(6))) == (Standing.LAPSED, Standing.PAST_DUE)
    assert stands.grace_until == day(2)


def test_a_reinstatement_holds_until_the_next_premium_falls_due() -> None:
    state, _ = recorded(invoice(1), invoice(3), lapsed(day(3)), reinstated(day(3)), invoice(4))
    assert premiums(state, day(3)).standing is Standing.REINSTATED
    assert premiums(state, day(3, 31)).standing is Standing.REINSTATED
    assert premiums(state, day(4)).standing is Standing.PAST_DUE
    assert premiums(recorded(*state.said, paid("p", day(4), 90_000))[0], day(4)).standing is Standing.PAID_UP
    assert premiums(recorded(*state.said, lapsed(day(5)))[0], day(5)).standing is Standing.LAPSED


# --- any order

months = st.integers(1, 6)
days = st.dates(date(2025, 12, 1), day(9, 28))
cents = st.integers(1, 90_000)
names = st.sampled_from(["a", "b", "c", "d"])
facts = st.one_of(
    st.builds(invoice, months, cents, st.sampled_from([0, 31, 90]), on=days),
    st.builds(voided, months, days),
    st.builds(paid, names, days, cents, st.none() | months),
    st.builds(returned, names, days),
    st.builds(lapsed, days),
    st.builds(reinstated, days),
)
histories = st.lists(facts, max_size=14, unique_by=lambda fact: fact.identity)


@given(histories, st.randoms(), days)
def test_any_order_ends_in_the_same(told: Sequence[Said], chance: random.Random, on: date) -> None:
    shuffled = list(told) * 2
    chance.shuffle(shuffled)
    (one, events), (other, others) = recorded(*told), recorded(*shuffled)
    assert premiums(one, on) == premiums(other, on)
    assert booked(events) == booked(others) == balances(one.said)


@given(histories, days)
def test_sums_hold(told: Sequence[Said], on: date) -> None:
    state, events = recorded(*told)
    total, stands = balances(state.said), premiums(state, date.max)
    assert booked(events) == total
    assert sum(total.values()) == 0
    assert total[Account.PREMIUM_BILLED] <= 0 <= total[Account.PREMIUM_PAID]
    assert sum(open_cents(stands)) - stands.credit_cents == total[Account.PREMIUM_OWED]
    for each in premiums(state, on), stands:
        assert all(0 <= invoice.open_cents <= invoice.said.amount_cents for invoice in each.invoices)
        assert not each.credit_cents or not any(open_cents(each))  # no credit stands beside what is open
