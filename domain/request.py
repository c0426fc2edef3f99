"""A client's request, known by a key that the client gave it, so that it can be sent again and is done once."""

from domain.facts import Event, Fact, StreamId


class Answer(Fact, frozen=True, gc=False):
    """What came of it. It names no position of the log, which is not known while it is written."""

    stream: StreamId
    """Of what the request was about"""
    version: int
    """Of that stream after it"""
    events: int
    """How many it took: none where nothing of it was news"""


# --- events


class RequestAnswered(Event, frozen=True, gc=False):
    """Written beside the events of what was asked for, in one transaction."""

    content: str
    """Keyed hash of what was asked for"""
    answer: Answer


# --- state

INITIAL: RequestAnswered | None = None

# --- evolve


def evolve(state: RequestAnswered | None, event: RequestAnswered) -> RequestAnswered:
    return event
