"""The mix that payers send all day: 40 % status messages, 45 % remittances, 10 % with reversals, 5 % bad ones.

A status message holds one claim, a remittance three, so what is measured is as much the work on a message as that on a
claim. Rates are messages a second, the floor's too.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.floor import floor
from benchmarks.pipeline import Run, Traffic, cpu, end_to_end, ratio
from benchmarks.place import Place
from benchmarks.report import Figure, progress
from benchmarks.workers import Figures, working
from composition import Ledger
from consumers.messages import TOPICS
from samples.lives import Message, bulk_messages

SEED = 277
CLAIMS_PER_MESSAGE = 1.4
"""New ones; the others speak of claims that are known"""
CLAIMS_PER_MEMBER = 8


def mix(claims: int, *, more: int = 0) -> Iterator[Message]:
    """Messages of so many claims, and more messages of the same members."""
    return bulk_messages(SEED, messages_of(claims) + more, members=max(1, claims // CLAIMS_PER_MEMBER))


def messages_of(claims: int) -> int:
    return max(1, int(claims / CLAIMS_PER_MESSAGE))


@contextmanager
def sent(where: Place, messages: Sequence[Message]) -> Iterator[Traffic]:
    """Each message in a topic of its format."""
    with ExitStack() as stack:
        formats = {}
        for topic, format_ in TOPICS.items():
            values = [message.value for message in messages if message.topic == topic]
            if values:
                formats[stack.enter_context(where.topic(values))] = format_
        yield Traffic(formats, len(messages), len(messages))


def mixed(where: Place, claims: int, repeats: int) -> Iterator[Figure]:
    """Floor and pipeline in alternation, then a rebuild of what the pipeline made."""
    pairs: list[tuple[Figures, Run]] = []
    with ExitStack() as stack:
        ledgers = [stack.enter_context(where.ledger()) for _ in range(repeats)]
        traffic = stack.enter_context(sent(where, list(mix(claims))))
        for ledger in ledgers:
            pairs.append((floor(where, traffic.formats, traffic.messages), end_to_end(where, ledger, traffic)))
            progress(f"mixed_claims: {ratio(*pairs[-1]):.3f} of the floor")
        floors, runs = zip(*pairs, strict=True)
        yield Figure("mixed_floor", median(traffic.messages / each["took_s"] for each in floors), "messages/s")
        pace = median(run.units_per_s for run in runs)
        yield Figure("mixed_claims", pace, "messages/s", median(itertools.starmap(ratio, pairs)))
        yield Figure("mixed_cpu_floor", median(each["cpu_s"] / traffic.messages * 1e6 for each in floors), "µs/message")
        yield from cpu(runs, "mixed_cpu", "µs/message")
        yield from rebuild(where, ledgers[-1])


def rebuild(where: Place, full: Ledger) -> Iterator[Figure]:
    """Every projection of a full ledger, one after the other, compared with the live one and put in its place."""
    progress("rebuild")
    options = {"dsn": full.database.dsn, "keys": str(full.settings.keys)}
    with working("benchmarks.workers", "rebuild", options, where.folder / "rebuild.log") as worker:
        figures = worker.finish()
    events, took_s, cpu_s = (sum(each[name] for each in figures.values()) for name in ("events", "took_s", "cpu_s"))
    yield Figure("rebuild", events / cpu_s, "events/s")
    yield Figure("rebuild_wall", events / took_s, "events/s")
    yield Figure("rebuild_slowest", min(each["events"] / each["cpu_s"] for each in figures.values()), "events/s")
