"""`scripts/ledger family`: who of a family may see what of whom, and why."""

from collections.abc import Mapping
from datetime import date, datetime
from itertools import permutations
from typing import Annotated, Any

import typer

from adapters.cli import show
from adapters.cli.claims import KnownAt, Member, position_of
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.seen import Family, check_folded, family_of
from adapters.cli.show import console, new_table, text
from composition import Ledger
from domain.consent import Area
from domain.visibility import NO_CONSENT, ends_on, may_see

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="As of the end of this day; today by default.")]


@app.command("family", epilog="Example: scripts/ledger family NHP131023432 --as-of 2026-03-31")
def show_family(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """Who of a member's family may see whose claims, money, coverage and care, and by which rule."""
    with opened() as ledger, ledger.database.snapshot():
        day = day_of(ledger, as_of)
        pairs = pairs_of(ledger, member, day, position_of(ledger, known_at))
    if as_json:
        for pair in pairs:
            show.line(pair)
    elif pairs:
        _table(pairs, day)
    else:
        console.print("Nobody else is known. (Is everything projected? scripts/ledger status)")


def pairs_of(ledger: Ledger, member: str, day: date, known_at: int | None) -> list[dict[str, Any]]:
    """Every two of a member's family, and whoever else was allowed something, of what is not sensitive.

    Raises NotFolded.
    """
    family = family_of(ledger, known_at, member=member)
    check_folded(ledger, family)
    told = {(to, of) for of, to, _ in family.said if to is not None}
    own = {each for each, known in family.persons.items() if known.is_asked}
    within = {
        (viewer, subject)
        for viewer, subject in permutations(own, 2)
        if family.persons[viewer].payer_id == family.persons[subject].payer_id
    }
    order = list(family.persons)

    def place(person: str) -> tuple[int, str]:
        """Whom nobody has named yet stands last."""
        return order.index(person) if person in family.persons else len(order), person

    pairs = [pair for pair in told | within if not own.isdisjoint(pair)]
    return [_pair(family, *pair, day) for pair in sorted(pairs, key=lambda pair: [place(each) for each in pair])]


def _pair(family: Family, viewer: str, subject: str, day: date) -> dict[str, Any]:
    cases = {area: family.case(viewer, subject, area, day) for area in Area}
    names = {each: family.persons[each].name if each in family.persons else None for each in (viewer, subject)}
    return {
        "viewer_id": viewer,
        "viewer": names[viewer],
        "relationship": cases[Area.CLAIMS].relationship,
        "subject_id": subject,
        "subject": names[subject],
        "as_of": day,
        "sees": {area: may_see(case)._asdict() | {"until": ends_on(case)} for area, case in cases.items()},
    }


def _table(pairs: list[dict[str, Any]], day: date) -> None:
    said = [pair for pair in pairs if _is_said(pair)]
    table = new_table("of", "who sees", "is their", "sees", "why", "until", folds=("sees", "why"))
    for pair in sorted(said, key=lambda pair: pair["subject"] or ""):
        allowed = [area for area, each in pair["sees"].items() if each["allowed"]]
        sees = "everything" if len(allowed) == len(Area) else ", ".join(allowed) or "[dim]nothing[/]"
        because = (each["because"] for each in pair["sees"].values() if each["allowed"] or not allowed)
        until = (text(each["until"]) for each in pair["sees"].values() if each["until"])
        names = (text(pair[who] or pair[f"{who}_id"][:8]) for who in ("subject", "viewer"))
        why, days = ("; ".join(dict.fromkeys(told)) for told in (because, until))
        table.add_row(*names, text(pair["relationship"]), sees, why, days)
    console.print(table)
    if len(said) < len(pairs):
        console.print(f"Nothing was said of {len(pairs) - len(said)} other pairs: they see nothing of each other.")
    console.print(f"As of the end of {text(day)}. Sensitive services show to nobody but the person.")


def _is_said(pair: Mapping[str, Any]) -> bool:
    return bool(pair["relationship"]) or any(each["rule"] != NO_CONSENT for each in pair["sees"].values())
