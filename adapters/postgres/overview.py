"""What an operator wants to know of a running ledger, in one read."""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from adapters.postgres.database import Database
from projections.projection import Projection

# A version that is not the code's is folded by nobody until it is rebuilt.
PROJECTIONS = """
SELECT made.name AS projection, made.generation, made.version,
       CASE WHEN NOT live THEN 'building' WHEN made.version = code.version::integer THEN 'live'
            ELSE 'needs_rebuild' END AS state,
       at.notification_id AS position, head.position - at.notification_id AS lag_events,
       greatest(extract(epoch FROM now() - next.recorded_at), 0)::float AS lag_seconds
FROM projection_generation made
JOIN projection_position at ON at.application_name = made.name || ':' || made.generation
JOIN jsonb_each_text(%(versions)s) AS code (name, version) ON code.name = made.name
CROSS JOIN head
LEFT JOIN events next ON next.notification_id = at.notification_id + 1
ORDER BY 1, 2
"""

SOURCES = """
SELECT topic, partition, topic_id, next_offset, alarm, updated_at FROM source_offset
ORDER BY topic, updated_at, partition
"""

PARKED = (
    "SELECT reason, count(*) AS items, sum(claims) AS claims FROM parked WHERE state = 'parked' GROUP BY 1 ORDER BY 1"
)

FAULTS = "SELECT DISTINCT position, stream::text, reason FROM projection_fault ORDER BY position LIMIT 100"

# Roles have force only where the one who writes could not also change what is written.
SERVER = """
SELECT current_setting('server_version') AS version,
       NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
       AND NOT has_table_privilege(current_user, 'events', 'UPDATE, DELETE, TRUNCATE') AS roles_enforced
"""


def overview(database: Database, projections: Sequence[Projection], *, embedded: bool) -> dict[str, Any]:
    """Positions, lags (events, seconds), source offsets, parked items by reason, unreadable events, and the server."""
    versions = Jsonb({projection.NAME: projection.VERSION for projection in projections})
    with database.session() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows = {
            name: cursor.execute(sql, {"versions": versions}).fetchall()
            for name, sql in (
                ("projections", PROJECTIONS),
                ("sources", SOURCES),
                ("parked", PARKED),
                ("unreadable", FAULTS),
            )
        }
        head = cursor.execute("SELECT position FROM head").fetchone()
        server = cursor.execute(SERVER).fetchone()
    assert head is not None
    assert server is not None
    kind = "embedded" if embedded else "server"
    enforced = not embedded and server["roles_enforced"]
    return {
        "position": head["position"],
        **rows,
        "database": {"kind": kind, "version": server["version"], "roles_enforced": enforced},
    }
