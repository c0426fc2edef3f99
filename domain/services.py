"""Which types of service a claim is made of, as benefit designs price them, and what of it was allowed.

A claim says codes, not types: a list of rules tells them, and the first that matches wins. A stay and a visit to an
emergency department are one service with all of their lines; of every other claim each line is one.
"""

import re
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.adjudication import Adjudication, Adjustment, ClaimType, Network, ServiceLine, type_of
from domain.code_ranges import is_among
from domain.facts import StreamId
from domain.money import ZERO, Money
from domain.plan import Service
from domain.pricing import Served


class Looks(StrEnum):
    """At what a rule looks."""

    CLAIM_TYPE = "claim_type"
    CODE_SET = "code_set"
    """Of a line's procedure (SVC01-1): HC, AD, N4 …"""
    PROCEDURE = "procedure"
    MODIFIER = "modifier"
    REVENUE = "revenue"
    PLACE = "place"
    """CLP08, unless the claim is institutional"""
    BILL_TYPE = "bill_type"
    """CLP08 of an institutional claim: the first two digits of its type of bill"""


CPT, HCPCS = "CPT (American Medical Association)", "HCPCS Level II (CMS)"
PLACES, NUBC = "Place of Service Code Set (CMS)", "UB-04 Data Specifications (NUBC)"


class Rule(NamedTuple):
    service: Service
    looks: Looks
    codes: str
    source: str
    """Whose list the codes are of"""
    is_whole: bool = False
    """One line that matches makes the whole claim one service of this type"""


RULES = (
    Rule(Service.PHARMACY, Looks.CLAIM_TYPE, "pharmacy", "as stated, else by the lines"),
    Rule(Service.PHARMACY, Looks.CODE_SET, "N4", "NDC (FDA)"),
    # A stay, with the emergency department that it began in: nobody pays both.
    Rule(Service.INPATIENT, Looks.BILL_TYPE, "11-12 18 21-22 41", NUBC, is_whole=True),
    Rule(Service.INPATIENT, Looks.REVENUE, "0100-0219", NUBC, is_whole=True),
    Rule(Service.URGENT_CARE, Looks.REVENUE, "0456", NUBC, is_whole=True),
    Rule(Service.EMERGENCY, Looks.REVENUE, "0450-0459 0981", NUBC, is_whole=True),
    # Preventive, wherever it is given.
    Rule(Service.PREVENTIVE, Looks.MODIFIER, "33", CPT),
    Rule(Service.PREVENTIVE, Looks.PROCEDURE, "99381-99387 99391-99397 99401-99404 99411-99412", CPT),
    Rule(Service.PREVENTIVE, Looks.PROCEDURE, "90460-90474 90476-90759 77067", CPT),
    Rule(Service.PREVENTIVE, Looks.PROCEDURE, "G0008-G0010 G0101 G0105 G0121 G0402 G0438-G0439", HCPCS),
    Rule(Service.PREVENTIVE, Looks.REVENUE, "0403", NUBC),
    # Where it was given says more than what was done.
    Rule(Service.EMERGENCY, Looks.PROCEDURE, "99281-99288", CPT),
    Rule(Service.EMERGENCY, Looks.PROCEDURE, "G0380-G0384", HCPCS),
    Rule(Service.EMERGENCY, Looks.PLACE, "23", PLACES),
    Rule(Service.INPATIENT, Looks.PROCEDURE, "99221-99239", CPT),
    Rule(Service.INPATIENT, Looks.PLACE, "21 51 61", PLACES),
    Rule(Service.URGENT_CARE, Looks.PLACE, "20", PLACES),
    Rule(Service.URGENT_CARE, Looks.PROCEDURE, "S9083-S9088", HCPCS),
    Rule(Service.BEHAVIORAL_HEALTH, Looks.PROCEDURE, "90785-90899 96130-96131", CPT),
    Rule(Service.BEHAVIORAL_HEALTH, Looks.PROCEDURE, "H0001-H2037", HCPCS),
    Rule(Service.BEHAVIORAL_HEALTH, Looks.REVENUE, "0900-0919", NUBC),
    Rule(Service.BEHAVIORAL_HEALTH, Looks.PLACE, "52-53", PLACES),
    Rule(Service.LABORATORY, Looks.PROCEDURE, "36415-36416 80047-89398 0001U-0999U", CPT),
    Rule(Service.LABORATORY, Looks.PLACE, "81", PLACES),
    Rule(Service.OUTPATIENT, Looks.PROCEDURE, "77261-77799", CPT),  # radiation that treats, and shows nothing
    Rule(Service.IMAGING, Looks.PROCEDURE, "70010-79999", CPT),
    # A consultation is asked of another physician; of every other office visit no code tells whose it is.
    Rule(Service.SPECIALIST, Looks.PROCEDURE, "99242-99245", CPT),
    Rule(Service.PRIMARY_CARE, Looks.PROCEDURE, "99202-99215 98000-98016", CPT),
    Rule(Service.LABORATORY, Looks.REVENUE, "0300-0319", NUBC),
    Rule(Service.IMAGING, Looks.REVENUE, "0320-0329 0340-0359 0400-0409 0610-0619", NUBC),
    Rule(Service.OUTPATIENT, Looks.BILL_TYPE, "13-14 83-85", NUBC),
    Rule(Service.OUTPATIENT, Looks.PLACE, "19 22 24", PLACES),
)
"""The first that matches wins; what none matches is OTHER.

No code tells primary care from a specialist: that takes the provider's specialty. An office visit counts as primary
care unless it is a consultation.
"""
WHOLE_CLAIM = tuple(rule for rule in RULES if rule.is_whole)


