"""given(events).when(command).then(events): a decider's rules as they are read aloud."""

from functools import reduce
from types import ModuleType
from typing import Any


class Given:
    def __init__(self, decider: ModuleType, *events: Any) -> None:
        self._decider = decider
        self._state = reduce(decider.evolve, events, decider.INITIAL)

    def when(self, command: Any) -> "Decided":
        return Decided(self._decider.decide(self._state, command))


class Decided:
    def __init__(self, decided: Any) -> None:
        self.decided = decided

    def then(self, *events: Any) -> None:
        assert self.decided == events

    def refused(self, refusal: str) -> None:
        assert self.decided == refusal
