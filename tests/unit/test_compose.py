"""docker-compose.yml, as far as it can be checked without Docker."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from adapters.postgres.embedded import SERVER
from benchmarks.place import SHARED_BUFFERS

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
KAFKA_POM = Path(__file__).parents[1] / "kafka-pom.xml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load(COMPOSE.read_text())
    return dict(compose["services"])


def test_the_file_follows_the_compose_specification() -> None:
    result = CliRunner().invoke(check_jsonschema, ["--builtin-schema", "vendor.compose-spec", str(COMPOSE)])
    assert result.exit_code == 0, result.output


def test_the_services_are_the_database_the_broker_and_the_ledgers_processes(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "kafka", "init", "consumer", "projector"}


def test_no_password_is_written_down(services: dict[str, Any]) -> None:
    passwords = [
        value for service in services.values() for name, value in service["environment"].items() if "PASSWORD" in name
    ]
    assert passwords
    assert all(password.startswith("${POSTGRES_PASSWORD:?") for password in passwords)


def test_the_database_has_the_settings_of_the_benchmarks(services: dict[str, Any]) -> None:
    program, *options = services["postgres"]["command"]
    assert (program, options[::2]) == ("postgres", ["-c"] * 3)
    assert dict(option.split("=") for option in options[1::2]) == SERVER | {"shared_buffers": SHARED_BUFFERS}


def test_the_broker_is_the_one_that_the_tests_run_with(services: dict[str, Any]) -> None:
    version = services["kafka"]["image"].removeprefix("apache/kafka:")
    assert f"<version>{version}</version>" in KAFKA_POM.read_text()


@pytest.mark.parametrize("process", ["consumer", "projector"])
def test_a_process_starts_when_the_schema_is_there(services: dict[str, Any], process: str) -> None:
    assert services[process]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert services["init"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "kafka": {"condition": "service_healthy"},
    }
