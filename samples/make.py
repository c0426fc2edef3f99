"""Writes the shipped sample set: `python -m samples.make` fills `samples/835/` and `samples/README.md`.

The same code gives the same bytes on every run. `build` returns the set with the models behind it, so that a
test can check a reader against sums that the reader never saw.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from samples.catalog import PAYEES, PAYERS
from samples.generator import (
    carried_into_next,
    claim,
    is_correctable,
    next_payer,
    people,
    remittance,
    reversal,
)
from samples.model import Adjustment, Carrier, Claim, Line, Member, Payer, ProviderAdjustment, Remittance
from samples.x12 import VERSION_4010, Delimiters, money, render

FOLDER = Path(__file__).parent
NORTHFIELD, HARBORLINE, TALLGRASS, COPPER_BASIN = PAYERS
CLINIC, GROUP_PRACTICE, HOSPITAL = PAYEES
MEMBERS: dict[str, tuple[Member, ...]] = {
    payer.code: people(random.Random(f"members of {payer.code}"), payer, 14) for payer in PAYERS
}
BOM = b"\xef\xbb\xbf"
LETTER = b"""Dear provider,

please find enclosed our new fee schedule. It applies from the first of the month.
This letter is not a remittance advice.

Provider Services, Northfield Health Plan
"""

# One person with three coverages: the same claims go from Tallgrass Valley to Harborline to Copper Basin.
COVERED_THRICE = MEMBERS["TGV"][4]
AT_HARBORLINE = replace(COVERED_THRICE, member_id="HBM700310045", subscriber=None)
AT_COPPER_BASIN = replace(COVERED_THRICE, member_id="CBA700310045", subscriber=None)


@dataclass(frozen=True, slots=True)
class Sample:
    """One file. `posted` and `duplicates` count claims when the files are taken in path order."""

    path: str
    data: bytes
    shows: str
    posted: int = 0
    duplicates: int = 0
    parked: str = ""
    remittances: tuple[Remittance, ...] = ()


def roster() -> list[tuple[Payer, Member]]:
    """Every coverage in the samples, with birth dates (which no 835 carries)."""
    everybody = [(payer, member) for payer in PAYERS for member in MEMBERS[payer.code]]
    return [*everybody, (HARBORLINE, AT_HARBORLINE), (COPPER_BASIN, AT_COPPER_BASIN)]


def build() -> list[Sample]:
    """The whole set in path order: the good files by month, then `bad/`."""
    march = _pay(NORTHFIELD, 6, date(2026, 3, 16), 24, adjustments=[ProviderAdjustment("WO", "NHP00000500001", 6500)])
    good = [
        *_early_files(),
        *_corrections(),
        *_coordination(),
        _good(
            "2026-03-northfield-health",
            13,
            [march],
            "Recovers what 2025-11 could not take back (PLB WO, positive).",
        ),
        *_late_arrival(),
    ]
    return sorted(good, key=lambda sample: sample.path) + sorted(_bad_files(march), key=lambda sample: sample.path)


def _pay(
    payer: Payer,
    number: int,
    paid_on: date,
    claims: int,
    *,
    kinds: Sequence[str] = (),
    earlier: Sequence[Claim] = (),
    extra: Sequence[Claim] = (),
    adjustments: Sequence[ProviderAdjustment] = (),
) -> Remittance:
    payee = HOSPITAL if payer is COPPER_BASIN else GROUP_PRACTICE if payer is HARBORLINE else CLINIC
    return remittance(
        random.Random(f"{payer.code} {number}"),
        payer,
        MEMBERS[payer.code],
        claims=claims,
        number=number,
        paid_on=paid_on,
        payee=payee,
        kinds=kinds,
        earlier=earlier,
        extra=extra,
        adjustments=adjustments,
    )


def _good(name: str, control: int, paid: Sequence[Remittance], shows: str, data: bytes = b"") -> Sample:
    count = sum(len(r.claims) for r in paid)
    return Sample(f"{name}.835", data or render(paid, control=control), shows, count, remittances=tuple(paid))


def _early_files() -> Iterator[Sample]:
    """2023 to 2024: one file for each payer, and the forms an envelope can take."""
    first = _pay(TALLGRASS, 1, date(2023, 11, 13), 20)
    one, two, three, *rest = first.claims
    undated = replace(two, received=None, statement=None, lines=tuple(replace(x, service_date=None) for x in two.lines))
    first = replace(first, claims=(one, undated, replace(three, claim_number=""), *rest))
    second = _pay(TALLGRASS, 2, date(2023, 11, 27), 8, earlier=[_first_correctable(rest)])
    second = replace(second, claims=tuple(_with_group_cr(c) if at < 2 else c for at, c in enumerate(second.claims)))
    yield _good(
        "2023-11-tallgrass-valley",
        1,
        [first, second],
        "Version 00401 (004010X091A1, `U` in ISA11). A reversal and its correction under group CR; a "
        "claim without a payer claim number; a claim without any service date.",
        render([first, second], control=1, version=VERSION_4010),
    )
    yield _good(
        "2024-02-northfield-health",
        2,
        [_pay(NORTHFIELD, 1, date(2024, 2, 19), 24)],
        "An ordinary month: paid, partly paid, denied, all to the deductible.",
    )
    spring = _pay(HARBORLINE, 1, date(2024, 5, 20), 22, adjustments=[ProviderAdjustment("L6", "HBM00000100001", -1274)])
    yield _good(
        "2024-05-harborline-mutual",
        3,
        [spring],
        "Byte order mark, and CRLF after each terminator. Interest paid (PLB L6).",
        BOM + render(spring, control=3, delimiters=Delimiters(line_break="\r\n")),
    )
    yield _good(
        "2024-08-copper-basin",
        4,
        [_hospital_month()],
        "A hospital: outpatient with revenue codes, stays without service lines, drugs by NDC, claim-level CAS.",
    )
    autumn = _pay(TALLGRASS, 3, date(2024, 11, 18), 22)
    yield _good(
        "2024-11-tallgrass-valley",
        5,
        [autumn],
        "Other delimiters: vertical bar, `>`, and a line feed as the terminator.",
        render(autumn, control=5, delimiters=Delimiters("|", ">", "^", "\n", "")),
    )


def _hospital_month() -> Remittance:
    kinds = ["outpatient"] * 7 + ["inpatient"] * 3 + ["pharmacy"] * 5 + ["claim_level"] * 3
    return _pay(COPPER_BASIN, 1, date(2024, 8, 19), 22, kinds=kinds)


def _corrections() -> Iterator[Sample]:
    """2025: several transactions, a file sent twice, and payments taken back."""
    winter = _winter()
    winter[0] = replace(winter[0], claims=(*winter[0].claims, *_twins_under_one_number()))
    yield _good(
        "2025-02-northfield-health",
        6,
        winter,
        "Three transactions. In the first, twins (one member id) have a claim each under one payer claim number.",
    )
    kinds = ["denied"] * 5 + ["partial"] * 3 + ["deductible"] * 3 + ["not_recognised"] * 2 + ["predetermination"] * 3
    may = _pay(HARBORLINE, 2, date(2025, 5, 19), 26, kinds=[*kinds, "not_ours"])
    yield _good(
        "2025-05-harborline-mutual",
        7,
        [may],
        "Denied, zero paid but not denied (deductible), patient not recognised (4), not our claim (23), "
        "predetermination (25).",
    )
    yield Sample(
        "2025-06-harborline-mutual-again.835",
        render(may, control=8, sent_on=date(2025, 6, 2)),
        "The file of 2025-05 once more, under new ISA13 and GS06.",
        duplicates=len(may.claims),
        remittances=(may,),
    )
    stay = next(c for c in _hospital_month().claims if c.covered_days is not None)
    taken_back = _pay(COPPER_BASIN, 2, date(2025, 8, 11), 6, kinds=["pharmacy"] * 5, extra=[reversal(stay)])
    applied = _pay(
        COPPER_BASIN,
        3,
        date(2025, 8, 25),
        14,
        kinds=["inpatient"] * 3,
        adjustments=carried_into_next(taken_back),
    )
    yield _good(
        "2025-08-copper-basin",
        9,
        [taken_back, applied],
        "Two interchanges. The first reverses a stay of 2024-08 without a correction: nothing is left to pay "
        "(BPR02 0), the rest is carried forward (PLB FB); the second applies it.",
        render(taken_back, control=9) + render(applied, control=10),
    )
    originals = winter_originals()
    november = _pay(
        NORTHFIELD,
        5,
        date(2025, 11, 17),
        20,
        earlier=originals,
        adjustments=[ProviderAdjustment("WO", originals[0].claim_number, -6500)],
    )
    sample = _good(
        "2025-11-northfield-health",
        11,
        [winter[2], november],
        "First the third transaction of 2025-02 again (sent twice in part); then three claims of 2025-02 "
        "reversed (22) and corrected. An amount that could not be taken back stands as PLB WO, negative.",
    )
    again = len(winter[2].claims)
    yield replace(sample, posted=sample.posted - again, duplicates=again)


def _winter() -> list[Remittance]:
    return [_pay(NORTHFIELD, 2 + at, date(2025, 2, 3 + 7 * at), 12) for at in range(3)]


def winter_originals() -> list[Claim]:
    """The claims of 2025-02 that 2025-11 reverses and corrects."""
    return [_first_correctable(r.claims) for r in _winter()]


def _coordination() -> Iterator[Sample]:
    """2026: the same claims at a first, a second and a third payer."""
    rng = random.Random("coordination")
    paid_on = date(2026, 1, 19)
    harborline, copper_basin = Carrier(HARBORLINE.name, "HBLM2"), Carrier(COPPER_BASIN.name, "CBAD4")
    made = [
        claim(rng, TALLGRASS, COVERED_THRICE, kind, number=f"TGV0000049000{at}", paid_on=paid_on)
        for at, kind in enumerate(("forwarded", "deductible", "deductible"))
    ]
    first = [replace(c, status="19", remarks=("MA18",), forwarded_to=harborline) for c in made]
    second = [next_payer(rng, c, HARBORLINE, AT_HARBORLINE, number=f"HBM0000039000{at}") for at, c in enumerate(first)]
    forwarded = [replace(c, status="20", remarks=("MA18",), forwarded_to=copper_basin) for c in second[:2]]
    third = [
        next_payer(rng, c, COPPER_BASIN, AT_COPPER_BASIN, number=f"CBA0000049000{at}") for at, c in enumerate(forwarded)
    ]
    kinds = ["forwarded", "secondary", "tertiary", "secondary_forwarded", "tertiary_forwarded"]
    yield _good(
        "2026-01-tallgrass-valley",
        12,
        [_pay(TALLGRASS, 4, paid_on, 20, extra=first)],
        "Three claims of a person with three coverages, as the first payer: processed and forwarded (19).",
    )
    yield _good(
        "2026-02-harborline-mutual",
        14,
        [_pay(HARBORLINE, 3, date(2026, 2, 16), 20, extra=[*forwarded, second[2]], kinds=kinds)],
        "The same three claims as the second payer (20, 20, 2): the first payer's effect is OA-23.",
    )
    refund = [
        ProviderAdjustment("WO", "CBA00000100004", 4150),
        ProviderAdjustment("72", "CBA00000100004", -4150),
    ]
    yield _good(
        "2026-04-copper-basin",
        15,
        [_pay(COPPER_BASIN, 4, date(2026, 4, 20), 18, extra=third, kinds=kinds, adjustments=refund)],
        "Two of the three claims as the third payer (3). A provider's refund (PLB 72) offsets a WO.",
    )


def _late_arrival() -> Iterator[Sample]:
    """Mid to late 2026: a correction that arrives before the payment that it corrects."""
    yield _good(
        "2026-06-tallgrass-valley",
        16,
        [_pay(TALLGRASS, 5, date(2026, 6, 15), 20)],
        "An ordinary month.",
    )
    july = _pay(HARBORLINE, 4, date(2026, 7, 20), 18)
    originals = [_first_correctable(july.claims[half:]) for half in (0, 9)]
    september = _pay(HARBORLINE, 5, date(2026, 9, 21), 18, earlier=originals)
    yield _good(
        "2026-09-harborline-mutual",
        17,
        [september],
        "Reverses and corrects two claims whose first payment, of July, is not known yet.",
    )
    yield _good(
        "2026-10-harborline-mutual-july-late",
        18,
        [july],
        "The payment of July, late. It comes behind the reversal and the correction of two of its claims.",
    )
    october = [_pay(NORTHFIELD, 7 + at, date(2026, 10, 5 + 14 * at), 15) for at in range(2)]
    yield _good("2026-10-northfield-health", 19, october, "Two transactions; the latest dates of the set.")


def _bad_files(march: Remittance) -> Iterator[Sample]:
    day, kinds = date(2026, 10, 12), ["paid"] * 6
    yield Sample("bad/empty.835", b"", "No bytes at all.", parked="the file: empty")
    yield Sample("bad/not-x12.835", LETTER, "A letter.", parked="the file: not X12")

    whole = _pay(NORTHFIELD, 901, day, 6, kinds=kinds)
    text = render(whole, control=901)
    cut = text[: text.index(whole.claims[3].claim_number.encode()) + 60]
    yield Sample(
        "bad/truncated.835",
        cut,
        "Ends inside the fourth claim: no SE, GE or IEA.",
        parked="the file: truncated",
    )

    nul = _pay(NORTHFIELD, 902, day, 6, kinds=kinds)
    name = nul.claims[2].member.family_name.encode()
    yield Sample(
        "bad/nul-bytes.835",
        render(nul, control=902).replace(name, name[:3] + b"\0\0" + name[3:]),
        "NUL bytes inside a name.",
        parked="the transaction: bytes that are no text",
    )

    cent = _pay(TALLGRASS, 901, day, 6, kinds=kinds)
    line = cent.claims[1].lines[0]
    yield Sample(
        "bad/line-off-by-one-cent.835",
        _edited(render(cent, control=903), _svc(line, 0), _svc(line, 1)),
        "The first line of the second claim pays a cent more than its charge less its adjustments.",
        parked="the transaction: a line out of balance",
    )

    total = _pay(HARBORLINE, 901, day, 6, kinds=kinds)
    paid = total.paid_cents
    yield Sample(
        "bad/payment-total-mismatch.835",
        _edited(render(total, control=904), f"BPR*I*{money(paid)}*", f"BPR*I*{money(paid + 10_000)}*"),
        "BPR02 is 100.00 more than the claims and PLB.",
        parked="the transaction: payment out of balance",
    )

    count = render(_pay(COPPER_BASIN, 901, day, 6, kinds=kinds), control=905)
    found = re.search(rb"SE\*(\d+)\*", count)
    assert found
    yield Sample(
        "bad/wrong-segment-count.835",
        count.replace(found[0], b"SE*%d*" % (int(found[1]) + 2)),
        "SE01 counts two segments that are not there.",
        parked="the transaction: wrong segment count",
    )

    odd = _pay(NORTHFIELD, 903, day, 8, kinds=kinds)
    claims = tuple(replace(c, status="77") if at == 3 else c for at, c in enumerate(odd.claims))
    odd = replace(odd, claims=claims)
    yield Sample(
        "bad/unknown-status-code.835",
        render(odd, control=906),
        "The fourth of eight claims has CLP02 77; all sums are right.",
        posted=7,
        parked="one claim: unknown status code",
        remittances=(odd,),
    )

    changed = _conflicting(march)
    yield Sample(
        "bad/conflicting-repost.835",
        render(changed, control=907, sent_on=march.paid_on + timedelta(days=30)),
        "2026-03-northfield-health again, with 5.00 moved from one claim's payment to another's: "
        "same keys, same BPR02.",
        duplicates=len(march.claims) - 2,
        parked="two claims: same posting, other amounts",
        remittances=(changed,),
    )


def _conflicting(original: Remittance) -> Remittance:
    """Two claims pay 5.00 more and 5.00 less, by their CO-45; everything else is as it was."""
    moved = [c for c in original.claims if is_correctable(c) and c.paid_cents > 1000][:2]
    claims = list(original.claims)
    for target, cents in zip(moved, (500, -500), strict=True):
        line = max(target.lines, key=lambda x: x.paid_cents)
        contractual = next(a for a in line.adjustments if a.carc == "45")
        other = contractual._replace(cents=contractual.cents + cents)
        changed = replace(line, adjustments=tuple(other if a is contractual else a for a in line.adjustments))
        lines = tuple(changed if x is line else x for x in target.lines)
        claims[claims.index(target)] = replace(target, lines=lines)
    return replace(original, claims=tuple(claims))


def _first_correctable(claims: Sequence[Claim]) -> Claim:
    return next(c for c in claims if is_correctable(c) and len(c.lines) > 1)


def _with_group_cr(original: Claim) -> Claim:
    """As version 4010 does in corrections: CR in place of CO."""

    def changed(adjustments: tuple[Adjustment, ...]) -> tuple[Adjustment, ...]:
        return tuple(a._replace(group="CR") if a.group == "CO" else a for a in adjustments)

    lines = tuple(replace(line, adjustments=changed(line.adjustments)) for line in original.lines)
    return replace(original, lines=lines, adjustments=changed(original.adjustments))


def _twins_under_one_number() -> list[Claim]:
    rng = random.Random("twins")
    twins = MEMBERS["NHP"][2:4]
    return [
        claim(
            rng,
            NORTHFIELD,
            twin,
            "paid",
            number="NHP00000290000",
            paid_on=date(2025, 2, 3),
            control=f"TW250200{at}",
        )
        for at, twin in enumerate(twins)
    ]


def _svc(line: Line, more_cents: int) -> str:
    return f"SVC*HC:{line.procedure}*{money(line.charge_cents)}*{money(line.paid_cents + more_cents)}*"


def _edited(data: bytes, old: str, new: str) -> bytes:
    """`data` with its only `old` replaced; ValueError where there is not exactly one."""
    if data.count(old.encode()) != 1:
        raise ValueError(f"{old!r} stands {data.count(old.encode())} times")
    return data.replace(old.encode(), new.encode())


# --- README


def readme(samples: Sequence[Sample]) -> str:
    """The table of files, with ST and CLP counted in the bytes as they are."""
    rows = [
        f"| `{s.path}` | {s.shows} | {_count(s.data, 'ST')} | {_count(s.data, 'CLP')} | {_expected(s)} |"
        for s in samples
    ]
    known = {r.trace_number: r for s in samples if not s.path.startswith("bad/") for r in s.remittances}
    codes = Counter(c.status for r in known.values() for c in r.claims)
    by_code = ", ".join(f"{code}: {codes[code]}" for code in sorted(codes, key=int))
    posted, duplicates = sum(s.posted for s in samples), sum(s.duplicates for s in samples)
    return README.format(
        rows="\n".join(rows), posted=posted, duplicates=duplicates, people=len(roster()), by_code=by_code
    )


def _count(data: bytes, segment: str) -> int:
    return len(re.findall(rb"(?:^|[~\n])\s*" + segment.encode() + rb"[*|]", data))


def _expected(sample: Sample) -> str:
    parts = [f"{sample.posted} posted"] if sample.posted else []
    parts += [f"{sample.duplicates} duplicates"] if sample.duplicates else []
    parts += [f"parked: {sample.parked}"] if sample.parked else []
    return "; ".join(parts)


README = """# Samples

