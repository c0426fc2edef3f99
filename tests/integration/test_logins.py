"""What is shown of sign-ins: on which days, how many of them, and whose."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.alerts import alerts_of
from adapters.cli.logins import logins_of, portal_accounts_of, sessions_of
from adapters.cli.timeline import timeline
from composition import Ledger
from tests.given import rows, value
from tests.integration.taking import take
from tests.integration.test_cli import Run, command_line, lines
from tests.integration.test_sign_ins import MEMBER, fails
from tests.unit.notices import encoded
from tests.unit.sign_ins import minutes, of_member, sign_in


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def shown(run: Run, command: str, *options: str) -> str:
    return run(command, MEMBER, *options, COLUMNS="160").stdout.decode()


def tell(run: Run, *messages: Any) -> None:
    run("ingest", "-", stdin=b"\n".join(map(encoded, messages)))
    run("project", "--once")


# --- on which days

EVENING = [
    of_member(sign_in("signed_in", "S-1", "2026-06-02T01:00:00Z")),
    *(sign_in("sign_in_failed", f"F-{at}", f"2026-06-02T02:0{at}:00Z", device_id=None) for at in range(5)),
    sign_in("registered", "R-1", "2026-06-02T03:59:00Z"),
    sign_in("terms_accepted", "T-1", "2026-06-02T04:00:00Z"),
]
"""Of the first of June in New York, all but the last"""
DAYS = ("2026-05-31", "2026-06-01", "2026-06-02")


def test_a_day_is_the_plans_in_whatever_offset_a_portal_tells_its_moments(run: Run) -> None:
    run("init")
    tell(run, *EVENING)

    def by(day: str, command: str, *options: str) -> list[dict[str, Any]]:
        return lines(run(command, MEMBER, "--as-of", day, "--json", *options))

    assert [len(by(day, "logins")) for day in DAYS] == [0, 9, 10]
    assert [len(by(day, "sessions")) for day in DAYS] == [0, 1, 1]
    assert [len(by("9999-12-31", command)) for command in ("logins", "sessions")] == [10, 1]
    assert [[row["terms"] for row in by(day, "portal-accounts")] for day in DAYS] == [[], [None], ["2026-01"]]
    assert [[row["kind"] for row in by(day, "alerts", "--all")] for day in DAYS] == [[], ["locked out"], ["locked out"]]
    assert {row["raised_on"] for row in by(DAYS[2], "alerts", "--all")} == {"2026-06-01"}
    replayed = lines(run("replay", MEMBER, "--json"))
    assert {row["happened_on"] for row in replayed} == {row["day"] for row in by(DAYS[2], "logins")} == {*DAYS[1:]}


def test_an_alert_stands_on_the_plans_days_until_that_of_its_end(ledger: Ledger) -> None:
    late = [sign_in("sign_in_failed", f"F-{at}", f"2026-06-02T03:5{at}:00Z") for at in range(5, 10)]
    take(ledger, *map(of_member, late), sign_in("unlocked", "U-1", "2026-06-02T04:05:00Z"))
    shown = [[row["resolved_on"] for row in alerts_of(ledger, MEMBER, date(2026, 6, day), None)] for day in (1, 2)]
    assert shown == [[None], [date(2026, 6, 2)]]
    [kept] = rows(ledger.database, "SELECT raised_on, resolved_on FROM security_alerts")
    assert kept == {"raised_on": date(2026, 6, 1), "resolved_on": date(2026, 6, 2)}


def test_failures_of_one_evening_are_counted_on_one_day(ledger: Ledger) -> None:
    moments = ("2026-06-02T02:00:00Z", "2026-06-01T22:01:00-04:00", "2026-06-02T04:00:00+00:00")
    take(ledger, *(sign_in("sign_in_failed", f"F-{at}", moment) for at, moment in enumerate(moments)))
    counted = rows(ledger.database, "SELECT day, failures FROM sign_in_failures ORDER BY day")
    assert [(row["day"], row["failures"]) for row in counted] == [(date(2026, 6, 1), 2), (date(2026, 6, 2), 1)]


def test_another_zone_has_other_days_of_the_same_rows(ledger: Ledger) -> None:
    take(ledger, *(sign_in("sign_in_failed", f"F-{at}", f"2026-06-01T22:0{at}:00-04:00") for at in range(5)))
    with ledger.database.session() as cursor:
        cursor.execute("UPDATE calendar SET zone = 'UTC'")
    for view, day in (("login_activity", "day"), ("sign_in_failures", "day"), ("security_alerts", "raised_on")):
        assert rows(ledger.database, f"SELECT DISTINCT {day} AS day FROM {view}") == [{"day": date(2026, 6, 2)}]


# --- how many of them


def test_what_failed_is_counted_over_all_and_not_over_what_is_shown(run: Run) -> None:
    run("init")
    causes = ["wrong_password"] * 3 + ["disabled"] * 27 + ["expired_code"] * 40
    told = [
        of_member(sign_in("sign_in_failed", f"F-{at}", minutes(at).isoformat(), cause=cause))
        for at, cause in enumerate(causes)
    ]
    tell(run, *told)
    counted = "70 failed: expired code 40 (57%), disabled 27 (39%), wrong password 3 (4%)."
    whole = shown(run, "logins", "--limit", "500")
    assert (counted in whole, "more with --limit" in whole) == (True, False)
    cut = shown(run, "logins")
    assert (cut.count("expired code"), cut.count("disabled")) == (40 + 1, 10 + 1)
    for words in ("The latest 50; more with --limit.", f"In all {counted}"):
        assert words in cut
    assert f"In all {counted}" in shown(run, "logins", "--limit", "1")
    before = shown(run, "logins", "--known-at", "1")
    assert "1 failed: wrong password 1 (100%)." in before
    assert len(lines(run("logins", MEMBER, "--json"))) == 70


# --- what became of accounts


def test_accounts_and_sessions_are_shown_on_the_plans_clock(run: Run) -> None:
    run("init")
    tell(run, *EVENING)
    accounts, sessions = shown(run, "portal-accounts"), shown(run, "sessions")
    assert "2026-06-01 23:59" in accounts
    assert "2026-06-01 21:00" in sessions
    assert "Times of America/New_York." in accounts
    assert "Times of America/New_York." in sessions


def test_a_code_is_good_until_its_moment(ledger: Ledger) -> None:
    issued = sign_in("code_issued", "1", minutes(0).isoformat(), expires_at="2026-03-05T02:00:00Z")
    take(ledger, of_member(issued))
    until = datetime(2026, 3, 5, 2, tzinfo=UTC)

    def is_over(day: date | None, now: datetime) -> Any:
        [account] = portal_accounts_of(ledger, MEMBER, day, None, now)
        return account["code_is_over"]

    assert [is_over(None, until - timedelta(seconds=1)), is_over(None, until)] == [False, True]
    by_day = [is_over(date(2026, 3, day), minutes(60 * 24 * 100)) for day in (2, 3, 4)]
    assert by_day == [False, False, True]  # in New York it ends on the evening of the fourth
    take(ledger, sign_in("registered", "2"))
    assert is_over(None, until) is True


def test_an_account_is_shown_with_its_code_and_the_accounts_that_it_has_to_do_with(run: Run) -> None:
    run("init")
    tell(run, of_member(sign_in("code_issued", "1", minutes(0).isoformat(), expires_at=minutes(60).isoformat())))
    assert "code expired 2026-03-02 08:00" in shown(run, "portal-accounts")
    tell(run, sign_in("code_issued", "2", minutes(1).isoformat(), code_id="C-2", expires_at="2026-03-09T17:00:00Z"))
    assert "code until 2026-03-09 13:00" in shown(run, "portal-accounts", "--as-of", "2026-03-02")
    tell(run, sign_in("moved_over", "3"), sign_in("linked", "4"))
    [account] = lines(run("portal-accounts", MEMBER, "--json"))
    table = shown(run, "portal-accounts")
    for words in (f"moved from {account['moved_from'][:8]}", f"linked with {account['linked'][0][:8]}"):
        assert words in table


# --- whose they are

LEGACY = {"portal_id": "old", "user_name": "ada72"}
THERE = of_member(sign_in("registered", "R-0", minutes(0).isoformat())) | LEGACY
MOVED = sign_in("moved_over", "M-1", minutes(1).isoformat())
HERE = [sign_in("signed_in", "S-1", minutes(2).isoformat()), *fails(5, first=3, device_id="D-2")]


def kinds(ledger: Ledger, member: str = MEMBER, known_at: int | None = None) -> list[str]:
    return [row["kind"] for row in reversed(logins_of(ledger, member, None, known_at))]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_account_that_is_moved_over_keeps_its_member(ledger: Ledger, order: tuple[int, ...]) -> None:
    told = [[THERE], [MOVED], HERE]
    take(ledger, *(message for at in order for message in told[at]))
    expected = ["registered", "moved_over", "signed_in", *["sign_in_failed"] * 5, "locked_out"]
    assert kinds(ledger) == expected
    assert [row["kind"] for row in alerts_of(ledger, MEMBER, None, None)] == ["locked out"]
    assert len(sessions_of(ledger, MEMBER, None, None)) == 1
    accounts = portal_accounts_of(ledger, MEMBER, None, None, minutes(0))
    assert {row["portal_id"] for row in accounts} == {"old", "member-portal"}
    assert value(ledger.database, "SELECT count(*) FROM portal_accounts") == 2
    assert sorted(step.what.removeprefix("login: ") for step in timeline(ledger, MEMBER)) == sorted(
        kind.replace("_", " ") for kind in expected
    )
    for name in ("login_activity", "security_alerts"):
        rebuilt = ledger.rebuild(name, limit=2)
        assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)
    assert kinds(ledger) == expected


def test_what_was_known_of_an_account_before_it_was_moved_over_stays_known(ledger: Ledger) -> None:
    for each in (THERE, sign_in("signed_in", "S-1", minutes(2).isoformat()), MOVED):
        take(ledger, each)
    positions = [row["position"] for row in rows(ledger.database, "SELECT position FROM login_activity ORDER BY 1")]
    assert [kinds(ledger, known_at=position) for position in positions] == [
        ["registered"], ["registered"], ["registered", "moved_over", "signed_in"],
    ]  # fmt: skip


def test_whose_an_account_is_said_to_be_holds_against_that_whose_place_it_takes(ledger: Ledger) -> None:
    take(ledger, THERE, MOVED)
    before = value(ledger.database, "SELECT max(position) FROM login_activity")
    take(ledger, of_member(sign_in("terms_accepted", "T-1", minutes(3).isoformat()), "NHP100000002"))
    assert kinds(ledger) == ["registered"]
    assert kinds(ledger, known_at=before) == ["registered", "moved_over"]
    assert kinds(ledger, "NHP100000002") == ["moved_over", "terms_accepted"]


def test_an_account_may_be_moved_over_again_and_back(ledger: Ledger) -> None:
    onward = sign_in(
        "moved_over", "M-2", minutes(2).isoformat(), other_portal_id="member-portal", other_user_name="ada"
    )
    back = sign_in("moved_over", "M-3", minutes(3).isoformat(), other_portal_id="new", other_user_name="a")
    take(ledger, back | LEGACY, onward | {"portal_id": "new", "user_name": "a"}, MOVED, THERE)
    assert kinds(ledger) == ["registered", "moved_over", "moved_over", "moved_over"]
    owners = rows(ledger.database, "SELECT login_id, account_id, count(*) FROM login_members GROUP BY 1, 2")
    assert sorted(row["count"] for row in owners) == [1, 1, 1]


def test_of_an_account_whose_place_nobodys_takes_nothing_is_anybodys(ledger: Ledger) -> None:
    take(ledger, MOVED, *HERE)
    assert kinds(ledger) == []
    assert rows(ledger.database, "SELECT FROM login_members") == []
