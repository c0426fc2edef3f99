"""The account of a bill: double entry over all of its claims."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import account
from domain.account import NOTHING, Assess, Bill, BillAssessed, Word, balances
from domain.adjudication import Share
from domain.chart import NEVER_NEGATIVE, NEVER_POSITIVE, OWED, Account
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
        for event in account.assess(state, Assess(claim, each, each.processed_on or date(2026, 3, 30))):
            state = account.evolve(state, event)
            events.append(event)
    return state, events


def booked(events: Iterable[account.AccountEvent]) -> dict[Account, int]:
    """The balances by the postings alone."""
    total = Counter[Account]()
    for event in events:
        for posting in getattr(event, "postings", ()):
            total[posting.source] -= posting.cents
            total[posting.destination] += posting.cents
    return {name: total[name] for name in balances(account.INITIAL)}


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
        Account.OWED_BEFORE: 0,
        Account.PATIENT_PAID: 0,
        Account.APPLIED: 0,
        Account.WRITTEN_OFF: 0,
        Account.DISPUTED: 0,
        Account.CREDIT: 0,
        Account.OPENING: 0,
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

    assert after(0) == (4_000, 1_000, 2_500, 0, 0, 0, 0)
    assert after(2_500) == (4_000, 1_000, 0, 0, 0, 2_500, 0)
    assert after(7_000) == (0, 500, 0, 0, 0, 7_000, 0)
    assert after(9_000) == (0, 0, 0, 0, 0, 9_000, -1_500)


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
        assert cents <= ZERO or name not in NEVER_POSITIVE
        assert cents >= ZERO or name not in NEVER_NEGATIVE


# --- what is paid, waived and disputed


PAYMENT, OTHER_PAYMENT = StreamId("payment"), StreamId("another payment")
DAY = date(2026, 4, 1)


def carried_out(*commands: account.Command) -> tuple[Bill, list[account.AccountEvent]]:
    """Those that are not refused."""
    state, events = account.INITIAL, list[account.AccountEvent]()
    for command in commands:
        decided = account.decide(state, command)
        if isinstance(decided, account.Refusal):
            continue
        for event in decided:
            state = account.evolve(state, event)
            events.append(event)
    return state, events


def assess(each: Word, claim: StreamId = PRIMARY) -> Assess:
    return Assess(claim, each, DAY)


def open_(cents: int) -> account.Open:
    return account.Open(StreamId("member"), Money(cents), DAY, "file:1")


def apply(cents: int, payment: StreamId = PAYMENT) -> account.Apply:
    return account.Apply(payment, Money(cents), DAY)


def waive(cents: int, number: str = "1") -> account.WriteOff:
    return account.WriteOff(number, Money(cents), account.WriteOffReason.SMALL_BALANCE, DAY, "agent")


def dispute(cents: int, number: str = "1") -> account.Dispute:
    return account.Dispute(number, Money(cents), account.DisputeReason.WRONG_AMOUNT, DAY, "member")


def resolve(resolution: account.Resolution, number: str = "1") -> account.Resolve:
    return account.Resolve(number, resolution, DAY, "agent")


def left(bill: Bill) -> dict[str, int]:
    """Balances that are not zero, but for the plan's own."""
    plans = (Account.CHARGES, Account.PLAN_PAID, Account.ADJUSTMENTS)
    return {str(name): cents for name, cents in balances(bill).items() if cents and name not in plans}


OWES_50 = assess(word(1, 20_000, 9_000, 4_000, 1_000))


def test_a_payment_goes_from_what_is_owed_to_what_is_applied() -> None:
    bill, (_, paid) = carried_out(OWES_50, apply(4_500))
    assert left(bill) == {"owed.coinsurance": 500, "applied": 4_500}
    assert isinstance(paid, account.PaymentApplied)
    assert [(p.source, p.destination, p.cents) for p in paid.postings] == [
        ("owed.deductible", "applied", 4_000),
        ("owed.coinsurance", "applied", 500),
    ]


def test_an_overpayment_is_a_credit_and_goes_back_by_applying_less() -> None:
    assert left(carried_out(OWES_50, apply(3_000), apply(2_500, OTHER_PAYMENT))[0]) == {
        "applied": 5_500,
        "credit": -500,
    }
    assert left(carried_out(OWES_50, apply(5_500), apply(5_000))[0]) == {"applied": 5_000}
    assert left(carried_out(OWES_50, apply(5_500), apply(0))[0]) == left(carried_out(OWES_50)[0])
    assert len(carried_out(OWES_50, apply(5_500), apply(5_500))[1]) == 2


def test_a_reversal_of_a_paid_claim_leaves_a_credit_and_its_correction_takes_it_up() -> None:
    paid = (OWES_50, apply(5_000))
    assert left(carried_out(*paid, assess(NOTHING))[0]) == {"applied": 5_000, "credit": -5_000}
    corrected = word(1, 20_000, 10_500, 3_500, day=9)
    assert left(carried_out(*paid, assess(NOTHING), assess(corrected))[0]) == {"applied": 5_000, "credit": -1_500}


def test_what_was_owed_before_is_taken_over_once_and_paid_like_everything_else() -> None:
    assert left(carried_out(open_(4_000), open_(4_000))[0]) == {"owed.before": 4_000, "opening": -4_000}
    assert left(carried_out(open_(4_000), apply(4_500))[0]) == {"opening": -4_000, "applied": 4_500, "credit": -500}
    assert account.decide(carried_out(open_(4_000))[0], open_(1)) is account.Refusal.CONFLICT


