"""`history`, `claim` and `replay` as a user meets them, and the table behind them."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.claims import find
from adapters.cli.commands import app
from adapters.cli.story import story
from adapters.filters import NotAFilter
from adapters.settings import Settings
from application.ports import Message
from composition import Ledger
from samples import generator
from samples.make import build
from tests.given import ADA, PAYER, damaged, message, paid, rows, value

SERVED = date(2026, 2, 2)


@pytest.fixture
def run(ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line over the test's ledger, in this process; its answer as JSON lines."""
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)  # logs go on to where this process has them
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))

    def run(*arguments: str, ok: bool = True) -> list[dict[str, Any]]:
        answer = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
        assert (answer.exit_code == 0) == ok, answer.output
        return [json.loads(line) for line in answer.stdout.splitlines()] if ok else []

    return run


def pays(ledger: Ledger, number: int, paid_on: date, *claims: generator.Claim) -> None:
    trace = f"NHPT{number:09d}"
    made = generator.Remittance(PAYER, generator.PAYEES[0], trace, paid_on, paid_on - timedelta(days=2), claims)
    ledger.intake.handle([message(made, control=number, source=f"topic/0@{number}")])
    ledger.runner.catch_up()


def served(claim: generator.Claim, on: date | None) -> generator.Claim:
    return replace(claim, lines=tuple(replace(line, service_date=on) for line in claim.lines))


def numbers(found: list[dict[str, Any]]) -> list[str]:
    return [str(row["charge"]) for row in found]


# --- the window

AS_OF = "2024-02-29"
DAYS = {
    "the day before the window": (date(2021, 2, 27), False),
    "its first day, the month's last": (date(2021, 2, 28), True),
    "its last day": (date(2024, 2, 29), True),
    "the day behind it": (date(2024, 3, 1), False),
    "undated": (None, True),
}


@pytest.mark.parametrize(("day", "is_in"), DAYS.values(), ids=DAYS)
def test_history_shows_thirty_six_months_and_what_is_undated(
    ledger: Ledger, run: Any, day: date | None, is_in: bool
) -> None:
    pays(ledger, 1, date(2024, 6, 3), served(paid("A"), day))
    assert len(run("history", ADA.member_id, "--as-of", AS_OF)) == is_in
    [row] = run("history", ADA.member_id, "--as-of", AS_OF, "--all")
    assert row["service_from"] == (day.isoformat() if day else None)


