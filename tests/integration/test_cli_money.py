"""`pay`, `refund`, `dispute`, `write-off`, `statement` and `apply-credits` as a user meets them."""

import json
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.accounts import checked
from adapters.cli.commands import app
from adapters.settings import Settings
from composition import Ledger
from samples import generator
from tests.given import ADA, rows
from tests.integration.test_accounts import claim, take
from tests.integration.test_paying import PAYER_ID, claim_id, owed, pay
from tests.unit.payments import told

MEMBER = ADA.member_id


@pytest.fixture
def run(ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line over the test's ledger, in this process. 20 dollars are owed of bill 1, 15 of the older 2."""
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))
    newer = claim("1", 8_000, ("1", 2_000), served=date(2026, 2, 20))
    take(ledger, 1, newer, claim("2", 8_000, ("2", 1_500), served=date(2026, 1, 10)))

    def run(*arguments: str, status: int = 0, text: bool = False) -> Any:
        answer = CliRunner().invoke(app, [*arguments, *(() if text else ("--json",))], catch_exceptions=False)
        assert answer.exit_code == status, answer.output
        ledger.runner.catch_up()
        return answer.output if text or status == 2 else [json.loads(line) for line in answer.stdout.splitlines()]

    return run


def test_a_payment_is_started_once_for_its_key(run: Any, ledger: Ledger) -> None:
    chosen = claim_id(ledger, "1")
    arguments = ("pay", MEMBER, "30.00", "--token", "tok_1", "--method", "card", "--claim", chosen, "--key", "K1")
    first, again = run(*arguments), run(*arguments)
    assert first == again
    [started] = run("payments", MEMBER)
    assert (started["status"], started["amount"]) == ("initiated", 30)
    pay(ledger, told("posted", "K1", amount_cents=3_000))
    assert owed(ledger) == {"1": 0, "2": 15, "credit": 10}


@pytest.mark.parametrize("token", ["4111 1111 1111 1111", "021000021 12345678"])
def test_a_number_of_a_card_or_an_account_is_never_taken(run: Any, ledger: Ledger, token: str) -> None:
    assert "never takes" in run("pay", MEMBER, "30.00", "--token", token, "--method", "card", status=2)
    assert not rows(ledger.database, "SELECT FROM events WHERE topic LIKE %s", "payment.%")


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "x", "1e400", "NaN"])
def test_an_amount_is_more_than_nothing_in_whole_cents(run: Any, amount: str) -> None:
    assert "in whole cents" in run("pay", MEMBER, "--token", "t", "--method", "card", "--", amount, status=2, text=True)


def test_a_refund_takes_the_credit_and_is_done_once_for_its_key(run: Any, ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=4_000))
    [paid] = run("payments", MEMBER)
    for _ in range(2):
        run("refund", paid["payment_id"][:8], "5.00", "--key", "R1", "--on", "2026-07-10")
    assert owed(ledger) == {"1": 0, "2": 0, "credit": 0}
    [refused] = run("refund", paid["payment_id"], "40.00", "--key", "R2", status=1)
    assert refused == {"refused": "payment.over_refunded"}
    assert not any(checked(ledger).values())


def test_a_dispute_holds_an_amount_until_it_is_decided(run: Any, ledger: Ledger) -> None:
    bill = claim_id(ledger, "1")
    run("dispute", "open", bill, "20.00", "--reason", "already_paid", "--actor", "ada", "--number", "D1")
    assert owed(ledger)["1"] == 0
    run("dispute", "file", bill, "D1", "receipt", "doc-77", "--actor", "ada")
    [refused] = run("dispute", "open", bill, "1.00", "--reason", "other", "--actor", "ada", status=1)
    assert refused == {"refused": "bill.nothing_owed"}
    run("dispute", "resolve", bill, "D1", "against_member", "--actor", "billing")
    assert owed(ledger)["1"] == 20
    [refused] = run("dispute", "resolve", bill, "D2", "for_member", "--actor", "billing", status=1)
    assert refused == {"refused": "bill.unknown_dispute"}


def test_what_is_waived_is_owed_no_more(run: Any, ledger: Ledger) -> None:
    arguments = ("--reason", "financial_assistance", "--actor", "billing", "--number", "W1")
    run("write-off", claim_id(ledger, "2"), "15.00", *arguments)
    assert owed(ledger) == {"1": 20, "2": 0, "credit": 0}
    assert run("account", MEMBER)[-1]["what"] == "waived: financial_assistance"
    assert not any(checked(ledger).values())


def test_a_statement_freezes_what_is_owed_and_says_what_is_left_of_it(run: Any, ledger: Ledger) -> None:
    run("statement", MEMBER, "--issue", "--as-of", "2026-03-31", "--due", "2026-04-30")
    [issued] = run("statement", MEMBER, "--as-of", "2026-04-30")
    assert [issued[name] for name in ("total", "minimum", "still_owed", "standing")] == [35, 25, 35, "due"]
    assert [line["amount"] for line in issued["lines"]] == [15, 20]
    pay(ledger, told("initiated", claims=[], statements=[issued["statement_id"]]), told("posted", amount_cents=2_500))
    [later] = run("statement", MEMBER, "--as-of", "2026-12-31")
    assert (later["still_owed"], later["standing"]) == (10, "minimum paid")
    # The same day again is the same one, and its amounts stay as they were.
    run("statement", MEMBER, "--issue", "--as-of", "2026-03-31", "--due", "2026-04-30")
    assert len(run("statement", MEMBER, "--as-of", "2026-12-31")) == 1
    assert "past due" in str(run("statement", MEMBER, "--as-of", "2026-05-01"))


def test_credits_pay_what_is_owed_by_now(run: Any, ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=3_500))
    taken_back = generator.reversal(claim("2", 8_000, ("2", 1_500), served=date(2026, 1, 10)))
    take(ledger, 2, taken_back, claim("3", 9_000, ("1", 1_000)))
    assert owed(ledger) == {"1": 0, "2": 0, "3": 10, "credit": 15}
    assert run("apply-credits", MEMBER, "--on", "2026-07-20") == [{"events": 4}]
    assert owed(ledger) == {"1": 0, "2": 0, "3": 0, "credit": 5}
    assert run("apply-credits", MEMBER) == [{"events": 0}]
    assert not any(checked(ledger).values())
    told_to_member = run("account", MEMBER)
    assert float(told_to_member[-1]["balance"]) == -5


def test_a_payer_is_asked_for_where_nobody_knows_the_member(run: Any) -> None:
    assert "say which" in run("pay", "NOBODY", "1.00", "--token", "t", "--method", "card", status=2)
    run("pay", "NOBODY", "1.00", "--token", "t", "--method", "card", "--payer", PAYER_ID)
