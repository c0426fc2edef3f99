"""The commands. Each opens the ledger, asks one thing of it, and shows the answer as a table or as JSON lines."""

import getpass
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from mmap import ACCESS_READ, mmap
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import structlog
import typer

from adapters import logs
from adapters.cli import (
    accounts,
    accumulators,
    alerts,
    care,
    claims,
    codes,
    costs,
    coverage,
    directory,
    estimate,
    family,
    filters,
    logins,
    money,
    payments,
    plans,
    premiums,
    projections,
    remittances,
    settlement,
    show,
    what_if,
)
from adapters.cli.freshness import freshness as show_freshness
from adapters.cli.opened import Json, opened, progress
from adapters.json_message.lines import holds_lines, lines
from adapters.kafka.source import end_offsets
from adapters.postgres.freshness import freshness
from adapters.postgres.overview import overview
from adapters.settings import Settings
from application.intake import NotParked, Outcome
from application.ports import Buffer, DependencyDown, Format, Message
from composition import PROJECTIONS, Ledger, initialise, settle_memory
from domain.facts import StreamId
from domain.parking import REASONS
from projections.runner import Overtaken

app = typer.Typer(
    help="The ledger behind a health plan's member portal: claims and payments as events that never change.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
parked_app = typer.Typer(help="What could not be understood or accepted: list, show, retry, discard.")
app.add_typer(parked_app, name="parked")
app.add_typer(claims.app)
app.add_typer(accounts.app)
app.add_typer(accumulators.app)
app.add_typer(money.app)
app.add_typer(payments.app)
app.add_typer(codes.app, name="codes")
app.add_typer(filters.app, name="filters")
app.add_typer(projections.app, name="projections")
app.add_typer(remittances.app)
app.add_typer(settlement.app)
app.add_typer(premiums.app)
app.add_typer(logins.app)
app.add_typer(alerts.app)
app.add_typer(costs.app)
app.add_typer(what_if.app)
app.add_typer(estimate.app)
app.add_typer(family.app)
app.add_typer(care.app)
app.add_typer(plans.app)
app.add_typer(coverage.app)
app.add_typer(directory.app)

Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was parked.")]


LINES = {
    Format.JSON_CLAIM: Format.JSON_CLAIM_LINES,
    Format.JSON_PAYMENT: Format.JSON_PAYMENT_LINES,
    Format.JSON_PREMIUM: Format.JSON_PREMIUM_LINES,
    Format.JSON_SETTLEMENT: Format.JSON_SETTLEMENT_LINES,
    Format.JSON_PLAN: Format.JSON_PLAN_LINES,
    Format.JSON_COVERAGE: Format.JSON_COVERAGE_LINES,
    Format.JSON_PROVIDER: Format.JSON_PROVIDER_LINES,
    Format.JSON_SIGN_IN: Format.JSON_SIGN_IN_LINES,
}
"""The same, one a line"""
TOLD_BY = {
    b'"bank_account"': Format.JSON_SETTLEMENT,
    b'"contract_id"': Format.JSON_PREMIUM,
    b'"payment_id"': Format.JSON_PAYMENT,
    b'"schedule_id"': Format.JSON_PAYMENT,
    b'"revision"': Format.JSON_PLAN,
    b'"change_id"': Format.JSON_COVERAGE,
    b'"directory_revision"': Format.JSON_PROVIDER,
    b'"user_name"': Format.JSON_SIGN_IN,
}
"""Fields that only messages of a kind have; premiums tell of payments too"""


class FileFormat(StrEnum):
    AUTO = "auto"
    X12_835 = Format.X12_835.value
    JSON_CLAIM = Format.JSON_CLAIM.value
    JSON_PAYMENT = Format.JSON_PAYMENT.value
    JSON_PREMIUM = Format.JSON_PREMIUM.value
    JSON_SETTLEMENT = Format.JSON_SETTLEMENT.value
    JSON_PLAN = Format.JSON_PLAN.value
    JSON_COVERAGE = Format.JSON_COVERAGE.value
    JSON_PROVIDER = Format.JSON_PROVIDER.value
    JSON_SIGN_IN = Format.JSON_SIGN_IN.value


@app.command(epilog="Example: scripts/ledger init")
def init(as_json: Json = False) -> None:
    """Make the tables, the keys and, with LEDGER_KAFKA, the inbound topics. An existing ledger stays as it is."""
    settings = Settings()
    logs.configure(settings.log_level)
    ledger = initialise(settings)
    ledger.close()
    where = "server" if settings.dsn else "embedded"
    answer = {"database": where, "keys": str(settings.keys_folder)}
    show.out(answer, as_json, f"The ledger is ready ({where} database, keys in {settings.keys_folder}).")


# --- writing


@app.command(epilog="Example: scripts/ledger ingest samples/835 --json")
def ingest(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...|-", help="Files, folders, or - for stdin.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="What the files are.")] = FileFormat.AUTO,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Take in payers' files: the same path that messages from Kafka take, so the same file twice changes nothing."""
    files = list(_files(paths))
    outcomes: list[dict[str, Any]] = []
    with opened() as ledger, progress(quiet=as_json) as bar:
        task = bar.add_task("Ingesting", total=len(files))
        for file in files:
            with _bytes_of(file) as data:
                message = Message("file:" + ledger.ids.digest(data)[:16], data, _format_of(data, file_format))
                answer = _outcome(file, message, ledger.intake.handle_file(message))
            outcomes.append(answer)
            if as_json:
                show.line(answer)
            bar.advance(task)
    if not as_json:
        show.ingested(outcomes)
    if strict and any(answer["parked"] for answer in outcomes):
        raise typer.Exit(1)