def test_today_is_a_day_of_the_plans_zone(ledger: Ledger, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, is_in in (("Pacific/Kiritimati", True), ("Pacific/Midway", False)):  # 25 hours apart
        monkeypatch.setenv("LEDGER_ZONE", zone)
        tomorrow_west = (datetime.now(UTC) - timedelta(hours=11)).date() + timedelta(days=1)
        pays(ledger, 1, date(2026, 3, 2), served(paid("A"), tomorrow_west))
        assert len(run("history", ADA.member_id)) == is_in


def test_a_zone_that_does_not_exist_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_ZONE", "Mars/Olympus")
    with pytest.raises(ValueError, match="zone"):
        run("history", ADA.member_id)


def test_a_corrections_own_day_counts_where_it_has_one(ledger: Ledger, run: Any) -> None:
    original = served(paid("A"), date(2021, 1, 1))
    pays(ledger, 1, date(2021, 2, 1), original)
    taken_back, other = generator.reversal(original), paid("B", cents=9_000)
    pays(ledger, 2, date(2021, 3, 1), taken_back, served(paid("A", cents=7_000), date(2021, 3, 1)), other, other)
    assert len(run("history", ADA.member_id, "--as-of", "2024-03-01", "--to", "2022-01-01")) == 1
    pays(ledger, 3, date(2021, 4, 1), served(paid("A", cents=6_000), None), other)
    [row] = run("history", ADA.member_id, "--as-of", "2024-03-01", "--to", "2022-01-01")
    assert (row["service_from"], row["paid"]) == ("2021-03-01", 60.00)


# --- what was known


def test_a_history_as_known_at_a_position_knows_nothing_later(ledger: Ledger, run: Any) -> None:
    original = paid("A")
    pays(ledger, 1, date(2026, 3, 2), original)
    before = value(ledger.database, "SELECT position FROM head")
    pays(ledger, 2, date(2026, 3, 9), generator.reversal(original), paid("B"), paid("C"))
    assert [(row["status"], row["paid"]) for row in run("history", ADA.member_id, "--as-of", "2026-12-31")] != []
    [row] = run("history", ADA.member_id, "--as-of", "2026-12-31", "--known-at", str(before))
    assert (row["status"], row["paid"], row["events"]) == ("paid", 80.00, 1)
    assert run("history", ADA.member_id, "--as-of", "2026-12-31", "--known-at", "1") == []
    claim = row["claim_id"]
    [now], [then] = run("claim", claim), run("claim", claim, "--known-at", str(before))
    assert (now["status"], len(now["events"]), then["status"], len(then["events"])) == ("reversed", 2, "paid", 1)
    assert len(run("replay", claim, "--known-at", str(before))) == 1


def test_a_moment_means_the_last_position_that_was_recorded_by_then(ledger: Ledger, run: Any) -> None:
    for number in range(1, 6):
        pays(ledger, number, date(2026, 3, number), paid(f"{number}"))
    moments = rows(ledger.database, "SELECT notification_id AS position, recorded_at FROM events ORDER BY 1")
    for at, row in enumerate(moments):
        last = max(each["position"] for each in moments if each["recorded_at"] <= row["recorded_at"])
        seen = run("history", ADA.member_id, "--all", "--known-at", row["recorded_at"].isoformat())
        assert seen == run("history", ADA.member_id, "--all", "--known-at", str(last)), at
    assert run("history", ADA.member_id, "--all", "--known-at", "2020-01-01") == []
    assert len(run("history", ADA.member_id, "--all", "--known-at", "2999-01-01")) == 5


@pytest.mark.parametrize("known_at", ["yesterday", "-1", "2026-02-30", "٣", "9999-12-31"])
def test_a_moment_that_is_none_is_refused(run: Any, known_at: str) -> None:
    run("history", ADA.member_id, "--known-at", known_at, ok=False)


# --- filters


def test_a_history_is_narrowed_by_type_payer_days_and_a_filter_by_name(ledger: Ledger, run: Any) -> None:
    emergency = replace(paid("E"), lines=tuple(replace(line, procedure="99284") for line in paid("E").lines))
    drug = replace(paid("D"), lines=tuple(replace(x, qualifier="N4", procedure="99990010130") for x in paid("D").lines))
    pays(ledger, 1, date(2026, 3, 2), paid("A"), emergency, drug)

    def seen(*options: str) -> int:
        return len(run("history", ADA.member_id, "--as-of", "2026-12-31", *options))

    assert seen() == 3
    assert seen("--filter", "emergency visits") == 1
    assert seen("--filter", "Only Prescriptions") == seen("--type", "pharmacy") == 1
    assert seen("--payer", "northfield") == 3
    assert seen("--payer", "nobody") == seen("--from", "2026-02-03") == seen("--to", "2026-02-01") == 0
    with pytest.raises(NotAFilter):
        run("history", ADA.member_id, "--filter", "no such filter")


# --- several payers


def test_what_is_owed_says_the_last_payer(ledger: Ledger, run: Any) -> None:
    primary = replace(
        paid("A"), lines=(replace(paid("A").lines[0], adjustments=(generator.Adjustment("PR", "2", 2_000),)),)
    )
    pays(ledger, 1, date(2026, 3, 2), primary)
    at_second = replace(ADA, member_id="HBM100000001")
    line = replace(
        primary.lines[0],
        adjustments=(generator.Adjustment("OA", "23", 8_000), generator.Adjustment("PR", "2", 500)),
    )
    second = replace(primary, status="2", claim_number="OTHER1", member=at_second, lines=(line,))
    days = date(2026, 3, 20), date(2026, 3, 18)
    made = generator.Remittance(generator.PAYERS[1], generator.PAYEES[0], "HBMT1", *days, (second,))
    ledger.intake.handle([message(made, control=2)])
    ledger.runner.catch_up()
    [row] = run("history", ADA.member_id, "--as-of", "2026-12-31")
    [last] = run("history", at_second.member_id, "--as-of", "2026-12-31")
    assert (row["member_owes"], row["decided_by"]) == (20.00, last["claim_id"])
    assert (last["member_owes"], last["decided_by"], last["bill_id"]) == (5.00, None, row["bill_id"])
    [bill] = rows(ledger.database, "SELECT * FROM bills WHERE bill_id = %s", row["bill_id"])
    assert (float(bill["charge"]), float(bill["paid"]), float(bill["member_owes"])) == (100.00, 95.00, 5.00)


# --- replay


def test_replay_says_of_every_claim_what_the_table_says(ledger: Ledger) -> None:
    for sample in build():
        ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
    ledger.runner.catch_up()
    columns = {"status", "awaits", "payer_sequence", "claim_type", "facility_code", "service_from", "service_to"}
    columns |= {"charge_cents", "paid_cents", "member_cents", "cash_cents", "processed_on", "appeal", "appeal_until"}
    for found in find(ledger):
        told = "SELECT * FROM claim_history_g1.claim_history WHERE claim_id = %s ORDER BY position"
        table = rows(ledger.database, told, found["claim_id"])
        steps = story(ledger, found["claim_id"])
        assert [step.position for step in steps] == [row["position"] for row in table]
        for step, row in zip(steps, table, strict=True):
            assert step.stands is not None
            assert {name: getattr(step.stands, name) for name in columns} == {name: row[name] for name in columns}
            assert step.final_position == row["final_position"]


def test_replay_marks_what_each_event_changed_and_says_what_caused_it(ledger: Ledger, run: Any) -> None:
    original = paid("A")
    pays(ledger, 1, date(2026, 3, 2), original)
    pays(ledger, 2, date(2026, 3, 9), generator.reversal(original), paid("B"))
    [claim] = [row["claim_id"] for row in find(ledger) if row["status"] == "reversed"]
    first, second = run("replay", claim)
    assert (first["said"], first["trace_number"], first["source"]) == ("adjudicated", "NHPT000000001", "topic/0@1")
    assert (first["changed"], first["after"]["paid_cents"], first["after"]["cash_cents"]) == ([], 8_000, 8_000)
    assert (second["said"], second["after"]["status"], second["after"]["cash_cents"]) == ("reversed", "reversed", 0)
    assert {"status", "paid_cents", "cash_cents", "processed_on"} <= set(second["changed"])


def test_replay_goes_on_behind_an_event_that_cannot_be_read(ledger: Ledger, run: Any) -> None:
    original = paid("A")
    pays(ledger, 1, date(2026, 3, 2), original)
    pays(ledger, 2, date(2026, 3, 9), generator.reversal(original), paid("B"))
    [claim] = [row["claim_id"] for row in find(ledger) if row["status"] == "reversed"]
    with damaged(ledger.log, claim, 1):
        first, second = run("replay", claim)
        assert CliRunner().invoke(app, ["replay", claim]).exit_code == 0
    assert "corrupt state" in first["unreadable"]
    assert (second["said"], second["after"]) == ("reversed", None)


@pytest.mark.parametrize("claim", ["zz", "", "-", "f" * 33, "0" * 8])
@pytest.mark.parametrize("command", ["claim", "replay"])
def test_an_id_that_is_none_or_names_no_claim_is_refused(run: Any, command: str, claim: str) -> None:
    run(command, claim, ok=False)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("of", ["NOBODY", "12345678"])
def test_what_is_neither_a_member_nor_a_claim_is_said_to_be_neither(of: str) -> None:
    now, before = (
        str(CliRunner().invoke(app, ["replay", of, *known_at], standalone_mode=False).exception)
        for known_at in ((), ("--known-at", "3"))
    )
    assert now.startswith("no member and no claim is known by this (")
    assert before.startswith("no member and no claim is known by this by then (")
