"""A consumer's network is cut, both ways or one way, while others go on; nothing tells either side that it is."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.settings import Settings
from composition import Ledger, initialise
from tests.conftest import new_database
from tests.delivery import ConsumerProcess, remittances, wait_until
from tests.faults.conftest import Figures
from tests.faults.network import Cut, Network, network
from tests.faults.servers import make_topic, own_broker, own_postgres
from tests.faults.watching import watching

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.namespaces]

PER_S = 20
PARTITIONS = 4
STALL_S_MAX = 30
"""A transaction that was cut off holds the log's head until the server ends it, after 15 s"""
BACK_S_MAX = 60

LONG = [pytest.mark.long, pytest.mark.timeout(300)]


class Place(NamedTuple):
    network: Network
    bootstrap: str
    server: str


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with network() as joined, own_broker(joined.address) as broker, own_postgres(joined.address) as server:
        broker.start()
        yield Place(joined, broker.bootstrap, server.dsn)


@pytest.fixture
def remote(place: Place, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is reached over the network."""
    with new_database(place.server) as dsn:
        ledger = initialise(Settings(dsn=dsn, keys=tmp_path / "keys", data=tmp_path))
        yield ledger
        ledger.close()


@pytest.mark.parametrize(
    ("cuts", "lasts_s"),
    [
        pytest.param([Cut.BOTH, Cut.DEAF, Cut.MUTE], 8, id="three at once"),
        pytest.param([Cut.BOTH], 60, id="both ways", marks=LONG),
        pytest.param([Cut.DEAF], 60, id="deaf", marks=LONG),
        pytest.param([Cut.MUTE], 60, id="mute", marks=LONG),
        pytest.param([Cut.BOTH, Cut.DEAF, Cut.MUTE], 60, id="three at once for long", marks=LONG),
    ],
)
def test_consumers_are_cut_off(
    cuts: list[Cut], lasts_s: int, seed: int, place: Place, remote: Ledger, figures: Figures
) -> None:
    topic = f"test-{seed}-{lasts_s}-{len(cuts)}-{cuts[0].value}"
    make_topic(place.bootstrap, topic, PARTITIONS)
    messages = remittances(seed, (lasts_s + 60) * PER_S, claims=1)
    client = {"max_poll_records": 4}
    with ExitStack() as ending:

        def consumer(*within: str) -> ConsumerProcess:
            process = ConsumerProcess(remote.settings, place.bootstrap, topic, client=client, within=within)
            return ending.enter_context(closing(process))

        namespaces = [place.network.namespace() for _ in cuts]
        cut_off = [consumer(*namespace.within) for namespace in namespaces]
        healthy = consumer()
        with watching(remote, place.bootstrap, topic, messages, PER_S, PARTITIONS) as watch:
            wait_until(lambda: all(process.logged("consumer.batch") for process in [*cut_off, healthy]))
            for namespace, directions in zip(namespaces, cuts, strict=True):
                namespace.cut(directions)
            time.sleep(1)
            batches = [len(process.logged("consumer.batch")) for process in cut_off]
            time.sleep(lasts_s - 1)
            assert batches == [len(process.logged("consumer.batch")) for process in cut_off], "it was not cut off"
            for namespace in namespaces:
                namespace.heal()
            healed = time.monotonic()
            back_s = []
            for process, before in zip(cut_off, batches, strict=True):
                _wait_for_more(process, before)
                back_s.append(time.monotonic() - healed)
            drain_s = watch.drained()
        for process in [*cut_off, healthy]:
            process.end()
        judged = watch.judge()
    assert watch.progress.longest_s < STALL_S_MAX
    figures(
        **judged,
        dropped_s=lasts_s,
        longest_stall_s=watch.progress.longest_s,
        back_after_s=max(back_s),
        drain_s=drain_s,
        dependency_down=sum(len(process.logged("consumer.dependency_down")) for process in cut_off),
        batches_refused=sum(len(process.logged("consumer.batch_refused")) for process in cut_off),
    )


def _wait_for_more(process: ConsumerProcess, batches: int) -> None:
    wait_until(lambda: len(process.logged("consumer.batch")) > batches, BACK_S_MAX)
