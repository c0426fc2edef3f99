"""The provider directory over a real ledger: from the bytes of messages to rows and to what the tool shows."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.directory import networks_of
from composition import Ledger
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.notices import encoded
from tests.unit.providers import NPI, SILVER, provider

DAY = date(2026, 3, 31)
GOLD = SILVER | {"plan_id": "TGV-GOLD", "tier": "2"}


def told(ledger: Ledger, known_at: int | None = None) -> list[tuple[Any, ...]]:
    found = networks_of(ledger, NPI, DAY, None, None, known_at)
    return [(row["plan_id"], row["in_network"], row["tier"], row["why"]) for row in found]


def test_the_highest_revision_holds_and_the_others_stay_on_record(ledger: Ledger) -> None:
    take(ledger, provider(GOLD, revision=2))
    first = value(ledger.database, "SELECT max(position) FROM directory")
    take(ledger, provider())
    assert told(ledger) == [("TGV-GOLD", True, "2", "listed"), ("TGV-SILVER", False, "", "not_listed")]
    assert told(ledger, first) == [("TGV-GOLD", True, "2", "listed")]
    assert told(ledger, first - 1) == []
    [row] = rows(ledger.database, "SELECT * FROM provider_networks")
    assert (row["plan_id"], row["tier"], row["name"]) == ("TGV-GOLD", "2", "Lakeside Clinic")
    assert value(ledger.database, "SELECT count(*) FROM directory") == 2


def test_each_payers_plans_are_its_own(ledger: Ledger) -> None:
    take(ledger, provider(SILVER, GOLD | {"payer_id": "1999999999"}))

    def asked(payer: str | None = None, plan: str | None = None) -> list[tuple[str, str, str]]:
        found = networks_of(ledger, NPI, DAY, payer, plan, None)
        return [(row["payer_id"], row["plan_id"], row["why"]) for row in found]

    ours, theirs = ("1078830634", "TGV-SILVER", "listed"), ("1999999999", "TGV-GOLD", "listed")
    assert asked() == [ours, theirs]
    assert (asked(plan="TGV-SILVER"), asked(payer="1999999999")) == ([ours], [theirs])
    assert asked("1999999999", "TGV-SILVER") == [("1999999999", "TGV-SILVER", "not_listed")]
    assert [why for _, _, why in asked(plan="TGV-BRONZE")] == ["not_listed"] * 2


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    take(ledger, provider())
    [again, otherwise] = take(ledger, dict(reversed(provider().items())), provider(GOLD))
    assert (again.events, again.duplicates, reasons([otherwise])) == (0, 1, ["provider.conflict"])


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [provider(provider_id="1234567890"), provider() | {"schema": 2}, provider(name="4111111111111111")]
    assert reasons(take(ledger, *bad)) == ["json.wrong_schema", "json.unknown_version", "provider.account_number"]
    assert value(ledger.database, "SELECT count(*) FROM directory") == 0


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_the_tool_says_whether_a_provider_is_in_network_and_why(run: Run) -> None:
    run("init")
    (answer,) = lines(run("ingest", "-", "--json", stdin=encoded(provider(SILVER, GOLD | {"until": None}))))
    assert (answer["format"], answer["events"]) == ("json-provider", 1)
    run("project", "--once")
    found = lines(run("in-network", NPI, "--on", "2026-07-01", "--json"))
    assert [(row["plan_id"], row["in_network"], row["why"]) for row in found] == [
        ("TGV-GOLD", True, "listed"),
        ("TGV-SILVER", False, "ended"),
    ]
    asked = ("in-network", NPI, "--payer", "1078830634", "--plan", "TGV-BRONZE", "--json")
    assert [row["why"] for row in lines(run(*asked))] == ["not_listed"]
    shown = run("in-network", NPI, "--on", "2026-07-01").stdout.decode()
    for words in ("in network", "ended", "Lakeside Clinic", "2026-06-30"):
        assert words in shown
    assert "No directory" in run("in-network", "1111111112").stdout.decode()
    unknown = ("in-network", "1111111112", "--payer", "1078830634", "--plan", "TGV-SILVER", "--on", "2026-07-01")
    assert [(row["in_network"], row["why"]) for row in lines(run(*unknown, "--json"))] == [(None, "unknown")]
    shown = run(*unknown).stdout.decode()
    assert "not known" in shown
    assert "not in network" not in shown
    assert "No directory lists this provider, as of 2026-07-01." in shown
    assert run("in-network", "1111111111").returncode == 2
