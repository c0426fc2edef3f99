"""What is asked of sign-ins: a member's attempts, sessions and accounts, up to a day and as known at a position."""

SESSIONS = """
SELECT began.session_id, began.login_id, began.portal_id, began.at AS began_at, began.position, began.device_id, began.address_id, began.factor,
       used.last_used_at, ended.at AS ended_at, ended.kind AS ended, ended.by AS ended_by
FROM login_activity began
LEFT JOIN LATERAL (
    SELECT max(at) AS last_used_at FROM login_activity told
    WHERE told.session_id = began.session_id AND kind = 'session_used' AND {told}
) used ON true
LEFT JOIN LATERAL (
    SELECT at, kind, by FROM (
        SELECT at, position, kind, by FROM login_activity told
        WHERE told.session_id = began.session_id AND kind IN ('session_ended', 'session_revoked') AND {told}
        UNION ALL
        SELECT at, position, kind, by FROM login_activity told
        WHERE told.login_id = began.login_id AND kind = 'sessions_revoked' AND told.at >= began.at AND {told}
    ) any_end ORDER BY at, position LIMIT 1
) ended ON true
WHERE began.kind = 'signed_in' AND {began}
"""
"""Sessions by what some of the rows tell: a session that ended once is over, and so is one that begins in the past of a
revocation of all."""

_LATEST = "(array_agg({what} ORDER BY at DESC, position DESC) FILTER (WHERE kind = '{kind}'))[1]"

PORTAL_ACCOUNTS = f"""
SELECT told.login_id, max(portal_id) AS portal_id, min(at) FILTER (WHERE kind = 'registered') AS registered_at,
       {_LATEST.format(what="until", kind="code_issued")} AS code_until,
       max(at) FILTER (WHERE kind = 'code_requested') AS code_requested_at,
       {_LATEST.format(what="details->>'proof'", kind="identity_proved")} AS proof,
       {_LATEST.format(what="details->>'grade'", kind="identity_proved")} AS grade,
       {_LATEST.format(what="details->>'terms'", kind="terms_accepted")} AS terms,
       ARRAY(
           SELECT factor FROM (
               SELECT DISTINCT ON (details->>'factor_id') kind, factor FROM login_activity other
               WHERE other.login_id = told.login_id AND kind IN ('factor_enrolled', 'factor_removed') AND {{other}}
               ORDER BY details->>'factor_id', at DESC, position DESC
           ) last WHERE kind = 'factor_enrolled' ORDER BY factor
       ) AS factors,
       ARRAY(
           SELECT account FROM (
               SELECT DISTINCT ON (details->>'other') kind, details->>'other' AS account FROM login_activity other
               WHERE other.login_id = told.login_id AND kind IN ('linked', 'unlinked') AND {{other}}
               ORDER BY details->>'other', at DESC, position DESC
           ) last WHERE kind = 'linked' ORDER BY account
       ) AS linked,
       {_LATEST.format(what="details->>'other'", kind="moved_over")} AS moved_from,
       (
           SELECT coalesce(jsonb_object_agg(app, scopes), '{{{{}}}}') FROM (
               SELECT DISTINCT ON (details->>'app') kind, details->>'app' AS app, details->'scopes' AS scopes FROM login_activity other
               WHERE other.login_id = told.login_id AND kind IN ('app_linked', 'app_unlinked') AND {{other}}
               ORDER BY details->>'app', at DESC, position DESC
           ) last WHERE kind = 'app_linked'
       )::text AS apps
FROM login_activity told WHERE {{told}} AND {{main}} GROUP BY told.login_id
"""  # noqa: S608 nothing in it comes from outside
"""What accounts came to be by what some of the rows tell: of each thing the last word by its moment."""

