"""Sign-ins over a real ledger: from the bytes of messages to events, rows and what the tool shows."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.cli import commands
from adapters.cli.alerts import alerts_of
from adapters.cli.logins import logins_of, portal_accounts_of, sessions_of
from adapters.json_message.sign_in import translate
from adapters.settings import Settings
from application.ports import Understood, VersionConflict
from application.requests import AheadOfTime, said_of
from application.sign_ins import end_lockouts
from application.streams import login_of
from composition import Ledger, open_ledger
from domain.facts import StreamId
from domain.identity import Refusal
from domain.lockout import Lock
from domain.request import Answer
from domain.sign_in import By, Cause, Notice, Personal
from domain.sign_in_events import LockedOut, LockoutEnded, SignInFailed
from tests.delivery import attempts
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.notices import encoded
from tests.unit.premiums import premium
from tests.unit.sign_ins import SAID, minutes, of_member, sign_in

NOW = minutes(24 * 60)


def fails(count: int, first: int = 0, **said: Any) -> list[Any]:
    """As many failures, a minute apart."""
    return [sign_in("sign_in_failed", f"F-{at}", minutes(at).isoformat(), **said) for at in range(first, first + count)]


def stream(ledger: Ledger) -> StreamId:
    return login_of(ledger.ids, "member-portal", "ada")


def notice(message: Any) -> Notice:
    [part] = translate(encoded(message))
    assert isinstance(part, Understood)
    assert isinstance(part.said, Notice)
    return part.said


def events(ledger: Ledger, of: StreamId | None = None) -> list[Any]:
    history = ledger.log.history(of or stream(ledger))
    return [ledger.mapper.load(recorded.stored) for recorded in history]


def topics(ledger: Ledger) -> list[str]:
    return [row["topic"] for row in rows(ledger.database, "SELECT topic FROM events ORDER BY notification_id")]


# --- from the bytes to the events


def test_whatever_a_portal_says_becomes_an_event(ledger: Ledger) -> None:
    outcomes = take(ledger, *(sign_in(kind, f"E-{at}") for at, kind in enumerate(SAID)))
    assert [(outcome.events, outcome.parked) for outcome in outcomes] == [(1, [])] * len(SAID)
    expected = [f"login.{kind}:1" for kind in SAID]
    assert topics(ledger) == [each.replace("login.unlocked", "login.lockout_ended") for each in expected]


def test_user_names_are_those_of_one_portal_whatever_their_case(ledger: Ledger) -> None:
    take(ledger, *fails(4), fails(5)[4] | {"user_name": " Ada".strip()})
    assert [type(event) for event in events(ledger)][-2:] == [SignInFailed, LockedOut]
    elsewhere = fails(1)[0] | {"portal_id": "dental"}
    assert take(ledger, elsewhere)[0].events == 1


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    [first] = fails(1)
    assert [each.duplicates for each in take(ledger, first, first)] == [0, 1]
    assert reasons(take(ledger, sign_in("sign_in_failed", "F-0", first["said"]["at"], cause="disabled"))) == [
        "login.conflict"
    ]


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [sign_in("signed_in") | {"user_name": ""}, sign_in("registered") | {"schema": 2}, sign_in("hacked")]
    bad.append(sign_in("registered") | {"user_name": "4111111111111111"})
    wrong = ["json.wrong_schema", "json.unknown_version", "json.wrong_schema", "login.account_number"]
    assert reasons(take(ledger, *bad)) == wrong
    assert [topic for topic in topics(ledger) if topic.startswith("login")] == []


def test_an_unknown_user_name_is_recorded_apart_and_locks_nobody(ledger: Ledger) -> None:
    unknown = [each | {"user_name": "ada"} for each in fails(50, cause="unknown_user")]
    assert [outcome.events for outcome in take(ledger, *unknown)] == [1] * 50
    assert events(ledger) == []
    assert [each.duplicates for each in take(ledger, *unknown[:2])] == [1, 1]
    assert reasons(take(ledger, unknown[0] | {"user_name": "eve"})) == ["login.conflict"]
    found = rows(ledger.database, "SELECT DISTINCT login_id::text, cause FROM login_activity")
    assert [(row["login_id"], row["cause"]) for row in found] == [
        (ledger.ids.stream("unknown_login", stream(ledger)), Cause.UNKNOWN_USER)
    ]


def test_unknown_user_names_leave_nothing_behind_but_what_was_recorded(ledger: Ledger, settings: Settings) -> None:
    """Whoever tries one after the other makes no keys and no heads. Addresses that try many are known all the same."""
    names = [f"user {at}" for at in range(12)]
    told = zip(names, fails(12, cause="unknown_user", device="Firefox"), strict=True)
    tried = [of_member(each | {"user_name": name}) for name, each in told]
    take(ledger, *tried[:6])
    for at, message in enumerate(tried[6:]):
        ledger.execute(said_of(ledger.ids, f"{at}", notice(message), ledger.lockout, NOW))
    ledger.runner.catch_up()
    recorded = rows(ledger.database, "SELECT originator_id::text AS id, state FROM events WHERE topic LIKE 'login%%'")
    assert len({row["id"] for row in recorded}) == 12
    assert not any(word in row["state"] for row in recorded for word in (b"personal", b"user ", b"Firefox"))
    assert (settings.keys_folder / "persons.keys").stat().st_size == 0
    assert all(ledger.heads.get(row["id"]) is ledger.intake._heads.get(row["id"]) is None for row in recorded)
    assert rows(ledger.database, "SELECT FROM login_owners") == []
    raised = rows(ledger.database, "SELECT kind, login_id::text FROM security_alerts ORDER BY raised_position")
    tenth = ledger.ids.stream("unknown_login", login_of(ledger.ids, "member-portal", names[9]))
    assert raised == [{"kind": "many accounts from one address", "login_id": tenth}]
    assert value(ledger.database, "SELECT array_agg(kind) FROM security_alerts_g1.security_memory") == ["address"]


def test_names_and_addresses_are_sealed_under_the_accounts_key(ledger: Ledger) -> None:
    name = "ada@example.org"
    take(ledger, of_member(sign_in("sign_in_failed", device="Ada's phone") | {"user_name": name}))
    login = login_of(ledger.ids, "member-portal", name)
    [recorded] = ledger.log.history(login)
    event = ledger.mapper.load(recorded.stored)
    assert ledger.mapper.unseal(recorded.stored, event) == Personal(name, "203.0.113.7", "Ada's phone", "US")
    for told in (name.encode(), b"203.0.113.7", b"phone", b'"US"', b"D-1", b"E-1", b"NHP100000001"):
        assert told not in recorded.stored.state
    ledger.keys.destroy(login)
    assert ledger.mapper.unseal(recorded.stored, event) is None
    assert reasons(take(ledger, sign_in("registered", "E-2") | {"user_name": name})) == ["person.erased"]


# --- lockouts


def test_batches_and_restarts_do_not_matter(ledger: Ledger, settings: Settings) -> None:
    take(ledger, *fails(3))
    take(ledger, *fails(1, first=3))
    other = open_ledger(settings)
    take(other, *fails(1, first=4))
    other.close()
    [locked] = [event for event in events(ledger) if isinstance(event, LockedOut)]
    assert (locked.at, locked.until) == (minutes(4), minutes(19))
    take(ledger, *fails(1, first=5))  # what the other one wrote is not in the head that it keeps
    assert events(ledger)[-1].cause is Cause.LOCKED


def test_how_many_failures_lock_is_a_setting(settings: Settings, ledger: Ledger) -> None:
    strict = open_ledger(settings.model_copy(update={"lockout_failures": 3, "lockout_minutes": 30}))
    take(strict, *fails(3))
    strict.close()
    [locked] = [event for event in events(ledger) if isinstance(event, LockedOut)]
    assert locked.until == locked.at + timedelta(minutes=30)


def test_fifty_failures_at_the_same_time_lock_once(ledger: Ledger, settings: Settings) -> None:
    together = threading.Barrier(50)

    def fail(number: int) -> Any:
        own = open_ledger(settings)
        failure = notice(sign_in("sign_in_failed", f"F-{number}", minutes(0).isoformat()))
        together.wait()
        while True:
            with suppress(VersionConflict):  # eight attempts were in vain; the portal asks again under the same key
                answer = own.execute(said_of(own.ids, f"attempt {number}", failure, own.lockout, NOW))
                own.close()
                return answer

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(fail, range(50)))
    assert all(isinstance(answer, Answer) for answer in answers)
    found = events(ledger)
    assert (len(found), [type(event) for event in found].count(LockedOut)) == (51, 1)
    assert [event.cause for event in found if isinstance(event, SignInFailed)] == (
        [Cause.WRONG_PASSWORD] * 5 + [Cause.LOCKED] * 45
    )


def test_the_portal_learns_whether_an_attempt_meets_a_lockout(ledger: Ledger) -> None:
    take(ledger, sign_in("signed_in", at=minutes(-60).isoformat()), *fails(5, device_id=None))
    assert ledger.lock_of("member-portal", "Ada", "", minutes(5)) == Lock(minutes(4), minutes(19))
    assert ledger.lock_of("member-portal", "ada", "D-2", minutes(5)) is not None
    assert ledger.lock_of("member-portal", "ada", "D-1", minutes(5)) is None
    assert ledger.lock_of("member-portal", "ada", "", minutes(19)) is None
    assert ledger.lock_of("dental", "ada", "", minutes(5)) is None


def test_commands_and_messages_beside_each_other_know_of_each_other(ledger: Ledger) -> None:
    for at, message in enumerate(fails(6)):
        if at % 2:
            take(ledger, message)
        else:
            answer = ledger.execute(said_of(ledger.ids, f"{at}", notice(message), ledger.lockout, NOW))
            assert isinstance(answer, Answer)
        assert (ledger.lock_of("member-portal", "ada", "", minutes(at)) is None) == (at < 4)
    again = ledger.execute(said_of(ledger.ids, "again", notice(fails(6)[5]), ledger.lockout, NOW))
    assert isinstance(again, Answer)
    assert again.events == 0
    assert [type(event) for event in events(ledger)].count(LockedOut) == 1
    assert events(ledger)[-1].cause is Cause.LOCKED


def test_what_a_command_tells_from_the_future_is_taken_under_the_same_key_once_its_moment_came(ledger: Ledger) -> None:
    told = notice(sign_in("signed_in", at=minutes(11).isoformat()))
    with pytest.raises(AheadOfTime, match=Refusal.AHEAD_OF_TIME):
        said_of(ledger.ids, "key", told, ledger.lockout, minutes(0))
    again = ledger.execute(said_of(ledger.ids, "key", told, ledger.lockout, minutes(1)))
    assert isinstance(again, Answer)
    assert len(events(ledger)) == 1


@pytest.mark.parametrize("kind", ["session_used", "sessions_revoked", "terms_accepted"])
def test_what_is_told_from_the_future_ends_no_lockout_and_no_session(ledger: Ledger, kind: str) -> None:
    began = [sign_in("signed_in", at=minutes(-1).isoformat()), *fails(5, device_id=None)]
    assert reasons(take(ledger, *began, sign_in(kind, "X-1", "2199-01-01T00:00:00Z"))) == ["login.ahead_of_time"]
    assert value(ledger.database, "SELECT until FROM open_lockouts") == minutes(19)
    assert value(ledger.database, "SELECT count(*) FROM security_alerts WHERE resolved_on IS NULL") == 1
    assert [row["ended_by"] for row in rows(ledger.database, "SELECT ended_by FROM login_sessions")] == [None]


def test_lockouts_whose_time_is_over_are_told_to_have_ended(ledger: Ledger) -> None:
    take(ledger, *fails(5))
    told = ledger.log, ledger.mapper, [stream(ledger)]
    assert [end_lockouts(*told, minutes(18)), end_lockouts(*told, minutes(60)), end_lockouts(*told, minutes(90))] == [
        0, 1, 0,
    ]  # fmt: skip
    assert events(ledger)[-1] == LockoutEnded(at=minutes(19), by=By.RAN_OUT)
    take(ledger, *fails(1, first=20))
    assert events(ledger)[-1].cause is Cause.WRONG_PASSWORD


def test_who_follows_the_log_tells_of_lockouts_that_ran_out(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    monkeypatch.setattr(commands, "_until_stopped", lambda: stop)
    monkeypatch.setattr(commands, "settle_memory", lambda: None)
    monkeypatch.setattr(commands, "LOCKOUTS_S", 0)
    take(ledger, *fails(5))
    following = threading.Thread(target=commands._follow, args=[ledger, False])
    following.start()
    trying = attempts()
    while events(ledger)[-1] != LockoutEnded(at=minutes(19), by=By.RAN_OUT):
        next(trying)
    stop.set()
    following.join()


def test_a_lockout_that_begins_when_the_last_one_ends_is_open_and_ends(ledger: Ledger) -> None:
    take(ledger, *fails(5))
    take(ledger, *(sign_in("sign_in_failed", f"G-{at}", minutes(19).isoformat()) for at in range(5)))
    assert value(ledger.database, "SELECT until FROM open_lockouts") == minutes(34)
    assert value(ledger.database, "SELECT count(*) FROM security_alerts WHERE resolved_on IS NULL") > 0
    assert ledger.end_lockouts(minutes(34)) == 1
    ledger.runner.catch_up()
    assert rows(ledger.database, "SELECT FROM open_lockouts") == []


# --- the rows, and what is asked of them

MEMBER = "NHP100000001"
A_DAY = [
    of_member(sign_in("registered", "R-1", minutes(-10).isoformat())),
    sign_in("signed_in", "S-1", minutes(0).isoformat(), session_id="first"),
    *fails(3, first=1, cause="wrong_password", device_id="D-2", address="198.51.100.9", country="CA"),
    *fails(1, first=4, cause="disabled"),
    sign_in("signed_in", "S-2", minutes(10).isoformat(), session_id="second", device_id="D-2"),
    sign_in("session_used", "U-1", minutes(11).isoformat(), session_id="first"),
    sign_in("session_revoked", "V-1", minutes(12).isoformat(), session_id="first", by="agent"),
]


def asked(ledger: Ledger, known_at: int | None = None, day: date = date(2026, 3, 2)) -> list[dict[str, Any]]:
    return logins_of(ledger, MEMBER.lower(), day, known_at)


def sessions(ledger: Ledger, until: datetime, known_at: int | None = None) -> list[tuple[Any, ...]]:
    """When they began, and who ended them."""
    return [(row["began_at"], row["ended_by"]) for row in sessions_of(ledger, MEMBER, until, known_at)]


def test_a_members_sign_ins_are_told_with_what_is_new(ledger: Ledger) -> None:
    take(ledger, *A_DAY)
    assert [(row["kind"], row["cause"], row["device_is_new"], row["address_is_new"]) for row in asked(ledger)] == [
        ("session_revoked", None, None, None),
        ("session_used", None, None, None),
        ("signed_in", None, True, False),
        ("sign_in_failed", "disabled", False, False),
        ("sign_in_failed", "wrong_password", True, True),
        ("sign_in_failed", "wrong_password", True, True),
        ("sign_in_failed", "wrong_password", True, True),
        ("signed_in", None, True, True),
        ("registered", None, None, None),
    ]
    assert {(row["country"], row["address"]) for row in asked(ledger)} == {
        (None, None), ("US", "203.0.113.7"), ("CA", "198.51.100.9"), (None, "203.0.113.7"),
    }  # fmt: skip


def test_what_was_known_then_and_what_had_happened_by_a_day(ledger: Ledger) -> None:
    for message in A_DAY:
        take(ledger, message)
    positions = sorted(row["position"] for row in asked(ledger))
    assert [len(asked(ledger, position)) for position in positions] == list(range(1, 10))
    assert asked(ledger, positions[0] - 1) == asked(ledger, day=date(2026, 3, 1)) == []
    late = sign_in("signed_in", "L-1", minutes(0.5).isoformat(), session_id="late", device_id="D-2", country="CA")
    take(ledger, late)
    assert [row["device_is_new"] for row in asked(ledger) if row["cause"] == "wrong_password"] == [False] * 3
    assert [row["device_is_new"] for row in asked(ledger, positions[-1]) if row["cause"] == "wrong_password"] == (
        [True] * 3
    )


def test_which_sessions_are_open_follows_from_what_was_said_in_any_order(ledger: Ledger) -> None:
    for message in reversed(A_DAY):
        take(ledger, message)
    first, second = minutes(0), minutes(10)
    assert sessions(ledger, minutes(11)) == [(second, None), (first, None)]
    assert sessions(ledger, minutes(13)) == [(second, None), (first, "agent")]
    assert sessions(ledger, minutes(5)) == [(first, None)]
    everything = sign_in("sessions_revoked", "V-2", minutes(12.5).isoformat())
    take(ledger, everything, sign_in("signed_in", "S-3", minutes(13).isoformat(), session_id="third"))
    assert sessions(ledger, minutes(20)) == [(minutes(13), None), (second, "member"), (first, "agent")]
    assert [row["ended"] for row in rows(ledger.database, "SELECT ended FROM login_sessions ORDER BY began_at")] == [
        "session_revoked", "sessions_revoked", None,
    ]  # fmt: skip


def test_who_unlocks_says_whose_account_it_is_as_with_all_else(ledger: Ledger) -> None:
    take(ledger, of_member(sign_in("unlocked", "U-1", minutes(0).isoformat(), by="agent")))
    [ended] = events(ledger)
    [owner] = rows(ledger.database, "SELECT payer_id, account_id::text, person_id::text FROM login_owners")
    assert (ended.portal_id, ended.payer_id) == ("member-portal", "1078810412") == ("member-portal", owner["payer_id"])
    assert (ended.account, ended.owner) == (owner["account_id"], owner["person_id"])
    assert [(row["kind"], row["portal_id"]) for row in asked(ledger)] == [("lockout_ended", "member-portal")]


def test_an_attempt_that_a_lockout_refused_began_no_session(ledger: Ledger) -> None:
    take(ledger, of_member(sign_in("registered", "R-1")), *fails(5), sign_in("signed_in", at=minutes(5).isoformat()))
    assert sessions(ledger, minutes(60)) == []
    latest = asked(ledger)[0]
    assert (latest["cause"], latest["verdict"]) == ("locked", "succeeded")


def test_how_many_failures_were_passwords(ledger: Ledger) -> None:
    take(ledger, *A_DAY)
    found = rows(ledger.database, "SELECT cause, failures, percent FROM sign_in_failures ORDER BY cause")
    assert [(row["cause"], row["failures"], float(row["percent"])) for row in found] == [
        ("disabled", 1, 25.0),
        ("wrong_password", 3, 75.0),
    ]


def test_any_batches_end_in_the_same_rows(ledger: Ledger) -> None:
    take(ledger, *A_DAY, *fails(7, first=20))
    rebuilt = ledger.rebuild("login_activity", limit=3)
    assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)


# --- the tool


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_a_members_sign_ins_and_sessions_are_shown(run: Run) -> None:
    run("init")
    written = b"\n".join(map(encoded, [*A_DAY, *fails(5, first=100)]))
    (answer,) = lines(run("ingest", "-", "--json", stdin=written))
    assert (answer["format"], answer["events"], answer["parked"]) == ("json-sign-in-lines", 15, [])
    run("project", "--once")
    found = lines(run("logins", MEMBER, "--json"))
    assert [row["kind"] for row in found][:2] == ["locked_out", "sign_in_failed"]
    assert lines(run("logins", MEMBER, "--known-at", "0", "--json")) == []
    assert len(lines(run("logins", MEMBER, "--limit", "2", "--json"))) == 2
    shown = run("logins", MEMBER, COLUMNS="160").stdout.decode()
    for words in ("locked out until 2026-03-02", "wrong password", "(new)", "9 failed: wrong password 8 (89%)"):
        assert words in shown
    assert len(lines(run("sessions", MEMBER, "--json"))) == 1
    assert len(lines(run("sessions", MEMBER, "--all", "--json"))) == 2
    assert lines(run("sessions", MEMBER, "--as-of", "2026-03-01", "--json")) == []
    assert "2026-03-02 07:10" in run("sessions", MEMBER).stdout.decode()
    assert [lines(run("end-lockouts", "--json")), run("project", "--once").returncode] == [[{"ended": 1}], 0]
    assert lines(run("end-lockouts", "--json")) == [{"ended": 0}]
    assert lines(run("logins", MEMBER, "--json"))[0]["by"] == "ran_out"
    assert "No sign-ins" in run("logins", "NOBODY").stdout.decode()


def test_what_a_device_is_called_is_shown_as_it_is(run: Run) -> None:
    run("init")
    label = "[/] [bold]agent"
    written = encoded(of_member(sign_in("signed_in", "L-1", device=label)))
    (answer,) = lines(run("ingest", "-", "--json", stdin=written))
    assert answer["parked"] == []
    run("project", "--once")
    assert label in run("logins", MEMBER, COLUMNS="160").stdout.decode()


# --- alerts


def alerts(ledger: Ledger, day: date | None = None, known_at: int | None = None) -> list[tuple[str, str | None]]:
    """What of, and until when."""
    told = alerts_of(ledger, MEMBER, day, known_at)
    return [(row["kind"], row["resolved_on"] and str(row["resolved_on"])) for row in told]


def signed_in_from(country: str, at: float, device_id: str, name: str) -> Any:
    address = f"198.51.100.{len(name)}"
    where = {"country": country, "device_id": device_id, "address": address, "session_id": name}
    return sign_in("signed_in", name, minutes(at).isoformat(), **where)


def test_a_strange_sign_in_is_told_once_until_somebody_has_seen_it(ledger: Ledger) -> None:
    at_home = of_member(signed_in_from("US", 0, "phone", "first"))
    take(ledger, at_home, signed_in_from("RO", 300, "laptop", "second"), signed_in_from("RO", 310, "laptop", "third"))
    assert alerts(ledger) == [("new device in new country", None)]
    seen = sign_in("alert_acknowledged", "A-1", minutes(24 * 60).isoformat(), about_event_id="second", by="member")
    take(ledger, seen)
    assert alerts(ledger) == [("new device in new country", "2026-03-03")]
    assert alerts(ledger, date(2026, 3, 2)) == [("new device in new country", None)]
    assert alerts(ledger, date(2026, 3, 1)) == []
    positions = [row["position"] for row in rows(ledger.database, "SELECT position FROM login_activity ORDER BY 1")]
    assert [len(alerts(ledger, known_at=position)) for position in positions] == [0, 1, 1, 1]
    assert alerts(ledger, known_at=positions[2]) == [("new device in new country", None)]


def test_a_lockout_is_told_until_it_ends(ledger: Ledger) -> None:
    take(ledger, of_member(sign_in("registered", "R-1")), *fails(5))
    assert alerts(ledger) == [("locked out", None)]
    take(ledger, sign_in("unlocked", "U-1", minutes(6).isoformat()))
    assert alerts(ledger) == [("locked out", "2026-03-02")]


def test_who_has_the_right_password_during_a_lockout_is_told_of(ledger: Ledger) -> None:
    take(ledger, of_member(sign_in("registered", "R-1")), *fails(6))
    assert alerts(ledger) == [("locked out", None)]
    take(ledger, sign_in("signed_in", "S-1", minutes(7).isoformat()))
    assert alerts(ledger) == [("locked out", None), ("right password while locked", None)]


def test_an_address_that_tries_many_accounts_and_a_burst(ledger: Ledger) -> None:
    tried = [each | {"user_name": f"user {at}"} for at, each in enumerate(fails(10))]
    take(ledger, *tried, *(of_member(each) for each in fails(10, first=100, device_id=None, address="192.0.2.1")))
    found = rows(ledger.database, "SELECT kind, raised_position FROM security_alerts ORDER BY raised_position")
    assert [row["kind"] for row in found] == ["many accounts from one address", "locked out"]
    swift = [
        of_member(sign_in("sign_in_failed", f"B-{at}", minutes(200 + at / 10).isoformat(), address="192.0.2.1"))
        for at in range(12)
    ]
    take(ledger, *swift)
    assert alerts(ledger) == [("burst of failures", None), ("locked out", "2026-03-02"), ("locked out", None)]


def test_alerts_hold_nothing_personal(ledger: Ledger) -> None:
    take(ledger, *A_DAY, *fails(5, first=100))
    for table in ("security_alerts", "security_resolutions", "security_memory"):
        told = str(rows(ledger.database, f"SELECT * FROM security_alerts_g1.{table}"))
        assert told != "[]" or table == "security_resolutions"
        for word in ("203.0.113.7", "'ada'", '"ada"', "D-1", MEMBER):
            assert word not in told


def test_any_batches_raise_the_same_alerts(ledger: Ledger) -> None:
    for at in range(4):
        take(ledger, *A_DAY, *(each | {"user_name": f"user {at}"} for each in fails(9, first=10 * at)))
    take(
        ledger,
        *reversed(
            [signed_in_from(country, at, "phone", f"{country}{at}") for at in range(9) for country in ("CA", "US")]
        ),
    )
    before = rows(ledger.database, "SELECT * FROM security_alerts ORDER BY raised_position, kind")
    for limit in (1, 4, 1000):
        rebuilt = ledger.rebuild("security_alerts", limit=limit)
        assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)
    assert len(before) > 3


def test_money_and_sign_ins_stand_in_one_list(run: Run) -> None:
    run("init")
    due = premium("invoiced", member_id=MEMBER) | {"payer_id": "1078810412"}
    run("ingest", "-", stdin=encoded(due))
    run("ingest", "-", stdin=b"\n".join(map(encoded, [of_member(each) for each in fails(5)])))
    run("project", "--once")
    assert [row["kind"] for row in lines(run("alerts", MEMBER, "--json"))] == ["locked out", "premium due"]
    assert [row["kind"] for row in lines(run("alerts", MEMBER, "--as-of", "2026-03-02", "--json"))] == ["locked out"]
    assert lines(run("alerts", MEMBER, "--known-at", "0", "--json")) == []
    shown = run("alerts", MEMBER).stdout.decode()
    assert "locked out" in shown
    assert "premium due" in shown


def test_what_is_read_of_an_alert_is_enough_to_say_that_it_was_seen(run: Run) -> None:
    run("init")
    strange = [of_member(signed_in_from("US", 0, "phone", "1")), signed_in_from("RO", 300, "laptop", "2")]
    run("ingest", "-", stdin=b"\n".join(map(encoded, [*strange, *fails(5, first=400)])))
    run("project", "--once")
    locked, raised = lines(run("alerts", MEMBER, "--json"))
    assert (raised["kind"], locked["kind"], locked["fact_id"]) == ("new device in new country", "locked out", None)
    seen = sign_in("alert_acknowledged", "A-1", about_fact_id=raised["fact_id"], about_event_id=None, by="agent")
    (answer,) = lines(run("ingest", "-", "--json", stdin=encoded(seen)))
    assert (answer["events"], answer["parked"]) == (1, [])
    run("project", "--once")
    assert [row["kind"] for row in lines(run("alerts", MEMBER, "--json"))] == ["locked out"]
    assert [row["fact_id"] for row in lines(run("alerts", MEMBER, "--all", "--json"))] == [None, raised["fact_id"]]


# --- what accounts came to be

SIGNED_UP = [
    of_member(sign_in("code_issued", "1", minutes(0).isoformat(), expires_at=minutes(60).isoformat())),
    sign_in("code_expired", "2", minutes(61).isoformat()),
    sign_in("code_requested", "3", minutes(62).isoformat()),
    sign_in("code_issued", "4", minutes(63).isoformat(), code_id="C-2", expires_at=minutes(123).isoformat()),
    sign_in("identity_proved", "5", minutes(70).isoformat(), proof="knowledge", grade="none"),
    sign_in("registered", "6", minutes(71).isoformat()),
    sign_in("terms_accepted", "7", minutes(72).isoformat(), terms="2026-01"),
    sign_in("factor_enrolled", "8", minutes(73).isoformat(), factor="sms", factor_id="F-1"),
    sign_in("app_linked", "9", minutes(74).isoformat()),
    sign_in("identity_proved", "10", minutes(24 * 60).isoformat()),
    sign_in("terms_accepted", "11", minutes(24 * 60 + 1).isoformat(), terms="2026-02"),
    sign_in("factor_enrolled", "12", minutes(24 * 60 + 2).isoformat(), factor="passkey", factor_id="F-2"),
    sign_in("factor_removed", "13", minutes(24 * 60 + 3).isoformat(), factor_id="F-1"),
    sign_in("app_unlinked", "14", minutes(24 * 60 + 4).isoformat()),
    sign_in("moved_over", "15", minutes(24 * 60 + 5).isoformat()),
    sign_in("linked", "16", minutes(24 * 60 + 6).isoformat()),
]


@pytest.mark.parametrize("seed", range(3))
def test_what_an_account_came_to_be_follows_from_what_was_said_in_any_order(ledger: Ledger, seed: int) -> None:
    take(ledger, *random.Random(seed).sample(SIGNED_UP, len(SIGNED_UP)))
    [then] = portal_accounts_of(ledger, MEMBER, date(2026, 3, 2), None, NOW)
    assert (then["registered_at"], then["code_until"], then["terms"]) == (minutes(71), minutes(123), "2026-01")
    assert (then["proof"], then["proof_is_legacy"], then["grade"]) == ("knowledge", True, "none")
    assert (then["factors"], then["legacy_factors"]) == (["sms"], ["sms"])
    assert (then["apps"], then["moved_from"], then["linked"]) == ({"apple_health": ["claims", "coverage"]}, None, [])
    [now] = portal_accounts_of(ledger, MEMBER, None, None, NOW)
    assert (now["proof"], now["proof_is_legacy"], now["grade"], now["terms"]) == ("document", False, "ial2", "2026-02")
    assert (now["factors"], now["legacy_factors"], now["apps"]) == (["passkey"], [], {})
    other = [login_of(ledger.ids, "old", "ada72"), login_of(ledger.ids, "dental", "ADA.D")]
    assert (now["moved_from"], now["linked"]) == (other[0], [other[1]])
    assert value(ledger.database, "SELECT terms FROM portal_accounts") == "2026-02"


def test_an_account_is_shown_as_known_then(run: Run) -> None:
    run("init")
    run("ingest", "-", stdin=b"\n".join(map(encoded, SIGNED_UP)))
    run("project", "--once")
    [first] = lines(run("portal-accounts", MEMBER, "--known-at", "1", "--json"))
    assert (first["registered_at"], first["code_until"][:16]) == (None, "2026-03-02T13:00")
    [then] = lines(run("portal-accounts", MEMBER, "--as-of", "2026-03-02", "--json"))
    assert then["legacy_factors"] == ["sms"]
    shown = run("portal-accounts", MEMBER, "--as-of", "2026-03-02", COLUMNS="160").stdout.decode()
    for words in ("knowledge (none)", "sms (legacy)", "apple health: claims, coverage"):
        assert words in shown
    assert "No accounts" in run("portal-accounts", "NOBODY").stdout.decode()
