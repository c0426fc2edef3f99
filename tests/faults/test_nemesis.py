"""Five seeds of the nemesis; `scripts/nemesis` runs as many as one likes."""

import pytest

from tests.faults.ground import ground
from tests.faults.nemesis import torment

SEEDS = 5


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_whatever_is_killed_and_when(seed: int) -> None:
    with ground() as prepared:
        runs = [torment(prepared, seed + number) for number in range(SEEDS)]
    told = "\n".join(map(str, runs))
    print(told)
    assert not any(run.wrong for run in runs), told
