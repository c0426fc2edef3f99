"""Good messages of topic plans, as plain values."""

from typing import Any

from tests.unit.notices import Message


def plan(plan_id: str = "TGV-SILVER", revision: int = 1, **design: Any) -> Message:
    """Of the same plan and plan year, unless told otherwise."""
    return {
        "schema": 1,
        "payer_id": "1078830634",
        "plan_id": plan_id,
        "revision": revision,
        "design": {
            "name": "Silver 2000",
            "effective_from": "2026-01-01",
            "effective_to": "2026-12-31",
            "zone": "America/New_York",
            "premium": {"individual_cents": 45_000, "family_cents": 120_000},
            "family": "embedded",
            "open_enrolment": {"first": "2025-11-01", "last": "2026-01-15"},
            "special_enrolment_days": 60,
            "benefits": [
                {
                    "network": "in",
                    "deductible": {"individual_cents": 200_000, "family_cents": 400_000},
                    "out_of_pocket": {"individual_cents": 800_000, "family_cents": None},
                    "shares": [
                        {"service": "specialist", "share": {"copay_cents": 5_000, "deductible_applies": False}},
                        {"service": "specialist", "tier": "2", "share": {"copay_cents": 8_000}},
                        {"service": "other", "share": {"coinsurance_percent": 20}},
                    ],
                },
                {"network": "out", "shares": [{"service": "other", "share": {"covered": False}}]},
            ],
        }
        | design,
    }