LOGINS_OF = """
WITH RECURSIVE own AS (
    SELECT login_id FROM login_owners
    WHERE account_id = ANY(%(accounts)s::uuid[]) AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
    UNION
    SELECT moved.login_id FROM own CROSS JOIN LATERAL (
        SELECT login_id FROM login_activity
        WHERE kind = 'moved_over' AND (details->>'other')::uuid = own.login_id
          AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
        OFFSET 0
    ) moved
    WHERE (
        SELECT count(*) FROM login_owners said
        WHERE said.login_id = moved.login_id AND (%(known_at)s::bigint IS NULL OR said.position <= %(known_at)s)
    ) = 0
)
SELECT login_id FROM own
"""
"""For readers: the accounts of portals that are a member's, as known at a position. One that takes the place of another is whose
that was, as long as nobody said whose it is. A step in an index for each: OFFSET and count keep the planner from reading all that were
moved over, and all owners."""

_OF_MEMBER = f"login_id = ANY(ARRAY({LOGINS_OF}))"


def _told(row: str) -> str:
    """Before a moment, as known at a position."""
    return f"""(%(until)s::timestamptz IS NULL OR {row}.at < %(until)s)
  AND (%(known_at)s::bigint IS NULL OR {row}.position <= %(known_at)s)"""


LOGINS = f"""
SELECT position, at, (at AT TIME ZONE %(zone)s)::date AS day, login_id::text, portal_id, kind, cause, verdict, factor, by, until,
       device_id::text, address_id::text, session_id::text, details::text,
       CASE WHEN kind IN ('signed_in', 'sign_in_failed') AND device_id IS NOT NULL THEN NOT EXISTS (
           SELECT FROM login_activity earlier WHERE earlier.login_id = told.login_id AND kind = 'signed_in'
             AND earlier.device_id = told.device_id AND earlier.at < told.at
             AND (%(known_at)s::bigint IS NULL OR earlier.position <= %(known_at)s)
       ) END AS device_is_new,
       CASE WHEN kind IN ('signed_in', 'sign_in_failed') AND address_id IS NOT NULL THEN NOT EXISTS (
           SELECT FROM login_activity earlier WHERE earlier.login_id = told.login_id AND kind = 'signed_in'
             AND earlier.address_id = told.address_id AND earlier.at < told.at
             AND (%(known_at)s::bigint IS NULL OR earlier.position <= %(known_at)s)
       ) END AS address_is_new
FROM login_activity told
WHERE {_OF_MEMBER} AND {_told("told")}
ORDER BY at DESC, position DESC LIMIT %(limit)s
"""  # noqa: S608 nothing in it comes from outside
"""What was said of a member's accounts before a moment, the latest first, as known at a position. A device or an address is new
until somebody signed in with it."""

FAILURES_OF = f"""
SELECT cause, count(*) AS failures FROM login_activity told
WHERE kind = 'sign_in_failed' AND {_OF_MEMBER} AND {_told("told")}
GROUP BY cause ORDER BY failures DESC, cause
"""  # noqa: S608 nothing in it comes from outside
"""Why sign-ins to a member's accounts failed before a moment, the most frequent cause first, as known at a position."""

SESSIONS_OF = f"""
SELECT session_id::text, login_id::text, portal_id, began_at, position, device_id::text, address_id::text, factor,
       last_used_at, ended_at, ended, ended_by
FROM ({SESSIONS.format(told=_told("told"), began=f"began.{_OF_MEMBER} AND {_told('began')}")}) told
ORDER BY began_at DESC, position DESC
"""  # noqa: S608 nothing in it comes from outside
"""A member's sessions by what had happened before a moment, as known at a position."""

PORTAL_ACCOUNTS_OF = f"""
SELECT login_id::text, portal_id, registered_at, code_until, code_requested_at, proof, grade, terms, factors, linked,
       moved_from, apps
FROM ({PORTAL_ACCOUNTS.format(told=_told("told"), other=_told("other"), main=f"told.{_OF_MEMBER}")}) account
ORDER BY login_id
"""  # noqa: S608 nothing in it comes from outside
"""A member's accounts by what had happened before a moment, as known at a position."""

RUN_OUT = "SELECT DISTINCT login_id::text FROM open_lockouts WHERE until <= %(now)s"
