"""`pay`, `refund`, `dispute`, `write-off`, `statement` and `apply-credits` as a user meets them."""

import json
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli import show
from adapters.cli.__main__ import WRONG_USAGE
from adapters.cli.__main__ import run as whole_tool
from adapters.cli.accounts import checked
from adapters.cli.commands import app
from adapters.cli.money import _any_key
from adapters.settings import Settings
from composition import Ledger
from domain.account_numbers import holds_account_number
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


NUMBERS = ("4111 1111 1111 1111", "021000021 12345678")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_a_card_or_an_account_is_never_taken(run: Any, ledger: Ledger, number: str) -> None:
    before = len(rows(ledger.database, "SELECT FROM events"))
    pays = ("pay", MEMBER, "30.00", "--method", "card")
    bill = claim_id(ledger, "1")
    waives = ("write-off", bill, "1.00", "--reason", "small_balance")
    disputes = ("dispute", "open", bill, "1.00", "--reason", "other", "--actor", "ada")
    for arguments in (
        (*pays, "--token", number),
        (*pays, "--token", "t", "--key", number),
        (*waives, "--actor", number),
        (*waives, "--actor", "ada", "--number", number),
        (*disputes, "--number", number),
        ("dispute", "file", bill, "D1", "receipt", number, "--actor", "ada"),
    ):
        assert (exits(run, *arguments), len(rows(ledger.database, "SELECT FROM events"))) == (WRONG_USAGE, before)


def exits(run: Any, *arguments: str) -> int:
    """The exit status, as the tool's own process has it."""
    return whole_tool(lambda: app(arguments, standalone_mode=False))


def test_a_key_of_another_request_is_named(run: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--token", "t", "--method", "card", "--key", "K1")
    run("pay", MEMBER, "30.00", *arguments)
    assert exits(run, "pay", MEMBER, "31.00", *arguments) == WRONG_USAGE
    assert "take another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("pay", MEMBER, "1.00", "--method", "card", "--token", " "), "it is empty"),
        (("pay", " ", "1.00", "--method", "card", "--token", "t"), "it is empty"),
        (("pay", MEMBER, "1.00", "--method", "card", "--token", "t", "--statement", "xyz"), "hexadecimal"),
        (("pay", MEMBER, "1.00", "--method", "card", "--token", "t", "--statement", "00"), "no statement has this"),
        (("pay", MEMBER, "1.00", "--method", "card", "--token", "t", "--claim", "00"), "no claim has this id"),
        (("refund", "00", "1.00"), "no payment has this id"),
    ],
)
def test_what_is_not_there_is_named(run: Any, ledger: Ledger, arguments: tuple[str, ...], problem: str) -> None:
    assert problem in run(*arguments, status=2)
    assert not rows(ledger.database, "SELECT FROM events WHERE topic LIKE %s", "payment.%")


def test_a_key_that_nobody_chose_is_never_taken_for_a_number() -> None:
    assert not any(holds_account_number(_any_key()) for _ in range(5_000))


def test_amounts_are_never_cut_off_however_narrow_the_terminal_is(
    run: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(ledger, told("posted", amount_cents=123_456_789))
    monkeypatch.setattr(show.console, "width", 40)
    for arguments in (("account", MEMBER), ("balance", MEMBER), ("payments", MEMBER)):
        assert "1,234,567.89" in run(*arguments, text=True)
    assert "posted" in run("account", MEMBER, text=True)


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
