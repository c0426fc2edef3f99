"""`scripts/ledger logins`, `sessions`, `portal-accounts`, `end-lockouts`: who signs in as a member, and with what."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.markup import escape

from adapters.cli import show
from adapters.cli.claims import TABLE_ROWS, KnownAt, Member, position_of
from adapters.cli.members import accounts_of
from adapters.cli.opened import DAYS, Json, opened
from adapters.cli.show import console, new_table, text
from application.mapper import StoredEvent, Unreadable
from composition import Ledger
from domain.sign_in import Factor, Personal, Proof
from projections.login_queries import FAILURES_OF, LOGINS, PORTAL_ACCOUNTS_OF, SESSIONS_OF

app = typer.Typer()

AsOf = Annotated[datetime | None, typer.Option(formats=DAYS, help="What had happened by this day.")]

EVENTS_AT = """
SELECT notification_id, originator_id::text, originator_version, topic, state FROM events
WHERE notification_id = ANY(%(positions)s::bigint[])
"""


@app.command(epilog="Example: scripts/ledger logins NHP131023432 --as-of 2026-03-31")
def logins(
    member: Member,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Annotated[int | None, typer.Option(min=1, help=f"At most so many; {TABLE_ROWS} in a table.")] = None,
    as_json: Json = False,
) -> None:
    """Who signed in as a member, who failed to and why, from which devices, and whatever was changed; latest first."""
    with opened() as ledger, ledger.database.snapshot():
        asked = ledger, member, as_of and as_of.date(), position_of(ledger, known_at)
        rows = logins_of(*asked, limit or (None if as_json else TABLE_ROWS + 1))
        failures = {} if as_json else failures_of(*asked)
    if as_json:
        for row in rows:
            show.line(row)
    elif rows:
        more = limit is None and len(rows) > TABLE_ROWS
        _logins(rows[: limit or TABLE_ROWS], failures, ZoneInfo(ledger.settings.zone), more=more)
    else:
        console.print("No sign-ins. (Is everything projected? scripts/ledger status)")


@app.command(epilog="Example: scripts/ledger sessions NHP131023432 --all")
def sessions(
    member: Member,
    all_: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    as_of: Annotated[datetime | None, typer.Option(formats=DAYS, help="Open at the end of this day.")] = None,
    known_at: KnownAt = None,
    as_json: Json = False,
) -> None:
    """A member's open sessions: when they began, where, and when they were used last."""
    with opened() as ledger, ledger.database.snapshot():
        until = _end_of(ledger, as_of and as_of.date())
        rows = sessions_of(ledger, member, until, position_of(ledger, known_at))
    wanted = [row for row in rows if all_ or row["ended_at"] is None]
    if as_json:
        for row in wanted:
            show.line(row)
    elif wanted:
        _sessions(wanted, ZoneInfo(ledger.settings.zone))
    else:
        console.print("No open sessions.")


@app.command("portal-accounts", epilog="Example: scripts/ledger portal-accounts NHP131023432")
def portal_accounts(member: Member, as_of: AsOf = None, known_at: KnownAt = None, as_json: Json = False) -> None:
    """What became of a member's accounts of portals: registered or not, how sure it is who they are, second factors."""
    with opened() as ledger, ledger.database.snapshot():
        asked = ledger, member, as_of and as_of.date(), position_of(ledger, known_at)
        rows = portal_accounts_of(*asked, datetime.now(UTC))
    if as_json:
        for row in rows:
            show.line(row)
    elif rows:
        _portal_accounts(rows, ZoneInfo(ledger.settings.zone))
    else:
        console.print("No accounts. (Is everything projected? scripts/ledger status)")


@app.command("end-lockouts", epilog="Example: scripts/ledger end-lockouts")
def end(as_json: Json = False) -> None:
    """Record of all lockouts whose time is over that they ended. Whoever follows the log (`project`) does it too."""
    with opened() as ledger:
        ended = ledger.end_lockouts(datetime.now(UTC))
    show.out({"ended": ended}, as_json, f"{ended:,} lockouts ended.")


# --- what is asked for


def logins_of(
    ledger: Ledger, member: str, as_of: date | None, known_at: int | None, limit: int | None = None
) -> list[dict[str, Any]]:
    asked = _asked(ledger, member, known_at, _end_of(ledger, as_of))
    with ledger.database.session() as cursor:
        rows = cursor.execute(LOGINS, asked | {"zone": ledger.settings.zone, "limit": limit}).fetchall()
    personal = _personal(ledger, [row["position"] for row in rows])
    return [_login(row, personal.get(row["position"])) for row in rows]


def failures_of(ledger: Ledger, member: str, as_of: date | None, known_at: int | None) -> dict[str, int]:
    """How many sign-ins failed, by cause, the most frequent first."""
    with ledger.database.session() as cursor:
        rows = cursor.execute(FAILURES_OF, _asked(ledger, member, known_at, _end_of(ledger, as_of)))
        return {row["cause"]: row["failures"] for row in rows}


def sessions_of(ledger: Ledger, member: str, until: datetime | None, known_at: int | None) -> list[dict[str, Any]]:
    """By what had happened before a moment."""
    with ledger.database.session() as cursor:
        rows = cursor.execute(SESSIONS_OF, _asked(ledger, member, known_at, until)).fetchall()
    personal = _personal(ledger, [row["position"] for row in rows])
    return [row | _where(personal.get(row["position"])) for row in rows]


