"""Measures the ledger, the floor and the event library's own way, on the same messages in one run: `scripts/bench`."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median
from types import FrameType

import psycopg

from application.ports import Format
from benchmarks import parts
from benchmarks.contention import contention
from benchmarks.floor import floor
from benchmarks.growth import GROWN_CLAIMS, GROWN_CLAIMS_MIN, growth
from benchmarks.mixed import mixed
from benchmarks.pipeline import Run, Stalled, Traffic, cpu, end_to_end, latency_ms, ratio
from benchmarks.place import Place, place
from benchmarks.portal import portal
from benchmarks.report import Figure, machine, percentile, print_json, print_table, progress
from benchmarks.workers import Figures, WorkerFailed, working
from composition import Ledger
from samples.generator import bulk
from tests.broker import NoBroker

CLAIMS = 60_000
CLAIMS_MIN = 500
EACH = 50
SEED = 835
REPEAT_FROM_CLAIMS = 20_000
"""Fewer claims are measured once: five runs of a second tell no more than one"""
LIBRARY_SHARE = 12
APPEND_EVENTS_MAX = 40_000


def measure(where: Place, claims: int, grown: int) -> Iterator[Figure]:
    repeats = 5 if claims >= REPEAT_FROM_CLAIMS else 1
    yield from remittances(where, claims, repeats)
    yield from with_account(where, claims // 2, repeats)
    yield from mixed(where, claims // 2, repeats)
    yield from contention(where, claims // 2, repeats)
    yield from portal(where, claims // 2, repeats)
    if grown:
        yield from growth(where, grown)


def remittances(where: Place, claims: int, repeats: int) -> Iterator[Figure]:
    messages = list(bulk(SEED, claims, each=EACH, members=max(1, claims // 8)))
    progress(f"{claims} claims in {len(messages)} messages of {len(messages[0])} bytes")
    floors: list[Figures] = []
    bare_floors: list[Figures] = []
    runs: list[Run] = []
    with ExitStack() as stack:
        topic = stack.enter_context(where.topic(messages))
        traffic = Traffic({topic: Format.X12_835}, len(messages), claims)
        ledgers = [stack.enter_context(where.ledger()) for _ in range(repeats)]
        floor(where, traffic.formats, traffic.messages)  # not counted: broker and caches are cold the first time
        for full in ledgers:
            bare_floors.append(floor(where, traffic.formats, traffic.messages, keys=""))
            floors.append(floor(where, traffic.formats, traffic.messages))
            progress(f"floor: {claims / floors[-1]['took_s']:,.0f} claims/s")
            runs.append(end_to_end(where, full, traffic))
            progress(f"end_to_end: {ratio(floors[-1], runs[-1]):.3f} of the floor")
        base = median(claims / each["took_s"] for each in floors)
        bare = median(claims / each["took_s"] for each in bare_floors)
        pace = median(run.units_per_s for run in runs)
        library = library_way(where, topic, max(CLAIMS_MIN, claims // LIBRARY_SHARE))
        progress(f"library_way: {library:,.0f} claims/s")

        def rate(name: str, per_s: float) -> Figure:
            return Figure(name, per_s, "claims/s", per_s / base)

        yield rate("floor", base)
        yield rate("floor_without_keys", bare)
        yield rate("library_way", library)
        yield Figure("end_to_end", pace, "claims/s", median(map(ratio, floors, runs)))
        yield Figure("end_to_end_to_library_way", pace / library, "ratio")
        yield Figure("cpu_floor", median(run["cpu_s"] / claims * 1e6 for run in floors), "µs/claim")
        yield from resources(runs)
        yield from in_parts(where, ledgers[-1], messages, base)
    progress(f"latency at {pace / 2:,.0f} claims/s")
    waits_s = latency_ms(where, messages, pace / 2, EACH)
    yield Figure("latency_p50", percentile(waits_s, 50) * 1000, "ms")
    yield Figure("latency_p99", percentile(waits_s, 99) * 1000, "ms")


def with_account(where: Place, claims: int, repeats: int) -> Iterator[Figure]:
    """The same remittances, and what they come to in the accounts of their bills."""
    floors: list[Figures] = []
    runs: list[Run] = []
    messages = list(bulk(SEED, claims, each=EACH, members=max(1, claims // 8)))
    with where.topic(messages) as topic:
        traffic = Traffic({topic: Format.X12_835}, len(messages), claims)
        for _ in range(repeats):
            floors.append(floor(where, traffic.formats, traffic.messages, accounts="yes"))
            with where.ledger() as ledger:
                runs.append(end_to_end(where, ledger, traffic, accounts=True))
            progress(f"with_account: {ratio(floors[-1], runs[-1]):.3f} of its floor")
    yield Figure("account_floor", median(claims / each["took_s"] for each in floors), "claims/s")
    pace = median(run.units_per_s for run in runs)
    yield Figure("with_account", pace, "claims/s", median(map(ratio, floors, runs)))
    yield from cpu(runs, "account_cpu", "µs/claim")


def resources(runs: Sequence[Run]) -> Iterator[Figure]:
    """What the pipeline took: the largest of its runs for memory, their median for CPU time."""
    consumers, projectors = zip(*(run.peak_mb() for run in runs), strict=True)
    yield Figure("peak_rss", max(*consumers, *projectors), "MB")
    yield Figure("peak_rss_consumer", max(consumers), "MB")
    yield Figure("peak_rss_projector", max(projectors), "MB")
    yield Figure("memory_growth", max(max(run.growth_mb()) for run in runs), "MB")
    yield from cpu(runs, "cpu", "µs/claim")


def in_parts(where: Place, full: Ledger, messages: Sequence[bytes], base: float) -> Iterator[Figure]:
    progress("parts: parse, intake, append, project")
    some = messages[: max(len(messages) // 3, 1)]
    for name, per_s in (("parse", parts.parse(some)), ("intake", parts.intake(where, some))):
        yield Figure(name, per_s, "claims/s", per_s / base)
    yield Figure("append", parts.append(where, full, APPEND_EVENTS_MAX), "events/s")
    yield Figure("project", parts.project(where, full), "events/s")


def library_way(where: Place, topic: str, claims: int) -> float:
    """From the first poll until every adjudication is projected."""
    with where.database() as dsn:
        options = {"bootstrap": where.bootstrap, "topic": topic, "dsn": dsn, "claims": str(claims)}
        with (
            working("benchmarks.library_way", "project", options, where.folder / "library-project.log") as projector,
            working("benchmarks.library_way", "consume", options, where.folder / "library-consume.log") as consumer,
        ):
            figures = consumer.finish()
            with psycopg.connect(dsn, autocommit=True) as connection:
                while connection.execute("SELECT count(*) FROM library_status").fetchone() != (figures["claims"],):
                    projector.check()
                    time.sleep(0.02)
            ended = time.monotonic()
    return float(figures["claims"] / (ended - figures["began"]))


def main() -> None:
    arguments = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    arguments.add_argument("--claims", type=int, default=CLAIMS, help=f"{CLAIMS_MIN} or more; {CLAIMS} by default")
    arguments.add_argument(
        "--growth",
        type=int,
        nargs="?",
        const=GROWN_CLAIMS,
        default=0,
        metavar="CLAIMS",
        help=f"also in a ledger of so many claims, {GROWN_CLAIMS:,} if none are given; takes minutes",
    )
    arguments.add_argument("--json", action="store_true", help="one JSON object a figure instead of a table")
    chosen = arguments.parse_args()
    if chosen.claims < CLAIMS_MIN:
        arguments.error(f"--claims {CLAIMS_MIN} or more")
    if chosen.growth and chosen.growth < GROWN_CLAIMS_MIN:
        arguments.error(f"--growth {GROWN_CLAIMS_MIN} or more")

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        with place() as where:
            with psycopg.connect(where.server) as connection:
                measured_on = machine(connection.info.parameter_status("server_version") or "?")
            progress(measured_on)
            figures = list(measure(where, chosen.claims, chosen.growth))
    except KeyboardInterrupt:
        sys.exit(130)
    except (NoBroker, Stalled, WorkerFailed) as failed:
        sys.exit(str(failed))
    if chosen.json:
        print_json(figures)
    else:
        print_table(figures, measured_on)


if __name__ == "__main__":
    main()
