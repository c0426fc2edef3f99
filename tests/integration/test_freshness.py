"""How soon claims are to be seen, by days that are business days and by the plan's own midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from adapters.postgres import calendar
from adapters.postgres.calendar import create_calendar, federal_holidays
from adapters.postgres.freshness import freshness
from adapters.settings import Settings
from application.ports import Format, Message
from composition import Ledger, initialise
from tests.given import message, paid, remittance, rows, value
from tests.unit.notices import encoded, report

TODAY = datetime.now(UTC).date()


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def claim(ledger: Ledger, **said: Any) -> str:
    """A current row of claim_history that says so, and nothing else that matters; its claim's id."""
    row = {
        "claim_id": str(uuid4()),
        "position": 1,
        "recorded_at": utc(2026, 3, 3),
        "person_id": str(uuid4()),
        "payer_id": "P",
        "said": "adjudicated",
        "day": date(2026, 3, 2),
        "events": 1,
        "visible_at": utc(2026, 3, 3, 15),
        "status": "paid",
        **dict.fromkeys(("source", "status_code", "detail", "forwarded_to", "awaits", "claim_type"), ""),
        **dict.fromkeys(("facility_code", "appeal", "folded"), ""),
        **dict.fromkeys(("said_paid_cents", "said_member_cents", "payer_sequence", "charge_cents"), 0),
        **dict.fromkeys(("paid_cents", "member_cents", "cash_cents", "appeal_level"), 0),
    } | said
    columns, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    with ledger.database.session() as cursor:
        cursor.execute(f"INSERT INTO claim_history_g1.claim_history ({columns}) VALUES ({places})", row)
    return str(row["claim_id"])


def fresh(ledger: Ledger, **said: Any) -> dict[str, Any]:
    [row] = rows(ledger.database, "SELECT * FROM claim_freshness WHERE claim_id = %s", claim(ledger, **said))
    return row


# --- the calendar


def days(ledger: Ledger, *between: date) -> dict[str, bool]:
    found = rows(ledger.database, "SELECT day, is_business FROM business_day WHERE day BETWEEN %s AND %s", *between)
    return {str(row["day"]): row["is_business"] for row in found}


def test_business_days_are_those_of_the_federal_government(ledger: Ledger) -> None:
    closed = {day for day, is_business in days(ledger, date(2026, 1, 1), date(2026, 12, 31)).items() if not is_business}
    weekdays = {day for day in closed if date.fromisoformat(day).isoweekday() < 6}
    assert weekdays == {
        "2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-10-12",
        "2026-11-11", "2026-11-26", "2026-12-25",
    }  # fmt: skip
    assert len(closed - weekdays) == 104
    assert days(ledger, date(2021, 12, 30), date(2022, 1, 3)) == {
        "2021-12-30": True, "2021-12-31": False, "2022-01-01": False, "2022-01-02": False, "2022-01-03": True,
    }  # fmt: skip
    assert days(ledger, date(2020, 6, 19), date(2020, 6, 19)) == {"2020-06-19": True}  # before it was made one


def test_the_calendar_counts_business_days_from_2015_to_2045(ledger: Ledger) -> None:
    found = rows(ledger.database, "SELECT * FROM business_day ORDER BY day")
    assert (found[0]["day"], found[-1]["day"], len(found)) == (date(2015, 1, 1), date(2045, 12, 31), 11_323)
    ordinal = 0
    for row in found:
        ordinal += row["is_business"]
        assert row["ordinal"] == ordinal


