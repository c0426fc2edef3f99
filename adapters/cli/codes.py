"""`scripts/ledger codes`: what codes mean, and the official lists of the operator."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli import show
from adapters.cli.opened import DAYS, Json, opened
from adapters.codes import BYTES_MAX, System

app = typer.Typer(help="What codes mean: show one, load an official list.", no_args_is_help=True)

Which = Annotated[System, typer.Argument(case_sensitive=False, help="Which list the code is of.")]


@app.command("show", epilog="Example: scripts/ledger codes show CARC 45")
def show_code(
    system: Which,
    code: Annotated[str, typer.Argument(metavar="CODE")],
    on: Annotated[datetime | None, typer.Option(formats=DAYS, help="As the loaded list says for this day.")] = None,
    as_json: Json = False,
) -> None:
    """What a code means, in plain language."""
    day = None if on is None else on.date()
    with opened() as ledger:
        text, official = ledger.codes.text(system, code, day), ledger.codes.official(system, code, day)
    answer = {"system": system, "code": code.upper(), "text": text, "official": bool(official)}
    show.out(answer, as_json, text or f"No text is known for {system} {code.upper()}.")


@app.command("load", epilog="Example: scripts/ledger codes load carc carc.csv")
def load(
    system: Which,
    file: Annotated[str, typer.Argument(metavar="FILE.csv|-", help="Its header: code,description[,start,stop].")],
    as_json: Json = False,
) -> None:
    """Load an official list, whole or not at all, in the place of the one that was loaded before."""
    with opened() as ledger:
        codes, replaced = ledger.codes.load(system, _bytes_of(file))
    answer = {"system": system, "codes": codes, "replaced": replaced}
    show.out(answer, as_json, f"{codes:,} codes loaded into {system}, in the place of {replaced:,}.")


def _bytes_of(path: str) -> bytes:
    """No more than it takes to see that it is too much."""
    if path == "-":
        return sys.stdin.buffer.read(BYTES_MAX + 1)
    with Path(path).open("rb") as file:
        return file.read(BYTES_MAX + 1)
