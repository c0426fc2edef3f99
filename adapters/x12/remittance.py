"""What an 835 transaction set says, in the ledger's terms (005010X221A1; 004010X091A1 says the same with fewer words).

Only syntax is judged here: what is missing, misplaced or not a number. Whether the sums hold is the domain's question.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import NoReturn

from adapters.x12.reader import Fault, Transaction
from domain.adjudication import Adjudication, Adjustment, ClaimNumbers, ClaimPayment, ServiceLine
from domain.money import Money, NotAnAmount, parse
from domain.person import Names
from domain.remittance import Payee, Payer, ProviderAdjustment, Remittance

Segment = list[str]

_EMPTY = ("",) * 10
"""Behind a segment, so that its optional elements can be unpacked where the sender left them out."""

_HEADER = frozenset(["ST", "BPR", "NTE", "TRN", "CUR", "REF", "DTM", "N1", "N2", "N3", "N4", "PER", "RDM"])
_BETWEEN_CLAIMS = frozenset(["LX", "TS3", "TS2"])
_PASSED_OVER = _BETWEEN_CLAIMS | {"NM1", "REF", "DTM", "PER", "QTY", "AMT", "MIA", "MOA"}
"""Segments of a claim or line that may hold nothing the ledger keeps, by their qualifier."""
_BEHIND_CLAIM = frozenset(["CLP", "PLB", "SE"])

_AMOUNTS = {
    "BPR": slice(2, 3),
    "CLP": slice(3, 6),
    "SVC": slice(2, 4),
    "AMT": slice(2, 3),
    "CAS": slice(3, None, 3),
    "PLB": slice(4, None, 2),
}
_DAYS = {"BPR": slice(16, 17), "DTM": slice(2, 3), "PLB": slice(2, 3)}
"""Which elements are amounts and days: read only to find the culprit, once one is known to be bad."""


class _Misplaced(Exception):
    def __init__(self, segment: Segment, where: str) -> None:
        self.segment = segment
        self.where = where


class _NotADay(ValueError):
    pass


class _TooLong(Exception):
    def __init__(self, segment: Segment) -> None:
        self.segment = segment


class _Missing(Exception):
    def __init__(self, segment: Segment, element: str) -> None:
        self.segment = segment
        self.element = element


def understand(transaction: Transaction) -> Remittance:
    """The remittance in one ST … SE. Raises Fault for the first thing that cannot be understood.

    The loops below keep no segment and count none, so that all of a claim happens in the processor's cache. Where they
    fail, the same is read again from segments that are kept: to fill in what a sender left out, or to tell which
    segment is at fault.
    """
    component, guide, first = transaction.component, transaction.version, transaction.segment_number
    try:
        return _remittance(transaction.segments(), component, guide)
    except (IndexError, NotAnAmount, _NotADay, _Misplaced, _Missing, _TooLong):
        segments = [each if len(each) > 2 else [*each, *_EMPTY] for each in transaction.segments()]
    try:
        return _remittance(iter(segments), component, guide)
    except _Misplaced as fault:
        detail = f"{_name(fault.segment)} {fault.where}"
        raise Fault("x12.orphan_segment", first + _index(segments, fault.segment), detail) from None
    except _TooLong as fault:
        raise Fault("835.element_too_long", first + _index(segments, fault.segment), fault.segment[0]) from None
    except _Missing as fault:
        if fault.segment:
            raise Fault("835.missing_element", first + _index(segments, fault.segment), fault.element) from None
        raise Fault("835.missing_segment", first, fault.element) from None
    except NotAnAmount:
        raise _culprit("835.bad_amount", segments, first, _AMOUNTS, parse) from None
    except _NotADay:
        raise _culprit("835.bad_date", segments, first, _DAYS, _day) from None


# --- loops: each reads up to a segment that is none of its own, which it hands on


def _remittance(segments: Iterator[Segment], component: str, guide: str) -> Remittance:
    """The whole transaction: header (table 1), claims (table 2), provider adjustments (table 3)."""
    found: dict[str, Segment] = {}
    for segment in segments:
        name = segment[0]
        if name not in _HEADER and name not in _BETWEEN_CLAIMS:
            break
        found.setdefault(f"{name}*{_at(segment, 1)}" if name in ("N1", "DTM") else name, segment)
    where = "in the header"
    claims: list[ClaimPayment] = []
    while segment[0] == "CLP":
        claim, segment = _claim(segment, segments, component)
        claims.append(claim)
    provider_adjustments: list[ProviderAdjustment] = []
    while segment[0] == "PLB":
        where = "behind PLB"
        provider_adjustments += _provider_adjustments(segment, component)
        segment = next(segments)
    if segment[0] != "SE":
        raise _Misplaced(segment, where)
    for segment in segments:
        raise _Misplaced(segment, "behind SE")
    for name in ("BPR", "TRN", "N1*PR"):
        if name not in found:
            raise _Missing([], name)
    bpr, trn, payer, payee = found["BPR"], found["TRN"], found["N1*PR"], found.get("N1*PE", [])
    payer_id = _at(trn, 3) or _at(bpr, 10) or _at(payer, 4) or _missing(trn, "TRN03")
    return Remittance(
        total_cents=parse(_at(bpr, 2)),
        paid_on=_day(_at(bpr, 16)) or _missing(bpr, "BPR16"),
        payer=Payer(_bounded(payer_id, trn), _at(payer, 2)),
        payee=Payee(_at(payee, 4), _at(payee, 2)),
        trace_number=_at(trn, 2) or _missing(trn, "TRN02"),
        method=_at(bpr, 4),
        claims=tuple(claims),
        provider_adjustments=tuple(provider_adjustments),
        handling=_at(bpr, 1),
        produced_on=_day(_at(found.get("DTM*405", []), 2)),
        guide=guide,
    )


def _claim(clp: Segment, segments: Iterator[Segment], component: str) -> tuple[ClaimPayment, Segment]:
    """Loop 2100: CLP and what follows it."""
    _, control, status, charge, paid, patient, filing, number, facility, frequency, *_ = *clp, *_EMPTY
    adjustments: list[Adjustment] = []
    remarks: list[str] = []
    amounts: list[tuple[str, Money]] = []
    days: dict[str, date | None] = {}
    names: dict[str, Segment] = {}
    for segment in segments:
        name = segment[0]
        if name == "NM1":
            names.setdefault(segment[1], segment)
        elif name == "CAS":
            adjustments += _adjustments(segment)
        elif name == "DTM":
            days[segment[1]] = _day(segment[2])
        elif name == "AMT":
            amounts.append((segment[1], parse(segment[2])))
        elif name == "MOA":
            remarks.extend(filter(None, segment[3:8]))
        elif name == "MIA":
            remarks.extend(filter(None, (*segment[5:6], *segment[20:24])))
        elif name not in _PASSED_OVER:
            break
    lines: list[ServiceLine] = []
    line_numbers: list[str] = []
    while segment[0] == "SVC":
        line, segment = _line(segment, segments, component, line_numbers)
        lines.append(line)
    if segment[0] not in _BEHIND_CLAIM:
        raise _Misplaced(segment, "in a service line" if lines else "in a claim")
    payment = ClaimPayment(
        numbers=ClaimNumbers(control or _missing(clp, "CLP01"), number, tuple(line_numbers)),
        adjudication=Adjudication(
            status_code=status,
            charge_cents=parse(charge),
            paid_cents=parse(paid),
            patient_cents=parse(patient),
            lines=tuple(lines),
            adjustments=tuple(adjustments),
            remarks=tuple(remarks),
            service_from=days.get("232"),
            service_to=days.get("233"),
            received_on=days.get("050"),
            amounts=tuple(amounts),
            filing_code=filing,
            facility_code=facility,
            frequency_code=frequency,
            rendering_provider=_at(names["82"], 9) if "82" in names else "",
            forwarded_to=_at(names["TT"], 3) if "TT" in names else "",
        ),
        patient=_patient(names.get("QC"), names.get("IL")),
    )
    return payment, segment


def _line(
    svc: Segment, segments: Iterator[Segment], component: str, line_numbers: list[str]
) -> tuple[ServiceLine, Segment]:
    """Loop 2110. The line's control number (REF*6R) goes apart, because it is personal."""
    _, procedure, charge, paid, revenue_code, units, submitted, *_ = *svc, *_EMPTY
    adjustments: list[Adjustment] = []
    remarks: list[str] = []
    service_from = service_to = allowed_cents = None
    for segment in segments:
        name = segment[0]
        if name == "CAS":
            if len(segment) == 4:  # by far the commonest: one reason, no quantity
                adjustments.append(Adjustment(segment[1], segment[2], parse(segment[3])))
            else:
                adjustments += _adjustments(segment)
        elif name == "DTM":
            qualifier = segment[1]
            if qualifier == "472" or qualifier == "150":
                service_from = _day(segment[2])
            elif qualifier == "151":
                service_to = _day(segment[2])
        elif name == "REF":
            if segment[1] == "6R":
                line_numbers.append(segment[2])
        elif name == "AMT":
            if segment[1] == "B6":
                allowed_cents = parse(segment[2])
        elif name == "LQ":
            remarks.append(segment[2])
        elif name not in _PASSED_OVER:
            break
    line = ServiceLine(
        procedure=_procedure(procedure, component),
        charge_cents=parse(charge),
        paid_cents=parse(paid),
        adjustments=tuple(adjustments),
        remarks=tuple(remarks),
        service_from=service_from,
        service_to=service_to,
        allowed_cents=allowed_cents,
        revenue_code=revenue_code,
        units=units,
        submitted_procedure=_procedure(submitted, component),
    )
    return line, segment


