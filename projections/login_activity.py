"""Sign-ins: everything that portals said of accounts, whose they are, and which sessions are open.

Rows are only ever added, so what an account looked like on any day, as known at any position, follows from some of them.
Holds nothing personal: opaque ids stand for accounts, devices, addresses and sessions.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.sign_in_events import KIND_OF, LockedOut
from projections.login_queries import PORTAL_ACCOUNTS, SESSIONS
from projections.projection import Change, Projected, Read, Statement

NAME = "login_activity"
VERSION = 3
EVENTS = tuple(KIND_OF)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE login_activity (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    login_id uuid NOT NULL,
    portal_id text,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    fact_id uuid,
    device_id uuid,
    address_id uuid,
    session_id uuid,
    cause text,
    verdict text,
    factor text,
    by text,
    until timestamptz,
    details jsonb NOT NULL
);
CREATE INDEX login_activity_login_idx ON login_activity (login_id, at);
CREATE INDEX login_activity_session_idx ON login_activity (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX login_activity_known_idx ON login_activity (login_id, device_id, address_id, at) WHERE kind = 'signed_in';
CREATE INDEX login_activity_locked_idx ON login_activity (login_id, position) WHERE kind IN ('locked_out', 'lockout_ended');
CREATE INDEX login_activity_failed_idx ON login_activity (at) WHERE kind = 'sign_in_failed';
CREATE INDEX login_activity_moved_idx ON login_activity (((details->>'other')::uuid)) WHERE kind = 'moved_over';
COMMENT ON TABLE login_activity IS 'What portals said of accounts, and lockouts. Rows are only ever added.';
COMMENT ON COLUMN login_activity.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN login_activity.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN login_activity.login_id IS 'The account''s stream in the log. Stands for portal and user name, which is personal; also where that is nobody''s, which has no stream.';
COMMENT ON COLUMN login_activity.portal_id IS 'The portal; null of what the ledger itself decided.';
COMMENT ON COLUMN login_activity.kind IS 'What was said, as in docs/messages.md, or locked_out or lockout_ended.';
COMMENT ON COLUMN login_activity.at IS 'When, by the portal''s clock.';
COMMENT ON COLUMN login_activity.fact_id IS 'Stands for the portal''s own id of it.';
COMMENT ON COLUMN login_activity.device_id IS 'The device that tried; of a lockout the one that it holds for, null for all that never signed in.';
COMMENT ON COLUMN login_activity.address_id IS 'The address that it came from.';
COMMENT ON COLUMN login_activity.session_id IS 'The session that began, was used, ended or was revoked.';
COMMENT ON COLUMN login_activity.cause IS 'Why a sign-in failed.';
COMMENT ON COLUMN login_activity.verdict IS 'Of an attempt during a lockout: what the portal made of it.';
COMMENT ON COLUMN login_activity.factor IS 'What was signed in with, enrolled or changed.';
COMMENT ON COLUMN login_activity.by IS 'Who or what did it.';
COMMENT ON COLUMN login_activity.until IS 'Of a lockout, until when; null until it is unlocked. Of an activation code, until when it is good.';
COMMENT ON COLUMN login_activity.details IS 'Whatever else the event says.';
CREATE TABLE login_owners (
    login_id uuid NOT NULL,
    account_id uuid NOT NULL,
    person_id uuid NOT NULL,
    payer_id text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (login_id, account_id, person_id)
);
CREATE INDEX login_owners_account_idx ON login_owners (account_id);
CREATE INDEX login_owners_payer_idx ON login_owners (payer_id);
COMMENT ON TABLE login_owners IS 'Whose an account of a portal is, as that portal said first. Rows are only ever added.';
COMMENT ON COLUMN login_owners.login_id IS 'The account of the portal.';
COMMENT ON COLUMN login_owners.account_id IS 'The account of the member''s number.';
COMMENT ON COLUMN login_owners.person_id IS 'The person.';
COMMENT ON COLUMN login_owners.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN login_owners.position IS 'Position in the log of the event that said it first.';
"""

