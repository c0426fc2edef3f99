"""What another may see: claims as they show to somebody else of the family. What does not show leaves no trace."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import typer

from adapters.cli.opened import day_of
from application.streams import person_of
from application.topics import TOPICS
from composition import Ledger
from domain.adjudication import ServiceLine
from domain.consent import Area, Said
from domain.facts import StreamId
from domain.person import Names, PersonLinked, PersonUnlinked, one_for_all
from domain.sensitive import category_of
from domain.visibility import Case, may_see
from projections.account_queries import CLAIMS_OF_BILLS
from projections.family import EVENTS as CONSENT_EVENTS
from projections.family import decode
from projections.family_queries import FACTS, IS_BEHIND, LINKS, PERSONS, TOLD


class NotFolded(Exception):
    """Something was said of who may see what that the tables do not hold yet: nobody can say what to show."""


DECIDING = (*CONSENT_EVENTS, PersonLinked, PersonUnlinked)
"""Events on which it turns who may see what, whosever stream they are in; beside them there is everybody's own birth
date"""

SeenBy = Annotated[
    str | None,
    typer.Option(metavar="MEMBER-ID/GIVEN-NAME", help="Only what this person may see: a spouse, a parent, oneself."),
]


class Person(NamedTuple):
    """Somebody, under whatever numbers they were known."""

    ids: frozenset[str]
    payer_id: str
    name: str
    is_asked: bool
    """Whether the number that was asked for is one of theirs"""
    birth_date: date | None
    """None too where payers tell several"""
    sex: str | None


class Family(NamedTuple):
    """Some persons, and all that was said of them and to them, whatever the number under which it was said."""

    persons: Mapping[str, Person]
    """By the id that stands for all of theirs"""
    stands_for: Mapping[str, str]
    """Any id of somebody of whom several are known → that one"""
    said: Sequence[tuple[str, str | None, Said]]
    """Of whom, to whom, what; moments in the plan's time zone, whose days count"""

    def case(self, viewer: str, subject: str, area: Area, day: date, *, is_sensitive: bool = False) -> Case:
        viewer, subject = (self.stands_for.get(each, each) for each in (viewer, subject))
        known = self.persons.get(subject)
        said = tuple(each for of, to, each in self.said if of == subject and to in (None, viewer))
        birth_date = known.birth_date if known else None
        return Case(StreamId(viewer), StreamId(subject), area, is_sensitive, day, birth_date, said)

    def may_see(self, viewer: str, subject: str, area: Area, day: date, *, is_sensitive: bool) -> bool:
        return may_see(self.case(viewer, subject, area, day, is_sensitive=is_sensitive)).allowed


def family_of(
    ledger: Ledger, known_at: int | None, *, member: str | None = None, persons: Iterable[str] = ()
) -> Family:
    """All whom a payer knows under a member's number, some other persons, and whom they have to do with."""
    with ledger.database.session() as cursor:
        asked = {row["person_id"] for row in cursor.execute(PERSONS, {"member": member, "persons": []})}
        ids, facts, links = asked | {*persons}, list[dict[str, Any]](), list[dict[str, Any]]()
        for _ in range(2):  # and once more for whom they have to do with
            links = cursor.execute(LINKS, {"persons": list(ids)}).fetchall()
            ids |= {each for link in links for each in link.values()}
            facts = cursor.execute(FACTS, {"persons": list(ids), "known_at": known_at}).fetchall()
            ids |= {each for row in facts for each in (row["person_id"], row["viewer_id"]) if each is not None}
        known = cursor.execute(PERSONS, {"member": None, "persons": list(ids)}).fetchall()
    stands_for = one_for_all([(link["person_id"], link["earlier_id"]) for link in links], asked)
    alike = defaultdict(list)
    for row in known:
        alike[stands_for.get(row["person_id"], row["person_id"])].append(row)
    zone = ZoneInfo(ledger.settings.zone)

    def told(row: Mapping[str, Any]) -> tuple[str, str | None, Said]:
        of, to = (each and stands_for.get(each, each) for each in (row["person_id"], row["viewer_id"]))
        said = decode(row["folded"])
        return of, to, msgspec.structs.replace(said, at=said.at.astimezone(zone))

    persons_of = {each: _person(each, rows, asked) for each, rows in alike.items()}
    return Family(persons_of, stands_for, [*map(told, facts)])


