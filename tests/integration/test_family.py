"""Families over a real ledger: from the bytes of messages to who may see what."""

import random
from datetime import date
from pathlib import Path

import pytest

from adapters.cli.timeline import timeline
from composition import Ledger
from domain.consent import ConsentGranted, Numbers
from tests.given import rows, value
from tests.integration.families import CLAIMS, DAY, LINKS, ids_of, person, sees, shown
from tests.integration.taking import reasons, take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.families import MEMBER, claim, said
from tests.unit.notices import encoded

FACTS = [
    said("family_linked", "2026-01-02"),
    said("family_linked", "2026-01-03", subject="CY", viewer={"given_name": "ADA"}, relationship="parent"),
    said("consent_granted", "2026-02-01", until="2026-12-31"),
    said("consent_limited", "2026-03-01", areas=["claims", "money"]),
    said("confidential_communications_requested", "2026-04-01"),
    said("confidential_communications_withdrawn", "2026-05-01"),
    said("consent_revoked", "2026-07-01"),
]


# --- from the bytes to the rows


def test_what_is_said_becomes_events_and_rows(ledger: Ledger) -> None:
    take(ledger, said("enrolled"))
    outcomes = take(ledger, *FACTS)
    assert [(outcome.events, outcome.duplicates, outcome.parked) for outcome in outcomes] == [(1, 0, [])] * len(FACTS)
    facts = rows(ledger.database, "SELECT kind, day::text, person_id::text FROM consent_facts ORDER BY position")
    assert [row["kind"] for row in facts] == [message["said"]["kind"] for message in FACTS]
    assert [row["person_id"] for row in facts] == [person(ledger, message["said"]["subject"]) for message in FACTS]
    assert [row["day"] for row in facts] == [message["at"][:10] for message in FACTS]


def test_who_saw_what_on_a_day(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), *FACTS)
    for day, rule in [
        (date(2026, 1, 31), "no_consent"),
        (date(2026, 2, 1), "consent"),
        (date(2026, 3, 31), "consent"),
        (date(2026, 4, 1), "confidential"),
        (date(2026, 5, 1), "consent"),
        (date(2026, 7, 1), "revoked"),
    ]:
        assert sees(ledger, "BEN", "ADA", day)["claims"] == rule, day
    assert sees(ledger, "BEN", "ADA", date(2026, 2, 28))["care"] == "consent"
    assert sees(ledger, "BEN", "ADA", date(2026, 3, 1))["care"] == "limited"
    assert sees(ledger, "ADA", "BEN", DAY)["claims"] == "no_consent"
    assert sees(ledger, "ADA", "CY", date(2026, 6, 14))["claims"] == "parent_of_minor"
    assert sees(ledger, "ADA", "CY", date(2026, 6, 15))["claims"] == "no_consent"


def test_days_are_those_of_the_plans_time_zone_whatever_offset_a_sender_writes(ledger: Ledger) -> None:
    revoked = said("consent_revoked") | {"at": "2026-04-01T01:00:00Z"}  # the evening of 31 March
    take(ledger, said("enrolled"), said("family_linked"), said("consent_granted"), revoked)
    assert sees(ledger, "BEN", "ADA", date(2026, 3, 30))["claims"] == "consent"
    assert sees(ledger, "BEN", "ADA", date(2026, 3, 31))["claims"] == "revoked"


def test_by_an_earlier_day_nobody_sees_what_was_served_since(ledger: Ledger) -> None:
    parent = said("family_linked", subject="CY", viewer={"given_name": "ADA"}, relationship="parent")
    take(ledger, said("enrolled"), parent, claim("1", "CY", day="2026-06-20"))
    assert shown(ledger, "ADA", date(2026, 6, 14)) == []
    assert shown(ledger, "CY", date(2026, 6, 20)) == ids_of(ledger, "CY")


def test_what_was_known_at_a_position_is_what_was_recorded_by_then(ledger: Ledger) -> None:
    take(ledger, said("enrolled"))
    for message in FACTS:
        take(ledger, message)
    positions = [row["position"] for row in rows(ledger.database, "SELECT position FROM consent_facts ORDER BY 1")]
    then = [sees(ledger, "BEN", "ADA", date(2026, 7, 1), position)["care"] for position in positions]
    assert then == ["no_consent", "no_consent", "consent", "limited", "confidential", "limited", "revoked"]