VIEWS = f"""
CREATE OR REPLACE VIEW public.login_activity AS
SELECT position, recorded_at, login_id, portal_id, kind, at, (at AT TIME ZONE (SELECT zone FROM calendar))::date AS day, fact_id,
       device_id, address_id, session_id, cause, verdict, factor, by, until, details
FROM login_activity;
COMMENT ON VIEW public.login_activity IS 'What portals said of accounts, and lockouts, each with its moment and its position in the log.';
COMMENT ON COLUMN public.login_activity.day IS 'On which day that was, in the plan''s time zone.';
CREATE OR REPLACE VIEW public.login_owners AS SELECT * FROM login_owners;
COMMENT ON VIEW public.login_owners IS 'Whose an account of a portal is, as that portal said first.';
CREATE OR REPLACE VIEW public.login_members AS
WITH RECURSIVE own AS (
    SELECT login_id, account_id, person_id, payer_id, position FROM login_owners
    UNION
    SELECT moved.login_id, own.account_id, own.person_id, own.payer_id, greatest(own.position, moved.position)
    FROM own JOIN login_activity moved ON moved.kind = 'moved_over' AND (moved.details->>'other')::uuid = own.login_id
    WHERE NOT EXISTS (SELECT FROM login_owners said WHERE said.login_id = moved.login_id)
)
SELECT login_id, account_id, person_id, payer_id, min(position) AS position FROM own
GROUP BY login_id, account_id, person_id, payer_id;
COMMENT ON VIEW public.login_members IS 'Whose an account of a portal is: as that portal said, else whose the account was whose place it takes.';
COMMENT ON COLUMN public.login_members.login_id IS 'The account of the portal.';
COMMENT ON COLUMN public.login_members.account_id IS 'The account of the member''s number.';
COMMENT ON COLUMN public.login_members.person_id IS 'The person.';
COMMENT ON COLUMN public.login_members.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN public.login_members.position IS 'Position in the log of the event by which that is known.';
CREATE OR REPLACE VIEW public.login_sessions AS {SESSIONS.format(told="true", began="true")};
COMMENT ON VIEW public.login_sessions IS 'Sessions, and how those ended that are not open any more.';
COMMENT ON COLUMN public.login_sessions.session_id IS 'The session.';
COMMENT ON COLUMN public.login_sessions.login_id IS 'The account of a portal.';
COMMENT ON COLUMN public.login_sessions.portal_id IS 'The portal.';
COMMENT ON COLUMN public.login_sessions.position IS 'Position in the log of the sign-in that began it.';
COMMENT ON COLUMN public.login_sessions.device_id IS 'The device that signed in.';
COMMENT ON COLUMN public.login_sessions.address_id IS 'The address that it came from.';
COMMENT ON COLUMN public.login_sessions.factor IS 'What was signed in with.';
COMMENT ON COLUMN public.login_sessions.began_at IS 'When it began.';
COMMENT ON COLUMN public.login_sessions.last_used_at IS 'When it was used last, as far as that is told.';
COMMENT ON COLUMN public.login_sessions.ended_at IS 'When it ended; null while it is open.';
COMMENT ON COLUMN public.login_sessions.ended IS 'session_ended, session_revoked or sessions_revoked.';
COMMENT ON COLUMN public.login_sessions.ended_by IS 'Who or what ended it.';
CREATE OR REPLACE VIEW public.portal_accounts AS {PORTAL_ACCOUNTS.format(told="true", other="true", main="login_id IN (SELECT login_id FROM public.login_members)")};
COMMENT ON VIEW public.portal_accounts IS 'What members'' accounts of portals came to be: of each thing the last word by its moment.';
COMMENT ON COLUMN public.portal_accounts.login_id IS 'The account.';
COMMENT ON COLUMN public.portal_accounts.portal_id IS 'The portal.';
COMMENT ON COLUMN public.portal_accounts.registered_at IS 'Since when it is there; null before.';
COMMENT ON COLUMN public.portal_accounts.code_until IS 'Until when the last activation code is good.';
COMMENT ON COLUMN public.portal_accounts.code_requested_at IS 'When another one was asked for last.';
COMMENT ON COLUMN public.portal_accounts.proof IS 'By what the member proved who they are; knowledge is legacy.';
COMMENT ON COLUMN public.portal_accounts.grade IS 'How sure that is: an identity assurance level.';
COMMENT ON COLUMN public.portal_accounts.terms IS 'Which version of the terms was accepted last.';
COMMENT ON COLUMN public.portal_accounts.factors IS 'What one signs in with; sms and email are legacy.';
COMMENT ON COLUMN public.portal_accounts.linked IS 'Accounts of other portals that it is linked with.';
COMMENT ON COLUMN public.portal_accounts.moved_from IS 'The account whose place it takes.';
COMMENT ON COLUMN public.portal_accounts.apps IS 'Health apps, and what each may read.';
CREATE OR REPLACE VIEW public.sign_in_failures AS
SELECT day, portal_id, cause, count(*) AS failures,
       round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY day, portal_id), 1) AS percent
FROM (SELECT (at AT TIME ZONE zone)::date AS day, portal_id, cause FROM login_activity CROSS JOIN calendar WHERE kind = 'sign_in_failed') failed
GROUP BY day, portal_id, cause;
COMMENT ON VIEW public.sign_in_failures IS 'Sign-ins that failed, by day, portal and cause: how many of them were passwords?';
COMMENT ON COLUMN public.sign_in_failures.day IS 'On which day, in the plan''s time zone.';
COMMENT ON COLUMN public.sign_in_failures.portal_id IS 'The portal.';
COMMENT ON COLUMN public.sign_in_failures.cause IS 'Why.';
COMMENT ON COLUMN public.sign_in_failures.failures IS 'How many there were.';
COMMENT ON COLUMN public.sign_in_failures.percent IS 'Of all that failed on that day at that portal.';
CREATE OR REPLACE VIEW public.open_lockouts AS
SELECT locked.login_id, locked.device_id, locked.at AS since, locked.until, locked.position
FROM login_activity locked
WHERE locked.kind = 'locked_out' AND NOT EXISTS (
    SELECT FROM login_activity ended
    WHERE ended.login_id = locked.login_id AND ended.kind = 'lockout_ended' AND ended.at >= locked.at
      AND ended.position > locked.position
      AND (ended.by <> 'ran_out' OR ended.device_id IS NOT DISTINCT FROM locked.device_id)
);
COMMENT ON VIEW public.open_lockouts IS 'Lockouts of which nothing said yet that they ended, though their time may be over.';
COMMENT ON COLUMN public.open_lockouts.login_id IS 'The account of a portal.';
COMMENT ON COLUMN public.open_lockouts.device_id IS 'The device that it holds for, null for all that never signed in.';
COMMENT ON COLUMN public.open_lockouts.position IS 'Position in the log of the event that locks.';
COMMENT ON COLUMN public.open_lockouts.since IS 'Since when.';
COMMENT ON COLUMN public.open_lockouts.until IS 'Until when; null until a link or an agent unlocks it.';
"""  # noqa: S608 nothing in it comes from outside

