"""What a run prints: a table for people, or one JSON object a figure."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from rich import box
from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    name: str
    value: float
    unit: str
    ratio_to_floor: float | None = None
    """Only where it is a rate like its floor's: that of the mix is `mixed_floor`"""


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_json(figures: Sequence[Figure]) -> None:
    for figure in figures:
        print(json.dumps(figure._asdict()))


def print_table(figures: Sequence[Figure], machine: str) -> None:
    table = Table("name", "unit", box=box.SIMPLE)
    table.add_column("value", justify="right")
    table.add_column("ratio to its floor", justify="right")
    for name, value, unit, ratio in figures:
        digits = 0 if value >= 100 else 1 if value >= 10 else 2
        table.add_row(name, unit, f"{value:,.{digits}f}", "" if ratio is None else f"{ratio:.3f}")
    print(machine)
    Console().print(table)


def percentile(values: Sequence[float], share: int) -> float:
    """Of two or more values."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def machine(postgres: str) -> str:
    """What the figures were measured on; the load is that of the minute before."""
    memory_gb = psutil.virtual_memory().total / 1e9
    return (
        f"{psutil.cpu_count()} cores ({_processor()}), {memory_gb:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}, load before {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
