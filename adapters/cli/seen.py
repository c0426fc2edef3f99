"""What another may see: claims as they show to somebody else of the family. What does not show leaves no trace."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from application.identification import person_of
from composition import Ledger
from domain.adjudication import ServiceLine
from domain.consent import Area, Said
from domain.facts import StreamId
from domain.person import Names
from domain.sensitive import category_of
from domain.visibility import Case, may_see
from projections.family import decode
from projections.family_queries import FACTS, PERSONS, TOLD

SeenBy = Annotated[
    str | None,
    typer.Option(metavar="MEMBER-ID/GIVEN-NAME", help="Only what this person may see: a spouse, a parent, oneself."),
]


class Family(NamedTuple):
    """Some persons, and all that was said of them and to them."""

    persons: Mapping[str, Mapping[str, Any]]
    """By their ids"""
    said: Sequence[tuple[str, str | None, Said]]
    """Of whom, to whom, what"""

    def case(self, viewer: str, subject: str, area: Area, day: date, *, is_sensitive: bool = False) -> Case:
        known = self.persons.get(subject)
        said = (each for of, to, each in self.said if of == subject and to in (None, viewer))
        birth_date = known["birth_date"] if known else None
        return Case(StreamId(viewer), StreamId(subject), area, is_sensitive, day, birth_date, tuple(said))

    def may_see(self, viewer: str, subject: str, area: Area, day: date, *, is_sensitive: bool) -> bool:
        return may_see(self.case(viewer, subject, area, day, is_sensitive=is_sensitive)).allowed


def family_of(
    ledger: Ledger, known_at: int | None, *, member: str | None = None, persons: Iterable[str] = ()
) -> Family:
    """All whom a payer knows under a member's number, some other persons, and whom they have to do with."""
    with ledger.database.session() as cursor:
        ids = {*persons, *(row["person_id"] for row in cursor.execute(PERSONS, {"member": member, "persons": []}))}
        facts = cursor.execute(FACTS, {"persons": list(ids), "known_at": known_at}).fetchall()
        said = [(row["person_id"], row["viewer_id"], decode(row["folded"])) for row in facts]
        ids |= {each for of, to, _ in said for each in (of, to) if each is not None}
        known = cursor.execute(PERSONS, {"member": None, "persons": list(ids)}).fetchall()
    return Family({row["person_id"]: row for row in known}, said)


def viewer_of(seen_by: str) -> Names:
    member_id, _, given_name = seen_by.partition("/")
    if not member_id.strip() or not given_name.strip():
        raise typer.BadParameter("a member's number and a given name are wanted: MEMBER-ID/GIVEN-NAME")
    return Names(member_id, given_name=given_name)


def shown_claims(
    ledger: Ledger, claims: Iterable[str], viewer: Names, area: Area, day: date, known_at: int | None
) -> set[str]:
    """Those that somebody may see on a day, or what they tell of another area: by consent as known at a position,
    and of services by now."""
    with ledger.database.session() as cursor:
        told = cursor.execute(TOLD, {"claims": list(claims)}).fetchall()
    family = family_of(ledger, known_at, persons={each["person_id"] for each in told})
    of_claims = defaultdict(list)
    for each in told:
        of_claims[each["claim_id"], each["payer_id"], each["person_id"]].append(each)
    return {
        claim_id
        for (claim_id, payer_id, subject), said in of_claims.items()
        if family.may_see(person_of(ledger.ids, payer_id, viewer), subject, area, day, is_sensitive=_is_sensitive(said))
    }


def _is_sensitive(said: Sequence[Mapping[str, Any]]) -> bool:
    """By all lines of all that was said: what one payer leaves out another one may tell."""
    lines = msgspec.convert([line for each in said for line in each["lines"]], list[ServiceLine])
    return any(category_of(lines, each["facility_code"]) for each in said)


def claims_seen_by(
    ledger: Ledger, rows: Sequence[dict[str, Any]], viewer: Names, day: date, known_at: int | None = None
) -> list[dict[str, Any]]:
    """Those of some claims that somebody may see; no later payer's claim is named in them that they may not."""
    later = {row["decided_by"] for row in rows if row["decided_by"]}
    shown = shown_claims(ledger, later | {row["claim_id"] for row in rows}, viewer, Area.CLAIMS, day, known_at)
    return [
        row | {"decided_by": row["decided_by"] if row["decided_by"] in shown else None}
        for row in rows
        if row["claim_id"] in shown
    ]
