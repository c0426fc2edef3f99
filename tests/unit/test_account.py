"""The account of a bill: double entry over all of its claims."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain import account
from domain.account import NOTHING, OWED, Account, Assess, Bill, BillAssessed, Word, balances, decide
from domain.adjudication import Share
from domain.facts import StreamId
from domain.money import ZERO, Money

PRIMARY, SECONDARY, TERTIARY = (StreamId(name) for name in ("primary", "secondary", "tertiary"))


def word(sequence: int, charge: int, paid: int, *share: int, day: int = 1, patient_paid: int = 0) -> Word:
    amounts = Money(charge), Money(paid), Share(*map(Money, share)), Money(patient_paid)
    return Word(sequence, date(2026, 3, day), *amounts)


def assessed(*said: tuple[StreamId, Word]) -> tuple[Bill, list[BillAssessed]]:
    """One after the other, from the first."""
    state, events = account.INITIAL, list[BillAssessed]()
    for claim, each in said:
        for event in decide(state, Assess(claim, each, each.processed_on or date(2026, 3, 30))):
            state = account.evolve(state, event)
            events.append(event)
    return state, events


def booked(events: Iterable[BillAssessed]) -> dict[Account, int]:
    """The balances by the postings alone."""
    total = Counter[Account]()
    for event in events:
        for posting in event.postings:
            total[posting.source] -= posting.cents
            total[posting.destination] += posting.cents
    return {name: total[name] for name in Account}


def owed(bill: Bill) -> int:
    return sum(balances(bill)[name] for name in OWED)


cents = st.integers(0, 50_000)
words = st.builds(
    lambda sequence, day, paid, share, off, patient_paid: word(
        sequence, paid + sum(share) + off, paid, *share, day=day, patient_paid=patient_paid
    ),
    st.integers(1, 3),
    st.integers(1, 28),
    cents,
    st.tuples(cents, cents, cents, cents),
    cents,
    cents,
)
histories = st.lists(st.tuples(st.sampled_from([PRIMARY, SECONDARY, TERTIARY]), words | st.just(NOTHING)), max_size=8)


def test_a_charge_is_split_into_what_is_paid_taken_off_and_owed() -> None:
    bill, events = assessed((PRIMARY, word(1, 20_000, 9_000, 4_000, 1_000)))
    assert balances(bill) == {
        Account.CHARGES: -20_000,
        Account.PLAN_PAID: 9_000,
        Account.ADJUSTMENTS: 6_000,
        Account.DEDUCTIBLE: 4_000,
        Account.COINSURANCE: 1_000,
        Account.COPAYMENT: 0,
        Account.OTHER: 0,
        Account.PATIENT_PAID: 0,
        Account.CREDIT: 0,
    }
    assert booked(events) == balances(bill)


def test_the_member_owes_what_the_last_payer_leaves_and_not_the_sum() -> None:
    primary, secondary = word(1, 50_000, 30_000, 20_000), word(2, 50_000, 15_000, 0, 5_000, day=9)
    bill, events = assessed((PRIMARY, primary), (SECONDARY, secondary))
    assert owed(bill) == 5_000
    assert balances(bill)[Account.PLAN_PAID] == 45_000
    assert balances(assessed((SECONDARY, secondary), (PRIMARY, primary))[0]) == balances(bill)
    assert booked(events) == balances(bill)


def test_what_the_patient_paid_already_is_owed_no_more_and_what_is_too_much_is_credit() -> None:
    def after(patient_paid: int) -> tuple[int, ...]:
        bill, events = assessed((PRIMARY, word(1, 20_000, 10_000, 4_000, 1_000, 2_500, patient_paid=patient_paid)))
        assert booked(events) == balances(bill)
        return tuple(balances(bill)[name] for name in (*OWED, Account.PATIENT_PAID, Account.CREDIT))

    assert after(0) == (4_000, 1_000, 2_500, 0, 0, 0)
    assert after(2_500) == (4_000, 1_000, 0, 0, 2_500, 0)
    assert after(7_000) == (0, 500, 0, 0, 7_000, 0)
    assert after(9_000) == (0, 0, 0, 0, 9_000, -1_500)


def test_what_the_patient_paid_counts_once_however_many_payers_tell_it() -> None:
    told = (PRIMARY, word(1, 50_000, 30_000, 20_000, patient_paid=3_000))
    again = (SECONDARY, word(2, 50_000, 15_000, 5_000, patient_paid=3_000))
    assert owed(assessed(told, again)[0]) == 2_000
    assert owed(assessed(told, (SECONDARY, word(2, 50_000, 15_000, 5_000)))[0]) == 2_000


def test_what_the_patient_paid_is_a_credit_once_the_claim_is_taken_back() -> None:
    paid = word(1, 20_000, 10_000, 4_000, patient_paid=2_500)
    bill, events = assessed((PRIMARY, paid), (PRIMARY, Word(patient_paid_cents=Money(2_500))))
    assert booked(events) == balances(bill)
    assert {name: cents for name, cents in balances(bill).items() if cents} == {
        Account.PATIENT_PAID: 2_500,
        Account.CREDIT: -2_500,
    }


def test_what_is_said_again_changes_nothing() -> None:
    said = (PRIMARY, word(1, 20_000, 9_000, 4_000))
    assert len(assessed(said, said)[1]) == 1
    assert assessed((PRIMARY, NOTHING))[1] == []


def test_a_claim_without_a_word_leaves_what_the_others_say() -> None:
    primary = word(1, 50_000, 30_000, 20_000)
    bill, _ = assessed((PRIMARY, primary), (SECONDARY, word(2, 50_000, 15_000, 5_000)), (SECONDARY, NOTHING))
    assert bill == assessed((PRIMARY, primary))[0]


@given(histories)
def test_every_posting_moves_a_positive_amount_and_together_they_are_the_balances(
    said: Sequence[tuple[StreamId, Word]],
) -> None:
    bill, events = assessed(*said)
    assert all(posting.cents > 0 and posting.source != posting.destination for e in events for posting in e.postings)
    assert booked(events) == balances(bill)
    assert sum(balances(bill).values()) == 0


@given(histories, st.randoms())
def test_the_order_of_the_claims_does_not_matter(said: Sequence[tuple[StreamId, Word]], rng: random.Random) -> None:
    last = list(dict(said).items())
    shuffled = list(last)
    rng.shuffle(shuffled)
    assert balances(assessed(*shuffled)[0]) == balances(assessed(*said)[0])


@given(histories, words)
def test_to_reverse_undoes_exactly_what_was_posted(said: Sequence[tuple[StreamId, Word]], other: Word) -> None:
    before, events = assessed(*said)
    claim = StreamId("another payer's")
    after, more = assessed(*said, (claim, other), (claim, NOTHING))
    assert after == before
    assert booked(more) == booked(events)


@given(histories)
def test_no_account_leaves_its_sign(said: Sequence[tuple[StreamId, Word]]) -> None:
    bill, _ = assessed(*said)
    for name, cents in balances(bill).items():
        assert cents <= ZERO or name not in account.NEVER_POSITIVE
        assert cents >= ZERO or name not in account.NEVER_NEGATIVE
