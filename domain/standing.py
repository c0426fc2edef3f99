"""Where a claim stands: two views of its money, both derived from the set of all that was said of it.

**Cash** is what moved: every adjudication, reversal and correction of a remittance counts. **Final action** is the
last word on the claim. Last means by the payer's own days, never by arrival, so any order of arrival ends in the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from domain.adjudication import PAYER_SEQUENCE, Status
from domain.claim import Claim, Kind, Said
from domain.facts import StreamId
from domain.money import ZERO, Money

POSTED = frozenset({Kind.ADJUDICATED, Kind.REVERSED, Kind.FORWARDED, Kind.PREDETERMINED})
_MONEY = frozenset({Kind.ADJUDICATED, Kind.REVERSED})
OBJECTIONS = frozenset({Kind.DISPUTED, Kind.APPEALED, Kind.APPEAL_DECIDED})
"""They run beside the claim's status and do not change it: an overturned denial is a denial until it is corrected"""

APPEAL_DAYS = 180
"""From the notice of an adverse decision to its appeal, at least: 29 CFR 2560.503-1(h)(3)(i)"""

_STATUS_OF_REPORT = {
    Kind.RECEIVED: Status.RECEIVED,
    Kind.ACCEPTED: Status.ACCEPTED,
    Kind.REJECTED: Status.REJECTED,
    Kind.PENDED: Status.PENDED,
    Kind.RELEASED: Status.IN_PROCESS,
    Kind.VOIDED: Status.VOIDED,
}


class Standing(NamedTuple):
    status: Status | None
    """None where nothing but an objection is known"""
    awaits: str
    """Pended: an Awaited. Else what the payer's own words leave open: `original`, a reversal whose adjudication has not
    come; `reversal`, a payment stands beside what replaced it"""
    final: int | None
    """Which of the things said is the last posting, counted from 0 in order of arrival"""
    payer_sequence: int
    """1 primary, 2 secondary, 3 tertiary; 0 where no adjudication stands"""
    charge_cents: Money
    paid_cents: Money
    """What this payer pays by the last word"""
    member_cents: Money
    """What the last word leaves to the patient, as the payer states it"""
    cash_cents: Money
    """What remittances moved for this claim, taken together"""
    claim_type: str
    facility_code: str
    service_from: date | None
    service_to: date | None
    bill: StreamId | None
    """The provider's bill, as what tells the first day of service names it: without a day it is another one"""
    processed_on: date | None
    """The day of the last posting"""
    appeal: str
    """`disputed`, `appealed`, else the Outcome of the appeal"""
    appeal_level: int
    appeal_due_on: date | None
    appeal_until: date | None
    """The last day on which a denial can be appealed"""


def standing(claim: Claim) -> Standing:
    """Depends on the set of what was said only; the number in `final` follows the order of arrival."""
    return of_one(claim.said[0]) if len(claim.said) == 1 else of_all(claim.said)


def of_one(said: Said) -> Standing:
    """What `of_all` says where one thing was said, as of most claims; many times faster."""
    kind = said.kind
    stands = said if kind is Kind.ADJUDICATED else None
    is_posted, is_objection = kind in POSTED, kind in OBJECTIONS
    status = None if is_objection else said.status or _STATUS_OF_REPORT[kind]
    awaits = said.detail if status is Status.PENDED else "original" if kind is Kind.REVERSED else ""
    return Standing(
        status=status,
        awaits=awaits,
        final=0 if is_posted else None,
        payer_sequence=PAYER_SEQUENCE.get(said.status_code, 0) if stands else 0,
        charge_cents=Money(abs(said.charge_cents or ZERO)),
        paid_cents=said.paid_cents if stands else ZERO,
        member_cents=said.member_cents if stands else ZERO,
        cash_cents=said.paid_cents if said.is_remitted else ZERO,
        claim_type=said.claim_type,
        facility_code=said.facility_code,
        service_from=said.service_from,
        service_to=None if said.service_from is None else said.service_to,
        bill=said.bill,
        processed_on=said.day if is_posted else None,
        appeal=_appeal(said) if is_objection else "",
        appeal_level=said.level if is_objection else 0,
        appeal_due_on=said.due_on if is_objection else None,
        appeal_until=_appeal_until(said.day) if status in _APPEALABLE else None,
    )


def of_all(all_said: Sequence[Said]) -> Standing:
    taken_back = taken_back_by(all_said)
    ordered = _in_order(all_said, taken_back)
    words = [each for each in ordered if each.kind not in OBJECTIONS]
    postings = [each for each in words if each.kind in POSTED]
    if any(each.kind is not Kind.PREDETERMINED for each in postings):
        words = [each for each in words if each.kind is not Kind.PREDETERMINED]
        postings = [each for each in postings if each.kind is not Kind.PREDETERMINED]
    word = words[-1] if words else None
    last = _last_word(all_said, postings, taken_back)
    if word is not None and word.kind in POSTED and word.kind is not Kind.FORWARDED:
        word = last
    status = None if word is None else word.status or _STATUS_OF_REPORT[word.kind]
    stands = last if last is not None and last.kind is Kind.ADJUDICATED and not _is_voided(words) else None
    # What the last word leaves out, an earlier one may say.
    latest = [
        *([] if last is None else [last]),
        *reversed(postings),
        *(each for each in reversed(ordered) if each.kind not in POSTED),
    ]
    dated = next((each for each in latest if each.service_from is not None), None)
    objection = next((each for each in reversed(ordered) if each.kind in OBJECTIONS), None)
    return Standing(
        status=status,
        awaits=word.detail if word is not None and status is Status.PENDED else _left_open(all_said, taken_back),
        final=None if last is None else all_said.index(last),
        payer_sequence=0 if stands is None else PAYER_SEQUENCE.get(stands.status_code, 0),
        charge_cents=Money(abs(_first(latest, "charge_cents", ZERO))),
        paid_cents=ZERO if stands is None else stands.paid_cents,
        member_cents=ZERO if stands is None else stands.member_cents,
        cash_cents=Money(sum(each.paid_cents for each in all_said if each.is_remitted)),
        claim_type=_first(latest, "claim_type", ""),
        facility_code=_first(latest, "facility_code", ""),
        service_from=None if dated is None else dated.service_from,
        service_to=None if dated is None else dated.service_to,
        bill=_first(latest, "bill", None) if dated is None else dated.bill,
        processed_on=None if last is None else last.day,
        appeal="" if objection is None else _appeal(objection),
        appeal_level=0 if objection is None else objection.level,
        appeal_due_on=None if objection is None else objection.due_on,
        appeal_until=None if last is None or status not in _APPEALABLE else _appeal_until(last.day),
    )


