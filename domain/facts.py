"""What every fact in the ledger has in common: it is immutable, and what is personal in it can be sealed."""

from typing import NewType, dataclass_transform

import msgspec

StreamId = NewType("StreamId", str)
"""An opaque UUIDv8 as text, made from a natural key under the installation's secret."""

ID = "^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""The form of one (RFC 9562)"""

Sealed = bytes
"""Personal facts as the log keeps them: encrypted under the key of the person whom they describe."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An immutable value. Absent fields stay out of the stored JSON, so a new optional field needs no upcaster."""


class Event(Fact, frozen=True, omit_defaults=True, gc=False):
    """Something that happened, in the past tense, as its source stated it; never a balance or a verdict.

    What is personal stands in a field `personal`, sealed under the key of the event's `person`
    (of the event's own stream where it names none).
    """