@app.command(epilog="Example: LEDGER_KAFKA=localhost:9092 scripts/ledger consume")
def consume(as_json: Json = False) -> None:
    """Take in messages from Kafka until stopped (Ctrl-C or SIGTERM). Any number of these may run."""
    with opened() as ledger:
        source = ledger.source()
        settle_memory()
        try:
            ledger.consumer(source, show.line if as_json else lambda _: None).run(_until_stopped().is_set)
        finally:
            source.close()


@app.command(epilog="Example: scripts/ledger project --once")
def project(
    once: Annotated[bool, typer.Option("--once", help="Catch up and leave, instead of following the log.")] = False,
    as_json: Json = False,
) -> None:
    """Fold the log into the tables that people read. Of several of these one works and the others stand by."""
    with opened() as ledger:
        if not once:
            return _follow(ledger, as_json)
        with progress(quiet=as_json) as bar:
            head = overview(ledger.database, PROJECTIONS, embedded=True)
            lag = max((row["lag_events"] for row in head["projections"] if row["state"] == "live"), default=0)
            task = bar.add_task("Projecting", total=lag)
            events = ledger.runner.catch_up(lambda folded: bar.advance(task, folded))
    show.out({"events": events}, as_json, f"{events:,} events projected.")
    return None


LOCKOUTS_S = 10
"""How often whoever follows the log looks for lockouts whose time is over"""


def _follow(ledger: Ledger, as_json: bool) -> None:
    stopped, log = _until_stopped(), structlog.get_logger()
    settle_memory()

    def folded(events: int) -> None:
        log.info("projector.batch", events=events)
        if as_json:
            show.line({"events": events})

    while not stopped.is_set():
        try:
            ledger.runner.run(_stopped_or_in(LOCKOUTS_S, stopped), folded)
            ledger.end_lockouts(datetime.now(UTC))
        except Overtaken:
            log.warning("projector.overtaken")
        except DependencyDown as down:
            log.error("projector.dependency_down", dependency=str(down))
            ledger.projection_store.close()
            stopped.wait(1.0)


def _stopped_or_in(seconds: float, stopped: threading.Event) -> Callable[[], bool]:
    due = monotonic() + seconds
    return lambda: stopped.is_set() or monotonic() > due


# --- reading


@app.command(epilog="Example: scripts/ledger status --json")
def status(
    fresh: Annotated[bool, typer.Option("--freshness", help="Instead: how soon claims are to be seen.")] = False,
    as_json: Json = False,
) -> None:
    """Positions, lags, sources, what is parked, and whether database roles have force here."""
    with opened() as ledger:
        if fresh:
            answer = freshness(ledger.database)
        else:
            embedded = ledger.settings.dsn is None
            answer = _with_lags(ledger.settings, overview(ledger.database, PROJECTIONS, embedded=embedded))
    if as_json:
        show.line(answer)
    elif fresh:
        show_freshness(answer)
    else:
        show.status(answer)


# --- parked


@parked_app.command("list", epilog="Example: scripts/ledger parked list --all")
def parked_list(
    all_: Annotated[bool, typer.Option("--all", help="Also what was released or discarded.")] = False,
    as_json: Json = False,
) -> None:
    """What is parked, and why."""
    with opened() as ledger:
        rows = [
            {**item._asdict(), "meaning": REASONS.get(item.reason, "")}
            for item in ledger.log.parked_items(include_settled=all_)
        ]
    if as_json:
        for row in rows:
            show.line(row)
    else:
        show.parked(rows)