INSERT = """
INSERT INTO login_activity SELECT * FROM json_populate_recordset(NULL::login_activity, %(rows)s::json)
"""

OWN = """
INSERT INTO login_owners SELECT * FROM json_populate_recordset(NULL::login_owners, %(rows)s::json) ON CONFLICT DO NOTHING
"""


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    login_id: str
    kind: str
    at: datetime
    details: dict[str, Any]
    portal_id: str | None = None
    fact_id: str | None = None
    device_id: str | None = None
    address_id: str | None = None
    session_id: str | None = None
    cause: str | None = None
    verdict: str | None = None
    factor: str | None = None
    by: str | None = None
    until: datetime | None = None


class OwnerRow(msgspec.Struct, gc=False):
    login_id: str
    account_id: str
    person_id: str
    payer_id: str
    position: int


_encode = msgspec.json.Encoder().encode

COLUMN_OF = {
    "portal_id": "portal_id",
    "fact": "fact_id",
    "device": "device_id",
    "address": "address_id",
    "session": "session_id",
    "cause": "cause",
    "verdict": "verdict",
    "factor": "factor",
    "by": "by",
    "until": "until",
    "expires_at": "until",
}
"""Fields of events that have a column of their own"""
DETAILS = ("proof", "grade", "terms", "factor_id", "code", "other", "app", "scopes", "about", "failures")


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows = [_row(projected) for projected in events]
    owners = [row for projected in events if (row := _owner(projected))]
    return [Statement(sql, _encode(changed)) for sql, changed in ((INSERT, rows), (OWN, owners)) if changed]


def _row(projected: Projected) -> Row:
    event: Any = projected.event
    told = {name: value for name in event.__struct_fields__ if (value := getattr(event, name)) not in (None, "")}
    return Row(
        position=projected.position,
        recorded_at=projected.recorded_at,
        login_id=getattr(event, "unknown", None) or projected.stream,
        kind=KIND_OF[type(event)],
        at=event.at.astimezone(UTC),
        details={name: told[name] for name in DETAILS if name in told},
        **{column: told[name] for name, column in COLUMN_OF.items() if name in told},
    )


def _owner(projected: Projected) -> OwnerRow | None:
    event: Any = projected.event
    if isinstance(event, LockedOut) or getattr(event, "account", None) is None:
        return None
    return OwnerRow(projected.stream, event.account, event.owner, event.payer_id, projected.position)
