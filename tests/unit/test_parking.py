"""What is parked, released and discarded; and that nothing is parked for a reason without a meaning."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from application.topics import TOPICS
from domain import (
    claim,
    consent,
    coverage,
    directory,
    identity,
    parking,
    payment,
    plan,
    premium,
    remittance,
    schedule,
    settlement,
)
from domain.facts import StreamId
from domain.parking import REASONS, Discard, MessageDiscarded, MessageParked, MessageReleased, Park, Refusal, Release
from tests.unit.scenario import Given

PARK = Park("claim.conflict", "t/0@1", "ST 0001 claim 3", "detail", 1, StreamId("claim"), "raw")
PARKED = MessageParked("claim.conflict", "t/0@1", "ST 0001 claim 3", "detail", 1, StreamId("claim"), "raw")
DISCARD = Discard("ada", "sent by mistake")
DISCARDED = MessageDiscarded("ada", "sent by mistake")


def test_what_is_parked_keeps_its_reason_and_its_place() -> None:
    Given(parking).when(PARK).then(PARKED)


def test_what_is_parked_is_not_parked_twice() -> None:
    Given(parking, PARKED).when(PARK).then()


def test_what_is_parked_can_be_released() -> None:
    Given(parking, PARKED).when(Release()).then(MessageReleased())


def test_what_is_parked_can_be_discarded_by_somebody_for_a_reason() -> None:
    Given(parking, PARKED).when(DISCARD).then(DISCARDED)


@pytest.mark.parametrize("command", [Release(), DISCARD])
@pytest.mark.parametrize(
    "history", [[], [PARKED, MessageReleased()], [PARKED, DISCARDED]], ids=["unknown", "released", "discarded"]
)
def test_only_what_is_parked_can_be_released_or_discarded(history: list, command: Release | Discard) -> None:
    Given(parking, *history).when(command).refused(Refusal.NOT_PARKED)


@pytest.mark.parametrize("command", [Discard("", "sent by mistake"), Discard("ada", " ")])
def test_nothing_is_discarded_by_nobody_or_for_no_reason(command: Discard) -> None:
    Given(parking, PARKED).when(command).refused(Refusal.UNEXPLAINED)


def test_what_was_released_can_be_parked_again() -> None:
    Given(parking, PARKED, MessageReleased()).when(PARK).then(PARKED)
    Given(parking, PARKED, MessageReleased(), PARKED).when(DISCARD).then(DISCARDED)


def test_what_was_discarded_stays_discarded_when_it_comes_again() -> None:
    Given(parking, PARKED, DISCARDED).when(PARK).then()


# --- reasons

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "application", "consumers", "adapters")
REASON = re.compile(
    r"(message|x12|835|json|line|claim|transaction|remittance|person|payment|settlement|stream)\.[a-z_*]*[a-z*]"
)


def _reasons_in(tree: ast.AST) -> Iterator[str]:
    """Every text in a module that looks like a reason; a star where a part of it is filled in."""
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)  # type: ignore[misc]
        if REASON.fullmatch(text):
            yield text


def used_reasons() -> set[str]:
    """Every reason that the source parks for; a pattern where a part is filled in."""
    chapters = (claim, consent, coverage, directory, identity, payment, plan, premium, remittance, schedule, settlement)
    found = {str(refusal) for chapter in chapters for refusal in chapter.Refusal}
    for room in ROOMS:
        for path in {*(ROOT / room).rglob("*.py")} - {Path(parking.__file__)}:
            found.update(_reasons_in(ast.parse(path.read_text(encoding="utf-8"))))
    return found - {topic.name for topic in TOPICS}


def test_everything_is_parked_for_a_reason_that_has_a_meaning() -> None:
    used = used_reasons()
    assert "x12.no_isa" in used
    assert "x12.wrong_*_count" in used
    assert "claim.waiting" in used
    assert [reason for reason in sorted(used) if not any(fnmatchcase(known, reason) for known in REASONS)] == []


def test_every_reason_in_the_list_is_one_that_something_is_parked_for() -> None:
    used = used_reasons()
    assert [known for known in REASONS if not any(fnmatchcase(known, reason) for reason in used)] == []


def test_the_counts_of_all_three_trailers_have_a_meaning() -> None:
    assert {f"x12.wrong_{trailer}_count" for trailer in ("se", "ge", "iea")} <= REASONS.keys()


def test_every_meaning_is_a_sentence() -> None:
    assert [meaning for meaning in REASONS.values() if not (meaning[0].isupper() and meaning.endswith("."))] == []
