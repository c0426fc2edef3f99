"""`scripts/ledger coverage`: who is covered on a day, and why; plan changes; paid claims that are not covered."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, find, position_of
from adapters.cli.members import coverages_of, states_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.seen import SeenBy, check_folded, claims_seen_by, family_of, viewer_of
from adapters.cli.show import console, new_table, text
from application.streams import coverage_stream, person_of
from composition import Ledger
from domain.consent import Area
from domain.eligibility import Why, eligibility, persons
from domain.enrolment import Coverage, requests
from domain.facts import StreamId
from domain.person import Names
from projections.coverage import SAME

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="Coverage of this day; of today by default.")]

PEOPLE = """
SELECT person_id::text, concat_ws(' ', given_name, family_name) AS name, birth_date, sex
FROM people WHERE person_id = ANY(%(persons)s::uuid[])
"""

WORDS = {
    Why.NOT_YET: "no enrolment has begun",
    Why.ENROLLED: "enrolled from {day} on",
    Why.NOT_NAMED: "not named in that enrolment",
    Why.PLAN_CHANGED: "plan changed from {day} on",
    Why.ADDED: "added from {day} on",
    Why.REMOVED: "removed after {day}",
    Why.TERMINATED: "terminated after {day} ({reason})",
    Why.REINSTATED: "reinstated from {day} on ({reason})",
}


@app.command("coverage", epilog="Example: scripts/ledger coverage NHP131023432 --as-of 2026-03-31")
def show_coverage(
    member: Member, as_of: AsOf = None, known_at: KnownAt = None, seen_by: SeenBy = None, as_json: Json = False
) -> None:
    """Who is covered on a day and which facts decide it, requests to change plans, and paid claims without coverage."""
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        viewer = None if seen_by is None else viewer_of(seen_by)
        coverages = coverage_of(ledger, member, day, position_of(ledger, known_at), viewer)
    if as_json:
        for each in coverages:
            show.line(each)
    elif coverages:
        for each in coverages:
            _tables(each)
    else:
        console.print("No coverage. (Is everything projected? scripts/ledger status)")


def coverage_of(
    ledger: Ledger, member: str, day: date, known_at: int | None, viewer: Names | None = None
) -> list[dict[str, Any]]:
    """A member's coverage with each payer, on a day; of those alone whose coverage a viewer may see.

    Raises NotFolded.
    """
    streams = coverages_of(ledger, member, known_at)
    claims = find(ledger, member=member, known_at=known_at)
    numbers, others = _numbers_of(ledger, {each["person_id"] for each in claims}, known_at)
    known = states_of(ledger, {*streams, *others}, known_at)
    without = _not_covered(claims, numbers, known.values())
    found = {coverage_id: state for coverage_id, state in known.items() if coverage_id in streams}
    people = _people(ledger, {person for state in found.values() for person in persons(state)})

    def named_as(patient: StreamId) -> Sequence[StreamId]:
        """As coverages name them; where none does, under their other numbers."""
        return [patient] if any(patient in persons(state) for state in known.values()) else numbers[patient]

    shown: Mapping[str, Sequence[StreamId]] = {coverage_id: persons(state) for coverage_id, state in found.items()}
    if viewer is not None:
        shown = _shown(ledger, streams, shown, viewer, day, known_at)
        without = claims_seen_by(ledger, without, viewer, day, known_at)
    return [
        {
            "coverage_id": coverage_id,
            "payer_id": streams[StreamId(coverage_id)],
            "as_of": day,
            "persons": sorted(
                (_person(state, person, day, people.get(person, {})) for person in shown[coverage_id]),
                key=lambda each: each["name"] or "",
            ),
            # They are of all whom the coverage names, and so is what led to them.
            "plan_changes": _plan_changes(state, day) if len(shown[coverage_id]) == len(persons(state)) else [],
            "uncovered_claims": [
                _uncovered(state, person, each)
                for each in without
                for person in named_as(StreamId(each["person_id"]))
                if person in shown[coverage_id]
            ],
        }
        for coverage_id, state in found.items()
        if viewer is None or shown[coverage_id]
    ]


def _numbers_of(
    ledger: Ledger, patients: Collection[StreamId], known_at: int | None
) -> tuple[Mapping[StreamId, Sequence[StreamId]], Collection[StreamId]]:
    """Each patient under all numbers by which a payer knows them, and the coverages of those numbers."""
    with ledger.database.session() as cursor:
        same = cursor.execute(SAME, {"persons": list(patients), "known_at": known_at}).fetchall()
    numbers = defaultdict[StreamId, list[StreamId]](list)
    for each in same:
        numbers[StreamId(each["of_id"])].append(StreamId(each["person_id"]))
    return numbers, {coverage_stream(ledger.ids, row["payer_id"], row["member_id"]) for row in same if row["payer_id"]}


def _not_covered(
    claims: Collection[dict[str, Any]],
    numbers: Mapping[StreamId, Collection[StreamId]],
    coverages: Collection[Coverage],
) -> list[dict[str, Any]]:
    """Those that are paid though no coverage covers their day under any number: what the view uncovered_claims has."""
    paid = [each for each in claims if each["paid"] > 0 and each["service_from"] is not None]
    return [each for each in paid if not _is_covered(coverages, numbers[each["person_id"]], each["service_from"])]


def _people(ledger: Ledger, named: Collection[StreamId]) -> dict[StreamId, Mapping[str, Any]]:
    with ledger.database.session() as cursor:
        return {row["person_id"]: row for row in cursor.execute(PEOPLE, {"persons": list(named)})}


def _shown(
    ledger: Ledger,
    payers: Mapping[StreamId, str],
    named: Mapping[str, Collection[StreamId]],
    viewer: Names,
    day: date,
    known_at: int | None,
) -> dict[str, list[StreamId]]:
    """Whom of those that each coverage names somebody may see."""
    viewers = {payer_id: person_of(ledger.ids, payer_id, viewer) for payer_id in payers.values()}
    family = family_of(ledger, known_at, persons={*viewers.values()}.union(*named.values()))
    check_folded(ledger, family)

    def shows(coverage_id: str, person: StreamId) -> bool:
        return family.may_see(viewers[payers[StreamId(coverage_id)]], person, Area.COVERAGE, day, is_sensitive=False)

    return {each: [person for person in of_it if shows(each, person)] for each, of_it in named.items()}


def _person(state: Coverage, person: StreamId, day: date, known: Mapping[str, Any]) -> dict[str, Any]:
    found = eligibility(state, person, day)
    return {
        "person_id": person,
        **{name: known.get(name) for name in ("name", "birth_date", "sex")},
        "covered": found.covered,
        "plan_id": found.plan_id,
        "because": [line._asdict() for line in found.lines],
    }


def _plan_changes(state: Coverage, day: date) -> list[dict[str, Any]]:
    return [
        {
            "request_id": each.request,
            "requested_at": each.asked_at,
            "plan_id": each.said.plan_id,
            "effective_on": each.said.effective_on,
            "life_event": each.said.life_event and each.said.life_event.event,
            "confirm_by": each.confirm_by,
            "standing": each.standing(day),
            "reason": each.refused,
        }
        for each in requests(state, day)
    ]


def _is_covered(coverages: Collection[Coverage], numbers: Collection[StreamId], day: date) -> bool:
    """Under any of a person's numbers."""
    return any(eligibility(state, person, day).covered for state in coverages for person in numbers)


