"""Payments, and what they put off: sums that hold in any order of arrival."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row

from composition import Ledger
from domain.remittance import RemittanceReceived
from projections import remittances
from projections.projection import Copy, Projected
from samples import generator
from samples.generator import ProviderAdjustment
from tests.given import ADA, BENITO, MEMBERS, message, otherwise, paid, remittance, rows

ORDER = "ORDER BY trace_number"


def pays(number: int, *entries: tuple[str, str, int], claims: Sequence[generator.Claim] = ()) -> generator.Remittance:
    """A remittance of one claim that pays 80 dollars, unless it is given others, with PLB entries."""
    adjustments = tuple(ProviderAdjustment(reason, reference, cents) for reason, reference, cents in entries)
    return replace(remittance(number, *(claims or [paid(f"{number}")])), adjustments=adjustments)


def taken_in(ledger: Ledger, *made: generator.Remittance) -> None:
    for each in made:
        ledger.intake.handle([message(each)])
        ledger.runner.catch_up()


def settlements(ledger: Ledger) -> list[tuple[str, int, int]]:
    """Of each remittance by its number: its state, what it put off and what is left of that, in cents."""
    found = rows(ledger.database, f"SELECT settlement, carried, outstanding FROM public.remittances {ORDER}")
    return [(row["settlement"], int(row["carried"] * 100), int(row["outstanding"] * 100)) for row in found]


def balances(ledger: Ledger) -> list[tuple[str, str, int, int, int]]:
    found = rows(ledger.database, "SELECT * FROM provider_balances ORDER BY reason, first_on, opened")
    amounts = ("opened", "settled", "outstanding")
    return [(row["reason"], row["state"], *(int(row[name] * 100) for name in amounts)) for row in found]


def test_a_remittance_says_what_was_paid_by_whom_to_whom_and_how(ledger: Ledger) -> None:
    made = pays(1, ("L6", "", -250), ("72", "X", 1_000), claims=[paid("1"), paid("2", BENITO, cents=5_000)])
    taken_in(ledger, made)
    [row] = rows(ledger.database, "SELECT * FROM public.remittances")
    assert row["payer_id"] == "1078810412"
    assert (row["payer"], row["payee"], row["payee_id"]) == (made.payer.name, made.payee.name, made.payee.npi)
    assert (row["trace_number"], row["paid_on"], row["produced_on"]) == (
        "NHPT000000001",
        made.paid_on,
        made.produced_on,
    )
    assert (row["method"], row["handling"], row["guide"]) == ("ACH", "I", "005010X221A1")
    amounts = {name: float(row[name]) for name in ("total", "claims_paid", "adjusted", "interest", "unposted")}
    assert amounts == {"total": 122.5, "claims_paid": 130, "adjusted": 7.5, "interest": 2.5, "unposted": 0}
    assert (row["claims_stated"], row["claims_posted"], row["source"]) == (2, 2, "file:test")
    claims = rows(ledger.database, "SELECT claim_id FROM claim_history ORDER BY position")
    assert row["claim_ids"] == [each["claim_id"] for each in claims]


def test_claims_that_are_parked_are_the_difference(ledger: Ledger) -> None:
    taken_in(ledger, pays(1, claims=[paid("1"), paid("2", BENITO, cents=5_000)]))
    taken_in(ledger, pays(2, claims=[otherwise(paid("1")), paid("2", BENITO, cents=5_000)]))
    sent_again = pays(1, claims=[otherwise(paid("1")), paid("2", BENITO, cents=5_000)])
    taken_in(ledger, sent_again)  # the same payment, another word on claim 1: parked, and claim 1 waits
    taken_in(ledger, pays(3, claims=[paid("1"), paid("2", BENITO, cents=5_000)]))
    found = rows(ledger.database, f"SELECT * FROM public.remittances {ORDER}")
    assert [(row["claims_stated"], row["claims_posted"]) for row in found] == [(2, 2), (2, 2), (2, 1)]
    assert [float(row["unposted"]) for row in found] == [0, 0, 80]
    parked = [item for item in ledger.log.parked_items() if item.reason == "claim.conflict"]
    ledger.intake.discard(parked[0].parked_id, "me", "sent by mistake")
    ledger.runner.catch_up()  # what waited follows: in another batch than its remittance
    found = rows(ledger.database, f"SELECT * FROM public.remittances {ORDER}")
    assert [(row["claims_posted"], float(row["unposted"])) for row in found] == [(2, 0)] * 3


def test_what_is_put_off_is_open_until_it_is_taken(ledger: Ledger) -> None:
    taken_in(ledger, pays(1))
    assert (settlements(ledger), balances(ledger)) == ([("nothing_carried", 0, 0)], [])
    taken_in(ledger, pays(2, ("WO", "A", -3_000)))
    assert settlements(ledger)[1:] == [("open", 3_000, 3_000)]
    taken_in(ledger, pays(3, ("WO", "A", 1_000)))
    assert settlements(ledger)[1:] == [("open", 3_000, 2_000), ("nothing_carried", 0, 0)]
    assert balances(ledger) == [("WO", "open", 3_000, 1_000, 2_000)]
    taken_in(ledger, pays(4, ("WO", "A", 2_000)))
    assert settlements(ledger)[1] == ("settled", 3_000, 0)
    assert balances(ledger) == [("WO", "settled", 3_000, 3_000, 0)]


def test_what_was_put_off_first_is_taken_first(ledger: Ledger) -> None:
    taken_in(ledger, pays(2, ("FB", "A", -500)), pays(1, ("FB", "A", -1_000)), pays(3, ("FB", "A", 1_200)))
    assert settlements(ledger) == [("settled", 1_000, 0), ("open", 500, 300), ("nothing_carried", 0, 0)]


def test_one_that_is_taken_before_it_is_known_to_be_put_off_waits(ledger: Ledger) -> None:
    taken_in(ledger, pays(2, ("WO", "A", 1_000)))
    assert settlements(ledger) == [("waiting", 0, 0)]
    assert balances(ledger) == [("WO", "waiting", 0, 1_000, -1_000)]
    taken_in(ledger, pays(1, ("WO", "A", -1_000)))
    assert settlements(ledger) == [("settled", 1_000, 0), ("nothing_carried", 0, 0)]


def test_another_reference_reason_or_payee_is_another_balance(ledger: Ledger) -> None:
    other_payee = replace(pays(4, ("WO", "A", -4)), payee=generator.PAYEES[1])
    taken_in(
        ledger,
        pays(1, ("WO", "A", -1)),
        pays(2, ("WO", "B", -2)),
        pays(3, ("FB", "A", -3), ("CS", "A", -9)),
        other_payee,
    )
    assert balances(ledger) == [("FB", "open", 3, 0, 3)] + [("WO", "open", cents, 0, cents) for cents in (1, 2, 4)]


# --- any order, any batches

ENTRIES = st.lists(
    st.tuples(st.sampled_from(["WO", "WO", "FB", "L6"]), st.sampled_from("AAB"), st.integers(-900, 900)), max_size=3
)


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(st.lists(ENTRIES, min_size=1, max_size=5), st.data())
def test_sums_hold_in_any_order_of_remittances_and_in_any_batches(
    ledger: Ledger, entries: list[list[tuple[str, str, int]]], data: st.DataObject
) -> None:
    before = len(rows(ledger.database, "SELECT FROM events"))
    first = before * 10 + 1
    made = [
        pays(number, *each, claims=[paid(f"{number}", member) for member in MEMBERS])
        for number, each in enumerate(entries, first)
    ]
    for each in made:
        ledger.intake.handle([message(each)])
    events = loaded(ledger, before)

    as_they_came = folded(ledger.database.dsn, [events])
    assert [row["total_cents"] for row in as_they_came["remittances"]] == [each.paid_cents for each in made]
    for row in as_they_came["remittances"]:
        assert row["claims_paid_cents"] - row["adjusted_cents"] == row["total_cents"]
        assert len(row["claim_ids"]) == row["claims_stated"] == 3
    sums: dict[tuple[str, str], int] = {}
    for each in made:
        for entry in each.adjustments:
            if entry.code in ("WO", "FB"):
                key = entry.code, entry.reference
                sums[key] = sums.get(key, 0) - entry.cents
    outstanding = sorted(int(row["outstanding"] * 100) for row in as_they_came["public.provider_balances"])
    assert outstanding == sorted(sums.values())
    left = {"open": sum(cents for cents in outstanding if cents > 0)}
    told = sum(row["outstanding"] for row in as_they_came["public.remittances"])
    assert told * 100 == left["open"]

    blocks = blocks_of(events)
    shuffled = [each for block in data.draw(st.permutations(blocks)) for each in block]
    renumbered = [each._replace(position=position) for position, each in enumerate(shuffled, 1)]
    batches = list(cut(renumbered, data.draw(st.lists(st.integers(1, 6), min_size=1))))
    assert without_positions(folded(ledger.database.dsn, batches)) == without_positions(as_they_came)


def loaded(ledger: Ledger, after: int) -> list[Projected]:
    found = []
    for position, recorded_at, stored in ledger.projection_store.events(after, 10_000):
        event = ledger.mapper.load(stored)
        if isinstance(event, remittances.EVENTS):
            found.append(
                Projected(position, recorded_at, stored.originator_id, stored.originator_version, event)  # type: ignore[arg-type]
            )
    return found


def blocks_of(events: Sequence[Projected]) -> list[list[Projected]]:
    """Each remittance with the claims that follow it."""
    blocks: list[list[Projected]] = []
    for each in events:
        if isinstance(each.event, RemittanceReceived):
            blocks.append([])
        blocks[-1].append(each)
    return blocks


def cut(events: Sequence[Projected], sizes: Sequence[int]) -> Iterator[Sequence[Projected]]:
    at, turn = 0, 0
    while at < len(events):
        size = sizes[turn % len(sizes)]
        yield events[at : at + size]
        at, turn = at + size, turn + 1


@contextmanager
def scratch(dsn: str) -> Iterator[psycopg.Cursor[dict[str, Any]]]:
    """Empty tables of the projection and its views, gone afterwards."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection, connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA scratch")
        cursor.execute("SET LOCAL search_path = scratch, public")
        cursor.execute(remittances.TABLES)
        cursor.execute(remittances.VIEWS)
        yield cursor


