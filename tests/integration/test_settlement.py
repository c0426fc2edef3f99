"""Banks' entries over a real ledger: messages, rules, payouts, the tool."""

import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from adapters.cli.commands import app
from adapters.json_message.schema import file
from adapters.settings import Settings
from application.ports import Format, Message
from composition import Ledger
from projections.settlement import RULES, SETTLEMENT
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


def test_of_equal_ones_as_many_find_each_other_as_can(ledger: Ledger) -> None:
    paid_out = [told("posted", f"py_{at}", amount_cents=4_000, payout=f"po_{at}") for at in range(7)]
    pay(ledger, *paid_out)
    say(ledger, *(entry(f"E{at}") for at in range(5)))
    assert sorted(row[:2] for row in stands(ledger) if row[0] != "unmatched") == [("partly", "payer_amount_days")] * 5
    assert [row for row in stands(ledger) if row[0] == "unmatched"] == [("unmatched", None, 40, None)] * 2


DAYS = st.lists(st.integers(0, 12), max_size=6).map(sorted)


@given(DAYS, DAYS, st.one_of(st.none(), st.integers(0, 4)))
@settings_of_hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_no_pairing_has_more_pairs(
    ledger: Ledger, entries: list[int], counterparts: list[int], days: int | None
) -> None:
    sql = "SELECT entry, counterpart FROM pairs_within(%s::integer[], %s::integer[], %s)"
    pairs = [
        (row["entry"] - 1, row["counterpart"] - 1) for row in rows(ledger.database, sql, entries, counterparts, days)
    ]
    assert all(len(set(side)) == len(side) for side in zip(*pairs, strict=True))
    assert all(days is None or abs(entries[one] - counterparts[other]) <= days for one, other in pairs)
    assert len(pairs) == most_pairs(entries, counterparts, days)


def most_pairs(entries: list[int], counterparts: list[int], days: int | None) -> int:
    """By augmenting paths (Kuhn), which look for pairs in another way."""
    taken: dict[int, int] = {}

    def finds(entry: int, seen: set[int]) -> bool:
        for at, day in enumerate(counterparts):
            if at not in seen and (days is None or abs(entries[entry] - day) <= days):
                seen.add(at)
                if at not in taken or finds(taken[at], seen):
                    taken[at] = entry
                    return True
        return False

    return sum(finds(at, set()) for at in range(len(entries)))


def test_nothing_of_after_the_day_counts(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=4_000))
    say(ledger, entry(payout="po_77"), REVERSED)
    [posted] = rows(ledger.database, "SELECT day FROM payment_history WHERE said = 'posted'")

    def on(day: date) -> list[tuple[Any, ...]]:
        found = rows_by_name(ledger, SETTLEMENT, as_of=day, open=False)
        return [(row["state"], row["expected"], row["booked"]) for row in found]

    assert posted["day"] < date(2026, 7, 6)
    assert on(posted["day"] - timedelta(1)) == []
    assert on(posted["day"]) == on(date(2026, 7, 5)) == [("unmatched", 40, None)]
    assert on(date(2026, 7, 6)) == on(date(2026, 7, 7)) == [("matched", 40, 40)]
    assert on(date(2026, 7, 8)) == [("unmatched", 40, None)]


def test_a_reversal_is_listed_whose_booking_never_came(ledger: Ledger) -> None:
    say(ledger, REVERSED)
    [listed] = rows(ledger.database, "SELECT * FROM settlement")
    assert (listed["state"], listed["booked"], listed["reversed_on"]) == ("unmatched", None, date(2026, 7, 8))
    assert (listed["bank_account"], listed["bank_reference"]) == ("operating", "E1")
    [kept] = rows(ledger.database, "SELECT * FROM bank_entries")
    assert (kept["day"], kept["amount"], kept["reversed_on"], kept["reason"]) == (None, None, date(2026, 7, 8), "R03")


def test_the_banks_and_the_processors_own_references_are_kept(ledger: Ledger) -> None:
    say(ledger, entry(payout="po_77"))
    [listed] = rows(ledger.database, "SELECT bank_account, bank_reference, payout_reference FROM settlement")
    assert listed == {"bank_account": "operating", "bank_reference": "E1", "payout_reference": "po_77"}


def rows_by_name(ledger: Ledger, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    with ledger.database.session() as cursor:
        return cursor.execute(sql, parameters).fetchall()


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
