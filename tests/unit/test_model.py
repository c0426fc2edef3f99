"""The independent model against lives whose figures are worked out by hand here."""

import json
from typing import Any

import pytest

from tests.model import truth

PAYER = "1078810412"
CLAIM = (PAYER, "C1", "M1", "ADA")
BILL = ("2110200310", "P1", "ADA", "2026-02-02")

Message = tuple[str, bytes]


def payment(trace: str, day: str, *claims: str, plb: str = "") -> Message:
    """A remittance of the clinic on a day (20260301); its claims as `claim` gives them."""
    segments = [
        "ISA*00", "GS*HP", "ST*835*0001", "BPR*" + "*".join(["I", *[""] * 14, day]), f"TRN*1*{trace}*{PAYER}",
        "N1*PE*CLINIC*XX*2110200310", *claims, *([f"PLB*2110200310*20261231*{plb}"] * bool(plb)),
        "SE*9*0001", "GE*1*1", "IEA*1*000000001",
    ]  # fmt: skip
    return "payer.remittances", "".join(f"{segment}~\n" for segment in segments).encode()


def claim(code: str, charge: str, paid: str, patient: str, *cas: str, number: str = "C1", member: str = "M1") -> str:
    """One claim of one line."""
    return "~\n".join(
        [
            f"CLP*P1*{code}*{charge}*{paid}*{patient}*12*{number}*11*1",
            f"NM1*QC*1*ABERNOLT*ADA****MI*{member}",
            f"SVC*HC:99213*{charge}*{paid}**1",
            "DTM*472*20260202",
            *cas,
        ]
    )


def notice(**said: Any) -> Message:
    message = {
        "schema": 1,
        "payer_id": PAYER,
        "patient": {"member_id": "M1", "given_name": "ADA"},
        "numbers": {"patient_control_number": "P1", "payer_claim_number": "C1"},
        "billing_provider_id": "2110200310",
        "said": said,
    }
    return "payer.adjudications", json.dumps(message).encode()


def report(kind: str, at: str, **more: Any) -> Message:
    return notice(kind=kind, at=f"{at}-05:00", **more)


def decision(on: str, code: str, charge: int, paid: int, patient: int, *reasons: tuple[str, str, int]) -> Message:
    adjustments = [{"group": group, "carc": carc, "cents": cents} for group, carc, cents in reasons]
    line = {"charge_cents": charge, "paid_cents": paid, "adjustments": adjustments, "service_from": "2026-02-02"}
    amounts = {"charge_cents": charge, "paid_cents": paid, "patient_cents": patient}
    return notice(kind="adjudicated", on=on, sequence=1, status_code=code, adjustments=[], lines=[line], **amounts)


# 100.00 charged, 20.00 above the fee schedule, 16.50 coinsurance, 63.50 paid; taken back; then 40.00 bundled away.
PAID = payment("T1", "20260301", claim("1", "100", "63.5", "16.5", "CAS*CO*45*20", "CAS*PR*2*16.5"))
TAKEN_BACK = claim("22", "-100", "-63.5", "0", "CAS*CO*45*-20", "CAS*PR*2*-16.5")
CORRECTED = claim("1", "100", "23.5", "16.5", "CAS*CO*45*20**97*40", "CAS*PR*2*16.5")
SAME_MONEY = claim("1", "100", "63.5", "16.5", "CAS*CO*131*20", "CAS*PR*2*16.5")


def figures(*messages: Message) -> tuple[Any, ...]:
    """Status, charge, paid, member's share, cash, what is awaited and the number of facts of the claim."""
    stands = truth(messages)["claims"][CLAIM]
    return tuple(stands[name] for name in ("status", "charge", "paid", "member", "cash", "awaits", "facts"))


