"""Which types of service a claim is made of, and what of it was allowed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.adjudication import Adjudication, Adjustment, Network, ServiceLine
from domain.code_ranges import is_among
from domain.facts import StreamId
from domain.money import Money
from domain.plan import Service
from domain.pricing import Served
from domain.services import RULES, allowed_of, is_procedure, service_of, services_of

DAY = date(2026, 3, 2)


def line(procedure: str, *adjustments: Adjustment, charge: int = 10_000, **otherwise: Any) -> ServiceLine:
    paid = charge - sum(each.cents for each in adjustments)
    return ServiceLine(procedure, Money(charge), Money(paid), adjustments, **otherwise)


def reason(group: str, carc: str, cents: int) -> Adjustment:
    return Adjustment(group, carc, Money(cents))


def services(*lines: ServiceLine, charge: int = 0, **otherwise: Any) -> list[Served]:
    charged = Money(charge or sum(each.charge_cents for each in lines))
    adjudication = Adjudication("1", charged, Money(0), Money(0), lines, **otherwise)
    return services_of(StreamId("claim"), StreamId("ada"), adjudication, Network.IN, DAY)


def types(*lines: ServiceLine, **otherwise: Any) -> list[Service]:
    return [each.service for each in services(*lines, **otherwise)]


@pytest.mark.parametrize(
    ("procedure", "service"),
    [
        ("HC:99213:25", Service.PRIMARY_CARE),
        ("HC:99202", Service.PRIMARY_CARE),
        ("HC:99215", Service.PRIMARY_CARE),
        ("HC:99244", Service.SPECIALIST),
        ("HC:99223", Service.INPATIENT),
        ("HC:99284", Service.EMERGENCY),
        ("HC:99395", Service.PREVENTIVE),
        ("HC:G0439", Service.PREVENTIVE),
        ("HC:45378:33", Service.PREVENTIVE),
        ("HC:77067", Service.PREVENTIVE),
        ("HC:77066", Service.IMAGING),
        ("HC:77412", Service.OUTPATIENT),
        ("HC:70551", Service.IMAGING),
        ("HC:80053", Service.LABORATORY),
        ("HC:0001U", Service.LABORATORY),
        ("HC:90837", Service.BEHAVIORAL_HEALTH),
        ("HC:H0004", Service.BEHAVIORAL_HEALTH),
        ("HC:S9083", Service.URGENT_CARE),
        ("N4:00093015001", Service.PHARMACY),
        ("HC:97110", Service.OTHER),
        ("HC:7010F", Service.OTHER),
        ("AD:D1110", Service.OTHER),
    ],
)
def test_what_a_procedure_is(procedure: str, service: Service) -> None:
    assert types(line(procedure)) == [service]


@pytest.mark.parametrize(
    ("place", "service"),
    [
        ("11", Service.PRIMARY_CARE),
        ("20", Service.URGENT_CARE),
        ("21", Service.INPATIENT),
        ("23", Service.EMERGENCY),
        ("22", Service.PRIMARY_CARE),
    ],
)
def test_where_an_office_visit_was_says_more_than_its_code(place: str, service: Service) -> None:
    assert types(line("HC:99213"), facility_code=place) == [service]


def test_preventive_care_is_preventive_wherever_it_is_given() -> None:
    assert types(line("HC:99395"), facility_code="20") == [Service.PREVENTIVE]


def test_of_an_ordinary_claim_each_line_is_a_service_on_a_day_of_its_own() -> None:
    visit, blood = services(line("HC:99213"), line("HC:80053", service_from=date(2026, 3, 4)))
    assert (visit.service, visit.day, visit.number) == (Service.PRIMARY_CARE, DAY, "claim 001")
    assert (blood.service, blood.day, blood.number) == (Service.LABORATORY, date(2026, 3, 4), "claim 002")


def test_a_stay_is_one_service_with_the_emergency_department_it_began_in() -> None:
    lines = line("NU:0120"), line("HC:99284", revenue_code="0450"), line("HC:80053", revenue_code="0300")
    [stay] = services(*lines, facility_code="11", claim_type="institutional")
    assert (stay.service, stay.charge_cents, stay.allowed_cents) == (Service.INPATIENT, 30_000, 30_000)
    [visit] = services(*lines[1:], facility_code="13", claim_type="institutional")
    assert (visit.service, visit.allowed_cents) == (Service.EMERGENCY, 20_000)


def test_a_stay_without_lines_is_one_too() -> None:
    [stay] = services(charge=90_000, facility_code="11", adjustments=(reason("CO", "45", 30_000),))
    assert (stay.service, stay.charge_cents, stay.allowed_cents) == (Service.INPATIENT, 90_000, 60_000)


def test_an_outpatient_departments_lines_are_told_by_their_revenue_codes() -> None:
    lines = line("NU:0300"), line("", revenue_code="350"), line("HC:97110", revenue_code="0420")
    found = types(*lines, facility_code="13", claim_type="institutional")
    assert found == [Service.LABORATORY, Service.IMAGING, Service.OUTPATIENT]


def test_a_place_of_service_is_no_type_of_bill() -> None:
    """11 is an office, and a stay."""
    assert types(line("HC:97110"), facility_code="11") == [Service.OTHER]
    assert types(line("HC:97110"), facility_code="11", claim_type="institutional") == [Service.INPATIENT]


def test_the_provider_is_who_gave_it_else_the_claim_stands_for_them() -> None:
    assert services(line("HC:99213"), rendering_provider="1234567893")[0].provider == "1234567893"
    assert services(line("HC:99213"))[0].provider == "claim"


# --- what was allowed


@pytest.mark.parametrize(
    ("adjustments", "stated", "allowed"),
    [
        ((), None, 10_000),
        ((reason("CO", "45", 3_000), reason("PR", "1", 5_000)), None, 7_000),
        ((reason("CO", "45", 3_000),), 6_500, 6_500),
        ((reason("CO", "97", 10_000),), 0, 0),
        ((reason("PR", "204", 10_000),), 0, 10_000),
        ((reason("CO", "45", 3_000), reason("CO", "253", 140)), None, 7_000),
        ((reason("OA", "18", 10_000),), None, 0),
        ((reason("CO", "45", -3_000),), None, 13_000),
    ],
)
def test_allowed_is_what_is_stated_else_the_charge_less_what_nobody_owes(
    adjustments: tuple[Adjustment, ...], stated: int | None, allowed: int
) -> None:
    assert allowed_of(line("HC:99213", *adjustments, allowed_cents=stated)) == allowed


def test_adjustments_of_the_whole_claim_lower_its_lines_the_first_ones_first() -> None:
    found = services(line("HC:99213"), line("HC:80053"), adjustments=(reason("CO", "45", 12_000),))
    assert [each.allowed_cents for each in found] == [0, 8_000]


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=4), st.integers(0, 20_000))
def test_what_is_allowed_together_is_what_the_claim_leaves_to_plan_and_member(
    written_off: list[int], more: int
) -> None:
    lines = [line("HC:99213", reason("CO", "45", each), reason("PR", "1", 100)) for each in written_off]
    found = services(*lines, adjustments=(reason("CO", "45", more),))
    together = sum(10_000 - each for each in written_off)
    assert sum(each.allowed_cents for each in found) == max(0, together - more)


# --- the list


def test_every_rule_can_be_reached() -> None:
    """None stands wholly behind another one that looks at the same."""
    for at, rule in enumerate(RULES):
        for before in RULES[:at]:
            if before.looks is rule.looks:
                for codes in rule.codes.split():
                    assert not all(is_among(end, before.codes) for end in codes.split("-")), (before, codes)


def test_a_procedure_alone_has_a_type_too() -> None:
    assert service_of("99213") is Service.PRIMARY_CARE
    assert service_of("N4:00093015001") is Service.PHARMACY
    assert service_of("97110") is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("99213", True),
        ("0001U", True),
        ("7010F", True),
        ("G0439", True),
        ("D1110", True),
        ("HC:99213", True),
        ("HC:99213:25", True),
        ("AD:D1110", True),
        ("NU:0450", True),
        ("N4:00093015001", True),
        ("MRI", False),
        ("foo", False),
        ("specialist_visit", False),
        ("9921", False),
        ("992133", False),
        ("GG439", False),
        ("g0439", False),
        ("99213:25", False),
        ("XX:99213", False),
        ("HC:", False),
        ("HC:MRI", False),
        ("N4:99213", False),
        ("HC:99213:", False),
        ("HC:99213:255", False),
        ("", False),
        ("٩٩٢١٣", False),
    ],
)
def test_only_what_is_built_like_a_code_is_a_procedure(text: str, is_one: bool) -> None:
    assert is_procedure(text) is is_one
