"""What an 835 transaction set says: the writer's model is the oracle, and every refusal names its segment."""

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.x12.remittance import understand
from adapters.x12.translate import translate
from application.ports import NotUnderstood, Understood
from domain.adjudication import Adjustment
from domain.remittance import ProviderAdjustment, Remittance, imbalances
from samples import generator, model
from tests.unit.edi import (
    BODY,
    DELIMITERS,
    NUMBER,
    SMALL,
    group,
    interchange,
    joined,
    not_understood,
    only,
    replaced,
    transaction,
    understood,
    with_body,
)
from tests.unit.models import expected, remittances


def understood_as(*body: str) -> Remittance:
    return understand(only(with_body(*body)))


def inserted(behind: str, *segments: str) -> list[str]:
    """The small remittance with segments behind the last one of a name."""
    at = max(number for number, segment in enumerate(BODY) if segment.startswith(behind + "*")) + 1
    return [*BODY[:at], *segments, *BODY[at:]]


# --- the model is the oracle


@given(st.lists(remittances(), min_size=1, max_size=2), DELIMITERS)
@settings(max_examples=150)
def test_a_generated_remittance_is_understood_as_its_model_in_any_delimiters(
    made: list[model.Remittance], delimiters: generator.Delimiters
) -> None:
    of_one_payer = [each for each in made if each.payer == made[0].payer]
    parts = list(translate(generator.render(of_one_payer, delimiters=delimiters)))
    assert [part.remittance for part in parts if isinstance(part, Understood)] == list(map(expected, of_one_payer))
    for part in parts:
        assert isinstance(part, Understood)
        assert list(imbalances(part.remittance)) == []
        assert understood(part.raw()).remittance == part.remittance


@given(remittances())
@settings(max_examples=50)
def test_version_004010_says_the_same(made: model.Remittance) -> None:
    data = generator.render(made, version=generator.VERSION_4010)
    assert understood(data).remittance == expected(made, guide="004010X091A1")


@pytest.mark.parametrize("kind", sorted(generator.KINDS))
def test_every_kind_of_claim_is_understood_as_its_model(kind: str) -> None:
    rng = random.Random(kind)
    members = generator.people(rng, generator.PAYERS[0], 4)
    made = generator.remittance(rng, generator.PAYERS[0], members, claims=5, kinds=[kind] * 5)
    assert understood(generator.render(made)).remittance == expected(made)


def test_a_history_with_reversals_and_corrections_is_understood_as_its_models() -> None:
    rng = random.Random(7)
    made = generator.history(rng, generator.PAYERS[1], generator.people(rng, generator.PAYERS[1], 20), remittances=3)
    parts = [part for part in translate(generator.render(made)) if isinstance(part, Understood)]
    assert [part.remittance for part in parts] == list(map(expected, made))
    assert sum(each.adjudication.status_code == "22" for part in parts for each in part.remittance.claims) == 4


# --- what the generator does not write


def test_the_small_remittance_is_what_it_says() -> None:
    small = understand(only(SMALL))
    assert (small.payer.payer_id, small.trace_number, small.paid_on) == ("1078810412", "TRACE7", date(2026, 3, 2))
    assert (small.total_cents, small.method, len(small.claims)) == (8000, "ACH", 1)


def test_a_remittance_may_have_no_claims_and_no_provider_adjustments() -> None:
    assert understood_as("BPR*H*0*C*NON************20260302", *BODY[1:4]).claims == ()


def test_a_remittance_may_have_provider_adjustments_only() -> None:
    only_interest = understood_as("BPR*I*5.5*C*ACH************20260302", *BODY[1:4], "PLB*NPI*20261231*L6:X*-5.5")
    assert only_interest.claims == ()
    assert only_interest.provider_adjustments == (ProviderAdjustment("NPI", "L6", -550, date(2026, 12, 31), "X"),)  # type: ignore[arg-type]
    assert list(imbalances(only_interest)) == []


def test_the_first_of_two_payers_in_a_header_is_the_payer() -> None:
    assert understood_as(*BODY[:4], "N1*PR*OTHER", *BODY[4:]).payer.name == "NORTHFIELD"


def test_a_cas_holds_up_to_six_reasons_with_quantities() -> None:
    cas = "CAS*CO*45*1*2*50*-3**97**4*16*5.5**253*6**29*0.01*1"
    adjustments = understood_as(*BODY[:-1], cas).claims[0].adjudication.lines[0].adjustments
    assert [(a.carc, a.cents, a.quantity) for a in adjustments] == [
        ("45", 100, "2"),
        ("50", -300, ""),
        ("97", 0, "4"),
        ("16", 550, ""),
        ("253", 600, ""),
        ("29", 1, "1"),
    ]


