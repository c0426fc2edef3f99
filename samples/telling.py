"""How a life of claims is told: one after the other, what a payer says, as messages.

Statuses and decisions are JSON (`payer.adjudications`), payments are 835 remittances (`payer.remittances`); every sum
balances.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple

from samples.catalog import PAYEES, PAYERS
from samples.generator import claim, next_payer, people
from samples.model import Adjustment, Claim, Line, Member, Payer, ProviderAdjustment, Remittance
from samples.x12 import render

ADJUDICATIONS = "payer.adjudications"
REMITTANCES = "payer.remittances"

AWAITED = ("provider_information", "patient_information", "medical_review", "coordination_of_benefits", "other")
"""What a payer waits for while a claim is pended"""

LEAP_DAY = date(2024, 2, 29)
LATE = time(23, 30)
"""Of a report: still the payer's own day, already the next one in UTC"""
PAYER_ZONE = timezone(timedelta(hours=-5))


class Message(NamedTuple):
    """What one message of a topic holds."""

    topic: str
    value: bytes


class ClaimKey(NamedTuple):
    """By what a claim is known. `number` is the payer's, else the provider's."""

    payer_id: str
    number: str
    member_id: str
    given_name: str


def json_message(
    payer: Payer, patient: Member, said: Mapping[str, Any], *, control: str, number: str, npi: str, lines: Sequence[str]
) -> Message:
    """What a payer says of one claim, as a message of schema version 1."""
    document = {
        "schema": 1,
        "payer_id": payer_id(payer),
        "patient": {
            "member_id": patient.member_id,
            "family_name": patient.family_name,
            "given_name": patient.given_name,
            "middle_name": "",
            "suffix": "",
        },
        "numbers": {
            "patient_control_number": control,
            "payer_claim_number": number,
            "line_control_numbers": list(lines),
        },
        "billing_provider_id": npi,
        "said": said,
    }
    return Message(ADJUDICATIONS, json.dumps(document).encode())


def payer_id(payer: Payer) -> str:
    """As TRN03 states it."""
    return "1" + payer.tax_id


def key_of(payer: Payer, made: Claim) -> ClaimKey:
    number = made.claim_number or made.patient_control
    return ClaimKey(payer_id(payer), number, made.member.member_id, made.member.given_name)


