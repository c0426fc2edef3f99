"""`scripts/ledger filters`: the filters that claims are asked for by name."""

from datetime import datetime
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from adapters.cli import show
from adapters.cli.opened import DAYS, Json, opened
from adapters.filters import Looks, name_of, rule

app = typer.Typer(help="Filters that claims are asked for by name: list, show, save, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="In quotes where it has spaces; capitals do not matter.")]
Ranges = Annotated[list[str] | None, typer.Option(metavar="CODE[-CODE]", help="May be given several times.")]


@app.command("list", epilog="Example: scripts/ledger filters list")
def list_filters(as_json: Json = False) -> None:
    """Which filters there are."""
    with opened() as ledger:
        found = ledger.filters.all()
    if as_json:
        for row in found:
            show.line(row)
    else:
        table = Table("filter", "rules", "origin", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in found:
            table.add_row(escape(row["name"]), str(row["rules"]), "shipped" if row["shipped"] else "saved")
        show.console.print(table)


@app.command("show", epilog='Example: scripts/ledger filters show "emergency visits"')
def show_filter(name: Name, as_json: Json = False) -> None:
    """What a filter looks for: one of these codes in a claim or its lines is enough."""
    with opened() as ledger:
        rules = ledger.filters.rules(name)
    if as_json:
        show.line({"name": name_of(name), "rules": rules})
    else:
        table = Table("looks at", "from", "to", "services from", "to", box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rules:
            table.add_row(*("–" if value is None else str(value).replace("_", " ") for value in row.values()))
        show.console.print(table)


@app.command("save", epilog='Example: scripts/ledger filters save "my knee" --procedure 27310-27599 --from 2025-03-01')
def save(
    name: Name,
    claim_type: Annotated[list[str] | None, typer.Option("--type", help="professional, pharmacy …")] = None,
    place_of_service: Ranges = None,
    bill_type: Ranges = None,
    qualifier: Ranges = None,
    procedure: Ranges = None,
    revenue: Ranges = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=DAYS, help="Services of this day or later.")
    ] = None,
    to: Annotated[datetime | None, typer.Option(formats=DAYS, help="Services up to this day.")] = None,
    as_json: Json = False,
) -> None:
    """Store a filter under a name, in the place of an own one of that name."""
    looked_for = {
        Looks.CLAIM_TYPE: claim_type,
        Looks.PLACE_OF_SERVICE: place_of_service,
        Looks.BILL_TYPE: bill_type,
        Looks.QUALIFIER: qualifier,
        Looks.PROCEDURE: procedure,
        Looks.REVENUE: revenue,
    }
    days = [None if day is None else day.date() for day in (from_, to)]
    rules = [rule(looks, said, *days) for looks, ranges in looked_for.items() for said in ranges or ()]
    with opened() as ledger:
        ledger.filters.save(name, rules)
    show.out({"name": name_of(name), "rules": len(rules)}, as_json, f"The filter {name_of(name)} is saved.")


@app.command("remove", epilog='Example: scripts/ledger filters remove "my knee"')
def remove(name: Name, as_json: Json = False) -> None:
    """Remove a filter that was saved; those that come with the ledger stay."""
    with opened() as ledger:
        ledger.filters.remove(name)
    show.out({"name": name_of(name), "removed": True}, as_json, f"The filter {name_of(name)} is removed.")
