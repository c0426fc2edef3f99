"""A consumer in a process of its own, that kills or stops itself at a named point of its n-th batch.

Its ledger comes from the environment, as for every other process. On SIGTERM it ends as a consumer should, and prints
the most memory that it ever held, in bytes. Its log stands on stderr, with all that any library says at any level that
the ledger lets through.
"""

import argparse
import json
import logging
import os
import resource
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kafka import TopicPartition
from psycopg import Cursor
from psycopg.rows import DictRow

from adapters.kafka.source import KafkaSource
from adapters.logs import configure
from adapters.postgres.event_log import PostgresEventLog
from adapters.settings import Settings
from application.mapper import StoredEvent
from application.ports import Format
from composition import open_ledger

POINTS = ("after_poll", "before_commit", "after_commit", "after_offset_commit")


class Fault:
    """Sends this process a signal when it passes a point for the n-th time with something in its hands."""

    def __init__(self, point: str, number: int, signal_number: int) -> None:
        self.point = point
        self._left = number
        self._signal = signal_number

    def passing(self, point: str) -> None:
        if point == self.point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._signal)


class FaultySource(KafkaSource):
    def __init__(self, fault: Fault, bootstrap: str, topics: Sequence[str], group: str, **settings: Any) -> None:
        super().__init__(bootstrap, topics, group, **settings)
        self._fault = fault

    def poll(self, timeout_s: float) -> Any:
        records = super().poll(timeout_s)
        if records:
            self._fault.passing("after_poll")
        return records

    def commit(self, offsets: Any) -> None:
        self._fault.passing("after_commit")
        super().commit(offsets)
        if self._fault.point == "after_offset_commit":  # otherwise nobody waits for the broker's answer
            while any(self._consumer.committed(TopicPartition(*where)) != at for where, at in offsets.items()):
                time.sleep(0.01)
            self._fault.passing("after_offset_commit")


class FaultyLog(PostgresEventLog):
    fault: Fault

    def _append(self, cursor: Cursor[DictRow], events: list[StoredEvent]) -> int:
        position = super()._append(cursor, events)
        self.fault.passing("before_commit")
        return position


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("topic")
    parser.add_argument("group")
    parser.add_argument("--format", type=Format, default=Format.X12_835)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--point", choices=POINTS, default="")
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--signal", type=int, default=signal.SIGKILL)
    told = parser.parse_args()

    logging.basicConfig(level=logging.DEBUG)
    configure("debug")
    fault = Fault(told.point, told.number, told.signal)
    ledger = open_ledger(Settings())
    FaultyLog.fault = fault
    ledger.log = FaultyLog(ledger.database)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    with (
        closing(ledger),
        closing(FaultySource(fault, told.bootstrap, [told.topic], told.group, **told.settings)) as source,
    ):
        ledger.consumer(source, formats={told.topic: told.format}).run(lambda: bool(stopped))
    print(memory_bytes_max())


def memory_bytes_max() -> int:
    """The high-water mark of this program alone: getrusage begins with that of the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
