from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import KafkaAdminClient
from psycopg import connect

from adapters.postgres.embedded import embedded_dsn
from adapters.settings import Settings
from composition import Ledger, initialise
from tests.broker import Broker, running_broker


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test needs follows from the fixtures it asks for, so that nobody has to mark it as well."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        for fixture, marker in (("broker", "kafka"), ("database", "postgres")):
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
def server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The connection string of an embedded PostgreSQL server, which stops with this process."""
    return embedded_dsn(tmp_path_factory.mktemp("postgres") / "data")


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The connection string of a new, empty database."""
    name = f"test_{uuid4().hex}"
    with connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield server.replace("/postgres?", f"/{name}?")
    with connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


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
