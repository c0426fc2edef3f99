"""A client's request is done once, however often and by how many it is sent."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.settings import Settings
from application.commands import IdempotencyConflict, Request, VersionMismatch, execute
from application.entries import Entry
from application.mapper import KeyDestroyed, Unreadable
from application.ports import DependencyDown
from composition import Ledger, open_ledger
from domain import payment
from domain.money import Money
from domain.request import Answer
from tests.given import damaged, rows, stream, value
from tests.unit.test_payment import initiated, posted, refunded

STREAM = stream("a payment")


def request(key: str, command: payment.Report | None = None, **otherwise: Any) -> Request:
    command = command or initiated()
    entry = {name: otherwise.pop(name) for name in ("stream", "subject") if name in otherwise}
    return Request(key, command.content, Entry(STREAM, payment, command)._replace(**entry), **otherwise)


def ask(ledger: Ledger, asked: Request) -> Any:
    return execute(ledger.log, ledger.mapper, ledger.keys, ledger.ids, asked)


def written(ledger: Ledger) -> list[str]:
    return [row["topic"] for row in rows(ledger.database, "SELECT topic FROM events ORDER BY notification_id")]


def test_a_request_and_its_answer_are_written_together(ledger: Ledger) -> None:
    assert ask(ledger, request("1")) == Answer(STREAM, 1, 1)
    assert ask(ledger, request("2", posted())) == Answer(STREAM, 2, 1)
    assert written(ledger) == ["payment.initiated:1", "request.answered:1", "payment.posted:1", "request.answered:1"]


def test_the_same_key_gets_the_original_answer_whatever_came_since(ledger: Ledger) -> None:
    first = ask(ledger, request("1", expected_version=0))
    ask(ledger, request("2", posted()))
    assert ask(ledger, request("1", expected_version=0)) == first == Answer(STREAM, 1, 1)
    assert len(written(ledger)) == 4


def test_what_is_known_already_is_answered_and_written_once(ledger: Ledger) -> None:
    ask(ledger, request("1"))
    assert ask(ledger, request("2")) == ask(ledger, request("2")) == Answer(STREAM, 1, 0)
    assert written(ledger) == ["payment.initiated:1", "request.answered:1", "request.answered:1"]


def test_the_same_key_for_something_else_is_a_conflict(ledger: Ledger) -> None:
    ask(ledger, request("1"))
    for other in (request("1", posted()), request("1", stream=stream("another"))):
        with pytest.raises(IdempotencyConflict):
            ask(ledger, other)
    assert len(written(ledger)) == 2


@pytest.mark.parametrize("expected", [0, 2])
def test_who_has_seen_another_version_is_told(ledger: Ledger, expected: int) -> None:
    ask(ledger, request("1", expected_version=0))
    with pytest.raises(VersionMismatch, match=f"expected version {expected}, the stream is at 1"):
        ask(ledger, request("2", posted(), expected_version=expected))
    assert ask(ledger, request("2", posted(), expected_version=1)).version == 2


def test_what_is_refused_is_not_kept_and_may_be_asked_for_again(ledger: Ledger) -> None:
    ask(ledger, request("1", posted(100)))
    too_much = request("2", refunded(101))
    assert [ask(ledger, too_much), ask(ledger, too_much)] == [payment.Refusal.OVER_REFUNDED] * 2
    assert ask(ledger, request("2", refunded(100))) == Answer(STREAM, 2, 1)


def test_a_history_that_cannot_be_read_and_a_key_that_is_destroyed_refuse_everything(ledger: Ledger) -> None:
    command, member = initiated(), stream("a member")
    sealing = payment.Report(
        content=command.content, payer_id="1", account=member, source="", said=command.said,
        personal=payment.References("py_1"),
    )  # fmt: skip
    ledger.keys.ensure({member})
    ledger.keys.destroy(member)
    with pytest.raises(KeyDestroyed):
        ask(ledger, request("1", sealing, subject=member))
    assert written(ledger) == []
    ask(ledger, request("1"))
    with damaged(ledger.log, STREAM), pytest.raises(Unreadable):
        ask(ledger, request("2", posted()))


def test_an_answer_that_was_lost_is_given_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    append = ledger.log.append

    def lost(batch: Any) -> int:
        append(batch)
        raise DependencyDown("after the commit")

    with monkeypatch.context() as broken:
        broken.setattr(ledger.log, "append", lost)
        with pytest.raises(DependencyDown):
            ask(ledger, request("1"))
    assert ask(ledger, request("1")) == Answer(STREAM, 1, 1)
    assert len(written(ledger)) == 2


@pytest.mark.parametrize("keys", [["1"] * 8, [str(number) for number in range(6)]], ids=["one key", "a key each"])
def test_who_asks_at_once_gets_one_thing_done(ledger: Ledger, settings: Settings, keys: list[str]) -> None:
    """Eight with one key get one answer; with a key each, whoever comes first does it, and the others hear of that."""
    together = threading.Barrier(len(keys))

    def send(key: str) -> Any:
        own = open_ledger(settings)
        together.wait()
        try:
            return ask(own, request(key))
        finally:
            own.close()

    with ThreadPoolExecutor(len(keys)) as pool:
        answers = list(pool.map(send, keys))
    assert {(answer.stream, answer.version) for answer in answers} == {(STREAM, 1)}
    assert sum(answer.events for answer in answers) == (len(keys) if len(set(keys)) == 1 else 1)
    assert sorted(written(ledger)) == ["payment.initiated:1"] + ["request.answered:1"] * len(set(keys))


def test_of_several_who_have_seen_the_same_version_one_gets_through(ledger: Ledger, settings: Settings) -> None:
    ask(ledger, request("0", posted(10_000)))
    together = threading.Barrier(6)

    def send(number: int) -> bool:
        own = open_ledger(settings)
        together.wait()
        try:
            ask(own, request(f"r{number}", refunded(Money(100), f"re_{number}"), expected_version=1))
        except VersionMismatch:
            return False
        finally:
            own.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(send, range(6))) == 1
    assert value(ledger.database, "SELECT max(originator_version) FROM events") == 2
