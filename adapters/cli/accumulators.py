"""`scripts/ledger accumulators`: what counts toward a member's deductible and out-of-pocket limit."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import typer

from adapters.cli import show
from adapters.cli.accounts import AsOf, ask
from adapters.cli.claims import KnownAt, Member
from adapters.cli.opened import Json
from adapters.cli.show import console, dollars, new_table, text
from domain.money import Money
from projections.account_queries import ACCUMULATORS, accumulators_of

app = typer.Typer()


@app.command(epilog="Example: scripts/ledger accumulators NHP131023432")
def accumulators(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """What counts toward deductible and out-of-pocket limit, as derived and as the payer states it, by plan year."""
    rows = _accumulated(ask(ACCUMULATORS, member, as_of, known_at))
    if as_json:
        for row in rows:
            show.line(row)
        return
    if not rows:
        console.print("Nothing counts yet. (Is everything projected? scripts/ledger status)")
        return
    amounts = ("used", "stated", "difference", "limit", "left")
    for plan, of_plan in groupby(rows, _plan):
        table = new_table("of", "limit of", *amounts, "met", "stated on", right=amounts, folds=("of",), title=plan)
        for row in of_plan:
            who = "[bold]family[/]" if row["level"] == "family" else text(row["patient"])
            figures = [text(row[name]) for name in amounts]
            if row["difference"]:
                figures[2] = f"[yellow]{figures[2]}[/]"
            met = "[red]exceeded[/]" if row["exceeded"] else {True: "[green]met[/]", False: "", None: "–"}[row["met"]]
            table.add_row(who, row["kind"].replace("_", " "), *figures, met, text(row["stated_on"]))
        console.print(table)
    console.print(
        "Used: derived from claims by their last words, PR-1 and PR-66; out of pocket, PR-2 and PR-3 too. Stated: by "
        "the payer, last. Left: a person has no more left than the family; less than nothing is beyond the limit."
    )


def _accumulated(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Plan years from the latest, persons by their names before the family."""
    payers = {row["payer_id"]: row["payer"] for row in said}
    patients = {row["person_id"]: row["patient"] for row in said}
    rows = [
        {
            "plan_year_from": each.plan.year_from,
            "payer_id": each.plan.payer_id,
            "payer": payers[each.plan.payer_id],
            "plan_id": each.plan.plan_id or None,
            "network": each.network or "unknown",
            "level": each.level,
            "person_id": each.person,
            "patient": each.person and patients[each.person],
            "kind": each.kind,
            "used": _dollars(each.used_cents),
            "stated": _dollars(each.stated_cents),
            "stated_on": each.stated_on,
            "difference": _dollars(each.difference_cents),
            "limit": _dollars(each.limit_cents),
            "design": each.design,
            "left": _dollars(each.left_cents),
            "met": each.is_met,
            "exceeded": each.is_exceeded,
        }
        for each in accumulators_of(said)
    ]
    rows.sort(key=lambda row: (row["level"] == "family", row["patient"] or "", row["person_id"] or "", row["kind"]))
    rows.sort(key=lambda row: (row["payer_id"], row["plan_id"] or "", row["network"]))
    rows.sort(key=lambda row: row["plan_year_from"] or date.min, reverse=True)
    return rows


def _dollars(cents: Money | None) -> Decimal | None:
    return None if cents is None else dollars(cents)


_NETWORKS = {"in": "in network", "out": "out of network", "both": "in and out of network", "unknown": "network unknown"}


def _plan(row: Mapping[str, Any]) -> str:
    """A calendar year by its number, any other plan year by its first day."""
    began = row["plan_year_from"]
    year = "undated" if began is None else str(began.year) if (began.month, began.day) == (1, 1) else f"from {began}"
    plan = f"plan {text(row['plan_id'])}" if row["plan_id"] else "plan unknown"
    return f"{year}, {text(row['payer'] or row['payer_id'])}, {plan}, {_NETWORKS[row['network']]}"