def test_any_order_and_any_batches_end_in_the_same(ledger: Ledger) -> None:
    shuffled = random.Random(7).sample(FACTS, len(FACTS))
    take(ledger, *shuffled[:3])
    take(ledger, said("enrolled"), *shuffled[2:], *shuffled)
    assert sees(ledger, "BEN", "ADA", date(2026, 6, 30)) == {
        "claims": "consent", "money": "consent", "coverage": "limited", "care": "limited",
    }  # fmt: skip
    rebuilt = ledger.rebuild("family", limit=2)
    assert (rebuilt.only_in_old, rebuilt.only_in_new) == (0, 0)


def test_a_grant_begins_with_its_day_on_the_plans_clock_whatever_offset_a_sender_writes(ledger: Ledger) -> None:
    evening = said("consent_granted", until="2026-03-02") | {"at": "2026-03-03T01:00:00Z"}
    assert reasons(take(ledger, said("enrolled"), said("family_linked", "2026-01-02"), evening)) == []
    days = [sees(ledger, "BEN", "ADA", date(2026, 3, day))["claims"] for day in (1, 2, 3)]
    assert days == ["no_consent", "consent", "not_in_its_days"]


# --- the same again, and otherwise


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    take(ledger, *FACTS)
    assert [(outcome.events, outcome.duplicates) for outcome in take(ledger, *FACTS)] == [(0, 1)] * len(FACTS)
    otherwise = said("consent_granted", "2026-02-01", until="2027-12-31")
    assert reasons(take(ledger, otherwise)) == ["consent.conflict"]
    [item] = ledger.log.parked_items()
    assert ledger.intake.raw(item.raw_id) == encoded(otherwise)


def test_a_name_in_other_letters_is_the_same_person(ledger: Ledger) -> None:
    take(ledger, FACTS[0])
    [outcome] = take(
        ledger, FACTS[0] | {"said": FACTS[0]["said"] | {"subject": "Ada", "viewer": {"given_name": "ben"}}}
    )
    assert (outcome.duplicates, outcome.parked) == (1, [])


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [
        said("consent_granted", by="plan"),
        said("consent_granted", areas=[]),
        said("consent_granted", areas=["claims", "claims"]),
        said("consent_granted", areas=["everything"]),
        said("consent_granted", first_on="2026-03-02", until="2026-03-01"),
        said("consent_granted", until="9999-12-31"),
        said("consent_revoked", viewer={"given_name": "ada"}),
        said("family_linked", relationship="cousin"),
        said("consent_revoked") | {"schema": 2},
        said("consent_revoked", viewer={"given_name": "4111111111111111"}),
    ]
    wrong = ["json.wrong_schema"] * 8 + ["json.unknown_version", "coverage.account_number"]
    assert reasons(take(ledger, *bad)) == wrong
    assert value(ledger.database, "SELECT count(*) FROM consent_facts") == 0


def test_the_payers_number_is_sealed_under_the_subjects_key(ledger: Ledger) -> None:
    take(ledger, said("consent_granted", change_id="THEIRS-17"))
    stream = value(ledger.database, "SELECT consent_id::text FROM consent_facts")
    [recorded] = ledger.log.history(stream)
    event = ledger.mapper.load(recorded.stored)
    assert isinstance(event, ConsentGranted)
    assert ledger.mapper.unseal(recorded.stored, event) == Numbers("THEIRS-17")
    for text in (b"THEIRS-17", b'"ADA"', b'"BEN"', MEMBER.encode()):
        assert text not in recorded.stored.state
    ledger.keys.destroy(person(ledger, "ADA"))
    assert ledger.mapper.unseal(recorded.stored, event) is None
    assert reasons(take(ledger, said("consent_revoked"))) == ["person.erased"]


# --- on the line of time


def test_what_was_said_stands_on_the_line_of_time_of_both(ledger: Ledger) -> None:
    elsewhere = said("consent_granted", "2026-01-05", viewer={"given_name": "EVE", "member_id": "TGV999999999"})
    take(ledger, said("enrolled"), elsewhere, said("confidential_communications_requested"))
    assert [step.what for step in timeline(ledger, MEMBER) if step.topic.startswith("con")] == [
        "consent: granted",
        "confidentiality: requested",
    ]
    take(ledger, claim("9", "EVE") | {"patient": {"member_id": "TGV999999999", "given_name": "EVE"}})
    assert "consent: granted" in [step.what for step in timeline(ledger, "TGV999999999")]


