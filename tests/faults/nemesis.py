"""Kills, pauses and restarts everything at random moments, and looks whether the ledger still tells the truth.

A seed gives lives of claims, sign-ins, payments and enrolments, and a schedule of faults. The messages are shuffled,
some are repeated, and all go to partitions at random, so that they come in any order. Two consumers and a projector
take them in while they and both servers are tormented. In the end everything heals, and the ledger is compared with the
independent model (tests/model.py), with what was sent, with what a reader saw who followed the log all the time, and
with a replay from the first event.

The moments of the faults are those of the schedule, but what they hit depends on the machine: a seed that failed fails
again in most runs, not in all.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

import psutil
from kafka.errors import KafkaError
from psycopg import connect

from adapters.settings import Settings
from application.ports import Format
from composition import Ledger, open_ledger
from samples import lives, portal
from samples.lives import Message
from tests.broker import NoBroker
from tests.consumer_process import POINTS
from tests.delivery import assert_projections_replay, end_offsets, producing
from tests.faults import roles
from tests.faults.checker import History, anomalies
from tests.faults.ground import PARTITIONS, SESSION_TIMEOUT_MS, Broker, Database, Ground, ground
from tests.faults.roles import EXPECTED_EXITS, Options
from tests.faults.watching import Tail, entries
from tests.model import truth
from tests.told import differences, said_once, told

LIVES = 16
NEIGHBOURS = {"sign_ins": 24, "payments": 8, "enrolments": 8}
"""How many messages there are of each"""
BAD_MESSAGES_MAX = 4
REPEATED = 0.25
"""Share of the messages that are sent once more"""
CONSUMERS = 2
PRODUCED_IN_S = 1.8
PATIENCE_S = 60
LAST_WORDS_CHARS = 30_000
CLIENT = {
    "session_timeout_ms": SESSION_TIMEOUT_MS,
    "heartbeat_interval_ms": 200,
    "max_poll_records": 4,  # many small batches: more moments at which to die
    "metadata_max_age_ms": 1_000,
    "reconnect_backoff_max_ms": 300,
    "request_timeout_ms": 5_000,
}

# --- the schedule


class Blow(NamedTuple):
    """One fault: what is done to whom, when (seconds from the first event on), and for how long."""

    at_s: float
    kind: str
    target: str
    for_s: float

    def __str__(self) -> str:
        return f"{self.at_s:.2f} {self.kind} {self.target} ({self.for_s:.2f})"


PROCESSES = [*(f"consumer {number}" for number in range(1, CONSUMERS + 1)), "projector"]
SERVER_BLOWS = [
    ("kill", "database"),
    ("pause", "broker"),
    ("restart", "database"),
    ("kill", "broker"),
    ("pause", "database"),
]
"""One of them a seed, in turn, because a broker that comes back costs seconds"""


def schedule(seed: int) -> list[Blow]:
    rng = random.Random(f"{seed} schedule")
    kind, target = SERVER_BLOWS[seed % len(SERVER_BLOWS)]
    if (kind, target) == ("pause", "broker") and rng.random() < 0.3:
        kind = "restart"
    blows = [Blow(_moment(rng), kind, target, rng.uniform(0.05, 1.2 * SESSION_TIMEOUT_MS / 1000))]
    for _ in range(rng.randint(3, 6)):
        kind = rng.choice(("kill", "kill", "pause", "pause", "restart"))
        longest_s = 1.5 * SESSION_TIMEOUT_MS / 1000 if kind == "pause" else 0.4
        blows.append(Blow(_moment(rng), kind, rng.choice(PROCESSES), rng.uniform(0, longest_s)))
    return sorted(blows)


def self_inflicted(seed: int, name: str, start: int) -> tuple[str, int, int]:
    """At which step of a batch (or none), and of which batch, a consumer sends itself which signal.

    The last of the steps is not for this: there it would wait for the broker's word, which may never come where its
    share has gone to another consumer.
    """
    rng = random.Random(f"{seed} {name} {start}")
    number = rng.randint(1, 5)
    if start == 0 and name == PROCESSES[0] and SERVER_BLOWS[seed % len(SERVER_BLOWS)][1] == "database":
        return "before_commit", number, signal.SIGSTOP
    point = rng.choice(POINTS[:-1]) if start < 3 and rng.random() < 0.5 else ""
    return point, number, rng.choice((signal.SIGKILL, signal.SIGSTOP))


def _moment(rng: random.Random) -> float:
    return rng.uniform(0.0, PRODUCED_IN_S)


# --- processes


class Service:
    """A process that is started again whenever it has ended, as any supervisor does it."""

    def __init__(self, name: str, log: Path, spawn: Callable[[int], tuple[ForkServerProcess, float]]) -> None:
        """`spawn` takes the number of the start, and also tells how long it is left so if it stops itself."""
        self.name = name
        self._log = log
        self.exits: list[int] = []
        self._spawn = spawn
        self._starts_at = self._resumes_at = 0.0
        self._is_paused = False
        self.holds = False
        """Whether it has stopped itself in the middle of something"""
        self._process, self._held_s = spawn(0)

    def tend(self) -> None:
        now = time.monotonic()
        if self._process.exitcode is not None:
            if self._process.exitcode not in EXPECTED_EXITS:
                raise Wrong(f"{self.name} ended with {self._process.exitcode}: {self.last_words()}")
            if now >= self._starts_at:
                self.exits.append(self._process.exitcode)
                self._starts_at = now + 0.1  # the next time: what can't start must not be started all the time
                self._process, self._held_s = self._spawn(len(self.exits))
                self._is_paused = self.holds = False
        elif self._is_stopped():
            if not self._is_paused:
                self.holds = True
                self.pause(self._held_s)
            elif now >= self._resumes_at:
                self._resume()

    def kill(self, for_s: float) -> None:
        self._starts_at = time.monotonic() + for_s
        self._signal(signal.SIGKILL)

    def pause(self, for_s: float) -> None:
        self._resumes_at, self._is_paused = time.monotonic() + for_s, True
        self._signal(signal.SIGSTOP)

    def restart(self, for_s: float) -> None:
        self._starts_at = time.monotonic() + for_s
        self._signal(signal.SIGTERM)

    def heal(self) -> None:
        self._starts_at = self._resumes_at = 0.0

    def ask_to_end(self) -> None:
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """As it should: nothing is heard of it any more."""
        deadline = time.monotonic() + PATIENCE_S
        while self._process.exitcode is None and time.monotonic() < deadline:
            self._resume()
            self._process.join(0.05)
        if self._process.exitcode not in EXPECTED_EXITS:
            raise Wrong(f"{self.name} ended with {self._process.exitcode} when it was told to: {self.last_words()}")

    def close(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.join()

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")[-LAST_WORDS_CHARS:] if self._log.exists() else ""

    def _resume(self) -> None:
        self._is_paused = self.holds = False
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process.exitcode is None:
            assert self._process.pid is not None
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _is_stopped(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED
        return False


# --- what is sent


def traffic(seed: int) -> list[Message]:
    """Lives of claims, what a portal and its neighbours send, and some bad messages in any order, a part twice."""
    rng = random.Random(f"{seed} traffic")
    sent = [message for life in lives.lives(seed, LIVES) for message in life.messages]
    sent += portal.sign_ins(seed, NEIGHBOURS["sign_ins"], accounts=2)
    sent += portal.payments(seed, NEIGHBOURS["payments"], members=2)
    sent += portal.enrolments(seed, NEIGHBOURS["enrolments"], members=2)
    bad = list(lives.bad_messages(rng, LIVES).values())
    sent += rng.sample(bad, rng.randint(0, BAD_MESSAGES_MAX))
    sent += rng.choices(sent, k=int(len(sent) * REPEATED))
    rng.shuffle(sent)
    return sent


def produce(bootstrap: str, prefix: str, messages: Sequence[Message], seed: int) -> None:
    """At a steady pace, each to any partition, and again until all are acknowledged."""
    rng = random.Random(f"{seed} partitions")
    left, started = list(enumerate(messages)), time.monotonic()
    client = {"request_timeout_ms": 2_000, "reconnect_backoff_max_ms": 100, "retry_backoff_ms": 50}
    while left:
        with suppress(KafkaError), producing(bootstrap, **client) as producer:
            sent = []
            for number, message in left:
                time.sleep(max(0.0, started + PRODUCED_IN_S * number / len(messages) - time.monotonic()))
                where = {"topic": f"{prefix}.{message.topic}", "partition": rng.randrange(PARTITIONS)}
                sent.append(((number, message), producer.send(value=message.value, key=b"", **where)))
            producer.flush(timeout=20)
            left = [message for message, future in sent if not future.succeeded()]


# --- one run


class Wrong(Exception):
    """The ledger, or one of its processes, did what it must not do."""


@dataclass
class Run:
    """One seed, and what came of it."""

    seed: int
    blows: list[Blow]
    messages: int = 0
    events: int = 0
    restarts: int = 0
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"seed_{self.seed}"

    def __str__(self) -> str:
        verdict = f"{len(self.wrong)} wrong" if self.wrong else "ok"
        counted = f"{self.messages} messages, {self.events} events, {self.restarts} restarts, {self.took_s:.1f} s"
        return "\n  ".join([f"seed {self.seed}: {verdict}: {counted}: {'; '.join(map(str, self.blows))}", *self.wrong])


def torment(ground: Ground, seed: int) -> Run:
    """One run from an empty ledger to the verdict."""
    run, started = Run(seed, schedule(seed)), time.monotonic()
    try:
        with ground.ledger(run.name) as settings, ground.topics(run.name) as formats:
            _torment(ground, run, settings, formats)
    except Wrong as wrong:
        run.wrong.append(str(wrong))
    except Exception:  # noqa: BLE001 whatever it is, it must be told with its seed, and the other seeds go on
        run.wrong.append(traceback.format_exc())
    run.took_s = time.monotonic() - started
    return run


def _torment(ground: Ground, run: Run, settings: Settings, formats: dict[str, Format]) -> None:
    messages, bootstrap, dsn = traffic(run.seed), ground.broker.bootstrap, str(settings.dsn)
    run.messages = len(messages)
    tail, services = Tail(dsn), dict[str, Service]()
    with ExitStack() as stack:
        for name in PROCESSES:
            log = settings.data / f"{name}.log"
            services[name] = Service(name, log, _spawner(ground, run.seed, name, log, settings, formats))
            stack.callback(services[name].close)
        stack.callback(tail.finish)
        tail.start()
        threads = stack.enter_context(ThreadPoolExecutor(2))
        sending = threads.submit(produce, bootstrap, run.name, messages, run.seed)
        _until(lambda: _has_begun(dsn), services, "anything was recorded")
        _strike(ground, run.blows, services, threads, sending)
        for service in services.values():
            service.heal()
        ends = dict(end_offsets(bootstrap, topic) for topic in formats)
        _until(lambda: _is_drained(dsn, ends), services, f"everything was taken in and projected: {ends}")
        for service in services.values():
            service.ask_to_end()
        for service in services.values():
            service.end()
    run.restarts = sum(len(service.exits) for service in services.values())
    with closing(open_ledger(settings)) as ledger:
        run.events, run.wrong = verdict(ledger, messages, tail)


def _strike(
    ground: Ground,
    blows: Sequence[Blow],
    services: dict[str, Service],
    threads: ThreadPoolExecutor,
    sending: Future[None],
) -> None:
    """Every blow at its moment; until all is sent and every server is up again."""
    started, running, left = time.monotonic(), [sending], list(blows)

    def is_due(blow: Blow) -> bool:
        # The worst moment for a database to go is that at which somebody waits for its answer.
        is_awaited = blow.target == "database" and any(service.holds for service in services.values())
        return is_awaited or blow.at_s <= time.monotonic() - started

    def over() -> bool:
        for blow in [blow for blow in left if is_due(blow)]:
            left.remove(blow)
            if blow.target in services:
                getattr(services[blow.target], blow.kind)(blow.for_s)
            else:
                running.append(threads.submit(_strike_server, getattr(ground, blow.target), blow))
        return not left and all(each.done() for each in running)

    _until(over, services, "all was sent and every server was up")
    for each in running:
        each.result()


def _strike_server(server: Database | Broker, blow: Blow) -> None:
    strike = {"kill": server.kill, "restart": server.stop, "pause": server.pause}[blow.kind]
    strike()
    time.sleep(blow.for_s)
    (server.resume if blow.kind == "pause" else server.start)()


def _spawner(
    ground: Ground, seed: int, name: str, log: Path, settings: Settings, formats: dict[str, Format]
) -> Callable[[int], tuple[ForkServerProcess, float]]:
    options = Options(
        str(settings.dsn), settings.keys_folder, settings.data, ground.broker.bootstrap, formats, f"of-{seed}", CLIENT
    )

    def spawn(start: int) -> tuple[ForkServerProcess, float]:
        held_s = 0.0
        if name == "projector":
            process = ground.processes.Process(target=roles.project, args=(options, log))
        else:
            point, *when = self_inflicted(seed, name, start)
            # With a batch in its hands it may wake up as a zombie; within a transaction it holds everybody up.
            held_s = 1.5 * SESSION_TIMEOUT_MS / 1000 if point == "after_poll" else 0.3
            process = ground.processes.Process(target=roles.consume, args=(options, log, point, *when))
        process.start()
        return process, held_s

    return spawn


def _until(condition: Callable[[], bool], services: dict[str, Service], what: str) -> None:
    """Start what has ended, and wait."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        for service in services.values():
            service.tend()
        if time.monotonic() > deadline:
            said = "\n".join(f"{name}: {service.last_words()}" for name, service in services.items())
            raise Wrong(f"it took more than {PATIENCE_S} s until {what}\n{said}")
        time.sleep(0.01)


