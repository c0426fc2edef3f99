"""Runs a program in a process whose wall clock is off: `python -m tests.faults.skewed SECONDS python -m MODULE ...`.

Everything in Python that tells the time is moved; the monotonic clock, which no time server moves, is not.
"""

import runpy
import sys
import time

import time_machine


def main() -> None:
    _, seconds, _, _, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    with time_machine.travel(time.time() + float(seconds)):
        runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
