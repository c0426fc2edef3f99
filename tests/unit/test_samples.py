"""The shipped samples are what their code writes, and show what they promise."""

from collections import Counter
from functools import cache

import pytest

from adapters.claim_notice.translate import translate_lines
from adapters.x12.reader import count_claims
from adapters.x12.translate import translate
from application.ports import NotUnderstood, Understood
from consumers.messages import balanced
from domain.adjudication import Status, status_of
from domain.parking import REASONS
from samples import family, household, make, notices
from samples.make import FOLDER, Sample
from tests.unit.models import expected


@cache
def built() -> dict[str, Sample]:
    return {sample.path: sample for sample in make.build()}


GOOD = sorted(str(path.relative_to(FOLDER / "835")) for path in (FOLDER / "835").glob("*.835"))

REASON_OF_BAD = {
    "bad/empty.835": "message.empty",
    "bad/not-x12.835": "x12.no_isa",
    "bad/truncated.835": "x12.missing_se",
    "bad/nul-bytes.835": "x12.bad_character",
    "bad/line-off-by-one-cent.835": "line.unbalanced",
    "bad/payment-total-mismatch.835": "transaction.unbalanced",
    "bad/wrong-segment-count.835": "x12.wrong_se_count",
}
UNDERSTOOD_BUT_BAD = {"bad/unknown-status-code.835", "bad/conflicting-repost.835"}


def test_the_files_on_disk_are_what_the_code_writes_byte_for_byte() -> None:
    on_disk = {str(path.relative_to(FOLDER / "835")): path.read_bytes() for path in (FOLDER / "835").rglob("*.835")}
    assert on_disk == {path: sample.data for path, sample in built().items()}


def test_the_notices_on_disk_are_what_the_code_writes_byte_for_byte() -> None:
    assert {path.name: path.read_bytes() for path in (FOLDER / "notices").iterdir()} == notices.build()


def test_the_familys_year_on_disk_is_what_the_code_writes_byte_for_byte() -> None:
    assert {path.name: path.read_bytes() for path in (FOLDER / "family").iterdir()} == family.build()
    assert {path.name: path.read_bytes() for path in (FOLDER / "household").iterdir()} == household.build()


def test_every_notice_is_understood_but_the_bad_ones_each_for_its_reason() -> None:
    for name, data in notices.build().items():
        parts = list(balanced(translate_lines)(data))
        if name == "bad-notices.jsonl":
            reasons = [part.reason for part in parts if isinstance(part, NotUnderstood)]
            assert reasons == ["json.not_json", "json.not_an_integer", "json.duplicate_key", "json.unknown_version"]
        else:
            assert all(isinstance(part, Understood) for part in parts)


def test_the_readme_is_what_the_code_writes() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == make.readme(list(built().values()))


def test_writing_them_twice_gives_the_same_bytes() -> None:
    assert [sample.data for sample in make.build()] == [sample.data for sample in built().values()]


def test_they_hold_hundreds_of_claims_of_dozens_of_members_of_several_payers() -> None:
    remittances = [each for path in GOOD for each in built()[path].remittances]
    claims = [each for remittance in remittances for each in remittance.claims]
    assert len(claims) >= 300
    assert sum(sample.posted for sample in built().values()) >= 300
    assert len({(claim.member.member_id, claim.member.given_name) for claim in claims}) >= 40
    assert len({remittance.payer.tax_id for remittance in remittances}) >= 3
    assert len({remittance.paid_on.year for remittance in remittances}) >= 3


def test_they_hold_every_status_code_and_lead_to_every_status_but_nothing_due() -> None:
    judged = [
        claim.adjudication
        for path in GOOD
        for remittance in built()[path].remittances
        for claim in expected(remittance).claims
    ]
    codes = Counter(each.status_code for each in judged)
    assert set(codes) == {"1", "2", "3", "4", "19", "20", "21", "22", "23", "25"}
    reported = {Status.RECEIVED, Status.ACCEPTED, Status.REJECTED, Status.PENDED, Status.IN_PROCESS, Status.VOIDED}
    assert {status_of(each) for each in judged} >= set(Status) - reported - {Status.NOTHING_DUE}


@pytest.mark.parametrize("path", GOOD)
def test_a_good_file_is_understood_as_its_models(path: str) -> None:
    sample = built()[path]
    parts = list(balanced(translate)(sample.data))
    guide = "004010X091A1" if b"004010X091A1" in sample.data else "005010X221A1"
    assert [part.remittance for part in parts if isinstance(part, Understood)] == [
        expected(remittance, guide) for remittance in sample.remittances
    ]
    assert len(parts) == len(sample.remittances)


@pytest.mark.parametrize(("path", "reason"), REASON_OF_BAD.items())
def test_a_bad_file_is_refused_for_its_reason_with_all_its_claims(path: str, reason: str) -> None:
    data = built()[path].data
    (part,) = balanced(translate)(data)
    assert isinstance(part, NotUnderstood)
    assert part.reason == reason
    assert reason in REASONS
    assert part.claims == count_claims(data)


@pytest.mark.parametrize("path", sorted(UNDERSTOOD_BUT_BAD))
def test_a_file_that_only_the_ledger_can_fault_is_understood(path: str) -> None:
    (part,) = balanced(translate)(built()[path].data)
    assert isinstance(part, Understood)


def test_every_bad_file_has_its_row_here() -> None:
    assert {path for path in built() if path.startswith("bad/")} == REASON_OF_BAD.keys() | UNDERSTOOD_BUT_BAD
    assert sorted(path for path in built() if not path.startswith("bad/")) == GOOD
