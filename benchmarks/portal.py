"""All that a plan's member portal lives on: claims, sign-ins, payments and coverage together, all projections on.

And sign-ins by themselves, of one account that never rests and of a hundred thousand.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.floor import floor
from benchmarks.mixed import CLAIMS_PER_MEMBER, sent
from benchmarks.pipeline import Run, cpu, end_to_end, ratio
from benchmarks.place import Place
from benchmarks.report import Figure, progress
from benchmarks.workers import Figures
from samples.lives import Message, bulk_messages
from samples.portal import enrolments, payments, sign_ins

SEED = 6
ACCOUNTS = 100_000
SHARES = {"claims": 0.60, "sign_ins": 0.25, "payments": 0.10, "coverage": 0.05}
"""Of the messages"""


def portal_mix(count: int) -> list[Message]:
    """So many messages, each kind's in its own order, shuffled among each other."""
    counts = {kind: int(count * share) for kind, share in SHARES.items()}
    members = max(1, counts["claims"] // CLAIMS_PER_MEMBER)
    kinds = {
        "claims": bulk_messages(SEED, counts["claims"], members=members),
        "sign_ins": sign_ins(SEED, counts["sign_ins"], accounts=members),
        "payments": payments(SEED, counts["payments"], members=members),
        "coverage": enrolments(SEED, counts["coverage"], members=members),
    }
    order = [kind for kind in kinds for _ in range(counts[kind])]
    random.Random(SEED).shuffle(order)
    return [next(kinds[kind]) for kind in order]


def portal(where: Place, count: int, repeats: int) -> Iterator[Figure]:
    """Floor and pipeline in alternation."""
    messages = portal_mix(count)
    pairs: list[tuple[Figures, Run]] = []
    with sent(where, messages) as traffic:
        for _ in range(repeats):
            base = floor(where, traffic.formats, traffic.messages, accounts="yes")
            with where.ledger() as ledger:
                pairs.append((base, end_to_end(where, ledger, traffic, accounts=True)))
            progress(f"mixed: {ratio(*pairs[-1]):.3f} of its floor")
    floors, runs = zip(*pairs, strict=True)
    yield Figure("portal_floor", median(traffic.messages / each["took_s"] for each in floors), "messages/s")
    pace = median(run.units_per_s for run in runs)
    yield Figure("mixed", pace, "messages/s", median(itertools.starmap(ratio, pairs)))
    yield from cpu(runs, "portal_cpu", "µs/message")
    yield from attempts(where, count)


def attempts(where: Place, count: int) -> Iterator[Figure]:
    for name, accounts in (("sign_ins_hot", 1), ("sign_ins_many", ACCOUNTS)):
        run = _signed_in(where, list(sign_ins(SEED, count, accounts=accounts)))
        progress(f"{name}: {run.units_per_s:,.0f} sign-ins/s, {run.conflicts} batches decided again")
        yield Figure(name, run.units_per_s, "sign-ins/s")
        yield Figure(f"{name}_again", run.conflicts, "attempts")


def _signed_in(where: Place, messages: Sequence[Message]) -> Run:
    with ExitStack() as stack:
        traffic = stack.enter_context(sent(where, messages))
        return end_to_end(where, stack.enter_context(where.ledger()), traffic, accounts=True)
