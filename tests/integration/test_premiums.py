"""Premiums over a real ledger: from the bytes of messages to rows and to what the tool shows."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.premiums import contracts_of
from adapters.settings import Settings
from application.intake import Outcome
from application.ports import Format, Message, VersionConflict
from application.streams import account_of
from composition import Ledger, open_ledger
from domain import premium as chapter
from domain.chart import Account
from domain.premium import Numbers, PremiumEvent, PremiumPaid
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.notices import encoded
from tests.unit.premiums import LIFE, premium

MEMBER = "TGV100000001"


def ask(ledger: Ledger, day: date = date(2026, 12, 31), known_at: int | None = None) -> list[dict[str, Any]]:
    return contracts_of(ledger, MEMBER, day, known_at)


def told(ledger: Ledger, day: date, known_at: int | None = None) -> tuple[Any, ...]:
    [contract] = ask(ledger, day, known_at)
    return contract["standing"], str(contract["grace_until"]), float(contract["open"]), float(contract["credit"])


def events(ledger: Ledger) -> list[PremiumEvent]:
    [stream] = rows(ledger.database, "SELECT DISTINCT contract_id::text AS id FROM premium_facts")
    found = [ledger.mapper.load(recorded.stored) for recorded in ledger.log.history(stream["id"])]
    told = [event for event in found if isinstance(event, PremiumEvent)]
    assert told == found
    return told


# --- from the bytes to the rows


def test_what_a_plan_says_becomes_events_and_rows(ledger: Ledger) -> None:
    outcomes = take(ledger, *LIFE)
    assert [(outcome.events, outcome.duplicates, outcome.parked) for outcome in outcomes] == [(1, 0, [])] * len(LIFE)
    facts = rows(ledger.database, "SELECT kind, account_id::text FROM premium_facts ORDER BY position")
    assert [row["kind"] for row in facts] == [message["said"]["kind"] for message in LIFE]
    assert {row["account_id"] for row in facts} == {account_of(ledger.ids, "1078830634", MEMBER)}
    invoices = rows(ledger.database, "SELECT amount, open, is_voided FROM premium_invoices ORDER BY due_on, is_voided")
    assert [(float(row["open"]), row["is_voided"]) for row in invoices] == [
        (0, False),
        (0, False),
        (0, False),
        (0, True),
    ]
    payments = rows(ledger.database, "SELECT amount, returned_on, reason FROM premium_payments ORDER BY paid_on")
    assert [(float(row["amount"]), str(row["returned_on"]), row["reason"]) for row in payments] == [
        (300, "None", None),
        (400, "2026-02-20", "R01"),
        (650, "None", None),
    ]
    [contract] = rows(ledger.database, "SELECT * FROM premiums")
    figures = ("billed", "paid", "owed", "open", "credit")
    assert [float(contract[name]) for name in figures] == [900, 950, -50, 0, 50]
    assert (str(contract["lapsed_on"]), str(contract["reinstated_on"])) == ("2026-06-01", "2026-06-20")


def test_where_a_contract_stood_on_a_day(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    for day, stands in [
        (date(2025, 12, 31), ("due", "2026-04-01", 300, 0)),
        (date(2026, 1, 1), ("paid_up", "None", 0, 0)),
        (date(2026, 2, 5), ("in_grace", "2026-05-02", 300, 0)),
        (date(2026, 2, 10), ("paid_up", "None", 0, 100)),
        (date(2026, 2, 20), ("in_grace", "2026-05-02", 600, 0)),
        (date(2026, 5, 3), ("past_due", "2026-05-02", 600, 0)),
        (date(2026, 6, 1), ("lapsed", "2026-05-02", 600, 0)),
        (date(2026, 6, 20), ("reinstated", "None", 0, 50)),
    ]:
        assert told(ledger, day) == stands


def test_what_was_known_at_a_position_is_what_was_recorded_by_then(ledger: Ledger) -> None:
    for message in LIFE:
        take(ledger, message)
    positions = [row["position"] for row in rows(ledger.database, "SELECT position FROM premium_facts ORDER BY 1")]
    by_then = [told(ledger, date(2026, 12, 31), position)[2:] for position in positions]
    assert by_then == [
        (300, 0), (600, 0), (900, 0), (1200, 0), (900, 0), (600, 0), (200, 0), (600, 0), (0, 50), (0, 50), (0, 50),
    ]  # fmt: skip
    assert ask(ledger, known_at=positions[0] - 1) == []


def test_any_order_and_any_batches_end_in_the_same_rows(ledger: Ledger) -> None:
    others = [
        message | {"contract_id": f"C-{seed}"}
        for seed in range(2, 8)
        for message in random.Random(seed).sample(LIFE, len(LIFE))
    ]
    take(ledger, *LIFE)
    for at in range(0, len(others), 7):
        take(ledger, *others[at : at + 9])  # some of them twice
    standing = {(c["standing"], c["grace_until"], c["open"], c["credit"]) for c in ask(ledger, date(2026, 5, 3))}
    assert (len(ask(ledger)), len(standing)) == (7, 1)
    figures = "billed, paid, owed, open, credit, lapsed_on, reinstated_on"
    assert len(rows(ledger.database, f"SELECT DISTINCT {figures} FROM premiums")) == 1
    before = rows(ledger.database, "SELECT * FROM premium_invoices ORDER BY 1")
    rebuilt = ledger.rebuild("premiums", limit=5)
    assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)
    assert rows(ledger.database, "SELECT * FROM premium_invoices ORDER BY 1") == before


def test_postings_and_rows_say_the_same(ledger: Ledger) -> None:
    take(ledger, *reversed(LIFE))
    state, total = chapter.INITIAL, dict.fromkeys(chapter.balances(()), 0)
    for event in events(ledger):
        state = chapter.evolve(state, event)
        for posting in event.postings:
            total[posting.source] -= posting.cents
            total[posting.destination] += posting.cents
    assert total == chapter.balances(state.said)
    [contract] = rows(ledger.database, "SELECT billed, owed, paid FROM premiums")
    assert [int(cents) for cents in total.values()] == [
        -contract["billed"] * 100, contract["owed"] * 100, contract["paid"] * 100,
    ]  # fmt: skip


def test_writers_to_one_contract_at_the_same_time_lose_nothing(ledger: Ledger, settings: Settings) -> None:
    """A return and its payment may meet: both are booked or neither is."""
    messages = [premium("paid", payment_id=f"P-{at}", amount_cents=100) for at in range(8)]
    messages += [premium("payment_returned", payment_id=f"P-{at}") for at in range(4)]
    together = threading.Barrier(len(messages))

    def write(message: Any) -> None:
        own = open_ledger(settings)
        together.wait()
        outcomes = list[Outcome]()
        while not outcomes:
            with suppress(VersionConflict):  # eight attempts were in vain; a consumer reads the batch again
                outcomes = own.intake.handle([Message("premiums/0@0", encoded(message), Format.JSON_PREMIUM)])
        own.close()
        assert (outcomes[0].events, outcomes[0].parked) == (1, [])

    with ThreadPoolExecutor(len(messages)) as pool:
        list(pool.map(write, messages))
    ledger.runner.catch_up()
    booked = [posting for event in events(ledger) for posting in event.postings]
    paid = sum(p.cents * ((p.destination is Account.PREMIUM_PAID) - (p.source is Account.PREMIUM_PAID)) for p in booked)
    assert (len(events(ledger)), paid) == (12, 400)
    assert float(ask(ledger)[0]["credit"]) == 4


# --- the same again, and otherwise


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    again = [dict(reversed(message.items())) for message in LIFE]
    assert [(outcome.events, outcome.duplicates) for outcome in take(ledger, *again)] == [(0, 1)] * len(LIFE)
    otherwise = premium("paid", payment_id="P-1", on="2026-01-01", invoice_id="I-01", amount_cents=1)
    assert reasons(take(ledger, otherwise, premium("paid", payment_id="P-4"))) == ["premium.conflict"]
    [item] = ledger.log.parked_items()
    assert ledger.intake.raw(item.raw_id) == encoded(otherwise)
    assert (ledger.intake.retry(item.parked_id), len(events(ledger))) == (False, len(LIFE) + 1)


def test_numbers_are_those_of_one_contract_of_one_plan(ledger: Ledger) -> None:
    paid = premium("paid", amount_cents=1)
    elsewhere = [premium("paid", contract_id="C-2"), premium("paid") | {"payer_id": "1078810412"}]
    assert reasons(take(ledger, paid, *elsewhere)) == []
    assert value(ledger.database, "SELECT count(DISTINCT payment_id) FROM premium_payments") == 3
    assert [contract["payer_id"] for contract in ask(ledger)].count("1078810412") == 1


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [premium("invoiced", period_to="2026-03-31"), premium("paid") | {"schema": 2}, premium("forgiven")]
    bad.append(premium("paid", payment_id="4111111111111111"))
    wrong = ["json.wrong_schema", "json.unknown_version", "json.wrong_schema", "premium.account_number"]
    assert reasons(take(ledger, *bad)) == wrong
    assert value(ledger.database, "SELECT count(*) FROM premium_facts") == 0


# --- what is personal


def test_numbers_are_sealed_under_the_contracts_key_and_the_money_stays_when_it_is_destroyed(ledger: Ledger) -> None:
    take(ledger, premium("paid", invoice_id="I-04"))
    [event] = events(ledger)
    assert isinstance(event, PremiumPaid)
    [stream] = rows(ledger.database, "SELECT contract_id::text AS id FROM premium_facts")
    [recorded] = ledger.log.history(stream["id"])
    assert ledger.mapper.unseal(recorded.stored, event) == Numbers("C-1", "I-04", "P-1")
    for number in (b"C-1", b"I-04", b"P-1", MEMBER.encode()):
        assert number not in recorded.stored.state
    ledger.keys.destroy(stream["id"])
    assert ledger.mapper.unseal(recorded.stored, event) is None
    assert reasons(take(ledger, premium("lapsed"))) == ["person.erased"]
    assert float(ask(ledger)[0]["credit"]) == 300


# --- the tool


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_a_members_premiums_are_shown(run: Run) -> None:
    run("init")
    written = b"\n".join(map(encoded, LIFE))
    (answer,) = lines(run("ingest", "-", "--format", "json-premium", "--json", stdin=written))
    assert (answer["format"], answer["messages"], answer["events"]) == ("json-premium-lines", len(LIFE), len(LIFE))
    (answer,) = lines(
        run("ingest", "-", "--format", "json-premium", "--json", stdin=encoded(premium("lapsed", "C-2", "OTHER")))
    )
    assert (answer["format"], answer["events"]) == ("json-premium", 1)
    run("project", "--once")
    [contract] = lines(run("premiums", MEMBER.lower(), "--as-of", "2026-02-20", "--json"))
    assert (contract["standing"], contract["grace_until"], contract["open"]) == ("in_grace", "2026-05-02", 600.00)
    assert [(each["standing"], each["open"]) for each in contract["invoices"]] == [
        ("paid_up", 0),
        ("in_grace", 300),
        ("due", 300),
    ]
    assert [(each["amount"], each["returned_on"]) for each in contract["payments"]] == [
        (300, None),
        (400, "2026-02-20"),
    ]
    assert lines(run("premiums", MEMBER, "--known-at", "0", "--json")) == []
    shown = run("premiums", MEMBER, "--as-of", "2026-02-20").stdout.decode()
    for words in ("in grace", "2026-05-02", "600.00", "returned 2026-02-20", "As of 2026-02-20"):
        assert words in shown
    assert "No premiums" in run("premiums", "NOBODY").stdout.decode()
