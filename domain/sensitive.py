"""Which claims tell of a sensitive service, by what a claim tells: procedures, revenue codes, place of service.

A claim carries no diagnosis and no provider's specialty here, so an ordinary visit to a psychiatrist looks like any
other. What cannot be judged is held to be sensitive: drugs by NDC, unlisted procedures, a claim without lines. The
table is the ledger's own choice from published code sets (CPT, HCPCS Level II, NUBC, CMS place of service).
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.adjudication import ServiceLine
from domain.code_ranges import is_among


class Category(StrEnum):
    SUBSTANCE_USE = "substance_use"
    """42 CFR Part 2"""
    MENTAL_HEALTH = "mental_health"
    REPRODUCTIVE_HEALTH = "reproductive_health"
    SEXUAL_HEALTH = "sexual_health"
    HIV = "hiv"
    UNKNOWN = "unknown"
    """Nothing tells what it was"""


class Codes(NamedTuple):
    """Procedures that tell of a category: codes, and ranges with both ends included."""

    category: Category
    what: str
    codes: str


PROCEDURES = (
    Codes(Category.SUBSTANCE_USE, "screening and brief intervention", "99408-99409 G0396-G0397 G0442-G0443 G2011"),
    Codes(
        Category.SUBSTANCE_USE,
        "opioid treatment",
        "G0137 G2067-G2080 G2086-G2088 G2215 J0570-J0578 J2310 J2315 Q9991-Q9992 S0109 S9475",
    ),
    Codes(Category.SUBSTANCE_USE, "drug tests", "80305-80377 G0480-G0483 G0659"),
    Codes(Category.SUBSTANCE_USE, "alcohol and drug abuse treatment, mental health programmes", "H0001-H2037"),
    Codes(Category.SUBSTANCE_USE, "the same for state Medicaid agencies", "T1006-T1012"),
    Codes(
        Category.MENTAL_HEALTH, "psychiatry", "90785-90899 G0017-G0018 G0176-G0177 G0410-G0411 G2214 S9480 S9484-S9485"
    ),
    Codes(Category.MENTAL_HEALTH, "psychological testing and assessment", "96105-96146 G0444"),
    Codes(
        Category.MENTAL_HEALTH,
        "behavioural health integration",
        "96156-96171 99484 99492-99494 G0323 G0512 G0552-G0554 G0560",
    ),
    Codes(Category.REPRODUCTIVE_HEALTH, "contraception", "11976 11981-11983 57170 58300-58301 A4261 A4264 A4266-A4269"),
    Codes(Category.REPRODUCTIVE_HEALTH, "contraceptive drugs", "J1050 J7294-J7307 S4981 S4989 S4993"),
    Codes(Category.REPRODUCTIVE_HEALTH, "sterilisation", "55250 58565 58600-58615 58661-58671"),
    Codes(Category.REPRODUCTIVE_HEALTH, "fertility", "58321-58323 58340 58970-58976 89250-89398 S4011-S4042"),
    Codes(
        Category.REPRODUCTIVE_HEALTH,
        "pregnancy, birth and abortion",
        "59000-59899 01958-01969 S0190-S0191 S0199 S2260-S2267",
    ),
    Codes(
        Category.REPRODUCTIVE_HEALTH,
        "tests and imaging in pregnancy",
        "76801-76828 81025 81420 81507 84702-84704 0167U 0500F-0503F",
    ),
    Codes(Category.REPRODUCTIVE_HEALTH, "cervical cytology", "88141-88175 G0123-G0124 G0141-G0148 P3000-P3001 Q0091"),
    Codes(Category.SEXUAL_HEALTH, "chlamydia", "86631-86632 87110 87270 87320 87490-87492 87810"),
    Codes(Category.SEXUAL_HEALTH, "gonorrhoea", "87590-87592 87850"),
    Codes(
        Category.SEXUAL_HEALTH,
        "syphilis, trichomonas, herpes",
        "86592-86593 86694-86696 86780 87528-87530 87660-87661 87808",
    ),
    Codes(Category.SEXUAL_HEALTH, "papillomavirus", "87623-87626 G0476 0500T"),
    Codes(Category.SEXUAL_HEALTH, "several agents at once, counselling", "87563 87800-87801 0064U 0353U 0402U G0445"),
    Codes(Category.SEXUAL_HEALTH, "examination after abuse, gender-affirming surgery", "57335 99170 55970 55980"),
    Codes(
        Category.HIV,
        "tests",
        "86689 86701-86703 87389-87391 87534-87539 87806 87900-87901 87903-87904 87906 0219U G0432-G0435 G0475 S3645",
    ),
    Codes(
        Category.HIV,
        "treatment and prophylaxis",
        "G0011-G0013 J0739 J0741 J0750-J0752 J1746 J1961 J3485 Q0516-Q0520 S0104",
    ),
    Codes(Category.UNKNOWN, "proprietary laboratory analyses: their number tells nothing of the test", "0001U-0999U"),
    Codes(Category.UNKNOWN, "unlisted", "99199 99499 J3490 J3590 J8499 J9999 A9270"),
)
REVENUE = (
    Codes(Category.MENTAL_HEALTH, "psychiatric rooms and intensive care", "0114 0124 0134 0144 0154 0204"),
    Codes(Category.MENTAL_HEALTH, "behavioural health treatment and accommodation", "0900-0919 1000-1005"),
    Codes(Category.SUBSTANCE_USE, "detoxification rooms", "0116 0126 0136 0146 0156"),
    Codes(Category.SUBSTANCE_USE, "drug and alcohol rehabilitation", "0944-0945"),
    Codes(Category.REPRODUCTIVE_HEALTH, "obstetric rooms, labour and delivery", "0112 0122 0132 0142 0152 0720-0729"),
    Codes(Category.UNKNOWN, "totals", "0001"),
)
PLACES = (
    Codes(Category.MENTAL_HEALTH, "psychiatric facility, partial hospitalisation, centre, residence", "51-53 56 76"),
    Codes(Category.SUBSTANCE_USE, "residential, non-residential and opioid treatment", "55 57-58"),
)
"""CMS place of service; 76 is the community mental health centre's type of bill"""