def _has_begun(dsn: str) -> bool:
    with connect(dsn) as connection:
        return connection.execute("SELECT FROM head WHERE position > 0").fetchone() is not None


def _is_drained(dsn: str, ends: dict[str, dict[int, int]]) -> bool:
    """Everything that is in the topics is taken in, and all that was recorded is projected."""
    with connect(dsn) as connection:
        at: dict[str, dict[int, int]] = {topic_id: {} for topic_id in ends}
        for topic_id, partition, offset in connection.execute(
            "SELECT topic_id, partition, next_offset FROM source_offset WHERE next_offset > 0"
        ):
            at[topic_id][partition] = offset
        behind = connection.execute(
            "SELECT FROM head, projection_position WHERE application_name LIKE '%:%' AND notification_id < position"
        ).fetchone()
    return at == ends and behind is None


# --- the verdict


def verdict(ledger: Ledger, messages: Sequence[Message], tail: Tail) -> tuple[int, list[str]]:
    """How many events there are, and everything that is wrong."""
    with connect(ledger.database.dsn) as connection:
        final = entries(connection, 0, 10**9)
    positions = [entry.position for entry in final]
    wrong = [] if positions == list(range(1, len(final) + 1)) else [f"positions are {positions}"]
    wrong += map(str, anomalies(History((), {"tail": tail.polls}, final, tail.counters)))
    try:
        assert_projections_replay(ledger)
    except AssertionError as error:
        wrong.append(f"the projections are not what a replay gives: {error}")
    of_neighbours = [each for each in messages if each.topic in (portal.SIGN_INS, portal.PAYMENTS, portal.CHANGES)]
    wrong += said_once(ledger, of_neighbours)
    expected = truth([each for each in messages if each not in of_neighbours])
    wrong += differences(told(ledger, expected["bills"]), expected)
    return len(final), wrong


# --- the command


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/nemesis", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, help="how many, one after the other: 10, or 1 where --seed is given")
    parser.add_argument("--seed", type=int, help="the first one; by default any")
    parser.add_argument("--json", action="store_true", help="one JSON object a seed on stdout")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # nothing that was started is left behind
    first = random.SystemRandom().randrange(10**6) if told.seed is None else told.seed
    count = told.seeds or (10 if told.seed is None else 1)
    try:
        with ground() as prepared:
            runs = []
            for seed in range(first, first + count):
                runs.append(run := torment(prepared, seed))
                print(json.dumps({**asdict(run), "blows": list(map(str, run.blows))}) if told.json else run, flush=True)
    except NoBroker as error:
        print(error, file=sys.stderr)
        return 3
    failed = [run.seed for run in runs if run.wrong]
    if not told.json:
        events, restarts = (sum(getattr(run, name) for run in runs) for name in ("events", "restarts"))
        summary = f"{len(runs)} seeds, {events} events, {restarts} restarts"
        print(f"{summary}: " + (f"wrong: {failed}" if failed else "nothing lost, nothing doubled"))
    return 1 if failed else 0
