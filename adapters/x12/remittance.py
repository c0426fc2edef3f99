"""What an 835 transaction set says, in the ledger's terms (005010X221A1; 004010X091A1 says the same with fewer words).

Only syntax is judged here: what is missing, misplaced or not a number. Whether the sums hold is the domain's question.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NoReturn

from adapters.x12.reader import Fault, Transaction
from domain.claim import Adjudication, Adjustment, ClaimNumbers, ClaimPayment, ServiceLine
from domain.money import Money, NotAnAmount, parse
from domain.person import Names
from domain.remittance import Payee, Payer, ProviderAdjustment, Remittance

Segments = list[list[str]]

_SIX_EMPTY = ("",) * 6

_HEADER = frozenset(["ST", "BPR", "NTE", "TRN", "CUR", "REF", "DTM", "N1", "N2", "N3", "N4", "PER", "RDM"])
_BETWEEN_CLAIMS = frozenset(["LX", "TS3", "TS2"])
_PASSED_OVER = frozenset(["NM1", "REF", "DTM", "PER", "QTY", "AMT", "MIA", "MOA"])
"""Segments of a claim or line that may hold nothing the ledger keeps, by their qualifier."""


def understand(transaction: Transaction) -> Remittance:
    """The remittance in one ST … SE. Raises Fault for the first thing that cannot be understood."""
    segments = transaction.segments()
    first = transaction.segment_number
    starts = [index for index, segment in enumerate(segments) if segment[0] == "CLP"]
    ends = [index for index, segment in enumerate(segments) if segment[0] == "PLB"]
    body_end = ends[0] if ends else len(segments) - 1
    header_end = starts[0] if starts else body_end
    if starts and starts[-1] > body_end:
        raise Fault("x12.orphan_segment", first + starts[-1], "CLP behind PLB")
    reader = _Reader(transaction.component, first)
    claims = tuple(reader.claim(segments[start:end], first + start) for start, end in pairwise([*starts, body_end]))
    adjustments = tuple(reader.provider_adjustments(segments[body_end:-1], first + body_end))
    return reader.remittance(segments[:header_end], first, claims, adjustments)


class _Reader:
    """Reads the loops of one transaction; `number` is always the segment number of what is being read."""

    def __init__(self, component: str, first: int) -> None:
        self.component = component
        self.number = first

    # --- loops

    def remittance(
        self,
        segments: Segments,
        number: int,
        claims: tuple[ClaimPayment, ...],
        provider_adjustments: tuple[ProviderAdjustment, ...],
    ) -> Remittance:
        """Table 1: who pays whom, how much, when."""
        found: dict[str, list[str]] = {}
        numbers: dict[str, int] = {}
        produced_on = None
        for self.number, segment in enumerate(segments, number):
            name = segment[0]
            if name not in _HEADER and name not in _BETWEEN_CLAIMS:
                raise Fault("x12.orphan_segment", self.number, f"{_name(segment)} in the header")
            if name == "N1":
                name = f"N1*{_at(segment, 1)}"
            elif name == "DTM" and _at(segment, 1) == "405":
                produced_on = self.day(segment, 2)
            found.setdefault(name, segment)
            numbers.setdefault(name, self.number)
        self.number = number
        for name in ("BPR", "TRN", "N1*PR"):
            if name not in found:
                raise Fault("835.missing_segment", number, name)
        bpr, trn, payer, payee = found["BPR"], found["TRN"], found["N1*PR"], found.get("N1*PE", [])
        self.number = numbers["BPR"]
        total_cents, paid_on = self.cents(bpr, 2), self.day(bpr, 16) or self.missing("BPR16")
        self.number = numbers["TRN"]
        payer_id = _at(trn, 3) or _at(bpr, 10) or self.required(payer, 4, "TRN03")
        return Remittance(
            payer=Payer(payer_id=payer_id, name=_at(payer, 2)),
            payee=Payee(provider_id=_at(payee, 4), name=_at(payee, 2)),
            trace_number=self.required(trn, 2, "TRN02"),
            paid_on=paid_on,
            total_cents=total_cents,
            method=_at(bpr, 4),
            claims=claims,
            provider_adjustments=provider_adjustments,
            handling=_at(bpr, 1),
            produced_on=produced_on,
        )

    def claim(self, segments: Segments, number: int) -> ClaimPayment:
        """Loop 2100: CLP and what follows it, up to the next claim."""
        self.number = number
        clp = segments[0]
        first_line = next((i for i, segment in enumerate(segments) if segment[0] == "SVC"), len(segments))
        adjustments: list[Adjustment] = []
        remarks: list[str] = []
        amounts: list[tuple[str, Money]] = []
        dates: dict[str, date | None] = {}
        names: dict[str, list[str]] = {}
        for segment in segments[1:first_line]:
            self.number += 1
            name = segment[0]
            if name == "CAS":
                adjustments.extend(self.adjustments(segment))
            elif name == "NM1":
                names.setdefault(_at(segment, 1), segment)
            elif name == "DTM":
                dates[_at(segment, 1)] = self.day(segment, 2)
            elif name == "AMT":
                amounts.append((_at(segment, 1), self.cents(segment, 2)))
            elif name == "MOA":
                remarks.extend(code for code in segment[3:8] if code)
            elif name == "MIA":
                remarks.extend(code for code in (*segment[5:6], *segment[20:24]) if code)
            elif name not in _PASSED_OVER and name not in _BETWEEN_CLAIMS:
                raise Fault("x12.orphan_segment", self.number, f"{_name(segment)} in a claim")
        self.number = number
        numbers: list[str] = []
        adjudication = Adjudication(
            status_code=_at(clp, 2),
            charge_cents=self.cents(clp, 3),
            paid_cents=self.cents(clp, 4),
            patient_cents=self.cents(clp, 5),
            adjustments=tuple(adjustments),
            remarks=tuple(remarks),
            service_from=dates.get("232"),
            service_to=dates.get("233"),
            received_on=dates.get("050"),
            amounts=tuple(amounts),
            filing_code=_at(clp, 6),
            facility_code=_at(clp, 8),
            frequency_code=_at(clp, 9),
            rendering_provider=_at(names["82"], 9) if "82" in names else "",
            forwarded_to=_at(names["TT"], 3) if "TT" in names else "",
            lines=self.lines(segments, first_line, number, numbers),
        )
        self.number = number
        return ClaimPayment(
            numbers=ClaimNumbers(
                patient_control_number=self.required(clp, 1, "CLP01"),
                payer_claim_number=_at(clp, 7),
                line_control_numbers=tuple(numbers),
            ),
            adjudication=adjudication,
            patient=_patient(names.get("QC"), names.get("IL")),
        )

    def lines(self, segments: Segments, start: int, number: int, control_numbers: list[str]) -> tuple[ServiceLine, ...]:
        """Loops 2110. Line control numbers (REF*6R) go apart, because they are personal."""
        lines = []
        index, last = start, len(segments)
        while index < last:
            svc = segments[index]
            self.number = number + index
            index += 1
            adjustments: list[Adjustment] = []
            remarks: list[str] = []
            service_from = service_to = allowed_cents = None
            charge_cents, paid_cents = self.cents(svc, 2), self.cents(svc, 3)
            _, procedure, _, _, revenue_code, units, submitted, *_ = *svc, *_SIX_EMPTY
            while index < last and (name := (segment := segments[index])[0]) != "SVC":
                self.number = number + index
                index += 1
                if name == "CAS":
                    adjustments.extend(self.adjustments(segment))
                elif name == "DTM":
                    qualifier = _at(segment, 1)
                    if qualifier == "472" or qualifier == "150":
                        service_from = self.day(segment, 2)
                    elif qualifier == "151":
                        service_to = self.day(segment, 2)
                elif name == "AMT":
                    if _at(segment, 1) == "B6":
                        allowed_cents = self.cents(segment, 2)
                elif name == "REF":
                    if _at(segment, 1) == "6R":
                        control_numbers.append(_at(segment, 2))
                elif name == "LQ":
                    remarks.append(_at(segment, 2))
                elif name not in _PASSED_OVER and name not in _BETWEEN_CLAIMS:
                    raise Fault("x12.orphan_segment", self.number, f"{_name(segment)} in a service line")
            lines.append(
                ServiceLine(
                    procedure=self.composite(procedure),
                    charge_cents=charge_cents,
                    paid_cents=paid_cents,
                    adjustments=tuple(adjustments),
                    remarks=tuple(remarks),
                    service_from=service_from,
                    service_to=service_to,
                    allowed_cents=allowed_cents,
                    revenue_code=revenue_code,
                    units=units,
                    submitted_procedure=self.composite(submitted),
                )
            )
        return tuple(lines)

    def provider_adjustments(self, segments: Segments, number: int) -> Iterator[ProviderAdjustment]:
        """Table 3: PLB, up to six reasons and amounts each."""
        for self.number, segment in enumerate(segments, number):
            if segment[0] != "PLB":
                raise Fault("x12.orphan_segment", self.number, f"{_name(segment)} behind PLB")
            for at in range(3, len(segment), 2):
                reason, _, reference = segment[at].partition(self.component)
                if reason or _at(segment, at + 1):
                    yield ProviderAdjustment(
                        provider_id=_at(segment, 1),
                        reason=reason,
                        cents=self.cents(segment, at + 1),
                        fiscal_period_end=self.day(segment, 2),
                        reference=reference,
                    )

    def adjustments(self, segment: list[str]) -> Iterator[Adjustment]:
        """CAS: a group code and up to six triplets of reason, amount and quantity."""
        group = _at(segment, 1)
        if len(segment) == 4:  # by far the commonest: one reason, no quantity
            yield Adjustment(group, segment[2], self.cents(segment, 3))
            return
        for at in range(2, len(segment), 3):
            if segment[at] or _at(segment, at + 1):
                yield Adjustment(group, segment[at], self.cents(segment, at + 1), _at(segment, at + 2))

    # --- elements

    def cents(self, segment: list[str], at: int) -> Money:
        try:
            return parse(segment[at]) if len(segment) > at else Money(0)
        except NotAnAmount:
            raise Fault("835.bad_amount", self.number, f"{segment[0]}{at:02}") from None

    def day(self, segment: list[str], at: int) -> date | None:
        try:
            return _day(_at(segment, at))
        except ValueError:
            raise Fault("835.bad_date", self.number, f"{segment[0]}{at:02}") from None

    def composite(self, value: str) -> str:
        return value if self.component == ":" else value.replace(self.component, ":")

    def required(self, segment: list[str], at: int, name: str) -> str:
        return _at(segment, at) or self.missing(name)

    def missing(self, name: str) -> NoReturn:
        raise Fault("835.missing_element", self.number, name)


def _name(segment: list[str]) -> str:
    """For a diagnostic, which is kept in the clear: what does not look like a segment's name may be a person's."""
    return segment[0] if re.fullmatch("[A-Z][A-Z0-9]{1,2}", segment[0]) else "no segment name"


def _at(segment: list[str], at: int) -> str:
    return segment[at] if len(segment) > at else ""


@lru_cache(maxsize=8192)
def _day(text: str) -> date | None:
    """CCYYMMDD; None where there is none."""
    if not text:
        return None
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        raise ValueError
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _patient(patient: list[str] | None, subscriber: list[str] | None) -> Names | None:
    """The patient by name; under the subscriber's number where the payer gives them none of their own."""
    member_id = _at(patient or [], 9).strip() or _at(subscriber or [], 9).strip()
    named = patient or subscriber
    if named is None or not member_id:
        return None
    return Names(
        member_id=member_id,
        family_name=_at(named, 3),
        given_name=_at(named, 4),
        middle_name=_at(named, 5),
        suffix=_at(named, 7),
    )
