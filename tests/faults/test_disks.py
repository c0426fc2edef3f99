"""Disks run full: the broker's, the database's, that of the keys."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition
from psycopg import OperationalError, connect

from adapters.crypto.key_files import KeyFiles
from adapters.settings import Settings
from application.ports import DependencyDown
from composition import Ledger, initialise
from samples.generator import Remittance
from tests.broker import Broker, JavaBroker
from tests.conftest import new_database
from tests.delivery import ConsumerProcess, remittances, wait_until
from tests.faults.conftest import Figures
from tests.faults.disks import Disk, small_disk
from tests.faults.processes import ProjectorProcess
from tests.faults.servers import Postgres, make_topic, own_broker, own_postgres
from tests.faults.watching import watching

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.namespaces]

PER_S = 40
LONG = [pytest.mark.long, pytest.mark.timeout(300)]

# So that a refusal is heard within seconds. What is sent again may be in the topic twice; the ledger must not mind.
HASTY = {
    "enable_idempotence": False,
    "request_timeout_ms": 2000,
    "delivery_timeout_ms": 4000,
    "max_block_ms": 2000,
    "reconnect_backoff_max_ms": 1000,
}
BACK_S_MAX = 15


# --- the broker's


@pytest.mark.parametrize("full_s", [pytest.param(60, marks=LONG)])
def test_the_brokers_disk_is_full(full_s: int, seed: int, ledger: Ledger, figures: Figures) -> None:
    messages = remittances(seed, (full_s + 60) * PER_S, claims=1)
    topic = f"test-{seed}"
    with own_broker() as broker, small_disk(broker.folder / "data", 64) as disk:
        broker.start()
        make_topic(broker.bootstrap, topic, 2)
        with (
            closing(ConsumerProcess(ledger.settings, broker.bootstrap, topic)) as consumer,
            watching(ledger, broker.bootstrap, topic, messages, PER_S, 2, **HASTY) as watch,
        ):
            wait_until(lambda: consumer.logged("consumer.batch"))
            disk.fill(leave_bytes=64 * 1024)
            died_s = _until(lambda: not _runs(broker))
            time.sleep(full_s)
            disk.make_room()
            batches = len(consumer.logged("consumer.batch"))
            broker.stop()  # tells its watcher that somebody is still here
            broker.start()
            back_s = _until(lambda: len(consumer.logged("consumer.batch")) > batches)
            time.sleep(2)
            assert back_s < BACK_S_MAX, "the outage is over"
            drain_s = watch.drained()
            refused, down = len(watch.load.refused), len(consumer.logged("consumer.dependency_down"))
            consumer.end()
            there = in_topic(broker.bootstrap, topic, 2, watch.load.sent)
            assert refused
            judged = watch.judge(there)
    figures(
        **judged,
        refused=refused,
        full_s=full_s,
        broker_died_after_s=died_s,
        back_after_s=back_s,
        drain_s=drain_s,
        dependency_down=down,
    )


def _runs(broker: JavaBroker) -> bool:
    return broker.process is not None and broker.process.poll() is None


def in_topic(bootstrap: str, topic: str, partitions: int, sent: list[Remittance]) -> list[Remittance]:
    """Which messages the broker holds: nobody else knows it of those that it refused."""
    where = [TopicPartition(topic, number) for number in range(partitions)]
    held: set[str] = set()
    with closing(KafkaConsumer(bootstrap_servers=bootstrap)) as reader:
        reader.assign(where)
        reader.seek_to_beginning(*where)
        ends = reader.end_offsets(where)
        while any(reader.position(partition) < end for partition, end in ends.items()):
            for records in reader.poll(timeout_ms=500).values():
                held.update(_trace_number(record.value) for record in records)
    return [message for message in sent if message.trace_number in held]


def _trace_number(value: bytes) -> str:
    """TRN02 of a rendered remittance."""
    return value[value.index(b"TRN*1*") :].split(b"*", 3)[2].decode()


# --- the database's


@pytest.fixture
def filling(tmp_path: Path) -> Iterator[tuple[Postgres, Disk, Ledger]]:
    """A server whose data is on a small disk, and a ledger in it whose keys are not."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(TemporaryDirectory(prefix="ledger-")))
        disk = ending.enter_context(small_disk(folder, 160))
        server = ending.enter_context(own_postgres(folder=folder / "postgres"))
        dsn = ending.enter_context(new_database(server.dsn))
        ledger = initialise(Settings(dsn=dsn, keys=tmp_path / "keys", data=tmp_path))
        ending.callback(ledger.close)
        yield server, disk, ledger


