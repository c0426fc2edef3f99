"""Processes that are measured: each runs one role of ours or of what we compare with.

A worker prints `ready` when it has all it needs, works until its stdin is closed (so it can't outlive us, however we
end), and then prints one JSON object of figures.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from adapters import logs
from adapters.kafka.source import KafkaSource
from adapters.postgres.event_log import PostgresEventLog
from adapters.settings import Settings
from application.ports import Batch, Format, VersionConflict
from application.requests import of_bill
from composition import PROJECTIONS, Ledger, open_ledger, settle_memory
from consumers.loop import Record
from domain import account
from domain.facts import StreamId
from domain.money import Money

Figures = dict[str, Any]
Stopped = Callable[[], bool]
STOP_TIMEOUT_S = 20
COMMANDS_PER_S = 50
BILLS_OF_OTHERS = 1_000
BILLS_RECENT = 200
BILLS_AT_ONCE = 5
"""Then it asks anew which were assessed last"""

# The bills of claims that came last, after a position, and left something to be owed: of the first claim of each
# remittance, since that is the one which the mix may take back soon.
ASSESSED = """
SELECT bill.originator_id::text AS bill_id
FROM events remittance JOIN events bill ON bill.notification_id = remittance.notification_id + 2
WHERE remittance.notification_id > %s AND remittance.topic = 'remittance.received:1'
  AND bill.topic = 'bill.assessed:1' AND convert_from(bill.state, 'UTF8') LIKE '%%,"owed.%%'
ORDER BY remittance.notification_id DESC LIMIT %s
"""


class WorkerFailed(Exception):
    """A measured process ended before it was told to; its stderr says why."""


class Worker:
    """The measuring side's handle of one."""

    def __init__(self, module: str, role: str, options: dict[str, str], errors: Path) -> None:
        self._errors = errors
        command = [sys.executable, "-m", module, role, json.dumps(options)]
        with errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        self.usage = psutil.Process(self._process.pid)

    def expect_ready(self) -> None:
        self._expect_line()

    def rss_mb(self) -> float:
        return float(self.usage.memory_info().rss) / 1e6

    def cpu_s(self) -> float:
        times = self.usage.cpu_times()
        return float(times.user + times.system)

    def check(self) -> None:
        status = self._process.poll()
        if status is not None:
            said = self._errors.read_text(errors="replace")[-4000:]
            raise WorkerFailed(f"a worker ended with status {status}: {said or 'it said nothing'}")

    def finish(self) -> Figures:
        """Wait until it is done by itself; its figures."""
        figures: Figures = json.loads(self._expect_line())
        return figures

    def stop(self) -> Figures:
        """Tell it to stop; its figures."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.finish()

    def close(self) -> None:
        """End it, whatever it is doing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _expect_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(STOP_TIMEOUT_S)
            self.check()
        return line


@contextmanager
def working(module: str, role: str, options: dict[str, str], errors: Path) -> Iterator[Worker]:
    """A worker that is ready."""
    with closing(Worker(module, role, options, errors)) as worker:
        worker.expect_ready()
        yield worker


def serve(roles: dict[str, Callable[[dict[str, str], Stopped, Callable[[], None]], Figures]]) -> None:
    """The measured side: run the role that the command line names."""
    _, role, options = sys.argv
    stop = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        stop.set()
        time.sleep(STOP_TIMEOUT_S)  # closing may take for ever where broker or database have gone
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    figures = roles[role](json.loads(options), stop.is_set, lambda: print("ready", flush=True))
    print(json.dumps(figures), flush=True)


# --- our own


class TimedSource(KafkaSource):
    """Notes when the first poll that returned records began."""

    began: float | None = None

    def join(self, partitions: int, stopped: Stopped) -> None:
        """Wait for this member's share of the group; nothing is read meanwhile, since nothing is placed yet."""
        while len(self._consumer.assignment()) != partitions and not stopped():
            super().poll(0.05)

    def poll(self, timeout_s: float) -> list[Record]:
        began = time.monotonic()
        records = super().poll(timeout_s)
        if records and self.began is None:
            self.began = began
        return records


class CountedLog(PostgresEventLog):
    """Counts how often others were faster."""

    conflicts = 0

    def append(self, batch: Batch) -> int:
        try:
            return super().append(batch)
        except VersionConflict:
            self.conflicts += 1
            raise