@parked_app.command("show", epilog="Example: scripts/ledger parked show 5e0c --raw")
def parked_show(
    parked_id: Annotated[str, typer.Argument(metavar="ID")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the message's bytes to stdout. They are personal.")] = False,
    as_json: Json = False,
) -> None:
    """One parked item, or the message itself."""
    with opened() as ledger:
        item = ledger.log.parked_item(_parked_id(ledger, parked_id))
        assert item is not None
        if raw:
            sys.stdout.buffer.write(ledger.intake.raw(item.raw_id))
            return
    row = {**item._asdict(), "meaning": REASONS.get(item.reason, "")}
    if as_json:
        show.line(row)
    else:
        show.parked_item(row)


@parked_app.command("retry", epilog="Example: scripts/ledger parked retry 5e0c")
def parked_retry(
    parked_id: Annotated[str | None, typer.Argument(metavar="ID")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that is parked, in order.")] = False,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Send a parked item through the same path again; what waits behind it follows if it goes through."""
    if (parked_id is None) != all_:
        raise typer.BadParameter("give either an ID or --all")
    stayed = False
    with opened() as ledger:
        ids = [_parked_id(ledger, parked_id)] if parked_id else [i.parked_id for i in ledger.log.parked_items()]
        for each in ids:
            try:
                released = ledger.intake.retry(each)
            except NotParked:  # it went through behind another one
                continue
            stayed |= not released
            show.out(
                {"parked_id": each, "released": released},
                as_json,
                f"{each[:8]} {'went through' if released else 'is still parked'}.",
            )
    if strict and stayed:
        raise typer.Exit(1)


@parked_app.command("discard", epilog='Example: scripts/ledger parked discard 5e0c --reason "sent by mistake"')
def parked_discard(
    parked_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why it is given up; kept for good.")],
    actor: Annotated[str | None, typer.Option(help="Who decides; the system's user by default.")] = None,
    as_json: Json = False,
) -> None:
    """Give a parked item up, on record. Its bytes stay."""
    with opened() as ledger:
        whole_id = _parked_id(ledger, parked_id)
        ledger.intake.discard(whole_id, getpass.getuser() if actor is None else actor, reason)
    show.out({"parked_id": whole_id, "discarded": True}, as_json, f"{whole_id[:8]} is discarded.")


# --- helpers


def _files(paths: list[str]) -> Iterator[str]:
    for path in paths:
        if path == "-" or Path(path).is_file():
            yield path
        elif Path(path).is_dir():
            yield from sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
        else:
            raise typer.BadParameter(f"no such file or folder: {path}", param_hint="PATH")


@contextmanager
def _bytes_of(path: str) -> Iterator[Buffer]:
    """A file's bytes, mapped rather than read: it may be larger than memory."""
    if path == "-":
        yield sys.stdin.buffer.read()
    elif Path(path).stat().st_size == 0:
        yield b""  # nothing can be mapped
    else:
        with Path(path).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            yield data


def _format_of(data: Buffer, stated: FileFormat) -> Format:
    """JSON begins with a brace, and is of a claim unless told otherwise; what is neither JSON nor X12 is a fault that
    the reader of X12 knows how to name."""
    begins = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if stated is FileFormat.X12_835 or (stated is FileFormat.AUTO and begins != b"{"):
        return Format.X12_835
    first = data[:4096].partition(b"\n{")[0]
    told = next((kind for number, kind in TOLD_BY.items() if number in first), Format.JSON_CLAIM)
    alone = told if stated is FileFormat.AUTO else Format(stated)
    return LINES[alone] if holds_lines(data) else alone


def _outcome(file: str, message: Message, outcome: Outcome) -> dict[str, Any]:
    has_lines = message.format in LINES.values()
    return {
        "file": file,
        "format": message.format,
        "messages": sum(1 for _ in lines(message.value)) if has_lines else 1,
        "claims": outcome.claims,
        "events": outcome.events,
        "duplicates": outcome.duplicates,
        "parked": [
            {"reason": part.park.reason, "detail": part.park.detail, "where": part.park.where, "id": part.parked_id}
            for part in outcome.parked
        ],
    }


def _parked_id(ledger: Ledger, prefix: str) -> StreamId:
    found = [i for i in ledger.log.parked_items(include_settled=True) if i.parked_id.startswith(prefix.lower())]
    if len(found) != 1:
        raise NotParked(prefix)
    return found[0].parked_id


def _with_lags(settings: Settings, answer: dict[str, Any]) -> dict[str, Any]:
    """The sources with how many messages wait in each, where a broker is set and answers."""
    if settings.kafka is None:
        return answer | {"kafka": "not set"}
    try:
        ends = end_offsets(settings.kafka, {(row["topic"], row["topic_id"]) for row in answer["sources"]})
    except DependencyDown:
        return answer | {"kafka": "down"}
    for row in answer["sources"]:
        end = ends.get((row["topic_id"], row["partition"]))
        row["lag"] = None if end is None else end - row["next_offset"]
    return answer | {"kafka": "up"}


def _until_stopped() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
