"""Answers as people read them, and as programs do: tables on stdout, or one JSON object a line."""

import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.postgres.event_log import RecordedEvent
from application.mapper import Unreadable
from composition import Ledger
from domain.adjudication import Adjudication, status_of
from domain.money import dollars
from domain.parking import REASONS

# Piped into a file or a pager there is no terminal whose width could be asked.
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
errors = Console(stderr=True)

_encode = msgspec.json.Encoder(decimal_format="number").encode

_STYLES = {"paid": "green", "denied": "red", "reversed": "yellow", "partially_paid": "cyan"}


def line(answer: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own. Money is a number with two places; an absent value is null."""
    sys.stdout.write(_encode(answer).decode() + "\n")
    sys.stdout.flush()


def out(answer: Mapping[str, Any], as_json: bool, sentence: str) -> None:
    if as_json:
        line(answer)
    else:
        console.print(escape(sentence), soft_wrap=True)


def _table(*columns: str, right: Sequence[str] = (), folds: Sequence[str] = (), title: str | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        flexible = column in folds
        table.add_column(
            column, justify=justify, overflow="fold", no_wrap=not flexible, min_width=8 if flexible else None
        )
    return table


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "–"
        case Decimal():
            return f"{value:,.2f}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.isoformat()
        case int():
            return f"{value:,}"
        case _:
            return escape(str(value))


def _status(status: str) -> str:
    style = _STYLES.get(status)
    words = status.replace("_", " ")
    return f"[{style}]{words}[/]" if style else words


# --- what came of files


def ingested(outcomes: Sequence[Mapping[str, Any]]) -> None:
    figures = ("claims", "events", "duplicates", "parked")
    table = _table("file", *figures, "why parked", right=figures, folds=("why parked",))
    for answer in outcomes:
        reasons = Counter(part["reason"] for part in answer["parked"])
        why = ", ".join(f"{escape(reason)} × {n}" if n > 1 else escape(reason) for reason, n in reasons.items())
        numbers = [_text(answer[name]) for name in figures[:3]]
        table.add_row(escape(Path(answer["file"]).name), *numbers, _text(len(answer["parked"])), why)
    if len(outcomes) > 1:
        table.add_section()
        totals = [_text(sum(answer[name] for answer in outcomes)) for name in figures[:3]]
        parked = sum(len(answer["parked"]) for answer in outcomes)
        table.add_row(f"{len(outcomes)} files", *totals, _text(parked), "")
    console.print(table)


# --- claims


def claims(rows: Sequence[Mapping[str, Any]], *, more: bool) -> None:
    money = ("charge", "paid", "member owes")
    columns = ("claim", "service", "patient", "payer", "status", *money)
    table = _table(*columns, right=money, folds=("patient", "payer", "status"))
    for row in rows:
        table.add_row(
            row["claim_id"][:8],
            _text(row["service_from"]),
            f"{_text(row['patient'])} [dim]{_text(row['member_id'])}[/]",
            _text(row["payer"] or row["payer_id"]),
            _status(row["status"]),
            _text(row["charge"]),
            _text(row["paid"]),
            _text(row["member_owes"]),
        )
    console.print(table if rows else "No claims match. (Is everything projected? scripts/ledger status)")
    if more:
        console.print(f"The first {len(rows)}; more with --limit.")


def event_of(ledger: Ledger, recorded: RecordedEvent) -> dict[str, Any]:
    """One event of a claim as plain values, its personal facts opened."""
    answer: dict[str, Any] = {
        "position": recorded.position,
        "version": recorded.stored.originator_version,
        "recorded_at": recorded.recorded_at,
        "topic": recorded.stored.topic,
    }
    try:
        event = ledger.mapper.load(recorded.stored)
        personal = ledger.mapper.unseal(recorded.stored, event)
    except Unreadable as unreadable:
        return answer | {"unreadable": unreadable.reason}
    facts = msgspec.to_builtins(event)
    facts.pop("personal", None)
    adjudication = getattr(event, "adjudication", None)
    if isinstance(adjudication, Adjudication):
        answer["status"] = status_of(adjudication)
    remittance = facts.get("remittance")
    if remittance:
        answer["source"], answer["trace_number"] = _source(ledger, remittance)
    answer |= facts
    answer["personal"] = msgspec.to_builtins(personal)
    return answer


def _source(ledger: Ledger, remittance_id: str) -> tuple[str | None, str | None]:
    for recorded in ledger.log.history(remittance_id):
        try:
            event = ledger.mapper.load(recorded.stored)
        except Unreadable:
            break
        return getattr(event, "source", None), getattr(event, "trace_number", None)
    return None, None


def claim(found: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
    numbers: Mapping[str, Any] = next((event["personal"] for event in reversed(events) if event.get("personal")), {})
    console.print(f"[bold]Claim {found['claim_id']}[/]")
    facts = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in (
        ("status", _status(found["status"])),
        ("patient", f"{_text(found['patient'])}, member {_text(found['member_id'])}"),
        ("payer", f"{_text(found['payer'])} ({_text(found['payer_id'])})"),
        ("payer's number", _text(numbers.get("payer_claim_number"))),
        ("provider's number", _text(numbers.get("patient_control_number"))),
        ("service", _text(found["service_from"])),
        ("charge", _text(found["charge"])),
        ("paid", _text(found["paid"])),
        ("member owes", _text(found["member_owes"])),
    ):
        facts.add_row(name, value)
    console.print(facts)
    money = ("charge", "paid", "CLP05")
    columns = ("position", "event", "status", *money, "paid on", "payment", "source")
    folds = ("status", "payment", "source")
    table = _table(*columns, right=("position", *money), folds=folds, title="The events that made it")
    for event in events:
        said = event.get("adjudication", {})
        amounts = (said.get(name) for name in ("charge_cents", "paid_cents", "patient_cents"))
        table.add_row(
            _text(event["position"]),
            escape(event["topic"]),
            _status(event["status"]) if "status" in event else escape(event.get("unreadable", "")),
            *("–" if cents is None else dollars(cents) for cents in amounts),
            _text(event.get("paid_on")),
            _text(event.get("trace_number")),
            _text(event.get("source")),
        )
    console.print(table)
    readable = [event for event in events if "adjudication" in event]
    if readable:
        _lines(readable[-1]["adjudication"])


def _lines(said: Mapping[str, Any]) -> None:
    money = ("charge", "paid", "allowed")
    title = "The lines of the latest posting"
    table = _table(
        "line", "procedure", "service", *money, "adjustments", "remarks", right=("line", *money), title=title
    )
    for number, service in enumerate(said.get("lines", ()), 1):
        allowed = service.get("allowed_cents")
        table.add_row(
            str(number),
            _text(service["procedure"] or service.get("revenue_code")),
            _text(service.get("service_from")),
            dollars(service["charge_cents"]),
            dollars(service["paid_cents"]),
            "–" if allowed is None else dollars(allowed),
            _adjustments(service.get("adjustments", ())),
            _text(" ".join(service.get("remarks", ()))),
        )
    if said.get("adjustments") or said.get("remarks"):
        remarks = _text(" ".join(said.get("remarks", ())))
        table.add_row("", "whole claim", "", "", "", "", _adjustments(said.get("adjustments", ())), remarks)
    console.print(table)


def _adjustments(adjustments: Sequence[Sequence[Any]]) -> str:
    return _text(", ".join(f"{group}-{carc} {dollars(cents)}" for group, carc, cents, *_ in adjustments))


# --- parked


def parked(rows: Sequence[Mapping[str, Any]]) -> None:
    table = _table("id", "reason", "where", "claims", "state", "since", right=("claims",), folds=("where",))
    for row in rows:
        table.add_row(
            row["parked_id"][:8],
            escape(row["reason"]),
            _text(row["where"]),
            _text(row["claims"]),
            escape(row["state"]),
            _text(row["parked_at"].date()),
        )
    console.print(table if rows else "Nothing is parked.")
    _meanings([row["reason"] for row in rows])


def _meanings(reasons: Sequence[str]) -> None:
    for reason in dict.fromkeys(reasons):
        console.print(f"  [bold]{escape(reason)}[/]  {escape(REASONS.get(reason, ''))}", soft_wrap=True)


def parked_item(row: Mapping[str, Any]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in row.items():
        table.add_row(name.replace("_", " "), _text(value))
    console.print(table)


# --- status


def projections(rows: Sequence[Mapping[str, Any]]) -> None:
    figures = ("generation", "version", "position", "lag events", "lag seconds")
    table = _table("projection", "state", *figures, right=figures)
    for row in rows:
        state = "live" if row["state"] == "live" else f"[yellow]{row['state'].replace('_', ' ')}[/]"
        numbers = [_text(row[name]) for name in ("generation", "version", "position", "lag_events")]
        table.add_row(row["projection"], state, *numbers, f"{row['lag_seconds']:.1f}")
    console.print(table)


def status(answer: Mapping[str, Any]) -> None:
    database = answer["database"]
    roles = "enforced" if database["roles_enforced"] else "not enforced"
    console.print(f"Log at position [bold]{answer['position']:,}[/] in PostgreSQL {database['version']}", end=" ")
    console.print(f"({database['kind']}; roles {roles}).")
    projections(answer["projections"])
    if answer["sources"]:
        offsets = ("partition", "next offset", "lag")
        table = _table("source", *offsets, "alarm", "moved", right=offsets)
        for row in answer["sources"]:
            numbers = [_text(row.get(name)) for name in ("partition", "next_offset", "lag")]
            table.add_row(escape(row["topic"]), *numbers, _text(row["alarm"]), _text(row["updated_at"]))
        console.print(table)
    if answer["kafka"] == "down":
        console.print("[red]Kafka does not answer: lags are unknown.[/]")
    table = _table("parked", "items", "claims", right=("items", "claims"))
    for row in answer["parked"]:
        table.add_row(escape(row["reason"]), _text(row["items"]), _text(row["claims"]))
    console.print(table if answer["parked"] else "Nothing is parked.")
    _meanings([row["reason"] for row in answer["parked"]])
    for row in answer["unreadable"]:
        console.print(f"[red]Position {row['position']} cannot be read: {escape(row['reason'])}[/]")
