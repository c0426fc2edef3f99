"""Whole lives of claims from a seed: all that payers say of a claim, from its receipt to its last correction.

A life is the list of its messages in their right order. The same seed gives the same bytes. Claim and trace numbers are
distinct over the lives of one seed, so lives may be mixed, shuffled and repeated.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from samples.catalog import PAYERS
from samples.generator import corrected, reversal
from samples.mix import bad_messages, bulk_messages
from samples.model import Adjustment, Carrier, Claim, Payer, ProviderAdjustment
from samples.telling import ADJUDICATIONS, LATE, REMITTANCES, ClaimKey, Message, Teller

__all__ = [
    "ADJUDICATIONS",
    "REMITTANCES",
    "STORIES",
    "ClaimKey",
    "Life",
    "Message",
    "bad_messages",
    "bulk_messages",
    "life",
    "lives",
]


class Life(NamedTuple):
    """One story of one or more claims that belong together, with its messages in their right order."""

    story: str
    claims: tuple[ClaimKey, ...]
    messages: tuple[Message, ...]


def lives(seed: int, count: int) -> Iterator[Life]:
    """`count` lives, all stories in turn; the seed decides where it begins and everything else."""
    names = list(STORIES)
    for number in range(count):
        yield life(seed, number, names[(seed + number) % len(names)])


def life(seed: int, number: int, story: str) -> Life:
    """One life. `number` (at most 999,999) makes its claim and trace numbers."""
    told = _tell(seed, number, story)
    # Only a payer that sends nothing but payments gets along without numbers of its own.
    if all(message.topic == REMITTANCES for message in told.messages) and told.rng.random() < 0.2:
        told = _tell(seed, number, story, is_numbered=False)
    return Life(story, tuple(told.claims), tuple(told.messages))


def _tell(seed: int, number: int, story: str, *, is_numbered: bool = True) -> Teller:
    teller = Teller(random.Random(f"{seed} {number} {story}"), number, is_numbered=is_numbered)
    STORIES[story](teller)
    return teller


# --- stories: before any payment


def _accepted_and_paid(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.remit(made)


def _accepted(t: Teller, kind: str) -> Claim:
    made = t.claim(kind)
    t.report(made, "received")
    t.later()
    t.report(made, "accepted")
    t.later()
    return made


def _not_decided_yet(t: Teller) -> None:
    made = t.claim()
    t.report(made, "received")
    if t.rng.random() < 0.5:
        t.later()
        t.report(made, "accepted")


def _rejected(t: Teller) -> None:
    made = t.claim()
    t.report(made, "received")
    t.report(made, "rejected", reasons=["A7:562", "A7:507:82"])


def _rejected_then_taken(t: Teller) -> None:
    """The provider mended it and sent it again under the same number."""
    made = t.claim()
    t.report(made, "received")
    t.report(made, "rejected", reasons=["A3:21"])
    t.later()
    t.report(made, "accepted")
    t.later()
    t.remit(made)


def _pended(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.pend(made)


def _pended_twice(t: Teller) -> None:
    made = _accepted(t, "paid")
    for _ in range(2):
        t.pend(made)
        t.later()
        t.report(made, "released")
        t.later()
    t.remit(made)


def _released(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.pend(made)
    t.later()
    t.report(made, "released")


# --- stories: decided and paid


def _first_known_by_its_payment(t: Teller) -> None:
    t.remit(t.claim(t.rng.choice(("paid", "outpatient", "pharmacy", "claim_level", "recoded"))))


def _decided_then_paid(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.decide(made)
    t.later()
    t.remit(made)


def _decided_otherwise_than_paid(t: Teller) -> None:
    """The decision was announced, and the payment says less."""
    made = _accepted(t, "paid")
    t.decide(made)
    t.later()
    t.remit(corrected(t.rng, made, lower=True))


def _decided_only(t: Teller) -> None:
    made = _accepted(t, t.rng.choice(("paid", "denied", "deductible")))
    t.decide(made)


def _decided_withdrawn_and_decided_again(t: Teller) -> None:
    """All of it by word: no money moves."""
    made = t.claim()
    t.decide(made)
    t.later()
    t.decide(reversal(made))
    t.decide(corrected(t.rng, made))


def _zero_paid(t: Teller) -> None:
    t.remit(_accepted(t, "deductible"))


def _denied(t: Teller) -> None:
    made = _accepted(t, "denied")
    if t.rng.random() < 0.5:
        t.decide(made)
        t.later()
    t.remit(made)


def _partially_paid(t: Teller) -> None:
    t.remit(_accepted(t, "partial"))


def _not_recognised(t: Teller) -> None:
    t.remit(t.claim("not_recognised"))


def _nothing_due(t: Teller) -> None:
    """All of the charge is above the fee schedule."""
    made = t.claim()
    lines = tuple(
        replace(line, adjustments=(Adjustment("CO", "45", line.charge_cents),), remarks=()) for line in made.lines
    )
    t.remit(replace(made, lines=lines))


def _paid_late_with_interest(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.later(60)
    trace = t.next_trace()
    t.remit(made, trace=trace, adjustments=[ProviderAdjustment("L6", trace, -t.rng.randint(50, 900))])


def _several_in_one_payment(t: Teller) -> None:
    """Three claims, of which a later payment takes one back and corrects another."""
    first, second, third = (t.claim() for _ in range(3))
    t.report(second, "received")
    t.later()
    t.remit(first, second, third)
    t.later()
    t.remit(reversal(second), corrected(t.rng, second, lower=True), t.large_claim())
    t.later()
    t.report(third, "disputed", by="member")


# --- stories: taken back and corrected


def _paid(t: Teller) -> Claim:
    made = _accepted(t, "paid") if t.rng.random() < 0.5 else t.claim()
    t.remit(made)
    t.later()
    return made


def _corrected_in_one_payment(t: Teller) -> None:
    made = _paid(t)
    t.remit(reversal(made), corrected(t.rng, made), t.large_claim())


def _corrected_in_another_payment(t: Teller) -> None:
    made = _paid(t)
    t.remit(reversal(made), t.large_claim())
    t.later()
    t.remit(corrected(t.rng, made))


def _corrected_before_it_is_taken_back(t: Teller) -> None:
    """The payer pays the correction first and takes the first payment back afterwards."""
    made = _paid(t)
    t.remit(corrected(t.rng, made))
    t.later()
    t.remit(reversal(made), t.large_claim())


def _corrected_for_the_same_money(t: Teller) -> None:
    """Only a reason changes, so that reversal, first decision and correction all have the same amounts."""
    made = _paid(t)
    t.remit(reversal(made), _reasoned_otherwise(made), t.large_claim())


def _reasoned_otherwise(made: Claim) -> Claim:
    def changed(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
        return tuple(a._replace(carc="131") if a.carc == "45" else a for a in adjustments)

    lines = tuple(replace(line, adjustments=changed(line.adjustments)) for line in made.lines)
    return replace(made, lines=lines, frequency="7")


def _corrected_twice(t: Teller) -> None:
    made = t.claim()
    for _ in range(2):
        t.remit(made)
        t.later()
        t.remit(reversal(made), t.large_claim())
        made = corrected(t.rng, made, lower=False)
        t.later(t.rng.randint(0, 9))
    t.remit(made)


def _taken_back(t: Teller) -> None:
    made = _paid(t)
    t.remit(reversal(made), t.large_claim())


def _taken_back_and_paid_as_before(t: Teller) -> None:
    """Reversed by mistake: the same decision once more, and once more taken back."""
    made = t.claim()
    t.remit(made)
    t.later()
    t.remit(reversal(made), t.large_claim())
    t.later()
    t.remit(made)
    t.later()
    t.remit(reversal(made), t.large_claim())


def _never_paid_but_taken_back(t: Teller) -> None:
    """The reversal of a payment that never comes: it waits, and anybody can see that it does."""
    made = t.claim()
    t.report(made, "received")
    t.later()
    t.remit(reversal(made), t.large_claim())


def _paid_twice(t: Teller) -> None:
    """A correction without its reversal: two decisions stand."""
    made = _paid(t)
    t.remit(corrected(t.rng, made))


def _paid_twice_by_mistake(t: Teller) -> None:
    """The same payment once more, which is taken back: the first one stands."""
    made = _paid(t)
    t.remit(made)
    t.later()
    t.remit(reversal(made), t.large_claim())


def _announced_paid_and_taken_back(t: Teller) -> None:
    made = t.claim()
    t.decide(made)
    t.later()
    t.remit(made)
    t.later()
    t.remit(reversal(made), t.large_claim())


def _recovered_later(t: Teller) -> None:
    """What could not be taken back stands as WO, and is settled out of another claim's payment."""
    made = _paid(t)
    owed = made.paid_cents
    t.remit(reversal(made), adjustments=[ProviderAdjustment("WO", made.patient_control, -owed)])
    t.later()
    if t.rng.random() < 0.5:
        settled = t.large_claim()
        t.remit(settled, adjustments=[ProviderAdjustment("WO", made.patient_control, owed)])
    else:
        part = t.claim()
        taken = min(owed - 1, part.paid_cents)
        t.remit(part, adjustments=[ProviderAdjustment("WO", made.patient_control, taken)])


