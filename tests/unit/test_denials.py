"""What counts as one denial, and what does not."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from domain.adjudication import Adjudication, Adjustment, ServiceLine
from domain.claim import ClaimAdjudicated
from domain.facts import StreamId
from domain.money import Money
from projections import denials
from projections.projection import Projected, Statement


def line(*adjustments: tuple[str, str, int], paid: int = 0, **said: Any) -> ServiceLine:
    """A hundred dollars charged unless something else was said."""
    made = tuple(Adjustment(group, carc, Money(cents)) for group, carc, cents in adjustments)
    return ServiceLine("HC:99213", Money(paid + sum(each.cents for each in made)), Money(paid), made, **said)


def claim(
    *lines: ServiceLine, adjustments: tuple[tuple[str, str, int], ...] = (), code: str = "1", **said: Any
) -> Adjudication:
    made = tuple(Adjustment(group, carc, Money(cents)) for group, carc, cents in adjustments)
    paid = sum(each.paid_cents for each in lines)
    charge = sum(each.charge_cents for each in lines) or sum(each.cents for each in made)
    return Adjudication(code, Money(charge), Money(paid), Money(0), lines, made, **said)


def rows(*adjudications: Adjudication) -> list[dict[str, Any]]:
    at = datetime(2026, 3, 3, tzinfo=UTC)
    events = [
        Projected(
            position,
            at,
            StreamId(f"claim {position}"),
            1,
            ClaimAdjudicated("", StreamId("ada"), "P", None, date(2026, 3, 2), each),
        )
        for position, each in enumerate(adjudications, 1)
    ]
    changes = denials.fold(events, lambda *_: [])
    return [row for change in changes if isinstance(change, Statement) for row in msgspec.json.decode(change.rows)]


PAID = line(("CO", "45", 2_000), paid=8_000)
DENIED = line(("CO", "97", 10_000))
WHOLE = (("CO", "29", 10_000),)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        (claim(PAID), []),
        (claim(PAID, DENIED), [2]),
        (claim(DENIED, PAID, DENIED), [1, 3]),
        (claim(DENIED), [1]),
        (claim(line(("PR", "1", 10_000))), []),  # all of it is the deductible
        (claim(line(("PR", "1", 10_000)), DENIED), [2]),  # the claim is the member's share, its line denied
        (claim(line(("CO", "45", 10_000))), []),
        (claim(line(("OA", "23", 10_000))), []),
        (claim(adjustments=WHOLE), [0]),
        (claim(line(("CO", "45", 10_000)), adjustments=WHOLE), [0]),
        (claim(DENIED, adjustments=WHOLE), [0, 1]),
        (claim(PAID, adjustments=WHOLE), []),  # something is paid: the claim is not denied, and no line is
        (claim(line(("CO", "45", 10_000)), code="4"), [0]),  # the patient is not recognised
        (claim(code="4"), [0]),
        (claim(DENIED, code="4"), [1]),
        (claim(ServiceLine("HC:1", Money(0), Money(0), (Adjustment("CO", "97", Money(0)),))), [0]),
    ],
)  # fmt: skip
def test_a_denial_is_a_line_or_a_whole_claim(said: Adjudication, numbers: list[int]) -> None:
    assert [row["line"] for row in rows(said)] == numbers


def test_each_of_several_postings_has_its_own() -> None:
    assert [(row["claim_id"], row["position"]) for row in rows(claim(DENIED), claim(PAID), claim(DENIED))] == [
        ("claim 1", 1),
        ("claim 3", 3),
    ]


def test_a_line_with_several_reasons_is_one_denial_under_the_largest_that_denies() -> None:
    [row] = rows(claim(line(("CO", "45", 9_000), ("CO", "16", 100), ("PI", "97", 700), ("PR", "96", 700))))
    assert (row["group_code"], row["carc"], row["denied_cents"], row["charge_cents"]) == ("PI", "97", 1_500, 10_500)
    assert len(row["adjustments"]) == 4


def test_a_denial_says_what_was_denied() -> None:
    about = line(("CO", "97", 10_000), service_from=date(2026, 2, 2), remarks=("N19",), revenue_code="0450")
    [row] = rows(claim(about, service_from=date(2026, 2, 1), remarks=("MA01",)))
    assert (row["procedure"], row["revenue_code"], row["remarks"]) == ("HC:99213", "0450", ["N19"])
    assert (row["service_on"], row["day"], row["person_id"], row["payer_id"]) == (
        "2026-02-02",
        "2026-03-02",
        "ada",
        "P",
    )
    [whole] = rows(claim(adjustments=WHOLE, service_from=date(2026, 2, 1), remarks=("MA01",)))
    assert (whole["procedure"], whole["service_on"], whole["remarks"]) == ("", "2026-02-01", ["MA01"])


def test_what_is_paid_changes_nothing() -> None:
    assert denials.fold([], lambda *_: []) == []
    assert rows(claim(PAID, PAID)) == []
