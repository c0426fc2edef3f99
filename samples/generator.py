"""Correct, fully balanced 835s from a seed: the same `random.Random(seed)` gives the same bytes.

The model (`samples.model`) holds the sums a parser must find; the writer (`samples.x12`) never sees the
generator. Names, numbers and payers are invented (`samples.catalog`).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from samples.catalog import (
    CARRIERS,
    CLINICIANS,
    DENIALS,
    DRUGS,
    FAMILY_NAMES,
    GIVEN_NAMES,
    OUTPATIENT,
    PAYEES,
    PAYERS,
    PROFESSIONAL,
    THERAPY,
    npi,
)
from samples.model import (
    REVERSAL,
    Adjustment,
    Carrier,
    Claim,
    Line,
    Member,
    Payer,
    Provider,
    ProviderAdjustment,
    Remittance,
)
from samples.x12 import STANDARD, VERSION_4010, VERSION_5010, Delimiters, render

__all__ = [
    "CARRIERS",
    "KINDS",
    "PAYEES",
    "PAYERS",
    "REVERSAL",
    "STANDARD",
    "VERSION_4010",
    "VERSION_5010",
    "Adjustment",
    "Carrier",
    "Claim",
    "Delimiters",
    "Line",
    "Member",
    "Payer",
    "Provider",
    "ProviderAdjustment",
    "Remittance",
    "bulk",
    "carried_into_next",
    "claim",
    "corrected",
    "history",
    "household",
    "is_correctable",
    "next_payer",
    "npi",
    "people",
    "remittance",
    "render",
    "reversal",
]

KINDS: Mapping[str, int] = {
    "paid": 34,
    "partial": 8,
    "denied": 8,
    "deductible": 8,
    "claim_level": 4,
    "recoded": 2,
    "outpatient": 6,
    "inpatient": 2,
    "pharmacy": 5,
    "secondary": 4,
    "tertiary": 2,
    "forwarded": 4,
    "secondary_forwarded": 2,
    "tertiary_forwarded": 2,
    "not_recognised": 3,
    "not_ours": 2,
    "predetermination": 3,
}
"""Kinds of claim and how often `remittance` draws each. Reversals come from earlier claims instead."""

PAYER_SEQUENCE = {
    "secondary": "2",
    "tertiary": "3",
    "forwarded": "19",
    "secondary_forwarded": "20",
    "tertiary_forwarded": "21",
}

LONGEST_BATCH = 99_999


# --- people


def household(rng: random.Random, payer: Payer, size: int, *, twins: bool = False) -> tuple[Member, ...]:
    """A subscriber and dependants under the subscriber's id; with `twins` the last two share a birth date."""
    number = f"{payer.code}{rng.randrange(10**8, 10**9)}"
    family, given = rng.choice(FAMILY_NAMES), rng.sample(GIVEN_NAMES, size)
    head = Member(number, given[0], family, _birth(rng, 1948, 1996))
    dependants = [Member(number, name, family, _birth(rng, 2006, 2022), head) for name in given[1:]]
    if twins:
        dependants[-1] = replace(dependants[-1], birth=dependants[-2].birth)
    return (head, *dependants)


def people(rng: random.Random, payer: Payer, count: int) -> tuple[Member, ...]:
    """`count` members in households of one to four; where four fit there is one with twins, at the front."""
    members: list[Member] = list(household(rng, payer, 4, twins=True)) if count >= 4 else []
    while len(members) < count:
        members.extend(household(rng, payer, min(rng.choice((1, 1, 2, 3)), count - len(members))))
    return tuple(members)


def _birth(rng: random.Random, first_year: int, last_year: int) -> date:
    return date(rng.randint(first_year, last_year), 1, 1) + timedelta(days=rng.randrange(365))


# --- claims


