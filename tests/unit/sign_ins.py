"""Good messages of topic portal.sign-ins, and facts about an account, as plain values."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.facts import StreamId
from domain.identity import Record
from domain.lockout import Policy
from domain.sign_in import By, Cause, Kind, Personal, Said
from tests.unit.notices import Message

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESSES = {"device_id": "D-1", "address": "203.0.113.7", "country": "US"}

SAID: dict[str, Message] = {
    "code_issued": {"code_id": "C-1", "expires_at": "2026-03-09T12:00:00-05:00"},
    "code_expired": {"code_id": "C-1"},
    "code_requested": {},
    "identity_proved": {"proof": "document", "grade": "ial2"},
    "registered": {},
    "terms_accepted": {"terms": "2026-01"},
    "factor_enrolled": {"factor": "passkey", "factor_id": "F-1"},
    "factor_removed": {"factor_id": "F-1"},
    "signed_in": {"session_id": "S-1", "factor": "passkey"} | ADDRESSES,
    "sign_in_failed": {"cause": "wrong_password"} | ADDRESSES,
    "unlocked": {"by": "link"},
    "session_used": {"session_id": "S-1", "address": "203.0.113.7"},
    "session_ended": {"session_id": "S-1", "by": "member"},
    "session_revoked": {"session_id": "S-1", "by": "agent"},
    "sessions_revoked": {"by": "member"},
    "password_changed": {"by": "member"},
    "password_recovered": {"by": "link"},
    "user_name_recovered": {"by": "agent"},
    "linked": {"other_portal_id": "dental", "other_user_name": "ada.d"},
    "unlinked": {"other_portal_id": "dental", "other_user_name": "ada.d"},
    "moved_over": {"other_portal_id": "old", "other_user_name": "ada72"},
    "app_linked": {"app": "apple_health", "scopes": ["claims", "coverage"]},
    "app_unlinked": {"app": "apple_health"},
    "alert_acknowledged": {"about_event_id": "E-1", "by": "member"},
}
"""Every kind with what it says"""


def sign_in(kind: str, event_id: str = "E-1", at: str = "2026-03-02T07:00:00-05:00", **said: Any) -> Message:
    """About the same account of the same portal, whose it is not said."""
    told = {"kind": kind, "event_id": event_id, "at": at} | SAID.get(kind, {}) | said
    return {"schema": 1, "portal_id": "member-portal", "user_name": "ada", "said": told}


def of_member(message: Message, member_id: str = "NHP100000001", payer_id: str = "1078810412") -> Message:
    return message | {"member": {"payer_id": payer_id, "member_id": member_id, "given_name": "ADA"}}


# --- as the domain has it


def minutes(count: float) -> datetime:
    """After noon."""
    return NOON + timedelta(minutes=count)


def said(kind: Kind, at: float, name: str = "", **what: Any) -> Said:
    given = Said(kind, minutes(at), fact=StreamId(name or f"{kind} at {at}"), **what)
    return Said(kind, minutes(at), content=repr(given), fact=given.fact, **what)


def failed(at: float, device: str | None = None, name: str = "", cause: Cause = Cause.WRONG_PASSWORD) -> Said:
    named = name or f"failed at {at} {device}"
    return said(Kind.SIGN_IN_FAILED, at, named, cause=cause, device=device and StreamId(device))


def signed_in(at: float, device: str | None = None, name: str = "") -> Said:
    named = name or f"signed in at {at} {device}"
    return said(Kind.SIGNED_IN, at, named, session=StreamId(named), device=device and StreamId(device))


def unlocked(at: float, by: By = By.LINK) -> Said:
    return said(Kind.UNLOCKED, at, by=by)


def record(what: Said, policy: Policy | None = None) -> Record:
    return Record(portal_id="P", source="s", personal=Personal("ada"), said=what, policy=policy or Policy())