LIVES: dict[str, tuple[list[Message], tuple[Any, ...]]] = {
    "paid": ([PAID], ("paid", 10_000, 6_350, 1_650, 6_350, "", 1)),
    "the same message twice": ([PAID, PAID], ("paid", 10_000, 6_350, 1_650, 6_350, "", 1)),
    "the same payment in another envelope": (
        [PAID, (PAID[0], PAID[1].replace(b"000000001", b"000000002"))],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 1),
    ),
    "zero paid is the member's": (
        [payment("T1", "20260301", claim("1", "100", "0", "80", "CAS*CO*45*20", "CAS*PR*1*80"))],
        ("member_liability", 10_000, 0, 8_000, 0, "", 1),
    ),
    "denied": (
        [payment("T1", "20260301", claim("1", "100", "0", "0", "CAS*CO*50*100"))],
        ("denied", 10_000, 0, 0, 0, "", 1),
    ),
    "the prior payer covers it": (
        [payment("T1", "20260301", claim("2", "100", "0", "0", "CAS*OA*23*100"))],
        ("nothing_due", 10_000, 0, 0, 0, "", 1),
    ),
    "not recognised": (
        [payment("T1", "20260301", claim("4", "100", "0", "0", "CAS*CO*45*100"))],
        ("denied", 10_000, 0, 0, 0, "", 1),
    ),
    "one of two lines denied": (
        [payment("T1", "20260301", claim("1", "100", "60", "0", "CAS*CO*45*40", "SVC*HC:1*40*0**1", "CAS*CO*50*40"))],
        ("partially_paid", 10_000, 6_000, 0, 6_000, "", 1),
    ),
    "taken back": (
        [PAID, payment("T2", "20260310", TAKEN_BACK)],
        ("reversed", 10_000, 0, 0, 0, "", 2),
    ),
    "taken back before it was paid": (
        [payment("T2", "20260310", TAKEN_BACK)],
        ("reversed", 10_000, 0, 0, -6_350, "original", 1),
    ),
    "corrected": (
        [PAID, payment("T2", "20260310", TAKEN_BACK, CORRECTED)],
        ("paid", 10_000, 2_350, 1_650, 2_350, "", 3),
    ),
    "corrected where the original has not come": (
        [payment("T2", "20260310", CORRECTED, TAKEN_BACK)],
        ("paid", 10_000, 2_350, 1_650, -4_000, "original", 2),
    ),
    "corrected for the same money": (
        [PAID, payment("T2", "20260310", TAKEN_BACK, SAME_MONEY)],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 3),
    ),
    "corrected, and the first payment not taken back yet": (
        [PAID, payment("T2", "20260310", CORRECTED)],
        ("paid", 10_000, 2_350, 1_650, 8_700, "reversal", 2),
    ),
    "corrected, and the first payment taken back later": (
        [PAID, payment("T2", "20260310", CORRECTED), payment("T3", "20260320", TAKEN_BACK)],
        ("paid", 10_000, 2_350, 1_650, 2_350, "", 3),
    ),
    "paid twice, and the second payment taken back": (
        [PAID, payment("T2", "20260310", SAME_MONEY), payment("T3", "20260320", TAKEN_BACK)],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 3),
    ),
    "announced, paid and taken back": (
        [
            decision("2026-02-20", "1", 10_000, 6_350, 1_650, ("CO", "45", 2_000), ("PR", "2", 1_650)),
            PAID,
            payment("T2", "20260310", TAKEN_BACK),
        ],
        ("reversed", 10_000, 0, 0, 0, "", 3),
    ),
    "announced otherwise after it was paid": (
        [PAID, decision("2026-03-05", "1", 10_000, 8_350, 1_650, ("PR", "2", 1_650))],
        ("paid", 10_000, 8_350, 1_650, 6_350, "", 2),
    ),
    "announced and withdrawn": (
        [
            decision("2026-02-20", "1", 10_000, 0, 0, ("CO", "50", 10_000)),
            decision("2026-02-22", "22", -10_000, 0, 0, ("CO", "50", -10_000)),
        ],
        ("reversed", 10_000, 0, 0, 0, "", 2),
    ),
    "pended": (
        [report("received", "2026-02-03T09:00"), report("pended", "2026-02-04T09:00", awaits="medical_review")],
        ("pended", 0, 0, 0, 0, "medical_review", 2),
    ),
    "released": (
        [report("pended", "2026-02-04T09:00", awaits="other"), report("released", "2026-02-04T09:01")],
        ("in_process", 0, 0, 0, 0, "", 2),
    ),
    "rejected with a charge": (
        [report("received", "2026-02-03T09:00", charge_cents=10_000), report("rejected", "2026-02-03T09:30")],
        ("rejected", 10_000, 0, 0, 0, "", 2),
    ),
    "a report of the payment's day, however late": (
        [PAID, report("accepted", "2026-03-01T23:30")],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 2),
    ),
    "a report of the day after": (
        [PAID, report("pended", "2026-03-02T00:30", awaits="other")],
        ("pended", 10_000, 6_350, 1_650, 6_350, "other", 2),
    ),
    "voided on the day of its payment": (
        [report("voided", "2026-03-01T08:00"), PAID],
        ("voided", 10_000, 0, 0, 6_350, "", 2),
    ),
    "voided and paid afterwards": (
        [report("voided", "2026-02-20T08:00"), PAID],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 2),
    ),
    "forwarded": (
        [payment("T1", "20260301", claim("23", "100", "0", "0", "CAS*OA*109*100"))],
        ("forwarded", 10_000, 0, 0, 0, "", 1),
    ),
    "predetermined": (
        [payment("T1", "20260228", claim("25", "100", "0", "0", "CAS*OA*101*100"))],
        ("predetermination", 10_000, 0, 0, 0, "", 1),
    ),
    "predetermined and paid": (
        [payment("T0", "20260315", claim("25", "90", "0", "0", "CAS*OA*101*90")), PAID],
        ("paid", 10_000, 6_350, 1_650, 6_350, "", 2),
    ),
    "nothing but an objection": ([report("disputed", "2026-03-05T08:00")], (None, 0, 0, 0, 0, "", 1)),
}