def _adjustments(segment: Segment) -> Iterator[Adjustment]:
    """CAS: a group code and up to six triplets of reason, amount and quantity."""
    group = _at(segment, 1)
    for at in range(2, len(segment), 3):
        if segment[at] or _at(segment, at + 1):
            yield Adjustment(group, segment[at], parse(_at(segment, at + 1)), _at(segment, at + 2))


def _provider_adjustments(segment: Segment, component: str) -> Iterator[ProviderAdjustment]:
    """PLB: up to six reasons and amounts."""
    for at in range(3, len(segment), 2):
        reason, _, reference = segment[at].partition(component)
        if len(reason) > 2:  # then the reference hangs on it by some other separator
            raise _TooLong(segment)
        if reason or _at(segment, at + 1):
            cents, period_end = parse(_at(segment, at + 1)), _day(_at(segment, 2))
            yield ProviderAdjustment(_at(segment, 1), reason, cents, period_end, reference)


def _patient(patient: Segment | None, subscriber: Segment | None) -> Names | None:
    """The patient by name; under the subscriber's number where the payer gives them none of their own."""
    named = patient or subscriber
    if named is None:
        return None
    _, _, _, family_name, given_name, middle_name, _, suffix, _, member_id, *_ = *named, *_EMPTY
    member_id = member_id.strip() or _at(subscriber or [], 9).strip()
    if not member_id:
        return None
    return Names(_bounded(member_id, named), family_name, given_name, middle_name, suffix)


