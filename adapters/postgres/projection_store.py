"""Where projections read and write: one connection, which is lock, listener and writer at once.

Because the advisory lock and the writes share a connection, a leader that loses its lock has lost its writes too.
Derived rows commit without waiting for the disk: what a crash takes is folded again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import add
from typing import Any

from psycopg import Connection, Cursor
from psycopg.errors import QueryCanceled
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.postgres.database import Database, down_is_named
from adapters.postgres.event_log import CHANNEL, READ
from application.mapper import StoredEvent
from application.ports import DependencyDown
from projections.projection import Change, Copy, Projection, Statement
from projections.rebuild import BeingRebuilt, Comparison, ReadersBusy
from projections.runner import Fault, Generation, Overtaken

LEADER_LOCK = 0x6C6564676572  # "ledger"
REBUILD_LOCK = 0x6E6577  # "new"; with the projection's name

SCHEMA = """
CREATE TABLE IF NOT EXISTS projection_generation (
    name text NOT NULL,
    generation integer NOT NULL,
    version integer NOT NULL,
    live boolean NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, generation),
    UNIQUE (name, live)
);
COMMENT ON TABLE projection_generation IS 'The sets of tables of each projection: the live one, and the one that is being built beside it, if any. Each has a schema of its own, name_g1, name_g2, ….';
COMMENT ON COLUMN projection_generation.name IS 'The projection.';
COMMENT ON COLUMN projection_generation.generation IS 'Number of the generation.';
COMMENT ON COLUMN projection_generation.version IS 'Version of the projection''s code that folds it.';
COMMENT ON COLUMN projection_generation.live IS 'Whether the public views show it.';
COMMENT ON COLUMN projection_generation.made_at IS 'When its tables were made.';
CREATE TABLE IF NOT EXISTS projection_fault (
    name text NOT NULL,
    generation integer NOT NULL,
    stream uuid NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, generation, stream),
    FOREIGN KEY (name, generation) REFERENCES projection_generation ON DELETE CASCADE
);
COMMENT ON TABLE projection_fault IS 'What each generation leaves out: streams, from their first event on that it could not read.';
COMMENT ON COLUMN projection_fault.name IS 'The projection.';
COMMENT ON COLUMN projection_fault.generation IS 'The generation that met it; the next one reads anew.';
COMMENT ON COLUMN projection_fault.stream IS 'The stream that is left out.';
COMMENT ON COLUMN projection_fault.position IS 'Position of the event in the log.';
COMMENT ON COLUMN projection_fault.reason IS 'What is wrong with it; never its content.';
COMMENT ON COLUMN projection_fault.found_at IS 'When a projector met it.';
COMMENT ON TABLE projection_position IS 'How far each generation has been folded; moves in the transaction that writes its rows.';
COMMENT ON COLUMN projection_position.application_name IS 'Projection and generation: name:generation.';
COMMENT ON COLUMN projection_position.notification_id IS 'Position of the last event that it holds.';
"""

# Version 0.1.0 had a table a version in `public`. Everything is folded again.
IS_OF_0_1_0 = "SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = 'claim_status_1'"
DROP_0_1_0 = """
DROP TABLE claim_status_1, people_1, payers_1, projection_fault CASCADE;
DELETE FROM projection_position WHERE application_name LIKE '%:%';
"""

GENERATIONS = """
SELECT name, generation, version, live, notification_id,
       ARRAY(SELECT stream::text FROM projection_fault fault WHERE (fault.name, fault.generation) = (made.name, made.generation))
