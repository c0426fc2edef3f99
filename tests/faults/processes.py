"""The projector as a process, by its command."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from adapters.settings import Settings
from tests.broker import ROOT
from tests.delivery import PATIENCE_S


class ProjectorProcess:
    def __init__(self, settings: Settings, within: Sequence[str] = ()) -> None:
        self.log_file = settings.data / f"projector-{uuid4()}.log"
        ledger = {"LEDGER_DSN": str(settings.dsn), "LEDGER_KEYS": str(settings.keys), "LEDGER_DATA": str(settings.data)}
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "adapters.cli", "project"],
                env=os.environ | ledger | {"PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = self.log_file.read_text().splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [entry for entry in entries if entry["event"] == event]

    def end(self) -> None:
        """Ask it to end as it should."""
        self.process.terminate()
        assert self.process.wait(timeout=PATIENCE_S) == 0, self.log_file.read_text()[-4000:]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
