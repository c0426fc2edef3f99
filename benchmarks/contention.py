"""Whether consumers and a portal get in each other's way where they write of the same members.

The mix goes through consumers and projector, while another process executes commands at a steady pace: it disputes a
cent of a bill and resolves that. In one run these are bills that the consumers have just assessed, and may be about to
assess again; in the other they are those of other members, which nothing else touches. So both runs have the same to
do, and only the contention differs.
"""

import itertools
from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

from adapters.settings import Settings
from application.ports import Message
from benchmarks.mixed import CLAIMS_PER_MESSAGE, mix, sent
from benchmarks.pipeline import Run, Traffic, end_to_end
from benchmarks.place import Place
from benchmarks.report import Figure, percentile, progress
from benchmarks.workers import Figures, working
from composition import open_ledger
from samples.generator import bulk

MESSAGES_MAX = 15_000
PAIRS = 3
OTHERS = 1_000
"""Claims of other members, each in a remittance of its own: the writer takes the first of each"""
OTHERS_SEED = 836


class Contest(NamedTuple):
    """One run of the pipeline, and what its writer came to meanwhile."""

    run: Run
    writer: Figures

    @property
    def again(self) -> int:
        """Batches and commands that were decided again, since somebody else was faster."""
        return self.run.conflicts + int(self.writer["conflicts"])


def contention(where: Place, claims: int, repeats: int) -> Iterator[Figure]:
    """Uncontended and contended in turn."""
    claims = min(claims, int(MESSAGES_MAX * CLAIMS_PER_MESSAGE))
    pairs: list[tuple[Contest, Contest]] = []
    with sent(where, list(mix(claims))) as traffic:
        for _ in range(min(repeats, PAIRS)):
            pairs.append((contest(where, traffic, contended=False), contest(where, traffic, contended=True)))
            progress(f"contention: {_ratio(*pairs[-1]):.3f} of the uncontended rate")
    alone, contended = zip(*pairs, strict=True)
    yield Figure("uncontended", median(each.run.units_per_s for each in alone), "messages/s")
    pace = median(each.run.units_per_s for each in contended)
    yield Figure("contention", pace, "messages/s", median(itertools.starmap(_ratio, pairs)))
    for outcome in ("answered", "refused", "given_up"):
        yield Figure(f"contention_{outcome}", sum(each.writer[outcome] for each in contended), "commands")
    for name, contests in (("uncontended", alone), ("contention", contended)):
        yield Figure(f"{name}_again", sum(each.again for each in contests), "attempts")
        yield Figure(f"{name}_p99", percentile([ms for each in contests for ms in each.writer["took_ms"]], 99), "ms")


def contest(where: Place, traffic: Traffic, *, contended: bool) -> Contest:
    with where.ledger() as ledger:
        take_in_others(ledger.settings)
        options = {
            "dsn": ledger.database.dsn,
            "keys": str(ledger.settings.keys),
            "contended": "yes" if contended else "",
        }
        with working("benchmarks.workers", "write", options, where.folder / "write.log") as writer:
            run = end_to_end(where, ledger, traffic, accounts=True)
            return Contest(run, writer.stop())


def take_in_others(settings: Settings) -> None:
    """On connections of its own: who has projected here keeps others from it."""
    with closing(open_ledger(settings)) as ledger:
        messages = enumerate(bulk(OTHERS_SEED, OTHERS, each=1))
        ledger.intake.handle([Message(f"others/0@{number}", message) for number, message in messages])
        ledger.runner.catch_up()


def _ratio(alone: Contest, contended: Contest) -> float:
    return contended.run.units_per_s / alone.run.units_per_s
