"""Coverage over a real ledger: from the bytes of messages to rows and to what the tool shows."""

import random
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.coverage import coverage_of
from adapters.json_message.coverage import translate
from adapters.settings import Settings
from application.commands import IdempotencyConflict, VersionMismatch
from application.mapper import KeyDestroyed
from application.ports import Format, Message, Understood
from application.requests import AccountNumber, said_of
from application.streams import coverage_stream
from composition import Ledger, initialise
from domain.coverage import CoverageNotice
from domain.person import Description
from domain.request import Answer
from tests.given import rows, value
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.coverage import change
from tests.unit.notices import adjudicated, encoded, line, of_number
from tests.unit.plans import plan

MEMBER = "TGV100000001"
DAY = date(2026, 3, 31)
NOW = datetime(2026, 12, 31, tzinfo=UTC)
AT = {
    "enrolled": "2025-11-18T09:00:00-05:00",
    "terminated": "2026-07-05T09:00:00-04:00",
    "reinstated": "2026-07-20T09:00:00-04:00",
}
LIFE = [
    change("enrolled", AT["enrolled"]),
    change("dependant_added"),
    change("terminated", AT["terminated"]),
    change("terminated", "2026-07-06T09:00:00-04:00", "CH-wrong", on="2026-01-31"),
    change("voided", "2026-07-07T09:00:00-04:00", of_change_id="CH-wrong"),
    change("reinstated", AT["reinstated"], effective_from="2026-07-10"),
    change("dependant_removed"),
]  # fmt: skip
GOLD = plan("TGV-GOLD", name="Gold", open_enrolment={"first": "2026-04-01", "last": "2026-04-10"})


def covered(ledger: Ledger, day: date = DAY, known_at: int | None = None) -> dict[str, str]:
    """The plan of each person whom the member's coverage names."""
    return {
        person["name"].partition(" ")[0]: person["plan_id"]
        for each in coverage_of(ledger, MEMBER, day, known_at)
        for person in each["persons"]
    }


# --- from the bytes to the rows


def test_an_enrolment_names_persons_in_their_own_streams(ledger: Ledger) -> None:
    [outcome] = take(ledger, change("enrolled"))
    assert (outcome.events, outcome.duplicates) == (5, 0)
    people = rows(ledger.database, "SELECT given_name, family_name, birth_date, sex FROM people ORDER BY given_name")
    assert [tuple(map(str, row.values())) for row in people] == [
        ("ADA", "ABERNOLT", "1980-01-01", "female"),
        ("BEN", "", "1979-05-05", "unknown"),
    ]
    assert covered(ledger) == {"ADA": "TGV-SILVER", "BEN": "TGV-SILVER"}


