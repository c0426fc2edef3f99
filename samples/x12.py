"""Writes remittances as X12 835 interchanges, with every envelope count and control number right."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from samples.model import Adjustment, Claim, Line, Provider, Remittance

VERSION_5010 = "005010X221A1"
VERSION_4010 = "004010X091A1"
CAS_ENTRIES_MAX = 6
PLB_ENTRIES_MAX = 6
PAYEE_ROUTING = "992000027"

Add = Callable[..., None]


class Delimiters(NamedTuple):
    """`line_break` follows each terminator and is no part of the syntax."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    terminator: str = "~"
    line_break: str = "\n"


STANDARD = Delimiters()


def render(
    remittances: Remittance | Sequence[Remittance],
    *,
    control: int = 1,
    delimiters: Delimiters = STANDARD,
    version: str = VERSION_5010,
    sent_on: date | None = None,
) -> bytes:
    """One complete interchange, ISA to IEA: one group, one transaction for each remittance.

    The remittances are of one payer. `control` becomes ISA13 and GS06, `sent_on` the envelope's date (else
    the first remittance's production date). No text of the model may contain a delimiter.
    """
    batch = [remittances] if isinstance(remittances, Remittance) else list(remittances)
    payer, receiver = batch[0].payer, batch[0].payee.npi
    day = sent_on or batch[0].produced_on
    element, component, repetition, terminator, line_break = delimiters
    segments: list[str] = []

    def add(*elements: str) -> None:
        segments.append(element.join(elements).rstrip(element))

    standard, separator = ("00401", "U") if version == VERSION_4010 else ("00501", repetition)
    # fmt: off
    add("ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{payer.payer_id:<15}", "ZZ", f"{receiver:<15}",
        f"{day:%y%m%d}", "0600", separator, standard, f"{control:09d}", "0", "P", component)
    # fmt: on
    add("GS", "HP", payer.payer_id, receiver, _day(day), "0600", str(control), "X", version)
    for number, remittance in enumerate(batch, start=1):
        start = len(segments)
        add("ST", "835", f"{number:04d}")
        _transaction(add, remittance, component, version)
        add("SE", str(len(segments) - start + 1), f"{number:04d}")
    add("GE", str(len(batch)), str(control))
    add("IEA", "1", f"{control:09d}")
    end = terminator + line_break
    return (end.join(segments) + end).encode()


def _transaction(add: Add, remittance: Remittance, component: str, version: str) -> None:
    payer, payee = remittance.payer, remittance.payee
    paid_on, paid, originator = _day(remittance.paid_on), remittance.paid_cents, "1" + payer.tax_id
    if paid:
        # fmt: off
        add("BPR", "I", money(paid), "C", "ACH", "CCP", "01", payer.routing, "DA", payer.account, originator,
            f"{payer.payer_id:0>9}", "01", PAYEE_ROUTING, "DA", payee.tax_id + "1", paid_on)
        # fmt: on
    else:
        add("BPR", "H", "0", "C", "NON", *[""] * 11, paid_on)
    add("TRN", "1", remittance.trace_number, originator)
    add("REF", "EV", payee.npi)
    add("DTM", "405", _day(remittance.produced_on))
    add("N1", "PR", payer.name)
    add("N3", payer.street)
    add("N4", payer.city, payer.state, payer.postal_code)
    add("REF", "2U", payer.payer_id)
    add("PER", "CX", "PROVIDER SERVICES", "TE", payer.phone)
    if version != VERSION_4010:
        add("PER", "BL", "EDI SUPPORT", "TE", payer.phone)
    add("N1", "PE", payee.name, "XX", payee.npi)
    add("N3", payee.street)
    add("N4", payee.city, payee.state, payee.postal_code)
    add("REF", "TJ", payee.tax_id)
    if remittance.claims:
        add("LX", "1")
    for claim in remittance.claims:
        _claim(add, claim, component)
    entries = [(f"{a.code}{component}{a.reference}", money(a.cents)) for a in remittance.adjustments]
    for at in range(0, len(entries), PLB_ENTRIES_MAX):
        chunk = entries[at : at + PLB_ENTRIES_MAX]
        add("PLB", payee.npi, f"{remittance.paid_on.year}1231", *[value for entry in chunk for value in entry])


