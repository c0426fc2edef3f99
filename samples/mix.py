"""Messages that must be parked, and many messages of all kinds for measurements."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from samples.catalog import CLINICIANS, PAYEES, PAYERS
from samples.generator import corrected, people, reversal
from samples.model import Adjustment, Claim, Line, Member, Payer, Remittance
from samples.telling import (
    ADJUDICATIONS,
    AWAITED,
    PAYER_ZONE,
    REMITTANCES,
    Message,
    Teller,
    json_message,
    payer_id,
    service_days,
)
from samples.x12 import money, render

# --- bad messages


def bad_messages(rng: random.Random, number: int) -> dict[str, Message]:
    """By the reason for which each is parked. `number` as for `life`, and none of a life of the same seed."""
    t = Teller(rng, number)
    made, control = t.claim(), f"{t.payer.code}{number:06d}"
    whole = Remittance(t.payer, t.payee, t.next_trace(), t.today, t.today, (made, t.claim()))
    data = render(whole, control=number + 1)
    return {
        "json.not_json": Message(ADJUDICATIONS, b'{"schema": 1, "payer_id": "%s", "patient": ' % control.encode()),
        "json.wrong_schema": Message(
            ADJUDICATIONS, json.dumps({"schema": 1, "payer_id": payer_id(t.payer), "claim": control}).encode()
        ),
        "x12.missing_se": Message(REMITTANCES, data[: data.index(b"CLP*", len(data) // 2) + 20]),
        "line.unbalanced": Message(REMITTANCES, _off_by_a_cent(data, made.lines[0])),
    }


def _off_by_a_cent(data: bytes, line: Line) -> bytes:
    """The line pays a cent more than its charge less its adjustments."""
    charge = f"*{money(line.charge_cents)}*"
    old, new = (f"{charge}{money(line.paid_cents + more)}*".encode() for more in (0, 1))
    at = data.index(old, data.index(b"SVC*"))
    return data[:at] + new + data[at + len(old) :]


# --- many messages, fast

BULK_CLAIMS = 3
"""Claims of each remittance of the mix"""
BULK_MEMBERS = 2000


def bulk_messages(seed: int, count: int, *, members: int = BULK_MEMBERS) -> Iterator[Message]:
    """Of one payer: 40 % statuses, 45 % remittances, 10 % reversals with their corrections, 5 % bad ones.

    Statuses are of claims that are paid about then, reversals of claims that were paid shortly before.
    """
    rng = random.Random(seed)
    payer, payee, day = PAYERS[seed % len(PAYERS)], PAYEES[0], date(2026, 3, 2)
    covered = people(rng, payer, members)
    paid: list[Claim] = []
    for number in range(count):
        draw = rng.random()
        if draw < 0.40:
            about = number * BULK_CLAIMS + rng.randrange(100 * BULK_CLAIMS)
            yield _bulk_status(rng, payer, payee.npi, _bulk_claim(payer, covered, about, day), day)
            continue
        if draw >= 0.95:
            yield rng.choice(list(bad_messages(rng, number).values()))
            continue
        claims = [_bulk_claim(payer, covered, number * BULK_CLAIMS + at, day) for at in range(BULK_CLAIMS)]
        if draw >= 0.85 and paid:
            original = paid.pop(rng.randrange(len(paid)))
            claims[:2] = [reversal(original), corrected(rng, original)]
        else:
            paid = [*paid[-200:], claims[0]]
        trace = f"{payer.code}B{number:09d}"
        made = Remittance(payer, payee, trace, day + timedelta(days=number % 28), day, tuple(claims))
        yield Message(REMITTANCES, render(made, control=number % 10**9 + 1))


def _bulk_claim(payer: Payer, members: Sequence[Member], number: int, day: date) -> Claim:
    """A claim of three lines; the number decides everything."""
    service, control = day - timedelta(days=12 + number % 29), f"PB{number:010d}"
    copay = Adjustment("PR", "3", 1000 + number % 15 * 100)
    lines = tuple(
        Line(code, charge + number % 313, (Adjustment("CO", "45", charge // 3 + number % 199), *more), service, control)
        for code, charge, more in (("99213", 15_000, (copay,)), ("80053", 4_000, ()), ("85025", 3_000, ()))
    )
    clinician, member = CLINICIANS[number % len(CLINICIANS)], members[number % len(members)]
    return Claim(control, "1", f"{payer.code}B{number:010d}", member, lines, filing=payer.filing, rendering=clinician)


def _bulk_status(rng: random.Random, payer: Payer, npi: str, made: Claim, day: date) -> Message:
    kind = rng.choice(("received", "accepted", "pended", "released"))
    at = datetime.combine(day - timedelta(days=rng.randint(1, 11)), time(rng.randrange(24), rng.randrange(60)))
    said: dict[str, Any] = {"kind": kind, "at": at.replace(tzinfo=PAYER_ZONE).isoformat()}
    said |= {"claim_type": "professional", "charge_cents": made.charge_cents, **service_days(made)}
    if kind == "pended":
        said["awaits"] = rng.choice(AWAITED)
    return json_message(
        payer, made.member, said, control=made.patient_control, number=made.claim_number, npi=npi, lines=()
    )