# --- the tool


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_a_family_is_shown(run: Run) -> None:
    run("init")
    messages = [said("enrolled"), *LINKS, said("consent_granted", "2026-05-01", areas=["claims"], until="2026-12-31")]
    (answer,) = lines(run("ingest", "-", "--json", stdin=b"\n".join(map(encoded, messages))))
    assert (answer["format"], answer["parked"]) == ("json-coverage-lines", [])
    (answer,) = lines(run("ingest", "-", "--json", stdin=b"\n".join(map(encoded, CLAIMS))))
    assert answer["parked"] == []
    run("project", "--once")

    pairs = lines(run("family", MEMBER.lower(), "--as-of", "2026-06-01", "--json"))
    assert len(pairs) == 6
    [pair] = [each for each in pairs if each["relationship"] == "spouse"]
    assert (pair["viewer"], pair["subject"]) == ("BEN ABERNOLT", "ADA ABERNOLT")
    assert pair["sees"]["claims"] == {
        "allowed": True, "rule": "consent", "because": "they allowed it", "until": "2026-12-31",
    }  # fmt: skip
    assert (pair["sees"]["money"]["allowed"], pair["sees"]["money"]["rule"]) == (False, "limited")
    before = lines(run("family", MEMBER, "--as-of", "2026-06-01", "--known-at", "0", "--json"))
    assert {verdict["allowed"] for each in before for verdict in each["sees"].values()} == {False}
    table = run("family", MEMBER, "--as-of", "2026-06-01").stdout.decode()
    for words in (
        "spouse",
        "parent",
        "2026-06-14",
        "2026-12-31",
        "they allowed it",
        "Nothing was said of 4 other pairs",
    ):
        assert words in table
    assert "they did not allow it" not in table
    assert "Nobody else" in run("family", "NOBODY").stdout.decode()

    seen = ("--seen-by", f"{MEMBER}/Ben", "--as-of", "2026-06-01")
    history = lines(run("history", MEMBER, *seen, "--json"))
    assert [each["patient"].split()[0] for each in history].count("ADA") == 1
    table = run("history", MEMBER, *seen, "--type", "professional").stdout.decode()
    assert "2 claims" in table
    assert "160.00" in table
    everything = lines(run("claims", "--member", MEMBER, "--json"))
    assert len(everything) == len(CLAIMS)
    hidden = {each["claim_id"] for each in everything} - {each["claim_id"] for each in history}
    answer_bytes = run("claims", "--member", MEMBER, "--seen-by", f"{MEMBER}/BEN", "--json").stdout
    assert not any(each[:8].encode() in answer_bytes for each in hidden)
    assert len(lines(run("claims", "--member", MEMBER, "--seen-by", f"{MEMBER}/ADA", "--limit", "1", "--json"))) == 1
    (answer,) = lines(run("ingest", "-", "--json", stdin=encoded(said("consent_revoked", "2026-05-02"))))
    assert answer["parked"] == []
    questions = [(each, MEMBER, *seen) for each in ("history", "care-due", "balance", "account", "coverage")]
    for command in (*questions, ("claims", "--member", MEMBER, *seen[:2])):
        behind = run(*command)
        assert (behind.returncode, behind.stdout) == (3, b"")
        assert b"not folded yet" in behind.stderr
    run("project", "--once")
    history = lines(run("history", MEMBER, *seen, "--json"))
    assert [each["patient"].split()[0] for each in history] == ["BEN"]
    for question in ("balance", "account"):
        assert len(lines(run(question, MEMBER, *seen, "--json"))) == 1
    [coverage] = lines(run("coverage", MEMBER, *seen, "--json"))
    assert [each["name"] for each in coverage["persons"]] == ["BEN ABERNOLT"]
    for wrong in (("--member", MEMBER, "--seen-by", "BEN"), ("--seen-by", f"{MEMBER}/BEN")):
        assert run("claims", *wrong).returncode == 2
