"""The same family's year at the portal: plans, enrolment, sign-ins, a change of plan, consents (JSON, one a line).

`python -m samples.household` writes it into `samples/household/`. Claims and payments: samples/family.py.
"""

import json
from collections.abc import Iterable
from typing import Any

from samples.family import MEMBER_ID
from samples.make import FOLDER, NORTHFIELD

Message = dict[str, Any]

PAYER_ID = "1" + NORTHFIELD.tax_id
PORTAL = "member-portal"
OWN, STRANGERS = "d-anna-phone", "d-unknown"
ANNA = {"given_name": "ANNA", "family_name": "WINTERBOURNE", "birth_date": "1979-06-02", "sex": "female"}
BEN = {"given_name": "BEN", "family_name": "WINTERBOURNE", "birth_date": "1978-11-20", "sex": "male"}
DANA = {"given_name": "DANA", "family_name": "WINTERBOURNE", "birth_date": "2008-05-14", "sex": "female"}
CLEO = {"given_name": "CLEO", "family_name": "WINTERBOURNE", "birth_date": "2026-10-03", "sex": "female"}


def build() -> dict[str, bytes]:
    """Every file by its name, in the order in which it is read."""
    return {
        "1-plans.jsonl": _lines(_plans()),
        "2-coverage.jsonl": _lines(_coverage()),
        "3-sign-ins.jsonl": _lines(_sign_ins()),
    }


def _plans() -> Iterable[Message]:
    """What the family has, and what would have cost it less in a year with few claims."""
    yield _plan("FAMILY-1000", "Family 1000", (14_000, 31_250), deductible=(50_000, 100_000), limit=(300_000, 600_000))
    yield _plan("FAMILY-3000", "Family 3000", (8_000, 19_500), deductible=(150_000, 300_000), limit=(400_000, 800_000))


def _plan(
    plan_id: str, name: str, premium: tuple[int, int], *, deductible: tuple[int, int], limit: tuple[int, int]
) -> Message:
    """Premium a month, deductible and out-of-pocket limit, each of one person and of a family, in cents. Behind the
    deductible the member pays a fifth."""
    shares = [
        {"service": "preventive", "share": {"deductible_applies": False}},
        {"service": "other", "share": {"coinsurance_percent": 20}},
    ]
    own = {"network": "in", "deductible": _both(deductible), "out_of_pocket": _both(limit), "shares": shares}
    return {
        "schema": 1,
        "payer_id": PAYER_ID,
        "plan_id": plan_id,
        "revision": 1,
        "design": {
            "name": name,
            "effective_from": "2026-01-01",
            "effective_to": "2026-12-31",
            "zone": "America/New_York",
            "premium": _both(premium),
            "family": "embedded",
            "open_enrolment": {"first": "2025-11-01", "last": "2026-01-15"},
            "special_enrolment_days": 60,
            "benefits": [own],
        },
    }


def _both(cents: tuple[int, int]) -> Message:
    return {"individual_cents": cents[0], "family_cents": cents[1]}


def _coverage() -> Iterable[Message]:
    """Enrolled; another plan is refused in spring; Dana comes of age: what was allowed for her ends, what she allows
    herself she takes back; Cleo is born, and the plan changes."""
    dependants = [{"relationship": "spouse"} | BEN, {"relationship": "child"} | DANA]
    yield _change("1", "2025-11-18T09:30:00-05:00", kind="enrolled", plan_id="FAMILY-1000", effective_from="2026-01-01",
                  subscriber=ANNA, dependants=dependants)  # fmt: skip
    yield _consent("2", "2025-11-18T09:40:00-05:00", "family_linked", "ANNA", "DANA", by="plan", relationship="parent")
    yield _consent("3", "2025-11-18T09:40:00-05:00", "family_linked", "ANNA", "BEN", by="plan", relationship="spouse")
    yield _consent("12", "2025-11-18T09:45:00-05:00", "consent_granted", "BEN", "DANA", by="representative",
                   areas=["claims", "care"], first_on="2025-11-18")  # fmt: skip
    yield _consent("4", "2026-01-10T20:00:00-05:00", "consent_granted", "ANNA", "BEN", by="subject",
                   areas=["claims", "money", "coverage", "care"], first_on="2026-01-10")  # fmt: skip
    yield _change("5", "2026-04-10T18:00:00-04:00", kind="plan_change_requested", plan_id="FAMILY-3000",
                  effective_on="2026-05-01")  # fmt: skip
    yield _consent("6", "2026-05-20T19:00:00-04:00", "consent_granted", "ANNA", "DANA", by="subject",
                   areas=["coverage"], first_on="2026-05-20")  # fmt: skip
    yield _consent("13", "2026-09-01T18:00:00-04:00", "consent_revoked", "ANNA", "DANA", by="subject")
    yield _change("7", "2026-10-05T11:00:00-04:00", kind="dependant_added", effective_from="2026-10-03",
                  dependant={"relationship": "child"} | CLEO)  # fmt: skip
    yield _consent("11", "2026-10-05T11:00:00-04:00", "family_linked", "ANNA", "CLEO", by="plan", relationship="parent")
    birth = {"event": "birth", "on": "2026-10-03", "proofs": ["birth_certificate"]}
    yield _change("8", "2026-10-20T20:15:00-04:00", kind="plan_change_requested", plan_id="FAMILY-3000",
                  effective_on="2026-11-01", life_event=birth)  # fmt: skip
    yield _change("9", "2026-10-20T20:25:00-04:00", kind="plan_change_compared", of_change_id=_number("8"))
    yield _change("10", "2026-10-21T08:00:00-04:00", kind="plan_change_confirmed", of_change_id=_number("8"))


