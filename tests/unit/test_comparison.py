"""A comparison of plans is kept once, as it was shown."""

from datetime import date

from domain import comparison
from domain.comparison import Compare, Kind, Option, PlansCompared
from domain.facts import StreamId
from domain.money import Money
from tests.unit.scenario import Given

ABOUT = StreamId("account"), "payer", Kind.OWN_YEAR, date(2026, 12, 31), 7, False
BRONZE = (Option("BRONZE", Money(254_000), Money(240_000)),)
KEPT = PlansCompared(*ABOUT, BRONZE)


def test_what_is_shown_is_kept() -> None:
    Given(comparison).when(Compare(*ABOUT, BRONZE)).then(KEPT)


def test_what_is_shown_later_under_the_same_key_changes_nothing() -> None:
    Given(comparison, KEPT).when(Compare(*ABOUT, ())).then()
