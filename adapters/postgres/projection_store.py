"""Where projections read and write: one connection, which is lock, listener and writer at once.

Because the advisory lock and the writes share a connection, a leader that loses its lock has lost its writes too.
Derived rows commit without waiting for the disk: what a crash takes is folded again.
"""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL

from adapters.postgres.database import Database, down_is_named
from adapters.postgres.event_log import CHANNEL, READ
from application.mapper import StoredEvent
from application.ports import DependencyDown
from domain.facts import StreamId
from projections.projection import Change, Projection
from projections.runner import Advance, Fault, Overtaken

LEADER_LOCK = 0x6C6564676572  # "ledger"

SCHEMA = """
CREATE TABLE IF NOT EXISTS projection_fault (
    position bigint PRIMARY KEY,
    stream uuid NOT NULL,
    reason text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE projection_fault IS 'Stored events that could not be read; their streams are set aside from there on.';
COMMENT ON COLUMN projection_fault.position IS 'Position of the event in the log.';
COMMENT ON COLUMN projection_fault.stream IS 'The stream that projections leave out from this position on.';
COMMENT ON COLUMN projection_fault.reason IS 'What is wrong with it; never its content.';
COMMENT ON COLUMN projection_fault.found_at IS 'When a projector met it.';
COMMENT ON TABLE projection_position IS 'How far each projection has been folded; moves in the transaction that writes its rows.';
COMMENT ON COLUMN projection_position.application_name IS 'Projection and version: name:version.';
COMMENT ON COLUMN projection_position.notification_id IS 'Position of the last event that it holds.';
"""


class PostgresProjectionStore:
    """Implements the runner's Store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection[TupleRow] | None = None
        self._leads = False

    def prepare(self, projections: Sequence[Projection]) -> None:
        with self._database.session() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEADER_LOCK + 1])
            cursor.execute(SCHEMA)
            for projection in projections:
                cursor.execute(SQL(projection.DDL))
                cursor.execute(
                    "INSERT INTO projection_position VALUES (%s, 0) ON CONFLICT DO NOTHING",
                    [f"{projection.NAME}:{projection.VERSION}"],
                )

    def lead(self) -> bool:
        connection = self._connected()
        if not self._leads:
            with down_is_named():
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
            self._leads = row is not None and bool(row[0])
        return self._leads

    def positions(self) -> dict[str, int]:
        with down_is_named():
            rows = self._connected().execute("SELECT application_name, notification_id FROM projection_position")
            return dict(rows.fetchall())

    def set_aside(self) -> dict[StreamId, int]:
        with down_is_named():
            rows = self._connected().execute("SELECT stream::text, min(position) FROM projection_fault GROUP BY stream")
            return dict(rows.fetchall())

    def read(self, after: int, limit: int) -> list[tuple[int, StoredEvent]]:
        with down_is_named():
            rows = self._connected().cursor(binary=True).execute(READ, [after, limit])
            return [(row[0], StoredEvent._make(row[2:])) for row in rows.fetchall()]

    def commit(self, changes: Sequence[Change], advances: Sequence[Advance], faults: Sequence[Fault]) -> None:
        connection = self._connected()
        with down_is_named(), connection.transaction():
            connection.execute("SET LOCAL synchronous_commit = off")
            for advance in advances:
                moved = connection.execute(
                    "UPDATE projection_position SET notification_id = %s "
                    "WHERE application_name = %s AND notification_id = %s",
                    [advance.position, advance.projection, advance.expected],
                )
                if moved.rowcount != 1:
                    raise Overtaken(advance.projection)
            for change in changes:
                connection.execute(change.sql, {"rows": change.rows.decode()})
            for fault in faults:
                connection.execute(
                    "INSERT INTO projection_fault VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", list(fault)
                )

    def wait(self, timeout_s: float) -> None:
        with down_is_named():
            for _ in self._connected().notifies(timeout=timeout_s, stop_after=1):
                pass

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._leads = None, False

    def _connected(self) -> Connection[TupleRow]:
        if self._connection is not None and self._connection.closed:
            self.close()
            raise DependencyDown("PostgreSQL: the projector's connection was lost")
        if self._connection is None:
            self._connection = self._database.connect()
            with down_is_named():
                self._connection.execute(f"LISTEN {CHANNEL}")
        return self._connection