def test_what_is_disputed_is_held_and_then_waived_or_owed_again() -> None:
    disputed = (OWES_50, dispute(3_000))
    assert left(carried_out(*disputed)[0]) == {"owed.deductible": 1_000, "owed.coinsurance": 1_000, "disputed": 3_000}
    assert left(carried_out(*disputed, resolve(account.Resolution.AGAINST_MEMBER))[0]) == left(carried_out(OWES_50)[0])
    waived = carried_out(*disputed, resolve(account.Resolution.FOR_MEMBER))[0]
    assert left(waived) == {"owed.deductible": 1_000, "owed.coinsurance": 1_000, "written_off": 3_000}


def test_what_was_waived_of_a_claim_that_is_taken_back_is_no_credit() -> None:
    assert left(carried_out(OWES_50, waive(5_000), assess(NOTHING))[0]) == {}
    assert left(carried_out(OWES_50, dispute(5_000), assess(NOTHING))[0]) == {}
    assert left(carried_out(OWES_50, waive(5_000), apply(1_000))[0]) == {"applied": 1_000, "written_off": 4_000}


@pytest.mark.parametrize(
    ("before", "command", "answer"),
    [
        ((), waive(1), account.Refusal.NOTHING_OWED),
        ((OWES_50,), waive(5_001), account.Refusal.NOTHING_OWED),
        ((OWES_50,), waive(0), account.Refusal.NOTHING_OWED),
        ((OWES_50, waive(5_000)), waive(5_000), ()),
        ((OWES_50, waive(100)), waive(200), account.Refusal.CONFLICT),
        ((OWES_50,), dispute(5_001), account.Refusal.NOTHING_OWED),
        ((OWES_50, dispute(5_000)), dispute(5_000), ()),
        ((OWES_50, dispute(5_000)), dispute(1, "2"), account.Refusal.NOTHING_OWED),
        ((OWES_50, dispute(100)), dispute(200), account.Refusal.CONFLICT),
        ((OWES_50,), resolve(account.Resolution.FOR_MEMBER), account.Refusal.UNKNOWN_DISPUTE),
        (
            (OWES_50, dispute(100), resolve(account.Resolution.FOR_MEMBER)),
            resolve(account.Resolution.AGAINST_MEMBER),
            account.Refusal.RESOLVED,
        ),
        ((OWES_50, dispute(100), resolve(account.Resolution.FOR_MEMBER)), resolve(account.Resolution.FOR_MEMBER), ()),
        (
            (OWES_50, dispute(100), resolve(account.Resolution.FOR_MEMBER)),
            account.File("1", account.Evidence.RECEIPT, "doc-1", DAY, "member"),
            account.Refusal.RESOLVED,
        ),
        (
            (OWES_50, dispute(100), account.File("1", account.Evidence.RECEIPT, "doc-1", DAY, "member")),
            account.File("1", account.Evidence.RECEIPT, "doc-1", DAY, "member"),
            (),
        ),
        (
            (OWES_50,),
            account.WriteOff("1", Money(1), account.WriteOffReason.SMALL_BALANCE, DAY, " "),
            account.Refusal.UNEXPLAINED,
        ),
    ],
)
def test_what_is_known_or_refused(
    before: tuple[account.Command, ...], command: account.Command, answer: object
) -> None:
    assert account.decide(carried_out(*before)[0], command) == answer


names = st.sampled_from(["1", "2"])
commands = st.lists(
    st.one_of(
        st.builds(assess, words | st.just(NOTHING), st.sampled_from([PRIMARY, SECONDARY])),
        st.builds(apply, cents, st.sampled_from([PAYMENT, OTHER_PAYMENT])),
        st.builds(waive, cents, names),
        st.builds(dispute, cents, names),
        st.builds(resolve, st.sampled_from(account.Resolution), names),
        st.builds(open_, cents),
    ),
    max_size=12,
)


@given(commands)
def test_whatever_happens_postings_are_the_balances_and_no_account_leaves_its_sign(
    happened: Sequence[account.Command],
) -> None:
    bill, events = carried_out(*happened)
    assert booked(events) == balances(bill)
    assert sum(balances(bill).values()) == 0
    for name, amount in balances(bill).items():
        assert amount <= ZERO or name not in NEVER_POSITIVE
        assert amount >= ZERO or name not in NEVER_NEGATIVE


@given(commands, st.randoms())
def test_what_happened_to_a_bill_comes_to_the_same_in_any_order(
    happened: Sequence[account.Command], rng: random.Random
) -> None:
    """But for what follows from another: the last word of a claim, of a payment, a dispute and its end."""
    _, events = carried_out(*happened)
    by_subject: dict[object, list[account.AccountEvent]] = {}
    for event in events:
        subject = getattr(event, "claim", None) or getattr(event, "payment", None)
        kind = "dispute" if isinstance(event, account.DisputeOpened | account.DisputeResolved) else "waived"
        by_subject.setdefault(subject or (kind, getattr(event, "number", "")), []).append(event)
    turns = [subject for subject, own in by_subject.items() for _ in own]
    rng.shuffle(turns)
    state = account.INITIAL
    for subject in turns:
        state = account.evolve(state, by_subject[subject].pop(0))
    assert balances(state) == balances(carried_out(*happened)[0])


@given(commands, words)
def test_to_reverse_undoes_exactly_what_was_posted_also_after_it_was_paid(
    happened: Sequence[account.Command], other: Word
) -> None:
    claim = StreamId("another payer's")
    before, events = carried_out(*happened)
    after, more = carried_out(*happened, assess(other, claim), assess(NOTHING, claim))
    assert balances(after) == balances(before)
    assert booked(more) == booked(events)
