"""Read models: which there are, and building one anew."""

from typing import Annotated

import typer

from adapters.cli import show
from adapters.cli.opened import Json, opened, progress
from adapters.postgres.overview import overview
from composition import PROJECTIONS

app = typer.Typer(help="The tables that people read: list them, rebuild one beside the live one.")


@app.command("list", epilog="Example: scripts/ledger projections list --json")
def list_(as_json: Json = False) -> None:
    """Their generations, and how far each is."""
    with opened() as ledger:
        rows = overview(ledger.database, PROJECTIONS, embedded=ledger.settings.dsn is None)["projections"]
    if as_json:
        for row in rows:
            show.line(row)
    else:
        show.projections(rows)


@app.command(epilog="Example: scripts/ledger projections rebuild people")
def rebuild(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: Json = False) -> None:
    """Fold a projection anew from the first event, compare it with the live one, and put it in its place.

    Readers and the projector go on meanwhile. After an interruption the same command goes on where it was.
    """
    with opened() as ledger, progress(quiet=as_json) as bar:
        task = bar.add_task(f"Rebuilding {name}", total=None)
        rebuilt = ledger.rebuild(name, lambda built, live: bar.update(task, completed=built, total=live))
    differing = f"{rebuilt.only_in_old:,} only in the old one, {rebuilt.only_in_new:,} only in the new one"
    sentence = f"Generation {rebuilt.generation} of {name} is live: {rebuilt.rows:,} rows; {differing}."
    show.out(rebuilt._asdict(), as_json, sentence)
