"""A person whom a payer speaks of: a patient or a subscriber.

Who a person is stands in this stream and nowhere else; claims carry the opaque id only.
Identity: payer, member id and given name. Twins share a member id, and so may a whole family.
"""

from typing import assert_never

from domain.facts import Event, Fact, Sealed


class Names(Fact, frozen=True, omit_defaults=True, gc=False):
    """What a payer calls a person. All of it is personal."""

    member_id: str
    family_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    suffix: str = ""


# --- commands


class Identify(Fact, frozen=True, omit_defaults=True, gc=False):
    payer_id: str
    names: Names
    content: str
    """Keyed hash of the names: tells whether they changed without opening them."""


# --- events


class PersonIdentified(Event, frozen=True, omit_defaults=True, gc=False):
    """A payer named a person, for the first time or otherwise than before."""

    payer_id: str
    content: str
    personal: Names | Sealed | None = None


PersonEvent = PersonIdentified

# --- state


class Person(Fact, frozen=True, omit_defaults=True, gc=False):
    """As the ledger last heard of them."""

    content: str = ""


INITIAL = Person()

# --- decide


def decide(state: Person, command: Identify) -> tuple[PersonEvent, ...]:
    """One event where the names are news, else none."""
    if state.content == command.content:
        return ()
    return (PersonIdentified(payer_id=command.payer_id, content=command.content, personal=command.names),)


# --- evolve


def evolve(state: Person, event: PersonEvent) -> Person:
    match event:
        case PersonIdentified():
            return Person(content=event.content)
        case _:
            assert_never(event)
