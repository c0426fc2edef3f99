"""The checker itself: each anomaly is found, by its name, and a clean history has none."""

import pytest

from tests.faults.checker import (
    ANOMALIES,
    DUPLICATE,
    INCONSISTENT_OFFSET,
    LOST_WRITE,
    NON_MONOTONIC_POLL,
    POLL_SKIP,
    UNSEEN,
    Anomaly,
    Entry,
    History,
    anomalies,
)

A, B, C = Entry(1, "a"), Entry(2, "b"), Entry(3, "c")
CLEAN = History({"a", "c"}, {"tail": [[A], [], [B, C]]}, [A, B, C], {"head": [0, 1, 1, 3]})

BROKEN = {
    "acknowledged only": (
        CLEAN._replace(acknowledged={"a", "d"}),
        [Anomaly(LOST_WRITE, "d was acknowledged and is not in the log")],
    ),
    "seen, then gone": (
        CLEAN._replace(final=[A, B]),
        [Anomaly(LOST_WRITE, "c was seen and is not in the log")],
    ),
    "twice": (
        History((), {"tail": [[A, B, Entry(3, "a")]]}, [A, B, Entry(3, "a")]),
        [Anomaly(DUPLICATE, "a is in the log 2 times")],
    ),
    "the end was not read": (
        CLEAN._replace(polls={"tail": [[A, B]]}),
        [Anomaly(UNSEEN, "tail never saw c at 3")],
    ),
    "skipped between polls": (
        CLEAN._replace(polls={"tail": [[A], [C]]}),
        [Anomaly(UNSEEN, "tail never saw b at 2"), Anomaly(POLL_SKIP, "tail saw 3 after 1")],
    ),
    "skipped at the beginning": (
        CLEAN._replace(polls={"tail": [[B, C]]}),
        [Anomaly(UNSEEN, "tail never saw a at 1"), Anomaly(POLL_SKIP, "tail saw 2 after 0")],
    ),
    "came late": (
        CLEAN._replace(polls={"tail": [[A, C], [B]]}),
        [Anomaly(POLL_SKIP, "tail saw 3 after 1"), Anomaly(NON_MONOTONIC_POLL, "tail saw 2 after 3")],
    ),
    "again": (
        CLEAN._replace(polls={"tail": [[A], [A, B, C]]}),
        [Anomaly(NON_MONOTONIC_POLL, "tail saw 1 after 1")],
    ),
    "a counter fell": (
        CLEAN._replace(counters={"head": [3, 2]}),
        [Anomaly(NON_MONOTONIC_POLL, "head went from 3 to 2")],
    ),
    "another value at the place": (
        CLEAN._replace(final=[A, C._replace(position=2), B._replace(position=3)]),
        [Anomaly(INCONSISTENT_OFFSET, "tail saw b at 2"), Anomaly(INCONSISTENT_OFFSET, "tail saw c at 3")],
    ),
}


def test_a_clean_history_has_none() -> None:
    assert anomalies(CLEAN) == []


@pytest.mark.parametrize("case", BROKEN)
def test_each_anomaly_is_named(case: str) -> None:
    history, expected = BROKEN[case]
    assert anomalies(history) == expected


def test_each_name_is_met_here() -> None:
    assert {found.name for _, expected in BROKEN.values() for found in expected} == set(ANOMALIES)


def test_every_reader_is_judged_by_itself() -> None:
    history = CLEAN._replace(polls={"one": [[A, B, C]], "other": [[A, C]]})
    assert anomalies(history) == [
        Anomaly(UNSEEN, "other never saw b at 2"),
        Anomaly(POLL_SKIP, "other saw 3 after 1"),
    ]
