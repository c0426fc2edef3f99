"""Good messages of topic payments, as plain values."""

from typing import Any

from tests.unit.notices import Message

PAYER_ID, MEMBER_ID = "1078810412", "NHP100000001"
CARD = "4111111111111111"

KINDS: dict[str, Message] = {
    "initiated": {
        "at": "2026-07-02T09:30:00-04:00",
        "amount_cents": 10_000,
        "method": "card",
        "token": "tok_1PqXn2AbCdEf",
        "claims": ["0a1b2c3d-0000-8000-8000-000000000001"],
    },
    "authorised": {"at": "2026-07-02T09:30:02-04:00"},
    "posted": {"on": "2026-07-03", "amount_cents": 10_000, "payout": "po_77"},
    "failed": {"at": "2026-07-02T09:30:02-04:00", "reason": "declined"},
    "returned": {"on": "2026-07-08", "code": "R01"},
    "refunded": {"on": "2026-07-10", "refund_id": "re_1", "amount_cents": 2_500},
    "charged_back": {"on": "2026-07-20", "case_id": "dp_1", "amount_cents": 10_000, "reason": "not_recognised"},
    "chargeback_reversed": {"on": "2026-08-20", "case_id": "dp_1"},
}
SCHEDULE_KINDS: dict[str, Message] = {
    "scheduled": {
        "at": "2026-01-05T08:00:00-05:00",
        "first_on": "2026-01-31",
        "every": "month",
        "amount_cents": "balance",
    },
    "skipped": {"on": "2026-02-28"},
    "paused": {"at": "2026-03-01T08:00:00-05:00"},
    "resumed": {"at": "2026-04-01T08:00:00-04:00"},
    "cancelled": {"at": "2026-06-01T08:00:00-04:00"},
}


def told(kind: str, payment_id: str = "py_1", member_id: str = MEMBER_ID, **said: Any) -> Message:
    """Something of a payment."""
    about = {"schema": 1, "payer_id": PAYER_ID, "member_id": member_id, "payment_id": payment_id}
    return about | {"said": {"kind": kind} | KINDS[kind] | said}


def told_of_schedule(kind: str, schedule_id: str = "sc_1", member_id: str = MEMBER_ID, **said: Any) -> Message:
    about = {"schema": 1, "payer_id": PAYER_ID, "member_id": member_id, "schedule_id": schedule_id}
    return about | {"said": {"kind": kind} | SCHEDULE_KINDS[kind] | said}
