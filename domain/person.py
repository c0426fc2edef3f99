"""A person whom a payer speaks of: a patient or a subscriber.

Who a person is stands in this stream and nowhere else; claims carry the opaque id only.
Identity: payer, member id and given name. Twins share a member id, and so may a whole family.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import assert_never

from domain.facts import Event, Fact, Sealed, StreamId


class Names(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a payer calls a person. All of it is personal."""

    member_id: str
    family_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    suffix: str = ""


class Sex(StrEnum):
    """Administrative, as payers have it (HL7 AdministrativeGender)."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Description(Fact, frozen=True, omit_defaults=True, gc=False):
    """What an enrolment says of a person beside the names. All of it is personal."""

    birth_date: date
    sex: Sex


class Link(StrEnum):
    """How a payer says that two of its numbers are of one person."""

    LINKED = "linked"
    """Both go on"""
    MERGED = "merged"
    """The earlier one is not used any more"""


# --- a message about one person, understood


class LinkNotice(Fact, frozen=True, gc=False):
    payer_id: str
    names: Names
    """As they are known now; of the names the member id and the given name tell who it is"""
    earlier: Names
    """As they were known before, or elsewhere with the payer"""
    link: Link
    at: datetime


# --- commands


class Identify(Fact, frozen=True, omit_defaults=True, gc=False):
    payer_id: str
    names: Names
    content: str
    """Keyed hash of the names: tells whether they changed without opening them."""


class Describe(Fact, frozen=True, gc=False):
    payer_id: str
    description: Description
    content: str
    """Keyed hash of the description"""
    at: datetime
    """When the payer said it"""


class Join(Fact, frozen=True, gc=False):
    """Say that a person is one who is known under another number too."""

    payer_id: str
    earlier: StreamId
    link: Link
    at: datetime
    source: str


Command = Identify | Describe | Join

# --- events


class PersonIdentified(Event, frozen=True, omit_defaults=True, gc=False):
    """A payer named a person, for the first time or otherwise than before."""

    payer_id: str
    content: str
    personal: Names | Sealed | None = None


class PersonDescribed(Event, frozen=True, omit_defaults=True, gc=False):
    """A payer told a person's birth date and sex, later than what was told before."""

    payer_id: str
    content: str
    personal: Description | Sealed | None = None
    at: datetime | None = None
    """None of those that were recorded before it was kept: said before all others"""


class PersonLinked(Event, frozen=True, gc=False):
    """What was said of a person under an earlier number is said of this one too: a new card loses no history."""

    payer_id: str
    earlier: StreamId
    link: Link
    at: datetime
    source: str


PersonEvent = PersonIdentified | PersonDescribed | PersonLinked

# --- state


class Person(Fact, frozen=True, omit_defaults=True, gc=False):
    """As the ledger last heard of them."""

    content: str = ""
    described: str = ""
    described_at: datetime | None = None
    links: tuple[tuple[StreamId, Link], ...] = ()


INITIAL = Person()
EARLIEST = datetime.min.replace(tzinfo=UTC)

# --- decide


def decide(state: Person, command: Command) -> tuple[PersonEvent, ...]:
    """One event where what is told is news, else none."""
    match command:
        case Identify(payer_id=payer_id, names=names, content=content):
            return () if state.content == content else (PersonIdentified(payer_id, content, names),)
        case Describe(payer_id=payer_id, description=description, content=content, at=at):
            # The last word holds, also over what comes after it; of one moment the hash decides, in any order.
            is_last = (at, content) > (state.described_at or EARLIEST, state.described)
            return (PersonDescribed(payer_id, content, description, at),) if is_last else ()
        case Join(payer_id=payer_id, earlier=earlier, link=link, at=at, source=source):
            return () if (earlier, link) in state.links else (PersonLinked(payer_id, earlier, link, at, source),)
        case _:
            assert_never(command)


# --- evolve


def evolve(state: Person, event: PersonEvent) -> Person:
    match event:
        case PersonIdentified():
            return Person(event.content, state.described, state.described_at, state.links)
        case PersonDescribed():
            return Person(state.content, event.content, event.at, state.links)
        case PersonLinked():
            links = (*state.links, (event.earlier, event.link))
            return Person(state.content, state.described, state.described_at, links)
        case _:
            assert_never(event)