# --- elements


@lru_cache(maxsize=8192)
def _procedure(composite: str, component: str) -> str:
    """Qualifier, code and modifiers; the description behind them is free text, which may speak of the patient."""
    if component != ":":
        composite = composite.replace(component, ":")
    return composite if composite.count(":") < 6 else ":".join(composite.split(":")[:6])


def _at(segment: Segment, at: int) -> str:
    return segment[at] if len(segment) > at else ""


@lru_cache(maxsize=8192)
def _day(text: str) -> date | None:
    """CCYYMMDD; None where there is none."""
    if not text:
        return None
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        raise _NotADay
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _NotADay from None


# --- faults


def _bounded(identity: str, segment: Segment) -> str:
    """What indexes hold: 80 characters at most in the guide (NM109), where PostgreSQL would refuse a few thousand."""
    if len(identity) > 80:
        raise _TooLong(segment)
    return identity


def _missing(segment: Segment, element: str) -> NoReturn:
    raise _Missing(segment, element)


def _index(segments: list[Segment], wanted: Segment) -> int:
    return next(index for index, segment in enumerate(segments) if segment is wanted)


def _name(segment: Segment) -> str:
    """For a diagnostic, which is kept in the clear: what does not look like a segment's name may be a person's."""
    return segment[0] if re.fullmatch("[A-Z][A-Z0-9]{1,2}", segment[0]) else "no segment name"


def _culprit(
    reason: str,
    segments: list[Segment],
    first: int,
    where: dict[str, slice],
    read: Callable[[str], object],
) -> Fault:
    """The first element of a kind that does not read."""
    for number, segment in enumerate(segments, first):
        for at in range(len(segment))[where.get(segment[0], slice(0))]:
            try:
                read(segment[at])
            except ValueError:
                return Fault(reason, number, f"{segment[0]}{at:02}")
    raise AssertionError("something did not read, and now everything does")
