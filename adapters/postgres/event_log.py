"""The log in PostgreSQL: the library's process recorder, with a batch written in one statement.

What the library gives is kept (its tables' columns, reads, tracking and subscriptions); what is ours is the append.
Positions come from a one-row counter that the appending statement updates, so they have no holes, and a
transaction that commits later never has a lower one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import eventsourcing.persistence as library
from eventsourcing.postgres import PostgresProcessRecorder
from psycopg import Cursor
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from psycopg.rows import DictRow, tuple_row
from psycopg.sql import SQL, Composed

from adapters.postgres.database import Database
from application.mapper import StoredEvent
from application.ports import (
    NOTHING_KNOWN,
    Batch,
    OffsetAdvance,
    ParkedItem,
    ParkedPosting,
    StaleSource,
    VersionConflict,
)
from domain.facts import StreamId
from domain.parking import MessageDiscarded, MessageParked, MessageReleased, ParkingEvent, State

CHANNEL = "events"

CREATE_LOCK = 0x6372656174

SCHEMA = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")

# Columns travel as one text or byte string each, which the server cuts up: an array would be dumped element by
# element (29 µs of client CPU an event instead of 2).
APPEND = """
WITH head AS (
    UPDATE head SET position = position + %(count)s RETURNING position - %(count)s AS base
), appended AS (
    INSERT INTO events (originator_id, originator_version, topic, state, notification_id)
    SELECT id, version, topic, substring(%(states)s::bytea FROM starts_at FOR size), base + ordinal
    FROM head, unnest(
        string_to_array(%(ids)s, ',')::uuid[], string_to_array(%(versions)s, ',')::bigint[],
        string_to_array(%(topics)s, ','),
        string_to_array(%(starts)s, ',')::integer[], string_to_array(%(sizes)s, ',')::integer[]
    ) WITH ORDINALITY AS event (id, version, topic, starts_at, size, ordinal)
)
SELECT base, pg_notify('events', '') FROM head
"""

# One look into the index for each stream: left to choose (`= ANY`), the planner reads a young log as a whole.
LOAD = """
SELECT originator_id::text, originator_version, topic, state
FROM unnest(string_to_array(%s, ',')::uuid[], string_to_array(%s, ',')::bigint[]) AS wanted (id, version)
CROSS JOIN LATERAL (
    SELECT * FROM events WHERE originator_id = wanted.id AND originator_version > wanted.version
    ORDER BY originator_version
) AS event
"""

CLAIMS = """
SELECT originator_id::text FROM events
WHERE originator_id > %s AND originator_version = 1 AND topic LIKE 'claim.%%' ORDER BY originator_id LIMIT %s
"""

PARKED_POSTINGS = """
SELECT blocks::text, parked_id::text, state FROM parked
WHERE blocks = ANY(string_to_array(%s, ',')::uuid[]) AND state <> 'released' ORDER BY ordinal
"""

# Locks what is waited for: were it released at the same moment, nothing would ever release what waits behind it.
AWAITED = "SELECT FROM parked WHERE blocks = %s AND state = 'parked' ORDER BY ordinal LIMIT 1 FOR UPDATE"

READ = """
SELECT notification_id, recorded_at, originator_id::text, originator_version, topic, state FROM events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""

HISTORY = """
SELECT notification_id, recorded_at, originator_id::text, originator_version, topic, state FROM events
WHERE originator_id = ANY(%s::uuid[]) ORDER BY originator_id, originator_version
"""

ADVANCE_OFFSET = """
UPDATE source_offset SET next_offset = %(next)s, alarm = NULL, updated_at = now()
WHERE topic_id = %(topic_id)s AND partition = %(partition)s AND next_offset = %(expected)s
"""

PARK = """
INSERT INTO parked (parked_id, state, reason, place, detail, source, claims, blocks, raw_id, format)
VALUES (%(parked_id)s, 'parked', %(reason)s, %(where)s, %(detail)s, %(source)s, %(claims)s, %(blocks)s, %(raw_id)s,
    %(format)s)
ON CONFLICT (parked_id) DO UPDATE SET ordinal = DEFAULT, state = 'parked', reason = excluded.reason,
    place = excluded.place, detail = excluded.detail, source = excluded.source, claims = excluded.claims,
    blocks = excluded.blocks, raw_id = excluded.raw_id, format = excluded.format, parked_at = now(), settled_at = NULL
"""

SETTLE = "UPDATE parked SET state = %s, settled_at = now() WHERE parked_id = %s"

PARKED_ITEM = """
SELECT parked_id::text, reason, place, detail, source, claims, blocks::text AS blocks, raw_id::text AS raw_id, format,
    state, parked_at
FROM parked
"""


class RecordedEvent(NamedTuple):
    """A row of the log with its place in it."""

    position: int
    recorded_at: datetime
    stored: StoredEvent