def _refunded(t: Teller) -> None:
    """The provider sent the money back by cheque (72), which offsets the WO."""
    made = _paid(t)
    refund = made.paid_cents
    t.remit(reversal(made), adjustments=[ProviderAdjustment("WO", made.patient_control, -refund)])
    t.later()
    entries = [
        ProviderAdjustment("WO", made.patient_control, refund),
        ProviderAdjustment("72", made.patient_control, -refund),
    ]
    t.remit(t.claim(), adjustments=entries)


def _carried_forward(t: Teller) -> None:
    """A negative total is carried into the next payment under the first one's trace number."""
    made = _paid(t)
    trace = t.next_trace()
    correction = corrected(t.rng, made, lower=True)
    total = correction.paid_cents - made.paid_cents
    t.remit(reversal(made), correction, trace=trace, adjustments=[ProviderAdjustment("FB", trace, total)])
    t.later()
    if t.rng.random() < 0.7:
        t.remit(t.large_claim(), adjustments=[ProviderAdjustment("FB", trace, -total)])


# --- stories: beside the way


def _forwarded(t: Teller) -> None:
    made = t.claim("not_ours")
    t.report(made, "received")
    t.later()
    t.remit(made)


def _forwarded_but_decided_after_all(t: Teller) -> None:
    made = t.claim("not_ours")
    t.remit(made)
    t.later()
    t.remit(_as(made, t.claim()))


