"""Security alerts: what about sign-ins should alarm somebody, raised once and resolved by a later event.

The rules stand in domain/anomalies.py. What they look at is remembered for each account and address: opaque ids, moments and
countries, never an address or a name.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.anomalies import Account, Address, Attempt, judged
from domain.facts import StreamId
from domain.sign_in import Personal
from domain.sign_in_events import SUCCEEDED, AlertAcknowledged, LockedOut, LockoutEnded, SignedIn, SignInFailed
from projections.projection import Change, Projected, Read, Statement

NAME = "security_alerts"
VERSION = 3
EVENTS = (SignedIn, SignInFailed, LockedOut, LockoutEnded, AlertAcknowledged)
OPENS_PERSONAL = True

TABLES = """
CREATE TABLE security_alerts (
    position bigint NOT NULL,
    rule text NOT NULL,
    login_id uuid NOT NULL,
    fact_id uuid,
    device_id uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (position, rule)
);
CREATE INDEX security_alerts_login_idx ON security_alerts (login_id);
COMMENT ON TABLE security_alerts IS 'Alerts that were raised. Rows are only ever added.';
COMMENT ON COLUMN security_alerts.position IS 'Position in the log of the event that raised it.';
COMMENT ON COLUMN security_alerts.rule IS 'Which rule of domain/anomalies.py an attempt broke, or locked_out.';
COMMENT ON COLUMN security_alerts.login_id IS 'The account of a portal.';
COMMENT ON COLUMN security_alerts.fact_id IS 'The attempt.';
COMMENT ON COLUMN security_alerts.device_id IS 'The device of the attempt, or that a lockout holds for.';
COMMENT ON COLUMN security_alerts.at IS 'When that was, by the portal''s clock.';
CREATE TABLE security_resolutions (
    position bigint PRIMARY KEY,
    login_id uuid NOT NULL,
    fact_id uuid,
    device_id uuid,
    by text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX security_resolutions_login_idx ON security_resolutions (login_id);
COMMENT ON TABLE security_resolutions IS 'What resolves alerts: somebody has seen one, or a lockout ended. Rows are only ever added.';
COMMENT ON COLUMN security_resolutions.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN security_resolutions.login_id IS 'The account of a portal.';
COMMENT ON COLUMN security_resolutions.fact_id IS 'The attempt of which alerts were seen; null of a lockout.';
COMMENT ON COLUMN security_resolutions.device_id IS 'The device that a lockout held for.';
COMMENT ON COLUMN security_resolutions.by IS 'Who has seen it, or what ended the lockout.';
COMMENT ON COLUMN security_resolutions.at IS 'When.';
CREATE TABLE security_memory (
    subject_id uuid PRIMARY KEY,
    kind text NOT NULL,
    folded text NOT NULL
);
COMMENT ON TABLE security_memory IS 'What is remembered of accounts and addresses, as the rules look at it.';
COMMENT ON COLUMN security_memory.subject_id IS 'An account of a portal, or what stands for an address.';
COMMENT ON COLUMN security_memory.kind IS 'account or address.';
COMMENT ON COLUMN security_memory.folded IS 'As JSON, as the ledger reads it again: opaque ids, moments and countries.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.security_alerts AS
SELECT replace(raised.rule, '_', ' ') AS kind, raised.login_id, raised.fact_id, raised.at AS raised_at,
       (raised.at AT TIME ZONE (SELECT zone FROM calendar))::date AS raised_on, raised.position AS raised_position,
       (resolved.at AT TIME ZONE (SELECT zone FROM calendar))::date AS resolved_on, resolved.position AS resolved_position,
       resolved.by AS resolved_by, resolved.at AS resolved_at
FROM security_alerts raised
LEFT JOIN LATERAL (
    SELECT at, position, by FROM security_resolutions told
    WHERE CASE
        WHEN raised.rule = 'locked_out' THEN told.login_id = raised.login_id AND told.fact_id IS NULL AND told.at >= raised.at
            AND told.position > raised.position
            AND (told.by <> 'ran_out' OR told.device_id IS NOT DISTINCT FROM raised.device_id)
        ELSE told.fact_id = raised.fact_id
    END
    ORDER BY position LIMIT 1
) resolved ON true;
COMMENT ON VIEW public.security_alerts IS 'What about sign-ins should alarm somebody, each once, with the event that raised it and the one that resolved it.';
COMMENT ON COLUMN public.security_alerts.kind IS 'new device in new country, impossible travel, many accounts from one address, burst of failures, right password while locked or locked out.';
COMMENT ON COLUMN public.security_alerts.raised_at IS 'Since when.';
COMMENT ON COLUMN public.security_alerts.raised_on IS 'Since which day, in the plan''s time zone.';
COMMENT ON COLUMN public.security_alerts.raised_position IS 'Position of the event that raised it.';
COMMENT ON COLUMN public.security_alerts.resolved_on IS 'Until which day, in the plan''s time zone; null while it stands.';
COMMENT ON COLUMN public.security_alerts.resolved_position IS 'Position of the event that resolved it.';
COMMENT ON COLUMN public.security_alerts.resolved_by IS 'Who has seen it, or what ended a lockout.';
COMMENT ON COLUMN public.security_alerts.resolved_at IS 'Until when; null while it stands.';
"""

RAISE = """
INSERT INTO security_alerts SELECT * FROM json_populate_recordset(NULL::security_alerts, %(rows)s::json)
"""

RESOLVE = """
INSERT INTO security_resolutions SELECT * FROM json_populate_recordset(NULL::security_resolutions, %(rows)s::json)
"""

REMEMBER = """
INSERT INTO security_memory SELECT * FROM json_populate_recordset(NULL::security_memory, %(rows)s::json)
ON CONFLICT (subject_id) DO UPDATE SET folded = excluded.folded
"""

REMEMBERED = """
SELECT subject_id::text, folded FROM security_memory
WHERE subject_id = ANY(string_to_array(%(subjects)s, ',')::uuid[])
"""


class AlertRow(msgspec.Struct, gc=False):
    position: int
    rule: str
    login_id: str
    fact_id: str | None
    device_id: str | None
    at: datetime


class ResolutionRow(msgspec.Struct, gc=False):
    position: int
    login_id: str
    fact_id: str | None
    device_id: str | None
    by: str
    at: datetime


class MemoryRow(msgspec.Struct, gc=False):
    subject_id: str
    kind: str
    folded: str


_encode = msgspec.json.Encoder().encode
_account = msgspec.json.Decoder(Account).decode
_address = msgspec.json.Decoder(Address).decode


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    memory = _Memory(events, read)
    alerts, resolutions = list[AlertRow](), list[ResolutionRow]()
    for projected in events:
        event = projected.event
        assert isinstance(event, EVENTS)
        at = event.at.astimezone(UTC)
        about = projected.position, projected.stream
        match event:
            case SignedIn() | SignInFailed():
                for rule in memory.judge(attempt := _attempt(projected)):
                    alerts.append(AlertRow(about[0], rule, attempt.login, event.fact, event.device, at))
            case LockedOut():
                alerts.append(AlertRow(about[0], "locked_out", about[1], None, event.device, at))
            case LockoutEnded():
                resolutions.append(ResolutionRow(*about, None, event.device, event.by, at))
            case AlertAcknowledged():
                resolutions.append(ResolutionRow(*about, event.about, None, event.by, at))
    changed = ((RAISE, alerts), (RESOLVE, resolutions), (REMEMBER, memory.rows()))
    return [Statement(sql, _encode(rows)) for sql, rows in changed if rows]


class _Memory:
    """What is remembered of the accounts and addresses of a batch."""

    def __init__(self, events: Sequence[Projected], read: Read) -> None:
        attempts = [
            (_login(each), each.event.address) for each in events if isinstance(each.event, SignedIn | SignInFailed)
        ]
        subjects = {subject for attempt in attempts for subject in attempt if subject is not None}
        kept: dict[str, str] = dict(read(REMEMBERED, {"subjects": ",".join(sorted(subjects))})) if subjects else {}
        logins = {login for login, _ in attempts}
        self._accounts = {login: _account(kept.get(login, "{}")) for login in logins}
        self._addresses = {address: _address(kept.get(address, "{}")) for address in subjects - logins}

    def judge(self, attempt: Attempt) -> list[str]:
        address = Address() if attempt.address is None else self._addresses[attempt.address]
        rules, self._accounts[attempt.login], after = judged(attempt, self._accounts[attempt.login], address)
        if attempt.address is not None:
            self._addresses[attempt.address] = after
        return rules

    def rows(self) -> list[MemoryRow]:
        kinds = ("account", self._accounts), ("address", self._addresses)
        nothing = Account(), Address()
        remembered = ((of, kind, kept) for kind, each in kinds for of, kept in each.items() if kept not in nothing)
        return [MemoryRow(of, kind, _encode(kept).decode()) for of, kind, kept in remembered]


def _login(projected: Projected) -> StreamId:
    """The account; where the user name is nobody's, what stands for that."""
    return getattr(projected.event, "unknown", None) or projected.stream


def _attempt(projected: Projected) -> Attempt:
    event: Any = projected.event
    country = projected.personal.country if isinstance(projected.personal, Personal) else ""
    succeeded = isinstance(event, SignedIn)
    had_succeeded = not succeeded and event.verdict == SUCCEEDED
    is_nobodys = getattr(event, "unknown", None) is not None
    about = succeeded, event.device, event.address, country, had_succeeded, is_nobodys
    return Attempt(_login(projected), event.at.astimezone(UTC), *about)
