"""Each alert is raised once, and resolved by a later event."""

from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.settings import Settings
from application.ports import Format, Message
from application.requests import statement_of
from application.streams import Member
from composition import Ledger
from domain.request import Answer
from tests.given import ADA, rows
from tests.integration.test_accounts import claim, take
from tests.integration.test_paying import PAYER_ID, pay
from tests.unit.notices import adjudicated, encoded
from tests.unit.payments import told
from tests.unit.premiums import premium


def alerts(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Kind, amount, since and until when."""
    found = rows(ledger.database, "SELECT * FROM money_alerts ORDER BY raised_on, kind")
    return [(row["kind"], float(row["amount"]), str(row["raised_on"]), row["resolved_on"]) for row in found]


def test_a_payment_that_fails_is_told_until_it_posts(ledger: Ledger) -> None:
    pay(ledger, told("initiated", claims=[]), told("failed"))
    assert alerts(ledger) == [("payment failed", 100, "2026-07-02", None)]
    take(ledger, 1, claim("1", 2_000, ("1", 8_000)))
    pay(ledger, told("posted", amount_cents=8_000))
    assert alerts(ledger) == [("payment failed", 100, "2026-07-02", date(2026, 7, 3))]


def test_a_credit_waits_until_it_is_refunded(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500))
    assert alerts(ledger) == [("credit waiting", 25, "2026-07-03", None)]
    pay(ledger, told("refunded", amount_cents=1_000))
    assert alerts(ledger) == [("credit waiting", 25, "2026-07-03", None)]
    pay(ledger, told("refunded", refund_id="re_2", amount_cents=1_500, on="2026-07-12"))
    assert alerts(ledger) == [("credit waiting", 25, "2026-07-03", date(2026, 7, 12))]


def test_what_is_applied_at_once_never_waited(ledger: Ledger) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 2_000)))
    pay(ledger, told("posted", amount_cents=2_000))
    assert alerts(ledger) == []


def test_a_premium_is_due_until_it_is_paid(ledger: Ledger) -> None:
    def plan_says(*messages: Any) -> None:
        sent = [Message(f"premiums/0@{at}", encoded(each), Format.JSON_PREMIUM) for at, each in enumerate(messages)]
        assert [outcome.parked for outcome in ledger.intake.handle(sent)] == [[] for _ in sent]
        ledger.runner.catch_up()

    plan_says(premium("invoiced", on="2026-03-15", amount_cents=30_000))
    [raised] = alerts(ledger)
    assert raised == ("premium due", 300, "2026-03-15", None)
    plan_says(premium("paid", on="2026-03-20", amount_cents=30_000))
    assert alerts(ledger) == [(*raised[:3], date(2026, 3, 20))]


def test_a_statement_is_past_due_until_its_minimum_is_paid(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(ledger, 1, claim("1", 2_000, ("1", 8_000)))
    [bill] = rows(ledger.database, "SELECT bill_id::text FROM claim_status")
    issued = (Member(PAYER_ID, ADA.member_id), [bill["bill_id"]], date(2026, 3, 31), date(2026, 4, 30))
    assert isinstance(ledger.execute(statement_of(ledger.work(), ledger.ids, "key", *issued)), Answer)
    ledger.runner.catch_up()
    assert alerts(ledger) == [("past due", 25, "2026-05-01", None)]
    pay(ledger, told("posted", amount_cents=2_500))
    assert alerts(ledger) == [("past due", 25, "2026-05-01", date(2026, 7, 3))]
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))
    assert "past due" in CliRunner().invoke(app, ["alerts", ADA.member_id, "--all"]).output
    assert "No alerts" in CliRunner().invoke(app, ["alerts", ADA.member_id]).output


def test_a_deductible_is_met_once_and_no_more_where_less_is_stated_later(ledger: Ledger) -> None:
    def states(on: str, used: int, level: str = "individual") -> None:
        limits = [{"kind": "deductible", "level": level, "network": "in", "used_cents": used, "limit_cents": 50_000}]
        decided = adjudicated(on=on, network="in", plan_id="GOLD", accumulators=limits)
        numbers = {"patient_control_number": f"P{on}{level}", "payer_claim_number": f"C{on}{level}"}
        sent = Message(f"payer.adjudications/0@{on}", encoded(decided | {"numbers": numbers}), Format.JSON_CLAIM)
        assert [outcome.parked for outcome in ledger.intake.handle([sent])] == [[]]
        ledger.runner.catch_up()

    states("2026-03-02", 40_000)
    assert alerts(ledger) == []
    states("2026-03-09", 50_000)
    states("2026-03-16", 50_000)
    states("2026-03-16", 50_000, "family")
    assert alerts(ledger) == [
        ("deductible met", 500, "2026-03-09", None),
        ("family deductible met", 500, "2026-03-16", None),
    ]
    states("2026-03-23", 45_000)
    assert alerts(ledger)[0] == ("deductible met", 500, "2026-03-09", date(2026, 3, 23))
