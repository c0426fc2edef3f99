"""A family's messages of topic coverage.changes, and claims of theirs, as plain values."""

from typing import Any

from tests.unit.notices import Message, adjudicated, line

PAYER, MEMBER = "1078830634", "TGV100000001"
BORN = {"ADA": "1980-01-01", "BEN": "1979-05-05", "CY": "2008-06-15"}
"""CY comes of age on 2026-06-15"""

BY_SUBJECT = {"by": "subject", "subject": "ADA"}
TO_BEN = BY_SUBJECT | {"viewer": {"given_name": "BEN"}}
SAID: dict[str, Message] = {
    "enrolled": {
        "plan_id": "TGV-SILVER",
        "effective_from": "2020-01-01",
        "subscriber": {"given_name": "ADA", "family_name": "ABERNOLT", "birth_date": BORN["ADA"], "sex": "female"},
        "dependants": [
            {"relationship": "spouse", "given_name": "BEN", "birth_date": BORN["BEN"], "sex": "male"},
            {"relationship": "child", "given_name": "CY", "birth_date": BORN["CY"], "sex": "female"},
        ],
    },
    "family_linked": TO_BEN | {"by": "plan", "relationship": "spouse"},
    "consent_granted": TO_BEN | {"areas": ["claims", "money", "coverage", "care"]},
    "consent_limited": TO_BEN | {"areas": ["money"]},
    "consent_revoked": TO_BEN,
    "confidential_communications_requested": BY_SUBJECT,
    "confidential_communications_withdrawn": BY_SUBJECT,
    "linked": {"given_name": "ADA", "earlier_member_id": "TGV000000001"},
    "unlinked": {"given_name": "ADA", "earlier_member_id": "TGV000000001"},
}
"""Of ADA, to her spouse BEN"""


def said(kind: str, day: str = "2026-03-02", change_id: str = "", **otherwise: Any) -> Message:
    return {
        "schema": 1,
        "payer_id": PAYER,
        "member_id": MEMBER,
        "change_id": change_id or f"F-{kind}-{day}",
        "at": f"{day}T12:00:00-05:00",
        "said": {"kind": kind} | SAID[kind] | otherwise,
    }


def claim(number: str, patient: str, procedure: str = "HC:99213", day: str = "2026-02-02", **otherwise: Any) -> Message:
    """One line, of one of the family."""
    return (
        adjudicated(line(procedure=procedure, service_from=day), on=day)
        | {
            "payer_id": PAYER,
            "patient": {"member_id": MEMBER, "given_name": patient, "family_name": "ABERNOLT"},
            "numbers": {"patient_control_number": f"PT{number}", "payer_claim_number": number},
        }
        | otherwise
    )
