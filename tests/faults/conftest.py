import os
import random
from collections.abc import Callable
from typing import Any

import pytest

Figures = Callable[..., None]


@pytest.fixture
def seed(record_property: Callable[[str, Any], None]) -> int:
    """From SEED in the environment, else a new one; printed, so that a run can be made again."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))
    print(f"SEED={seed}")
    record_property("seed", seed)
    return seed


@pytest.fixture
def figures(record_property: Callable[[str, Any], None]) -> Figures:
    """Keeps named figures of a test; `scripts/faults` prints them."""

    def keep(**named: float) -> None:
        for name, value in named.items():
            record_property(name, round(value, 1))
            print(f"{name}={value:.1f}")

    return keep
