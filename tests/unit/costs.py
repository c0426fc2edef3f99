"""Three plans and one year of claims under the middle one, as messages. Every figure can be checked by hand."""

from typing import Any

from tests.unit.notices import Message, adjudicated, line
from tests.unit.plans import plan

MEMBER = "TGV100000001"


def share(service: str, copay: int = 0, percent: int = 0, *, deductible: bool = False) -> Message:
    said = {"copay_cents": copay, "coinsurance_percent": percent, "deductible_applies": deductible}
    return {"service": service, "share": said}


def plan_of(plan_id: str, premium: int, limits: tuple[int, int], *shares: Message, **otherwise: Any) -> Message:
    deductible, out_of_pocket = (
        {"individual_cents": individual, "family_cents": 2 * individual} for individual in limits
    )
    inside = {"network": "in", "deductible": deductible, "out_of_pocket": out_of_pocket, "shares": list(shares)}
    about: dict[str, Any] = {
        "name": plan_id.title(),
        "premium": {"individual_cents": premium, "family_cents": 2 * premium},
    }
    return plan(plan_id, benefits=[inside], **about, **otherwise)


BRONZE = plan_of("BRONZE", 20_000, (500_000, 600_000), share("preventive"), share("other", percent=40, deductible=True))
SILVER = plan_of(
    "SILVER",
    45_000,
    (50_000, 200_000),
    share("preventive"),
    share("primary_care", 2_500),
    share("emergency", 30_000, deductible=True),
    share("other", percent=20, deductible=True),
)
GOLD = plan_of(
    "GOLD", 70_000, (0, 150_000), share("preventive"), share("primary_care", 1_000), share("other", percent=10)
)
PLANS = (BRONZE, SILVER, GOLD)


def claim(
    number: str,
    day: str,
    procedure: str,
    charge: int,
    allowed: int,
    name: str = "ADA",
    plan_id: str = "SILVER",
    revenue_code: str = "",
    on: str = "",
    **left: int,
) -> Message:
    """`left` says what is left to the patient, by the codes' names."""
    codes = {"deductible": "1", "coinsurance": "2", "copay": "3", "not_covered": "204"}
    reasons = [{"group": "CO", "carc": "45", "cents": charge - allowed}] if charge != allowed else []
    reasons += [{"group": "PR", "carc": codes[kind], "cents": cents} for kind, cents in left.items() if cents]
    served = line(charge, allowed - sum(left.values()), procedure=procedure, adjustments=reasons, service_from=day)
    about: Message = {"network": "in", "plan_id": plan_id, "on": on or day} if plan_id else {"on": on or day}
    if revenue_code:
        served["revenue_code"] = revenue_code
        about |= {"claim_type": "institutional", "facility_code": "13"}
    notice = adjudicated(served, patient_cents=sum(left.values()), **about)
    return notice | {
        "patient": {"member_id": MEMBER, "given_name": name, "family_name": "ABERNOLT"},
        "numbers": {"patient_control_number": f"PT{number}", "payer_claim_number": number},
    }


YEAR = (
    claim("1", "2026-02-02", "HC:99213", 20_000, 15_000, copay=2_500),
    claim("2", "2026-03-10", "HC:70551", 150_000, 100_000, deductible=50_000, coinsurance=10_000),
    claim("3", "2026-04-05", "HC:99395", 30_000, 18_000),
    claim("4", "2026-05-06", "HC:80053", 10_000, 4_000, coinsurance=800),
    claim("5", "2026-06-07", "HC:99284", 300_000, 120_000, revenue_code="0450", copay=30_000),
)
"""By the rules of SILVER 933.00 are left to the patient: 25 + 600 + 0 + 8 + 300. Under BRONZE it would have been
2,390.00, under GOLD 234.00."""
WRONG = claim("6", "2026-07-08", "HC:99213", 20_000, 15_000, deductible=15_000)
"""The payer took the deductible, where SILVER has a copay of 25.00"""
