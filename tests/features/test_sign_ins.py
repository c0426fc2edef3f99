"""How a lockout ends, run over a real ledger."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from application.ports import Format, Message
from application.sign_ins import end_lockouts
from application.streams import login_of
from composition import Ledger
from domain.sign_in import By, Cause
from domain.sign_in_events import LockedOut, LockoutEnded, SignedIn, SignInFailed
from tests.unit.notices import encoded
from tests.unit.sign_ins import sign_in

scenarios("how_a_lockout_ends.feature")

PHONE, STRANGERS = "Ada's phone", "a stranger's device"
ENDED = {"its time ran out": By.RAN_OUT, "of a link": By.LINK, "of an agent": By.AGENT}


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}:00Z")


class Portal:
    """It tells of one account."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.told = 0

    def tell(self, kind: str, moment: datetime, user_name: str = "ada", **said: Any) -> Any:
        """What the ledger made of it."""
        self.told += 1
        message = sign_in(kind, f"E-{self.told}", moment.isoformat(), **said) | {"user_name": user_name}
        [outcome] = self.ledger.intake.handle([Message("portal", encoded(message), Format.JSON_SIGN_IN)])
        assert not outcome.parked
        events = self.events()
        return events[-1] if events else None

    def fail(self, count: int, first: str, **said: Any) -> None:
        for minute in range(count):
            self.tell("sign_in_failed", at(first) + timedelta(minutes=minute), **said)

    def signs_in(self, clock: str, device: str) -> Any:
        return self.tell("signed_in", at(clock), device_id=device, session_id=f"S-{self.told}")

    def events(self) -> list[Any]:
        history = self.ledger.log.history(login_of(self.ledger.ids, "member-portal", "ada"))
        return [self.ledger.mapper.load(recorded.stored) for recorded in history]

    def lockouts(self) -> list[LockedOut]:
        return [event for event in self.events() if isinstance(event, LockedOut)]


@pytest.fixture
def portal(ledger: Ledger) -> Portal:
    return Portal(ledger)


@given("Ada has signed in on her phone before")
def _(portal: Portal) -> None:
    assert isinstance(portal.signs_in("08:00", PHONE), SignedIn)


@given(parsers.parse("the account is locked for {minutes:d} minutes after {failures:d} failures"))
def _(portal: Portal, minutes: int, failures: int) -> None:
    assert (portal.ledger.lockout.minutes, portal.ledger.lockout.failures) == (minutes, failures)


@when(parsers.parse("a stranger gives {count:d} wrong passwords from {first} to {_last}"))
def _(portal: Portal, count: int, first: str) -> None:
    portal.fail(count, first, device_id=STRANGERS)


@when(parsers.parse("Ada gives {count:d} wrong passwords on her phone from {first} to {_last}"))
def _(portal: Portal, count: int, first: str) -> None:
    portal.fail(count, first, device_id=PHONE)


@when(parsers.parse("a stranger gives {count:d} unknown user names from {first} to {_last}"))
def _(portal: Portal, count: int, first: str) -> None:
    portal.fail(count, first, device_id=STRANGERS, cause="unknown_user")


@when(parsers.parse("Ada signs in on her phone at {clock}"))
@then(parsers.parse("at {clock} Ada signs in on her phone"))
def _(portal: Portal, clock: str) -> None:
    assert isinstance(portal.signs_in(clock, PHONE), SignedIn)


@when(parsers.parse("the ledger looks at {clock} for lockouts whose time is over"))
def _(portal: Portal, clock: str) -> None:
    login = login_of(portal.ledger.ids, "member-portal", "ada")
    assert end_lockouts(portal.ledger.log, portal.ledger.mapper, [login], at(clock)) == 1


@when(parsers.parse("Ada follows the link at {clock}"))
def _(portal: Portal, clock: str) -> None:
    portal.tell("unlocked", at(clock), by="link")


@when(parsers.parse("an agent unlocks the account at {clock}"))
def _(portal: Portal, clock: str) -> None:
    portal.tell("unlocked", at(clock), by="agent")


@then(parsers.parse("a stranger is locked out until {clock}"))
def _(portal: Portal, clock: str) -> None:
    assert [(lockout.device, lockout.until) for lockout in portal.lockouts()] == [(None, at(clock))]


@then(parsers.parse("Ada is locked out on her phone until {clock}"))
def _(portal: Portal, clock: str) -> None:
    phone = portal.ledger.ids.stream("device", "member-portal", PHONE)
    assert [(lockout.device, lockout.until) for lockout in portal.lockouts()] == [(phone, at(clock))]


@then(parsers.parse("at {clock} a stranger with the right password is refused"))
def _(portal: Portal, clock: str) -> None:
    refused = portal.signs_in(clock, STRANGERS)
    assert isinstance(refused, SignInFailed)
    assert (refused.cause, refused.verdict) == (Cause.LOCKED, "succeeded")


@then(parsers.parse("at {clock} a stranger with the right password signs in"))
def _(portal: Portal, clock: str) -> None:
    assert isinstance(portal.signs_in(clock, STRANGERS), SignedIn)


@then(parsers.parse("the lockout ended at {clock} because {why}"))
def _(portal: Portal, clock: str, why: str) -> None:
    ends = [(event.at, event.by) for event in portal.events() if isinstance(event, LockoutEnded)]
    assert ends == [(at(clock), ENDED[why])]


@then("nobody is locked out")
def _(portal: Portal) -> None:
    assert portal.lockouts() == []
