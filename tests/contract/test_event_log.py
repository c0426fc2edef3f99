"""What the application may rely on from its log."""

import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import DictRow

from adapters.postgres.database import Database
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.positions import PostgresPositions
from adapters.postgres.projection_store import PostgresProjectionStore
from application.mapper import StoredEvent
from application.ports import Batch, DependencyDown, OffsetAdvance, StaleSource, VersionConflict
from domain.parking import MessageDiscarded, MessageParked, MessageReleased
from tests.given import rows, stored, stream, value

TOPIC_ID = "kafkas-own-id"
RAW_ID = stream("raw")
PARKED = MessageParked(
    reason="claim.conflict", source="topic/0@7", where="ST 0001 claim 2", detail="", claims=1, raw_id=RAW_ID
)


@pytest.fixture
def log(database: str) -> Iterator[PostgresEventLog]:
    log = PostgresEventLog(Database(database))
    log.create_table()
    yield log
    log.database.close()


def positions(log: PostgresEventLog) -> list[int]:
    return [row["notification_id"] for row in rows(log.database, "SELECT notification_id FROM events ORDER BY 1")]


def everything(log: PostgresEventLog) -> dict[str, list[dict[str, Any]]]:
    tables = ("events", "head", "parked", "parked_raw", "source_offset")
    return {table: rows(log.database, f"SELECT * FROM {table} ORDER BY 1") for table in tables}


# --- positions


def test_positions_are_1_to_n_in_the_order_of_the_batches(log: PostgresEventLog) -> None:
    assert log.append(Batch([stored("a", 1), stored("b", 1), stored("a", 2)])) == 3
    assert log.append(Batch([stored("b", 2), stored("c", 1)])) == 5
    found = rows(log.database, "SELECT notification_id, originator_id::text, originator_version FROM events ORDER BY 1")
    assert [tuple(row.values()) for row in found] == [
        (1, stream("a"), 1),
        (2, stream("b"), 1),
        (3, stream("a"), 2),
        (4, stream("b"), 2),
        (5, stream("c"), 1),
    ]


def test_batches_that_are_refused_leave_no_hole(log: PostgresEventLog) -> None:
    log.append(Batch([stored("a", 1)]))
    with pytest.raises(VersionConflict):
        log.append(Batch([stored("b", 1), stored("a", 1), stored("c", 1)]))
    with pytest.raises(StaleSource):
        log.append(Batch([stored("b", 1)], offsets=[OffsetAdvance(TOPIC_ID, 0, 5, 6)]))
    log.append(Batch([stored("b", 1), stored("b", 2)]))
    assert positions(log) == [1, 2, 3]


def test_a_transaction_that_is_rolled_back_after_its_append_leaves_no_hole(log: PostgresEventLog) -> None:
    class Broken(PostgresEventLog):
        def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
            super()._append(cursor, events)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken(log.database).append(Batch([stored("a", 1), stored("a", 2)]))
    assert positions(log) == []
    assert log.append(Batch([stored("a", 1)])) == 1


def test_the_library_is_told_the_positions_that_were_given(log: PostgresEventLog) -> None:
    import eventsourcing.persistence as library

    log.append(Batch([stored("a", 1)]))
    events = [library.StoredEvent(UUID(stream("b")), version, "test.happened:1", b"{}") for version in (1, 2)]
    assert log.insert_events(events) == [2, 3]


# --- what is written


def test_states_come_back_as_the_exact_bytes(log: PostgresEventLog) -> None:
    states = [b"", b"\x00\xff\\x00", "Müller, '%s'".encode(), b"x" * 1_000_000, b"", b"{}"]
    log.append(Batch([stored("a", version, state) for version, state in enumerate(states, 1)]))
    assert [event.state for event in log.load([stream("a")])] == states


