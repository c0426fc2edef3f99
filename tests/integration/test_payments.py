"""Payments over a real ledger: from the processor's messages to what a member is shown."""

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.payments import asked
from application.streams import account_of
from composition import Ledger
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.notices import encoded
from tests.unit.payments import CARD, MEMBER_ID, PAYER_ID, told, told_of_schedule

TODAY = date(2026, 9, 1)


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


LIFE = [
    told("initiated"),
    told("authorised"),
    told("posted"),
    told("refunded"),
    told("charged_back"),
    told("chargeback_reversed"),
]


def test_each_thing_that_is_said_is_a_row_with_where_the_payment_stood_after_it(ledger: Ledger) -> None:
    take(ledger, *LIFE[:3])
    take(ledger, *LIFE[3:])  # another batch
    told_of_it = rows(
        ledger.database,
        "SELECT said, status, collected::float, known_until - position AS held FROM payment_history ORDER BY position",
    )
    assert [tuple(row.values()) for row in told_of_it] == [
        ("initiated", "initiated", 0, 1),
        ("authorised", "authorised", 0, 1),
        ("posted", "posted", 100, 1),
        ("refunded", "partly_refunded", 75, 1),
        ("charged_back", "charged_back", 0, 1),
        ("chargeback_reversed", "partly_refunded", 75, None),
    ]
    [now] = rows(ledger.database, "SELECT status, method, amount::float, refunded::float, posted_on FROM payments")
    assert tuple(now.values()) == ("partly_refunded", "card", 100, 25, date(2026, 7, 3))


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_and_twice_it_ends_in_the_same(ledger: Ledger, seed: int) -> None:
    shuffled = LIFE * 2
    random.Random(seed).shuffle(shuffled)
    outcomes = [outcome for each in shuffled for outcome in take(ledger, each)]
    assert reasons(outcomes) == []
    assert sum(outcome.duplicates for outcome in outcomes) == len(LIFE)
    [[row], _] = asked(ledger, MEMBER_ID, TODAY)
    assert (row["status"], row["collected"], row["late"]) == ("partly_refunded", 75, False)
    booked = """
        SELECT posting ->> 1 AS account, sum((posting ->> 2)::int) AS cents
        FROM events, jsonb_array_elements(coalesce(convert_from(state, 'UTF8')::jsonb -> 'postings', '[]')) posting
        GROUP BY 1
    """
    moved = {row["account"]: row["cents"] for row in rows(ledger.database, booked)}
    assert moved["collected"] - moved.get("unapplied", 0) == 7_500


