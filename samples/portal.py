"""What a portal and its neighbours send of many members, fast, for measurements: sign-ins, payments, enrolments."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from samples.catalog import PAYERS
from samples.telling import Message, payer_id

SIGN_INS, PAYMENTS, CHANGES = "portal.sign-ins", "payments", "coverage.changes"

BEGAN = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
FAILED_SHARE = 0.15
"""Of sign-ins: as many as a help desk knows. They seldom come in a row, so few accounts are locked"""
PAYER_ID = payer_id(PAYERS[0])


def sign_ins(seed: int, count: int, *, accounts: int) -> Iterator[Message]:
    """Each account signs in from one of three devices; now and then a password is wrong."""
    rng = random.Random(seed)
    for number in range(count):
        account = number % accounts
        said: dict[str, Any] = {
            "event_id": f"evt-{seed}-{number:09d}",
            "at": (BEGAN + timedelta(seconds=number // max(1, accounts // 1_000))).isoformat(),
            "device_id": f"d-{account}-{rng.randrange(3)}",
            "device": "Firefox on Windows",
            "address": f"203.0.113.{account % 250 + 1}",
            "country": "US",
        }
        if rng.random() < FAILED_SHARE:
            said |= {"kind": "sign_in_failed", "cause": "wrong_password"}
        else:
            said |= {"kind": "signed_in", "session_id": f"s-{seed}-{number:09d}"}
        yield _message(SIGN_INS, portal_id="member-portal", user_name=f"user{account:06d}", said=said)


def payments(seed: int, count: int, *, members: int) -> Iterator[Message]:
    """Every payment begins and posts, in two messages."""
    for number in range(count):
        payment, has_begun = divmod(number, 2)
        said: dict[str, Any] = {"kind": "posted", "on": "2026-03-04", "amount_cents": 2_500, "payout": "po_1"}
        if not has_begun:
            said = {"kind": "initiated", "at": BEGAN.isoformat(), "amount_cents": 2_500, "method": "hsa", "token": "t1"}
        member = f"NHP{seed % 1_000:03d}{payment % members:06d}"
        yield _message(PAYMENTS, payer_id=PAYER_ID, member_id=member, payment_id=f"py_{seed}p{payment}", said=said)


def enrolments(seed: int, count: int, *, members: int) -> Iterator[Message]:
    """Members with a child each, in turn: enrolled, and from the second round on enrolled anew for the next year."""
    for number in range(count):
        year, member = divmod(number, members)
        said = {
            "kind": "enrolled",
            "plan_id": "SILVER",
            "effective_from": f"{2026 + year % 100}-01-01",
            "subscriber": {"given_name": "ADA", "family_name": "OF MANY", "birth_date": "1980-01-01", "sex": "female"},
            "dependants": [
                {"relationship": "child", "given_name": "BO", "birth_date": "2015-02-03", "sex": "male"},
            ],
        }
        yield _message(
            CHANGES,
            payer_id=PAYER_ID,
            member_id=f"NHP{seed % 1_000:03d}{member:06d}",
            change_id=f"CHG-{seed}-{number:09d}",
            at=BEGAN.isoformat(),
            said=said,
        )


def _message(topic: str, **fields: Any) -> Message:
    return Message(topic, json.dumps({"schema": 1, **fields}, separators=(",", ":")).encode())
