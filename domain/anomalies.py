"""What about a sign-in should alarm somebody: rules as named values in one list, each over an attempt and what was
known before it.

Rules tell; they lock nothing. Countries are those that addresses tell, so a private network abroad or a border may
raise an alert that is none: it asks the member, who says that they have seen it.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

import msgspec

from domain.facts import Fact, StreamId

FAILURES_MAX = 10
"""Of one account within FAILURES_WITHIN are a burst"""
FAILURES_WITHIN = timedelta(minutes=5)
ACCOUNTS_MAX = 10
"""At which one address failed within ACCOUNTS_WITHIN are many"""
ACCOUNTS_WITHIN = timedelta(hours=1)
TRAVEL_WITHIN = timedelta(hours=2)
"""Nobody signs in from two countries in so short a time, but at a border"""
ONCE_WITHIN = timedelta(hours=1)
"""A rule raises no second alert for the same account in this time"""


class Attempt(NamedTuple):
    login: StreamId
    at: datetime
    succeeded: bool
    device: StreamId | None
    address: StreamId | None
    country: str
    """Empty where it was not told, or the account's key was destroyed"""
    had_succeeded: bool = False
    """By the portal's verdict, but a lockout refused it"""
    is_nobodys: bool = False
    """The portal does not know the user name"""


class Place(NamedTuple):
    """Where an account was signed in to: with which device, in which country."""

    device: StreamId | None
    country: str


class Span(NamedTuple):
    first: datetime
    last: datetime

    def and_at(self, at: datetime) -> "Span":
        return Span(min(self.first, at), max(self.last, at))


PLACES_MAX = 100
"""As many of an account are remembered, those where somebody signed in last"""
STAYS_MAX = 100
"""As many of an account are remembered, the latest: of one sign-in a day those of a hundred days"""


class Account(Fact, frozen=True, omit_defaults=True, gc=False):
    """What is remembered of one. Nothing in it grows without end."""

    places: tuple[tuple[Place, Span], ...] = ()
    """Where somebody signed in, and from when to when; the latest last"""
    stays: tuple[tuple[str, Span], ...] = ()
    """In which country, and from when to when: between two sign-ins of one stay lies less than TRAVEL_WITHIN, so that
    any moment in it is near one of them. The latest last"""
    failures: tuple[datetime, ...] = ()
    """The latest, in order"""
    raised: Mapping[str, datetime] = {}
    """When a rule raised an alert last"""

    def after(self, attempt: Attempt) -> "Account":
        if attempt.succeeded:
            places = dict(self.places)
            place = Place(attempt.device, attempt.country)
            places[place] = places.get(place, Span(attempt.at, attempt.at)).and_at(attempt.at)
            latest = tuple(sorted(places.items(), key=_last))[-PLACES_MAX:]
            return msgspec.structs.replace(self, places=latest, stays=self._stays_after(attempt))
        return msgspec.structs.replace(self, failures=tuple(sorted((*self.failures, attempt.at))[-FAILURES_MAX:]))

    def stays_near(self, at: datetime) -> list[tuple[str, Span]]:
        """Those within TRAVEL_WITHIN of a moment."""
        opens, closes = at - TRAVEL_WITHIN, at + TRAVEL_WITHIN
        not_over = takewhile(lambda stay: stay[1].last > opens, reversed(self.stays))
        return [(country, span) for country, span in not_over if span.first < closes]

    def _stays_after(self, attempt: Attempt) -> tuple[tuple[str, Span], ...]:
        if not attempt.country:
            return self.stays
        joins = [stay for stay in self.stays_near(attempt.at) if stay[0] == attempt.country]
        joined = Span(attempt.at, attempt.at)
        for _, span in joins:
            joined = joined.and_at(span.first).and_at(span.last)
        others = [stay for stay in self.stays if stay not in joins] if joins else list(self.stays)
        insort(others, (attempt.country, joined), key=lambda stay: stay[1].last)
        return tuple(others[-STAYS_MAX:])

    def after_alerts(self, names: Iterable[str], at: datetime) -> "Account":
        return msgspec.structs.replace(self, raised=_raised(self.raised, names, at))