def test_a_plb_holds_up_to_six_reasons_and_there_may_be_several() -> None:
    first = "PLB*NPI*20261231*WO:A*1*FB*2*72:C:D*3*L6*4*CS*5*J1*6"
    found = understood_as(*BODY, first, "PLB*NPI*20261231*50:X*7").provider_adjustments
    assert [(a.reason, a.reference, a.cents) for a in found] == [
        ("WO", "A", 100),
        ("FB", "", 200),
        ("72", "C:D", 300),
        ("L6", "", 400),
        ("CS", "", 500),
        ("J1", "", 600),
        ("50", "X", 700),
    ]


def test_remarks_stand_in_moa_mia_and_lq() -> None:
    moa = understood_as(*inserted("NM1", "MOA***MA01*MA02**MA04*MA05*99")).claims[0].adjudication
    assert moa.remarks == ("MA01", "MA02", "MA04", "MA05")
    mia = understood_as(*inserted("NM1", "MIA*3****MA01**************15*M1*M2*M3*M4*99")).claims[0].adjudication
    assert mia.remarks == ("MA01", "M1", "M2", "M3", "M4")
    lines = understood_as(*BODY, "LQ*HE*N1", "LQ*HE*N2").claims[0].adjudication.lines
    assert lines[0].remarks == ("N1", "N2")


def test_dates_stand_at_claim_and_line() -> None:
    body = inserted("NM1", "DTM*232*20260101", "DTM*233*20260103", "DTM*050*20260110")
    claim = understood_as(*body).claims[0].adjudication
    assert (claim.service_from, claim.service_to) == (date(2026, 1, 1), date(2026, 1, 3))
    assert claim.received_on == date(2026, 1, 10)
    assert claim.lines[0].service_from == date(2026, 2, 3)
    ranged = ["DTM*150*20240229" if segment.startswith("DTM*472") else segment for segment in BODY]
    line = understood_as(*ranged, "DTM*151*20240301").claims[0].adjudication.lines[0]
    assert (line.service_from, line.service_to) == (date(2024, 2, 29), date(2024, 3, 1))


def test_every_claim_level_amount_is_kept_with_its_qualifier() -> None:
    claim = understood_as(*inserted("NM1", "AMT*AU*80", "AMT*F5*20", "AMT*I*-.5")).claims[0].adjudication
    assert claim.amounts == (("AU", 8000), ("F5", 2000), ("I", -50))


@pytest.mark.parametrize(
    ("trn", "bpr10", "n104", "payer_id"),
    [
        ("TRN*1*T*1078810412", "1999999999", "*XV*PLANID", "1078810412"),
        ("TRN*1*T", "1999999999", "*XV*PLANID", "1999999999"),
        ("TRN*1*T", "", "*XV*PLANID", "PLANID"),
    ],
)
def test_the_payer_is_known_by_trn03_else_bpr10_else_n104(trn: str, bpr10: str, n104: str, payer_id: str) -> None:
    bpr = f"BPR*I*80*C*ACH******{bpr10}******20260302"
    assert understood_as(bpr, trn, f"N1*PR*PLAN{n104}", *BODY[3:]).payer.payer_id == payer_id


@pytest.mark.parametrize(
    ("names", "patient"),
    [
        (["NM1*QC*1*DOE*JANE*Q**JR*MI*M1"], ("M1", "DOE", "JANE", "Q", "JR")),
        (["NM1*QC*1*DOE*JANE", "NM1*IL*1*ROE*RICHARD****MI*M2"], ("M2", "DOE", "JANE", "", "")),
        (["NM1*QC*1*DOE*JANE****MI*M1", "NM1*IL*1*ROE*RICHARD****MI*M2"], ("M1", "DOE", "JANE", "", "")),
        (["NM1*IL*1*ROE*RICHARD****MI*M2"], ("M2", "ROE", "RICHARD", "", "")),
        (["NM1*QC*1*DOE*JANE"], None),
        (["NM1*QC*1*DOE*JANE****MI* "], None),
        ([], None),
    ],
)
def test_the_patient_has_a_member_id_of_their_own_else_the_subscribers(
    names: list[str], patient: tuple[str, ...] | None
) -> None:
    found = understood_as(*BODY[:6], *names, *BODY[7:]).claims[0].patient
    if patient is None:
        assert found is None
    else:
        assert found is not None
        assert (found.member_id, found.family_name, found.given_name, found.middle_name, found.suffix) == patient


# --- what is refused


