"""What is owed in the books that the ledger takes over."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.cli.accounts import checked
from adapters.cli.commands import app
from adapters.openings import NotOpenings, read_openings
from adapters.settings import Settings
from composition import Ledger
from tests.given import ADA, rows
from tests.integration.test_paying import pay
from tests.unit.payments import told

HEADER = "payer_id,member_id,reference,service_day,owed"
GOOD = f"""{HEADER}
1078810412,{ADA.member_id},A-2,2025-11-20,40.00
1078810412,{ADA.member_id},A-1,2025-10-02,15.50
total,2,,,55.50
"""


@pytest.fixture
def load(ledger: Ledger, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("adapters.logs.configure", lambda _level: None)
    monkeypatch.setenv("LEDGER_DSN", str(settings.dsn))
    monkeypatch.setenv("LEDGER_KEYS", str(settings.keys))

    def load(text: str) -> tuple[int, str]:
        path = tmp_path / "openings.csv"
        path.write_text(text)
        answer = CliRunner().invoke(app, ["load-openings", str(path), "--json"], catch_exceptions=False)
        ledger.runner.catch_up()
        return answer.exit_code, answer.output.strip()

    return load


def test_what_is_taken_over_is_owed_once_and_paid_the_oldest_first(load: Any, ledger: Ledger) -> None:
    assert load(GOOD) == (0, '{"opened":2,"known":0,"conflicts":[]}')
    assert load(GOOD) == (0, '{"opened":0,"known":2,"conflicts":[]}')
    pay(ledger, told("posted", amount_cents=2_000))
    owed = rows(ledger.database, "SELECT balance FROM balances WHERE account = 'owed.before' ORDER BY balance")
    assert [float(row["balance"]) for row in owed] == [0, 35.5]
    assert not any(checked(ledger).values())
    told_to_member = CliRunner().invoke(app, ["balance", ADA.member_id, "--json"]).output
    assert '"owed":35.50' in told_to_member
    [loaded] = rows(ledger.database, "SELECT convert_from(state, 'UTF8') FROM events WHERE topic = 'opening.loaded:1'")
    assert '"count":2,"cents":5550' in str(loaded)


def test_another_amount_for_what_was_taken_over_is_refused_and_the_rest_is_not(load: Any, ledger: Ledger) -> None:
    load(GOOD)
    changed = GOOD.replace("15.50", "20.00").replace("55.50", "60.00").replace("A-2", "A-3")
    assert load(changed) == (1, '{"opened":1,"known":0,"conflicts":[2]}')
    assert len(rows(ledger.database, "SELECT FROM events WHERE topic = 'opening.loaded:1'")) == 1


def test_nothing_is_taken_over_of_a_file_whose_totals_are_wrong(load: Any, ledger: Ledger) -> None:
    with pytest.raises(NotOpenings, match=r"55\.50"):
        load(GOOD.replace("total,2,,,55.50", "total,2,,,55.49"))
    assert not rows(ledger.database, "SELECT FROM events WHERE topic = 'bill.opened:1'")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "first line"),
        ("member,owed\n", "first line"),
        (HEADER, "last line"),
        (GOOD.replace("total,2,,,55.50\n", ""), "last line"),
        (GOOD.replace("total,2", "total,3"), "there are 2 bills"),
        (GOOD.replace("2025-11-20", "20.11.2025"), "line 2: the day"),
        (GOOD.replace("40.00", "1e2"), "line 2: the amount"),
        (GOOD.replace("40.00", "-40.00"), "line 2: what is owed"),
        (GOOD.replace("A-2", ""), "line 2: a number"),
        (GOOD.replace("A-2", "4111111111111111"), "line 2: a number"),
        (GOOD.replace("A-2", "A-1"), "line 3: the bill stands twice"),
        (GOOD.replace("A-2", "A,2"), "line 2: 5 fields"),
        (GOOD.replace("A-2", '"A-2'), "not CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_line(data: str, problem: str) -> None:
    with pytest.raises(NotOpenings, match=problem):
        read_openings(data.encode())


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(NotOpenings, match="UTF-8"):
        read_openings(b"\xff\xfe")
