"""One family's year in money, as plans, a payment processor and the family's second payer tell it (JSON, one a line).

`python -m samples.family` writes it into `samples/family/`. Amounts are small and round, so that a reader can add up.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from samples.make import FOLDER, HARBORLINE, NORTHFIELD
from samples.model import Payer

Message = dict[str, Any]

MEMBER_ID = "NHP200000026"
"""Of both members of the family, at Northfield"""
AT_HARBORLINE = "HBM200000026"
"""Ben's own, at his second payer"""
CLINIC = "1982736450"
TOKEN = "tok_hsa_26"  # noqa: S105 a processor's reference, no secret


def build() -> dict[str, bytes]:
    """Every file by its name, in the order in which the year goes."""
    return {
        "1-claims-until-february.jsonl": _lines(_winter()),
        "2-premiums.jsonl": _lines(_premiums()),
        "3-payments.jsonl": _lines(_instalments()),
        "4-claims-until-july.jsonl": _lines(_summer()),
        "5-claims-of-august.jsonl": _lines(_august()),
    }


def _winter() -> Iterable[Message]:
    """Anna's scan meets her deductible; Ben's night in the emergency room the family's. A second payer pays of his."""
    anna = _limits(50_000, 56_000, 50_000, 56_000)
    yield _decided("ANNA", "1", "2026-01-19", served="2026-01-12", charge=120_000, paid=24_000, off=40_000,
                   share=(50_000, 6_000), code="HC:70551", limits=anna)  # fmt: skip
    ben = _limits(50_000, 52_000, 100_000, 108_000)
    yield _decided("BEN", "2", "2026-02-10", served="2026-02-03", charge=90_000, paid=8_000, off=30_000,
                   share=(50_000, 2_000), code="HC:99284", limits=ben)  # fmt: skip
    yield _decided("BEN", "2", "2026-02-20", served="2026-02-03", charge=90_000, paid=40_000, off=38_000,
                   share=(12_000, 0), code="HC:99284", status_code="2", payer=HARBORLINE)  # fmt: skip


def _premiums() -> Iterable[Message]:
    for month, last in (("2026-03", "31"), ("2026-04", "30")):
        period = {"period_from": f"{month}-01", "period_to": f"{month}-{last}"}
        yield _of_contract("invoiced", f"{month}-01", invoice_id=f"INV-{month}", amount_cents=31_250,
                           due_on=f"{month}-15", grace_days=31, **period)  # fmt: skip
    yield _of_contract("paid", "2026-03-12", payment_id="PP-1", amount_cents=31_250)
    yield _of_contract("paid", "2026-04-28", payment_id="PP-2", amount_cents=31_250)


def _instalments() -> Iterable[Message]:
    """Three of a schedule; the second fails at first. 200.00, 200.00 and 280.00 are all that Anna and Ben owe."""
    yield _of_schedule("scheduled", at="2026-03-01T09:00:00-05:00", first_on="2026-03-02", every="month",
                       until="2026-05-31", amount_cents="balance")  # fmt: skip
    for number, month, cents in ((1, "03", 20_000), (2, "04", 20_000), (3, "05", 28_000)):
        yield _of_payment(f"py_{number}", "initiated", at=f"2026-{month}-02T09:00:00-05:00", amount_cents=cents,
                          method="hsa", token=TOKEN, schedule_id="sc_26")  # fmt: skip
        if number == 2:
            yield _of_payment("py_2", "failed", at="2026-04-02T09:00:04-05:00", reason="insufficient_funds")
        on = {1: "2026-03-03", 2: "2026-04-06", 3: "2026-05-04"}[number]
        yield _of_payment(f"py_{number}", "posted", on=on, amount_cents=cents, payout=f"po_{number}")


