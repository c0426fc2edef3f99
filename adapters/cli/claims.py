"""Questions about claims: `claims`, `claim`, `history` and `replay`."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from adapters.cli import show, show_claims, timeline
from adapters.cli.opened import DAYS, Json, day_of, opened
from adapters.cli.seen import SeenBy, claims_seen_by, viewer_of
from adapters.cli.story import story
from composition import Ledger
from domain.adjudication import ClaimType, Status
from domain.window import thirty_six_months
from projections import claim_queries

app = typer.Typer()

TABLE_ROWS = 50
ID_BEGINS = re.compile(r"-*(?:[0-9a-fA-F]-*){1,32}")
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The number on the member's card.")]
ClaimId = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's id, or its first characters.")]
Payer = Annotated[str | None, typer.Option(help="A payer's number, or a part of its name.")]
From = Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="First day of service, or later.")]
To = Annotated[datetime | None, typer.Option(formats=DAYS, help="Served up to this day.")]
Type = Annotated[ClaimType | None, typer.Option("--type", help="Kind of claim.")]
KnownAt = Annotated[
    str | None,
    typer.Option(
        metavar="POSITION|TIME", help="What the ledger knew then: a position of the log, a day's end or a time."
    ),
]


@app.command(epilog="Example: scripts/ledger claims --status denied --from 2026-01-01")
def claims(
    member: Annotated[str | None, typer.Option(help="The number on the member's card.")] = None,
    status: Annotated[Status | None, typer.Option(help="Where the claim stands.")] = None,
    claim_type: Type = None,
    payer: Payer = None,
    from_: From = None,
    to: To = None,
    limit: Annotated[int | None, typer.Option(min=1, help=f"At most so many; {TABLE_ROWS} in a table.")] = None,
    seen_by: SeenBy = None,
    as_json: Json = False,
) -> None:
    """Where claims stand."""
    wanted = {"member": member, "status": status, "type": claim_type, "payer": payer, "from": from_, "to": to}
    at_most = limit or (None if as_json else TABLE_ROWS + 1)
    with opened() as ledger, ledger.database.snapshot():
        if seen_by is None:
            rows = find(ledger, limit=at_most, **wanted)
        elif member is None:
            raise typer.BadParameter("a member is wanted: --member", param_hint="--seen-by")
        else:  # what is left out must not count
            rows = claims_seen_by(ledger, find(ledger, **wanted), viewer_of(seen_by), day_of(ledger, None))[:at_most]
    if as_json:
        for row in rows:
            show.line(row)
    else:
        show_claims.claims(rows[: limit or TABLE_ROWS], more=limit is None and len(rows) > TABLE_ROWS)


@app.command(epilog="Example: scripts/ledger history NHP131023432 --as-of 2026-03-31 --known-at 2026-03-31")
def history(
    member: Member,
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="Last day of the 36 months; today by default.")
    ] = None,
    known_at: KnownAt = None,
    all_: Annotated[bool, typer.Option("--all", help="Whatever its age.")] = False,
    filter_: Annotated[
        str | None, typer.Option("--filter", help='By name: "emergency visits". See `filters list`.')
    ] = None,
    claim_type: Type = None,
    payer: Payer = None,
    from_: From = None,
    to: To = None,
    seen_by: SeenBy = None,
    as_json: Json = False,
) -> None:
    """A member's claims of thirty-six months, newest first; claims without a day of service stand at the end."""
    with opened() as ledger, ledger.database.snapshot():
        window = None if all_ else thirty_six_months(day_of(ledger, as_of))
        position = position_of(ledger, known_at)
        rows = find(
            ledger,
            member=member,
            type=claim_type,
            payer=payer,
            filter=None if filter_ is None else ledger.filters.named(filter_),
            known_at=position,
            first_day=window and window.first,
            last_day=window and window.last,
            **{"from": from_, "to": to},
        )
        if seen_by is not None:
            rows = claims_seen_by(ledger, rows, viewer_of(seen_by), day_of(ledger, as_of), position)
    if as_json:
        for row in rows:
            show.line(row)
    else:
        show_claims.history(rows, window, position)


