"""The processes that the nemesis torments: a consumer and a projector, as their commands run them.

They are forked from a server that has imported everything already, so that a restart costs milliseconds. Like the
commands they end with 3 where a dependency is down at their start; whoever runs them starts them again.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from adapters import logs
from adapters.cli.__main__ import DEPENDENCY_DOWN, run
from adapters.cli.commands import app
from adapters.settings import Settings
from application.ports import Format
from composition import open_ledger
from tests.consumer_process import Fault, FaultyLog, FaultySource


class Options(NamedTuple):
    """What both need to know."""

    dsn: str
    keys: Path
    data: Path
    bootstrap: str
    formats: dict[str, Format]
    """Topics, and what their messages are"""
    group: str
    client: dict[str, Any]


def consume(options: Options, log: Path, point: str, number: int, signal_number: int) -> None:
    """Until SIGTERM, or until it sends itself the signal on passing the point for the n-th time."""
    _say_into(log)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    logs.configure("info")
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("kafka").setLevel(logging.INFO)  # what it tried, where a seed does not end

    def command() -> None:
        ledger = open_ledger(Settings(dsn=options.dsn, keys=options.keys, data=options.data))
        FaultyLog.fault = fault = Fault(point, number, signal_number)
        ledger.log = FaultyLog(ledger.database)
        source = FaultySource(fault, options.bootstrap, list(options.formats), options.group, **options.client)
        with closing(ledger), closing(source):
            ledger.consumer(source, formats=options.formats).run(stopped.is_set)

    _exit(command)


def project(options: Options, log: Path) -> None:
    """`scripts/ledger project`."""
    _say_into(log)
    os.environ |= {"LEDGER_DSN": options.dsn, "LEDGER_KEYS": str(options.keys), "LEDGER_DATA": str(options.data)}
    _exit(lambda: app(["project"], prog_name="scripts/ledger", standalone_mode=False))


def _say_into(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)


def _exit(command: Callable[[], None]) -> None:
    status = run(command)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a client's thread may wait for a broker that is gone


EXPECTED_EXITS = (0, DEPENDENCY_DOWN, -signal.SIGKILL, -signal.SIGTERM)
"""The last where it comes before anybody listens for it"""