def _raised(before: Mapping[str, datetime], names: Iterable[str], at: datetime) -> dict[str, datetime]:
    return {**before, **{name: max(at, before.get(name, at)) for name in names}}


def _last(entry: tuple[Place, Span]) -> tuple[datetime, str, str]:
    place, span = entry
    return span.last, place.device or "", place.country


class Address(Fact, frozen=True, omit_defaults=True, gc=False):
    """What is remembered of one."""

    accounts: Mapping[StreamId, datetime] = {}
    """At which sign-ins from it failed latest, and when"""
    raised: Mapping[str, datetime] = {}
    """When a rule raised an alert last for a name that is nobody's: else each new one would raise one more"""

    def after(self, attempt: Attempt) -> "Address":
        if attempt.succeeded:
            return self
        latest = max(attempt.at, self.accounts.get(attempt.login, attempt.at))
        accounts = {**self.accounts, attempt.login: latest}
        kept = sorted(accounts.items(), key=lambda entry: (entry[1], entry[0]))[-ACCOUNTS_MAX:]
        return msgspec.structs.replace(self, accounts=dict(kept))

    def after_alerts(self, names: Iterable[str], at: datetime) -> "Address":
        return msgspec.structs.replace(self, raised=_raised(self.raised, names, at))


class Known(NamedTuple):
    account: Account
    """Before an attempt; its failures with the attempt"""
    address: Address
    """With the attempt"""


def new_device_in_new_country(attempt: Attempt, known: Known) -> bool:
    """Somebody signed in with a device and from a country that the account did not know, and it knew others."""
    before = {place for place, span in known.account.places if span.first < attempt.at}
    devices, countries = {place.device for place in before}, {place.country for place in before} - {""}
    is_new = attempt.device not in devices and attempt.country not in countries
    return attempt.succeeded and bool(attempt.country and countries) and is_new


def impossible_travel(attempt: Attempt, known: Known) -> bool:
    """Somebody signed in within two hours of a sign-in from another country, whichever of the two is told first.

    It goes by countries alone: it sees no distance within one, and none where an address tells no country. What is
    earlier than the stays that are remembered it does not see."""
    if not attempt.succeeded or not attempt.country:
        return False
    return any(country != attempt.country for country, _ in known.account.stays_near(attempt.at))


def many_accounts_from_one_address(attempt: Attempt, known: Known) -> bool:
    """Sign-ins to ten accounts failed from one address within an hour."""
    return not attempt.succeeded and _crowded(known.address.accounts.values(), ACCOUNTS_MAX, ACCOUNTS_WITHIN)


def burst_of_failures(attempt: Attempt, known: Known) -> bool:
    """Ten sign-ins to the account failed within five minutes."""
    return not attempt.succeeded and _crowded(known.account.failures, FAILURES_MAX, FAILURES_WITHIN)


def right_password_while_locked(attempt: Attempt, _known: Known) -> bool:
    """Somebody would have signed in, had the account not been locked for them."""
    return attempt.had_succeeded


def _crowded(moments: Iterable[datetime], count: int, within: timedelta) -> bool:
    """Whether the latest of them stand so close."""
    latest = sorted(moments)[-count:]
    return len(latest) == count and latest[-1] - latest[0] <= within


Rule = Callable[[Attempt, Known], bool]

RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (
        new_device_in_new_country,
        impossible_travel,
        many_accounts_from_one_address,
        burst_of_failures,
        right_password_while_locked,
    )
}
"""Every rule by its name; what it means is its own first line"""


def judged(attempt: Attempt, account: Account, address: Address) -> tuple[list[str], Account, Address]:
    """The rules that an attempt breaks, but for those that raised an alert for the account a short time ago, and what
    is remembered after it. Of a name that is nobody's nothing is but at the address, which stands for all of them."""
    after, address = account.after(attempt), address.after(attempt)
    known = Known(msgspec.structs.replace(account, failures=after.failures), address)
    raised = address.raised if attempt.is_nobodys else account.raised
    names = [
        name
        for name, rule in RULES.items()
        if (name not in raised or abs(attempt.at - raised[name]) > ONCE_WITHIN) and rule(attempt, known)
    ]
    if attempt.is_nobodys:
        return names, Account(), address.after_alerts(names, attempt.at)
    return names, after.after_alerts(names, attempt.at), address
