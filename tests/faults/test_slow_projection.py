"""A projection that takes 100 ms an event meets ten times the usual load."""

import sys
import time
from contextlib import closing

import psutil
import pytest

from adapters.postgres.overview import overview
from adapters.settings import Settings
from composition import PROJECTIONS, Ledger
from tests.broker import Broker
from tests.delivery import ConsumerProcess, remittances, wait_until
from tests.faults.conftest import Figures
from tests.faults.processes import ProjectorProcess
from tests.faults.watching import watching

EVENT_S = 0.1
USUAL_PER_S = 5
BURST = 10
PARTITIONS = 2
MEMORY_GROWTH_MB_MAX = 30
INGESTION_S_MAX = 5


@pytest.mark.kafka(partitions=PARTITIONS)
@pytest.mark.parametrize("burst_s", [1, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(400)])])
def test_a_slow_projection_meets_a_burst(
    burst_s: int, seed: int, broker: Broker, topic: str, ledger: Ledger, settings: Settings, figures: Figures
) -> None:
    burst_messages = burst_s * USUAL_PER_S * BURST
    messages = remittances(seed, burst_messages * 2, claims=1)
    slowly = (sys.executable, "-m", "tests.faults.slow", str(EVENT_S))
    with (
        closing(ConsumerProcess(settings, broker.bootstrap, topic)) as consumer,
        closing(ProjectorProcess(settings, slowly)) as projector,
        watching(ledger, broker.bootstrap, topic, messages, USUAL_PER_S, PARTITIONS) as watch,
    ):
        memory = psutil.Process(projector.process.pid).memory_info
        wait_until(lambda: projector.logged("projector.batch"))
        time.sleep(2)
        usual_lag, before_mb = max(lags(ledger).values()), memory().rss / 1e6
        watch.load.per_s = USUAL_PER_S * BURST
        time.sleep(burst_s)
        drain_s = watch.drained()
        lag = lags(ledger)
        started, most_mb = time.monotonic(), before_mb
        while max(lags(ledger).values()):
            assert time.monotonic() - started < burst_messages * EVENT_S * 2, lags(ledger)
            most_mb = max(most_mb, memory().rss / 1e6)
            time.sleep(0.1)
        caught_up_s = time.monotonic() - started
        consumer.end()
        projector.end()
        judged = watch.judge()
    assert drain_s < INGESTION_S_MAX, "ingestion does not wait for a projection"
    assert lag["payers"] > usual_lag, "the lag is seen"
    assert most_mb - before_mb < MEMORY_GROWTH_MB_MAX
    assert not projector.logged("projector.dependency_down")
    figures(
        **judged,
        ingestion_drained_s=drain_s,
        usual_lag_events=usual_lag,
        lag_events=lag["payers"],
        lag_of_others_events=max(at for name, at in lag.items() if name != "payers"),
        caught_up_s=caught_up_s,
        memory_growth_mb=most_mb - before_mb,
    )


def lags(ledger: Ledger) -> dict[str, int]:
    """What `status` shows of each projection, in events."""
    shown = overview(ledger.database, PROJECTIONS, embedded=True)["projections"]
    return {row["projection"]: row["lag_events"] for row in shown}
