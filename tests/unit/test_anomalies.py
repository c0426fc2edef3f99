"""What about a sign-in should alarm somebody, and what should not."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.anomalies import (
    ACCOUNTS_MAX,
    FAILURES_MAX,
    RULES,
    TRAVEL_WITHIN,
    Account,
    Address,
    Attempt,
    Place,
    Span,
    judged,
)
from domain.facts import StreamId
from tests.unit.sign_ins import NOON, minutes

LAST_WEEK = Span(NOON - timedelta(days=30), NOON - timedelta(days=7))
AT_HOME = {Place(StreamId("phone"), "US"): LAST_WEEK}


def attempt(*, succeeded: bool = True, device: str | None = "phone", country: str = "US") -> Attempt:
    known = StreamId(device) if device else None
    return Attempt(StreamId("login"), NOON, succeeded, known, StreamId("address"), country)


def broken_by(
    tried: Attempt, places: Any = AT_HOME, failures: Any = (), accounts: Any = None, raised: Any = None
) -> list[str]:
    """Of what is remembered the attempt itself is no part yet."""
    account = Account(tuple(places.items()), failures=tuple(sorted(failures)), raised=raised or {})
    return judged(tried, account, Address(accounts or {}))[0]


@pytest.mark.parametrize(
    ("tried", "places", "broken"),
    [
        (attempt(device="new", country="RO"), AT_HOME, True),
        (attempt(device="phone", country="RO"), AT_HOME, False),
        (attempt(device="new", country="US"), AT_HOME, False),
        (attempt(device="new", country=""), AT_HOME, False),
        (attempt(device=None, country="RO"), AT_HOME, True),
        (attempt(device="new", country="RO", succeeded=False), AT_HOME, False),
        (attempt(device="new", country="RO"), {}, False),
        (attempt(device="new", country="RO"), {Place(StreamId("phone"), ""): LAST_WEEK}, False),
        (attempt(device="new", country="RO"), {Place(StreamId("phone"), "US"): Span(minutes(1), minutes(1))}, False),
    ],
)
def test_a_new_device_in_a_new_country(tried: Attempt, places: Any, broken: bool) -> None:
    assert ("new_device_in_new_country" in broken_by(tried, places)) == broken


def signed_in(at: float, country: str = "US") -> Attempt:
    return attempt(country=country)._replace(at=minutes(at))


def travels(*attempts: Attempt) -> int:
    """How many alerts they raise, in the order in which they come."""
    account, count = Account(), 0
    for each in attempts:
        names, account, _ = judged(each, account, Address())
        count += names.count("impossible_travel")
    return count


@pytest.mark.parametrize(
    ("country", "at", "broken"),
    [("RO", 119, True), ("RO", 120, False), ("RO", -119, True), ("RO", -120, False), ("US", 1, False), ("", 1, False)],
)
def test_impossible_travel(country: str, at: float, broken: bool) -> None:
    assert minutes(120) - minutes(0) == TRAVEL_WITHIN
    assert travels(signed_in(0), signed_in(at, country)) == broken
    assert travels(signed_in(0), signed_in(at, country)._replace(succeeded=False)) == 0


def test_impossible_travel_between_two_stays_of_one_country() -> None:
    later, earlier = signed_in(600), signed_in(-600)
    assert travels(earlier, later, signed_in(0, "RO")) == 0
    assert travels(earlier, signed_in(0), later, signed_in(100, "RO")) == 1
    stay = [signed_in(at) for at in range(-300, 300, 100)]
    assert travels(*stay, signed_in(30, "RO")) == 1


@given(st.lists(st.tuples(st.integers(0, 900), st.sampled_from(["US", "CA", "RO", ""])), max_size=20), st.randoms())
def test_impossible_travel_is_told_in_any_order(told: Any, random: Any) -> None:
    attempts = [signed_in(at, country) for at, country in told]
    expected = any(
        one.country and other.country and one.country != other.country and abs(one.at - other.at) < TRAVEL_WITHIN
        for one in attempts
        for other in attempts
    )
    assert (travels(*random.sample(attempts, len(attempts))) > 0) == expected


@pytest.mark.parametrize(("apart_s", "count", "broken"), [(30, 10, True), (30, 9, False), (34, 10, False)])
def test_a_burst_of_failures(apart_s: int, count: int, broken: bool) -> None:
    failures = [NOON - timedelta(seconds=apart_s * at) for at in range(1, count)]
    assert ("burst_of_failures" in broken_by(attempt(succeeded=False), failures=failures)) == broken
    assert broken_by(attempt(), failures=[*failures, NOON]) == []


@pytest.mark.parametrize(("apart_minutes", "count", "broken"), [(6, 10, True), (6, 9, False), (7, 10, False)])
def test_many_accounts_from_one_address(apart_minutes: int, count: int, broken: bool) -> None:
    accounts = {f"account {at}": minutes(-apart_minutes * at) for at in range(1, count)}
    assert ("many_accounts_from_one_address" in broken_by(attempt(succeeded=False), accounts=accounts)) == broken


def test_the_right_password_during_a_lockout() -> None:
    refused = attempt(succeeded=False)
    assert broken_by(refused._replace(had_succeeded=True)) == ["right_password_while_locked"]
    assert broken_by(refused) == broken_by(attempt()) == []


def test_an_alert_is_not_raised_again_for_an_hour() -> None:
    failed, burst = attempt(succeeded=False), [NOON] * FAILURES_MAX
    assert broken_by(failed, failures=burst, raised={"burst_of_failures": minutes(-60)}) == []
    assert broken_by(failed, failures=burst, raised={"burst_of_failures": minutes(-61)}) == ["burst_of_failures"]
    assert broken_by(failed, failures=burst, raised={"impossible_travel": minutes(-1)}) == ["burst_of_failures"]


def test_what_is_remembered_does_not_grow_without_end() -> None:
    account, address = Account(), Address()
    for at in range(300):
        told = Attempt(StreamId(f"login {at}"), minutes(at * 60), at % 2 == 0, StreamId(f"device {at}"), None, "US")
        _, account, address = judged(told, account, address)
    assert (len(account.places), len(account.stays), len(account.failures), len(address.accounts)) == (100, 100, 10, 10)
    latest = Span(minutes(298 * 60), minutes(298 * 60))
    assert account.places[-1] == (Place(StreamId("device 298"), "US"), latest)
    assert account.stays[-1] == ("US", latest)
    assert max(address.accounts.values()) == account.failures[-1] == minutes(299 * 60)


def test_a_failure_that_comes_late_makes_an_address_no_older() -> None:
    late = attempt(succeeded=False)._replace(at=minutes(-30))
    assert Address({late.login: minutes(0)}).after(late).accounts == {late.login: minutes(0)}
    assert Address({late.login: minutes(-60)}).after(late).accounts == {late.login: minutes(-30)}


def test_every_rule_says_what_it_means() -> None:
    assert all((rule.__doc__ or "").endswith(".") for rule in RULES.values())
    assert ACCOUNTS_MAX == FAILURES_MAX == 10, "as their sentences say"


def test_names_that_are_nobodys_raise_one_alert_an_hour_and_leave_nothing_but_at_their_address() -> None:
    account, address, raised = Account(), Address(), list[int]()
    for at in range(100):
        tried = Attempt(StreamId(f"name {at}"), minutes(at), False, None, StreamId("address"), "", is_nobodys=True)
        names, account, address = judged(tried, Account(), address)
        raised += [at] * len(names)
        assert account == Account()
    assert raised == [9, 70]
    known = Attempt(StreamId("ada"), minutes(100), False, None, StreamId("address"), "")
    assert judged(known, Account(), address)[0] == ["many_accounts_from_one_address"]