class Teller:
    """Tells one life: keeps its calendar, numbers and dates what is said, and collects it."""

    def __init__(self, rng: random.Random, number: int, *, is_numbered: bool = True) -> None:
        """Where it is not numbered, the payer gives the claims no numbers of its own."""
        self.rng = rng
        self.payer = rng.choice(PAYERS)
        self.payee = rng.choice(PAYEES)
        self.service = LEAP_DAY if rng.random() < 0.1 else date(2023, 1, 1) + timedelta(days=rng.randrange(1200))
        self.is_dated = rng.random() >= 0.1
        """Whether the claims say when the service was"""
        self.is_numbered = is_numbered
        self.today = self.service + timedelta(days=rng.randint(1, 5))
        self.claims: list[ClaimKey] = []
        self.messages: list[Message] = []
        self._number = number
        self._made = 0
        self._traces = 0
        self._last_said = datetime.combine(self.service, time(), PAYER_ZONE)
        self._occurrences: Counter[tuple[Any, ...]] = Counter()

    # --- whom and what it is about

    def claim(self, kind: str = "paid") -> Claim:
        """A new claim of a kind of `samples.generator.KINDS`, by a new member, as this payer decides it."""
        [member] = people(self.rng, self.payer, 1)
        self._made += 1
        number, control = self._numbers(self.payer), f"PT{self._number:06d}{self._made:03d}"
        made = claim(self.rng, self.payer, member, kind, number=number, paid_on=self.service, control=control)
        # Without a number of the payer's own, its claims are told apart by the provider's.
        return self._on_its_day(made if self.is_numbered else replace(made, claim_number=""))

    def large_claim(self) -> Claim:
        """It pays some thousand dollars: enough to take back an ordinary one in the same remittance."""
        return self.claim("inpatient")

    def at_next_payer(self, prior: Claim, payer: Payer) -> Claim:
        """The same bill at another payer, under numbers of its own."""
        self._made += 1
        member = replace(prior.member, member_id=f"{payer.code}{self._number:06d}{self._made:03d}", subscriber=None)
        number = self._numbers(payer) if self.is_numbered else ""
        return next_payer(self.rng, prior, payer, member, number=number)

    def _numbers(self, payer: Payer) -> str:
        return f"{payer.code}{self._number:06d}{self._made:05d}"

    def _on_its_day(self, made: Claim) -> Claim:
        """Served on this life's day, or on none."""
        first = min([*(made.statement or ()), *(line.service_date for line in made.lines if line.service_date)])
        shift = self.service - first

        def moved(day: date | None) -> date | None:
            return None if day is None or not self.is_dated else day + shift

        statement = (made.statement[0] + shift, made.statement[1] + shift) if made.statement else None
        return replace(
            made,
            lines=tuple(replace(line, service_date=moved(line.service_date)) for line in made.lines),
            statement=statement if self.is_dated else None,
            received=self.service + timedelta(days=1),
        )

    # --- when

    def later(self, days: int | None = None) -> None:
        self.today += timedelta(days=self.rng.randint(1, 20) if days is None else days)

    def _now(self) -> datetime:
        """Today, behind everything that was said today."""
        morning = datetime.combine(self.today, time(8), PAYER_ZONE)
        self._last_said = max(morning, self._last_said + timedelta(minutes=self.rng.randint(1, 40)))
        return self._last_said

    # --- what is said

    def report(
        self, made: Claim, kind: str, *, payer: Payer | None = None, at: time | None = None, **more: Any
    ) -> None:
        """A status, dispute or appeal."""
        moment = datetime.combine(self.today, at, PAYER_ZONE) if at else self._now()
        said: dict[str, Any] = {"kind": kind, "at": moment.isoformat(), "claim_type": _type_of(made)}
        if self.rng.random() < 0.8:
            said["charge_cents"] = made.charge_cents
        if self.rng.random() < 0.8:
            said |= service_days(made)
        self._say(payer or self.payer, made, said | more, lines=())

    def pend(self, made: Claim) -> None:
        awaits = self.rng.choice(AWAITED)
        self.report(made, "pended", awaits=awaits, due_on=(self.today + timedelta(days=30)).isoformat())

    def decide(self, made: Claim, *, payer: Payer | None = None) -> None:
        """The decision as JSON: it moves no money."""
        payer = payer or self.payer
        kind = (payer, made.claim_number, made.member, self.today, made.status)
        self._occurrences[kind] += 1
        said = adjudicated(made, self.today, self._occurrences[kind])
        self._say(payer, made, said, [line.control for line in made.lines if line.control])

    def _say(self, payer: Payer, made: Claim, said: Mapping[str, Any], lines: Sequence[str]) -> None:
        self._remember(payer, [made])
        control, number, npi = made.patient_control, made.claim_number, self.payee.npi
        self.messages.append(
            json_message(payer, made.member, said, control=control, number=number, npi=npi, lines=lines)
        )

    def remit(
        self,
        *claims: Claim,
        payer: Payer | None = None,
        trace: str = "",
        adjustments: Sequence[ProviderAdjustment] = (),
    ) -> None:
        """A payment today. It must not come to less than zero."""
        payer = payer or self.payer
        trace = trace or self.next_trace(payer)
        made = Remittance(payer, self.payee, trace, self.today, self.today, claims, tuple(adjustments))
        self._remember(payer, claims)
        self.messages.append(Message(REMITTANCES, render(made, control=len(self.messages) + 1)))

    def next_trace(self, payer: Payer | None = None) -> str:
        self._traces += 1
        return f"{(payer or self.payer).code}T{self._number:06d}{self._traces:03d}"

    def _remember(self, payer: Payer, claims: Sequence[Claim]) -> None:
        keys = (key_of(payer, made) for made in claims)
        self.claims += [key for key in keys if key not in self.claims]


def _type_of(made: Claim) -> str:
    if made.statement or made.covered_days is not None:
        return "institutional"
    return "pharmacy" if any(line.qualifier == "N4" for line in made.lines) else "professional"


def service_days(made: Claim) -> dict[str, str]:
    """The claim's first and last day of service, where it has any."""
    days = [*(made.statement or ()), *(line.service_date for line in made.lines if line.service_date)]
    return {"service_from": min(days).isoformat(), "service_to": max(days).isoformat()} if days else {}


def adjudicated(made: Claim, on: date, sequence: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": "adjudicated",
        "on": on.isoformat(),
        "sequence": sequence,
        "status_code": made.status,
        "claim_type": _type_of(made),
        "charge_cents": made.charge_cents,
        "paid_cents": made.paid_cents,
        "patient_cents": made.patient_cents,
        "filing_code": made.filing,
        "facility_code": made.facility,
        "frequency_code": made.frequency,
        "rendering_provider": made.rendering.npi if made.rendering else "",
        "forwarded_to": made.forwarded_to.name if made.forwarded_to else "",
        "adjustments": _adjustments(made.adjustments),
        "remarks": list(made.remarks),
        "lines": [_line(line) for line in made.lines],
    }
    if made.statement:
        said |= service_days(made)
    if made.received:
        said["received_on"] = made.received.isoformat()
    return said


def _line(line: Line) -> dict[str, Any]:
    said: dict[str, Any] = {
        "procedure": ":".join((line.qualifier, line.procedure, *line.modifiers)),
        "charge_cents": line.charge_cents,
        "paid_cents": line.paid_cents,
        "adjustments": _adjustments(line.adjustments),
        "remarks": list(line.remarks),
        "revenue_code": line.revenue_code,
        "units": str(line.units),
    }
    if line.billed_procedure:
        said["submitted_procedure"] = f"{line.qualifier}:{line.billed_procedure}"
    if line.service_date:
        said["service_from"] = line.service_date.isoformat()
    return said


def _adjustments(made: Sequence[Adjustment]) -> list[dict[str, Any]]:
    return [
        {"group": a.group, "carc": a.carc, "cents": a.cents, "quantity": "" if a.quantity is None else str(a.quantity)}
        for a in made
    ]