def portal_accounts_of(
    ledger: Ledger, member: str, as_of: date | None, known_at: int | None, now: datetime
) -> list[dict[str, Any]]:
    """An activation code is over when its moment came: by the end of a day, else by now."""
    until = _end_of(ledger, as_of)
    with ledger.database.session() as cursor:
        rows = cursor.execute(PORTAL_ACCOUNTS_OF, _asked(ledger, member, known_at, until)).fetchall()
    return [
        row
        | {
            "code_is_over": row["code_until"] and row["code_until"] <= (until or now),
            "apps": msgspec.json.decode(row["apps"]),
            "proof_is_legacy": row["proof"] and Proof(row["proof"]).is_legacy,
            "legacy_factors": [factor for factor in row["factors"] if Factor(factor).is_legacy],
        }
        for row in rows
    ]


def _login(row: dict[str, Any], personal: Personal | None) -> dict[str, Any]:
    factor = row["factor"] and Factor(row["factor"]).is_legacy
    details = msgspec.json.decode(row.pop("details"))
    return row | {"factor_is_legacy": factor, "details": details} | _where(personal)


def _where(personal: Personal | None) -> dict[str, str | None]:
    """From where, as the portal said. None of it where the account's key was destroyed."""
    told = personal or Personal("")
    return {"device": told.device or None, "address": told.address or None, "country": told.country or None}


def _personal(ledger: Ledger, positions: Sequence[int]) -> dict[int, Personal]:
    """What is sealed in some events of the log, as far as it opens."""
    found = dict[int, Personal]()
    with ledger.database.session() as cursor:
        rows = cursor.execute(EVENTS_AT, {"positions": list(positions)}).fetchall()
    for row in rows:
        stored = StoredEvent(*list(row.values())[1:])
        try:
            personal = ledger.mapper.unseal(stored, ledger.mapper.load(stored))
        except Unreadable:
            continue
        if isinstance(personal, Personal):
            found[row["notification_id"]] = personal
    return found


def _asked(ledger: Ledger, member: str, known_at: int | None, until: datetime | None) -> dict[str, Any]:
    return {"accounts": accounts_of(ledger, member, known_at), "known_at": known_at, "until": until}


def _end_of(ledger: Ledger, day: date | None) -> datetime | None:
    """The first moment that does not count; after the last day of the calendar there is none."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(ledger.settings.zone))


# --- tables


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    """In the plan's time zone, without seconds that nobody asks for."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "–"


def _logins(rows: Sequence[Mapping[str, Any]], failures: Mapping[str, int], zone: ZoneInfo, *, more: bool) -> None:
    """`failures` are all, also those that are not shown."""
    table = new_table("position", "at", "what", "why", "device", "from", right=("position",), folds=("what", "device"))
    for row in rows:
        why = row["cause"] or row["by"] or row["factor"] or ""
        device = f"{escape(row['device'] or (row['device_id'] or '')[:8])}{_new(row['device_is_new'])}"
        place = f"{row['country'] or (row['address_id'] or '')[:8]}{_new(row['address_is_new'])}"
        what = _words(row["kind"])
        if row["kind"] == "locked_out":
            what = f"[red]{what}[/] until {_local(row['until'], zone) if row['until'] else 'unlocked'}"
        table.add_row(str(row["position"]), _local(row["at"], zone), what, _words(why), device, place)
    console.print(table)
    console.print(f"Times of {zone}. New: nobody had signed in with it before.")
    if more:
        console.print(f"The latest {len(rows)}; more with --limit.")
    if failures:
        total = sum(failures.values())
        told = ", ".join(f"{_words(cause)} {count} ({count / total:.0%})" for cause, count in failures.items())
        in_all = "In all " if total > sum(row["kind"] == "sign_in_failed" for row in rows) else ""
        console.print(f"{in_all}{total} failed: {told}.", soft_wrap=True)


def _sessions(rows: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    table = new_table("session", "began", "device", "from", "used last", "ended", folds=("device",))
    for row in rows:
        where = (text(row["device"] or (row["device_id"] or "")[:8]), text(row["country"]))
        ended = f"{_local(row['ended_at'], zone)} ({_words(row['ended_by'])})" if row["ended_at"] else ""
        table.add_row(
            row["session_id"][:8], _local(row["began_at"], zone), *where, _local(row["last_used_at"], zone), ended
        )
    console.print(table)
    console.print(f"Times of {zone}.")


def _portal_accounts(rows: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    columns = ("account", "portal", "registered", "proof", "terms", "factors", "apps", "other accounts")
    table = new_table(*columns, folds=("factors", "apps", "other accounts"))
    for row in rows:
        proof = f"{_words(row['proof'])} ({row['grade']})" if row["proof"] else ""
        factors = ", ".join(
            f"{_words(factor)} [yellow](legacy)[/]" if factor in row["legacy_factors"] else _words(factor)
            for factor in row["factors"]
        )
        apps = "; ".join(f"{_words(app)}: {', '.join(scopes)}" for app, scopes in row["apps"].items())
        others = [f"moved from {row['moved_from'][:8]}"] if row["moved_from"] else []
        others += [f"linked with {other[:8]}" for other in row["linked"]]
        account = (row["login_id"][:8], text(row["portal_id"]), _registered(row, zone))
        table.add_row(*account, proof, text(row["terms"]), factors, apps, "; ".join(others))
    console.print(table)
    console.print(f"Times of {zone}.")


def _registered(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Since when, or until when it can be."""
    if row["registered_at"] or not row["code_until"]:
        return _local(row["registered_at"], zone)
    return f"code {'expired' if row['code_is_over'] else 'until'} {_local(row['code_until'], zone)}"


def _new(is_new: bool | None) -> str:
    return " [yellow](new)[/]" if is_new else ""


def _words(code: str) -> str:
    return code.replace("_", " ")
