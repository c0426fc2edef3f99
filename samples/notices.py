"""Notices of claims (JSON, one a line) beside the shipped remittances: what a payer says before and after it pays.

`python -m samples.notices` writes them into `samples/notices/`.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from samples.catalog import PAYEES
from samples.make import FOLDER, MEMBERS, NORTHFIELD, winter_originals
from samples.model import Claim, Line
from samples.telling import PAYER_ZONE, Message, adjudicated, json_message, service_days

CLINIC = PAYEES[0]
NEW_CLAIM = Claim(
    "PT000990001",
    "1",
    "NHP00009900001",
    winter_originals()[0].member,
    (Line("99213", 18_500, (), date(2026, 10, 20), "PT000990001L1"),),
)
"""Of the same member, and not paid yet"""


def build() -> dict[str, bytes]:
    """Every file of `samples/notices/` by its name."""
    return {
        "2025-northfield-health.jsonl": _lines(_a_claim_before_its_payment()),
        "2026-northfield-health.jsonl": _lines(_what_is_open_in_autumn()),
        "bad-notices.jsonl": b"\n".join(_bad()) + b"\n",
    }


def _a_claim_before_its_payment() -> Iterator[Message]:
    """The claim of 2025-02 that is reversed and corrected in 2025-11: received, held for records, released, decided."""
    made = winter_originals()[0]
    served = date.fromisoformat(service_days(made)["service_from"])
    yield _report(made, "received", served + timedelta(2))
    yield _report(made, "accepted", served + timedelta(3))
    yield _report(made, "pended", served + timedelta(4), awaits="provider_information")
    yield _report(made, "released", served + timedelta(9))
    yield _notice(made, adjudicated(made, served + timedelta(10), 1))
    # Cut in November, so the member objects; the payer stays with it, and the second level is open.
    yield _report(made, "disputed", date(2025, 11, 24), by="member")
    yield _report(made, "appealed", date(2025, 12, 3), level=1, by="member", due_on="2026-01-02")
    yield _report(made, "appeal_decided", date(2025, 12, 22), level=1, outcome="upheld")


def _what_is_open_in_autumn() -> Iterator[Message]:
    yield _report(NEW_CLAIM, "received", date(2026, 10, 22))
    yield _report(NEW_CLAIM, "accepted", date(2026, 10, 23))
    yield _report(NEW_CLAIM, "pended", date(2026, 10, 27), awaits="coordination_of_benefits", due_on="2026-11-26")
    stranger = MEMBERS["NHP"][7]
    unprocessable = Claim("PT000990002", "1", "", stranger, (Line("99214", 21_000, (), date(2026, 10, 19)),))
    yield _report(unprocessable, "received", date(2026, 10, 21))
    yield _report(unprocessable, "rejected", date(2026, 10, 21), hour=15, reasons=["A7:562:85"])


def _bad() -> Iterator[bytes]:
    """Not JSON; an amount that is no whole number of cents; a key twice; a version that nobody knows."""
    [good] = [json.loads(_report(NEW_CLAIM, "received", date(2026, 10, 22)).value)]
    yield b'{"schema": 1, "payer_id": '
    yield json.dumps(good | {"said": good["said"] | {"charge_cents": 185.0}}).encode()
    yield json.dumps(good).encode().replace(b'"schema": 1', b'"schema": 1, "schema": 1')
    yield json.dumps(good | {"schema": 2}).encode()


def _report(made: Claim, kind: str, on: date, *, hour: int = 10, **said: Any) -> Message:
    at = datetime.combine(on, time(hour), PAYER_ZONE).isoformat()
    facts = {"claim_type": "professional", "charge_cents": made.charge_cents, **service_days(made)}
    return _notice(made, {"kind": kind, "at": at, **facts, **said})


def _notice(made: Claim, said: dict[str, Any]) -> Message:
    lines = [line.control for line in made.lines if line.control]
    control, number = made.patient_control, made.claim_number
    return json_message(NORTHFIELD, made.member, said, control=control, number=number, npi=CLINIC.npi, lines=lines)


def _lines(messages: Iterator[Message]) -> bytes:
    return b"".join(message.value + b"\n" for message in messages)


if __name__ == "__main__":
    for name, data in build().items():
        (FOLDER / "notices" / name).write_bytes(data)
