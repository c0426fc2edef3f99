"""Payments and the bills that they pay, over a real ledger."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from adapters.cli.accounts import checked
from application.ports import Format, Message
from composition import Ledger
from samples import generator
from tests.given import ADA, damaged, remittance, rows
from tests.integration.test_accounts import claim, take
from tests.unit.notices import Message as Said
from tests.unit.notices import encoded
from tests.unit.payments import told

PAYER_ID = "1078810412"


def pay(ledger: Ledger, *messages: Said) -> None:
    sent = [encoded(message | {"payer_id": PAYER_ID, "member_id": ADA.member_id}) for message in messages]
    for number, value in enumerate(sent):
        [outcome] = ledger.intake.handle([Message(f"payments/0@{number}", value, Format.JSON_PAYMENT)])
        assert outcome.parked == []
    ledger.runner.catch_up()


def owed(ledger: Ledger) -> dict[str, float]:
    """By the claim's number, and `credit`: what waits, and what bills have too much of."""
    question = """
        SELECT claim.claim_id::text AS claim, coalesce(sum(entry.amount), 0) AS owed FROM claim_status claim
        LEFT JOIN entries entry ON entry.bill_id = claim.bill_id AND entry.account LIKE 'owed.%%'
        GROUP BY claim.claim_id
    """
    found = {row["claim"]: float(row["owed"]) for row in rows(ledger.database, question)}
    named = {number: found[claim_id(ledger, number)] for number in "123" if claim_id(ledger, number) in found}
    [credit] = rows(
        ledger.database,
        "SELECT coalesce(-sum(amount), 0) AS cents FROM entries WHERE account IN ('credit', 'unapplied')",
    )
    return named | {"credit": float(credit["cents"])}


def claim_id(ledger: Ledger, number: str) -> str:
    person = ledger.ids.stream("person", PAYER_ID, ADA.member_id, ADA.given_name)
    return ledger.ids.stream("claim", PAYER_ID, "payer", number, person)


@pytest.fixture
def two_bills(ledger: Ledger) -> Ledger:
    """15 dollars are owed of the older bill and 20 of the newer one."""
    newer = claim("1", 8_000, ("1", 2_000), served=date(2026, 2, 20))
    take(ledger, 1, newer, claim("2", 8_000, ("2", 1_500), served=date(2026, 1, 10)))
    return ledger


def test_a_payment_pays_the_oldest_bill_first_and_what_is_left_is_credit(two_bills: Ledger) -> None:
    pay(two_bills, told("initiated", claims=[]), told("posted", amount_cents=2_500))
    assert owed(two_bills) == {"1": 10, "2": 0, "credit": 0}
    pay(two_bills, told("posted", "py_2", amount_cents=4_000))
    assert owed(two_bills) == {"1": 0, "2": 0, "credit": 30}
    assert not any(checked(two_bills).values())


def test_a_payment_pays_what_it_was_made_for_and_nothing_else(two_bills: Ledger) -> None:
    pay(two_bills, told("initiated", claims=[claim_id(two_bills, "1")]), told("posted", amount_cents=3_000))
    assert owed(two_bills) == {"1": 0, "2": 15, "credit": 10}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_posted_may_come_before_what_it_is_for(two_bills: Ledger, order: Iterable[int]) -> None:
    said = [told("initiated", claims=[claim_id(two_bills, "1")]), told("posted", amount_cents=1_000)]
    pay(two_bills, *(said[at] for at in order))
    found = owed(two_bills)
    assert sum(found.values()) == 25
    assert found["credit"] == 0


def test_what_is_returned_is_owed_again(two_bills: Ledger) -> None:
    pay(two_bills, told("posted", amount_cents=2_500), told("returned"))
    assert owed(two_bills) == {"1": 20, "2": 15, "credit": 0}
    assert not any(checked(two_bills).values())


def test_a_refund_takes_the_credit_first_and_then_what_was_applied_last(two_bills: Ledger) -> None:
    pay(two_bills, told("posted", amount_cents=4_000), told("refunded", amount_cents=500))
    assert owed(two_bills) == {"1": 0, "2": 0, "credit": 0}
    pay(two_bills, told("refunded", refund_id="re_2", amount_cents=1_500))
    assert owed(two_bills) == {"1": 15, "2": 0, "credit": 0}


def test_a_reversal_after_payment_leaves_a_credit(two_bills: Ledger) -> None:
    pay(two_bills, told("posted", amount_cents=3_500))
    taken_back = generator.reversal(claim("2", 8_000, ("2", 1_500), served=date(2026, 1, 10)))
    take(two_bills, 2, taken_back, claim("3", 10_000))
    assert owed(two_bills) == {"1": 0, "2": 0, "3": 0, "credit": 15}
    assert not any(checked(two_bills).values())


def test_a_payment_before_its_claims_waits_as_credit(ledger: Ledger) -> None:
    pay(ledger, told("posted", amount_cents=2_500))
    take(ledger, 1, claim("1", 8_000, ("1", 2_000)))
    assert owed(ledger) == {"1": 20, "credit": 25}


def test_the_same_again_pays_nothing_twice(two_bills: Ledger) -> None:
    said: list[Any] = [told("initiated"), told("posted", amount_cents=2_500)]
    pay(two_bills, *said, *said)
    assert sum(owed(two_bills).values()) == 10


def test_a_payment_and_the_claims_that_it_is_for_may_come_in_one_batch(two_bills: Ledger) -> None:
    """Also where both look at the same streams."""
    chosen = [claim_id(two_bills, "1"), claim_id(two_bills, "2")]
    for_both = [told("initiated", claims=chosen), told("posted", amount_cents=3_500)]
    again = [told("initiated", "py_2", claims=chosen), told("posted", "py_2", amount_cents=100)]
    of_member = {"payer_id": PAYER_ID, "member_id": ADA.member_id}
    taken_back = generator.reversal(claim("2", 8_000, ("2", 1_500), served=date(2026, 1, 10)))
    of_claims = generator.render([remittance(2, taken_back, claim("3", 10_000))], control=2)
    batch = [Message(f"payments/0@{at}", encoded(each | of_member), Format.JSON_PAYMENT) for at, each in
             enumerate([*for_both, *again])]  # fmt: skip
    outcomes = two_bills.intake.handle([*batch[:3], Message("payer.remittances/0@1", of_claims), *batch[3:]])
    assert [outcome.parked for outcome in outcomes] == [[]] * 5
    two_bills.runner.catch_up()
    assert owed(two_bills) == {"1": 0, "2": 0, "3": 0, "credit": 16}
    assert not any(checked(two_bills).values())


def test_a_bill_that_cannot_be_read_keeps_what_it_has_and_holds_nobody_up(two_bills: Ledger) -> None:
    pay(two_bills, told("posted", amount_cents=3_500))
    question = "SELECT bill_id::text FROM claim_status WHERE claim_id = %s"
    [bill] = rows(two_bills.database, question, claim_id(two_bills, "2"))
    with damaged(two_bills.log, bill["bill_id"]):
        pay(two_bills, told("returned"))
    assert owed(two_bills) == {"1": 20, "2": 0, "credit": -15}
    pay(two_bills, told("posted", "py_2", amount_cents=2_000))
    assert owed(two_bills)["1"] == 0
