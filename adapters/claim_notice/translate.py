"""From the bytes of a message to the notice in it, or to the reason why it must be parked."""

from collections.abc import Iterator

from msgspec import UNSET, UnsetType

from adapters.claim_notice import model
from adapters.json_message.lines import by_line
from adapters.json_message.parts import YEARS
from adapters.json_message.reader import Fault, Reader
from application.ports import Buffer, NotUnderstood, Understood
from domain.adjudication import (
    Accumulator,
    AccumulatorLevel,
    Adjudication,
    Adjustment,
    ClaimNumbers,
    Design,
    Network,
    ServiceLine,
)
from domain.claim import Decided, Kind, Notice, Reported
from domain.money import Money
from domain.person import Names

read = Reader(model.ClaimNotice, model.VERSION).read


def translate(data: Buffer) -> Iterator[Understood | NotUnderstood]:
    """The one notice of a message. Never raises for what is in the data."""
    raw = bytes(data[:])
    try:
        notice = _notice(read(raw))
        for rule in RULES:
            if broken := rule(notice):
                raise Fault("json.wrong_schema", broken)
    except Fault as fault:
        claims = 1 if fault.reason == "json.wrong_schema" else 0
        yield NotUnderstood(fault.reason, "", fault.detail, claims, raw, raw)
    else:
        yield Understood(notice, "", lambda: raw, raw)


translate_lines = by_line(translate)


# --- in the ledger's terms


def _notice(read: model.ClaimNotice) -> Notice:
    patient, numbers, said = read.patient, read.numbers, read.said
    return Notice(
        payer_id=read.payer_id,
        patient=Names(
            patient.member_id,
            patient.family_name or "",
            patient.given_name or "",
            patient.middle_name or "",
            patient.suffix or "",
        ),
        numbers=ClaimNumbers(
            numbers.patient_control_number, numbers.payer_claim_number or "", numbers.line_control_numbers or ()
        ),
        said=_decided(said) if isinstance(said, model.Adjudicated) else _reported(said),
        billing_provider_id=read.billing_provider_id or "",
    )


_KINDS = {kind: Kind(kind.__struct_config__.tag) for kind in model.Report.__args__}


def _reported(said: model.Report) -> Reported:
    """Every field has the domain's own name."""
    given = {name: value for name in said.__struct_fields__ if (value := getattr(said, name)) is not UNSET}
    return Reported(_KINDS[type(said)], **given)


def _decided(said: model.Adjudicated) -> Decided:
    adjudication = Adjudication(
        status_code=said.status_code,
        charge_cents=Money(said.charge_cents),
        paid_cents=Money(said.paid_cents),
        patient_cents=Money(said.patient_cents),
        lines=tuple([_line(line) for line in said.lines or ()]),
        adjustments=_adjustments(said.adjustments),
        remarks=said.remarks or (),
        service_from=said.service_from or None,
        service_to=said.service_to or None,
        received_on=said.received_on or None,
        filing_code=said.filing_code or "",
        facility_code=said.facility_code or "",
        frequency_code=said.frequency_code or "",
        rendering_provider=said.rendering_provider or "",
        forwarded_to=said.forwarded_to or "",
        claim_type=said.claim_type or "",
        network=Network(said.network) if said.network else None,
        plan_id=said.plan_id or "",
        plan_year_from=said.plan_year_from or None,
        accumulators=tuple([_accumulator(each) for each in said.accumulators or ()]),
    )
    return Decided(said.on, adjudication, said.sequence or 1)


def _line(line: model.Line) -> ServiceLine:
    allowed_cents = line.allowed_cents
    return ServiceLine(
        procedure=line.procedure,
        charge_cents=Money(line.charge_cents),
        paid_cents=Money(line.paid_cents),
        adjustments=_adjustments(line.adjustments),
        remarks=line.remarks or (),
        service_from=line.service_from or None,
        service_to=line.service_to or None,
        allowed_cents=None if allowed_cents is UNSET or allowed_cents is None else Money(allowed_cents),
        revenue_code=line.revenue_code or "",
        units=line.units or "",
        submitted_procedure=line.submitted_procedure or "",
    )


