"""What every command begins with, and the bar that shows how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters import logs
from adapters.cli import show
from adapters.settings import Settings
from composition import Ledger, open_ledger

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout instead of a table.")]
DAYS = ["%Y-%m-%d"]


@contextmanager
def opened() -> Iterator[Ledger]:
    settings = Settings()
    logs.configure(settings.log_level)
    ledger = open_ledger(settings)
    try:
        yield ledger
    finally:
        ledger.close()


def day_of(ledger: Ledger, chosen: datetime | None) -> date:
    """Today is the plan's."""
    return chosen.date() if chosen else datetime.now(ZoneInfo(ledger.settings.zone)).date()


def progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=show.errors, disable=quiet)