@app.command(epilog="Example: scripts/ledger claim 3f2a9c1e")
def claim(claim_id: ClaimId, known_at: KnownAt = None, as_json: Json = False) -> None:
    """One claim: where it stands, the events that made it, and the lines of its last posting in plain language."""
    with opened() as ledger:
        with ledger.database.snapshot():
            position = position_of(ledger, known_at)
            found = find_one(ledger, claim_id, position)
            steps = story(ledger, found["claim_id"], position)
        if as_json:
            show.line({**found, "events": [step.told() for step in steps]})
        else:
            show_claims.claim(found, steps, ledger.codes)


@app.command(epilog="Example: scripts/ledger replay 3f2a9c1e")
def replay(
    of: Annotated[str, typer.Argument(metavar="CLAIM|MEMBER", help="A claim's id, or the number on a member's card.")],
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """A claim from its first event on: what was said, by whom, and where the claim stood after it, changes marked. Or
    everything that is known of a member on one line of time: claims, money, coverage, sign-ins.

    From the log itself, not read from a table: every figure elsewhere can be checked by it.
    """
    with opened() as ledger, ledger.database.snapshot():
        position = position_of(ledger, known_at)
        told = timeline.timeline(ledger, of, position)
        steps = [] if told else story(ledger, _claim_or_member(ledger, of, position)["claim_id"], position)
    if as_json:
        for row in [*(step.told() for step in told), *(step.told() for step in steps)]:
            show.line(row)
    elif told:
        timeline.show(told, ledger.settings.zone)
    else:
        show_claims.replay(steps)


# --- helpers


def find(ledger: Ledger, **wanted: Any) -> list[dict[str, Any]]:
    """Claims by whatever of the query's parameters is given."""
    asked = {name: value for name, value in wanted.items() if value is not None}
    with ledger.database.session() as cursor:
        return cursor.execute(claim_queries.find(frozenset(asked)), asked).fetchall()


def find_one(ledger: Ledger, prefix: str, position: int | None = None) -> dict[str, Any]:
    """The claim whose id begins so. Raises BadParameter where there is none, or several."""
    found = find(ledger, **_id(prefix), known_at=position, limit=2)
    if len(found) != 1:
        problem = "several claims begin with this id" if found else "no claim has this id"
        raise typer.BadParameter(f"{problem} (is everything projected? `scripts/ledger status`)", param_hint="CLAIM")
    return found[0]


def _claim_or_member(ledger: Ledger, of: str, position: int | None) -> dict[str, Any]:
    """The claim, where no member has this number. Raises BadParameter where there is neither, or several claims."""
    if not ID_BEGINS.fullmatch(of) or not find(ledger, **_id(of), known_at=position, limit=1):
        problem = "no member and no claim is known by this" + ("" if position is None else " by then")
        hint = f"{problem} (is everything projected? `scripts/ledger status`)"
        raise typer.BadParameter(hint, param_hint="CLAIM|MEMBER")
    return find_one(ledger, of, position)


def _id(prefix: str) -> dict[str, str]:
    """A claim's id, or all ids that begin alike."""
    first, last = ids_from(prefix)
    return {"claim_id": first} if first == last else {"first_id": first, "last_id": last}


def ids_from(prefix: str) -> tuple[str, str]:
    """The first and the last id that begin so."""
    if not ID_BEGINS.fullmatch(prefix):
        raise typer.BadParameter("an id is made of hexadecimal digits")
    digits = prefix.replace("-", "").lower()
    return digits.ljust(32, "0"), digits.ljust(32, "f")


def position_of(ledger: Ledger, known_at: str | None) -> int | None:
    """Of the log. A moment means the last one that was recorded by then; a day means its end in the plan's zone."""
    if known_at is None:
        return None
    if known_at.isascii() and known_at.isdigit() and len(known_at) < 16:
        return int(known_at)
    moment = _moment(known_at, ZoneInfo(ledger.settings.zone))
    with ledger.database.session() as cursor:
        row = cursor.execute(claim_queries.POSITION_AT, {"moment": moment}).fetchone()
    return 0 if row is None else int(row["position"])


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        if len(text) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time(), zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter("a position, a day or an ISO 8601 time is wanted", param_hint="--known-at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
