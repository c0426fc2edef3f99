"""Processes that are measured: each runs one role of ours or of what we compare with.

A worker prints `ready` when it has all it needs, works until its stdin is closed (so it can't outlive us, however we
end), and then prints one JSON object of figures.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from adapters import logs
from adapters.kafka.source import KafkaSource
from adapters.settings import Settings
from application.ports import Format
from composition import PROJECTIONS, Ledger, open_ledger, settle_memory
from consumers.loop import Record

Figures = dict[str, Any]
Stopped = Callable[[], bool]
STOP_TIMEOUT_S = 20


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
        if self._process.poll() is not None:
            raise WorkerFailed(self._errors.read_text(errors="replace")[-4000:])

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


def consume(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    ledger = _open(options)
    ledger.accounts = bool(options["accounts"])
    formats = {topic: Format(name) for topic, name in json.loads(options["formats"]).items()}
    source = TimedSource(options["bootstrap"], list(formats), options["group"])
    consumer = ledger.consumer(source, formats=formats)
    settle_memory()
    source.join(int(options["partitions"]), stopped)
    ready()
    consumer.run(stopped)
    source.close()
    ledger.close()
    return {"began": source.began}


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
    serve({"consume": consume, "project": project, "rebuild": rebuild})
