"""A Kafka broker for tests and measurements, from wherever this machine can get one.

In this order: the one that KAFKA_BOOTSTRAP_SERVERS names; the `kafka` service of docker-compose.yml; Apache
Kafka itself, fetched by Maven and run with Java. `python -m tests.broker` runs one until Ctrl-C and prints
its address; with `--check` it only sees to it that there is one to be had.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Protocol

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_FILE = ROOT / "docker-compose.yml"
POM = Path(__file__).with_name("kafka-pom.xml")
START_TIMEOUT_S = 60
FOREIGN_TIMEOUT_S = 10
LOG_TAIL_CHARS = 2000
MESSAGE_BYTES_MAX = 20 * 1024 * 1024


class NoBroker(Exception):
    """No Kafka broker can be had here."""


class Broker(Protocol):
    """A broker of one node. `stop` and `start` are for tests of an outage: its data and its address stay."""

    bootstrap: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class ForeignBroker:
    """Somebody else's broker: used as it is, never stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def start(self) -> None:
        wait_until_answering(self.bootstrap, timeout_s=FOREIGN_TIMEOUT_S)

    def stop(self) -> None:
        raise NoBroker("a broker from KAFKA_BOOTSTRAP_SERVERS is not ours to stop")

    def close(self) -> None:
        pass


