"""Banks' entries over a real ledger: messages, rules, payouts, the tool."""

import itertools
import json
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.json_message.schema import file
from adapters.settings import Settings
from application.ports import Format, Message
from composition import Ledger
from projections.settlement import RULES
from tests.given import rows
from tests.integration.test_accounts import claim, take
from tests.integration.test_paying import PAYER_ID, pay
from tests.unit.notices import encoded
from tests.unit.payments import told
from tests.unit.test_docs import CHECKOUT

VALIDATOR = Draft202012Validator(json.loads(file("settlement-1").read_bytes()))
BOOKED = {"kind": "booked", "on": "2026-07-06", "direction": "credit", "amount_cents": 4_000, "payer_id": PAYER_ID}


def entry(number: str = "E1", account: str = "operating", **said: Any) -> dict[str, Any]:
    return {"schema": 1, "bank_account": account, "entry_id": number, "said": BOOKED | said}


REVERSED = entry() | {"said": {"kind": "reversed", "on": "2026-07-08", "reason": "R03"}}


def say(ledger: Ledger, *messages: dict[str, Any]) -> list[str]:
    """The reasons for which any were parked."""
    sent = [Message(f"settlements/0@{at}", encoded(each), Format.JSON_SETTLEMENT) for at, each in enumerate(messages)]
    outcomes = ledger.intake.handle(sent)
    ledger.runner.catch_up()
    return [part.park.reason for outcome in outcomes for part in outcome.parked]


def stands(ledger: Ledger) -> list[tuple[Any, ...]]:
    found = rows(ledger.database, "SELECT * FROM settlement WHERE kind = 'payout' OR kind IS NULL ORDER BY booked_on")
    return [(row["state"], row["rule"], row["expected"], row["booked"]) for row in found]


def test_a_payout_is_matched_with_the_payments_in_it(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500), told("posted", "py_2", amount_cents=1_500))
    assert say(ledger, entry(payout="po_77")) == []
    assert stands(ledger) == [("matched", "payout", 40, 40)]
    assert say(ledger, REVERSED) == []
    assert stands(ledger) == [("unmatched", None, 40, None)]


def test_a_payout_of_another_amount_is_partly_matched(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500))
    say(ledger, entry(payout="po_77"))
    assert stands(ledger) == [("partly", "payout_differs", 25, 40)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_entries_come_in_any_order_and_the_same_again_is_nothing(ledger: Ledger, order: tuple[int, ...]) -> None:
    said = [entry(payout="po_77"), REVERSED, entry("E2", payout="po_77")]
    pay(ledger, told("posted", amount_cents=4_000))
    assert say(ledger, *(said[at] for at in (*order, *order))) == []
    assert stands(ledger) == [("matched", "payout", 40, 40)]
    assert len(rows(ledger.database, "SELECT FROM events WHERE topic LIKE %s", "bank.%")) == 3


def test_what_contradicts_or_names_an_account_is_parked(ledger: Ledger) -> None:
    assert say(ledger, entry(), entry(amount_cents=1)) == ["settlement.conflict"]
    assert say(ledger, entry("4111111111111111")) == ["settlement.account_number"]
    for name in ("trace_number", "payer_id", "payout"):
        for number in ("4111111111111111", "378282246310005", "DE89370400440532013000"):
            assert say(ledger, entry("E9", **{name: number})) == ["settlement.account_number"]
    assert say(ledger, entry("E10", trace_number="021000020000001")) == []  # an ACH trace; passes a card's check
    bad = [entry(payout="po_1", payer_id=""), entry(amount_cents=0), entry(on="0001-01-01"), entry(account="Account 1")]
    assert say(ledger, *bad) == ["json.wrong_schema"] * 4


def test_the_published_schema_takes_what_is_taken() -> None:
    for message in (entry(), entry(payout="po_1", trace_number="T1"), REVERSED):
        VALIDATOR.validate(message)
    assert not VALIDATOR.is_valid(entry(direction="up"))


def test_every_rule_is_on_the_page() -> None:
    page = (CHECKOUT / "docs" / "settlement.md").read_text()
    told_there = [row.split("|")[1:4] for row in page.splitlines() if row.startswith("| `")]
    rules = [[rule.name, rule.state, rule.meaning] for rule in RULES]
    assert [[part.strip(" `") for part in row] for row in told_there] == rules


def test_the_tool_lists_what_is_open_and_how_old_it_is(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))
    take(ledger, 1, claim("1", 8_000, ("1", 2_000), served=date(2026, 2, 20)))
    say(ledger, entry())
    told_open = CliRunner().invoke(app, ["settlement", "--open", "--as-of", "2026-07-31", "--json"]).output
    assert [json.loads(row)["state"] for row in told_open.splitlines()] == ["unmatched", "unmatched"]
    aged = CliRunner().invoke(app, ["settlement", "--aged", "--as-of", "2026-07-31"]).output
    assert "15-30" in aged
    assert "over 30" in aged
    assert CliRunner().invoke(app, ["settlement", "--as-of", "2026-07-31"]).exit_code == 0
