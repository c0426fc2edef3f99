"""Accounts over a real ledger: what the tool shows of them, and what a check finds."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from adapters.cli.accounts import checked
from adapters.settings import Settings
from application.accounts import enter_claims
from application.intake import ATTEMPTS, Outcome
from application.ports import Format, Message, VersionConflict
from application.requests import of_bill
from composition import Ledger, open_ledger
from domain.account import WriteOff, WriteOffReason
from domain.adjudication import AccumulatorKind
from domain.facts import StreamId
from domain.money import Money
from projections.account_queries import ACCOUNT, ACCUMULATORS, BALANCE, TRIAL_BALANCE, accumulators_of
from samples import generator
from tests.given import ADA, BENITO, remittance, rows
from tests.unit.notices import adjudicated, encoded, line
from tests.unit.payments import told

UNLIMITED: dict[str, Any] = {"as_of": None, "known_at": None, "accounts": []}
DEDUCTIBLE, OUT_OF_POCKET = AccumulatorKind


def claim(number: str, cents: int, *left: tuple[str, int], served: date = date(2026, 2, 2), **other: Any) -> Any:
    """A charge of 100 dollars; what is not paid or left to the patient by a reason is written off."""
    adjustments = [generator.Adjustment("PR", carc, share) for carc, share in left]
    off = 10_000 - cents - sum(share for _, share in left)
    written_off = [generator.Adjustment("CO", "45", off)] if off else []
    lines = (generator.Line("99213", 10_000, (*adjustments, *written_off), served, f"PT{number}L1"),)
    return generator.Claim(f"PT{number}", "1", number, other.get("member", ADA), lines)


def take(ledger: Ledger, number: int, *claims: generator.Claim, patient_paid: str = "") -> None:
    data = generator.render([remittance(number, *claims)], control=number)
    if patient_paid:
        data = data.replace(b"SVC*", b"AMT*F5*%b~\nSVC*" % patient_paid.encode(), 1)
        data = re.sub(rb"\nSE\*(\d+)", lambda found: b"\nSE*%d" % (int(found[1]) + 1), data)
    [outcome] = ledger.intake.handle([Message(f"file:{number}", data)])
    assert outcome.parked == []
    ledger.runner.catch_up()


def ask(ledger: Ledger, question: str, **asked: Any) -> list[dict[str, Any]]:
    with ledger.database.session() as cursor:
        return cursor.execute(question, {"member": ADA.member_id} | UNLIMITED | asked).fetchall()


def balances(ledger: Ledger) -> dict[str, float]:
    found = rows(ledger.database, "SELECT account, sum(balance) AS sum FROM balances GROUP BY account")
    return {row["account"]: float(row["sum"]) for row in found if row["sum"]}


def test_each_entry_of_a_member_is_told_with_the_balance_after_it(ledger: Ledger) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)))
    take(ledger, 2, claim("2", 5_000, ("2", 1_000), ("3", 2_000), ("204", 700)), claim("3", 10_000, member=BENITO))
    take(ledger, 3, generator.reversal(claim("1", 8_000, ("1", 1_500))), claim("4", 10_000))
    told = ask(ledger, ACCOUNT)
    assert [(float(row["charged"]), float(row["owed"]), float(row["balance"])) for row in told] == [
        (100, 15, 15),
        (100, 37, 52),
        (-100, -15, 37),
        (100, 0, 37),
    ]
    assert [float(row["balance"]) for row in ask(ledger, ACCOUNT, as_of=date(2026, 3, 3))] == [15, 52]
    assert [float(row["balance"]) for row in ask(ledger, ACCOUNT, known_at=told[0]["position"])] == [15]
    assert sum(row["owed"] for row in ask(ledger, BALANCE)) == 37


def test_what_the_patient_paid_is_owed_no_more_and_is_a_credit_once_the_claim_is_taken_back(ledger: Ledger) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)), patient_paid="10")
    assert balances(ledger) == {
        "charges": -100,
        "plan_paid": 80,
        "adjustments": 5,
        "owed.deductible": 5,
        "patient_paid": 10,
    }
    take(ledger, 2, generator.reversal(claim("1", 8_000, ("1", 1_500))), claim("2", 10_000))
    assert balances(ledger) == {"charges": -100, "plan_paid": 100, "patient_paid": 10, "credit": -10}
    assert not any(checked(ledger).values())


def test_a_claim_goes_back_to_an_earlier_bill_when_what_moved_it_is_taken_back(ledger: Ledger) -> None:
    first, second = claim("1", 8_000, ("1", 1_500)), claim("1", 7_000, ("1", 2_500), served=date(2026, 2, 5))
    for number, claims in enumerate([[first], [second], [generator.reversal(second), claim("2", 10_000)]], 1):
        take(ledger, number, *claims)
        assert not any(checked(ledger).values())
    told = [(str(row["bill_id"]), float(row["owed"])) for row in ask(ledger, BALANCE)]
    assert [owed for _, owed in told] == [15, 0, 0]
    moves = rows(ledger.database, "SELECT bill_id::text FROM journal WHERE amount = 15 ORDER BY position, number")
    assert [row["bill_id"] for row in moves] == [told[0][0]] * 3  # booked, taken off, and booked again


def test_fifty_writers_to_one_account_lose_nothing(ledger: Ledger, settings: Settings) -> None:
    """Each payer says of the same bill what it pays, all at once."""
    payers = [str(1_000_000_000 + number) for number in range(50)]
    together = threading.Barrier(len(payers))

    def write(payer: str) -> int:
        sent = encoded(adjudicated(line(10_000, 100), status_code="2", on="2026-03-02") | {"payer_id": payer})
        own = open_ledger(settings)
        together.wait()
        tries, outcomes = 0, list[Outcome]()
        while not outcomes:
            tries += 1
            with suppress(VersionConflict):  # eight attempts were in vain; a consumer reads the batch again
                outcomes = own.intake.handle([Message(f"payer.adjudications/0@{payer}", sent, Format.JSON_CLAIM)])
        own.close()
        assert [outcome.parked for outcome in outcomes] == [[]]
        return tries

    with ThreadPoolExecutor(len(payers)) as pool:
        tries = list(pool.map(write, payers))
    assert max(tries) <= len(payers) // ATTEMPTS + 1  # whoever is refused was refused by somebody who got through
    ledger.runner.catch_up()
    ordered = "array_agg(originator_version ORDER BY originator_version)"
    [bill] = rows(
        ledger.database,
        f"SELECT {ordered} AS versions FROM events WHERE topic LIKE %s GROUP BY originator_id",
        "bill.assessed%",
    )
    assert bill["versions"] == list(range(1, len(payers) + 1))
    assert balances(ledger) == {"charges": -100, "plan_paid": 50, "adjustments": 50}
    assert not any(checked(ledger).values())


def test_cost_share_accumulates_by_person_family_and_year_of_the_service(ledger: Ledger) -> None:
    child = replace(BENITO, member_id=ADA.member_id)
    take(ledger, 1, claim("1", 5_000, ("1", 2_000), ("204", 500)), claim("2", 5_000, ("2", 700), member=child))
    take(
        ledger, 2, claim("3", 5_000, ("66", 300), ("3", 100)), claim("4", 5_000, ("1", 900), served=date(2025, 12, 31))
    )
    take(ledger, 3, generator.reversal(claim("1", 5_000, ("1", 2_000), ("204", 500))), claim("5", 10_000))

    def told(**asked: Any) -> dict[Any, tuple[int, int]]:
        """Deductible and out of pocket of the family and each person, in cents."""
        found = list(accumulators_of(ask(ledger, ACCUMULATORS, **asked)))
        assert {each.network for each in found} <= {None}
        used = {(each.plan.year_from, each.person, each.kind): each.used_cents for each in found}
        return {
            (year and year.year, who and names[who]): (used[year, who, DEDUCTIBLE], used[year, who, OUT_OF_POCKET])
            for year, who, _ in used
        }

    names = {
        row["person_id"]: row["given_name"]
        for row in rows(ledger.database, "SELECT person_id::text, given_name FROM people")
    }
    assert told() == {
        (2026, "ADA"): (300, 400),
        (2026, "BENITO"): (0, 700),
        (2026, None): (300, 1_100),
        (2025, "ADA"): (900, 900),
        (2025, None): (900, 900),
    }
    [taken_back] = rows(ledger.database, "SELECT position FROM claim_history WHERE said = 'reversed'")
    assert told(known_at=taken_back["position"] - 1)[2026, "ADA"] == (2_300, 2_400)
    assert told(as_of=date(2026, 3, 2)) == {
        (2026, who): share for who, share in (("ADA", (2_000, 2_000)), ("BENITO", (0, 700)), (None, (2_000, 2_700)))
    }
    assert not any(checked(ledger).values())


def test_claims_that_were_recorded_before_accounts_were_kept_enter_them_once(ledger: Ledger) -> None:
    ledger.accounts = False
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)), claim("2", 5_000, ("2", 700), member=BENITO))
    take(ledger, 2, generator.reversal(claim("1", 8_000, ("1", 1_500))), claim("3", 10_000))
    assert (balances(ledger), bool(any(checked(ledger).values()))) == ({}, True)
    seen: list[int] = []
    assert enter_claims(ledger.log, ledger.mapper, seen.append, limit=2) == 2
    ledger.runner.catch_up()
    assert not any(checked(ledger).values())
    assert seen == [2, 1]
    assert enter_claims(ledger.log, ledger.mapper) == 0
    assert balances(ledger)["owed.coinsurance"] == 7


def test_a_check_finds_an_account_that_was_tampered_with(ledger: Ledger) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)))
    assert not any(checked(ledger).values())
    with ledger.database.session() as cursor:
        cursor.execute("UPDATE journal_g1.journal SET cents = cents + 1 WHERE destination = 'plan_paid'")
    assert [name for name, failures in checked(ledger).items() if failures] == [
        "the journal says what the log says",
        "accounts say of each bill what its claims say",
    ]
    with ledger.database.session() as cursor:
        cursor.execute("UPDATE journal_g1.journal SET source = destination, destination = source")
    assert "no account has a balance of a sign that it must not have" in [
        n for n, bad in checked(ledger).items() if bad
    ]


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE journal_g1.shares SET deductible_cents = deductible_cents + 1",
        "DELETE FROM journal_g1.shares",
        """UPDATE claim_history_g1.claim_history SET folded = replace(folded, '[1500,', '[1501,')""",
        """UPDATE claim_history_g1.claim_history SET lines = replace(lines, '"1",1500', '"204",1500')""",
    ],
    ids=["booked otherwise", "not booked", "counted otherwise", "another reason"],
)
def test_a_check_finds_what_counts_otherwise_than_its_reasons_say(ledger: Ledger, tamper: str) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)))
    with ledger.database.session() as cursor:
        cursor.execute(tamper)
        assert cursor.rowcount == 1
    found = [name for name, failures in checked(ledger).items() if failures]
    assert found[-1] == "accumulators count of each claim what its reasons say"
    assert found[:-1] == (
        ["what is owed is what claims leave, less what was paid and waived"] if "folded" in tamper else []
    )


@pytest.mark.parametrize(
    ("moved", "check"),
    [
        ("destination = 'owed.deductible'", "what is owed is what claims leave, less what was paid and waived"),
        ("destination = 'collected'", "what is collected is what processors say"),
        ("source = 'applied'", "bills have of each payment what it gives them"),
    ],
)
def test_a_check_finds_money_that_was_moved(ledger: Ledger, moved: str, check: str) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)))
    [bill] = rows(ledger.database, "SELECT bill_id::text FROM claim_status")
    waived = WriteOff("1", Money(500), WriteOffReason.SMALL_BALANCE, date(2026, 4, 1), "ada")
    ledger.execute(of_bill(ledger.ids, "1", StreamId(bill["bill_id"]), waived))
    posted = told("posted", member_id=ADA.member_id, amount_cents=600) | {"payer_id": "1078810412"}
    ledger.intake.handle([Message("payments/0@1", encoded(posted), Format.JSON_PAYMENT)])
    ledger.runner.catch_up()
    assert not any(checked(ledger).values())
    with ledger.database.session() as cursor:
        cursor.execute(f"UPDATE journal_g1.journal SET cents = cents + 1 WHERE {moved}")
        assert cursor.rowcount == 1
    assert check in [name for name, failures in checked(ledger).items() if failures]


@pytest.mark.parametrize("at", [0, 1, None])
def test_a_trial_balance_has_the_accounts_of_its_position(ledger: Ledger, at: int | None) -> None:
    take(ledger, 1, claim("1", 8_000, ("1", 1_500)))
    with ledger.database.session() as cursor:
        found = cursor.execute(TRIAL_BALANCE, {"at": at}).fetchall()
    told = {row["account"]: int(row["balance"]) for row in found}
    now = {"charges": -100, "plan_paid": 80, "adjustments": 5, "owed.deductible": 15}
    assert told == (now if at is None else {})