class ComposeBroker:
    """The `kafka` service of docker-compose.yml, in a project of its own beside any stack that is up."""

    def __init__(self) -> None:
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.project = f"member-ledger-test-{self.port}"

    def start(self) -> None:
        self._compose("up", "--detach", "--wait", "kafka")
        wait_until_answering(self.bootstrap)

    def stop(self) -> None:
        self._compose("stop", "kafka")

    def close(self) -> None:
        self._compose("down", "--volumes")

    def _compose(self, *command: str) -> None:
        # The file refuses to be read without a database password, though this service needs none.
        settings = {"KAFKA_PORT": str(self.port), "POSTGRES_PASSWORD": "unused"}
        compose = ["docker", "compose", "--project-name", self.project, "--file", str(COMPOSE_FILE)]
        run = subprocess.run(
            [*compose, *command], env=os.environ | settings, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise NoBroker(f"docker compose {command[0]} failed:\n{run.stderr}")


class JavaBroker:
    """Apache Kafka as a child process: broker and controller in one, its data in a temporary folder."""

    # The broker must not outlive us, however we end. Its shell leaves a watcher behind that reads from a pipe
    # which we hold: a line on it means that we have seen to everything, its end means that we are gone.
    WATCHED = 'exec 3<&0; { read -r _ <&3 || { kill -9 $$; rm -rf "$0"; }; } & exec 3<&- "$@" </dev/null'

    def __init__(self, jars: Path, *options: str, properties: str = "") -> None:
        """`options` are for Java, `properties` for the broker."""
        self.folder = Path(tempfile.mkdtemp(prefix="member-ledger-kafka-"))
        self.log = self.folder / "broker.log"
        self.java = ["java", "-Xmx512m", *options, "-Dlog4j2.level=WARN", "-cp", f"{jars}/*"]
        self.process: subprocess.Popen[bytes] | None = None
        port, controller_port = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        self.properties = self.folder / "server.properties"
        self.properties.write_text(
            f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
log.dirs={self.folder}/data
auto.create.topics.enable=false
delete.topic.enable=true
message.max.bytes={MESSAGE_BYTES_MAX}

# One node is all there is, and it should be ready at once.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0

# The default of 128 MB would be a quarter of the heap.
log.cleaner.dedupe.buffer.size=8388608
{properties}
"""
        )

    def start(self) -> None:
        if self.process is None:
            self._format()
        watched = ["/bin/sh", "-c", self.WATCHED, str(self.folder)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*watched, *self.java, "kafka.Kafka", str(self.properties)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us: what we test still needs its broker while it winds down.
                start_new_session=True,
            )
        try:
            wait_until_answering(self.bootstrap, self.process)
        except NoBroker as error:
            raise NoBroker(f"{error}; {self._log_tail()}") from None

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
            self._dismiss_watcher()
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As a crash does it. Its data and its address stay."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._dismiss_watcher()

    def _dismiss_watcher(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(BrokenPipeError), self.process.stdin as watcher:
            watcher.write(b"\n")

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", str(uuid.uuid4()), "-c", str(self.properties)]
        with self.log.open("ab") as log:
            if subprocess.run([*self.java, *tool], stdout=log, stderr=log, check=False).returncode:
                raise NoBroker(f"Kafka's storage can't be formatted; {self._log_tail()}")

    def _log_tail(self) -> str:
        return f"its log ends with:\n{self.log.read_text()[-LOG_TAIL_CHARS:]}"


def find_broker() -> Broker:
    """The broker to use, not yet started. NoBroker where there is none; its message says how to get one."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return ForeignBroker(bootstrap)
    if succeeds("docker", "compose", "version") and succeeds("docker", "info"):
        return ComposeBroker()
    if java_version() >= 17 and (jars := fetch_jars()):
        return JavaBroker(jars)
    raise NoBroker(
        "no Kafka broker: set KAFKA_BOOTSTRAP_SERVERS=host:port, or start Docker (with compose), "
        "or install Java 17 and Maven; or run without it: scripts/test --no-kafka"
    )


@contextmanager
def running_broker() -> Iterator[Broker]:
    broker = find_broker()
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


def wait_until_answering(
    bootstrap: str, process: subprocess.Popen[bytes] | None = None, timeout_s: float = START_TIMEOUT_S
) -> None:
    """Returns when there is a broker that takes requests; NoBroker if that takes too long."""
    deadline = time.monotonic() + timeout_s
    host, port = bootstrap.split(",")[0].rsplit(":", 1)
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        # A bare connection first: the client logs each refusal as an error.
        with suppress(OSError, KafkaError):
            socket.create_connection((host, int(port)), timeout=1).close()
            admin = KafkaAdminClient(bootstrap_servers=bootstrap)
            try:
                if admin.describe_cluster()["brokers"]:
                    return
            finally:
                admin.close()
        time.sleep(0.1)
    raise NoBroker(f"the Kafka broker at {bootstrap} does not answer")


def fetch_jars() -> Path | None:
    """The folder with Kafka's jars, fetched once for each version of the POM; None where Maven fails."""
    jars = ROOT / ".cache" / "kafka" / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if jars.is_dir():
        return jars
    if shutil.which("mvn") is None:
        return None
    jars.parent.mkdir(parents=True, exist_ok=True)
    print("Fetching Apache Kafka into .cache/kafka (first time only) ...", file=sys.stderr)
    # Under its final name only when complete, so that an interruption leaves nothing half-made behind.
    with tempfile.TemporaryDirectory(dir=jars.parent) as parts:
        copied = Path(parts) / "jars"
        maven = ["mvn", "-B", "-q", "-Dstyle.color=never", "-f", str(POM)]
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={copied}"]
        run = subprocess.run([*maven, *copy], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode:
            print(run.stdout.decode(errors="replace"), file=sys.stderr)
            return None
        with suppress(OSError):  # another process was faster
            copied.rename(jars)
    return jars


def java_version() -> int:
    """The major version of the Java on PATH; 0 where there is none."""
    try:
        output = subprocess.run(["java", "--version"], capture_output=True, text=True, check=True).stdout
        return int(output.split()[1].split(".")[0])
    except (OSError, subprocess.CalledProcessError, IndexError, ValueError):
        return 0


def succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def free_port() -> int:
    """None of those that the system gives to the clients' ends of connections (on Linux from 32768 on): while a server
    is down, its clients could be given its port, even to connect with themselves, and it could not come back."""
    while True:
        port = random.randrange(20_000, 32_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def main() -> None:
    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        if "--check" in sys.argv:
            broker = find_broker()
            if isinstance(broker, ForeignBroker):
                broker.start()
            broker.close()
            return
        with running_broker() as broker:
            print(broker.bootstrap, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        pass
    except NoBroker as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
