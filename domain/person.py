"""A person whom a payer speaks of: a patient or a subscriber.

Who a person is stands in this stream and nowhere else; claims carry the opaque id only.
Identity: payer, member id and given name. Twins share a member id, and so may a whole family.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple, assert_never

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
    """What a payer says of two of its numbers."""

    LINKED = "linked"
    """They are of one person, and both go on"""
    MERGED = "merged"
    """They are of one person, and the earlier one is not used any more"""
    UNLINKED = "unlinked"
    """They are not of one person: what was said was a mistake"""


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
    only_if_unnamed: bool = False
    """Of names that tell who it is and no more, as those of a link"""


class Describe(Fact, frozen=True, gc=False):
    payer_id: str
    description: Description
    content: str
    """Keyed hash of the description"""
    at: datetime
    """When the payer said it"""


class Join(Fact, frozen=True, gc=False):
    """Say that a person is one who is known under another number too, or is not."""

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


class PersonUnlinked(Event, frozen=True, gc=False):
    """The two were never one person: nothing that was said of the one is said of the other."""

    payer_id: str
    earlier: StreamId
    at: datetime
    source: str


PersonEvent = PersonIdentified | PersonDescribed | PersonLinked | PersonUnlinked

# --- state


class Person(Fact, frozen=True, omit_defaults=True, gc=False):
    """As the ledger last heard of them."""

    content: str = ""
    described: str = ""
    described_at: datetime | None = None
    links: tuple[tuple[StreamId, Link, datetime], ...] = ()


INITIAL = Person()
EARLIEST = datetime.min.replace(tzinfo=UTC)

# --- decide


def decide(state: Person, command: Command) -> tuple[PersonEvent, ...]:
    """One event where what is told is news, else none."""
    match command:
        case Identify(payer_id=payer_id, names=names, content=content, only_if_unnamed=only_if_unnamed):
            is_known = bool(state.content) if only_if_unnamed else state.content == content
            return () if is_known else (PersonIdentified(payer_id, content, names),)
        case Describe(payer_id=payer_id, description=description, content=content, at=at):
            # The last word holds, also over what comes after it; of one moment the hash decides, in any order.
            is_last = (at, content) > (state.described_at or EARLIEST, state.described)
            return (PersonDescribed(payer_id, content, description, at),) if is_last else ()
        case Join(payer_id=payer_id, earlier=earlier, link=link, at=at, source=source):
            # Said again later it is news: they may have been said not to be one between.
            if any(known[:2] == (earlier, link) and known[2] >= at for known in state.links):
                return ()
            if link is Link.UNLINKED:
                return (PersonUnlinked(payer_id, earlier, at, source),)
            return (PersonLinked(payer_id, earlier, link, at, source),)
        case _:
            assert_never(command)


# --- evolve


def evolve(state: Person, event: PersonEvent) -> Person:
    match event:
        case PersonIdentified():
            return Person(event.content, state.described, state.described_at, state.links)
        case PersonDescribed():
            return Person(state.content, event.content, event.at, state.links)
        case PersonLinked() | PersonUnlinked():
            links = (*state.links, (event.earlier, _said(event), event.at))
            return Person(state.content, state.described, state.described_at, links)
        case _:
            assert_never(event)


def _said(event: PersonLinked | PersonUnlinked) -> Link:
    return event.link if isinstance(event, PersonLinked) else Link.UNLINKED


# --- who is whom, by what was said of several


class Word(NamedTuple):
    """What was said of two persons."""

    person: StreamId
    earlier: StreamId
    link: Link
    at: datetime


def word_of(person: StreamId, event: PersonLinked | PersonUnlinked) -> Word:
    return Word(person, event.earlier, _said(event), event.at)


def linked(words: Collection[Word]) -> set[tuple[StreamId, StreamId]]:
    """Each person with everybody whom they were before, over any number of steps, by words in any order.

    Of two persons the last word holds, whichever of them it calls the earlier one; of one moment that they are not one:
    to show somebody's claims to another is worse than not to show them.
    """
    apart: dict[frozenset[StreamId], datetime] = {}
    for each in words:
        if each.link is Link.UNLINKED:
            both = frozenset((each.person, each.earlier))
            apart[both] = max(each.at, apart.get(both, EARLIEST))
    was: dict[StreamId, set[StreamId]] = defaultdict(set)
    for each in words:
        if each.link is not Link.UNLINKED and each.at > apart.get(frozenset((each.person, each.earlier)), EARLIEST):
            was[each.person].add(each.earlier)
    return {(person, earlier) for person in was for earlier in _reached(was, person) if earlier != person}


def _reached(was: Mapping[StreamId, set[StreamId]], person: StreamId) -> Iterator[StreamId]:
    seen, ahead = {person}, [person]
    while ahead:
        news = was.get(ahead.pop(), set()) - seen
        yield from news
        seen |= news
        ahead += news


def one_for_all(links: Collection[tuple[str, str]], asked: Collection[str]) -> dict[str, str]:
    """One id for all that are linked (each to whom they were before), also over several steps: of those that were asked
    for, where any was; as they are known now, where they were known otherwise before."""
    groups, before = dict[str, set[str]](), {earlier for _, earlier in links}
    for link in links:
        group = set[str]().union(*(groups.get(each, {each}) for each in link))
        groups |= dict.fromkeys(group, group)

    def rank(each: str) -> tuple[bool, bool, str]:
        return each not in asked, each in before, each

    return {each: min(group, key=rank) for each, group in groups.items()}
