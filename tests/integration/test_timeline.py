"""Everything that is known of a member, on one line of time."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.cli.timeline import FACT_OF, timeline
from adapters.settings import Settings
from application.topics import TOPICS
from composition import Ledger
from tests.given import ADA, damaged
from tests.integration.test_accounts import claim, take
from tests.integration.test_paying import pay
from tests.unit.payments import told

MEMBER = ADA.member_id
OF_NO_MEMBER = {"remittance", "opening", "request", "bank", "message", "plan", "provider"}


def filled(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500))
    take(ledger, 1, claim("1", 8_000, ("1", 2_000), served=date(2026, 2, 20)))


def test_it_stands_in_the_order_in_which_it_happened(ledger: Ledger) -> None:
    filled(ledger)
    steps = timeline(ledger, MEMBER)
    assert [step.happened_on for step in steps] == sorted(step.happened_on for step in steps)
    by_topic = {step.what: (step.fact, step.cents) for step in steps}
    assert by_topic["claim: adjudicated"] == ("claim", 8_000)
    assert by_topic["bill: assessed"] == ("money", 2_000)
    assert by_topic["payment: posted"] == ("money", 2_500)
    positions = {step.what: step.position for step in steps}
    assert positions["payment: posted"] < positions["claim: adjudicated"]


def test_nothing_of_another_member_stands_in_it(ledger: Ledger) -> None:
    filled(ledger)
    assert timeline(ledger, "NHP999999999") == []


def test_what_was_not_known_by_then_is_not_in_it(ledger: Ledger) -> None:
    filled(ledger)
    last = max(step.position for step in timeline(ledger, MEMBER))
    assert max(step.position for step in timeline(ledger, MEMBER, last - 1)) == last - 1


def test_what_cannot_be_read_stands_in_it_and_says_so(ledger: Ledger) -> None:
    filled(ledger)
    [posted] = [step for step in timeline(ledger, MEMBER) if step.what == "claim: adjudicated"]
    with damaged(ledger.log, posted.stream):
        [found] = [step for step in timeline(ledger, MEMBER) if step.position == posted.position]
    assert (found.event, found.told()["readable"]) == (None, False)


def test_every_kind_of_event_of_a_member_has_its_place() -> None:
    firsts = {topic.name.partition(".")[0] for topic in TOPICS}
    assert firsts == FACT_OF.keys() | OF_NO_MEMBER


def test_the_tool_replays_a_member_or_a_claim(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))
    filled(ledger)
    answer = CliRunner().invoke(app, ["replay", MEMBER, "--json"]).output
    rows = [json.loads(row) for row in answer.splitlines()]
    assert {row["kind"] for row in rows} == {"claim", "money", "coverage"}
    assert "personal" not in rows[0]["facts"]
    claims = {row["stream"] for row in rows if row["kind"] == "claim"}
    [one] = claims
    [step] = CliRunner().invoke(app, ["replay", one, "--json"]).output.splitlines()
    assert json.loads(step)["topic"] == "claim.adjudicated:2"
    assert "adjudicated" in CliRunner().invoke(app, ["replay", MEMBER]).output