def test_a_batch_may_hold_many_thousand_events(log: PostgresEventLog) -> None:
    events = [stored(f"stream {number % 100}", number // 100 + 1, b"x" * 500) for number in range(10_000)]
    assert log.append(Batch(events)) == 10_000
    assert positions(log) == list(range(1, 10_001))


def test_load_leaves_out_what_is_known(log: PostgresEventLog) -> None:
    log.append(Batch([stored("a", 1), stored("b", 1), stored("a", 2), stored("a", 3), stored("b", 2)]))
    loaded = log.load([stream("a"), stream("b")], {stream("a"): 2, stream("never heard of"): 1})
    assert [(event.originator_id, event.originator_version) for event in loaded] == [
        (stream("a"), 3),
        (stream("b"), 1),
        (stream("b"), 2),
    ]


def test_load_gives_each_asked_streams_events_in_the_order_of_their_versions(log: PostgresEventLog) -> None:
    log.append(Batch([stored("b", 1), stored("a", 1), stored("b", 2), stored("other", 1)]))
    log.append(Batch([stored("a", 2, b"later"), stored("b", 3)]))
    by_stream: dict[str, list[StoredEvent]] = {}
    for event in log.load({stream("a"), stream("b"), stream("never heard of")}):
        by_stream.setdefault(event.originator_id, []).append(event)
    assert by_stream == {
        stream("a"): [stored("a", 1), stored("a", 2, b"later")],
        stream("b"): [stored("b", 1), stored("b", 2), stored("b", 3)],
    }
    assert list(log.load([])) == []


def test_history_gives_places_in_the_log_and_times(log: PostgresEventLog) -> None:
    log.append(Batch([stored("other", 1), stored("a", 1)]))
    log.append(Batch([stored("a", 2)]))
    history = log.history(stream("a"))
    assert [(at.position, at.stored) for at in history] == [(2, stored("a", 1)), (3, stored("a", 2))]
    assert all(abs(datetime.now(UTC) - at.recorded_at) < timedelta(minutes=1) for at in history)
    assert history[0].recorded_at < history[1].recorded_at
    assert log.history(stream("never heard of")) == []


@pytest.mark.parametrize("statement", ["UPDATE events SET state = ''", "DELETE FROM events", "TRUNCATE events"])
def test_what_is_recorded_is_never_changed(log: PostgresEventLog, statement: str) -> None:
    log.append(Batch([stored("a", 1)]))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        rows(log.database, statement)
    assert list(log.load([stream("a")])) == [stored("a", 1)]


# --- all or nothing


def test_a_refused_batch_writes_nothing_at_all(log: PostgresEventLog) -> None:
    PostgresPositions(log.database).next_offset(TOPIC_ID, "payer.remittances", 0)
    log.append(Batch([stored("a", 1)]))
    before = everything(log)
    full = Batch(
        events=[stored("b", 1), stored("a", 1)],
        parking=[(stream("item"), PARKED)],
        raws={RAW_ID: b"sealed"},
        offsets=[OffsetAdvance(TOPIC_ID, 0, 0, 10)],
    )
    with pytest.raises(VersionConflict):
        log.append(full)
    assert everything(log) == before
    full.events.pop()
    full.offsets = [OffsetAdvance(TOPIC_ID, 0, 3, 10)]
    with pytest.raises(StaleSource):
        log.append(full)
    assert everything(log) == before
    full.offsets = [OffsetAdvance(TOPIC_ID, 0, 0, 10)]
    log.append(full)
    after = everything(log)
    assert {table: len(after[table]) - len(before[table]) for table in after} == {
        "events": 1,
        "head": 0,
        "parked": 1,
        "parked_raw": 1,
        "source_offset": 0,
    }
    assert after["source_offset"][0]["next_offset"] == 10


def test_a_connection_that_is_lost_before_the_commit_loses_the_whole_batch(log: PostgresEventLog) -> None:
    class Killed(PostgresEventLog):
        def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
            last = super()._append(cursor, events)
            rows(log.database, "SELECT pg_terminate_backend(%s)", cursor.connection.info.backend_pid)
            return last

    log.append(Batch([stored("a", 1)]))
    before = everything(log)
    batch = Batch([stored("a", 2)], parking=[(stream("item"), PARKED)], raws={RAW_ID: b"sealed"})
    with pytest.raises(DependencyDown):
        Killed(log.database).append(batch)
    assert everything(log) == before
    assert log.append(batch) == 2


# --- refusals


def test_a_version_that_another_writer_took_is_a_version_conflict(log: PostgresEventLog) -> None:
    log.append(Batch([stored("a", 1)]))
    with pytest.raises(VersionConflict):
        log.append(Batch([stored("a", 1, b"other")]))
    assert list(log.load([stream("a")])) == [stored("a", 1)]


def test_a_version_twice_in_one_batch_is_a_version_conflict(log: PostgresEventLog) -> None:
    with pytest.raises(VersionConflict):
        log.append(Batch([stored("a", 1), stored("a", 1)]))


def test_a_refusal_quotes_nothing_of_what_was_to_be_written(log: PostgresEventLog) -> None:
    event = stored("a", 1, b"MEMBER NAME")
    log.append(Batch([event]))
    with pytest.raises(VersionConflict) as refused:
        log.append(Batch([event]))
    printed = "".join(traceback.format_exception(refused.value))
    assert stream("a") not in printed
    assert "MEMBER NAME" not in printed


def at_offset(log: PostgresEventLog, offset: int) -> None:
    PostgresPositions(log.database).next_offset(TOPIC_ID, "payer.remittances", 0)
    log.append(Batch(offsets=[OffsetAdvance(TOPIC_ID, 0, 0, offset)]))


@pytest.mark.parametrize(
    ("expected", "next_offset", "why"),
    [
        (90, 110, "a zombie's batch overlaps"),
        (90, 95, "a zombie's batch is old"),
        (150, 160, "a batch jumps ahead"),
        (0, 110, "a consumer began anew"),
    ],
)
def test_a_batch_from_elsewhere_than_where_the_ledger_stands_is_stale(
    log: PostgresEventLog, expected: int, next_offset: int, why: str
) -> None:
    at_offset(log, 100)
    with pytest.raises(StaleSource):
        log.append(Batch([stored("a", 1)], offsets=[OffsetAdvance(TOPIC_ID, 0, expected, next_offset)]))
    assert positions(log) == [], why
    assert value(log.database, "SELECT next_offset FROM source_offset") == 100


@pytest.mark.parametrize("elsewhere", [("another id", 0), (TOPIC_ID, 1)])
def test_a_source_that_the_ledger_does_not_know_is_stale(log: PostgresEventLog, elsewhere: tuple[str, int]) -> None:
    at_offset(log, 100)
    with pytest.raises(StaleSource):
        log.append(Batch(offsets=[OffsetAdvance(*elsewhere, 100, 110)]))


def test_one_stale_partition_of_several_stops_them_all(log: PostgresEventLog) -> None:
    known = PostgresPositions(log.database)
    for partition in range(3):
        known.next_offset(TOPIC_ID, "payer.remittances", partition)
    advances = [OffsetAdvance(TOPIC_ID, partition, int(partition == 2), 5) for partition in range(3)]
    with pytest.raises(StaleSource):
        log.append(Batch(offsets=advances))
    assert [known.next_offset(TOPIC_ID, "payer.remittances", partition) for partition in range(3)] == [0, 0, 0]


def test_an_advance_clears_the_partitions_alarm(log: PostgresEventLog) -> None:
    at_offset(log, 100)
    PostgresPositions(log.database).alarm(TOPIC_ID, 0, "source.offset_out_of_range")
    log.append(Batch(offsets=[OffsetAdvance(TOPIC_ID, 0, 100, 101)]))
    assert value(log.database, "SELECT alarm FROM source_offset") is None


def test_the_same_batch_from_two_consumers_is_taken_once(log: PostgresEventLog) -> None:
    at_offset(log, 100)
    together = threading.Barrier(2)

    def take(name: str) -> str:
        together.wait()
        try:
            log.append(Batch([stored(name, 1)], offsets=[OffsetAdvance(TOPIC_ID, 0, 100, 110)]))
        except StaleSource:
            return "stale"
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, ["one", "other"])) == ["stale", "taken"]
    assert positions(log) == [1]


