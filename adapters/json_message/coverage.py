"""What is said of a member's coverage as JSON: the model, which is the source of docs/schemas/coverage-change-1.json,
and the way from the bytes of a message to what is said in it, or to the reason why it must be parked.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.json_message import consent, plan_change
from adapters.json_message.lines import by_line, keep, one
from adapters.json_message.parts import YEARS, At, Number, OptionalNumber, Part, Text, Word
from adapters.json_message.reader import Fault, Reader
from domain.account_numbers import holds_account_number
from domain.consent import Notice as ConsentNotice
from domain.coverage import CoverageNotice, Individual, Numbers, Refusal
from domain.enrolment import Relationship, Said
from domain.person import Description, Link, LinkNotice, Names, Sex

VERSION = 1

# --- the message as it is written


class Person(Part, frozen=True, gc=False, kw_only=True):
    given_name: Number
    family_name: Text | UnsetType = UNSET
    middle_name: Text | UnsetType = UNSET
    suffix: Text | UnsetType = UNSET
    birth_date: date
    sex: Sex


class Dependant(Person, frozen=True, gc=False, kw_only=True):
    relationship: Literal["spouse", "domestic_partner", "child", "other"]


class Enrolled(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="enrolled"):
    """All whom a plan covers from a day on. Whoever is not named is not covered from then on."""

    plan_id: Number
    effective_from: date
    subscriber: Person
    dependants: tuple[Dependant, ...] | UnsetType = UNSET


class DependantAdded(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="dependant_added"):
    effective_from: date
    dependant: Dependant


class DependantRemoved(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="dependant_removed"):
    on: Annotated[date, Meta(description="The last day on which they are covered")]
    given_name: Number


class Terminated(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="terminated"):
    """Coverage that began by a day ends with it, for all; also where that day has long passed."""

    on: Annotated[date, Meta(description="The last day of coverage")]
    reason: Word


class Reinstated(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="reinstated"):
    """It goes on after all, from a day on."""

    effective_from: date
    reason: Word


class Voided(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="voided"):
    """Another change was said by mistake: it is as if never made."""

    of_change_id: Number


class Linked(Part, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="linked"):
    """A person is known under another number too, and both go on."""

    given_name: Number
    earlier_member_id: Number
    earlier_given_name: OptionalNumber | UnsetType = UNSET


class Merged(Linked, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="merged"):
    """A person has a new number, and the earlier one is not used any more."""


class Unlinked(Linked, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="unlinked"):
    """They are not the same person: that they were linked or merged was a mistake."""


class CoverageChange(Part, frozen=True, gc=False, kw_only=True):
    """One change of a member's coverage."""

    schema: Literal[1]
    payer_id: Number
    member_id: Number
    change_id: Annotated[Number, Meta(description="The payer's own number of this change")]
    at: At
    said: (
        Enrolled
        | DependantAdded
        | DependantRemoved
        | Terminated
        | Reinstated
        | Voided
        | Linked
        | Merged
        | Unlinked
        | plan_change.Requested
        | plan_change.Compared
        | plan_change.Confirmed
        | plan_change.Withdrawn
        | consent.FamilyLinked
        | consent.ConsentGranted
        | consent.ConsentLimited
        | consent.ConsentRevoked
        | consent.ConfidentialRequested
        | consent.ConfidentialWithdrawn
    )


read = Reader(CoverageChange, VERSION).read


def understand(raw: bytes) -> CoverageNotice | ConsentNotice | LinkNotice:
    """The one change of a message. Raises Fault."""
    change = read(raw)
    if holds_account_number(_but_numbers(msgspec.to_builtins(change))):
        raise Fault(Refusal.ACCOUNT_NUMBER)
    return _notice_of(change)


OWN_NUMBERS = frozenset({"member_id", "change_id", "of_change_id", "earlier_member_id"})
"""Of the payer's: sealed or hashed, never in the clear. A tenth of those that are long enough pass a card's check"""


def _but_numbers(said: Any) -> Any:
    match said:
        case dict():
            return [_but_numbers(value) for name, value in said.items() if name not in OWN_NUMBERS]
        case list():
            return list(map(_but_numbers, said))
        case _:
            return said


translate = one(understand)
translate_lines = by_line(translate)


# --- in the ledger's terms


def _notice_of(read: CoverageChange) -> CoverageNotice | ConsentNotice | LinkNotice:
    """Raises Fault where it breaks a rule."""
    if isinstance(read.said, consent.Said):
        said = consent.notice(read.payer_id, read.member_id, read.change_id, read.at, read.said)
        keep(consent.RULES, said)
        return said
    if isinstance(read.said, Linked):
        link = _link(read, read.said)
        keep([moment_is_possible], link)
        return link
    notice = _notice(read)
    keep(RULES, notice)
    return notice


def _notice(read: CoverageChange) -> CoverageNotice:
    """Every field has the domain's own name; those who are named and numbers stand apart, since they are personal."""
    said = msgspec.to_builtins(read.said)
    numbers = Numbers(read.change_id, said.pop("of_change_id", ""))
    named = [each for name in ("subscriber", "dependant") if (each := said.pop(name, None))]
    named += said.pop("dependants", ())
    if "given_name" in said:
        named.append({"given_name": said.pop("given_name")})
    people = tuple(_individual(read.member_id, each) for each in named)
    change: Said = msgspec.convert(said, Said)
    return CoverageNotice(read.payer_id, read.member_id, numbers, read.at, change, people)


def _link(read: CoverageChange, said: Linked) -> LinkNotice:
    now = Names(read.member_id, given_name=said.given_name)
    earlier = Names(said.earlier_member_id, given_name=said.earlier_given_name or said.given_name)  # UNSET is false
    return LinkNotice(read.payer_id, now, earlier, _LINK[type(said)], read.at)


_LINK = {Linked: Link.LINKED, Merged: Link.MERGED, Unlinked: Link.UNLINKED}


def _individual(member_id: str, named: dict[str, Any]) -> Individual:
    described = {name: named.pop(name) for name in ("birth_date", "sex") if name in named}
    relationship = Relationship(named.pop("relationship", Relationship.SUBSCRIBER))
    description = msgspec.convert(described, Description) if described else None
    return Individual(msgspec.convert({"member_id": member_id} | named, Names), relationship, description)


# --- what types don't say: each rule gives what breaks it, in the message's own names, else nothing


def moment_is_possible(notice: CoverageNotice | LinkNotice) -> str:
    return "" if notice.at.year in YEARS else "$.at: out of bounds"


def years_are_possible(notice: CoverageNotice) -> str:
    for name in ("effective_from", "effective_on", "on"):
        day: date | None = getattr(notice.said, name, None)
        if day is not None and day.year not in YEARS:
            return f"$.said.{name}: out of bounds"
    is_born = all(each.description is None or each.description.birth_date.year in YEARS for each in notice.individuals)
    return "" if is_born else "$.said: a birth_date is out of bounds"


def life_event_is_possible(notice: CoverageNotice) -> str:
    event = getattr(notice.said, "life_event", None)
    return "$.said.life_event.on: out of bounds" if event is not None and event.on.year not in YEARS else ""


def each_person_stands_once(notice: CoverageNotice) -> str:
    """Within a member's number a given name, without regard to case, is what tells persons apart."""
    names = [each.names.given_name.upper() for each in notice.individuals]
    return "$.said.dependants: a given_name stands twice" if len(set(names)) < len(names) else ""


RULES = (moment_is_possible, years_are_possible, life_event_is_possible, each_person_stands_once)