def _uncovered(state: Coverage, person: StreamId, claim: Mapping[str, Any]) -> dict[str, Any]:
    """A claim that no coverage covers, and what this one says of the patient."""
    found = eligibility(state, person, claim["service_from"])
    told = {name: claim[name] for name in ("claim_id", "person_id", "patient", "service_from", "paid")}
    return told | {"why": found.lines[-1].why}


def _tables(coverage: Mapping[str, Any]) -> None:
    table = new_table("person", "born", "covered", "plan", "because", folds=("because",))
    for each in coverage["persons"]:
        because = "; ".join(
            WORDS[line["why"]].format(day=line["day"], reason=line["reason"]) for line in each["because"]
        )
        covered = "[green]covered[/]" if each["covered"] else "[red]not covered[/]"
        table.add_row(text(each["name"]), text(each["birth_date"]), covered, text(each["plan_id"]), text(because))
    console.print(table)
    if coverage["plan_changes"]:
        table = new_table(
            "request", "asked for", "plan", "from", "life event", "confirm by", "standing", folds=("standing",)
        )
        for each in coverage["plan_changes"]:
            standing = f"{each['standing']}: {each['reason']}" if each["reason"] else each["standing"]
            days = (f"{each['requested_at']:%Y-%m-%d %H:%M:%S %Z}", text(each["plan_id"]), text(each["effective_on"]))
            event, standing = (text(words).replace("_", " ") for words in (each["life_event"], standing))
            table.add_row(each["request_id"][:8], *days, event, text(each["confirm_by"]), standing)
        console.print(table)
    if coverage["uncovered_claims"]:
        table = new_table("paid, not covered", "service", "patient", "paid", "because", right=("paid",))
        for each in coverage["uncovered_claims"]:
            about = (each["claim_id"][:8], text(each["service_from"]), text(each["patient"]), text(each["paid"]))
            table.add_row(*about, text(each["why"]).replace("_", " "))
        console.print(table)
    console.print(f"As of {text(coverage['as_of'])}, plan {text(coverage['payer_id'])}.")
