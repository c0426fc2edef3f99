"""Sign-ins over a real ledger: from the bytes of messages to events, rows and what the tool shows."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

from adapters.json_message.sign_in import translate
from adapters.settings import Settings
from application.identification import login_of
from application.intake import Outcome
from application.ports import Format, Message, Understood, VersionConflict
from application.sign_ins import end_lockouts, lock_of, request_of
from composition import Ledger, open_ledger
from domain.facts import StreamId
from domain.identity import LockedOut, LockoutEnded, SignInFailed
from domain.lockout import Lock
from domain.request import Answer
from domain.sign_in import By, Cause, Notice, Personal
from tests.given import rows
from tests.unit.notices import encoded
from tests.unit.sign_ins import SAID, minutes, of_member, sign_in


def take(ledger: Ledger, *messages: Any) -> list[Outcome]:
    """One batch."""
    outcomes = ledger.intake.handle([
        Message(f"portal.sign-ins/0@{at}", encoded(message), Format.JSON_SIGN_IN) for at, message in enumerate(messages)
    ])  # fmt: skip
    ledger.runner.catch_up()
    return outcomes


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [part.park.reason for outcome in outcomes for part in outcome.parked]


def fails(count: int, first: int = 0, **said: Any) -> list[Any]:
    """As many failures, a minute apart."""
    return [sign_in("sign_in_failed", f"F-{at}", minutes(at).isoformat(), **said) for at in range(first, first + count)]


def stream(ledger: Ledger) -> StreamId:
    return login_of(ledger.ids, "member-portal", "ada")


def notice(message: Any) -> Notice:
    [part] = translate(encoded(message))
    assert isinstance(part, Understood)
    assert isinstance(part.said, Notice)
    return part.said


def events(ledger: Ledger, of: StreamId | None = None) -> list[Any]:
    history = ledger.log.history(of or stream(ledger))
    return [ledger.mapper.load(recorded.stored) for recorded in history]


def topics(ledger: Ledger) -> list[str]:
    return [row["topic"] for row in rows(ledger.database, "SELECT topic FROM events ORDER BY notification_id")]


# --- from the bytes to the events


def test_whatever_a_portal_says_becomes_an_event(ledger: Ledger) -> None:
    outcomes = take(ledger, *(sign_in(kind, f"E-{at}") for at, kind in enumerate(SAID)))
    assert [(outcome.events, outcome.parked) for outcome in outcomes] == [(1, [])] * len(SAID)
    expected = [f"login.{kind}:1" for kind in SAID]
    assert topics(ledger) == [each.replace("login.unlocked", "login.lockout_ended") for each in expected]


def test_user_names_are_those_of_one_portal_whatever_their_case(ledger: Ledger) -> None:
    take(ledger, *fails(4), fails(5)[4] | {"user_name": " Ada".strip()})
    assert [type(event) for event in events(ledger)][-2:] == [SignInFailed, LockedOut]
    elsewhere = fails(1)[0] | {"portal_id": "dental"}
    assert take(ledger, elsewhere)[0].events == 1


def test_the_same_again_is_a_duplicate_and_otherwise_a_conflict(ledger: Ledger) -> None:
    [first] = fails(1)
    assert [each.duplicates for each in take(ledger, first, first)] == [0, 1]
    assert reasons(take(ledger, sign_in("sign_in_failed", "F-0", first["said"]["at"], cause="disabled"))) == [
        "login.conflict"
    ]


def test_what_cannot_be_read_is_parked_with_its_reason(ledger: Ledger) -> None:
    bad = [sign_in("signed_in") | {"user_name": ""}, sign_in("registered") | {"schema": 2}, sign_in("hacked")]
    bad.append(sign_in("registered") | {"user_name": "4111111111111111"})
    wrong = ["json.wrong_schema", "json.unknown_version", "json.wrong_schema", "login.account_number"]
    assert reasons(take(ledger, *bad)) == wrong
    assert [topic for topic in topics(ledger) if topic.startswith("login")] == []


def test_an_unknown_user_name_is_recorded_apart_and_locks_nobody(ledger: Ledger) -> None:
    unknown = [each | {"user_name": "ada"} for each in fails(50, cause="unknown_user")]
    assert [outcome.events for outcome in take(ledger, *unknown)] == [1] * 50
    assert events(ledger) == []
    assert {event.cause for event in events(ledger, ledger.ids.stream("unknown_login", stream(ledger)))} == {
        Cause.UNKNOWN_USER
    }


def test_names_and_addresses_are_sealed_under_the_accounts_key(ledger: Ledger) -> None:
    take(ledger, of_member(sign_in("sign_in_failed", device="Ada's phone")))
    [recorded] = ledger.log.history(stream(ledger))
    event = ledger.mapper.load(recorded.stored)
    assert ledger.mapper.unseal(recorded.stored, event) == Personal("ada", "203.0.113.7", "Ada's phone", "US")
    for told in (b"ada", b"203.0.113.7", b"phone", b'"US"', b"D-1", b"E-1", b"NHP100000001"):
        assert told not in recorded.stored.state
    ledger.keys.destroy(stream(ledger))
    assert ledger.mapper.unseal(recorded.stored, event) is None
    assert reasons(take(ledger, sign_in("registered", "E-2"))) == ["person.erased"]


# --- lockouts


def test_batches_and_restarts_do_not_matter(ledger: Ledger, settings: Settings) -> None:
    take(ledger, *fails(3))
    take(ledger, *fails(1, first=3))
    other = open_ledger(settings)
    take(other, *fails(1, first=4))
    other.close()
    [locked] = [event for event in events(ledger) if isinstance(event, LockedOut)]
    assert (locked.at, locked.until) == (minutes(4), minutes(19))
    take(ledger, *fails(1, first=5))  # the head that it keeps is stale by now
    assert events(ledger)[-1].cause is Cause.LOCKED


def test_how_many_failures_lock_is_a_setting(settings: Settings, ledger: Ledger) -> None:
    strict = open_ledger(settings.model_copy(update={"lockout_failures": 3, "lockout_minutes": 30}))
    take(strict, *fails(3))
    strict.close()
    [locked] = [event for event in events(ledger) if isinstance(event, LockedOut)]
    assert locked.until == locked.at + timedelta(minutes=30)


def test_fifty_failures_at_the_same_time_lock_once(ledger: Ledger, settings: Settings) -> None:
    together = threading.Barrier(50)

    def fail(number: int) -> Any:
        own = open_ledger(settings)
        failure = notice(sign_in("sign_in_failed", f"F-{number}", minutes(0).isoformat()))
        together.wait()
        while True:
            with suppress(VersionConflict):  # eight attempts were in vain; the portal asks again under the same key
                answer = own.execute(request_of(own.ids, f"attempt {number}", failure, own.lockout))
                own.close()
                return answer

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(fail, range(50)))
    assert all(isinstance(answer, Answer) for answer in answers)
    found = events(ledger)
    assert (len(found), [type(event) for event in found].count(LockedOut)) == (51, 1)
    assert [event.cause for event in found if isinstance(event, SignInFailed)] == (
        [Cause.WRONG_PASSWORD] * 5 + [Cause.LOCKED] * 45
    )


def test_the_portal_learns_whether_an_attempt_meets_a_lockout(ledger: Ledger) -> None:
    take(ledger, sign_in("signed_in", at=minutes(-60).isoformat()), *fails(5, device_id=None))
    asked = ledger.log, ledger.mapper, ledger.ids, "member-portal", "Ada"
    assert lock_of(*asked, "", minutes(5)) == Lock(minutes(4), minutes(19))
    assert lock_of(*asked, "D-2", minutes(5)) is not None
    assert lock_of(*asked, "D-1", minutes(5)) is None
    assert lock_of(*asked, "", minutes(19)) is None


def test_lockouts_whose_time_is_over_are_told_to_have_ended(ledger: Ledger) -> None:
    take(ledger, *fails(5))
    told = ledger.log, ledger.mapper, [stream(ledger)]
    assert [end_lockouts(*told, minutes(18)), end_lockouts(*told, minutes(60)), end_lockouts(*told, minutes(90))] == [
        0, 1, 0,
    ]  # fmt: skip
    assert events(ledger)[-1] == LockoutEnded(at=minutes(19), by=By.RAN_OUT)
    take(ledger, *fails(1, first=20))
    assert events(ledger)[-1].cause is Cause.WRONG_PASSWORD