def _adjustments(read: tuple[model.Adjustment, ...] | UnsetType) -> tuple[Adjustment, ...]:
    return tuple([Adjustment(each.group, each.carc, Money(each.cents), each.quantity or "") for each in read or ()])


def _accumulator(read: model.Accumulator) -> Accumulator:
    limit_cents = read.limit_cents
    return Accumulator(
        kind=read.kind,
        level=read.level,
        network=read.network,
        used_cents=Money(read.used_cents),
        limit_cents=None if limit_cents is UNSET or limit_cents is None else Money(limit_cents),
        design=Design(read.design) if read.design else None,
    )


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing

BEFORE_ITS_NUMBER = frozenset({Kind.RECEIVED, Kind.REJECTED})
"""What may be said of a claim that the payer has given no number yet"""

_Part = Reported | Decided | Adjudication | ServiceLine
_DAYS: dict[type[_Part], tuple[str, ...]] = {
    Reported: ("at", "service_from", "service_to", "due_on"),
    Decided: ("on",),
    Adjudication: ("service_from", "service_to", "received_on", "plan_year_from"),
    ServiceLine: ("service_from", "service_to"),
}
_AMOUNTS = {
    Adjudication: ("charge_cents", "paid_cents", "patient_cents"),
    ServiceLine: ("charge_cents", "paid_cents", "allowed_cents"),
}


def payers_number_is_known(notice: Notice) -> str:
    kind = notice.said.kind if isinstance(notice.said, Reported) else Kind.ADJUDICATED
    if notice.numbers.payer_claim_number or kind in BEFORE_ITS_NUMBER:
        return ""
    return "$.numbers.payer_claim_number: missing"


def years_are_possible(notice: Notice) -> str:
    for at, part in enumerate(_parts(notice.said)):
        for name in _DAYS[type(part)]:
            day = getattr(part, name)
            if day is not None and day.year not in YEARS:
                return f"{_path(at)}.{name}: out of bounds"
    return ""


def service_ends_after_it_begins(notice: Notice) -> str:
    for at, part in enumerate(_parts(notice.said)):
        if isinstance(part, Decided) or not part.service_from or not part.service_to:
            continue
        if part.service_to < part.service_from:
            return f"{_path(at)}.service_to: before service_from"
    return ""


def signs_fit_the_status(notice: Notice) -> str:
    """Only a reversal (22) takes back, and it gives nothing. Adjustments have either sign."""
    if isinstance(notice.said, Reported):
        return ""
    sign = -1 if notice.said.adjudication.status_code == "22" else 1
    for at, part in enumerate(_parts(notice.said)):
        for name in _AMOUNTS.get(type(part), ()):
            if (getattr(part, name) or 0) * sign < 0:
                return f"{_path(at)}.{name}: wrong sign"
    return ""


def each_accumulator_stands_once(notice: Notice) -> str:
    seen = set()
    for at, each in enumerate(_accumulators(notice)):
        if (identity := (each.kind, each.level, each.network)) in seen:
            return f"$.said.accumulators[{at}]: stated before"
        seen.add(identity)
    return ""


def design_is_of_a_family(notice: Notice) -> str:
    for at, each in enumerate(_accumulators(notice)):
        if each.design and each.level is not AccumulatorLevel.FAMILY:
            return f"$.said.accumulators[{at}].design: not of a family"
    return ""


RULES = (
    payers_number_is_known,
    years_are_possible,
    service_ends_after_it_begins,
    signs_fit_the_status,
    each_accumulator_stands_once,
    design_is_of_a_family,
)


def _accumulators(notice: Notice) -> tuple[Accumulator, ...]:
    return () if isinstance(notice.said, Reported) else notice.said.adjudication.accumulators


def _parts(said: Reported | Decided) -> tuple[_Part, ...]:
    return (said,) if isinstance(said, Reported) else (said, said.adjudication, *said.adjudication.lines)


def _path(at: int) -> str:
    return "$.said" if at < 2 else f"$.said.lines[{at - 2}]"