@pytest.mark.parametrize(
    ("old", "new", "reason", "name", "detail"),
    [
        (BODY[0], "BPR*I*8O*C*ACH************20260302", "835.bad_amount", "BPR", "BPR02"),
        (BODY[0], "BPR*I*80.001*C*ACH************20260302", "835.bad_amount", "BPR", "BPR02"),
        (BODY[0], "BPR*I*" + "9" * 5000 + "*C*ACH************20260302", "835.bad_amount", "BPR", "BPR02"),
        (BODY[0], "BPR*I*80*C*ACH************20260230", "835.bad_date", "BPR", "BPR16"),
        (BODY[0], "BPR*I*80*C*ACH************260302", "835.bad_date", "BPR", "BPR16"),
        (BODY[0], "BPR*I*80*C*ACH************2026 3 2", "835.bad_date", "BPR", "BPR16"),
        (BODY[0], "BPR*I*80*C*ACH************\uff12\uff10260302", "835.bad_date", "BPR", "BPR16"),
        (BODY[0], "BPR*I*80*C*ACH************00000000", "835.bad_date", "BPR", "BPR16"),
        (BODY[0], "BPR*I*80*C*ACH", "835.missing_element", "BPR", "BPR16"),
        (BODY[1], "TRN*1**1078810412", "835.missing_element", "TRN", "TRN02"),
        (BODY[1], "TRN*1*TRACE7", "835.missing_element", "TRN", "TRN03"),
        (BODY[4], "DTM*405*20261301", "835.bad_date", "LX", "DTM02"),
        (BODY[4], "XYZ*1", "x12.orphan_segment", "LX", "XYZ in the header"),
        (BODY[4], "SVC*HC:1*1*1", "x12.orphan_segment", "LX", "SVC in the header"),
        (BODY[5], "CLP**1*100*80*20*12*CLAIM7", "835.missing_element", "CLP", "CLP01"),
        (BODY[5], "CLP*P*1*1OO*80*20*12*CLAIM7", "835.bad_amount", "CLP", "CLP03"),
        (BODY[5], "CLP*P*1*100*8,0*20*12*CLAIM7", "835.bad_amount", "CLP", "CLP04"),
        (BODY[5], "CLP*P*1*100*80*+20*12*CLAIM7", "835.bad_amount", "CLP", "CLP05"),
        (BODY[6], "CAS*CO*45*ten", "835.bad_amount", "NM1", "CAS03"),
        (BODY[6], "CAS*CO*45*10**50*1e1", "835.bad_amount", "NM1", "CAS06"),
        (BODY[6], "AMT*AU*NaN", "835.bad_amount", "NM1", "AMT02"),
        (BODY[6], "DTM*232*20260101-20260102", "835.bad_date", "NM1", "DTM02"),
        (BODY[6], "N1*PR*AGAIN", "x12.orphan_segment", "NM1", "N1 in a claim"),
        (BODY[7], "SVC*HC:99213*1.0.0*80", "835.bad_amount", "SVC", "SVC02"),
        (BODY[7], "SVC*HC:99213*100*--80", "835.bad_amount", "SVC", "SVC03"),
        (BODY[8], "DTM*472*2026-02-03", "835.bad_date", "DTM", "DTM02"),
        (BODY[8], "AMT*B6*1O", "835.bad_amount", "DTM", "AMT02"),
        (BODY[8], "N4*CITY", "x12.orphan_segment", "DTM", "N4 in a service line"),
        (BODY[9], "CAS*PR*2*20.005", "835.bad_amount", "CAS", "CAS03"),
        (BODY[9], "PLB*NPI*20261231*WO:X*x", "835.bad_amount", "CAS", "PLB04"),
        (BODY[9], "PLB*NPI*20260229*WO:X*1", "835.bad_date", "CAS", "PLB02"),
    ],
)
def test_what_is_no_amount_no_date_missing_or_misplaced_is_named_with_its_segment(
    old: str, new: str, reason: str, name: str, detail: str
) -> None:
    part = not_understood(replaced(old, new))
    assert (part.reason, part.detail) == (reason, detail)
    assert part.where == f"ST 0001 segment {NUMBER[name]}"
    assert part.claims == sum(segment.startswith("CLP*") for segment in BODY)
    assert not_understood(part.raw).reason == reason


@pytest.mark.parametrize(("at", "name"), [(0, "BPR"), (1, "TRN"), (2, "N1*PR")])
def test_a_segment_that_every_remittance_has_is_missed(at: int, name: str) -> None:
    part = not_understood(with_body(*BODY[:at], *BODY[at + 1 :]))
    assert (part.reason, part.where, part.detail) == ("835.missing_segment", "ST 0001 segment 3", name)


def test_an_empty_transaction_misses_its_bpr() -> None:
    assert not_understood(with_body()).detail == "BPR"


