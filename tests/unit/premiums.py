"""Good messages of topic premiums, as plain values."""

from typing import Any

from tests.unit.notices import Message

SAID: dict[str, Message] = {
    "invoiced": {
        "on": "2026-03-15",
        "invoice_id": "I-04",
        "period_from": "2026-04-01",
        "period_to": "2026-04-30",
        "amount_cents": 30_000,
        "due_on": "2026-04-01",
        "grace_days": 31,
    },
    "invoice_voided": {"on": "2026-03-20", "invoice_id": "I-04", "reason": "rate"},
    "paid": {"on": "2026-04-01", "payment_id": "P-1", "amount_cents": 30_000},
    "payment_returned": {"on": "2026-04-10", "payment_id": "P-1", "reason": "R01"},
    "lapsed": {"on": "2026-06-01", "reason": "nonpayment"},
    "reinstated": {"on": "2026-06-20", "reason": "paid_in_full"},
}
"""Every kind with what it says"""


def premium(kind: str, contract_id: str = "C-1", member_id: str = "TGV100000001", **said: Any) -> Message:
    """About the same contract of the same member, unless told otherwise."""
    return {
        "schema": 1,
        "payer_id": "1078830634",
        "member_id": member_id,
        "contract_id": contract_id,
        "said": {"kind": kind} | SAID.get(kind, {}) | said,
    }


LIFE = [
    premium("invoiced", invoice_id="I-01", on="2025-12-15", due_on="2026-01-01", grace_days=90),
    premium("invoiced", invoice_id="I-02", on="2026-01-15", due_on="2026-02-01", grace_days=90),
    premium("invoiced", invoice_id="I-03", on="2026-02-15", due_on="2026-03-01", grace_days=90),
    premium("invoiced", invoice_id="I-99", on="2026-02-16", due_on="2026-03-01"),
    premium("invoice_voided", invoice_id="I-99", on="2026-02-17"),
    premium("paid", payment_id="P-1", on="2026-01-01", invoice_id="I-01"),
    premium("paid", payment_id="P-2", on="2026-02-10", amount_cents=40_000),
    premium("payment_returned", payment_id="P-2", on="2026-02-20"),
    premium("paid", payment_id="P-3", on="2026-06-20", amount_cents=65_000),
    premium("lapsed", on="2026-06-01"),
    premium("reinstated", on="2026-06-20"),
]
"""Of one contract, in the order in which it happened to be written down"""
