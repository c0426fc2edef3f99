"""Claims as people read them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from adapters.cli.show import console, new_table, status_words, text
from adapters.cli.story import Step
from adapters.codes import Codes
from domain.claim import KIND_OF, ClaimEvent, PostingEvent
from domain.money import dollars
from domain.standing import Standing
from domain.window import Window

PROJECTED = "(Is everything projected? scripts/ledger status)"


def claims(rows: Sequence[Mapping[str, Any]], *, more: bool) -> None:
    console.print(_claims(rows) if rows else f"No claims match. {PROJECTED}")
    if more:
        console.print(f"The first {len(rows)}; more with --limit.")


def history(rows: Sequence[Mapping[str, Any]], window: Window | None, position: int | None) -> None:
    served = "Of any age" if window is None else f"Served from {window.first} to {window.last}, or undated"
    console.print(f"{served}; {'as known now' if position is None else f'as known at position {position:,}'}.")
    if not rows:
        console.print(f"No claims. {PROJECTED}")
        return
    table = _claims(rows)
    table.add_section()
    owed = sum(row["member_owes"] for row in rows if row["decided_by"] is None)
    sums = (sum(row["charge"] for row in rows), sum(row["paid"] for row in rows), owed)
    table.add_row(f"{len(rows)} claims", "", "", "", "", "", *map(text, sums))
    console.print(table)
    if any(row["decided_by"] for row in rows):
        console.print("→ a later payer of the same bill says what is owed: its claim is named instead of an amount.")


def _claims(rows: Sequence[Mapping[str, Any]]) -> Table:
    money = ("charge", "paid", "member owes")
    columns = ("claim", "service", "type", "patient", "payer", "status", *money)
    table = new_table(*columns, right=money, folds=("patient", "payer", "status"))
    for row in rows:
        table.add_row(
            row["claim_id"][:8],
            text(row["service_from"]),
            text(row["claim_type"]),
            f"{text(row['patient'])} [dim]{text(row['member_id'])}[/]",
            text(row["payer"] or row["payer_id"]),
            _standing(row["status"], row["awaits"], row["appeal"]),
            text(row["charge"]),
            text(row["paid"]),
            f"→ {row['decided_by'][:8]}" if row["decided_by"] else text(row["member_owes"]),
        )
    return table


def _standing(status: str | None, awaits: str, appeal: str) -> str:
    waits = f" [yellow](awaits {escape(awaits.replace('_', ' '))})[/]" if awaits else ""
    return status_words(status) + waits + (f" [magenta]{escape(appeal.replace('_', ' '))}[/]" if appeal else "")


# --- one claim


def claim(found: Mapping[str, Any], steps: Sequence[Step], codes: Codes) -> None:
    personal = next((step.personal for step in reversed(steps) if step.personal is not None), None)
    console.print(f"[bold]Claim {found['claim_id']}[/]")
    facts = Table(box=None, show_header=False, padding=(0, 2))
    owes = text(found["member_owes"])
    if found["decided_by"]:
        owes += f"; what is owed in the end says the later payer's claim {found['decided_by'][:8]}"
    level = f", level {found['appeal_level']}" if found["appeal_level"] else ""
    for name, value in (
        ("status", _standing(found["status"], found["awaits"], "")),
        ("patient", f"{text(found['patient'])}, member {text(found['member_id'])}"),
        ("payer", f"{text(found['payer'])} ({text(found['payer_id'])})"),
        ("payer's number", text(getattr(personal, "payer_claim_number", None))),
        ("provider's number", text(getattr(personal, "patient_control_number", None))),
        ("type", text(found["claim_type"])),
        ("service", text(found["service_from"])),
        ("charge", text(found["charge"])),
        ("paid", f"{text(found['paid'])} by the last word; {text(found['cash'])} moved by remittances"),
        ("member owes", owes),
        ("appeal", text(found["appeal"].replace("_", " ") + level)),
        ("appeal until", text(found["appeal_until"])),
    ):
        facts.add_row(name, value)
    console.print(facts)
    _events(steps)
    final = next((step for step in steps if step.position == found["final_position"]), None)
    if final is not None and isinstance(final.event, PostingEvent):
        _lines(final.facts["adjudication"], codes)


def _events(steps: Iterable[Step]) -> None:
    money = ("charge", "paid", "CLP05")
    columns = ("position", "said", "status", *money, "day", "payment", "source")
    table = new_table(
        *columns, right=("position", *money), folds=("status", "payment", "source"), title="The events that made it"
    )
    for step in steps:
        table.add_row(text(step.position), *_said(step), _after(step), *_amounts(step.event), *_when_and_whence(step))
    console.print(table)


def _said(step: Step) -> tuple[str]:
    return (escape(step.topic) if step.event is None else text(KIND_OF[type(step.event)].replace("_", " ")),)


def _after(step: Step) -> str:
    if step.stands is None:
        return f"[red]{escape(step.unreadable)}[/]" if step.unreadable else "unknown"
    return _standing(step.stands.status, step.stands.awaits, step.stands.appeal)


def _amounts(event: ClaimEvent | None) -> tuple[str, str, str]:
    if not isinstance(event, PostingEvent):
        return "–", "–", "–"
    said = event.adjudication
    return dollars(said.charge_cents), dollars(said.paid_cents), dollars(said.patient_cents)


def _when_and_whence(step: Step) -> tuple[str, str, str]:
    day = step.event.day if isinstance(step.event, PostingEvent) else getattr(step.event, "at", None)
    cause = step.cause
    return text(day), text(cause and cause.trace_number), text(cause and cause.source)


def _lines(said: Mapping[str, Any], codes: Codes) -> None:
    money = ("charge", "paid", "allowed")
    title = "The lines of the last posting"
    columns = ("line", "procedure", "service", *money, "adjustments", "remarks")
    table = new_table(*columns, right=("line", *money), title=title)
    for number, service in enumerate(said.get("lines", ()), 1):
        allowed = service.get("allowed_cents")
        table.add_row(
            str(number),
            text(service["procedure"] or service.get("revenue_code")),
            text(service.get("service_from")),
            dollars(service["charge_cents"]),
            dollars(service["paid_cents"]),
            "–" if allowed is None else dollars(allowed),
            _adjustments(service.get("adjustments", ())),
            text(" ".join(service.get("remarks", ()))),
        )
    if said.get("adjustments") or said.get("remarks"):
        remarks = text(" ".join(said.get("remarks", ())))
        table.add_row("", "whole claim", "", "", "", "", _adjustments(said.get("adjustments", ())), remarks)
    console.print(table)
    _meanings(said, codes)


def _adjustments(adjustments: Sequence[Sequence[Any]]) -> str:
    return text(", ".join(f"{group}-{carc} {dollars(cents)}" for group, carc, cents, *_ in adjustments))


def _meanings(said: Mapping[str, Any], codes: Codes) -> None:
    """Each code that stands above, once, in plain language."""
    parts = (*said.get("lines", ()), said)
    reasons = [(group, carc) for part in parts for group, carc, *_ in part.get("adjustments", ())]
    remarks = [remark for part in parts for remark in part.get("remarks", ())]
    meanings = {group: codes.text("group", group) for group, _ in reasons}
    meanings |= {carc: codes.text("carc", carc) for _, carc in reasons}
    meanings |= {remark: codes.text("rarc", remark) for remark in remarks}
    for code, meaning in meanings.items():
        words = escape(meaning or "No text is known for this code.")
        console.print(f"  [bold]{escape(code):>5}[/]  {words}", soft_wrap=True)


# --- replay

FIGURES = {"paid_cents": "paid", "member_cents": "owes", "cash_cents": "cash"}


def replay(steps: Sequence[Step]) -> None:
    columns = ("position", "day", "said", "says paid", "CLP05", "by", "status after it", *FIGURES.values())
    right = ("position", "says paid", "CLP05", *FIGURES.values())
    table = new_table(*columns, right=right, folds=("status after it",))
    for step in steps:
        day, payment, source = _when_and_whence(step)
        by = f"{payment}\n{source}" if payment != "–" else source
        _, *said = _amounts(step.event)
        cells = (text(step.position), day[:10], *_said(step), *said, by, _status_after(step))
        table.add_row(*cells, *(_figure(step, name) for name in FIGURES))
    console.print(table)
    console.print("[bold yellow]Marked[/]: other than before. Paid and owed by the last word; cash as moved so far.")


def _status_after(step: Step) -> str:
    words = _after(step)
    return f"[reverse]{words}[/]" if step.changed & {"status", "awaits", "appeal"} and step.stands else words


def _figure(step: Step, name: str) -> str:
    stands: Standing | None = step.stands
    if stands is None:
        return "–"
    amount = dollars(getattr(stands, name))
    return f"[bold yellow]{amount}[/]" if name in step.changed else amount