def _summer() -> Iterable[Message]:
    """Anna's scan is taken back and decided otherwise, after it was paid, which leaves a credit; then a visit."""
    yield _decided("ANNA", "1", "2026-06-15", served="2026-01-12", charge=-120_000, paid=-24_000, off=-40_000,
                   share=(-50_000, -6_000), code="HC:70551", status_code="22")  # fmt: skip
    limits = _limits(50_000, 52_000, 100_000, 104_000)
    yield _decided("ANNA", "1", "2026-06-15", served="2026-01-12", charge=120_000, paid=8_000, off=60_000,
                   share=(50_000, 2_000), code="HC:70551", limits=limits)  # fmt: skip
    limits = _limits(50_000, 54_000, 100_000, 106_000)
    yield _decided("ANNA", "3", "2026-07-13", served="2026-07-06", charge=15_000, paid=8_000, off=5_000,
                   share=(0, 2_000), code="HC:99213", limits=limits)  # fmt: skip


def _august() -> Iterable[Message]:
    """A test of Ben's, which will be disputed."""
    limits = _limits(50_000, 56_500, 100_000, 110_500)
    yield _decided("BEN", "4", "2026-08-24", served="2026-08-17", charge=30_000, paid=18_000, off=7_500,
                   share=(0, 4_500), code="HC:80053", limits=limits)  # fmt: skip


# --- messages


def _decided(
    given_name: str,
    number: str,
    on: str,
    *,
    served: str,
    charge: int,
    paid: int,
    off: int,
    share: tuple[int, int],
    code: str,
    limits: Sequence[Message] = (),
    status_code: str = "1",
    payer: Payer = NORTHFIELD,
) -> Message:
    """What a payer decided of one claim of one line: `off` is written off by contract (or paid by the payer before),
    `share` is deductible and coinsurance."""
    group, carc = ("OA", "23") if status_code == "2" else ("CO", "45")
    reasons = [(group, carc, off), ("PR", "1", share[0]), ("PR", "2", share[1])]
    adjustments = [{"group": g, "carc": reason, "cents": cents} for g, reason, cents in reasons if cents]
    line = {"procedure": code, "charge_cents": charge, "paid_cents": paid, "service_from": served}
    return {
        "schema": 1,
        "payer_id": "1" + payer.tax_id,
        "patient": {
            "member_id": MEMBER_ID if payer is NORTHFIELD else AT_HARBORLINE,
            "family_name": "WINTERBOURNE",
            "given_name": given_name,
        },
        "numbers": {"patient_control_number": f"FAM26-{number}", "payer_claim_number": f"{payer.code}26000{number}"},
        "billing_provider_id": CLINIC,
        "said": {
            "kind": "adjudicated",
            "on": on,
            "status_code": status_code,
            "charge_cents": charge,
            "paid_cents": paid,
            "patient_cents": sum(share),
            "claim_type": "professional",
            "lines": [line | {"adjustments": adjustments}],
            **({"network": "in", "plan_id": "FAMILY-1000", "accumulators": list(limits)} if limits else {}),
        },
    }


def _limits(own: int, own_paid: int, family: int, family_paid: int) -> list[Message]:
    """What the plan counts after it, in cents: an embedded deductible of 500.00 and 1,000.00."""
    rows = [
        ("deductible", "individual", own, 50_000),
        ("out_of_pocket", "individual", own_paid, 300_000),
        ("deductible", "family", family, 100_000),
        ("out_of_pocket", "family", family_paid, 600_000),
    ]
    return [
        {"kind": kind, "level": level, "network": "in", "used_cents": used, "limit_cents": limit}
        | ({"design": "embedded"} if level == "family" else {})
        for kind, level, used, limit in rows
    ]


_AT_NORTHFIELD: Message = {"schema": 1, "payer_id": "1" + NORTHFIELD.tax_id, "member_id": MEMBER_ID}


def _of_payment(payment_id: str, kind: str, **said: Any) -> Message:
    return _AT_NORTHFIELD | {"payment_id": payment_id, "said": {"kind": kind} | said}


def _of_schedule(kind: str, **said: Any) -> Message:
    return _AT_NORTHFIELD | {"schedule_id": "sc_26", "said": {"kind": kind} | said}


def _of_contract(kind: str, on: str, **said: Any) -> Message:
    return _AT_NORTHFIELD | {"contract_id": "NHP-FAM-26", "said": {"kind": kind, "on": on} | said}


def _lines(messages: Iterable[Message]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def main() -> None:
    target = FOLDER / "family"
    target.mkdir(exist_ok=True)
    for name, data in build().items():
        (target / name).write_bytes(data)


if __name__ == "__main__":
    main()