def services_of(
    claim_id: StreamId, person: StreamId, adjudication: Adjudication, network: Network, day: date
) -> list[Served]:
    """What an adjudication says was done, by a claim's day where a line has none of its own.

    Adjustments of the claim as a whole lower what is allowed of its lines, the first ones first.
    """
    lines = adjudication.lines
    claim = _codes_of_claim(type_of(adjudication), adjudication.facility_code)
    whole = _first(claim.union(*map(_codes_of, lines)), WHOLE_CLAIM)
    if whole or not lines:
        allowed = Money(sum(map(allowed_of, lines))) if lines else adjudication.charge_cents
        parts = [(whole or _first(claim, RULES), day, adjudication.charge_cents, allowed)]
    else:
        parts = [
            (_first(claim | _codes_of(line), RULES), line.service_from or day, line.charge_cents, allowed_of(line))
            for line in lines
        ]
    served, of_claim = [], not_allowed(adjudication.adjustments)
    provider = adjudication.rendering_provider or claim_id
    for at, (service, on, charge, allowed) in enumerate(parts, 1):
        less = min(of_claim, allowed)
        of_claim = Money(of_claim - less)
        amounts = Money(max(0, charge)), Money(max(0, allowed - less))
        number = f"{claim_id} {at:03}"
        served.append(Served(number, person, on, service or Service.OTHER, *amounts, network, provider))
    return served


_SHAPES = {
    "HC": r"\d{4}[0-9A-Z]|[A-Z]\d{4}",  # CPT with its categories II and III and its laboratories' own (U); HCPCS
    "AD": r"D\d{4}",  # CDT (American Dental Association)
    "NU": r"\d{3,4}",
    "N4": r"\d{11}",
    "HP": r"[0-9A-Z]{5}",  # HIPPS (CMS)
}
"""How codes are built, by their qualifier (X12 835, SVC01-1)"""
_PROCEDURE = re.compile(
    "|".join(f"{name}:(?:{shape})(?::[0-9A-Z]{{2}}){{0,4}}" for name, shape in _SHAPES.items()), re.ASCII
)


def qualified(procedure: str) -> str:
    """With its qualifier: a code alone is one of CPT or HCPCS."""
    return procedure if ":" in procedure else f"HC:{procedure}"


def is_procedure(text: str) -> bool:
    """Whether it is built like a code: HC:99213, with up to four modifiers, or a code of CPT or HCPCS alone."""
    return _PROCEDURE.fullmatch(qualified(text)) is not None


def service_of(procedure: str) -> Service | None:
    """What a procedure by itself is; None where no rule names it."""
    return _first(_codes_of(ServiceLine(qualified(procedure), ZERO, ZERO)), RULES)


Code = tuple[Looks, str]


def _codes_of_claim(claim_type: str, facility_code: str) -> set[Code]:
    place = Looks.BILL_TYPE if claim_type == ClaimType.INSTITUTIONAL else Looks.PLACE
    return {(Looks.CLAIM_TYPE, claim_type), (place, facility_code)}


def _codes_of(line: ServiceLine) -> set[Code]:
    """NU is a revenue code in the place of a procedure."""
    code_set, code, *modifiers = [*line.procedure.split(":"), ""]
    looks, revenue = (Looks.REVENUE, code) if code_set == "NU" else (Looks.PROCEDURE, line.revenue_code)
    codes = {(Looks.CODE_SET, code_set), (looks, code), (Looks.REVENUE, revenue.zfill(4))}
    return codes.union((Looks.MODIFIER, each) for each in modifiers)


def _first(codes: set[Code], rules: tuple[Rule, ...]) -> Service | None:
    return next(
        (rule.service for rule in rules for looks, code in codes if looks is rule.looks and is_among(code, rule.codes)),
        None,
    )


# --- what was allowed

WITHHELD = frozenset({"104", "105", "253"})
"""Reasons that lower what is paid of what is allowed: managed care withholding, tax, sequestration"""


def allowed_of(line: ServiceLine) -> Money:
    """As it is stated (AMT*B6), else the charge less what nobody owes.

    Of a line that was not covered a payer may state that nothing was allowed: then the charge is all that is known.
    """
    return line.allowed_cents or Money(max(0, line.charge_cents - not_allowed(line.adjustments)))


def not_allowed(adjustments: tuple[Adjustment, ...]) -> Money:
    """What nobody owes: every group but the patient's (PR), less what was merely withheld."""
    return Money(sum(each.cents for each in adjustments if each.group != "PR" and each.carc not in WITHHELD))
