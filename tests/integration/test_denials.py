"""What becomes of a denial: the row stays, and the view tells."""

from typing import Any

from application.ports import Format, Message
from composition import Ledger
from tests.given import rows
from tests.unit.notices import adjudicated, encoded, line, report

DENIED = line(paid=0, adjustments=[{"group": "CO", "carc": "97", "cents": 10_000}])


def said(ledger: Ledger, *notices: dict[str, Any]) -> None:
    for each in notices:
        [outcome] = ledger.intake.handle([Message("test", encoded(each), Format.JSON_CLAIM)])
        assert outcome.events
        assert not outcome.parked
    ledger.runner.catch_up()


def outcomes(ledger: Ledger) -> list[tuple[str, bool]]:
    found = rows(ledger.database, "SELECT outcome, stands FROM denials ORDER BY day, position, line")
    return [(row["outcome"], row["stands"]) for row in found]


def test_a_denial_stands_until_something_comes(ledger: Ledger) -> None:
    said(ledger, report("received"), adjudicated(line(), DENIED))
    [row] = rows(ledger.database, "SELECT * FROM denials")
    assert (row["line"], row["carc"], float(row["denied"]), row["claim_status"]) == (2, "97", 100, "partially_paid")
    assert outcomes(ledger) == [("stands", True)]


def test_a_correction_that_pays_leaves_the_denial_on_record(ledger: Ledger) -> None:
    said(ledger, adjudicated(DENIED), adjudicated(line(), on="2026-03-09"))
    assert outcomes(ledger) == [("paid", False)]


def test_the_order_of_arrival_does_not_matter(ledger: Ledger) -> None:
    said(ledger, adjudicated(line(), on="2026-03-09"), adjudicated(DENIED))
    assert outcomes(ledger) == [("paid", False)]


def test_a_second_denial_replaces_the_first(ledger: Ledger) -> None:
    said(ledger, adjudicated(DENIED), adjudicated(DENIED, on="2026-03-09"))
    assert outcomes(ledger) == [("replaced", False), ("stands", True)]


def test_a_reversal_takes_a_denial_back(ledger: Ledger) -> None:
    taken_back = line(-10_000, 0, adjustments=[{"group": "CO", "carc": "97", "cents": -10_000}])
    said(ledger, adjudicated(DENIED), adjudicated(taken_back, on="2026-03-09", status_code="22"))
    assert outcomes(ledger) == [("reversed", False)]


def test_an_appeal_overturns_it_and_the_correction_pays(ledger: Ledger) -> None:
    at = "2026-03-20T10:00:00-05:00"
    said(ledger, adjudicated(DENIED), report("appealed", at=at))
    assert outcomes(ledger) == [("stands", True)]
    said(ledger, report("appeal_decided", at="2026-04-02T10:00:00-05:00"))
    assert outcomes(ledger) == [("overturned", True)]
    said(ledger, adjudicated(line(), on="2026-04-09"))
    [row] = rows(ledger.database, "SELECT outcome, appeal, claim_status FROM denials")
    assert tuple(row.values()) == ("paid", "overturned", "paid")


def test_a_voided_claim_has_no_standing_denial(ledger: Ledger) -> None:
    said(ledger, adjudicated(DENIED), report("voided", at="2026-03-20T10:00:00-05:00"))
    assert outcomes(ledger) == [("voided", False)]


def test_a_rejection_a_deductible_and_a_predetermination_are_no_denials(ledger: Ledger) -> None:
    share = line(paid=0, adjustments=[{"group": "PR", "carc": "1", "cents": 10_000}])
    said(ledger, report("rejected"), adjudicated(DENIED, status_code="25"))
    said(ledger, adjudicated(share, on="2026-03-09", patient_cents=10_000))
    assert outcomes(ledger) == []