class PostgresEventLog(PostgresProcessRecorder):
    """Implements the application's EventLog port and the library's ProcessRecorder over the same tables."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, events_table_name="events", tracking_table_name="projection_position")
        self.database = database
        tracking_table = self.sql_create_statements[-1]
        self.sql_create_statements = [Composed([SQL(SCHEMA)]), tracking_table]

    def create_table(self) -> None:
        # IF NOT EXISTS does not help where two sessions create the same thing at once: they take turns.
        with self.database.session() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATE_LOCK])
            super().create_table()

    # --- the application's port

    def load(self, streams: Collection[str], known: Mapping[str, int] = NOTHING_KNOWN) -> Iterator[StoredEvent]:
        versions = ",".join(str(known.get(stream, 0)) for stream in streams)
        with self.database.session() as cursor:
            wanted = [",".join(streams), versions]
            rows = cursor.connection.cursor(row_factory=tuple_row, binary=True).execute(LOAD, wanted)
            return map(StoredEvent._make, rows.fetchall())

    def claims(self, after: StreamId, limit: int) -> list[StreamId]:
        with self.database.session() as cursor:
            rows = cursor.connection.cursor(row_factory=tuple_row).execute(CLAIMS, [after, limit])
            return [StreamId(row[0]) for row in rows]

    def parked_postings(self, streams: Collection[str]) -> dict[StreamId, list[ParkedPosting]]:
        found: dict[StreamId, list[ParkedPosting]] = {}
        with self.database.session() as cursor:
            rows = cursor.connection.cursor(row_factory=tuple_row).execute(PARKED_POSTINGS, [",".join(streams)])
            for stream, *posting in rows:
                found.setdefault(stream, []).append(ParkedPosting(*posting))
        return found

    def append(self, batch: Batch) -> int:
        with self.database.session() as cursor, _conflicts_are_named():
            # Sorted, so that two writers of the same partitions can't wait for each other.
            for advance in sorted(batch.offsets):
                self._advance(cursor, advance)
            if batch.parking:
                with cursor.connection.pipeline():  # they come in swarms: one answer is waited for, not two for each
                    for raw in batch.raws.items():
                        cursor.execute(
                            "INSERT INTO parked_raw VALUES (%s, %s) ON CONFLICT DO NOTHING", raw, binary=True
                        )
                    for parked_id, event in batch.parking:
                        self._park(cursor, parked_id, event)
            return self._append(cursor, batch.events) if batch.events else 0

    def parked_item(self, parked_id: str) -> ParkedItem | None:
        with self.database.session() as cursor:
            row = cursor.execute(PARKED_ITEM + "WHERE parked_id = %s", [parked_id]).fetchone()
        return None if row is None else ParkedItem(*row.values())

    def parked_items(self, *, include_settled: bool = False) -> list[ParkedItem]:
        """In the order in which they were parked."""
        with self.database.session() as cursor:
            cursor.execute(PARKED_ITEM + "WHERE %s OR state = 'parked' ORDER BY ordinal", [include_settled])
            return [ParkedItem(*row.values()) for row in cursor]

    def raw(self, raw_id: str) -> bytes | None:
        with self.database.session() as cursor:
            row = cursor.execute("SELECT sealed FROM parked_raw WHERE raw_id = %s", [raw_id], binary=True).fetchone()
        return None if row is None else bytes(row["sealed"])

    def history(self, *streams: str) -> list[RecordedEvent]:
        """The streams' events with their places in the log, each stream's in the order of its versions."""
        with self.database.session() as cursor:
            rows = cursor.connection.cursor(row_factory=tuple_row, binary=True).execute(HISTORY, [list(streams)])
            return [RecordedEvent(row[0], row[1], StoredEvent._make(row[2:])) for row in rows]

    # --- the library's port

    def insert_events(self, stored_events: Sequence[library.StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """All events at the following positions, which are returned, with the caller's tracking record."""
        tracking: library.Tracking | None = kwargs.get("tracking")
        with self.database.transaction(commit=True) as cursor:
            if tracking is not None:
                self._insert_tracking(cursor, tracking)
            if not stored_events:
                return []
            events = [StoredEvent(str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
            last = self._append(cursor, events)
            return list(range(last - len(events) + 1, last + 1))

    # --- inside a transaction

    def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
        ids, versions, topics, states = zip(*events, strict=True)
        sizes = [len(state) for state in states]
        cursor.execute(
            APPEND,
            {
                "count": len(events),
                "ids": ",".join(ids),
                "versions": ",".join(map(str, versions)),
                "topics": ",".join(topics),
                "states": b"".join(states),
                "starts": ",".join(map(str, accumulate(sizes[:-1], initial=1))),
                "sizes": ",".join(map(str, sizes)),
            },
            binary=True,
        )
        row = cursor.fetchone()
        assert row is not None, "the head's one row is missing"
        base: int = row["base"]
        return base + len(events)

    def _advance(self, cursor: Cursor[DictRow], advance: OffsetAdvance) -> None:
        cursor.execute(ADVANCE_OFFSET, advance._asdict())
        if cursor.rowcount != 1:
            raise StaleSource(f"partition {advance.partition} is not at {advance.expected} any more")

    def _park(self, cursor: Cursor[DictRow], parked_id: StreamId, event: ParkingEvent) -> None:
        match event:
            case MessageParked():
                if event.reason == "claim.waiting" and cursor.execute(AWAITED, [event.blocks]).fetchone() is None:
                    raise VersionConflict("what was waited for is released")
                values = {name: getattr(event, name) for name in event.__struct_fields__}
                cursor.execute(PARK, {**values, "parked_id": parked_id})
            case MessageReleased():
                cursor.execute(SETTLE, [State.RELEASED, parked_id])
            case MessageDiscarded():
                cursor.execute(SETTLE, [State.DISCARDED, parked_id])


@contextmanager
def _conflicts_are_named() -> Iterator[None]:
    try:
        yield
    except (UniqueViolation, SerializationFailure, DeadlockDetected) as error:
        # The server's own words quote key values; the kind of error is enough.
        raise VersionConflict(type(error).__name__) from None
