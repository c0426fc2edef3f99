"""When an account is locked, for whom, and until when.

Failures are counted apart for each device that signed in before, and together for all others. So nobody locks a member
out on purpose: their own devices have counters of their own. (OWASP calls such a mark a device cookie.) A success takes
back the failures of its own device and no others: neither does an attacker's success hide an attack, nor the member's.
A lock holds for what it was counted for.

Only the moments of the attempts matter, never a clock, nor the order of arrival: one that comes late is put in its
place.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.facts import Fact, StreamId
from domain.sign_in import Cause

COUNTED = frozenset({Cause.WRONG_PASSWORD, Cause.WRONG_SECOND_FACTOR})
"""Causes that may be somebody's guess. An empty or unknown user name is nobody's account"""

WINDOW = timedelta(hours=1)
"""Failures that are longer ago, seen from the latest one, don't count"""

CONSECUTIVE_MAX = 100
"""Failures of an account without a success (NIST SP 800-63B-4, section 3.2.2), whatever their distance: then strangers'
devices are locked until a link or an agent unlocks the account, and so is a known device when its own count is full"""

LOCKS_MAX = 100
"""As many of what is counted together are remembered, the latest: of a whole day, even if one follows upon the other.
An attempt that comes so late that its lock is forgotten is judged without it"""

FAILURES = range(3, 6)
MINUTES = range(15, 31)


class Policy(Fact, frozen=True, gc=False):
    """How many failures lock, and for how long. Arrives with each attempt: another policy changes no history."""

    failures: int = 5
    minutes: int = 15

    def __post_init__(self) -> None:
        if self.failures not in FAILURES or self.minutes not in MINUTES:
            raise ValueError("a lockout comes after 3 to 5 failures and lasts 15 to 30 minutes")


DEFAULT = Policy()

Device = StreamId | None
"""None: whoever does not say which device it is"""

Scope = StreamId | None
"""What is counted together: one known device, or (None) all devices that never signed in"""


class Lock(NamedTuple):
    since: datetime
    until: datetime | None
    """None: until it is unlocked"""

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class Failure(NamedTuple):
    at: datetime
    device: Device
    is_spent: bool = False
    """It led to a lock, or comes late from before one: it is one of the hundred, and leads to no other"""


class Counter(NamedTuple):
    """Of one scope."""

    failures: tuple[Failure, ...] = ()
    """Without a success of their device or an unlocking since, by their moments: the latest CONSECUTIVE_MAX"""
    locks: tuple[Lock, ...] = ()
    """The latest of them, by their moments; they may be over. No two hold at once"""

    @property
    def counting(self) -> tuple[Failure, ...]:
        """Those that lead to the next lock."""
        unspent = [failure for failure in self.failures if not failure.is_spent]
        return tuple(failure for failure in unspent if failure.at > unspent[-1].at - WINDOW)

    def lock_at(self, at: datetime) -> Lock | None:
        begun = next((lock for lock in reversed(self.locks) if lock.since <= at), None)
        return begun if begun is not None and begun.holds(at) else None

    def failed(self, device: Device, at: datetime) -> "Counter":
        failure = Failure(at, device, bool(self.locks) and at < self.locks[-1].since)
        place = bisect_right(self.failures, at, key=lambda each: each.at)
        return self.having((*self.failures[:place], failure, *self.failures[place:])[-CONSECUTIVE_MAX:])

    def having(self, failures: Iterable[Failure]) -> "Counter":
        """In place of those that it had."""
        return self._replace(failures=tuple(failures))

    def locked(self, lock: Lock) -> "Counter":
        spent = (failure._replace(is_spent=True) for failure in self.failures)
        return Counter(tuple(spent), (*self.locks, lock)[-LOCKS_MAX:])

    def unlocked(self, at: datetime) -> "Counter":
        locks = tuple(lock._replace(until=at) if lock.holds(at) else lock for lock in self.locks)
        return Counter(tuple(failure for failure in self.failures if failure.at >= at), locks)


NOTHING = Counter()
