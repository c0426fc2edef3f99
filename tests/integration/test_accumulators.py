"""What payers state of limits, from the bytes of a message to the answer of the tool."""

import json
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.settings import Settings
from composition import Ledger
from domain.accumulators import Accumulated
from domain.adjudication import AccumulatorKind, Network
from projections.account_queries import ACCUMULATORS, accumulators_of
from tests.given import rows, value
from tests.integration.taking import take
from tests.unit.notices import adjudicated, line

MEMBER = "TGV100000001"
DEDUCTIBLE, _ = AccumulatorKind


def decided(number: str, deductible: int, used: int | None, *, name: str = "ADA", **said: Any) -> dict[str, Any]:
    """A claim of 100 dollars, of which a deductible is left to the patient, and what of each limit is used with it."""
    reasons = [
        {"group": "PR", "carc": "1", "cents": deductible},
        {"group": "CO", "carc": "45", "cents": 10_000 - deductible},
    ]
    limits = [
        {"kind": "deductible", "network": "in", "level": level, "used_cents": used, "limit_cents": limit}
        for level, limit in (("individual", 3_000), ("family", 6_000))
        if used is not None
    ]
    about = {"network": "in", "plan_id": "SILVER", "plan_year_from": "2025-07-01"}
    notice = adjudicated(line(10_000, 0, adjustments=reasons), **about, accumulators=limits, **said)
    return notice | {
        "patient": {"member_id": MEMBER, "given_name": name, "family_name": "ABERNOLT"},
        "numbers": {"patient_control_number": f"PT{number}", "payer_claim_number": number},
    }


def family(ledger: Ledger, **asked: Any) -> Accumulated | None:
    """The family's deductible."""
    with ledger.database.session() as cursor:
        said = cursor.execute(ACCUMULATORS, {"member": MEMBER, "as_of": None, "known_at": None} | asked).fetchall()
    found = [each for each in accumulators_of(said) if each.person is None and each.kind is DEDUCTIBLE]
    assert len(found) <= 1
    return found[0] if found else None


def test_what_the_payer_states_stands_beside_what_is_derived(ledger: Ledger) -> None:
    outcomes = take(ledger, decided("1", 1_500, 1_500), decided("2", 700, 2_100))
    assert not any(outcome.parked for outcome in outcomes)
    found = family(ledger)
    assert found is not None
    assert found.plan == ("1078830634", "SILVER", date(2025, 7, 1))
    assert (found.network, found.used_cents, found.stated_cents, found.stated_on) == (
        Network.IN,
        2_200,
        2_100,
        date(2026, 3, 2),
    )
    assert (found.difference_cents, found.limit_cents, found.left_cents) == (100, 6_000, 3_800)
    told = rows(ledger.database, "SELECT * FROM accumulators WHERE level = 'family' ORDER BY position")
    assert [(float(row["used"]), float(row["limit"]), row["kind"], row["design"]) for row in told] == [
        (15, 60, "deductible", None),
        (21, 60, "deductible", None),
    ]
    assert value(ledger.database, "SELECT count(DISTINCT (network, plan_id, plan_year_from)) FROM coverages") == 1


def test_a_message_that_states_the_same_limit_twice_is_parked(ledger: Ledger) -> None:
    notice = decided("1", 1_500, 1_500)
    notice["said"]["accumulators"] *= 2
    [outcome] = take(ledger, notice)
    [parked] = outcome.parked
    assert (parked.park.reason, parked.park.detail) == (
        "json.wrong_schema",
        "$.said.accumulators[2]: stated before",
    )
    assert value(ledger.database, "SELECT count(*) FROM coverages") == 0


def test_a_decision_that_comes_again_with_another_statement_is_a_conflict(ledger: Ledger) -> None:
    again = take(ledger, decided("1", 1_500, 1_500), decided("1", 1_500, 1_500), decided("1", 1_500, 1_600))
    assert [[part.park.reason for part in outcome.parked] for outcome in again] == [[], [], ["claim.conflict"]]


def test_as_of_a_day_only_what_the_payer_had_said_by_then_counts_whenever_it_came(ledger: Ledger) -> None:
    """The correction comes before what it corrects; it was made on a later day all the same."""
    correction, first = decided("1", 700, 700, on="2026-03-09"), decided("1", 1_500, 1_500)
    take(ledger, correction)
    only = value(ledger.database, "SELECT max(position) FROM claim_history")
    take(ledger, first)

    def told(**asked: Any) -> tuple[int | None, ...]:
        found = family(ledger, **asked)
        return () if found is None else (found.used_cents, found.stated_cents)

    assert told() == told(as_of=date(2026, 3, 9)) == (700, 700)
    assert told(as_of=date(2026, 3, 8)) == (1_500, 1_500)
    assert told(as_of=date(2026, 3, 8), known_at=only) == told(as_of=date(2026, 3, 1)) == ()
    assert told(known_at=only) == (700, 700)


def test_the_table_of_statements_is_the_same_when_it_is_made_anew(ledger: Ledger) -> None:
    take(ledger, decided("1", 1_500, 1_500), decided("2", 700, None))
    rebuilt = ledger.rebuild("accumulators")
    assert (rebuilt.rows, rebuilt.only_in_old, rebuilt.only_in_new) == (2, 0, 0)


@pytest.fixture
def tool(ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line over the same ledger."""
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)  # logs go on to where this process has them
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys_folder))
    return CliRunner()


def test_the_tool_shows_each_limit_of_each_person_and_the_family(ledger: Ledger, tool: CliRunner) -> None:
    take(ledger, decided("1", 3_100, 3_000), decided("2", 700, None, name="BENITO"))
    answer = tool.invoke(app, ["accumulators", MEMBER, "--json"])
    told = [json.loads(row) for row in answer.stdout.splitlines()]
    assert [(row["patient"], row["level"], row["kind"]) for row in told] == [
        (who, level, kind)
        for who, level in (("ADA ABERNOLT", "individual"), ("BENITO ABERNOLT", "individual"), (None, "family"))
        for kind in ("deductible", "out_of_pocket")
    ]
    assert {name: told[0][name] for name in told[0] if name not in ("person_id", "payer", "payer_id")} == {
        "plan_year_from": "2025-07-01",
        "plan_id": "SILVER",
        "network": "in",
        "level": "individual",
        "patient": "ADA ABERNOLT",
        "kind": "deductible",
        "used": 31.00,
        "stated": 30.00,
        "stated_on": "2026-03-02",
        "difference": 1.00,
        "limit": 30.00,
        "design": None,
        "left": -1.00,
        "met": True,
        "exceeded": True,
    }
    assert [row["left"] for row in told] == [-1.00, None, 22.00, None, 22.00, None]
    shown = tool.invoke(app, ["accumulators", MEMBER]).stdout
    for text in ("from 2025-07-01", "SILVER", "exceeded", "family", "out of pocket"):
        assert text in shown
    for nothing in (["NOBODY"], [MEMBER, "--as-of", "2026-03-01"], [MEMBER, "--known-at", "0"]):
        assert "Nothing counts yet" in tool.invoke(app, ["accumulators", *nothing]).stdout