def test_a_claim_behind_the_provider_adjustments_is_an_orphan() -> None:
    part = not_understood(with_body(*BODY, "PLB*NPI*20261231*WO:X*0", BODY[5]))
    assert (part.reason, part.where) == ("x12.orphan_segment", f"ST 0001 segment {NUMBER['CAS'] + 2}")
    assert (part.detail, part.claims) == ("CLP behind PLB", 2)


def test_another_segment_behind_the_provider_adjustments_is_an_orphan() -> None:
    part = not_understood(with_body(*BODY, "PLB*NPI*20261231*WO:X*0", "REF*EV*1"))
    assert (part.where, part.detail) == (f"ST 0001 segment {NUMBER['CAS'] + 2}", "REF behind PLB")


@pytest.mark.parametrize("at", [4, 6, 8, 10])
def test_a_diagnostic_never_repeats_what_may_be_a_persons(at: int) -> None:
    """A terminator inside a name makes a segment of what follows it."""
    body = [*BODY, "PLB*NPI*20261231*WO:X*0", "PLB*NPI*20261231*WO:X*0"]
    body[at] = "OBRIEN*JANE"
    part = not_understood(with_body(*body))
    assert part.reason == "x12.orphan_segment"
    assert "OBRIEN" not in part.detail + part.where


@pytest.mark.parametrize("kind", ["837", "834", "277", "999", ""])
def test_another_transaction_set_is_no_remittance(kind: str) -> None:
    (part,) = translate(joined(interchange(group(transaction(*BODY, kind=kind)))))
    assert isinstance(part, NotUnderstood)
    assert (part.reason, part.where) == ("x12.unsupported_transaction", "ST 0001 segment 3")


def test_a_bad_transaction_takes_nothing_from_its_neighbours() -> None:
    bad = transaction(BODY[0].replace("80", "8O"), *BODY[1:], control="0002")
    data = joined(interchange(group(transaction(*BODY), bad, transaction(*BODY, control="0003"))))
    before, broken, after = translate(data)
    assert isinstance(before, Understood)
    assert isinstance(after, Understood)
    assert (before.where, after.where) == ("ST 0001", "ST 0003")
    assert isinstance(broken, NotUnderstood)
    assert broken.where == f"ST 0002 segment {4 + len(BODY) + 2}"
    assert b"ST*835*0002" in broken.raw
    assert b"ST*835*0001" not in broken.raw


def test_the_same_transaction_in_another_envelope_is_known_again() -> None:
    again = replaced(BODY[1], "TRN*1**1078810412").replace(b"000000907", b"000000908").replace(b"*7*X", b"*8*X")
    again = again.replace(b"GE*1*7", b"GE*1*8")
    first = not_understood(replaced(BODY[1], "TRN*1**1078810412"))
    assert not_understood(again).identity == first.identity
    assert not_understood(again).raw != first.raw


def test_an_adjustment_without_a_quantity_is_read_like_one_with_an_empty_one() -> None:
    (short,) = understood_as(*BODY[:-1], "CAS*PR*2*20").claims[0].adjudication.lines[0].adjustments
    (long,) = understood_as(*BODY[:-1], "CAS*PR*2*20*").claims[0].adjudication.lines[0].adjustments
    assert short == long == Adjustment("PR", "2", 2000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("AMT*AU", "AMT*AU**"),
        ("AMT", "AMT**"),
        ("DTM*232", "DTM*232**"),
        ("DTM", "DTM**"),
        ("REF", "REF**"),
        ("NM1", "NM1**"),
        ("LQ*HE", "LQ*HE**"),
        ("REF*6R", "REF*6R**"),
        ("CAS*CO*45", "CAS*CO*45**"),
    ],
)
def test_elements_that_are_left_out_are_read_like_empty_ones(short: str, long: str) -> None:
    for name in ("DTM",) if short.startswith("LQ") else ("NM1", "DTM"):
        assert understood_as(*inserted(name, short)) == understood_as(*inserted(name, long))


def test_an_adjustment_without_reason_and_amount_is_none() -> None:
    assert understood_as(*inserted("DTM", "CAS*CO", "CAS", "REF")) == understood_as(*BODY)


def test_what_stands_behind_a_bare_se_is_an_orphan() -> None:
    part = not_understood(with_body(*BODY[:7], "SE", *BODY[7:]))
    assert (part.reason, part.detail) == ("x12.orphan_segment", "SVC behind SE")


def test_spaces_may_stand_before_the_trailer() -> None:
    assert understood(SMALL.replace(b"SE*", b" \t SE*")).remittance == understood(SMALL).remittance
