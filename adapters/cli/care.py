"""`scripts/ledger care-due`: which preventive care is due for a member's family, as far as claims show."""

from collections.abc import Collection
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.seen import Family, SeenBy, check_folded, family_of, shown_claims, viewer_of
from adapters.cli.show import console, new_table, text
from application.streams import person_of
from composition import Ledger
from domain.care import Care, Done, Standing, due
from domain.consent import Area
from domain.person import Names, Sex
from projections.care_due import DONE

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="What was due on this day; today by default.")]

UNKNOWN = "birth_date_unknown"
_STYLES = {Standing.DUE: "[yellow]due[/]", Standing.DONE: "[green]done[/]"}


@app.command("care-due", epilog="Example: scripts/ledger care-due NHP131023432 --as-of 2026-03-31")
def show_care(
    member: Member, as_of: AsOf = None, known_at: KnownAt = None, seen_by: SeenBy = None, as_json: Json = False
) -> None:
    """Preventive care of a member's family: what is due, done until when, not yet or no longer recommended."""
    with opened() as ledger, ledger.database.snapshot():
        viewer = None if seen_by is None else viewer_of(seen_by)
        cares = care_of(ledger, member, day_of(ledger, as_of), position_of(ledger, known_at), viewer)
    if as_json:
        for each in cares:
            show.line(each)
    elif cares:
        _table(cares)
    else:
        console.print("Nobody is known. (Is everything projected? scripts/ledger status)")


def care_of(
    ledger: Ledger, member: str, day: date, known_at: int | None, viewer: Names | None = None
) -> list[dict[str, Any]]:
    """Each recommendation for each of a member's family on a day; those alone that a viewer may see.

    Raises NotFolded.
    """
    family = family_of(ledger, known_at, member=member)
    if viewer is not None:
        check_folded(ledger, family)
        viewers = {person_of(ledger.ids, each.payer_id, viewer) for each in family.persons.values()}
        family = family_of(ledger, known_at, member=member, persons=viewers)
    return [
        {"person_id": person, "person": known.name, "as_of": day} | each
        for person, known in family.persons.items()
        if known.is_asked
        for each in _due(ledger, family, person, day, known_at, viewer)
    ]


def _due(
    ledger: Ledger, family: Family, person: str, day: date, known_at: int | None, viewer: Names | None
) -> list[dict[str, Any]]:
    known = family.persons[person]

    def shows(*, is_sensitive: bool) -> bool:
        if viewer is None:
            return True
        viewed_by = person_of(ledger.ids, known.payer_id, viewer)
        return family.may_see(viewed_by, person, Area.CARE, day, is_sensitive=is_sensitive)

    if not shows(is_sensitive=False):
        return []
    if known.birth_date is None:
        return [{"recommendation": None, "standing": UNKNOWN}]
    done = _done(ledger, known.ids, day, known_at, viewer)
    cares = due(known.birth_date, Sex(known.sex) if known.sex else None, done, day)
    return [_told(each) for each in cares if shows(is_sensitive=each.recommendation.is_sensitive)]


def _done(
    ledger: Ledger, persons: Collection[str], day: date, known_at: int | None, viewer: Names | None
) -> list[Done]:
    """What claims show; to a viewer no more than they may know of."""
    asked = {"persons": list(persons), "known_at": known_at}
    with ledger.database.session() as cursor:
        rows = cursor.execute(DONE, asked).fetchall()
    claims = {row["claim_id"] for row in rows}
    if viewer is not None:
        claims = shown_claims(ledger, claims, viewer, Area.CARE, day, known_at)
    return [Done(row["procedure"], row["day"]) for row in rows if row["day"] and row["claim_id"] in claims]


def _told(care: Care) -> dict[str, Any]:
    recommendation = care.recommendation
    return {
        "recommendation": recommendation.name,
        "standing": care.standing,
        "from_on": care.from_on,
        "until": care.until,
        "for_whom": recommendation.for_whom,
        "source": recommendation.source,
    }


def _table(cares: list[dict[str, Any]]) -> None:
    """One for each person. What is no longer recommended stands in the JSON only."""
    for person, of_person in groupby(cares, lambda each: each["person"] or each["person_id"][:8]):
        columns = ("recommended", "standing", "since", "until", "for whom", "by")
        table = new_table(*columns, folds=("for whom", "by"), title=text(person))
        for each in of_person:
            if each["standing"] == UNKNOWN:
                table.add_row("", "[dim]birth date unknown[/]", "", "", "", "")
            elif each["standing"] != Standing.NO_LONGER:
                words = each["recommendation"].replace("_", " ")
                standing = _STYLES.get(each["standing"], each["standing"].replace("_", " "))
                days = text(each["from_on"]), text(each["until"]) if each["until"] else ""
                table.add_row(words, standing, *days, each["for_whom"], each["source"])
        console.print(table)
    console.print("As far as claims show; no medical advice. Due: no claim shows it. Done: since is its day.")
