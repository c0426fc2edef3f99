"""Rows of an earlier schema version among today's: known, waited behind, retried and discarded like all others."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

import domain.claim
from composition import Ledger
from tests.given import ADA, BENITO, message, otherwise, paid, remittance, rows, value

A, B = paid("A", ADA), paid("B", BENITO)


def age(ledger: Ledger) -> int:
    """Re-write every posting in the log as version 1 had it; how many there are.

    What is sealed in them does not open any more, for it is bound to the topic: nobody who decides or folds opens it.
    """
    postings = rows(ledger.database, "SELECT notification_id, topic, state FROM events WHERE topic ~ '^claim\\..*:2$'")
    with ledger.database.session() as cursor:
        cursor.execute("ALTER TABLE events DISABLE TRIGGER events_are_append_only")
        for row in postings:
            state: dict[str, Any] = msgspec.json.decode(row["state"])
            state["paid_on"] = state.pop("day")
            for later in ("source", "bill"):
                state.pop(later)
            cursor.execute(
                "UPDATE events SET topic = %s, state = %s WHERE notification_id = %s",
                [row["topic"].replace(":2", ":1"), msgspec.json.encode(state), row["notification_id"]],
            )
        cursor.execute("ALTER TABLE events ENABLE TRIGGER events_are_append_only")
    return len(postings)


def standing(ledger: Ledger) -> list[tuple[str, float, int]]:
    ledger.runner.catch_up()
    found = rows(ledger.database, "SELECT status, paid, events FROM claim_status ORDER BY claim_id")
    return sorted((row["status"], float(row["paid"]), row["events"]) for row in found)


def parked(ledger: Ledger) -> list[str]:
    return [item.reason for item in ledger.log.parked_items()]


def test_what_an_earlier_version_recorded_is_a_duplicate_when_it_comes_again(ledger: Ledger) -> None:
    ledger.intake.handle([message(remittance(1, A, B))])
    assert age(ledger) == 2
    [outcome] = ledger.intake.handle([message(remittance(1, A, B), control=2)])
    assert (outcome.events, outcome.duplicates, outcome.parked) == (0, 2, [])
    assert standing(ledger) == [("paid", 80.0, 1)] * 2


def test_a_conflict_with_an_earlier_versions_row_parks_blocks_and_releases(ledger: Ledger) -> None:
    ledger.intake.handle([message(remittance(1, A))])
    age(ledger)
    ledger.intake.handle([message(remittance(1, otherwise(A)), control=2)])
    ledger.intake.handle([message(remittance(2, A), control=3)])
    assert parked(ledger) == ["claim.conflict", "claim.waiting"]
    [conflict, _] = ledger.log.parked_items()
    assert not ledger.intake.retry(conflict.parked_id)
    ledger.intake.discard(conflict.parked_id, "ops", "sent in error")
    assert parked(ledger) == []
    assert standing(ledger) == [("paid", 80.0, 2)]


def test_a_retry_goes_through_behind_an_earlier_versions_rows(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.intake.handle([message(remittance(1, A))])
    ledger.intake.handle([message(remittance(2, replace(A, status="99")), control=2)])
    ledger.intake.handle([message(remittance(3, A), control=3)])
    assert parked(ledger) == ["claim.unknown_status", "claim.waiting"]
    age(ledger)
    monkeypatch.setitem(domain.claim._POSTED_AS, "99", domain.claim.ClaimAdjudicated)
    [item, _] = ledger.log.parked_items()
    assert ledger.intake.retry(item.parked_id)
    assert parked(ledger) == []
    assert standing(ledger)[0][2] == 3


def test_rows_of_both_versions_fold_into_one_history(ledger: Ledger) -> None:
    ledger.intake.handle([message(remittance(1, A))])
    before = standing(ledger)
    age(ledger)
    ledger.intake.handle([message(remittance(2, B), control=2)])
    standing(ledger)
    rebuilt = ledger.rebuild("claim_history")
    assert before == [("paid", 80.0, 1)]
    assert rebuilt.rows == 2
    assert (rebuilt.only_in_old, rebuilt.only_in_new) == (1, 1), "version 1 did not say where a posting was read"
    assert value(ledger.database, "SELECT count(*) FROM claim_history WHERE bill_id IS NULL") == 1