Remittances (X12 835) of four invented payers, written by `python -m samples.make`: the same bytes on every
run. Names, numbers and payers are made up; codes and arithmetic are real. All files but those in `bad/`
balance exactly, by line, claim and transaction.

Taken in path order (`bad/` comes last), {posted} claims are posted and {duplicates} are duplicates, of
{people} coverages (families under one member id, twins, one person with three coverages).

| file in `835/` | what it shows | ST | CLP | what the ledger does |
|---|---|---:|---:|---|
{rows}

`notices/` holds what Northfield says of claims outside its payments (JSON, one message a line; docs/messages.md),
written by `python -m samples.notices`: the life of a claim of 2025 before it is paid and after it is cut, what is open
in the autumn of 2026, and four bad messages.

`family/` holds one family's year in money (JSON, one a line), written by `python -m samples.family`: claims that meet
its deductible, a second payer, premiums, instalments of which one fails at first, a reversal and correction after
payment, and a test that will be disputed. Its sums are small and round. `household/`, by `python -m samples.household`,
is the same family at the portal: its plans, enrolment, sign-ins and consents. `scripts/demo` tells both.

ST and CLP are counted in the bytes as they stand. What is parked keeps its bytes and its reason, and the rest
goes on: a file that can't be read is parked whole, a transaction that can't be read or whose sums are wrong
with all of its claims, else only the claim.

Claims by CLP02 in the good files, repeats left out: {by_code}.

`samples.generator` makes more of the kind from a seed: `remittance` (one balanced transaction), `history`
(with reversals and corrections), `bulk` (many plain claims, fast), `render` (bytes). Its models carry the
sums that a reader must find.
"""


def main() -> None:
    """Replaces every file of the set, and removes what no longer belongs to it."""
    samples = build()
    target = FOLDER / "835"
    for stale in sorted(target.glob("**/*.835")):
        stale.unlink()
    for sample in samples:
        path = target / sample.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.data)
    (FOLDER / "README.md").write_text(readme(samples), encoding="utf-8", newline="\n")
    print(f"{len(samples)} files, {sum(s.posted for s in samples)} claims to post, in {target}")


if __name__ == "__main__":
    main()