@pytest.mark.parametrize("life", LIVES)
def test_where_a_claim_stands(life: str) -> None:
    messages, expected = LIVES[life]
    assert figures(*messages) == expected
    assert figures(*reversed(messages)) == expected


def test_the_same_posting_with_other_content_is_parked() -> None:
    """The first to come counts; which one that is does not matter to the money here."""
    known = truth([PAID, payment("T1", "20260301", SAME_MONEY)])
    assert known["parked"] == {"claim.conflict": 1}
    assert (known["claims"][CLAIM]["facts"], known["payments"]) == (1, 1)


def test_the_same_posting_twice_in_one_payment_is_two() -> None:
    half = claim("1", "100", "63.5", "16.5", "CAS*CO*45*20", "CAS*PR*2*16.5")
    assert figures(payment("T1", "20260301", half, half)) == ("paid", 10_000, 6_350, 1_650, 12_700, "reversal", 2)


def test_an_appeal_runs_beside_the_status() -> None:
    denied = payment("T1", "20260301", claim("1", "100", "0", "0", "CAS*CO*50*100"))
    appealed = report("appealed", "2026-03-05T08:00", level=1, by="member")
    decided = report("appeal_decided", "2026-03-09T08:00", level=1, outcome="overturned")
    again = report("appealed", "2026-03-20T08:00", level=2, by="member")
    stands = [
        truth(said)["claims"][CLAIM] for said in ([denied, appealed], [decided, denied, appealed], [again, decided])
    ]
    assert [each["appeal"] for each in stands] == [("appealed", 1), ("overturned", 1), ("appealed", 2)]
    assert [each["status"] for each in stands] == ["denied", "denied", None]


def test_the_member_owes_what_the_last_payer_in_sequence_leaves() -> None:
    """The first leaves 20.00, the second pays 15.00 of them, the third another 4.00."""
    first = payment("T1", "20260301", claim("1", "100", "80", "20", "CAS*PR*2*20"))
    second = payment(
        "T2", "20260310", claim("2", "100", "15", "5", "CAS*OA*23*80", "CAS*PR*2*5", number="D1", member="N1")
    )
    third = payment(
        "T3", "20260320", claim("3", "100", "4", "1", "CAS*OA*23*95", "CAS*PR*2*1", number="E1", member="O1")
    )
    assert truth([first])["bills"] == {BILL: 2_000}
    assert truth([second, first])["bills"] == {BILL: 500}
    assert truth([third, second, first])["bills"] == {BILL: 100}
    assert truth([third, first])["bills"] == {BILL: 100}


def test_what_cannot_be_taken_back_at_once_is_outstanding_until_it_is_settled() -> None:
    """63.50 could not be taken back; 50.00 are recovered later. What was carried forward is applied in full."""
    owed = payment("T2", "20260310", TAKEN_BACK, plb="WO:P1*-63.5")
    part = payment("T3", "20260320", plb="WO:P1*50*L6:T3*-1")
    forward, applied = payment("T4", "20260321", plb="FB:T4*-7"), payment("T5", "20260322", plb="FB:T4*7")
    key = (PAYER, "2110200310", "WO", "P1")
    assert truth([PAID, owed])["outstanding"] == {key: 6_350}
    assert truth([part, PAID, owed])["outstanding"] == {key: 1_350}
    assert truth([forward])["outstanding"] == {(PAYER, "2110200310", "FB", "T4"): 700}
    assert truth([applied, forward])["outstanding"] == {}


def test_what_cannot_be_understood_is_parked_for_its_reason() -> None:
    off = claim("1", "100", "63.51", "16.5", "CAS*CO*45*20", "CAS*PR*2*16.5")
    topic, value = PAID
    bad = [
        ("payer.adjudications", b'{"schema": 1'),
        ("payer.adjudications", b'{"schema": 1}'),
        (topic, value[: value.index(b"SVC")]),
        payment("T1", "20260301", off),
    ]
    expected = ["json.not_json", "json.wrong_schema", "x12.missing_se", "line.unbalanced"]
    assert truth([*bad, *bad])["parked"] == dict.fromkeys(expected, 1)
    assert truth(bad)["claims"] == {}