FROM projection_generation made JOIN projection_position ON application_name = name || ':' || generation
ORDER BY name, generation
"""

HOLD = """
SELECT FROM projection_generation made JOIN projection_position ON application_name = name || ':' || generation
WHERE live ORDER BY name, generation FOR UPDATE OF projection_position
"""

# Its tables are what the names in the following statements mean, until the transaction ends.
SPEAK_OF = "SELECT set_config('search_path', %(schema)s || ', public', true)"

ADVANCE = """
WITH moved AS (
    UPDATE projection_position SET notification_id = %(position)s
    WHERE application_name = %(key)s AND notification_id = %(expected)s
    RETURNING notification_id
)
SELECT set_config('search_path', %(schema)s || ', public', true) FROM moved
"""

LEAVE_OUT = "INSERT INTO projection_fault (name, generation, stream, position, reason) VALUES (%s, %s, %s, %s, %s)"

COLUMNS = """
SELECT table_name, array_agg(column_name::text)
FROM information_schema.columns old JOIN information_schema.columns new USING (table_name, column_name)
WHERE old.table_schema = %s AND new.table_schema = %s AND column_name <> 'projected_at'
GROUP BY table_name
"""

# By a hash of each row's text: neither side is ever in memory as a whole, and equal rows are counted too.
COMPARE = """
SELECT coalesce(sum(new), 0)::bigint, coalesce(sum(greatest(old - new, 0)), 0)::bigint,
       coalesce(sum(greatest(new - old, 0)), 0)::bigint
