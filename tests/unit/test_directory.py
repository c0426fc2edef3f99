"""Who is in which network on a day, and why; and which number is an NPI."""

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.directory import (
    INITIAL,
    Listing,
    Membership,
    Provider,
    ProviderListed,
    ProviderNotice,
    Publish,
    Refusal,
    Why,
    decide,
    evolve,
    in_network,
    is_npi,
)


def membership(
    plan_id: str = "SILVER", first: str = "2026-01-01", until: str | None = None, tier: str = ""
) -> Membership:
    last = date.fromisoformat(until) if until else None
    return Membership("P", plan_id, date.fromisoformat(first), last, tier)


def publish(*networks: Membership, revision: int = 1) -> Publish:
    notice = ProviderNotice("1234567893", revision, Listing("Lakeside Clinic", "207R00000X", networks))
    return Publish(repr(notice), "s", notice)


def listed(*commands: Publish) -> Provider:
    state = INITIAL
    for command in commands:
        decided = decide(state, command)
        assert not isinstance(decided, Refusal)
        for event in decided:
            state = evolve(state, event)
    return state


def told(state: Provider, day: str, plan_id: str = "SILVER", payer_id: str = "P") -> tuple[bool, Why, str]:
    found = in_network(state, payer_id, plan_id, date.fromisoformat(day))
    return found.is_in, found.why, found.tier


# --- the number


@pytest.mark.parametrize(("number", "good"), [
    ("1234567893", True),  # the example of 45 CFR 162.406's specification
    ("1234567890", False),
    ("1234567839", False),
    ("123456789", False),
    ("12345678930", False),
    ("12345\uff167893", False),
    ("", False),
])  # fmt: skip
def test_the_last_digit_of_an_npi_checks_the_others(number: str, good: bool) -> None:
    assert is_npi(number) is good


@given(st.integers(10**8, 10**9 - 1), st.integers(0, 8), st.integers(1, 9))
def test_exactly_one_last_digit_checks_and_no_single_wrong_digit_passes(base: int, at: int, by: int) -> None:
    [good] = [number for last in range(10) if is_npi(number := f"{base}{last}")]
    wrong = good[:at] + str((int(good[at]) + by) % 10) + good[at + 1 :]
    assert not is_npi(wrong)


# --- decide


def test_what_is_listed_becomes_the_event_that_says_it() -> None:
    [event] = listed(publish(membership())).listed
    assert isinstance(event, ProviderListed)
    assert (event.provider_id, event.revision, event.source) == ("1234567893", 1, "s")


def test_the_same_again_is_nothing_and_otherwise_a_conflict() -> None:
    state = listed(publish(membership()))
    assert decide(state, publish(membership())) == ()
    assert decide(state, publish(membership(tier="2"))) is Refusal.CONFLICT
    assert not isinstance(decide(state, publish(membership(tier="2"), revision=2)), Refusal)


# --- in a network


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        ("2025-12-31", (False, Why.NOT_YET, "")),
        ("2026-01-01", (True, Why.LISTED, "1")),
        ("2026-06-30", (True, Why.LISTED, "1")),
        ("2026-07-01", (False, Why.ENDED, "")),
    ],
)
def test_the_first_and_the_last_day_are_in_it(day: str, answer: tuple[Any, ...]) -> None:
    assert told(listed(publish(membership(until="2026-06-30", tier="1"))), day) == answer


def test_without_a_last_day_it_goes_on() -> None:
    assert told(listed(publish(membership())), "2199-12-31")[0]


def test_only_the_network_of_the_plan_counts() -> None:
    state = listed(publish(membership()))
    assert told(state, "2026-03-01", plan_id="GOLD") == (False, Why.NOT_LISTED, "")
    assert told(state, "2026-03-01", payer_id="Q") == (False, Why.NOT_LISTED, "")
    assert told(INITIAL, "2026-03-01") == (False, Why.UNKNOWN, "")


def test_what_is_said_of_the_plan_goes_before_what_is_said_of_all_plans() -> None:
    state = listed(publish(membership("", tier="2"), membership("SILVER", "2025-01-01", tier="1")))
    assert told(state, "2026-03-01") == (True, Why.LISTED, "1")
    assert told(state, "2026-03-01", plan_id="GOLD") == (True, Why.LISTED, "2")


def test_of_two_that_hold_what_began_last_decides() -> None:
    state = listed(publish(membership(tier="1"), membership(first="2026-04-01", tier="2")))
    assert (told(state, "2026-03-31")[2], told(state, "2026-04-01")[2]) == ("1", "2")


def test_a_gap_between_two_is_none() -> None:
    state = listed(publish(membership(until="2026-03-31"), membership(first="2026-05-01")))
    assert told(state, "2026-04-15") == (False, Why.ENDED, "")


def test_what_ended_last_says_until_when_they_were_in_it() -> None:
    state = listed(publish(membership(until="2026-03-31"), membership(until="2026-02-28", tier="9")))
    assert in_network(state, "P", "SILVER", date(2026, 4, 15)).decided_by == membership(until="2026-03-31")
    coming = listed(publish(membership(first="2026-06-01"), membership(first="2026-05-01", tier="9")))
    found = in_network(coming, "P", "SILVER", date(2026, 4, 15))
    assert found.decided_by == membership(first="2026-05-01", tier="9")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_highest_revision_holds_in_whatever_order_they_came(order: tuple[int, ...]) -> None:
    commands = (
        publish(membership(tier="1")),
        publish(membership(tier="2"), revision=2),
        publish(membership("GOLD"), revision=3),
    )
    state = listed(*(commands[at] for at in order))
    assert told(state, "2026-03-01") == (False, Why.NOT_LISTED, "")
    assert in_network(state, "P", "GOLD", date(2026, 3, 1)).revision == 3
