"""What can go wrong with a log and its readers, by the names that Jepsen's kafka workload gives it. Pure.

Positions of the ledger have no holes, so a reader that goes from n to n+2 has skipped one, whatever stands there.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

LOST_WRITE = "lost write"
DUPLICATE = "duplicate"
UNSEEN = "unseen"
POLL_SKIP = "poll skip"
NON_MONOTONIC_POLL = "non-monotonic poll"
INCONSISTENT_OFFSET = "inconsistent offset"

ANOMALIES = (LOST_WRITE, DUPLICATE, UNSEEN, POLL_SKIP, NON_MONOTONIC_POLL, INCONSISTENT_OFFSET)


class Entry(NamedTuple):
    """What a reader finds at a position of the log."""

    position: int
    value: str


class Anomaly(NamedTuple):
    name: str
    detail: str


class History(NamedTuple):
    acknowledged: Collection[str]
    """Values that a writer was told are safe"""
    polls: Mapping[str, Sequence[Sequence[Entry]]]
    """What each reader got, poll by poll"""
    final: Sequence[Entry]
    """The whole log, read after all is over"""
    counters: Mapping[str, Sequence[int]] = {}
    """Numbers that may only grow, as they were seen one after the other: heads, offsets, positions of projections"""


def anomalies(history: History) -> list[Anomaly]:
    return [
        *_lost(history),
        *_duplicates(history),
        *_unseen(history),
        *(found for reader, polls in history.polls.items() for found in _order(reader, polls)),
        *_fallen(history),
        *_inconsistent(history),
    ]


def _lost(history: History) -> Iterator[Anomaly]:
    """Acknowledged, or even seen by a reader, and not in the log."""
    final = {entry.value for entry in history.final}
    seen = {entry.value for polls in history.polls.values() for poll in polls for entry in poll}
    for value in sorted((set(history.acknowledged) | seen) - final):
        yield Anomaly(LOST_WRITE, f"{value} was {'seen' if value in seen else 'acknowledged'} and is not in the log")


def _duplicates(history: History) -> Iterator[Anomaly]:
    counted = Counter(entry.value for entry in history.final)
    for value, times in sorted(counted.items()):
        if times > 1:
            yield Anomaly(DUPLICATE, f"{value} is in the log {times} times")


def _unseen(history: History) -> Iterator[Anomaly]:
    """In the log, and a reader that followed it to its end never got it."""
    for reader, polls in history.polls.items():
        seen = {entry.value for poll in polls for entry in poll}
        for entry in history.final:
            if entry.value not in seen:
                yield Anomaly(UNSEEN, f"{reader} never saw {entry.value} at {entry.position}")


def _order(reader: str, polls: Sequence[Sequence[Entry]]) -> Iterator[Anomaly]:
    """Within a poll and from one to the next, each position must be that after the one before, from 1."""
    positions = [0, *(entry.position for poll in polls for entry in poll)]
    for before, after in pairwise(positions):
        if after <= before:
            yield Anomaly(NON_MONOTONIC_POLL, f"{reader} saw {after} after {before}")
        elif after > before + 1:
            yield Anomaly(POLL_SKIP, f"{reader} saw {after} after {before}")


def _fallen(history: History) -> Iterator[Anomaly]:
    for counter, values in history.counters.items():
        for before, after in pairwise(values):
            if after < before:
                yield Anomaly(NON_MONOTONIC_POLL, f"{counter} went from {before} to {after}")


def _inconsistent(history: History) -> Iterator[Anomaly]:
    """Two values at one position: what a reader saw there is not what stands there."""
    final = {entry.position: entry.value for entry in history.final}
    for reader, polls in history.polls.items():
        for entry in (entry for poll in polls for entry in poll):
            if final.get(entry.position, entry.value) != entry.value:
                yield Anomaly(INCONSISTENT_OFFSET, f"{reader} saw {entry.value} at {entry.position}")
