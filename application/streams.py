"""In which stream of the log a thing is to be found, by the numbers that the world knows it by."""

from typing import NamedTuple

from application.ids import Ids
from domain.facts import StreamId
from domain.person import Names


class Member(NamedTuple):
    """All whom a payer knows under one number."""

    payer_id: str
    member_id: str


def account_of(ids: Ids, payer_id: str, member_id: str) -> StreamId:
    """The account of all whom a payer knows under one member's number."""
    return ids.stream("account", payer_id, folded(member_id))


def coverage_stream(ids: Ids, payer_id: str, member_id: str) -> StreamId:
    """The coverage of all whom a payer knows under one member's number."""
    return ids.stream("coverage", payer_id, folded(member_id))


def plan_stream(ids: Ids, payer_id: str, plan_id: str) -> StreamId:
    return ids.stream("plan", payer_id, plan_id)


def person_of(ids: Ids, payer_id: str, names: Names) -> StreamId:
    """A person as a payer knows them."""
    return ids.stream("person", payer_id, folded(names.member_id), folded(names.given_name))


def login_of(ids: Ids, portal_id: str, user_name: str) -> StreamId:
    """One account of a portal."""
    return ids.stream("login", portal_id, folded(user_name))


def folded(text: str) -> str:
    """Numbers and names of persons are the same in whatever case they are written."""
    return text.strip().upper()