def in_order(claim: Claim) -> list[Said]:
    """Everything that was said, in the order of the payer's days."""
    return _in_order(claim.said, taken_back_by(claim.said))


_APPEALABLE = frozenset({Status.DENIED, Status.PARTIALLY_PAID})


def _appeal_until(day: date) -> date:
    """Payers do write 31 December 9999."""
    return min(day, date.max - timedelta(APPEAL_DAYS)) + timedelta(APPEAL_DAYS)


def _is_voided(words: Sequence[Said]) -> bool:
    """Whether a void comes behind every posting."""
    return next(each for each in reversed(words) if each.kind in POSTED or each.kind is Kind.VOIDED).kind is Kind.VOIDED


def _appeal(objection: Said) -> str:
    return objection.detail if objection.kind is Kind.APPEAL_DECIDED else objection.kind


def _first(said: Iterable[Said], attribute: str, otherwise: Any) -> Any:
    return next((value for each in said if (value := getattr(each, attribute))), otherwise)


def _last_word(said: Sequence[Said], postings: Sequence[Said], taken_back: Mapping[int, int]) -> Said | None:
    """The last posting that counts for the money.

    A reversal and what it takes back cancel out, however late that is: after a double payment the first one stands, and
    a correction stands that was paid before its original was taken back. What was only announced is over once a
    remittance says anything; passing a claim on decides nothing.
    """
    postings = [each for each in postings if each.kind is not Kind.FORWARDED] or postings
    if len(postings) < 2:
        return postings[0] if postings else None
    paid_until = max((each.day for each in postings if each.is_remitted), default=date.min)
    heard = [each for each in postings if each.is_remitted or each.day > paid_until]
    cancelled = {said[at].identity for pair in taken_back.items() for at in pair}
    left = [each for each in heard if each.identity not in cancelled]
    return (left or heard)[-1]


# --- order and reversals


def _in_order(said: Sequence[Said], taken_back: Mapping[int, int]) -> list[Said]:
    # An adjudication stands before the reversals of its day only if one of them takes it back; else it corrects.
    reversed_at_once = {at for by, at in taken_back.items() if said[by].day == said[at].day}
    return [said[at] for at in sorted(range(len(said)), key=lambda at: _place(said[at], at in reversed_at_once))]


def _place(said: Said, reversed_at_once: bool) -> tuple[Any, ...]:
    """By day; reports before postings before voids. Where days do not tell, identities do: always the same way."""
    if said.kind is Kind.VOIDED:
        return said.day, 2, 0, said.identity
    if said.kind not in POSTED:
        return said.day, 0, 0, said.identity
    if said.kind is Kind.REVERSED:
        return said.day, 1, 1, said.identity
    return said.day, 1, 0 if reversed_at_once else 2, said.identity


def taken_back_by(said: Sequence[Said]) -> dict[int, int]:
    """Which adjudication each reversal takes back: one that is not taken back yet, came as it came, is not later, and
    has its amounts negated; the latest of an earlier day, else one of its own day, because what is paid on the day of a
    reversal is rather the correction. A reversal without one waits for its original."""
    numbered = sorted(enumerate(said), key=lambda each: (each[1].day, each[1].identity))
    taken_back: dict[int, int] = {}
    for by, reversal in numbered:
        if reversal.kind is not Kind.REVERSED:
            continue
        fitting = [
            at
            for at, adjudication in numbered
            if adjudication.kind is Kind.ADJUDICATED
            and adjudication.day <= reversal.day
            and adjudication.is_remitted == reversal.is_remitted
            and adjudication.charge_cents == -(reversal.charge_cents or 0)
            and adjudication.paid_cents == -reversal.paid_cents
            and at not in taken_back.values()
        ]
        earlier = [at for at in fitting if said[at].day < reversal.day]
        if fitting:
            taken_back[by] = (earlier or fitting)[-1]
    return taken_back


def _left_open(said: Sequence[Said], taken_back: Mapping[int, int]) -> str:
    paid_until = max((each.day for each in said if each.is_remitted and each.kind in _MONEY), default=date.min)
    for by, each in enumerate(said):
        # One that was only announced is over once a remittance says anything.
        if each.kind is Kind.REVERSED and by not in taken_back and (each.is_remitted or each.day > paid_until):
            return "original"
    stand = [
        each
        for at, each in enumerate(said)
        if each.kind is Kind.ADJUDICATED and each.is_remitted and at not in taken_back.values()
    ]
    # A denial needs no reversal before it is paid after all; a payment does before the claim is denied after all.
    replaced = any(
        each.paid_cents and any(other.day >= each.day and other is not each for other in stand) for each in stand
    )
    return "reversal" if replaced else ""