_PROCEDURE = re.compile(r"[0-9A-V][0-9]{3}[0-9A-Z]")
"""The form of a CPT or HCPCS code"""


def category_of(lines: Iterable[ServiceLine], facility_code: str) -> Category | None:
    """The first category that any line or the place tells of; UNKNOWN where something cannot be judged; None where
    nothing is sensitive. A claim's lines are those of all that was said of it."""
    lines = tuple(lines)
    found = [_found(PLACES, facility_code), *(_of_line(line) for line in lines)]
    if not lines:
        found.append(Category.UNKNOWN)
    return min((each for each in found if each), key=list(Category).index, default=None)


def category_of_procedure(code: str) -> Category | None:
    """Of a CPT or HCPCS code by itself."""
    return _found(PROCEDURES, code) if _PROCEDURE.fullmatch(code) else Category.UNKNOWN


def _of_line(line: ServiceLine) -> Category | None:
    told = [_of_procedure(each) for each in (line.procedure, line.submitted_procedure) if each]
    if line.revenue_code:
        told.append(_found(REVENUE, line.revenue_code.zfill(4)))
    return next((each for each in told if each), None) if told else Category.UNKNOWN


def _of_procedure(procedure: str) -> Category | None:
    qualifier, _, rest = procedure.partition(":")
    code = rest.partition(":")[0].upper()
    match qualifier:
        case "HC":
            return category_of_procedure(code)
        case "NU":
            return _found(REVENUE, code.zfill(4)) if code else Category.UNKNOWN
        case "AD":
            return None if code else Category.UNKNOWN
        case _:  # a drug by NDC, a rate code: the ledger has no table of them
            return Category.UNKNOWN


def _found(table: Iterable[Codes], code: str) -> Category | None:
    return next((each.category for each in table if is_among(code, each.codes)), None)