def _person(person: str, rows: Sequence[Mapping[str, Any]], asked: Collection[str]) -> Person:
    """As the id that stands for them names them."""
    first = next((row for row in rows if row["person_id"] == person), rows[0])
    ids = frozenset(row["person_id"] for row in rows)
    birth_dates, sexes = ({row[name] for row in rows if row[name]} for name in ("birth_date", "sex"))
    return Person(
        ids=ids,
        payer_id=first["payer_id"],
        name=first["name"],
        is_asked=not ids.isdisjoint(asked),
        birth_date=birth_dates.pop() if len(birth_dates) == 1 else None,
        sex=sexes.pop() if len(sexes) == 1 else None,
    )


def check_folded(ledger: Ledger, family: Family) -> None:
    """That who of them may see what follows from all that was said of it. Raises NotFolded."""
    persons = [*family.stands_for, *(each for known in family.persons.values() for each in known.ids)]
    topics = [f"{topic.name}:%" for topic in TOPICS if topic.event in DECIDING]
    with ledger.database.session() as cursor:
        [row] = cursor.execute(IS_BEHIND, {"topics": topics, "persons": persons}).fetchall()
    if row["is_behind"]:
        raise NotFolded


def viewer_of(seen_by: str) -> Names:
    member_id, _, given_name = seen_by.partition("/")
    if not member_id.strip() or not given_name.strip():
        raise typer.BadParameter("a member's number and a given name are wanted: MEMBER-ID/GIVEN-NAME")
    return Names(member_id, given_name=given_name)


def shown_claims(
    ledger: Ledger, claims: Iterable[str], viewer: Names, area: Area, day: date, known_at: int | None
) -> set[str]:
    """Those that somebody may see on a day, or what they tell of another area: by consent as known at a position,
    and of services by now. Raises NotFolded."""
    with ledger.database.snapshot():  # what decides and whether it is all folded are looked up as of one moment
        with ledger.database.session() as cursor:
            told = cursor.execute(TOLD, {"claims": list(claims)}).fetchall()
        payers = {each["payer_id"] for each in told}
        viewers = {payer_id: person_of(ledger.ids, payer_id, viewer) for payer_id in payers}
        family = family_of(ledger, known_at, persons={each["person_id"] for each in told} | {*viewers.values()})
        check_folded(ledger, family)
    of_claims = defaultdict(list)
    for each in told:
        of_claims[each["claim_id"], each["payer_id"], each["person_id"]].append(each)
    return {
        claim_id
        for (claim_id, payer_id, subject), said in of_claims.items()
        if family.may_see(viewers[payer_id], subject, area, day, is_sensitive=_is_sensitive(said))
    }


def _is_sensitive(said: Sequence[Mapping[str, Any]]) -> bool:
    """By all lines of all that was said: what one payer leaves out another one may tell."""
    lines = msgspec.convert([line for each in said for line in each["lines"]], list[ServiceLine])
    return any(category_of(lines, each["facility_code"]) for each in said)


def bills_seen_by(ledger: Ledger, member: str, viewer: Names, day: date, known_at: int | None) -> set[str]:
    """The bills of a member of whose money somebody may see: those of which every claim shows."""
    with ledger.database.session() as cursor:
        told = cursor.execute(CLAIMS_OF_BILLS, {"member": member, "known_at": known_at}).fetchall()
    shown = shown_claims(ledger, {row["claim_id"] for row in told}, viewer, Area.MONEY, day, known_at)
    hidden = {row["bill_id"] for row in told if row["claim_id"] not in shown or not _is_served(ledger, row, day)}
    return {row["bill_id"] for row in told} - hidden


def _is_served(ledger: Ledger, claim: Mapping[str, Any], day: date) -> bool:
    """By an earlier day nobody sees what was served since, when it may not be for them any more."""
    undated = date.min if day >= day_of(ledger, None) else date.max
    return bool((claim["service_from"] or undated) <= day)


def claims_seen_by(
    ledger: Ledger, rows: Sequence[dict[str, Any]], viewer: Names, day: date, known_at: int | None = None
) -> list[dict[str, Any]]:
    """Those of some claims that somebody may see; no later payer's claim is named in them that they may not."""
    later = {row["decided_by"] for row in rows if row["decided_by"]}
    shown = shown_claims(ledger, later | {row["claim_id"] for row in rows}, viewer, Area.CLAIMS, day, known_at)
    served = [row for row in rows if _is_served(ledger, row, day)]
    return [_without_others(row, shown) for row in served if row["claim_id"] in shown]


def _without_others(row: dict[str, Any], shown: Collection[str]) -> dict[str, Any]:
    """Of a claim that a later payer decided on, out of sight, nobody can say here what is owed; and no payer is named
    to whom it went on."""
    hidden = row["decided_by"] is not None and row["decided_by"] not in shown
    return row | {"forwarded_to": None} | ({"decided_by": None, "member_owes": None} if hidden else {})
