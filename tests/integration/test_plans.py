"""Plans over a real ledger: from the bytes of messages to rows and to what the tool shows."""

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.plans import designs_on
from composition import Ledger
from domain.plan import PlanPublished
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.notices import encoded
from tests.unit.plans import plan

DAY = date(2026, 3, 31)
REVISED = plan(revision=2, name="Silver 2000 plus")
NEXT = plan(effective_from="2027-01-01", effective_to="2027-12-31", name="Silver 2500")


def names(ledger: Ledger, day: date = DAY, known_at: int | None = None) -> list[str]:
    return [row["design"].name for row in designs_on(ledger, day, known_at=known_at)]


@pytest.mark.parametrize("order", list(itertools.permutations([plan(), REVISED, NEXT])))
def test_the_design_of_a_day_is_found_in_whatever_order_they_come(ledger: Ledger, order: tuple[Any, ...]) -> None:
    assert [outcome.events for outcome in take(ledger, *order)] == [1, 1, 1]
    assert names(ledger) == ["Silver 2000 plus"]
    assert names(ledger, date(2027, 1, 1)) == ["Silver 2500"]
    assert names(ledger, date(2025, 12, 31)) == []


def test_what_was_known_at_a_position_is_what_was_recorded_by_then(ledger: Ledger) -> None:
    take(ledger, plan())
    take(ledger, REVISED)
    first, second = (row["position"] for row in rows(ledger.database, "SELECT position FROM plans ORDER BY 1"))
    assert (names(ledger, DAY, first), names(ledger, DAY, second)) == (["Silver 2000"], ["Silver 2000 plus"])
    assert names(ledger, DAY, first - 1) == []


def test_the_row_has_the_design_whole(ledger: Ledger) -> None:
    take(ledger, plan())
    [row] = rows(ledger.database, "SELECT * FROM plans")
    assert (float(row["individual_premium"]), str(row["open_enrolment_to"])) == (450, "2026-01-15")
    assert row["design"]["benefits"][0]["deductible"] == {"individual_cents": 200_000, "family_cents": 400_000}
    [found] = designs_on(ledger, DAY)
    [event] = [ledger.mapper.load(recorded.stored) for recorded in ledger.log.history(
        ledger.ids.stream("plan", "1078830634", "TGV-SILVER"))]  # fmt: skip
    assert isinstance(event, PlanPublished)
    assert found["design"] == event.design


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    take(ledger, plan())
    [again, otherwise] = take(ledger, dict(reversed(plan().items())), plan(name="Gold"))
    assert (again.events, again.duplicates) == (0, 1)
    assert reasons([otherwise]) == ["plan.conflict"]
    assert names(ledger) == ["Silver 2000"]


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [plan(zone="America/Atlantis"), plan() | {"schema": 2}, plan(name="4111111111111111")]
    assert reasons(take(ledger, *bad)) == ["json.wrong_schema", "json.unknown_version", "plan.account_number"]
    assert value(ledger.database, "SELECT count(*) FROM plans") == 0


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_designs_are_shown(run: Run) -> None:
    run("init")
    written = b"\n".join(map(encoded, (plan(), REVISED, plan("TGV-GOLD", name="Gold") | {"payer_id": "1078810412"})))
    (answer,) = lines(run("ingest", "-", "--json", stdin=written))
    assert (answer["format"], answer["events"]) == ("json-plan-lines", 3)
    run("project", "--once")
    found = lines(run("plans", "--as-of", "2026-03-31", "--json"))
    assert [(each["plan_id"], each["design"]["name"]) for each in found] == [
        ("TGV-GOLD", "Gold"),
        ("TGV-SILVER", "Silver 2000 plus"),
    ]
    assert len(lines(run("plans", "--as-of", "2026-03-31", "--payer", "1078810412", "--json"))) == 1
    shown = run("plans", "--as-of", "2026-03-31").stdout.decode()
    for words in ("TGV-SILVER", "450.00", "2,000.00", "2025-11-01 to 2026-01-15"):
        assert words in shown
    assert "No plans" in run("plans", "--known-at", "0").stdout.decode()