def _as(known: Claim, other: Claim) -> Claim:
    """The other claim's services, billed as the known claim."""
    return replace(other, patient_control=known.patient_control, claim_number=known.claim_number, member=known.member)


def _predetermined_then_decided(t: Teller) -> None:
    made = t.claim("predetermination")
    if t.rng.random() < 0.5:
        t.remit(made)
    else:
        t.decide(made)
    t.later()
    real = _as(made, t.claim())
    t.report(real, "received")
    t.later()
    t.remit(real)


def _predetermined_only(t: Teller) -> None:
    t.remit(t.claim("predetermination"))


def _voided(t: Teller) -> None:
    made = _accepted(t, "paid")
    t.report(made, "voided")


def _voided_after_it_was_paid(t: Teller) -> None:
    made = _paid(t)
    t.report(made, "voided")
    t.later()
    t.remit(reversal(made), t.large_claim())


def _voided_by_word_alone(t: Teller) -> None:
    """The provider takes the bill back, on the day of its payment: the money stays where it is."""
    made = t.claim()
    t.remit(made)
    t.report(made, "voided")


# --- stories: disputed and appealed


def _disputed(t: Teller) -> None:
    made = _paid(t)
    t.report(made, "disputed", by=t.rng.choice(("member", "provider")))


def _appealed_once(t: Teller) -> None:
    made = t.claim("denied")
    t.remit(made)
    _appeal(t, made, 1, t.rng.choice(("upheld", "withdrawn", "dismissed")))


