"""What the models of all messages are made of.

An optional field that is left out is UNSET, so that encoding a message again gives back exactly the keys that it had:
by that the reader finds keys that stand twice.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.facts import ID
from domain.money import CENTS_MAX

YEARS = range(1900, 2200)
"""At the ends of the calendar a moment has no time in UTC, and a day no day half a year later"""

# In Python's dialect `$` lets a line break follow; the reader refuses line breaks anyhow, and other dialects don't.
Number = Annotated[str, Meta(max_length=80, pattern=r"^\S(?:.*\S)?$")]
"""A number by which something is known: never empty, no space around it"""
OptionalNumber = Annotated[str, Meta(max_length=80, pattern=r"^(?:\S(?:.*\S)?)?$")]
Word = Annotated[
    str,
    Meta(max_length=40, pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="A code of one word, and no free text"),
]
Id = Annotated[str, Meta(pattern=ID, description="One of the ledger's own ids, a UUIDv8")]
Text = Annotated[str, Meta(max_length=80)]
At = Annotated[datetime, Meta(tz=True, description="RFC 3339 with the source's own offset, which says what day it was")]
Amount = Annotated[int, Meta(ge=1, le=CENTS_MAX, description="Whole cents of US dollars; more than nothing")]


class Part(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Nothing is said that the model has no place for: it might matter."""