def test_what_does_not_fit_is_parked_with_its_reason(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    outcomes = take(
        ledger,
        told("posted", amount_cents=9_999),
        told("posted", member_id="NHP999"),
        told("failed", member_id="NHP999"),
        told("refunded", refund_id="re_2", amount_cents=7_501),
        told("refunded", refund_id="re_3", amount_cents=7_500),
        told("returned", code="R99"),
        told_of_schedule("scheduled"),
        told_of_schedule("scheduled", every="week"),
        told_of_schedule("paused", member_id="NHP999"),
    )
    assert reasons(outcomes) == [
        "payment.conflict",
        "payment.conflict",
        "payment.other_member",
        "payment.over_refunded",
        "json.wrong_schema",
        "schedule.conflict",
        "schedule.other_member",
    ]


def test_a_message_with_a_card_number_is_kept_sealed_and_nowhere_else(ledger: Ledger) -> None:
    [outcome] = take(ledger, told("initiated", token=f"card {CARD}"))
    [parked] = outcome.parked
    assert parked.park.reason == "payment.account_number"
    assert value(ledger.database, "SELECT count(*) FROM payment_history") == 0
    item = ledger.log.parked_item(parked.parked_id)
    assert item is not None
    assert CARD.encode() in ledger.intake.raw(item.raw_id)
    in_clear = [*rows(ledger.database, "SELECT convert_from(state, 'UTF8') FROM events"), outcome, item]
    assert CARD not in str(in_clear)
    [sealed] = rows(ledger.database, "SELECT sealed FROM parked_raw")
    assert CARD.encode() not in bytes(sealed["sealed"])
    assert not ledger.intake.retry(parked.parked_id)


def test_the_log_names_nobody_and_no_number_of_the_processors(ledger: Ledger) -> None:
    take(ledger, told("initiated", schedule_id="sc_1"), *LIFE[1:], told_of_schedule("scheduled"))
    text = str(rows(ledger.database, "SELECT convert_from(state, 'UTF8') FROM events"))
    text += str(rows(ledger.database, "SELECT payment_history::text FROM payment_history"))
    text += str(rows(ledger.database, "SELECT schedules::text FROM schedules"))
    for personal in (MEMBER_ID, "py_1", "tok_", "re_1", "dp_1", "po_77", "sc_1", "TGV00000000101"):
        assert personal not in text
    [first] = ledger.log.history(ledger.ids.stream("payment", PAYER_ID, "py_1"))[:1]
    opened: Any = ledger.mapper.unseal(first.stored, ledger.mapper.load(first.stored))
    assert (opened.payment_id, opened.schedule_id) == ("py_1", "sc_1")


def test_what_is_said_of_a_member_whose_key_was_destroyed_is_parked(ledger: Ledger) -> None:
    take(ledger, told("initiated"))
    ledger.keys.destroy(account_of(ledger.ids, PAYER_ID, MEMBER_ID))
    assert reasons(take(ledger, told("posted"))) == ["person.erased"]


def test_a_member_sees_their_payments_as_of_a_day_and_as_known_at_a_position(ledger: Ledger) -> None:
    take(ledger, *LIFE, told("initiated", "py_2", at="2026-07-06T08:00:00-04:00"), told("initiated", "py_3", "NHP2"))

    def seen(day: date, known_at: int | None = None) -> list[tuple[Any, ...]]:
        paid, _ = asked(ledger, MEMBER_ID.lower(), day, known_at)
        return [(row["status"], row["expected_by"], row["collected"], row["late"]) for row in paid]

    due, due_2 = date(2026, 7, 7), date(2026, 7, 9)
    assert seen(date(2026, 7, 2)) == [("authorised", due, 0, False)]
    assert seen(date(2026, 7, 9)) == [("posted", due, 100, False), ("initiated", due_2, 0, False)]
    assert seen(TODAY) == [("partly_refunded", due, 75, False), ("initiated", due_2, 0, True)]
    assert seen(TODAY, known_at=1) == [("initiated", due, 0, True)]
    assert asked(ledger, "NHP0", TODAY) == ([], [])


def test_a_member_sees_when_an_automatic_payment_is_next(ledger: Ledger) -> None:
    take(ledger, *[told_of_schedule(kind) for kind in ("resumed", "skipped", "paused", "scheduled")])
    take(ledger, told_of_schedule("scheduled", "sc_2", amount_cents=2_500, every="week", until="2026-02-10"))
    take(ledger, told_of_schedule("paused", "sc_3"))  # its terms have not come

    def seen(*day: int) -> list[tuple[Any, ...]]:
        _, scheduled = asked(ledger, MEMBER_ID, date(*day))
        return sorted((row["every"], row["amount"], row["status"], row["next_on"]) for row in scheduled)

    fixed = "week", Decimal(25)
    assert seen(2026, 2, 1) == [
        ("month", None, "active", date(2026, 3, 31)),
        (*fixed, "active", date(2026, 2, 7)),
    ]
    assert seen(2026, 3, 1) == [("month", None, "paused", None), (*fixed, "ended", None)]
    assert seen(2026, 4, 1) == [("month", None, "active", date(2026, 4, 30)), (*fixed, "ended", None)]


def test_a_table_that_is_built_anew_is_the_same(ledger: Ledger) -> None:
    take(ledger, *LIFE, told_of_schedule("scheduled"))
    built = ledger.rebuild("payments", limit=2)
    assert (built.rows, built.only_in_old, built.only_in_new) == (7, 0, 0)


def test_the_tool_takes_files_of_payments_and_shows_them(run: Run) -> None:
    file = b"\n".join(map(encoded, [*LIFE, told_of_schedule("scheduled")]))
    assert run("init").returncode == 0
    [answer] = lines(run("ingest", "-", "--format", "json-payment", "--json", stdin=file))
    assert (answer["format"], answer["messages"], answer["events"]) == ("json-payment-lines", 7, 7)
    [again] = lines(run("ingest", "-", "--format", "json-payment", "--json", stdin=encoded(LIFE[0])))
    assert (again["format"], again["duplicates"]) == ("json-payment", 1)
    run("project", "--once")
    paid, scheduled = lines(run("payments", MEMBER_ID, "--as-of", "2026-07-08", "--json"))
    assert (paid["status"], paid["expected_by"], paid["collected"]) == ("posted", "2026-07-07", 100.0)
    assert (scheduled["status"], scheduled["next_on"], scheduled["amount"]) == ("active", "2026-07-31", None)
    [known] = lines(run("payments", MEMBER_ID, "--known-at", "2", "--json"))
    assert (known["status"], known["late"]) == ("authorised", True)
    for shown in (b"charged back (not recognised)", b"balance", b"2026-07-03"):
        assert shown in run("payments", MEMBER_ID, "--as-of", "2026-07-20", COLUMNS="200").stdout
    assert b"by 2026-07-07 late" in run("payments", MEMBER_ID, "--known-at", "2", COLUMNS="200").stdout
    assert b"No payments" in run("payments", "NHP0").stdout