def _appealed_and_open(t: Teller) -> None:
    made = t.claim("denied")
    t.remit(made)
    _appeal(t, made, 1, "upheld")
    _appeal(t, made, 2, "")


def _appealed_three_times(t: Teller) -> None:
    """Denied, upheld twice; the third level overturns it in part, and the claim is corrected."""
    made = _accepted(t, "denied")
    t.remit(made)
    t.later()
    t.report(made, "disputed", by="member")
    for level, outcome in ((1, "upheld"), (2, "dismissed"), (3, "partly_overturned")):
        _appeal(t, made, level, outcome)
    _overturned(t, made)


def _appealed_and_overturned(t: Teller) -> None:
    made = t.claim("denied")
    t.remit(made)
    _appeal(t, made, 1, "overturned")
    _overturned(t, made)


def _appeal(t: Teller, made: Claim, level: int, outcome: str) -> None:
    t.later()
    by = t.rng.choice(("member", "provider"))
    t.report(made, "appealed", level=level, by=by, due_on=(t.today + timedelta(days=60)).isoformat())
    if outcome:
        t.later()
        t.report(made, "appeal_decided", level=level, outcome=outcome)


def _overturned(t: Teller, denied: Claim) -> None:
    """The denial is taken back and all but a tenth of the charge is paid."""
    t.later()
    lines = tuple(
        replace(line, adjustments=(Adjustment("CO", "45", line.charge_cents // 10),), remarks=())
        for line in denied.lines
    )
    paid = replace(denied, lines=lines, frequency="7", remarks=("MA67",))
    if t.rng.random() < 0.5:
        t.remit(reversal(denied), paid)
    else:
        t.remit(reversal(denied))
        t.later()
        t.remit(paid)


# --- stories: several payers


def _two_payers(t: Teller) -> None:
    first, second = t.rng.sample(PAYERS, 2)
    _primary_then(t, first, second)


def _three_payers(t: Teller) -> None:
    first, second, third = t.rng.sample(PAYERS, 3)
    at_second = _primary_then(t, first, second, third)
    t.remit(t.at_next_payer(at_second, third), payer=third)


def _second_payer_corrects(t: Teller) -> None:
    """It pays less than it did first, so that the member owes more."""
    first, second = t.rng.sample(PAYERS, 2)
    made = _primary_then(t, first, second)
    left = replace(
        made,
        lines=tuple(
            replace(line, adjustments=(*line.adjustments, Adjustment("PR", "2", line.paid_cents)))
            for line in made.lines
        ),
        frequency="7",
    )
    total = left.paid_cents - made.paid_cents
    trace = t.next_trace(second)
    t.remit(
        reversal(made),
        left,
        payer=second,
        trace=trace,
        adjustments=[ProviderAdjustment("FB", trace, total)] * (total < 0),
    )


def _primary_then(t: Teller, first: Payer, second: Payer, third: Payer | None = None) -> Claim:
    """Paid by the first and by the second payer; the latter's claim."""
    t.payer = first
    made = _bearing(t.claim(t.rng.choice(("deductible", "paid"))))
    forwards = t.rng.random() < 0.5
    t.remit(_forwarding(made, second) if forwards else made, payer=first)
    t.later()
    at_second = t.at_next_payer(made, second)
    if third is None and t.rng.random() < 0.5:
        t.report(at_second, "received", payer=second)
    t.later()
    t.remit(_forwarding(at_second, third) if forwards and third else at_second, payer=second)
    t.later()
    return at_second


def _bearing(made: Claim) -> Claim:
    """The patient bears something, so that there is something left for the next payer."""
    if made.patient_cents:
        return made
    first, *rest = made.lines
    share = Adjustment("PR", "2", first.paid_cents // 5 + 1)
    return replace(made, lines=(replace(first, adjustments=(*first.adjustments, share)), *rest))


def _forwarding(made: Claim, to: Payer) -> Claim:
    """The same decision, passed on: 19 for 1, 20 for 2."""
    carrier = Carrier(to.name, to.payer_id)
    return replace(made, status={"1": "19", "2": "20"}[made.status], remarks=("MA18",), forwarded_to=carrier)


# --- stories: all on one day


def _all_in_a_day(t: Teller) -> None:
    made = t.claim("pharmacy")
    t.report(made, "received")
    t.report(made, "accepted")
    t.decide(made)
    t.remit(made)
    t.report(made, "released", at=LATE)


def _corrected_on_the_day_of_its_payment(t: Teller) -> None:
    """Paid, taken back and corrected by three payments of one day."""
    made = t.claim()
    t.remit(made)
    t.remit(reversal(made), t.large_claim())
    t.remit(corrected(t.rng, made))


def _reported_late_in_the_evening(t: Teller) -> None:
    """A report of the payment's own day, which is the next day already in UTC: the payment has the last word."""
    made = t.claim()
    t.report(made, "received")
    t.remit(made)
    t.report(made, "accepted", at=LATE)


def _said_with_other_words(t: Teller) -> None:
    """The same payment once more with another reason for one amount: a conflict, which is parked."""
    made = t.claim()
    trace = t.next_trace()
    for each in (made, _reasoned_otherwise(made)):
        t.remit(each, trace=trace)


def _muddled(t: Teller) -> None:
    """Anything, in any order, as no payer should ever do it."""
    made = paid = t.claim()
    for _ in range(t.rng.randint(3, 8)):
        t.later(t.rng.randint(1, 3))
        match t.rng.choice(("report", "pend", "pay", "decide", "reverse", "withdraw", "correct", "beside", "object")):
            case "report":
                t.report(made, t.rng.choice(("received", "accepted", "released", "voided")))
            case "pend":
                t.pend(made)
            case "pay":
                t.remit(paid)
            case "decide":
                t.decide(paid)
            case "reverse":
                t.remit(reversal(paid), t.large_claim())
            case "withdraw":
                t.decide(reversal(paid))
            case "correct":
                paid = corrected(t.rng, paid) if paid.paid_cents else made
                t.remit(paid)
            case "beside":
                t.remit(_as(made, t.claim(t.rng.choice(("not_ours", "predetermination")))))
            case "object":
                t.report(made, "disputed", by="member")


Story = Callable[[Teller], None]

STORIES: dict[str, Story] = {
    story.__name__.lstrip("_"): story
    for story in (
        _accepted_and_paid,
        _not_decided_yet,
        _rejected,
        _rejected_then_taken,
        _pended,
        _pended_twice,
        _released,
        _first_known_by_its_payment,
        _decided_then_paid,
        _decided_otherwise_than_paid,
        _decided_only,
        _decided_withdrawn_and_decided_again,
        _zero_paid,
        _denied,
        _partially_paid,
        _not_recognised,
        _nothing_due,
        _paid_late_with_interest,
        _several_in_one_payment,
        _corrected_in_one_payment,
        _corrected_in_another_payment,
        _corrected_before_it_is_taken_back,
        _corrected_for_the_same_money,
        _corrected_twice,
        _taken_back,
        _taken_back_and_paid_as_before,
        _never_paid_but_taken_back,
        _paid_twice,
        _paid_twice_by_mistake,
        _announced_paid_and_taken_back,
        _recovered_later,
        _refunded,
        _carried_forward,
        _forwarded,
        _forwarded_but_decided_after_all,
        _predetermined_then_decided,
        _predetermined_only,
        _voided,
        _voided_after_it_was_paid,
        _voided_by_word_alone,
        _disputed,
        _appealed_once,
        _appealed_and_open,
        _appealed_three_times,
        _appealed_and_overturned,
        _two_payers,
        _three_payers,
        _second_payer_corrects,
        _all_in_a_day,
        _corrected_on_the_day_of_its_payment,
        _reported_late_in_the_evening,
        _said_with_other_words,
        _muddled,
    )
}
"""Every kind of life, by name."""
