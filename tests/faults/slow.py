"""Runs a program in which a projection takes its time: `python -m tests.faults.slow SECONDS python -m MODULE ...`.

The projection of payers takes so long for each event that it folds, which is one a message.
"""

import runpy
import sys
import time
from collections.abc import Sequence

from projections import payers
from projections.projection import Change, Projected, Read


def main() -> None:
    _, seconds, _, _, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    fold = payers.fold

    def slowly(events: Sequence[Projected], read: Read) -> Sequence[Change]:
        time.sleep(float(seconds) * len(events))
        return fold(events, read)

    payers.fold = slowly  # type: ignore[assignment]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