def test_a_newer_list_of_holidays_renews_the_calendar(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    before = value(ledger.database, "SELECT ordinal FROM business_day WHERE day = '2045-12-29'")
    monkeypatch.setattr(calendar, "version", lambda _: "1.0")
    monkeypatch.setattr(calendar, "federal_holidays", lambda: (*federal_holidays(), date(2030, 4, 2)))
    create_calendar(ledger.database, "America/Chicago")
    assert days(ledger, date(2030, 4, 1), date(2030, 4, 2)) == {"2030-04-01": True, "2030-04-02": False}
    assert value(ledger.database, "SELECT ordinal FROM business_day WHERE day = '2045-12-29'") == before - 1
    assert rows(ledger.database, "SELECT zone, holidays_by FROM calendar") == [
        {"zone": "America/Chicago", "holidays_by": "holidays 1.0"}
    ]


# --- from service to visible


@pytest.mark.parametrize(
    ("after_days", "visibility", "alarm"),
    [
        (-1, "early", None),
        (6, "early", None),
        (7, "in_window", None),
        (14, "in_window", None),
        (15, "late", None),
        (21, "late", None),
        (22, "late", "seen_late"),
    ],
)
def test_a_claim_shows_7_to_14_days_after_the_service(
    ledger: Ledger, after_days: int, visibility: str, alarm: str | None
) -> None:
    served = date(2026, 3, 3) - timedelta(after_days)
    row = fresh(ledger, service_from=served, processed_on=served, processed_visible_at=utc(2026, 3, 3, 15))
    assert (row["days_to_visible"], row["visibility"], row["alarm"]) == (after_days, visibility, alarm)
    assert row["alarm_days"] == (after_days if alarm else None)


def test_a_claim_without_a_day_of_service_is_never_fresh(ledger: Ledger) -> None:
    row = fresh(ledger, service_from=None, status="pended")
    assert (row["visibility"], row["days_to_visible"], row["alarm"]) == ("undated", None, None)


@pytest.mark.parametrize(
    ("status", "after_days", "alarm"),
    [
        ("pended", 21, None),
        ("pended", 22, "not_processed"),
        (None, 22, "not_processed"),
        ("rejected", 22, None),
        ("voided", 22, None),
    ],
)
def test_a_claim_that_is_not_processed_gives_alarm_after_21_days(
    ledger: Ledger, status: str | None, after_days: int, alarm: str | None
) -> None:
    create_calendar(ledger.database, "UTC")
    served = datetime.now(UTC).date() - timedelta(after_days)
    row = fresh(ledger, service_from=served, visible_at=datetime.now(UTC) - timedelta(10), status=status)
    assert (row["alarm"], row["alarm_days"], row["one_business_day"]) == (
        alarm,
        after_days if alarm else None,
        "not_processed",
    )


def test_one_that_was_processed_after_21_days_stays_on_record(ledger: Ledger) -> None:
    seen = {"visible_at": utc(2026, 3, 3, 15), "processed_visible_at": utc(2026, 4, 1, 15)}
    row = fresh(ledger, service_from=date(2026, 3, 1), processed_on=date(2026, 3, 23), **seen)
    assert (row["alarm"], row["alarm_days"]) == ("processed_late", 22)


# --- from processed to visible


@pytest.mark.parametrize(
    ("processed", "visible", "business_days", "rule", "due"),
    [
        (date(2026, 3, 3), date(2026, 3, 3), 0, "kept", date(2026, 3, 4)),  # Tuesday
        (date(2026, 3, 3), date(2026, 3, 4), 1, "kept", date(2026, 3, 4)),
        (date(2026, 3, 3), date(2026, 3, 5), 2, "broken", date(2026, 3, 4)),
        (date(2026, 3, 5), date(2026, 3, 7), 2, "broken", date(2026, 3, 6)),  # Thursday: Saturday is too late
        (date(2026, 3, 6), date(2026, 3, 7), 1, "kept", date(2026, 3, 9)),  # Friday
        (date(2026, 3, 6), date(2026, 3, 9), 1, "kept", date(2026, 3, 9)),
        (date(2026, 3, 6), date(2026, 3, 10), 2, "broken", date(2026, 3, 9)),
        (date(2026, 3, 7), date(2026, 3, 9), 1, "kept", date(2026, 3, 9)),  # Saturday
        (date(2026, 3, 7), date(2026, 3, 10), 2, "broken", date(2026, 3, 9)),
        (date(2026, 7, 2), date(2026, 7, 6), 1, "kept", date(2026, 7, 6)),  # the 4th is kept on Friday the 3rd
        (date(2026, 7, 2), date(2026, 7, 7), 2, "broken", date(2026, 7, 6)),
        (date(2026, 3, 9), date(2026, 3, 6), -1, "kept", date(2026, 3, 10)),  # announced before its day
        (date(2014, 12, 31), date(2026, 3, 6), None, "unknown", None),
    ],
)
def test_a_processed_claim_shows_within_one_business_day(
    ledger: Ledger, processed: date, visible: date, business_days: int | None, rule: str, due: date | None
) -> None:
    at = utc(visible.year, visible.month, visible.day, 17)
    row = fresh(ledger, processed_on=processed, processed_visible_at=at)
    assert (row["business_days_to_visible"], row["one_business_day"], row["due_visible_on"]) == (
        business_days,
        rule,
        due,
    )
    assert rule == "unknown" or (rule == "kept") == (visible <= row["due_visible_on"])


def test_an_eob_comes_5_to_14_business_days_after_processing(ledger: Ledger) -> None:
    row = fresh(ledger, processed_on=date(2026, 6, 30), processed_visible_at=utc(2026, 7, 1))
    assert (row["eob_from"], row["eob_until"]) == (date(2026, 7, 8), date(2026, 7, 21))  # 3 July is a holiday


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (utc(2026, 3, 8, 4, 59), "America/New_York", date(2026, 3, 7)),  # the clock is set forward at 2 on the 8th
        (utc(2026, 3, 8, 5, 0), "America/New_York", date(2026, 3, 8)),
        (utc(2026, 3, 9, 3, 59), "America/New_York", date(2026, 3, 8)),
        (utc(2026, 3, 9, 4, 0), "America/New_York", date(2026, 3, 9)),
        (utc(2026, 11, 1, 3, 59), "America/New_York", date(2026, 10, 31)),  # and back on the 1st
        (utc(2026, 11, 1, 4, 0), "America/New_York", date(2026, 11, 1)),
        (utc(2026, 11, 2, 4, 59), "America/New_York", date(2026, 11, 1)),
        (utc(2026, 11, 2, 5, 0), "America/New_York", date(2026, 11, 2)),
        (utc(2026, 3, 9, 4, 0), "America/Chicago", date(2026, 3, 8)),
        (utc(2026, 3, 9, 4, 0), "Pacific/Honolulu", date(2026, 3, 8)),
    ],
)
def test_a_moments_day_is_that_of_the_plans_zone(ledger: Ledger, moment: datetime, zone: str, day: date) -> None:
    create_calendar(ledger.database, zone)
    row = fresh(ledger, visible_at=moment, processed_on=day, processed_visible_at=moment)
    assert (row["visible_on"], row["processed_visible_on"]) == (day, day)


