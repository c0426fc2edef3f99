"""What `initialise` makes, and what it and `open_ledger` refuse."""

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from psycopg import connect

from adapters.crypto.key_files import KeyFiles, KeysNotFound
from adapters.postgres.embedded import SERVER
from adapters.settings import Settings
from composition import Ledger, NotInitialised, OtherInstallation, initialise, open_ledger
from tests.given import message, paid, remittance, rows, value

DESCRIBED = """
SELECT class.oid::regclass::text AS name, relname, NULL AS column, relkind::text AS kind,
       obj_description(class.oid, 'pg_class') AS comment
FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = relnamespace
WHERE (nspname = 'public' OR nspname LIKE '%%\\_g_') AND relkind IN ('r', 'v', 'm', 'f', 'p')
UNION ALL
SELECT class.oid::regclass::text, relname, attname, relkind::text, col_description(class.oid, attnum)
FROM pg_class class JOIN pg_namespace namespace ON namespace.oid = relnamespace
JOIN pg_attribute ON attrelid = class.oid
WHERE (nspname = 'public' OR nspname LIKE '%%\\_g_') AND relkind IN ('r', 'v', 'm', 'f', 'p')
  AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT nspname, nspname, NULL, 'schema', obj_description(oid, 'pg_namespace')
FROM pg_namespace WHERE nspname LIKE '%%\\_g_'
"""


def schema_of(ledger: Ledger) -> list[dict[str, Any]]:
    return rows(ledger.database, DESCRIBED + "ORDER BY name, 3 NULLS FIRST")


def test_a_new_embedded_server_keeps_what_a_ledger_wants_of_it(server: str) -> None:
    with connect(server) as connection:
        kept = connection.execute("SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'")
        assert dict(kept.fetchall()) == SERVER


def test_every_table_view_and_column_says_what_it_is(ledger: Ledger) -> None:
    found = schema_of(ledger)
    assert {row["name"] for row in found} >= {
        "events",
        "parked",
        "claim_status",
        "people_g1",
        "people_g1.people",
        "projection_position",
    }
    # A view's columns are those of its table, which says what they are, unless the view makes them itself.
    told = {(row["relname"], row["column"]) for row in found if row["comment"]}
    undescribed = [
        (row["name"], row["column"])
        for row in found
        if not row["comment"] and not (row["kind"] == "v" and (row["relname"], row["column"]) in told)
    ]
    assert undescribed == []


def test_nothing_of_the_librarys_own_tables_is_left_over(ledger: Ledger) -> None:
    assert not {row["name"] for row in schema_of(ledger)} & {"stored_events", "notification_tracking"}


def test_initialising_again_changes_nothing(ledger: Ledger, settings: Settings) -> None:
    ledger.intake.handle([message(remittance(1, paid("1")))])
    ledger.runner.catch_up()
    tables = [row["name"] for row in schema_of(ledger) if row["kind"] == "r" and row["column"] is None]

    def everything() -> dict[str, Any]:
        return {name: rows(ledger.database, f"SELECT * FROM {name} ORDER BY 1") for name in tables}

    before = schema_of(ledger), everything(), {f.name: f.read_bytes() for f in settings.keys_folder.iterdir()}
    initialise(settings).close()
    after = schema_of(ledger), everything(), {f.name: f.read_bytes() for f in settings.keys_folder.iterdir()}
    assert after == before
    assert len(before[1]["events"]) == 4


def works(settings: Settings) -> None:
    ledger = open_ledger(settings)
    ledger.intake.handle([message(remittance(1, paid("1")))])
    ledger.runner.catch_up()
    assert value(ledger.database, "SELECT count(*) FROM claim_status") == 1
    assert value(ledger.database, "SELECT count(*) FROM installation") == 1
    ledger.close()


def fingerprint_of_new(settings: Settings) -> str:
    ledger = initialise(settings)
    ledger.close()
    return ledger.fingerprint


def test_threads_that_initialise_at_once_make_one_ledger(settings: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(fingerprint_of_new, [settings] * 4))) == 1
    works(settings)


def _meet(all_there: Barrier) -> None:
    all_there.wait(30)


def test_processes_that_initialise_at_once_make_one_ledger(settings: Settings) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, initializer=_meet, initargs=(spawn.Barrier(2),)) as pool:
        assert len(set(pool.map(fingerprint_of_new, [settings] * 4))) == 1
    works(settings)


@pytest.fixture(params=[open_ledger, initialise], ids=lambda opens: opens.__name__)
def opens(request: pytest.FixtureRequest) -> Callable[[Settings], Ledger]:
    """Both ways to a ledger."""
    opens: Callable[[Settings], Ledger] = request.param
    return opens


def test_another_ledgers_keys_are_refused(
    ledger: Ledger, settings: Settings, opens: Callable[[Settings], Ledger]
) -> None:
    shutil.rmtree(settings.keys_folder)
    KeyFiles.create(settings.keys_folder)
    with pytest.raises(OtherInstallation):
        opens(settings)


def test_keys_are_never_made_beside_an_existing_ledger(
    ledger: Ledger, settings: Settings, opens: Callable[[Settings], Ledger]
) -> None:
    shutil.rmtree(settings.keys_folder)
    with pytest.raises(KeysNotFound):
        opens(settings)
    assert not settings.keys_folder.exists()


def test_a_database_without_a_ledger_is_not_opened(settings: Settings) -> None:
    with pytest.raises(NotInitialised):
        open_ledger(settings)
    with connect(str(settings.dsn)) as connection:
        assert connection.execute("SELECT to_regclass('events')").fetchone() == (None,)
    assert not settings.keys_folder.exists()
