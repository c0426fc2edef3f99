"""Clocks are a day off, ahead and behind, and jump. Order comes from positions, so nothing may depend on them."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import connect

from adapters.postgres.overview import overview
from adapters.settings import Settings
from application.ports import Message
from composition import PROJECTIONS, Ledger, initialise
from tests.broker import Broker
from tests.delivery import ConsumerProcess, remittances, rendered, wait_until
from tests.faults.conftest import Figures
from tests.faults.processes import ProjectorProcess
from tests.faults.watching import watching

DAY_S = 24 * 60 * 60
PER_S = 40
PARTITIONS = 4
JUMPS_S = (DAY_S, -DAY_S, 0)
EACH_S = 2

# The ledger asks the server for the time as now(), so a function of that name in front of the server's own moves the
# clock of every statement, at once.
CLOCK = """
CREATE TABLE clock_off (seconds double precision NOT NULL);
INSERT INTO clock_off VALUES (0);
CREATE FUNCTION public.now() RETURNS timestamptz STABLE LANGUAGE sql
    AS 'SELECT pg_catalog.now() + make_interval(secs => seconds) FROM public.clock_off';
"""

WENT_BACK = """
SELECT count(*) FROM (
    SELECT recorded_at - lag(recorded_at) OVER (ORDER BY notification_id) AS step FROM events
) AS steps WHERE step < '-12 hours'
"""


def behind_or_ahead(seconds: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.faults.skewed", str(seconds))


@pytest.fixture
def moved(database: str, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger whose server tells the time that clock_off says."""
    with connect(database, autocommit=True) as connection:
        connection.execute(CLOCK)
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET search_path = public, pg_catalog")
    ledger = initialise(Settings(dsn=database, keys=tmp_path / "keys", data=tmp_path))
    yield ledger
    ledger.close()


@pytest.mark.kafka(partitions=PARTITIONS)
def test_clocks_are_a_day_off_and_jump(seed: int, broker: Broker, topic: str, moved: Ledger, figures: Figures) -> None:
    messages = remittances(seed, 60 * PER_S, claims=1)
    with (
        closing(ConsumerProcess(moved.settings, broker.bootstrap, topic, within=behind_or_ahead(DAY_S))) as ahead,
        closing(ConsumerProcess(moved.settings, broker.bootstrap, topic, within=behind_or_ahead(-DAY_S))) as behind,
        closing(ProjectorProcess(moved.settings, behind_or_ahead(-DAY_S))) as projector,
        watching(moved, broker.bootstrap, topic, messages, PER_S, PARTITIONS, clock_off_s=-DAY_S) as watch,
    ):
        wait_until(lambda: ahead.logged("consumer.batch") and behind.logged("consumer.batch"))
        for off_s in JUMPS_S:
            set_clock(moved, off_s)
            time.sleep(EACH_S)
        drain_s = watch.drained()
        now = datetime.now(UTC)
        for process, off_s in ((ahead, DAY_S), (behind, -DAY_S), (projector, -DAY_S)):
            assert abs(_last(process) - now - timedelta(seconds=off_s)) < timedelta(hours=1), "its clock was not moved"
        for process in (ahead, behind, projector):
            process.end()
        judged = watch.judge()
        with connect(moved.database.dsn) as connection:
            [went_back] = connection.execute(WENT_BACK).fetchone() or [0]
    assert went_back, "the server's clock did not jump"
    figures(**judged, server_clock_went_back=went_back, drain_s=drain_s)


def test_a_lag_is_not_negative_where_the_clock_went_back(seed: int, moved: Ledger) -> None:
    set_clock(moved, DAY_S)
    moved.intake.handle([Message("file:x", value) for value in rendered(remittances(seed, 1))])
    set_clock(moved, 0)
    lags_s = [row["lag_seconds"] for row in overview(moved.database, PROJECTIONS, embedded=True)["projections"]]
    assert lags_s
    assert min(lags_s) >= 0


def set_clock(ledger: Ledger, off_s: int) -> None:
    with connect(ledger.database.dsn) as connection:
        connection.execute("UPDATE clock_off SET seconds = %s", [off_s])


def _last(process: ConsumerProcess | ProjectorProcess) -> datetime:
    """The time that a process gave its latest batch."""
    [*_, last] = process.logged("consumer.batch") or process.logged("projector.batch")
    return datetime.fromisoformat(last["timestamp"])