def consume(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    ledger = _open(options)
    ledger.accounts = bool(options["accounts"])
    ledger.log = log = CountedLog(ledger.database)
    formats = {topic: Format(name) for topic, name in json.loads(options["formats"]).items()}
    source = TimedSource(options["bootstrap"], list(formats), options["group"])
    consumer = ledger.consumer(source, formats=formats)
    settle_memory()
    source.join(int(options["partitions"]), stopped)
    ready()
    consumer.run(stopped)
    source.close()
    ledger.close()
    return {"began": source.began, "conflicts": log.conflicts}


def write(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    """What a portal sends, at a steady pace from when claims begin to come: a cent of a bill is disputed, and that
    resolved. Where it is contended these are the bills that were assessed last, else others that were there before.

    How long a command took counts from when it was due, so that one that is slow costs what those behind it wait too.
    """
    ledger = _open(options)
    ledger.log = log = CountedLog(ledger.database)
    others = _assessed(ledger, 0, BILLS_OF_OTHERS)
    head = _head(ledger)
    settle_memory()
    ready()
    while not _assessed(ledger, head, 1) and not stopped():
        time.sleep(0.01)
    rng = random.Random(1)
    outcomes = Counter(answered=0, refused=0, given_up=0)
    took_ms: list[float] = []
    began = due = time.monotonic()
    while not stopped():
        recent = _assessed(ledger, head, BILLS_RECENT)
        for bill in rng.sample(recent if options["contended"] else others, min(BILLS_AT_ONCE, len(recent))):
            for command in _dispute(str(len(took_ms))):
                time.sleep(max(0.0, due - time.monotonic()))
                outcome = _outcome(ledger, bill, command)
                took_ms.append((time.monotonic() - due) * 1000)
                due += 1 / COMMANDS_PER_S
                outcomes[outcome] += 1
                if outcome != "answered":
                    break
    took_s = time.monotonic() - began
    ledger.close()
    return {**outcomes, "conflicts": log.conflicts, "took_s": took_s, "took_ms": took_ms}


def _assessed(ledger: Ledger, after: int, count: int) -> list[StreamId]:
    with ledger.database.session() as cursor:
        return list(dict.fromkeys(StreamId(row["bill_id"]) for row in cursor.execute(ASSESSED, [after, count])))


def _head(ledger: Ledger) -> int:
    with ledger.database.session() as cursor:
        row = cursor.execute("SELECT position FROM head").fetchone()
    assert row is not None
    return int(row["position"])


def _dispute(number: str) -> tuple[account.Command, account.Command]:
    day, reason, resolution = date(2026, 3, 31), account.DisputeReason.WRONG_AMOUNT, account.Resolution.AGAINST_MEMBER
    return (
        account.Dispute(number, Money(1), reason, day, "member"),
        account.Resolve(number, resolution, day, "clerk"),
    )


def _outcome(ledger: Ledger, bill: StreamId, command: account.Command) -> str:
    try:
        answer = ledger.execute(of_bill(ledger.ids, str(uuid4()), bill, command))
    except VersionConflict:
        return "given_up"
    return "refused" if isinstance(answer, StrEnum) else "answered"


def project(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    ledger = _open(options)
    runner = ledger.runner
    settle_memory()
    ready()
    runner.run(stopped)
    ledger.close()
    return {}


def rebuild(options: dict[str, str], _stopped: Stopped, ready: Callable[[], None]) -> Figures:
    """By projection: how many events it read, how long that took, and this process's CPU time."""
    ledger = _open(options)
    settle_memory()
    ready()
    figures: Figures = {}
    for projection in PROJECTIONS:
        began, cpu_began = time.monotonic(), time.process_time()
        events = ledger.rebuild(projection.NAME).events
        took_s, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
        figures[projection.NAME] = {"events": events, "took_s": took_s, "cpu_s": cpu_s}
    ledger.close()
    return figures


def _open(options: dict[str, str]) -> Ledger:
    logs.configure("info")
    return open_ledger(Settings(dsn=options["dsn"], keys=Path(options["keys"])))


if __name__ == "__main__":
    serve({"consume": consume, "write": write, "project": project, "rebuild": rebuild})