def claim(
    rng: random.Random,
    payer: Payer,
    member: Member,
    kind: str,
    *,
    number: str,
    paid_on: date,
    control: str = "",
) -> Claim:
    """One claim of a kind of `KINDS`; `number` becomes CLP07, `control` CLP01. ValueError on another kind."""
    control = control or f"PT{number[-9:]}"
    service = paid_on - timedelta(days=rng.randint(12, 40))
    base = Claim(
        control,
        "1",
        number,
        member,
        filing=payer.filing,
        rendering=rng.choice(CLINICIANS),
        received=service + timedelta(days=rng.randint(1, 7)),
    )
    if kind in PAYER_SEQUENCE:
        share = rng.choice(("coinsurance", "deductible", "all three"))
        lines = _paid_lines(rng, control, service, share=share)
        return _coordinated(rng, replace(base, lines=lines), PAYER_SEQUENCE[kind])
    match kind:
        case "paid":
            remarks = ("MA01",) if rng.random() < 0.2 else ()
            return replace(base, lines=_paid_lines(rng, control, service), remarks=remarks)
        case "partial":
            first, *rest = _paid_lines(rng, control, service, at_least=2)
            return replace(base, lines=(_denied(first, rng.choice(DENIALS)), *rest))
        case "denied":
            reason = rng.choice(DENIALS)
            lines = tuple(_denied(line, reason) for line in _paid_lines(rng, control, service))
            return replace(base, lines=lines, remarks=("MA01",))
        case "deductible":
            return replace(base, lines=_paid_lines(rng, control, service, share="deductible"))
        case "claim_level":
            lines = _paid_lines(rng, control, service, share="none")
            paid = sum(line.paid_cents for line in lines)
            copay = Adjustment("PR", "3", min(3000, paid // 2))
            return replace(base, lines=lines, adjustments=(copay, Adjustment("CO", "253", max(1, paid // 50))))
        case "recoded":
            first, *rest = _paid_lines(rng, control, service)
            changed = replace(first, procedure="99212", billed_procedure="99215", modifiers=(), remarks=("N22",))
            return replace(base, lines=(changed, *rest))
        case "outpatient":
            services = enumerate(rng.sample(OUTPATIENT, rng.randint(2, 4)), start=1)
            lines = tuple(
                _line(
                    rng,
                    f"{control}L{at}",
                    service,
                    code,
                    allowed,
                    "coinsurance",
                    qualifier=q,
                    revenue=revenue,
                )
                for at, (q, code, revenue, allowed) in services
            )
            last = service + timedelta(days=rng.randrange(2))
            return replace(
                base, lines=lines, statement=(service, last), facility="13", rendering=None, remarks=("MA01",)
            )
        case "inpatient":
            return _inpatient(rng, base, service)
        case "pharmacy":
            code, allowed = rng.choice(DRUGS)
            units = rng.choice((30, 60, 90))
            line = _line(rng, f"{control}L1", service, code, allowed, "copay", qualifier="N4")
            return replace(base, lines=(replace(line, units=units),), facility="01", rendering=None)
        case "not_recognised":
            # The number as it was submitted, which this payer does not know.
            stranger = replace(member, member_id=f"{member.member_id}X", subscriber=None)
            lines = tuple(_denied(line, ("CO", "31", ("N382",))) for line in _paid_lines(rng, control, service))
            return replace(base, status="4", member=stranger, lines=lines)
        case "not_ours":
            lines = tuple(_denied(line, ("OA", "109", ())) for line in _paid_lines(rng, control, service))
            return replace(base, status="23", lines=lines, remarks=("N418",), forwarded_to=rng.choice(CARRIERS))
        case "predetermination":
            lines = tuple(_denied(line, ("OA", "101", ())) for line in _paid_lines(rng, control, service))
            return replace(base, status="25", lines=lines)
        case _:
            raise ValueError(f"unknown kind of claim: {kind}")


def next_payer(rng: random.Random, prior: Claim, payer: Payer, member: Member, *, number: str) -> Claim:
    """The same claim at the payer that comes after `prior` (status 1, 2, 19 or 20): status 2 or 3.

    What the prior payers left to the patient is the most that is paid; the rest of the charge is OA-23.
    `prior` has lines and its patient's share stands on them.
    """
    lines = tuple(_after_prior(rng, line) for line in prior.lines)
    status = "2" if prior.status in ("1", "19") else "3"
    return replace(
        prior,
        status=status,
        claim_number=number,
        member=member,
        lines=lines,
        adjustments=(),
        filing=payer.filing,
        received=None,
        remarks=(),
        forwarded_to=None,
    )


def reversal(original: Claim) -> Claim:
    """Takes `original` back: same groups and reasons; charges, payments and adjustments negated; no CLP05."""
    lines = tuple(
        replace(line, charge_cents=-line.charge_cents, adjustments=_negated(line.adjustments), remarks=())
        for line in original.lines
    )
    return replace(
        original,
        status=REVERSAL,
        lines=lines,
        adjustments=_negated(original.adjustments),
        header_charge_cents=-original.header_charge_cents,
        remarks=(),
        forwarded_to=None,
    )


def corrected(rng: random.Random, original: Claim, *, lower: bool | None = None) -> Claim:
    """A new adjudication of `original` (which pays something, by lines) under the same number and status.

    Lower: the best-paid line is bundled away (CO-97). Higher: a third of its CO-45 is paid after all.
    By default chance decides; a line without CO-45 is always lowered. The claim never pays less than zero.
    """
    best = max(original.lines, key=lambda line: line.paid_cents)
    contractual = next((a for a in best.adjustments if (a.group, a.carc) == ("CO", "45")), None)
    if lower is None:
        lower = rng.random() < 0.5
    if lower or contractual is None:
        bundled = Adjustment("CO", "97", min(best.paid_cents, original.paid_cents))
        changed = replace(best, adjustments=(*best.adjustments, bundled), remarks=("M15",))
    else:
        raised = contractual._replace(cents=contractual.cents - contractual.cents // 3)
        changed = replace(best, adjustments=tuple(raised if a == contractual else a for a in best.adjustments))
    lines = tuple(changed if line is best else line for line in original.lines)
    return replace(original, lines=lines, frequency="7", remarks=("MA67",))


def is_correctable(original: Claim) -> bool:
    """Whether `reversal` and `corrected` take it: a claim of status 1 that pays something, by lines."""
    return original.status == "1" and bool(original.lines) and original.paid_cents > 0


def _coordinated(rng: random.Random, primary: Claim, status: str) -> Claim:
    """`primary` as the payer that `status` names reports it; forwarded to a carrier where that is so."""
    lines = primary.lines
    for _ in range({"1": 0, "19": 0, "2": 1, "20": 1, "3": 2, "21": 2}[status]):
        lines = tuple(_after_prior(rng, line) for line in lines)
    forwarded = status in ("19", "20", "21")
    return replace(
        primary,
        status=status,
        lines=lines,
        remarks=("MA18",) if forwarded else (),
        forwarded_to=rng.choice(CARRIERS) if forwarded else None,
    )


def _after_prior(rng: random.Random, line: Line) -> Line:
    owed = line.patient_cents
    left = owed * rng.choice((0, 10, 25, 40)) // 100
    entries = (Adjustment("OA", "23", line.charge_cents - owed), Adjustment("PR", "2", left))
    return replace(line, adjustments=tuple(a for a in entries if a.cents), remarks=())


def _inpatient(rng: random.Random, base: Claim, discharged: date) -> Claim:
    """A stay paid by DRG: no service lines, every adjustment at the claim."""
    days = rng.randint(2, 6)
    charge = rng.randint(900_000, 2_400_000)
    adjustments = (
        Adjustment("CO", "45", charge * 58 // 100),
        Adjustment("PR", "1", 75_000),
        Adjustment("PR", "2", 42_050),
    )
    return replace(
        base,
        header_charge_cents=charge,
        adjustments=adjustments,
        drg=rng.choice(("470", "193", "392")),
        statement=(discharged - timedelta(days=days), discharged),
        covered_days=days,
        facility="11",
        rendering=None,
        remarks=("MA01",),
    )


def _paid_lines(
    rng: random.Random, control: str, service: date, *, at_least: int = 1, share: str = ""
) -> tuple[Line, ...]:
    """One to four procedures; `share` says what the patient bears (by default one of the usual ways)."""
    picked = rng.sample(PROFESSIONAL, rng.randint(at_least, 3))
    therapy = rng.random() < 0.15
    if therapy:
        picked.append(rng.choice(THERAPY))
    share = share or rng.choice(("none", "copay", "coinsurance", "coinsurance", "all three"))
    lines = [
        _line(rng, f"{control}L{at}", service, code, allowed, share)
        for at, (code, allowed) in enumerate(picked, start=1)
    ]
    if therapy:
        lines[-1] = replace(lines[-1], modifiers=("GP", "59"), units=rng.randint(2, 4))
    return tuple(lines)


def _line(
    rng: random.Random,
    control: str,
    service: date,
    code: str,
    allowed: int,
    share: str,
    *,
    qualifier: str = "HC",
    revenue: str = "",
) -> Line:
    allowed = allowed * rng.randint(85, 115) // 100
    charge = allowed * rng.randint(110, 190) // 100
    contractual = Adjustment("CO", "45", charge - allowed)
    modifiers = ("25",) if code.startswith("99") and qualifier == "HC" and rng.random() < 0.3 else ()
    return Line(
        code,
        charge,
        (contractual, *_share(allowed, share)),
        service,
        control,
        qualifier,
        modifiers,
        revenue,
    )


def _share(allowed: int, share: str) -> tuple[Adjustment, ...]:
    """The patient's part of an allowed amount: deductible PR-1, coinsurance PR-2, co-payment PR-3."""
    match share:
        case "none":
            return ()
        case "copay":
            return (Adjustment("PR", "3", min(2500, allowed // 2)),)
        case "coinsurance":
            return (Adjustment("PR", "2", max(1, allowed // 5)),)
        case "deductible":
            return (Adjustment("PR", "1", allowed),)
        case "all three":
            parts = (("1", allowed // 4), ("2", allowed // 10), ("3", min(1000, allowed // 4)))
            return tuple(Adjustment("PR", carc, cents) for carc, cents in parts)
        case _:
            raise ValueError(f"unknown share: {share}")


def _denied(line: Line, reason: tuple[str, str, tuple[str, ...]]) -> Line:
    group, carc, remarks = reason
    denied = Adjustment(group, carc, line.charge_cents, line.units if line.units > 1 else None)
    return replace(line, adjustments=(denied,), remarks=remarks)


def _negated(adjustments: Sequence[Adjustment]) -> tuple[Adjustment, ...]:
    return tuple(a._replace(cents=-a.cents) for a in adjustments)


# --- remittances


def remittance(
    rng: random.Random,
    payer: Payer,
    members: Sequence[Member],
    *,
    claims: int = 50,
    number: int | None = None,
    paid_on: date = date(2026, 3, 2),
    payee: Provider | None = None,
    kinds: Sequence[str] = (),
    earlier: Sequence[Claim] = (),
    extra: Sequence[Claim] = (),
    adjustments: Sequence[ProviderAdjustment] = (),
    plain: bool = False,
) -> Remittance:
    """A balanced remittance with exactly `claims` CLPs (more where the given ones alone are more).

    First, every claim of `earlier` (see `is_correctable`) as a reversal and its correction; then `extra` as
    they are; then one claim of each of `kinds`; the rest by the weights of `KINDS`. `number` makes the trace
    and claim numbers: keep it distinct for each remittance of a payer (at most 999,999). A negative total is
    carried forward (PLB FB), so that the payment is never below zero. Now and then interest (L6) or a refund
    (WO with 72) joins `adjustments`. `plain` gives uniform three-line professional claims, and nothing else.
    """
    number = rng.randrange(10**6) if number is None else number
    if not 0 <= number < 10**6 or claims > LONGEST_BATCH:
        raise ValueError("number has at most six digits and a remittance at most 99,999 claims")
    prefix, trace = f"{payer.code}{number:06d}", f"{payer.code}T{number:09d}"
    made: list[Claim] = []
    for original in earlier:
        made += (reversal(original), corrected(rng, original))
    made += extra
    wanted = list(kinds)
    missing = claims - len(made) - len(wanted)
    if plain:
        made += _plain_claims(rng, payer, members, missing, prefix, paid_on)
    else:
        wanted += rng.choices(list(KINDS), list(KINDS.values()), k=max(0, missing))
        made += [
            claim(rng, payer, rng.choice(members), kind, number=f"{prefix}{at:05d}", paid_on=paid_on)
            for at, kind in enumerate(wanted, start=1)
        ]
    entries = tuple(adjustments)
    if not plain and rng.random() < 0.3:
        entries += _provider_adjustments(rng, trace)
    total = sum(c.paid_cents for c in made) - sum(a.cents for a in entries)
    if total < 0:
        entries = (*entries, ProviderAdjustment("FB", trace, total))
    produced_on = paid_on - timedelta(days=2)
    return Remittance(payer, payee or PAYEES[0], trace, paid_on, produced_on, tuple(made), entries)


def _provider_adjustments(rng: random.Random, trace: str) -> tuple[ProviderAdjustment, ...]:
    """Interest for a late payment, or a provider's refund that offsets the recovery of an overpayment."""
    cents = rng.randint(100, 4000)
    if rng.random() < 0.5:
        return (ProviderAdjustment("L6", trace, -cents),)
    return (ProviderAdjustment("WO", trace, cents), ProviderAdjustment("72", trace, -cents))


def carried_into_next(before: Remittance) -> list[ProviderAdjustment]:
    """What `before` carried forward (PLB FB): the same references with the opposite sign."""
    return [a._replace(cents=-a.cents) for a in before.adjustments if a.code == "FB" and a.cents < 0]


def history(
    rng: random.Random, payer: Payer, members: Sequence[Member], *, remittances: int = 3, claims: int = 50
) -> list[Remittance]:
    """Remittances four weeks apart; each but the first reverses and corrects two claims of the one before.

    What one carries forward (PLB FB), the next applies with the opposite sign.
    """
    made: list[Remittance] = []
    paid_on = date(2026, 1, 5)
    for number in range(1, remittances + 1):
        earlier: list[Claim] = []
        carried: list[ProviderAdjustment] = []
        if made:
            correctable = [c for c in made[-1].claims if is_correctable(c)]
            earlier = rng.sample(correctable, min(2, len(correctable)))
            carried = carried_into_next(made[-1])
        made.append(
            remittance(
                rng,
                payer,
                members,
                claims=claims,
                number=number,
                paid_on=paid_on,
                earlier=earlier,
                adjustments=carried,
            )
        )
        paid_on += timedelta(weeks=4)
    return made


def bulk(seed: int, claims: int, *, each: int = 1000, payer: Payer = PAYERS[0], members: int = 2000) -> Iterator[bytes]:
    """Interchanges of plain claims, `each` claims in one, `claims` in all; no claim number comes twice."""
    rng = random.Random(seed)
    covered = people(rng, payer, members)
    for number, start in enumerate(range(0, claims, each), start=1):
        batch = remittance(rng, payer, covered, claims=min(each, claims - start), number=number, plain=True)
        yield render(batch, control=number)


def _plain_claims(
    rng: random.Random, payer: Payer, members: Sequence[Member], count: int, prefix: str, paid_on: date
) -> Iterator[Claim]:
    pick, clinicians = rng.random, len(CLINICIANS)
    for at in range(1, count + 1):
        draw = int(pick() * 10**9)
        number, control = f"{prefix}{at:05d}", f"PT{prefix[3:]}{at:05d}"
        service = paid_on - timedelta(days=12 + draw % 29)
        copay = Adjustment("PR", "3", 1000 + draw % 15 * 100)
        lines = (
            Line(
                "99213",
                15_000 + draw % 997,
                (Adjustment("CO", "45", 5000 + draw % 499), copay),
                service,
                f"{control}L1",
            ),
            Line(
                "80053",
                4000 + draw % 313,
                (Adjustment("CO", "45", 1500 + draw % 211),),
                service,
                f"{control}L2",
            ),
            Line(
                "85025",
                3000 + draw % 251,
                (Adjustment("CO", "45", 1000 + draw % 173),),
                service,
                f"{control}L3",
            ),
        )
        yield Claim(
            control,
            "1",
            number,
            members[draw % len(members)],
            lines,
            filing=payer.filing,
            rendering=CLINICIANS[draw % clinicians],
        )
