"""Good messages of topic coverage.changes, as plain values."""

from typing import Any

from tests.unit.notices import Message

ADA: Message = {"given_name": "ADA", "family_name": "ABERNOLT", "birth_date": "1980-01-01", "sex": "female"}
CY: Message = {"given_name": "CY", "family_name": "ABERNOLT", "birth_date": "2026-03-30", "sex": "male"}

SAID: dict[str, Message] = {
    "enrolled": {
        "plan_id": "TGV-SILVER",
        "effective_from": "2026-01-01",
        "subscriber": ADA,
        "dependants": [
            {"relationship": "spouse", "given_name": "BEN", "birth_date": "1979-05-05", "sex": "unknown"},
        ],
    },
    "dependant_added": {"effective_from": "2026-03-30", "dependant": CY | {"relationship": "child"}},
    "dependant_removed": {"on": "2026-08-31", "given_name": "BEN"},
    "terminated": {"on": "2026-06-30", "reason": "premium"},
    "reinstated": {"effective_from": "2026-07-01", "reason": "paid_in_full"},
    "voided": {"of_change_id": "CH-terminated"},
    "plan_change_requested": {
        "plan_id": "TGV-GOLD",
        "effective_on": "2026-05-01",
        "life_event": {"event": "birth", "on": "2026-03-30", "proofs": ["birth_certificate"]},
    },
    "plan_change_compared": {"of_change_id": "CH-plan_change_requested"},
    "plan_change_confirmed": {"of_change_id": "CH-plan_change_requested"},
    "plan_change_withdrawn": {"of_change_id": "CH-plan_change_requested"},
}
"""Every kind with what it says"""
LINKS: dict[str, Message] = {
    "linked": {"given_name": "ADA", "earlier_member_id": "OLD1"},
    "merged": {"given_name": "ADA", "earlier_member_id": "OLD1", "earlier_given_name": "ADDIE"},
    "unlinked": {"given_name": "ADA", "earlier_member_id": "OLD1"},
}
"""Those that are said of a person"""


def change(kind: str, at: str = "2026-04-10T09:00:00-04:00", change_id: str = "", **said: Any) -> Message:
    """Of the coverage of the same member, unless told otherwise."""
    return {
        "schema": 1,
        "payer_id": "1078830634",
        "member_id": "TGV100000001",
        "change_id": change_id or f"CH-{kind}",
        "at": at,
        "said": {"kind": kind} | (SAID | LINKS).get(kind, {}) | said,
    }