FROM (
    SELECT sum(1 - is_new) AS old, sum(is_new) AS new
    FROM (
        SELECT 0 AS is_new, hashtextextended(ROW({columns})::text, 0) AS held FROM {old}
        UNION ALL
        SELECT 1, hashtextextended(ROW({columns})::text, 0) FROM {new}
    ) AS both_sides
    GROUP BY held
) AS counted
"""

# Our views over its tables, and over these views.
VIEWS_OF = """
WITH RECURSIVE showing AS (
    SELECT view_schema, view_name FROM information_schema.view_table_usage WHERE table_schema = %s
    UNION
    SELECT over.view_schema, over.view_name
    FROM showing JOIN information_schema.view_table_usage over
        ON (over.table_schema, over.table_name) = (showing.view_schema, showing.view_name)
)
SELECT schemaname, viewname FROM pg_views JOIN showing ON (schemaname, viewname) = (view_schema, view_name)
WHERE viewowner = current_user
"""


class PostgresProjectionStore:
    """Implements the runner's Store and the rebuild's Builder."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection[TupleRow] | None = None
        self._leads = False

    def prepare(self, projections: Sequence[Projection]) -> None:
        """Make the first generation of those that have none, and let readers see it."""
        with self._database.session() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEADER_LOCK + 1])
            if cursor.execute(IS_OF_0_1_0).fetchone() is not None:
                cursor.execute(DROP_0_1_0)
            cursor.execute(SCHEMA)
            there = {row["name"] for row in cursor.execute("SELECT name FROM projection_generation WHERE live")}
            for projection in projections:
                if projection.NAME not in there:
                    _make(cursor, Generation(projection.NAME, 1, projection.VERSION, True), projection)
                    cursor.execute(SQL(projection.VIEWS))

    # --- the runner's port

    def lead(self) -> bool:
        connection = self._connected()
        if not self._leads:
            with down_is_named():
                connection.execute(f"LISTEN {CHANNEL}")
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone()
            self._leads = row is not None and bool(row[0])
        return self._leads

    def generations(self) -> list[Generation]:
        with down_is_named():
            rows = self._connected().execute(GENERATIONS).fetchall()
        return [Generation._make((*row[:5], frozenset(row[5]))) for row in rows]

    def events(self, after: int, limit: int) -> list[tuple[int, datetime, StoredEvent]]:
        with down_is_named():
            rows = self._connected().cursor(binary=True).execute(READ, [after, limit])
            return [(row[0], row[1], StoredEvent._make(row[2:])) for row in rows.fetchall()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with down_is_named(), self._connected().transaction():
            yield

    def advance(self, generation: Generation, position: int, faults: Sequence[Fault]) -> None:
        to = {"key": generation.key, "expected": generation.position, "position": position, "schema": generation.schema}
        if self._connected().execute(ADVANCE, to).rowcount != 1:
            raise Overtaken(generation.key)
        for fault in faults:
            values = [generation.name, generation.number, fault.stream, fault.position, fault.reason]
            self._connected().execute(LEAVE_OUT, values)

    def read(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._connected().cursor(binary=True).execute(sql, parameters).fetchall()

    def write(self, changes: Sequence[Change]) -> None:
        for change in changes:
            match change:
                case Statement(sql, rows):
                    self._connected().execute(sql, {"rows": rows.decode()})
                case Copy(sql, data):
                    with self._connected().cursor().copy(sql) as copy:
                        copy.write(data)

    def wait(self, timeout_s: float) -> None:
        with down_is_named():
            for _ in self._connected().notifies(timeout=timeout_s, stop_after=1):
                pass

    # --- the rebuild's port

    def begin(self, projection: Projection) -> None:
        name, version = projection.NAME, projection.VERSION
        with self.transaction():
            cursor = self._connected().cursor()
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [REBUILD_LOCK, name])
            if cursor.fetchone() != (True,):
                raise BeingRebuilt(name)
            there = [each for each in self.generations() if each.name == name]
            for left in there:
                if not left.live and left.version != version:
                    _drop(cursor, left)
            if not any(not left.live and left.version == version for left in there):
                number = 1 + max(each.number for each in there if each.live)
                _make(cursor, Generation(name, number, version, live=False), projection)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.transaction():
            self._connected().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def hold(self) -> None:
        """Before any table is locked: views reach over the tables of several projections, so a projector in the middle
        of its batch could wait for one of them and be waited for at another. It moves them in this order too."""
        self._connected().execute(HOLD)

    def compare(self, old: Generation, new: Generation) -> Comparison:
        found = Comparison(0, 0, 0)
        for table, columns in self._connected().execute(COLUMNS, [old.schema, new.schema]).fetchall():
            names = {
                "columns": SQL(", ").join(map(Identifier, columns)),
                "old": Identifier(old.schema, table),
                "new": Identifier(new.schema, table),
            }
            # Readers' queries are planned well from the first one on.
            self._connected().execute(SQL("ANALYZE {new}").format(**names))
            row = self._connected().execute(SQL(COMPARE).format(**names)).fetchone()
            found = Comparison(*map(add, found, row or ()))
        return found

    def exchange(self, old: Generation, new: Generation, projection: Projection) -> None:
        cursor = self._connected().cursor()
        views = [Identifier(*view) for view in cursor.execute(VIEWS_OF, [old.schema])]
        try:
            # Whoever reads one of the views and waits for another one is let through before PostgreSQL calls the two
            # of us a deadlock, which it does after a second: a reader never gets an error.
            cursor.execute("SET LOCAL statement_timeout = '500ms'")
            if views:
                cursor.execute(SQL("LOCK TABLE {}").format(SQL(", ").join(views)))
            cursor.execute(SPEAK_OF, {"schema": new.schema})
            cursor.execute(SQL(projection.VIEWS))
            _drop(cursor, old)
        except QueryCanceled:
            raise ReadersBusy(old.name) from None
        cursor.execute(
            "UPDATE projection_generation SET live = true WHERE (name, generation) = (%s, %s)", [new.name, new.number]
        )

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
                self._connection.execute("SET synchronous_commit = off")
                # Frozen inside its transaction it would hold back a rebuild, or as a rebuild all readers.
                self._connection.execute("SET idle_in_transaction_session_timeout = '15s'")
        return self._connection


def _make(cursor: Cursor[Any], generation: Generation, projection: Projection) -> None:
    """An empty schema's tables; the names that follow in this transaction mean them."""
    schema = Identifier(generation.schema)
    cursor.execute(SQL("CREATE SCHEMA {}").format(schema))
    comment = f"Generation {generation.number} of the projection {generation.name}. Read it through the public views."
    cursor.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(schema, comment))
    cursor.execute(SPEAK_OF, {"schema": generation.schema})
    cursor.execute(SQL(projection.TABLES))
    cursor.execute(
        "INSERT INTO projection_generation (name, generation, version, live) VALUES (%s, %s, %s, %s)", generation[:4]
    )
    cursor.execute("INSERT INTO projection_position VALUES (%s, 0)", [generation.key])


def _drop(cursor: Cursor[Any], generation: Generation) -> None:
    """With all that is kept of it."""
    cursor.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(generation.schema)))
    cursor.execute("DELETE FROM projection_position WHERE application_name = %s", [generation.key])
    cursor.execute(
        "DELETE FROM projection_generation WHERE (name, generation) = (%s, %s)", [generation.name, generation.number]
    )
