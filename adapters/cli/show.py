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

from domain.parking import REASONS


class _Console(Console):
    """Gives a table the width that its figures take, also where the terminal is narrower: a figure that is cut off is
    another figure."""

    def print(self, *objects: Any, **options: Any) -> None:
        given = self.width
        self.width = max(given, *(self._least_width(each) for each in objects if isinstance(each, Table)), 0)
        try:
            super().print(*objects, **options)
        finally:
            self.width = given

    def _least_width(self, table: Table) -> int:
        """What columns that do not fold take; of the others their least."""
        options = self.options.update(width=WIDTH_MAX)
        columns = [
            max(self.measure(cell, options=options).maximum for cell in (column.header, *column.cells))
            if column.no_wrap
            else column.min_width or 0
            for column in table.columns
        ]
        return sum(columns) + GAP * len(columns)


WIDTH_MAX, GAP = 1_000, 3
# Piped into a file or a pager there is no terminal whose width could be asked.
console = _Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
errors = Console(stderr=True)

_encode = msgspec.json.Encoder(decimal_format="number").encode

_STYLES = {
    "paid": "green",
    "partially_paid": "cyan",
    "denied": "red",
    "rejected": "red",
    "pended": "yellow",
    "reversed": "yellow",
    "voided": "yellow",
}


def line(answer: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own. Money is a number with two places; an absent value is null."""
    sys.stdout.write(_encode(answer).decode() + "\n")
    sys.stdout.flush()


def out(answer: Mapping[str, Any], as_json: bool, sentence: str) -> None:
    if as_json:
        line(answer)
    else:
        console.print(escape(sentence), soft_wrap=True)


def new_table(*columns: str, right: Sequence[str] = (), folds: Sequence[str] = (), title: str | None = None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        flexible = column in folds
        table.add_column(
            column, justify=justify, overflow="fold", no_wrap=not flexible, min_width=8 if flexible else None
        )
    return table


def text(value: Any) -> str:
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


def dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def status_words(status: str | None) -> str:
    if status is None:
        return "–"
    style = _STYLES.get(status)
    words = status.replace("_", " ")
    return f"[{style}]{words}[/]" if style else words


# --- what came of files


def ingested(outcomes: Sequence[Mapping[str, Any]]) -> None:
    figures = ("claims", "events", "duplicates", "parked")
    table = new_table("file", *figures, "why parked", right=figures, folds=("why parked",))
    for answer in outcomes:
        reasons = Counter(part["reason"] for part in answer["parked"])
        why = ", ".join(f"{escape(reason)} × {n}" if n > 1 else escape(reason) for reason, n in reasons.items())
        numbers = [text(answer[name]) for name in figures[:3]]
        table.add_row(escape(Path(answer["file"]).name), *numbers, text(len(answer["parked"])), why)
    if len(outcomes) > 1:
        table.add_section()
        totals = [text(sum(answer[name] for answer in outcomes)) for name in figures[:3]]
        parked = sum(len(answer["parked"]) for answer in outcomes)
        table.add_row(f"{len(outcomes)} files", *totals, text(parked), "")
    console.print(table)


# --- parked


def parked(rows: Sequence[Mapping[str, Any]]) -> None:
    table = new_table("id", "reason", "where", "claims", "state", "since", right=("claims",), folds=("where",))
    for row in rows:
        table.add_row(
            row["parked_id"][:8],
            escape(row["reason"]),
            text(row["where"]),
            text(row["claims"]),
            escape(row["state"]),
            text(row["parked_at"].date()),
        )
    console.print(table if rows else "Nothing is parked.")
    _meanings([row["reason"] for row in rows])


def _meanings(reasons: Sequence[str]) -> None:
    for reason in dict.fromkeys(reasons):
        console.print(f"  [bold]{escape(reason)}[/]  {escape(REASONS.get(reason, ''))}", soft_wrap=True)


def parked_item(row: Mapping[str, Any]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in row.items():
        table.add_row(name.replace("_", " "), text(value))
    console.print(table)


# --- status


def projections(rows: Sequence[Mapping[str, Any]]) -> None:
    figures = ("generation", "version", "position", "lag events", "lag seconds")
    table = new_table("projection", "state", *figures, right=figures)
    for row in rows:
        state = "live" if row["state"] == "live" else f"[yellow]{row['state'].replace('_', ' ')}[/]"
        numbers = [text(row[name]) for name in ("generation", "version", "position", "lag_events")]
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
        table = new_table("source", *offsets, "alarm", "moved", right=offsets)
        for row in answer["sources"]:
            numbers = [text(row.get(name)) for name in ("partition", "next_offset", "lag")]
            table.add_row(escape(row["topic"]), *numbers, text(row["alarm"]), text(row["updated_at"]))
        console.print(table)
    if answer["kafka"] == "down":
        console.print("[red]Kafka does not answer: lags are unknown.[/]")
    table = new_table("parked", "items", "claims", right=("items", "claims"))
    for row in answer["parked"]:
        table.add_row(escape(row["reason"]), text(row["items"]), text(row["claims"]))
    console.print(table if answer["parked"] else "Nothing is parked.")
    _meanings([row["reason"] for row in answer["parked"]])
    for row in answer["unreadable"]:
        console.print(f"[red]Position {row['position']} cannot be read: {escape(row['reason'])}[/]")