def test_init_takes_the_zone_over(ledger: Ledger, settings: Settings) -> None:
    assert value(ledger.database, "SELECT zone FROM calendar") == "America/New_York"
    initialise(settings.model_copy(update={"zone": "America/Denver"})).close()
    assert value(ledger.database, "SELECT zone FROM calendar") == "America/Denver"


@pytest.mark.parametrize("zone", ["Nowhere/Else", "America", "../etc/passwd", "/etc/localtime", "x\0y"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="not the IANA name of a time zone"):
        Settings(zone=zone)


# --- in figures


def test_figures_count_every_claim_once_under_each_rule(ledger: Ledger) -> None:
    on, at = date(2026, 3, 3), utc(2026, 3, 3, 15)
    for payer, served, visible_days in [
        ("P", on - timedelta(10), 0),
        ("P", on - timedelta(14), 1),
        ("P", on - timedelta(20), 5),
        ("Q", on - timedelta(40), 0),
        ("Q", None, 0),
    ]:
        visible = {"visible_at": at, "processed_on": on, "processed_visible_at": at + timedelta(visible_days)}
        claim(ledger, payer_id=payer, service_from=served, **visible)
    served, seen = TODAY - timedelta(30), TODAY - timedelta(25)
    seen_at = utc(seen.year, seen.month, seen.day, 17)
    waits = claim(ledger, payer_id="Q", service_from=served, visible_at=seen_at, status="pended")
    told = freshness(ledger.database)
    overall, [p, q] = told["overall"], told["payers"]
    assert (told["zone"], overall["claims"], p["claims"], q["claims"]) == ("America/New_York", 6, 3, 3)
    assert counts(overall["visibility"]) == {"early": 1, "in_window": 2, "late": 2, "undated": 1}
    assert counts(p["visibility"]) == {"early": 0, "in_window": 2, "late": 1, "undated": 0}
    assert q["visibility"]["undated"]["share"] == 0.3333
    assert overall["days_to_visible"] == {"p50": 14, "p95": 40}
    assert q["days_to_visible"] == {"p50": 5, "p95": 40}
    assert (overall["alarms"], counts(q["alarm"])) == (2, {"not_processed": 1, "seen_late": 1, "processed_late": 0})
    assert counts(overall["one_business_day"]) == {"kept": 4, "broken": 1, "unknown": 0}
    assert overall["one_business_day"]["kept"]["share"] == 0.8
    assert p["business_days_to_visible"] == {"p50": 1, "p95": 4}
    assert [row["alarm"] for row in told["latest"]] == ["not_processed", "seen_late"]  # though the second took longer
    assert told["latest"][0]["claim_id"] == waits


def counts(shares: dict[str, Any]) -> dict[str, int]:
    return {word: told["claims"] for word, told in shares.items()}


def test_an_empty_ledger_has_figures_too(ledger: Ledger) -> None:
    told = freshness(ledger.database)
    assert (told["overall"]["claims"], told["payers"], told["latest"]) == (0, [], [])
    assert told["overall"]["days_to_visible"] == {"p50": None, "p95": None}
    assert told["overall"]["visibility"]["early"] == {"claims": 0, "share": None}


def test_claims_become_visible_when_they_are_first_heard_of(ledger: Ledger) -> None:
    served = str(TODAY - timedelta(3))
    ledger.intake.handle([Message("t", encoded(report("received", service_from=served)), Format.JSON_CLAIM)])
    ledger.intake.handle([message(replace(remittance(1, paid("1")), paid_on=TODAY))])
    ledger.runner.catch_up()
    found = rows(ledger.database, "SELECT * FROM claim_freshness ORDER BY visible_at")
    assert [row["visible_at"] for row in found] == [
        row["recorded_at"] for row in rows(ledger.database, "SELECT recorded_at FROM claim_history ORDER BY position")
    ]
    assert [row["one_business_day"] for row in found] == ["not_processed", "kept"]