def folded(dsn: str, batches: Sequence[Sequence[Projected]]) -> dict[str, list[dict[str, Any]]]:
    with scratch(dsn) as cursor:
        for batch in batches:
            for change in remittances.fold(batch, lambda *_: []):
                assert not isinstance(change, Copy)
                cursor.execute(sql.SQL(change.sql), {"rows": change.rows.decode()})
        names = ("remittances", "provider_adjustments", "public.remittances", "public.provider_balances")
        return {name: sorted(cursor.execute(f"SELECT * FROM {name}").fetchall(), key=by_trace) for name in names}


def by_trace(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ("trace_number", "balance_id", "remittance_id", "number"))


def without_positions(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{column: held for column, held in row.items() if column != "position"} for row in of_table]
        for name, of_table in found.items()
    }


def test_interest_is_what_l6_says_negated(ledger: Ledger) -> None:
    taken_in(ledger, pays(1, ("L6", "", -100), ("L6", "", 30)), pays(2, claims=[paid("2", ADA)]))
    found = rows(ledger.database, f"SELECT interest FROM public.remittances {ORDER}")
    assert [float(row["interest"]) for row in found] == [0.7, 0]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_what_is_cut_between_a_remittance_and_its_claims_comes_to_the_same(ledger: Ledger, limit: int) -> None:
    ledger.intake.handle([message(pays(1, ("WO", "A", -1), claims=[paid("1"), paid("2", BENITO)]))])
    while ledger.runner.step(limit):
        pass
    [row] = rows(ledger.database, "SELECT * FROM public.remittances")
    assert (row["claims_posted"], row["claims_paid"], row["unposted"]) == (2, 160, 0)
