"""What a generated 835 must be understood as, from the model that it was written from."""

import random
from collections.abc import Sequence
from datetime import date

from hypothesis import strategies as st

from domain import adjudication, remittance
from domain.money import Money
from domain.person import Names
from samples import generator, model


@st.composite
def remittances(draw: st.DrawFn, claims_max: int = 8) -> model.Remittance:
    """Any kinds of claim, corrections of earlier ones, provider adjustments of any number and sign."""
    rng = random.Random(draw(st.integers(0, 2**32 - 1)))
    payer = draw(st.sampled_from(generator.PAYERS))
    members = generator.people(rng, payer, draw(st.integers(1, 8)))
    kinds = draw(st.lists(st.sampled_from(sorted(generator.KINDS)), max_size=claims_max))
    earlier = []
    if draw(st.booleans()):
        before = generator.remittance(rng, payer, members, claims=6, number=1)
        correctable = [made for made in before.claims if generator.is_correctable(made)]
        earlier = rng.sample(correctable, min(len(correctable), draw(st.integers(0, 2))))
    entries = draw(
        st.lists(
            st.builds(
                model.ProviderAdjustment,
                st.sampled_from(["WO", "FB", "L6", "72", "CS"]),
                st.sampled_from(["", "REF1", "NHP00000500001"]),
                st.integers(-99_999, 99_999),
            ),
            max_size=14,
        )
    )
    paid_on = draw(st.dates(date(2003, 10, 16), date(2035, 12, 31)))
    return generator.remittance(
        rng, payer, members, claims=len(kinds), number=2, kinds=kinds, earlier=earlier, paid_on=paid_on,
        adjustments=entries,
    )  # fmt: skip


def expected(made: model.Remittance, guide: str = "005010X221A1") -> remittance.Remittance:
    """By 005010X221A1, from the model's own sums."""
    return remittance.Remittance(
        payer=remittance.Payer("1" + made.payer.tax_id, made.payer.name),
        payee=remittance.Payee(made.payee.npi, made.payee.name),
        trace_number=made.trace_number,
        paid_on=made.paid_on,
        total_cents=Money(made.paid_cents),
        method="ACH" if made.paid_cents else "NON",
        handling="I" if made.paid_cents else "H",
        produced_on=made.produced_on,
        guide=guide,
        claims=tuple(_claim(each) for each in made.claims),
        provider_adjustments=tuple(
            remittance.ProviderAdjustment(
                made.payee.npi, entry.code, Money(entry.cents), date(made.paid_on.year, 12, 31), entry.reference
            )
            for entry in made.adjustments
        ),
    )


def _claim(made: model.Claim) -> adjudication.ClaimPayment:
    is_primary = made.status in ("1", "19")
    covered = made.paid_cents + made.patient_cents
    member = made.member
    return adjudication.ClaimPayment(
        numbers=adjudication.ClaimNumbers(
            made.patient_control, made.claim_number, tuple(line.control for line in made.lines if line.control)
        ),
        patient=Names(member.member_id, member.family_name, member.given_name),
        adjudication=adjudication.Adjudication(
            status_code=made.status,
            charge_cents=Money(made.charge_cents),
            paid_cents=Money(made.paid_cents),
            patient_cents=Money(made.patient_cents),
            lines=tuple(_line(line, is_primary) for line in made.lines),
            adjustments=_adjustments(made.adjustments),
            remarks=made.remarks[:1] if made.covered_days is not None else made.remarks,
            service_from=made.statement[0] if made.statement else None,
            service_to=made.statement[1] if made.statement else None,
            received_on=made.received,
            amounts=(("AU", Money(covered)),) if is_primary and covered > 0 else (),
            filing_code=made.filing,
            facility_code=made.facility,
            frequency_code=made.frequency,
            rendering_provider=made.rendering.npi if made.rendering else "",
            forwarded_to=made.forwarded_to.name if made.forwarded_to else "",
        ),
    )


def _line(line: model.Line, is_primary: bool) -> adjudication.ServiceLine:
    allowed = line.paid_cents + line.patient_cents
    return adjudication.ServiceLine(
        procedure=":".join((line.qualifier, line.procedure, *line.modifiers)),
        charge_cents=Money(line.charge_cents),
        paid_cents=Money(line.paid_cents),
        adjustments=_adjustments(line.adjustments),
        remarks=line.remarks,
        service_from=line.service_date,
        allowed_cents=Money(allowed) if is_primary and allowed > 0 else None,
        revenue_code=line.revenue_code,
        units=str(line.units),
        submitted_procedure=f"{line.qualifier}:{line.billed_procedure}" if line.billed_procedure else "",
    )


def _adjustments(made: Sequence[model.Adjustment]) -> tuple[adjudication.Adjustment, ...]:
    """In the order of a CAS for each group: by the groups' first appearance."""
    groups = list(dict.fromkeys(each.group for each in made))
    return tuple(
        adjudication.Adjustment(
            each.group, each.carc, Money(each.cents), "" if each.quantity is None else str(each.quantity)
        )
        for group in groups
        for each in made
        if each.group == group
    )