def _claim(add: Add, claim: Claim, component: str) -> None:
    is_primary = claim.status in ("1", "19")
    paid, patient = claim.paid_cents, claim.patient_cents
    # fmt: off
    add("CLP", claim.patient_control, claim.status, money(claim.charge_cents), money(paid), money(patient),
        claim.filing, claim.claim_number, claim.facility, claim.frequency, "", claim.drg)
    # fmt: on
    if claim.adjustments:
        _adjustments(add, claim.adjustments)
    member = claim.member
    _person(add, "QC", member.family_name, member.given_name, "MI", member.member_id)
    if member.subscriber:
        holder = member.subscriber
        _person(add, "IL", holder.family_name, holder.given_name, "MI", holder.member_id)
    if claim.rendering:
        _provider(add, claim.rendering)
    if claim.forwarded_to:
        add("NM1", "TT", "2", claim.forwarded_to.name, "", "", "", "", "PI", claim.forwarded_to.carrier_id)
    if claim.covered_days is not None:
        add("MIA", str(claim.covered_days), "", "", "", *claim.remarks[:1])
    elif claim.remarks:
        add("MOA", "", "", *claim.remarks)
    if claim.statement:
        add("DTM", "232", _day(claim.statement[0]))
        add("DTM", "233", _day(claim.statement[1]))
    if claim.received:
        add("DTM", "050", _day(claim.received))
    if is_primary and (covered := paid + patient) > 0:
        add("AMT", "AU", money(covered))
    for line in claim.lines:
        _line(add, line, component, is_primary)


def _line(add: Add, line: Line, component: str, is_primary: bool) -> None:
    procedure = component.join((line.qualifier, line.procedure, *line.modifiers))
    billed = f"{line.qualifier}{component}{line.billed_procedure}" if line.billed_procedure else ""
    paid = line.paid_cents
    add("SVC", procedure, money(line.charge_cents), money(paid), line.revenue_code, str(line.units), billed)
    if line.service_date:
        add("DTM", "472", _day(line.service_date))
    _adjustments(add, line.adjustments)
    if line.control:
        add("REF", "6R", line.control)
    if is_primary and (allowed := paid + line.patient_cents) > 0:
        add("AMT", "B6", money(allowed))
    for remark in line.remarks:
        add("LQ", "HE", remark)


def _adjustments(add: Add, adjustments: Sequence[Adjustment]) -> None:
    """One CAS for each group, in order of first appearance; another where a group has more than six."""
    groups: dict[str, list[str]] = {}
    for group, carc, cents, quantity in adjustments:
        entry = (carc, money(cents), "" if quantity is None else str(quantity))
        groups.setdefault(group, []).extend(entry)
    width = 3 * CAS_ENTRIES_MAX
    for group, values in groups.items():
        for at in range(0, len(values), width):
            add("CAS", group, *values[at : at + width])


def _person(add: Add, role: str, family: str, given: str, qualifier: str, number: str) -> None:
    if number:
        add("NM1", role, "1", family, given, "", "", "", qualifier, number)
    else:
        add("NM1", role, "1", family, given)


def _provider(add: Add, provider: Provider) -> None:
    if provider.given_name:
        _person(add, "82", provider.name, provider.given_name, "XX", provider.npi)
    else:
        add("NM1", "82", "2", provider.name, "", "", "", "", "XX", provider.npi)


@lru_cache(maxsize=4096)
def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def money(cents: int) -> str:
    """X12 type R: no trailing zeros, so 4500 is '45', 4550 is '45.5' and -5 is '-0.05'."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    units, rest = divmod(cents, 100)
    if not rest:
        return f"{sign}{units}"
    return f"{sign}{units}.{rest // 10}" if rest % 10 == 0 else f"{sign}{units}.{rest:02d}"
