"""Preventive care over a real ledger: what claims show as done, of whom, and who may know of it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.care import care_of
from adapters.cli.seen import viewer_of
from composition import Ledger
from tests.given import rows
from tests.integration.taking import take
from tests.integration.test_cli import Run, command_line, lines
from tests.unit.families import MEMBER, claim, said
from tests.unit.notices import encoded

DAY = date(2026, 6, 1)


def care(
    ledger: Ledger, person: str, name: str, day: date = DAY, known_at: int | None = None, seen_by: str | None = None
) -> tuple[str, str, str] | None:
    viewer = None if seen_by is None else viewer_of(f"{MEMBER}/{seen_by}")
    found = [
        (each["standing"], str(each["from_on"]), str(each["until"]))
        for each in care_of(ledger, MEMBER, day, known_at, viewer)
        if each["person"].startswith(person) and each["recommendation"] == name
    ]
    assert len(found) <= 1
    return found[0] if found else None


COLONOSCOPY = claim("1", "ADA", "HC:45378:33", "2025-03-01")
DONE = ("done", "2025-03-01", "2035-02-28")


def test_what_a_claim_shows_is_done(ledger: Ledger) -> None:
    take(ledger, said("enrolled"))
    assert care(ledger, "ADA", "colorectal_cancer_screening") == ("due", "2025-01-01", "None")
    take(ledger, COLONOSCOPY)
    assert care(ledger, "ADA", "colorectal_cancer_screening") == DONE
    assert care(ledger, "ADA", "colorectal_cancer_screening", date(2025, 2, 28)) == ("due", "2025-01-01", "None")
    assert care(ledger, "BEN", "colorectal_cancer_screening") == ("due", "2024-05-05", "None")
    assert care(ledger, "BEN", "breast_cancer_screening") is None
    assert care(ledger, "CY", "colorectal_cancer_screening") == ("not_yet", "2053-06-15", "None")


def test_a_denied_claim_shows_it_and_one_that_was_taken_back_does_not(ledger: Ledger) -> None:
    denied = claim("1", "ADA", "HC:45378", "2025-03-01")
    line = denied["said"]["lines"][0]
    line |= {"paid_cents": 0, "adjustments": [{"group": "CO", "carc": "204", "cents": 10_000}]}
    denied["said"] |= {"paid_cents": 0}
    take(ledger, said("enrolled"), denied)
    [status] = rows(ledger.database, "SELECT status, position FROM claim_status")
    assert status["status"] == "denied"
    assert care(ledger, "ADA", "colorectal_cancer_screening") == DONE
    voided = COLONOSCOPY | {"said": {"kind": "voided", "at": "2025-04-01T10:00:00-05:00"}}
    take(ledger, voided)
    assert care(ledger, "ADA", "colorectal_cancer_screening") == ("due", "2025-01-01", "None")
    assert care(ledger, "ADA", "colorectal_cancer_screening", known_at=status["position"]) == DONE


def test_the_view_has_what_claims_show_and_whether_it_stands(ledger: Ledger) -> None:
    def shown() -> list[tuple[str, str, date, bool]]:
        found = rows(ledger.database, "SELECT * FROM care_due")
        return [(row["recommendation"], row["procedure"], row["done_on"], row["stands"]) for row in found]

    take(ledger, COLONOSCOPY, claim("2", "BEN", "HC:99213", "2025-03-01"))
    assert shown() == [("colorectal_cancer_screening", "HC:45378:33", date(2025, 3, 1), True)]
    take(ledger, COLONOSCOPY | {"said": {"kind": "voided", "at": "2025-04-01T10:00:00-05:00"}})
    assert shown() == [("colorectal_cancer_screening", "HC:45378:33", date(2025, 3, 1), False)]


def test_a_predetermination_shows_nothing(ledger: Ledger) -> None:
    announced = claim("1", "ADA", "HC:45378", "2025-03-01")
    announced["said"] |= {"status_code": "25"}
    take(ledger, said("enrolled"), announced)
    [status] = rows(ledger.database, "SELECT status FROM claim_status")
    assert status["status"] == "predetermination"
    assert care(ledger, "ADA", "colorectal_cancer_screening") == ("due", "2025-01-01", "None")


def test_without_a_birth_date_it_is_said_that_nothing_can_be_said(ledger: Ledger) -> None:
    take(ledger, COLONOSCOPY)
    [only] = care_of(ledger, MEMBER, DAY, None)
    assert (only["recommendation"], only["standing"]) == (None, "birth_date_unknown")


def test_what_was_done_under_an_earlier_number_is_done(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), COLONOSCOPY | {"patient": {"member_id": "TGV000000001", "given_name": "ADA"}})
    assert care(ledger, "ADA", "colorectal_cancer_screening") == ("due", "2025-01-01", "None")
    take(ledger, said("linked"))
    assert care(ledger, "ADA", "colorectal_cancer_screening") == DONE
    assert care(ledger, "ADA", "colorectal_cancer_screening", seen_by="ADA") == DONE


# --- seen by another


def test_a_viewer_knows_of_care_only_what_was_allowed_and_of_nothing_sensitive(ledger: Ledger) -> None:
    take(ledger, said("enrolled"), COLONOSCOPY)
    assert {each["person"] for each in care_of(ledger, MEMBER, DAY, None, viewer_of(f"{MEMBER}/BEN"))} == {"BEN"}
    take(ledger, said("consent_granted", areas=["claims"]))
    assert care(ledger, "ADA", "colorectal_cancer_screening", seen_by="BEN") is None
    take(ledger, said("consent_granted", "2026-03-03", areas=["care"]))
    assert care(ledger, "ADA", "colorectal_cancer_screening", seen_by="BEN") == DONE
    assert care(ledger, "ADA", "cervical_cancer_screening", seen_by="ADA") is not None
    assert care(ledger, "ADA", "cervical_cancer_screening", seen_by="BEN") is None
    assert care(ledger, "ADA", "hiv_screening", seen_by="BEN") is None


def test_what_a_sensitive_claim_shows_another_does_not_learn(ledger: Ledger) -> None:
    """A flu vaccine at a visit that does not show must not tell that there was one."""
    visit = claim("1", "CY", "HC:87491", "2026-02-02")
    visit["said"]["lines"].append(visit["said"]["lines"][0] | {"procedure": "HC:90686"})
    for total in ("charge_cents", "paid_cents"):
        visit["said"][total] *= 2
    parent = said("family_linked", "2026-01-03", subject="CY", viewer={"given_name": "ADA"}, relationship="parent")
    assert [outcome.parked for outcome in take(ledger, said("enrolled"), parent, visit)] == [[], [], []]
    assert care(ledger, "CY", "influenza_vaccine", seen_by="CY") == ("done", "2026-02-02", "2026-08-31")
    assert care(ledger, "CY", "influenza_vaccine", seen_by="ADA") == ("due", "2010-08-06", "None")


# --- the tool


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return command_line(database, tmp_path / "keys")


def test_care_that_is_due_is_shown(run: Run) -> None:
    run("init")
    for message in (said("enrolled"), COLONOSCOPY, claim("2", "EVE")):
        run("ingest", "-", "--json", stdin=encoded(message))
    run("project", "--once")
    asked = ("care-due", MEMBER, "--as-of", "2026-06-01")
    told: list[dict[str, Any]] = lines(run(*asked, "--json"))
    [done] = [each for each in told if each["standing"] == "done"]
    assert (done["person"], done["recommendation"], done["until"]) == (
        "ADA ABERNOLT", "colorectal_cancer_screening", "2035-02-28",
    )  # fmt: skip
    assert {each["person"].split()[0] for each in lines(run(*asked, "--seen-by", f"{MEMBER}/BEN", "--json"))} == {"BEN"}
    table = run(*asked).stdout.decode()
    for words in (
        "colorectal cancer screening",
        "2035-02-28",
        "birth date unknown",
        "USPSTF 2021",
        "no medical advice",
    ):
        assert words in table
    assert "Nobody is known" in run("care-due", "NOBODY").stdout.decode()