def _number(change: str) -> str:
    return f"NHP-FAM26-{change}"


def _change(change: str, at: str, **said: Any) -> Message:
    return {
        "schema": 1,
        "payer_id": PAYER_ID,
        "member_id": MEMBER_ID,
        "change_id": _number(change),
        "at": at,
        "said": said,
    }


def _consent(change: str, at: str, kind: str, viewer: str, subject: str, **said: Any) -> Message:
    return _change(change, at, kind=kind, viewer={"given_name": viewer}, subject=subject, **said)


def _sign_ins() -> Iterable[Message]:
    """Anna signs up; in June a stranger tries her password until the account is locked; her own phone is let in."""
    whose = {"payer_id": PAYER_ID, "member_id": MEMBER_ID, "given_name": "ANNA"}
    yield _of_anna("1", "2026-01-05T18:00:00-05:00", kind="code_issued", code_id="code-1",
                   expires_at="2026-01-12T18:00:00-05:00") | {"member": whose}  # fmt: skip
    yield _of_anna("2", "2026-01-06T19:00:00-05:00", kind="identity_proved", proof="activation_code", grade="ial1")
    yield _of_anna("3", "2026-01-06T19:02:00-05:00", kind="registered")
    yield _of_anna("4", "2026-01-06T19:03:00-05:00", kind="terms_accepted", terms="2026-01")
    yield _of_anna("5", "2026-01-06T19:04:00-05:00", kind="factor_enrolled", factor="passkey", factor_id="f-1")
    yield _of_anna("6", "2026-01-06T19:05:00-05:00", kind="signed_in", session_id="s-1", factor="passkey", **_from(OWN))
    yield _of_anna("7", "2026-01-06T19:30:00-05:00", kind="session_ended", session_id="s-1", by="member")
    for number in range(5):
        yield _of_anna(f"{8 + number}", f"2026-06-14T03:1{number}:00-04:00", kind="sign_in_failed",
                       cause="wrong_password", **_from(STRANGERS))  # fmt: skip
    yield _of_anna("13", "2026-06-14T03:16:00-04:00", kind="sign_in_failed", cause="wrong_password", **_from(STRANGERS))
    yield _of_anna(
        "14", "2026-06-14T03:20:00-04:00", kind="signed_in", session_id="s-2", factor="passkey", **_from(OWN)
    )
    yield _of_anna("15", "2026-06-14T09:00:00-04:00", kind="password_changed", by="member")
    yield _of_anna("16", "2026-06-14T09:05:00-04:00", kind="sessions_revoked", by="member")
    yield _of_anna(
        "17", "2026-10-20T20:00:00-04:00", kind="signed_in", session_id="s-3", factor="passkey", **_from(OWN)
    )


def _from(device: str) -> Message:
    if device == OWN:
        return {"device_id": OWN, "device": "Anna's phone", "address": "203.0.113.26", "country": "US"}
    return {"device_id": STRANGERS, "device": "curl", "address": "198.51.100.9", "country": "RO"}


def _of_anna(event: str, at: str, **said: Any) -> Message:
    told = said | {"event_id": f"evt-anna-{event}", "at": at}
    return {"schema": 1, "portal_id": PORTAL, "user_name": "anna.w", "said": told}


def _lines(messages: Iterable[Message]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def main() -> None:
    target = FOLDER / "household"
    target.mkdir(exist_ok=True)
    for name, data in build().items():
        (target / name).write_bytes(data)


if __name__ == "__main__":
    main()
