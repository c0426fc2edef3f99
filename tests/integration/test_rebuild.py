"""A projection made anew beside the live one, and put in its place: nobody who reads or writes notices."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

import projections.claim_history
import projections.payers
import projections.people
from adapters.postgres.overview import overview
from adapters.postgres.projection_store import REBUILD_LOCK
from adapters.settings import Settings
from application.ports import Message
from composition import PROJECTIONS, Ledger, initialise, open_ledger
from domain.remittance import RemittanceReceived
from projections.projection import Change, Projected, Projection, Read, Statement
from projections.rebuild import BeingRebuilt, Rebuilt
from projections.runner import Overtaken, Runner
from samples.make import build
from tests.given import CARMEN, MEMBERS, damaged, paid, remittance, rows, value
from tests.integration.projecting import (
    NAMES,
    TABLES,
    A,
    B,
    C,
    Injecting,
    begin_anew,
    claims,
    faults,
    head,
    positions,
    samples_taken_in,
    seconds_until,
    stream_of,
    tables,
    taken_in,
)

# --- a new version


class NewPayers:
    """A second version of a projection, which counts."""

    NAME, VERSION = "payers", 2
    EVENTS = (RemittanceReceived,)
    OPENS_PERSONAL = False
    TABLES = """
        CREATE TABLE payers (
            payer_id text PRIMARY KEY, name text NOT NULL, position bigint NOT NULL, remittances integer NOT NULL,
            projected_at timestamptz NOT NULL DEFAULT now()
        )
    """
    VIEWS = """
        CREATE OR REPLACE VIEW public.payers AS SELECT payer_id, name, position, remittances FROM payers;
        CREATE OR REPLACE VIEW public.payer_activity AS SELECT payer_id, remittances FROM public.payers;
    """
    UPSERT = """
        INSERT INTO payers AS old (payer_id, name, position, remittances)
        SELECT payer_id, max(name), max(position), count(*)
        FROM json_to_recordset(%(rows)s::json) AS row (payer_id text, name text, position bigint) GROUP BY payer_id
        ON CONFLICT (payer_id) DO UPDATE SET
            position = excluded.position, remittances = old.remittances + excluded.remittances
    """

    def fold(self, events: Sequence[Projected], read: Read) -> Sequence[Change]:
        said = [
            {"payer_id": each.event.payer.payer_id, "name": each.event.payer.name, "position": each.position}
            for each in events
            if isinstance(each.event, RemittanceReceived)
        ]
        return [Statement(self.UPSERT, json.dumps(said).encode())]


NEW: tuple[Projection, ...] = (projections.claim_history, projections.people, NewPayers())


def test_new_code_does_not_fold_into_old_tables_and_the_others_go_on(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    taken_in(ledger, remittance(1, A, B))
    ledger.runner.catch_up()
    before = tables(ledger)["payers"]
    taken_in(ledger, remittance(2, A, C))
    ledger.projection_store.prepare(NEW)
    Runner(ledger.projection_store, ledger.mapper, NEW).catch_up()
    moved = positions(ledger)
    assert (moved["claim_history:1"], moved["people:1"], moved["payers:1"]) == (head(ledger), head(ledger), 7)
    assert tables(ledger)["payers"] == before
    assert claims(ledger) == {"ADA": 2, "BENITO": 1, "CARMEN": 1}
    assert capsys.readouterr().out.count("projection.needs_rebuild") == 1
    states = {row["projection"]: row["state"] for row in overview(ledger.database, NEW, embedded=True)["projections"]}
    assert states == {"claim_history": "live", "people": "live", "payers": "needs_rebuild"}


def test_a_rebuild_puts_the_new_version_in_the_old_ones_place(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in range(1, 4)))
    ledger.runner.catch_up()
    before = rows(ledger.database, "SELECT * FROM payers")
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    runner = Runner(ledger.projection_store, ledger.mapper, NEW)
    taken_in(ledger, remittance(4, A, C))
    runner.catch_up()
    assert ledger.rebuild("payers") == Rebuilt("payers", 2, events=17, rows=1, only_in_old=0, only_in_new=0)
    [row] = rows(ledger.database, "SELECT * FROM payers")
    assert row == before[0] | {"remittances": 3}  # as far as the old one was
    runner.catch_up()
    folded = {name: head(ledger) for name in ("claim_history:1", "people:1", "payers:2")}
    assert folded.items() <= positions(ledger).items()
    assert value(ledger.database, "SELECT remittances FROM payers") == 4
    assert ledger.rebuild("payers")[3:] == (1, 0, 0)  # but for `projected_at`


def test_what_an_earlier_version_left_half_built_is_built_anew(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in range(1, 4)))
    ledger.runner.catch_up()
    killed_after(settings, "payers", batches=2)
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    assert ledger.rebuild("payers").events == head(ledger)
    assert value(ledger.database, "SELECT remittances FROM payers") == 3


# --- rebuilding


def schemas(ledger: Ledger) -> set[str]:
    return {
        row["nspname"] for row in rows(ledger.database, "SELECT nspname FROM pg_namespace WHERE nspname ~ '_g[0-9]'")
    }


def state(ledger: Ledger) -> list[tuple[str, int, str]]:
    found = overview(ledger.database, PROJECTIONS, embedded=True)["projections"]
    return [(row["projection"], row["generation"], row["state"]) for row in found]


def test_a_rebuild_gives_what_was_folded_on_the_way(ledger: Ledger) -> None:
    for sample in build():
        ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
        ledger.runner.catch_up()
    before, seen = tables(ledger), claims(ledger)
    for name in NAMES:
        told: list[tuple[int, int]] = []
        rebuilt = ledger.rebuild(name, lambda built, live: told.append((built, live)), limit=100)  # noqa: B023
        assert rebuilt == Rebuilt(
            name, 2, head(ledger), sum(len(before[table]) for table, of in TABLES.items() if of == name), 0, 0
        )
        assert told == [(min(at, head(ledger)), head(ledger)) for at in range(100, head(ledger) + 100, 100)]
    assert (tables(ledger), claims(ledger)) == (before, seen)
    assert schemas(ledger) == {f"{name}_g2" for name in NAMES}
    assert state(ledger) == [(name, 2, "live") for name in sorted(NAMES)]
    assert positions(ledger) == {f"{name}:2": head(ledger) for name in NAMES}
    taken_in(ledger, remittance(1, paid("A", CARMEN)))
    ledger.runner.catch_up()
    assert len(tables(ledger)["claim_history"]) == len(before["claim_history"]) + 1


def test_a_row_that_was_tampered_with_is_found_counted_and_mended(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A, B, C), remittance(2, A))
    ledger.runner.catch_up()
    before = tables(ledger)
    with ledger.database.session() as cursor:
        cursor.execute("UPDATE claim_history_g1.claim_history SET paid_cents = paid_cents + 1 WHERE events = 2")
        first = "SELECT min(position) FROM claim_history"
        cursor.execute(f"DELETE FROM claim_history_g1.claim_history WHERE position = ({first})")
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 2, 13, rows=4, only_in_old=1, only_in_new=2)
    assert tables(ledger) == before
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 3, 13, rows=4, only_in_old=0, only_in_new=0)


def test_rows_that_stand_twice_are_told_apart_from_those_that_stand_once(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    with ledger.database.session() as cursor:
        cursor.execute("ALTER TABLE payers_g1.payers DROP CONSTRAINT payers_pkey")
        cursor.execute("INSERT INTO payers_g1.payers SELECT p.* FROM payers_g1.payers p, generate_series(1, 2)")
    assert ledger.rebuild("payers")[3:] == (1, 2, 0)


def rebuild_until_killed(settings: Settings, name: str, batches: int) -> None:
    told: list[int] = []

    def progress(built: int, _live: int) -> None:
        told.append(built)
        if len(told) == batches:
            os.kill(os.getpid(), signal.SIGKILL)

    open_ledger(settings).rebuild(name, progress, limit=2)


def killed_after(settings: Settings, name: str, batches: int) -> None:
    """A process that rebuilds two events a batch, and is killed between two of them."""
    process = multiprocessing.get_context("spawn").Process(target=rebuild_until_killed, args=(settings, name, batches))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    lock = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
    with psycopg.connect(str(settings.dsn), autocommit=True) as connection:  # the server hears of it a moment later
        seconds_until(lambda: not connection.execute(lock, [REBUILD_LOCK]).fetchall())


def test_a_rebuild_that_was_killed_goes_on_where_it_was(ledger: Ledger, settings: Settings) -> None:
    taken_in(ledger, *(remittance(number, A, B, C) for number in range(1, 8)))
    assert ledger.runner.catch_up() == 52
    before = tables(ledger)
    killed_after(settings, "claim_history", batches=3)
    killed_after(settings, "claim_history", batches=2)
    of_claims = [each for each in state(ledger) if each[0] == "claim_history"]
    assert of_claims == [("claim_history", 1, "live"), ("claim_history", 2, "building")]
    assert positions(ledger)["claim_history:2"] == 10
    assert tables(ledger) == before
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 2, 42, rows=21, only_in_old=0, only_in_new=0)
    assert tables(ledger) == before


def test_of_two_rebuilds_at_once_the_second_is_refused(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()

    def second(built: int, _live: int) -> None:
        with pytest.raises(BeingRebuilt, match="people"):
            ledger.rebuild("people")
        assert ledger.rebuild("payers").generation == 1 + built  # another one does not mind

    assert ledger.rebuild("people", second, limit=1).events == 4
    assert ledger.rebuild("people").generation == 3


def test_what_is_unreadable_is_left_out_by_each_generation_by_itself(
    ledger: Ledger, faulty: tuple[int, str, str]
) -> None:
    ledger.runner.catch_up()
    assert ledger.rebuild("claim_history")[3:] == (4, 0, 0)
    assert faults(ledger) == [faulty]
    assert claims(ledger) == {"ADA": 1, "BENITO": 3}
    taken_in(ledger, remittance(4, B))
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1, "BENITO": 4}


def test_what_can_be_read_again_is_there_after_a_rebuild_and_not_before(ledger: Ledger) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in (1, 2, 3)))
    with damaged(ledger.log, stream_of(ledger, A), version=2):
        ledger.runner.catch_up()
    taken_in(ledger, remittance(4, A, B))
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1, "BENITO": 4}
    assert ledger.rebuild("claim_history")[3:] == (8, 1, 4)
    assert claims(ledger) == {"ADA": 4, "BENITO": 4}
    left = rows(ledger.database, "SELECT DISTINCT name FROM projection_fault ORDER BY 1")
    assert [row["name"] for row in left] == sorted(NAMES - {"claim_history"})


def test_nothing_is_lost_while_the_log_grows_and_readers_notice_nothing(ledger: Ledger, settings: Settings) -> None:
    """Rebuilds beside a writer with a projector, and readers who look all the time."""
    samples_taken_in(ledger)
    ledger.runner.catch_up()
    stopped, looks = threading.Event(), Counter[str]()

    def write() -> int:
        number = 0
        with closing(open_ledger(settings)) as mine:
            while not stopped.is_set():
                number += 1
                taken_in(mine, remittance(number, paid(f"N{number}", MEMBERS[number % 3])))
                with suppress(Overtaken):
                    mine.runner.catch_up()
            mine.runner.catch_up()
        return number

    def look(sql: str) -> None:
        rows_before = 1
        with psycopg.connect(str(settings.dsn), autocommit=True) as connection:
            while not stopped.is_set():
                [(found,)] = connection.execute(sql).fetchall()
                assert found >= rows_before
                rows_before = found
                looks[sql] += 1

    ledger.projection_store.close()
    before = head(ledger)
    with ThreadPoolExecutor(1 + len(NAMES)) as pool:
        try:
            writing = pool.submit(write)
            reading = [
                pool.submit(look, f"SELECT count(*) FROM {name}")
                for name in NAMES - {"accumulators", "coverage", "family"}
            ]
            for generation, names in ((2, NAMES), (3, {"claim_history"})):
                for name in names:
                    rebuilt = ledger.rebuild(name, limit=100)
                    assert (rebuilt.generation, rebuilt.only_in_old, rebuilt.only_in_new) == (generation, 0, 0)
        finally:
            stopped.set()
        for reader in reading:
            reader.result(30)
        messages = writing.result(30)
    assert min(looks.values()) > 50
    assert head(ledger) - before >= messages * 2
    assert value(ledger.database, "SELECT count(*) FROM claim_status WHERE position > %s", before) == messages
    assert set(positions(ledger).values()) == {head(ledger)}
    after = tables(ledger)
    begin_anew(ledger)
    ledger.runner.catch_up()
    assert tables(ledger) == after


def test_a_projector_that_was_in_the_middle_of_a_batch_writes_nothing_to_what_was_dropped(
    ledger: Ledger, injecting: Injecting
) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    taken_in(ledger, remittance(2, A, B))
    runner, events = Runner(injecting, ledger.mapper, PROJECTIONS), injecting.events

    def exchanged(after: int, limit: int) -> Any:
        injecting.events = events  # type: ignore[method-assign]
        ledger.rebuild("claim_history")
        return events(after, limit)

    injecting.events = exchanged  # type: ignore[method-assign]
    with pytest.raises(Overtaken, match="claim_history:1"):
        runner.step()
    assert set(positions(ledger).values()) == {4}
    assert runner.step() == 6
    assert claims(ledger) == {"ADA": 2, "BENITO": 1}


def test_a_reader_in_a_long_transaction_is_waited_for_and_others_read_meanwhile(
    ledger: Ledger, settings: Settings
) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    dsn = str(settings.dsn)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(dsn) as holder:
        held = holder.execute("SELECT * FROM claim_status").fetchall()
        rebuilding = pool.submit(ledger.rebuild, "claim_history")
        slowest = 0.0
        with psycopg.connect(dsn, autocommit=True) as other:
            for _ in range(40):
                began = time.monotonic()
                assert other.execute("SELECT count(*) FROM claim_status").fetchone() == (1,)
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.05)
        assert not rebuilding.done()
        assert slowest < 1.5
        assert holder.execute("SELECT * FROM claim_status").fetchall() == held
        holder.rollback()
        assert rebuilding.result(10).generation == 2
    assert claims(ledger) == {"ADA": 1}


@pytest.mark.parametrize("views", [("payers", "payer_activity"), ("payer_activity", "payers")])
def test_a_reader_of_several_views_is_no_victim_of_a_deadlock(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch, views: tuple[str, str]
) -> None:
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    taken_in(ledger, remittance(1, A))
    ledger.rebuild("payers")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(str(settings.dsn)) as reader:
        reader.execute(f"SELECT * FROM {views[0]}")
        rebuilding = pool.submit(ledger.rebuild, "payers")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        seconds_until(lambda: bool(value(ledger.database, waiting)))
        reader.execute(f"SELECT * FROM {views[1]}")
        assert not rebuilding.done()
        reader.commit()
        assert rebuilding.result(10).generation == 3


# --- what version 0.1.0 left


def test_the_tables_of_0_1_0_are_dropped_and_folded_again(ledger: Ledger, settings: Settings) -> None:
    taken_in(ledger, remittance(1, A))
    with ledger.database.session() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP SCHEMA {name}_g1 CASCADE")
        for name in ("claim_status", "people", "payers"):
            cursor.execute(f"CREATE TABLE {name}_1 (of_its_time text)")
            cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM {name}_1")
        cursor.execute("DROP TABLE projection_fault, projection_generation")
        cursor.execute("CREATE TABLE projection_fault (position bigint PRIMARY KEY)")
        cursor.execute("UPDATE projection_position SET notification_id = 3 WHERE application_name LIKE '%:%'")
    initialise(settings).close()
    assert positions(ledger) == {f"{name}:1": 0 for name in NAMES}
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1}
    assert value(ledger.database, "SELECT to_regclass('claim_status_1')") is None
    initialise(settings).close()
    assert set(positions(ledger).values()) == {4}
