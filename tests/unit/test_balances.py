"""The three balances of the guide, to the cent: one cent anywhere is found and named."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.x12.translate import translate
from application.ports import NotUnderstood, Understood
from consumers.messages import balanced
from domain.adjudication import Adjudication, Adjustment, ClaimPayment, ServiceLine
from domain.money import Money
from domain.remittance import Imbalance, Remittance, imbalances
from samples import generator, model
from tests.unit.edi import BODY, SMALL, replaced, understood, with_body
from tests.unit.models import expected, remittances

TRANSACTION, CLAIM, LINE = "transaction.unbalanced", "claim.unbalanced", "line.unbalanced"

Perturbed = tuple[str, Remittance, set[tuple[str, str]]]
"""What was changed, the changed remittance, and the sums that no longer hold, with where"""


def cent(cents: int, by: int) -> Money:
    return Money(cents + by)


def perturbations(remittance: Remittance, by: int) -> Iterator[Perturbed]:
    """Every amount that takes part in a balance, changed by itself."""
    total = replace(remittance, total_cents=cent(remittance.total_cents, by))
    if total.total_cents >= 0:
        yield "BPR02", total, {(TRANSACTION, "BPR02")}
    for at, entry in enumerate(remittance.provider_adjustments):
        changed = replace(entry, cents=cent(entry.cents, by))
        entries = _put(remittance.provider_adjustments, at, changed)
        yield f"PLB {at}", replace(remittance, provider_adjustments=entries), {(TRANSACTION, "BPR02")}
    for at, claim in enumerate(remittance.claims):
        number = f"claim {at + 1}"
        for name, adjudication, lines in _claim_perturbations(claim.adjudication, by):
            claims = _put(remittance.claims, at, replace(claim, adjudication=adjudication))
            wrong = {(LINE, f"{number} {line}") for line in lines}
            if name not in ("SVC02", "SVC03"):
                wrong.add((CLAIM, number))
            if name == "CLP04":
                wrong.add((TRANSACTION, "BPR02"))
            yield f"{number} {name}", replace(remittance, claims=claims), wrong


def _claim_perturbations(adjudication: Adjudication, by: int) -> Iterator[tuple[str, Adjudication, list[str]]]:
    yield "CLP03", replace(adjudication, charge_cents=cent(adjudication.charge_cents, by)), []
    yield "CLP04", replace(adjudication, paid_cents=cent(adjudication.paid_cents, by)), []
    for at, adjustment in enumerate(adjudication.adjustments):
        adjustments = _put(adjudication.adjustments, at, replace(adjustment, cents=cent(adjustment.cents, by)))
        yield "claim CAS", replace(adjudication, adjustments=adjustments), []
    for at, line in enumerate(adjudication.lines):
        for name, changed in _line_perturbations(line, by):
            yield name, replace(adjudication, lines=_put(adjudication.lines, at, changed)), [f"line {at + 1}"]


def _line_perturbations(line: ServiceLine, by: int) -> Iterator[tuple[str, ServiceLine]]:
    yield "SVC02", replace(line, charge_cents=cent(line.charge_cents, by))
    yield "SVC03", replace(line, paid_cents=cent(line.paid_cents, by))
    for at, adjustment in enumerate(line.adjustments):
        adjustments = _put(line.adjustments, at, replace(adjustment, cents=cent(adjustment.cents, by)))
        yield "line CAS", replace(line, adjustments=adjustments)


def _put(values: tuple, at: int, value: object) -> tuple:
    return (*values[:at], value, *values[at + 1 :])


@given(remittances(), st.sampled_from([1, -1]))
@settings(max_examples=100)
def test_a_generated_remittance_balances_and_one_cent_more_or_less_anywhere_does_not(
    made: model.Remittance, by: int
) -> None:
    remittance = expected(made)
    assert list(imbalances(remittance)) == []
    for what, changed, wrong in perturbations(remittance, by):
        found = list(imbalances(changed))
        assert {(each.reason, each.where) for each in found} == wrong, what
        assert len(found) == len(wrong)
        assert all(abs(each.expected_cents - each.stated_cents) == 1 for each in found), what


@given(remittances(claims_max=6), st.integers(-(10**9), 10**9).map(Money))
@settings(max_examples=50)
def test_amt_allowed_amounts_and_the_patients_responsibility_take_no_part(
    made: model.Remittance, any_cents: Money
) -> None:
    def noisy(claim: ClaimPayment) -> ClaimPayment:
        lines = tuple(replace(line, allowed_cents=any_cents) for line in claim.adjudication.lines)
        amounts = (("AU", any_cents), ("F5", any_cents), ("I", any_cents))
        adjudication = replace(claim.adjudication, lines=lines, amounts=amounts, patient_cents=any_cents)
        return replace(claim, adjudication=adjudication)

    remittance = expected(made)
    assert list(imbalances(replace(remittance, claims=tuple(map(noisy, remittance.claims))))) == []


@pytest.mark.parametrize("amt", ["AMT*AU*99999", "AMT*I*12.5", "AMT*F5*1", "AMT*NL*-3"])
def test_a_written_amt_takes_no_part(amt: str) -> None:
    at = next(at for at, segment in enumerate(BODY) if segment.startswith("SVC"))
    assert list(imbalances(understood(with_body(*BODY[:at], amt, *BODY[at:])).remittance)) == []
    assert list(imbalances(understood(with_body(*BODY, "AMT*B6*7")).remittance)) == []


def test_a_line_adjustment_is_not_expected_again_at_the_claim() -> None:
    again = list(imbalances(understood(with_body(*BODY[:6], "CAS*PR*2*20", *BODY[6:])).remittance))
    assert again == [Imbalance(CLAIM, "claim 1", 6000, 8000)]


def test_a_positive_adjustment_decreases_the_payment() -> None:
    body = ["BPR*I*75*C*ACH************20260302", *BODY[1:]]
    assert list(imbalances(understood(with_body(*body, "PLB*NPI*20261231*WO:X*5")).remittance)) == []
    assert list(imbalances(understood(with_body(*body, "PLB*NPI*20261231*WO:X*-5")).remittance)) == [
        Imbalance(TRANSACTION, "BPR02", 8500, 7500)
    ]


def test_a_claim_without_lines_balances_by_its_own_adjustments() -> None:
    body = [*BODY[:6], "CAS*PR*2*20", BODY[6]]
    assert list(imbalances(understood(with_body(*body)).remittance)) == []


def test_a_payment_is_never_negative() -> None:
    body = ["BPR*I*-20*C*ACH************20260302", *BODY[1:], "PLB*NPI*20261231*WO:X*100"]
    assert list(imbalances(understood(with_body(*body)).remittance)) == [
        Imbalance("transaction.negative", "BPR02", 0, -2000)
    ]


@given(
    st.lists(st.tuples(st.integers(-(10**6), 10**6), st.lists(st.integers(-(10**5), 10**5), max_size=4)), max_size=4)
)
def test_lines_that_pay_their_charge_less_their_adjustments_balance_for_any_amounts(
    made: list[tuple[int, list[int]]],
) -> None:
    lines = tuple(
        ServiceLine(
            "HC:1", Money(charge), Money(charge - sum(cents)), tuple(Adjustment("CO", "45", Money(c)) for c in cents)
        )
        for charge, cents in made
    )
    charge, paid = sum(line.charge_cents for line in lines), sum(line.paid_cents for line in lines)
    small = understood(SMALL).remittance
    adjudication = Adjudication("1", Money(charge), Money(paid), Money(0), lines)
    claim = replace(small.claims[0], adjudication=adjudication)
    remittance = replace(small, claims=(claim, claim), total_cents=Money(2 * paid))
    wrong = [] if paid >= 0 else ["transaction.negative"]
    assert [each.reason for each in imbalances(remittance)] == wrong


# --- a remittance that does not add up is parked whole


def test_what_does_not_balance_is_parked_whole_with_every_failed_sum_named() -> None:
    data = replaced("SVC*HC:99213*100*80**1", "SVC*HC:99213*100*80.01**1").replace(b"BPR*I*80*", b"BPR*I*90*")
    (part,) = balanced(translate)(data)
    assert isinstance(part, NotUnderstood)
    assert (part.reason, part.where, part.claims) == (LINE, "ST 0001 claim 1 line 1", 1)
    assert part.detail == (
        "claim 1 line 1: line.unbalanced, 80.00 expected, 80.01 stated; "
        "BPR02: transaction.unbalanced, 80.00 expected, 90.00 stated"
    )
    assert list(balanced(translate)(part.raw)) == [part]


def test_what_balances_and_what_is_not_understood_pass_unchanged() -> None:
    cut = SMALL[:-20]
    assert [part.remittance for part in balanced(translate)(SMALL) if isinstance(part, Understood)] == [
        understood(SMALL).remittance
    ]
    assert list(balanced(translate)(cut)) == list(translate(cut))


def test_bulk_remittances_balance() -> None:
    for data in generator.bulk(5, 40, each=20, members=10):
        (part,) = balanced(translate)(data)
        assert isinstance(part, Understood)
        assert len(part.remittance.claims) == 20
