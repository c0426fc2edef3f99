"""The benchmark runs and names its figures. How fast it is, is not a test's business."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.broker import Broker

BENCH = Path(__file__).parents[2] / "scripts" / "bench"

NAMES = {
    "floor",
    "library_way",
    "end_to_end",
    "append",
    "project",
    "latency_p99",
    "peak_rss",
    "contention",
    "mixed",
    "sign_ins_hot",
}


@pytest.mark.timeout(240)
def test_a_small_run_gives_every_figure(broker: Broker) -> None:
    run = subprocess.run([BENCH, "--claims", "1000", "--json"], capture_output=True, text=True, timeout=230)
    assert run.returncode == 0, run.stderr
    figures = [json.loads(line) for line in run.stdout.splitlines()]
    assert all(list(figure) == ["name", "value", "unit", "ratio_to_floor"] for figure in figures)
    assert {figure["name"] for figure in figures} >= NAMES
    assert all(figure["value"] > 0 for figure in figures if figure["name"] in NAMES)
