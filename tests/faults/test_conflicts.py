"""Deadlocks and serialization failures, thrown by the database itself at the writer and at the projector."""

from contextlib import closing
from typing import LiteralString

import pytest
from psycopg import connect

from adapters.settings import Settings
from composition import Ledger
from tests.broker import Broker
from tests.delivery import ConsumerProcess, remittances, wait_until
from tests.faults.conftest import Figures
from tests.faults.processes import ProjectorProcess
from tests.faults.watching import watching

PER_S = 40
PARTITIONS = 2
PERCENT = 20
PERCENT_OF_PROJECTOR = 5
"""Of each projection's position: all of them move in one transaction, so this often for each of them"""

# Sequences are not rolled back with what failed: one numbers the statements, whose hash with the seed decides, and the
# others count what was thrown.
THROWING: LiteralString = """
CREATE SEQUENCE attempts; CREATE SEQUENCE failures; CREATE SEQUENCE deadlocks;
CREATE FUNCTION throw() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    drawn bigint := abs(hashint8extended(nextval('public.attempts'), TG_ARGV[0]::bigint) % 1000);
BEGIN
    IF drawn % 100 < TG_ARGV[1]::integer THEN
        IF drawn < 500 THEN
            PERFORM nextval('public.failures');
            RAISE EXCEPTION 'thrown' USING ERRCODE = 'serialization_failure';
        END IF;
        PERFORM nextval('public.deadlocks');
        RAISE EXCEPTION 'thrown' USING ERRCODE = 'deadlock_detected';
    END IF;
    RETURN NULL;
END $$;
"""

# The writer's statements, that by which a consumer finds its place, and the projector's.
TABLES = ("events", "source_offset", "projection_position")


@pytest.mark.kafka(partitions=PARTITIONS)
@pytest.mark.parametrize("lasts_s", [5, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
def test_the_database_throws_deadlocks_and_serialization_failures(
    lasts_s: int, seed: int, broker: Broker, topic: str, ledger: Ledger, settings: Settings, figures: Figures
) -> None:
    messages = remittances(seed, lasts_s * PER_S, claims=1)
    throw(ledger, seed)
    client = {"max_poll_records": 4}
    with (
        closing(ConsumerProcess(settings, broker.bootstrap, topic, client=client)) as one,
        closing(ConsumerProcess(settings, broker.bootstrap, topic, client=client)) as other,
        closing(ProjectorProcess(settings)) as projector,
        watching(ledger, broker.bootstrap, topic, messages, PER_S, PARTITIONS) as watch,
    ):
        wait_until(lambda: len(watch.load.acknowledged) == len(messages), lasts_s + 30)
        drain_s = watch.drained()
        wait_until(lambda: _behind(ledger) == 0)
        for process in (one, other, projector):
            process.end()
        thrown = stop_throwing(ledger)
        judged = watch.judge()
    down = len(projector.logged("projector.dependency_down"))
    assert all(thrown.values()), thrown
    assert down, "nothing was thrown at the projector"
    figures(**judged, **thrown, projector_retries=down, drain_s=drain_s)


def throw(ledger: Ledger, seed: int) -> None:
    with connect(ledger.database.dsn) as connection:
        connection.execute(THROWING)
        for table in TABLES:
            percent = PERCENT_OF_PROJECTOR if table == "projection_position" else PERCENT
            connection.execute(
                f"CREATE TRIGGER throw AFTER INSERT OR UPDATE ON {table} EXECUTE FUNCTION throw({seed}, {percent})"
            )


def stop_throwing(ledger: Ledger) -> dict[str, int]:
    """How often each was thrown."""
    with connect(ledger.database.dsn) as connection:
        for table in TABLES:
            connection.execute(f"DROP TRIGGER throw ON {table}")
        counted = connection.execute(
            "SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences "
            "WHERE sequencename IN ('failures', 'deadlocks')"
        )
        return dict(counted.fetchall())


def _behind(ledger: Ledger) -> int:
    with connect(ledger.database.dsn) as connection:
        row = connection.execute(
            "SELECT max(head.position - at.notification_id) FROM projection_position at, head "
            "WHERE at.application_name LIKE '%:%'"
        ).fetchone()
    assert row is not None
    return int(row[0])
