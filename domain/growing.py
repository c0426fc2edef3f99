"""A map that grows and never changes: each addition gives another map, which shares nearly everything with the one
before.

For states that must stay as they are while a batch is decided on a copy of them, and that grow too long to be copied at
every event. (A binary counter of dictionaries: where no key comes again each is at least twice the size of the next, so
that an addition copies, over a long run, as many entries as the number of additions has binary digits. What comes again
only makes a dictionary smaller than its place.)
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Growing(Generic[Key, Value]):
    __slots__ = ("_parts",)

    def __init__(self, *parts: dict[Key, Value]) -> None:
        self._parts = parts

    def get(self, key: Key) -> Value | None:
        """The value that was given last."""
        for part in reversed(self._parts):
            if key in part:
                return part[key]
        return None

    def plus(self, key: Key, value: Value) -> "Growing[Key, Value]":
        parts, newest = self._parts, {key: value}
        while parts and len(parts[-1]) <= len(newest):
            parts, newest = parts[:-1], {**parts[-1], **newest}
        return Growing(*parts, newest)

    def merged(self) -> dict[Key, Value]:
        """All of it. Takes as long as there are entries."""
        return {key: value for part in self._parts for key, value in part.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Growing) and self.merged() == other.merged()

    __hash__ = None  # type: ignore[assignment] # as of any map