def test_who_was_covered_on_a_day(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    silver = "TGV-SILVER"
    assert covered(ledger, date(2025, 12, 31)) == {"ADA": "", "BEN": "", "CY": ""}
    assert covered(ledger, date(2026, 3, 29)) == {"ADA": silver, "BEN": silver, "CY": ""}
    assert covered(ledger, date(2026, 6, 30)) == {"ADA": silver, "BEN": silver, "CY": silver}
    assert covered(ledger, date(2026, 7, 9)) == {"ADA": "", "BEN": "", "CY": ""}
    assert covered(ledger, date(2026, 8, 31)) == {"ADA": silver, "BEN": silver, "CY": silver}
    assert covered(ledger, date(2026, 9, 1)) == {"ADA": silver, "BEN": "", "CY": silver}


def test_any_order_and_any_batches_end_in_the_same_rows(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    asked = (
        "SELECT first_day, last_day, plan_id, why FROM coverage_spans WHERE coverage_id = %s::uuid ORDER BY 1, 2, 3, 4"
    )
    spans = rows(ledger.database, asked, coverage_stream(ledger.ids, "1078830634", MEMBER))
    assert len(spans) > 8
    for seed in range(4):
        other = f"OTHER{seed}"
        messages = [message | {"member_id": other} for message in random.Random(seed).sample(LIFE, len(LIFE))]
        for at in range(0, len(messages), 3):
            take(ledger, *messages[at : at + 4])  # some of them twice
        assert rows(ledger.database, asked, coverage_stream(ledger.ids, "1078830634", other)) == spans
    rebuilt = ledger.rebuild("coverage", limit=5)
    assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)


def test_what_was_known_at_a_position_is_what_was_recorded_by_then(ledger: Ledger) -> None:
    take(ledger, change("enrolled", AT["enrolled"]))
    before = value(ledger.database, "SELECT max(position) FROM coverage_facts")
    take(ledger, change("terminated", AT["terminated"], on="2026-01-31"))
    assert covered(ledger) == {"ADA": "", "BEN": ""}
    assert covered(ledger, known_at=before) == {"ADA": "TGV-SILVER", "BEN": "TGV-SILVER"}
    assert coverage_of(ledger, MEMBER, DAY, before - 1) == []


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    take(ledger, *LIFE)
    again = [dict(reversed(message.items())) for message in LIFE]
    assert [(outcome.events, outcome.duplicates) for outcome in take(ledger, *again)] == [(0, 1)] * len(LIFE)
    assert reasons(take(ledger, change("terminated", on="2026-07-31"))) == ["coverage.conflict"]


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [
        change("ended"),
        change("terminated") | {"schema": 2},
        change("terminated") | {"payer_id": "4111111111111111"},
    ]
    wrong = ["json.wrong_schema", "json.unknown_version", "coverage.account_number"]
    assert reasons(take(ledger, *bad)) == wrong
    assert value(ledger.database, "SELECT count(*) FROM coverage_facts") == 0


# --- paid, and not covered


def test_a_retroactive_termination_shows_what_was_paid_after_it_and_changes_no_claim(ledger: Ledger) -> None:
    take(ledger, change("enrolled", AT["enrolled"]))
    take(ledger, adjudicated())
    claims = rows(ledger.database, "SELECT * FROM claim_status")
    assert rows(ledger.database, "SELECT * FROM uncovered_claims") == []
    assert coverage_of(ledger, MEMBER, DAY, None)[0]["uncovered_claims"] == []
    take(ledger, change("terminated", AT["terminated"], on="2026-01-31"))
    [found] = rows(ledger.database, "SELECT * FROM uncovered_claims")
    assert (str(found["service_from"]), float(found["paid"]), found["why"]) == ("2026-02-02", 80, "terminated")
    assert (str(found["uncovered_from"]), found["uncovered_to"]) == ("2026-02-01", None)
    [shown] = coverage_of(ledger, MEMBER, DAY, None)[0]["uncovered_claims"]
    assert (shown["claim_id"], shown["why"]) == (str(found["claim_id"]), "terminated")
    assert rows(ledger.database, "SELECT * FROM claim_status") == claims


def uncovered(ledger: Ledger, member: str, known_at: int | None = None) -> list[str]:
    """What `coverage MEMBER` lists."""
    found = coverage_of(ledger, member, DAY, known_at)
    return [row["claim_id"] for each in found for row in each["uncovered_claims"]]


@pytest.mark.parametrize("of_claim", [MEMBER, "OLD1"])
def test_what_another_number_of_the_same_person_covers_is_not_uncovered(ledger: Ledger, of_claim: str) -> None:
    """Neither where it is the earlier number nor where it is the later one."""
    others = "OLD1" if of_claim == MEMBER else MEMBER
    for number in (MEMBER, "OLD1"):
        take(ledger, change("enrolled", AT["enrolled"]) | {"member_id": number})
    take(ledger, change("terminated", AT["terminated"], on="2026-01-31") | {"member_id": of_claim})
    take(ledger, of_number(of_claim, "C-1"))
    before = value(ledger.database, "SELECT position FROM head")
    [claim_id] = uncovered(ledger, of_claim)
    asked = "SELECT claim_id::text FROM uncovered_claims"
    assert rows(ledger.database, asked) == [{"claim_id": claim_id}]
    take(ledger, change("linked"))
    linked = value(ledger.database, "SELECT position FROM head")
    assert uncovered(ledger, MEMBER) == uncovered(ledger, "OLD1") == []
    assert rows(ledger.database, asked) == []
    assert uncovered(ledger, of_claim, before) == [claim_id]
    take(ledger, change("terminated", AT["terminated"], on="2026-01-15") | {"member_id": others})
    assert claim_id in uncovered(ledger, of_claim)
    assert rows(ledger.database, asked) == [{"claim_id": claim_id}]
    assert uncovered(ledger, of_claim, linked) == []


def test_a_third_number_covers_too_and_one_that_was_unlinked_does_not(ledger: Ledger) -> None:
    """Two numbers of one earlier number are one person's."""
    for number in (MEMBER, "OTHER"):
        take(ledger, change("enrolled", AT["enrolled"]) | {"member_id": number})
    take(ledger, change("terminated", AT["terminated"], on="2026-01-31"))
    take(ledger, of_number(MEMBER, "C-1"))
    take(ledger, change("linked"), change("linked") | {"member_id": "OTHER"})
    assert uncovered(ledger, MEMBER) == []
    for name in ("people", "coverage", "claim_history"):
        ledger.rebuild(name)
    assert rows(ledger.database, "SELECT * FROM uncovered_claims") == []
    take(ledger, change("unlinked", "2026-05-01T09:00:00-04:00"))
    assert len(uncovered(ledger, MEMBER)) == len(rows(ledger.database, "SELECT * FROM uncovered_claims")) == 1


def test_the_view_has_each_claim_once_by_whichever_number_of_several_it_was_paid(ledger: Ledger) -> None:
    """No coverage names the new number, and the earlier ones know each other through it alone."""
    for number in ("OLD2", "OLD3"):
        take(ledger, change("enrolled", AT["enrolled"], f"CH-{number}") | {"member_id": number})
        ended = change("terminated", AT["terminated"], f"CH-{number}-ended", on="2026-01-31")
        take(ledger, ended | {"member_id": number})
    take(ledger, of_number("N", "C-1"), of_number("OLD1", "C-2"))
    for earlier in ("OLD1", "OLD2", "OLD3"):
        take(ledger, change("linked", change_id=f"CH-to-{earlier}", earlier_member_id=earlier) | {"member_id": "N"})
    listed = uncovered(ledger, "N")
    assert len({*listed}) == 2
    found = rows(ledger.database, "SELECT claim_id::text FROM uncovered_claims ORDER BY claim_id")
    assert [row["claim_id"] for row in found] == sorted({*listed})


def test_it_can_be_told_where_people_is_as_version_0_2_left_it_until_it_is_rebuilt(
    ledger: Ledger, settings: Settings
) -> None:
    with ledger.database.session() as cursor:
        cursor.execute("DROP VIEW same_persons CASCADE")
        cursor.execute("DROP SCHEMA coverage_g1 CASCADE")
        cursor.execute("DELETE FROM projection_position WHERE application_name = 'coverage:1'")
        cursor.execute("DELETE FROM projection_generation WHERE name = 'coverage'")
    initialise(settings).close()
    ledger.rebuild("people")
    take(ledger, change("linked"), change("enrolled"), change("enrolled", change_id="CH-2") | {"member_id": "OLD1"})
    take(ledger, change("terminated", on="2026-01-31"))
    take(ledger, adjudicated())
    assert rows(ledger.database, "SELECT * FROM uncovered_claims") == []
    take(ledger, change("unlinked", "2026-05-01T09:00:00-04:00"))
    assert len(rows(ledger.database, "SELECT * FROM uncovered_claims")) == 1


def test_what_is_paid_without_a_day_of_service_is_not_said_to_be_uncovered(ledger: Ledger) -> None:
    take(ledger, change("enrolled", AT["enrolled"]))
    take(ledger, change("voided", of_change_id="CH-enrolled"))
    take(ledger, adjudicated(line(service_from=None)))
    assert value(ledger.database, "SELECT count(*) FROM claim_status WHERE paid > 0") == 1
    assert covered(ledger) == {"ADA": "", "BEN": ""}
    assert rows(ledger.database, "SELECT * FROM uncovered_claims") == []
    take(ledger, adjudicated(on="2026-03-03"))
    assert value(ledger.database, "SELECT count(*) FROM uncovered_claims") == 1


def test_what_is_paid_under_a_new_number_is_uncovered_where_only_the_earlier_one_was_enrolled(ledger: Ledger) -> None:
    old = {"member_id": "OLD1"}
    take(
        ledger, change("enrolled", AT["enrolled"]) | old, change("terminated", AT["terminated"], on="2026-01-31") | old
    )
    take(ledger, adjudicated())
    take(ledger, change("linked"))
    [found] = rows(ledger.database, "SELECT * FROM uncovered_claims")
    shown = [row for each in coverage_of(ledger, MEMBER, DAY, None) for row in each["uncovered_claims"]]
    assert [(row["claim_id"], row["why"]) for row in shown] == [(str(found["claim_id"]), "terminated")]
    assert found["why"] == "terminated"
    take(ledger, change("reinstated", AT["reinstated"], effective_from="2026-02-01") | old)
    assert rows(ledger.database, "SELECT * FROM uncovered_claims") == []
    assert [each["uncovered_claims"] for each in coverage_of(ledger, MEMBER, DAY, None)] == [[]]


# --- what is personal


def test_birth_dates_are_sealed_and_gone_with_the_persons_key(ledger: Ledger) -> None:
    take(ledger, change("enrolled"))
    person = value(ledger.database, "SELECT person_id::text FROM people WHERE given_name = 'ADA'")
    [_, recorded] = ledger.log.history(person)
    event = ledger.mapper.load(recorded.stored)
    assert isinstance(ledger.mapper.unseal(recorded.stored, event), Description)
    stream = coverage_stream(ledger.ids, "1078830634", MEMBER)
    written = [each.stored.state for history in (person, stream) for each in ledger.log.history(history)]
    for personal in (b"1980-01-01", b'"female"', b'"ADA"', b"CH-enrolled", MEMBER.encode()):
        assert not any(personal in state for state in written)
    ledger.keys.destroy(person)
    assert ledger.mapper.unseal(recorded.stored, event) is None
    assert reasons(take(ledger, change("enrolled", change_id="CH-2"))) == ["person.erased"]


def test_a_claim_and_an_enrolment_in_one_batch_and_after_another_know_the_same_person(ledger: Ledger) -> None:
    enrolled = Message("b/0@1", encoded(change("enrolled")), Format.JSON_COVERAGE)
    both = [Message("a/0@1", encoded(adjudicated()), Format.JSON_CLAIM), enrolled]
    ledger.intake.handle(both)
    take(ledger, adjudicated(on="2026-03-03"))
    take(ledger, change("enrolled", change_id="CH-2"))
    take(ledger, adjudicated(on="2026-03-04"))
    assert reasons(take(ledger, adjudicated(on="2026-03-05"))) == []
    assert value(ledger.database, "SELECT count(*) FROM people WHERE given_name = 'ADA'") == 1
    assert value(ledger.database, "SELECT birth_date::text FROM people WHERE given_name = 'ADA'") == "1980-01-01"


def born(day: str, at: str, sex: str = "female") -> Any:
    """An enrolment of ADA that tells another birth date."""
    ada = change("enrolled")["said"]["subscriber"] | {"birth_date": day, "sex": sex}
    return change("enrolled", f"{at}T09:00:00-04:00", f"CH-{day}-{at}", subscriber=ada, dependants=[])


def test_the_birth_date_that_was_said_last_holds_in_whatever_order_and_batches_it_arrives(ledger: Ledger) -> None:
    told = [
        born("1980-01-01", "2026-04-01"),
        born("1980-01-02", "2026-04-02"),
        born("1980-01-01", "2026-04-03"),
        born("1990-01-01", "2026-04-04", "male"),
        born("1970-01-01", "2026-04-04"),  # of one moment: one of the two, and always the same
    ]
    for number, order in enumerate(permutations(told)):
        messages = [message | {"member_id": f"M{number}"} for message in order]
        cut = number % (len(messages) + 1)
        for batch in (messages[:cut], messages[cut:]):
            if batch:
                ledger.intake.handle([Message("b/0@1", encoded(each), Format.JSON_COVERAGE) for each in batch])
        if number % 40 == 7:
            ledger.runner.catch_up()
    ledger.runner.catch_up()
    asked = "SELECT member_id, birth_date::text, sex FROM people ORDER BY member_id"
    found = rows(ledger.database, asked)
    told_last = {(row["birth_date"], row["sex"]) for row in found}
    assert len(found) == 120
    assert told_last in ({("1990-01-01", "male")}, {("1970-01-01", "female")})
    rebuilt = ledger.rebuild("people", limit=7)
    assert (rebuilt.only_in_old, rebuilt.only_in_new, rows(ledger.database, asked)) == (0, 0, found)


# --- plan changes


def test_a_request_waits_for_its_enrolment_and_is_decided_by_its_own_moment(ledger: Ledger) -> None:
    take(ledger, GOLD)
    [outcome] = take(ledger, change("plan_change_requested"))
    assert reasons([outcome]) == ["coverage.unknown"]
    take(ledger, change("enrolled", AT["enrolled"]))
    assert ledger.intake.retry(outcome.parked[0].parked_id)
    ledger.runner.catch_up()
    [row] = rows(ledger.database, "SELECT * FROM plan_changes")
    assert (row["standing"], str(row["confirm_by"])) == ("requested", "2026-05-01")


def test_a_request_waits_for_its_plan_and_is_decided_on_a_retry(ledger: Ledger) -> None:
    take(ledger, change("enrolled", AT["enrolled"]))
    [outcome] = take(ledger, change("plan_change_requested"))
    assert reasons([outcome]) == ["coverage.plan_unknown"]
    take(ledger, GOLD)
    assert ledger.intake.retry(outcome.parked[0].parked_id)
    take(ledger, change("plan_change_confirmed"))
    [row] = rows(ledger.database, "SELECT * FROM plan_changes")
    assert (row["plan_id"], row["life_event"], row["standing"], row["reason"]) == ("TGV-GOLD", "birth", "confirmed", "")
    assert covered(ledger, date(2026, 4, 30))["ADA"] == "TGV-SILVER"
    assert covered(ledger, date(2026, 5, 1))["ADA"] == "TGV-GOLD"


def test_a_request_stands_on_a_day_by_what_was_said_of_it_until_then(ledger: Ledger) -> None:
    take(ledger, GOLD)
    take(ledger, change("enrolled", AT["enrolled"]), change("plan_change_requested"))
    take(ledger, change("plan_change_confirmed", "2026-04-12T09:00:00-04:00"))
    told = {
        day: [
            each["standing"] for each in coverage_of(ledger, MEMBER, date.fromisoformat(day), None)[0]["plan_changes"]
        ]
        for day in ("2026-04-09", "2026-04-10", "2026-04-12", "2026-05-01")
    }
    assert list(told.values()) == [[], ["requested"], ["confirmed"], ["effective"]]


def test_a_refused_request_says_why(ledger: Ledger) -> None:
    take(ledger, GOLD)
    take(ledger, change("enrolled", AT["enrolled"]))
    late = change("plan_change_requested", "2026-04-11T00:01:00-04:00", life_event=None)
    [outcome] = take(ledger, late)
    assert (outcome.events, reasons([outcome])) == (2, [])
    assert [(o.events, o.duplicates) for o in take(ledger, late)] == [(0, 1)]
    take(ledger, change("plan_change_confirmed"))
    [row] = rows(ledger.database, "SELECT * FROM plan_changes")
    assert (row["standing"], row["reason"]) == ("refused", "outside_window")
    assert covered(ledger, date(2026, 5, 1))["ADA"] == "TGV-SILVER"


@pytest.mark.timeout(60)
def test_many_refused_requests_of_one_member_hold_nothing_up(ledger: Ledger) -> None:
    """The server ends a transaction that has rested for some seconds, and with it the fold of every projection."""
    take(ledger, GOLD, change("enrolled", AT["enrolled"]))
    days = [date(2026, 1, 1) + timedelta(days) for days in range(360)]
    asked = [
        change("plan_change_requested", "2026-04-11T09:00:00-04:00", f"R-{day}", effective_on=str(day), life_event=None)
        for day in days
    ]
    assert sum(outcome.events for outcome in take(ledger, *asked)) == 2 * len(days)
    assert value(ledger.database, "SELECT count(*) FROM plan_changes WHERE standing = 'refused'") == len(days)
    assert {covered(ledger, day)["ADA"] for day in (days[0], days[-1])} == {"TGV-SILVER"}


# --- the tool


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_a_members_coverage_is_shown(run: Run) -> None:
    run("init")
    written = b"\n".join(map(encoded, [*LIFE[:3], change("plan_change_requested", "2026-04-11T04:01:00Z")]))
    run("ingest", "-", "--json", stdin=encoded(GOLD))
    (answer,) = lines(run("ingest", "-", "--json", stdin=written))
    assert (answer["format"], answer["parked"]) == ("json-coverage-lines", [])
    run("ingest", "-", stdin=encoded(adjudicated()))
    run("project", "--once")
    [found] = lines(run("coverage", MEMBER.lower(), "--as-of", "2026-07-01", "--json"))
    [ada] = [each for each in found["persons"] if each["name"] == "ADA ABERNOLT"]
    assert (ada["covered"], ada["birth_date"], [line["why"] for line in ada["because"]]) == (
        False,
        "1980-01-01",
        ["enrolled", "terminated"],
    )
    shown = run("coverage", MEMBER, "--as-of", "2026-07-01").stdout.decode()
    asked = "2026-04-11 00:01:00 EDT"  # also where a sender writes another offset: by the plan's zone it is decided
    for words in ("terminated after 2026-06-30 (premium)", "enrolled from 2026-01-01 on", "TGV-GOLD", "birth", asked):
        assert words in shown
    assert lines(run("coverage", MEMBER, "--known-at", "0", "--json")) == []
    assert "No coverage" in run("coverage", "NOBODY").stdout.decode()


# --- as a member's portal asks for it


def asked(ledger: Ledger, key: str, message: Any, expected_version: int | None = None) -> Answer | StrEnum:
    [said] = (understood.said for understood in translate(encoded(message)) if isinstance(understood, Understood))
    assert isinstance(said, CoverageNotice)
    return ledger.execute(said_of(ledger.ids, key, said, ledger.lockout, NOW, expected_version))


def test_a_change_of_plans_is_asked_for_once_for_a_key(ledger: Ledger) -> None:
    request = change("plan_change_requested")
    assert asked(ledger, "k1", request) == "coverage.plan_unknown"
    take(ledger, GOLD)
    assert asked(ledger, "k1", request) == "coverage.unknown"
    take(ledger, change("enrolled", AT["enrolled"]))
    stream = coverage_stream(ledger.ids, "1078830634", MEMBER)
    first = asked(ledger, "k1", request, expected_version=1)
    assert first == Answer(stream, 2, 1)
    take(ledger, change("dependant_added"))
    assert asked(ledger, "k1", request, expected_version=1) == first
    with pytest.raises(IdempotencyConflict):
        asked(ledger, "k1", request | {"change_id": "CH-other"})
    with pytest.raises(VersionMismatch):
        asked(ledger, "k2", change("plan_change_confirmed"), expected_version=2)
    assert asked(ledger, "k2", change("plan_change_confirmed"), expected_version=3) == Answer(stream, 4, 1)
    ledger.runner.catch_up()
    assert value(ledger.database, "SELECT standing FROM plan_changes") == "confirmed"


def test_what_is_not_granted_is_an_answer_too(ledger: Ledger) -> None:
    take(ledger, GOLD)
    take(ledger, change("enrolled", AT["enrolled"]))
    late = change("plan_change_requested", "2026-08-01T09:00:00-04:00")
    answer = asked(ledger, "k1", late)
    assert isinstance(answer, Answer)
    assert answer.events == 2
    ledger.runner.catch_up()
    assert value(ledger.database, "SELECT reason FROM plan_changes") == "outside_window"


def test_an_enrolment_by_command_tells_of_persons_too_and_not_of_those_whose_key_is_gone(ledger: Ledger) -> None:
    answer = asked(ledger, "k1", change("enrolled"))
    assert isinstance(answer, Answer)
    assert answer.events == 5
    ledger.runner.catch_up()
    assert covered(ledger) == {"ADA": "TGV-SILVER", "BEN": "TGV-SILVER"}
    ledger.keys.destroy(value(ledger.database, "SELECT person_id::text FROM people WHERE given_name = 'ADA'"))
    other = change("enrolled", "2026-05-02T09:00:00-04:00", "CH-2")  # later: of one moment a hash decides
    other["said"]["subscriber"] = other["said"]["subscriber"] | {"birth_date": "1981-01-01"}
    with pytest.raises(KeyDestroyed):
        asked(ledger, "k2", other)


def test_a_key_that_looks_like_a_card_is_refused(ledger: Ledger) -> None:
    with pytest.raises(AccountNumber):
        asked(ledger, "4111 1111 1111 1111", change("enrolled"))
