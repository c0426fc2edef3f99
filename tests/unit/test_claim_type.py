"""Of what type a claim is, where its source does not say."""

import pytest

from domain.adjudication import Adjudication, ClaimType, ServiceLine, type_of
from domain.money import ZERO


def said(*lines: ServiceLine, stated: str = "") -> Adjudication:
    return Adjudication("1", ZERO, ZERO, ZERO, lines=lines, claim_type=stated)


def line(procedure: str = "", revenue_code: str = "") -> ServiceLine:
    return ServiceLine(procedure, ZERO, ZERO, revenue_code=revenue_code)


VISIT, DRUG, TOOTH = line("HC:99213:25"), line("N4:00093714601"), line("AD:D0120")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((VISIT,), ClaimType.PROFESSIONAL),
        ((line("HC:N4999"), line("HC:AD001")), ClaimType.PROFESSIONAL),
        ((line(),), ClaimType.PROFESSIONAL),
        ((), ClaimType.INSTITUTIONAL),
        ((VISIT, line("HC:70450", "0350")), ClaimType.INSTITUTIONAL),
        ((VISIT, line("NU:0450")), ClaimType.INSTITUTIONAL),
        ((VISIT, DRUG), ClaimType.PHARMACY),
        ((VISIT, TOOTH), ClaimType.DENTAL),
        ((TOOTH, DRUG), ClaimType.PHARMACY),
        ((TOOTH, line("HC:70450", "0350")), ClaimType.DENTAL),
    ],
)
def test_the_lines_tell_the_type(lines: tuple[ServiceLine, ...], expected: ClaimType) -> None:
    assert type_of(said(*lines)) == expected


@pytest.mark.parametrize("lines", [(), (VISIT,), (DRUG,)])
def test_a_stated_type_goes_first(lines: tuple[ServiceLine, ...]) -> None:
    assert type_of(said(*lines, stated="vision")) == ClaimType.VISION