def test_consumers_of_the_same_partitions_never_deadlock(log: PostgresEventLog) -> None:
    known = PostgresPositions(log.database)
    for partition in range(8):
        known.next_offset(TOPIC_ID, "payer.remittances", partition)
    together = threading.Barrier(2)

    def advance(partitions: list[int]) -> str:
        together.wait()
        with suppress(StaleSource):
            log.append(Batch(offsets=[OffsetAdvance(TOPIC_ID, p, turn, turn + 1) for p in partitions]))
        return "done"

    with ThreadPoolExecutor(2) as pool:
        for turn in range(20):
            list(pool.map(advance, [list(range(8)), list(reversed(range(8)))]))
            assert value(log.database, "SELECT min(next_offset) FROM source_offset") == turn + 1


# --- writers and a reader at once


class Paused(PostgresEventLog):
    """Holds the head until it is let go."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.holds, self.go = threading.Event(), threading.Event()

    def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
        last = super()._append(cursor, events)
        self.holds.set()
        assert self.go.wait(10)
        return last


def test_no_position_is_readable_before_its_predecessor(log: PostgresEventLog, database: str) -> None:
    paused = Paused(log.database)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(paused.append, Batch([stored("a", 1), stored("a", 2)]))
        assert paused.holds.wait(10)
        second = pool.submit(log.append, Batch([stored("b", 1)]))
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)  # it waits for its turn
        assert positions(log) == []
        paused.go.set()
        assert (first.result(10), second.result(10)) == (2, 3)
    assert positions(log) == [1, 2, 3]


def test_a_reader_that_follows_four_writers_skips_nothing(log: PostgresEventLog, database: str) -> None:
    writers, batches = 4, 40
    seen: list[tuple[int, StoredEvent]] = []

    def write(writer: int) -> None:
        random, own = Random(writer), Database(database)
        mine = PostgresEventLog(own)
        for batch in range(batches):
            if random.random() < 0.3:
                taken = stored(f"writer {writer} batch {batch - 1}", 1)
                with suppress(VersionConflict):
                    mine.append(Batch([stored(f"writer {writer} never", 1), taken, taken]))
            versions = range(1, random.randint(2, 30))
            mine.append(Batch([stored(f"writer {writer} batch {batch}", version) for version in versions]))
        own.close()

    def follow(writing: list[Future[None]]) -> None:
        store = PostgresProjectionStore(Database(database))
        for _ in count():
            finished = all(writer.done() for writer in writing)
            while read := store.events(seen[-1][0] if seen else 0, 7):
                seen.extend((position, event) for position, _, event in read)
            if finished:
                break
        store.close()

    with ThreadPoolExecutor(writers) as pool:
        writing = [pool.submit(write, writer) for writer in range(writers)]
        follow(writing)
        for writer in writing:
            writer.result()
    assert [position for position, _ in seen] == list(range(1, len(seen) + 1)) == positions(log)
    assert len({event.originator_id for _, event in seen}) == writers * batches


def test_a_head_that_stays_locked_is_a_dependency_that_is_down(
    log: PostgresEventLog, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.database.LOCK_TIMEOUT_S", 0.05)
    impatient = PostgresEventLog(Database(database))
    with psycopg.connect(database) as holder:
        holder.execute("UPDATE head SET position = position")
        with pytest.raises(DependencyDown):
            impatient.append(Batch([stored("a", 1)]))
        holder.rollback()
    assert impatient.append(Batch([stored("a", 1)])) == 1
    impatient.database.close()


def test_a_server_that_does_not_answer_is_a_dependency_that_is_down(log: PostgresEventLog) -> None:
    gone = Database("host=127.0.0.1 port=1")
    gone.pool.timeout = 0.2
    log.database, here = gone, log.database
    for ask in (lambda: log.append(Batch([stored("a", 1)])), lambda: log.load([stream("a")])):
        with pytest.raises(DependencyDown):
            ask()
    gone.close()
    log.database = here


# --- hints


def hints(listener: psycopg.Connection[Any], write: Callable[[], object]) -> int:
    write()
    return len(list(listener.notifies(timeout=0.3, stop_after=1)))


def test_a_log_is_made_without_asking_the_server() -> None:
    """A process that starts while the server goes must say that a dependency is down, when it first asks."""
    log = PostgresEventLog(Database("host=/nowhere"))
    with pytest.raises(DependencyDown):
        log.parked_items()


def test_listeners_get_a_hint_when_something_was_appended(log: PostgresEventLog, database: str) -> None:
    def refused() -> None:
        with pytest.raises(VersionConflict):
            log.append(Batch([stored("b", 1), stored("a", 1)]))

    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute("LISTEN events")
        assert hints(listener, lambda: log.append(Batch([stored("a", 1)]))) == 1
        assert hints(listener, refused) == 0


# --- parked items


def park(log: PostgresEventLog, name: str, blocks: str | None = None, **changes: object) -> None:
    event = msgspec.structs.replace(PARKED, blocks=stream(blocks) if blocks else None, **changes)
    log.append(Batch(parking=[(stream(name), event)], raws={RAW_ID: b"sealed \x00\xff"}))


def test_a_parked_item_is_found_as_it_was_parked(log: PostgresEventLog) -> None:
    park(log, "item", blocks="claim", detail="1 expected, 2 stated")
    item = log.parked_item(stream("item"))
    assert item is not None
    assert abs(datetime.now(UTC) - item.parked_at) < timedelta(minutes=1)
    assert item._replace(parked_at=datetime.min.replace(tzinfo=UTC)) == (
        stream("item"),
        "claim.conflict",
        "ST 0001 claim 2",
        "1 expected, 2 stated",
        "topic/0@7",
        1,
        stream("claim"),
        RAW_ID,
        "x12-835",
        "parked",
        datetime.min.replace(tzinfo=UTC),
    )
    assert log.parked_item(stream("never heard of")) is None


def test_raw_bytes_are_kept_once_and_come_back_exactly(log: PostgresEventLog) -> None:
    park(log, "item")
    park(log, "another item of the same message")
    assert log.raw(RAW_ID) == b"sealed \x00\xff"
    assert value(log.database, "SELECT count(*) FROM parked_raw") == 1
    assert log.raw(stream("never heard of")) is None


def test_open_items_block_their_claims_the_oldest_first(log: PostgresEventLog) -> None:
    for name in ("third", "first", "second"):  # their ids sort otherwise than they were parked
        park(log, name, blocks="claim")
    park(log, "of another claim", blocks="another claim")
    park(log, "of no claim")
    assert log.parked_postings([stream("claim"), stream("another claim"), stream("free claim")]) == {
        stream("claim"): [(stream("third"), "parked"), (stream("first"), "parked"), (stream("second"), "parked")],
        stream("another claim"): [(stream("of another claim"), "parked")],
    }
    assert log.parked_postings([]) == {}


@pytest.mark.parametrize(
    ("settled", "state"),
    [(MessageReleased(), "released"), (MessageDiscarded(actor="ops", reason="sent in error"), "discarded")],
)
def test_a_settled_item_blocks_nothing(
    log: PostgresEventLog, settled: MessageReleased | MessageDiscarded, state: str
) -> None:
    park(log, "item", blocks="claim")
    park(log, "next item", blocks="claim")
    log.append(Batch(parking=[(stream("item"), settled)]))
    assert log.parked_postings([stream("claim")])[stream("claim")] == [
        *([(stream("item"), "discarded")] if state == "discarded" else []),  # known, so that it stays given up
        (stream("next item"), "parked"),
    ]
    item = log.parked_item(stream("item"))
    assert item is not None
    assert item.state == state


def test_an_item_that_is_parked_again_stands_last_and_tells_the_new_reason(log: PostgresEventLog) -> None:
    park(log, "item", blocks="claim")
    park(log, "next item", blocks="claim")
    log.append(Batch(parking=[(stream("item"), MessageReleased())]))
    park(log, "item", blocks="claim", reason="stream.unreadable", where="claim 9", source="topic/0@8")
    item = log.parked_item(stream("item"))
    assert item is not None
    assert (item.state, item.reason, item.where, item.source) == (
        "parked",
        "stream.unreadable",
        "claim 9",
        "topic/0@8",
    )
    assert log.parked_postings([stream("claim")]) == {
        stream("claim"): [(stream("next item"), "parked"), (stream("item"), "parked")]
    }


def test_nothing_is_parked_to_wait_for_what_is_released_already(log: PostgresEventLog) -> None:
    park(log, "item", blocks="claim")
    park(log, "waiting", blocks="claim", reason="claim.waiting")
    log.append(Batch(parking=[(stream(name), MessageReleased()) for name in ("item", "waiting")]))
    with pytest.raises(VersionConflict):
        park(log, "too late", blocks="claim", reason="claim.waiting")
    assert log.parked_item(stream("too late")) is None