@pytest.mark.parametrize(
    ("crashes", "full_s"),
    [
        pytest.param(False, 2, id="tables"),
        pytest.param(False, 60, id="tables for long", marks=LONG),
        pytest.param(True, 60, id="log of the server", marks=LONG),
    ],
)
def test_the_databases_disk_is_full(
    crashes: bool,
    full_s: int,
    seed: int,
    broker: Broker,
    topic: str,
    filling: tuple[Postgres, Disk, Ledger],
    figures: Figures,
) -> None:
    """Without room for tables the server refuses; without room for its own log it dies, and is started again."""
    server, disk, ledger = filling
    messages = remittances(seed, (full_s + 60) * PER_S, claims=1)
    with (
        closing(ConsumerProcess(ledger.settings, broker.bootstrap, topic)) as consumer,
        closing(ProjectorProcess(ledger.settings)) as projector,
        watching(ledger, broker.bootstrap, topic, messages, PER_S) as watch,
    ):
        wait_until(lambda: consumer.logged("consumer.batch") and projector.logged("projector.batch"))
        _begin_a_file_of_the_servers_log(ledger)
        disk.fill()
        if crashes:
            _use_up_the_servers_log(ledger)
        wait_until(lambda: consumer.logged("consumer.dependency_down"))
        time.sleep(full_s)
        named = {entry["dependency"] for entry in consumer.logged("consumer.dependency_down")}
        disk.make_room()
        if crashes:
            server.stop(check=False)
            server.start()
        batches = len(consumer.logged("consumer.batch"))
        back_s = _until(lambda: len(consumer.logged("consumer.batch")) > batches)
        drain_s = watch.drained()
        consumer.end()
        projector.end()
        judged = watch.judge()
    if not crashes:
        assert any("DiskFull" in dependency for dependency in named), named
    figures(**judged, full_s=full_s, back_after_s=back_s, drain_s=drain_s, named=len(named))


def _begin_a_file_of_the_servers_log(ledger: Ledger) -> None:
    """So that its 16 MB are there already: a server that finds no room for the next file dies (it is PANIC)."""
    with connect(ledger.database.dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_switch_wal()")
        connection.execute("SELECT pg_logical_emit_message(true, 'fault', 'makes the file')")


def _use_up_the_servers_log(ledger: Ledger) -> None:
    """Write until the server needs a new file for its log, for which there is no room."""
    with connect(ledger.database.dsn, autocommit=True) as connection, pytest.raises(OperationalError):
        connection.execute("SELECT pg_logical_emit_message(true, 'fault', repeat('x', 50 * 1024 * 1024))")


# --- that of the keys


def test_the_disk_of_the_keys_is_full(seed: int, broker: Broker, topic: str, database: str, figures: Figures) -> None:
    """A key that is not safe must not be used: the consumer waits as it waits for a database."""
    messages = remittances(seed, 60 * PER_S, claims=1)
    with small_ledger(database) as (disk, ledger):
        disk.fill()
        with (
            closing(ConsumerProcess(ledger.settings, broker.bootstrap, topic)) as consumer,
            watching(ledger, broker.bootstrap, topic, messages, PER_S) as watch,
        ):
            wait_until(lambda: consumer.logged("consumer.dependency_down"))
            time.sleep(2)
            assert not watch.tail.polls
            disk.make_room()
            back_s = _until(lambda: consumer.logged("consumer.batch"))
            drain_s = watch.drained()
            consumer.end()
            judged = watch.judge()
    figures(**judged, back_after_s=back_s, drain_s=drain_s)


@pytest.mark.parametrize("leave_bytes", [0, 4096], ids=["nothing is written", "a part is written"])
def test_keys_that_found_no_room_are_made_again(leave_bytes: int) -> None:
    subjects = [str(uuid4()) for _ in range(200)]
    with TemporaryDirectory(prefix="ledger-") as folder, small_disk(Path(folder), 1) as disk:
        KeyFiles.create(Path(folder))
        keys = KeyFiles(Path(folder))
        disk.fill(leave_bytes)
        with pytest.raises(DependencyDown, match="No space left on device"):
            keys.ensure(subjects)
        disk.make_room()
        keys.ensure(subjects)
        sealed = {subject: keys.seal(subject, b"name", b"") for subject in subjects}
        again = KeyFiles(Path(folder))
        assert {again.open(subject, each, b"") for subject, each in sealed.items()} == {b"name"}


@contextmanager
def small_ledger(database: str) -> Iterator[tuple[Disk, Ledger]]:
    """A ledger whose keys are on a small disk, and its logs are not."""
    with ExitStack() as ending:
        keys, data = (Path(ending.enter_context(TemporaryDirectory(prefix="ledger-"))) for _ in range(2))
        disk = ending.enter_context(small_disk(keys, 1))
        ledger = initialise(Settings(dsn=database, keys=keys, data=data))
        ending.callback(ledger.close)
        yield disk, ledger


def _until(condition: object, patience_s: float = 60) -> float:
    assert callable(condition)
    started = time.monotonic()
    wait_until(condition, patience_s)
    return time.monotonic() - started
