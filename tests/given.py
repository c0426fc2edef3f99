"""What several tests begin with."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.postgres.database import Database
from adapters.postgres.event_log import PostgresEventLog
from application.ids import Ids
from application.mapper import KeyDestroyed, KeyMissing, StoredEvent, WrongKey
from application.ports import Message
from domain.facts import StreamId
from samples import generator

IDS = Ids(bytes(range(32)))

PAYER = generator.PAYERS[0]
ADA = generator.Member("NHP100000001", "ADA", "ABERNOLT", date(1980, 1, 1))
BENITO = generator.Member("NHP100000002", "BENITO", "BRINDLEMAN", date(1981, 2, 2))
CARMEN = generator.Member("NHP100000003", "CARMEN", "CASTERWELL", date(1982, 3, 3))
MEMBERS = (ADA, BENITO, CARMEN)


def stream(name: str) -> StreamId:
    return IDS.stream("test", name)


def stored(name: str, version: int = 1, state: bytes = b"{}", topic: str = "test.happened:1") -> StoredEvent:
    return StoredEvent(stream(name), version, topic, state)


def rows(database: Database, sql: str, *parameters: object) -> list[dict[str, Any]]:
    with database.session() as cursor:
        return cursor.execute(sql, parameters).fetchall()


def value(database: Database, sql: str, *parameters: object) -> Any:
    [row] = rows(database, sql, *parameters)
    [found] = row.values()
    return found


def paid(number: str, member: generator.Member = ADA, *, cents: int = 8_000, status: str = "1") -> generator.Claim:
    """A claim of one line: 100 dollars charged, the rest of what is paid written off."""
    line = generator.Line(
        "99213",
        10_000,
        (generator.Adjustment("CO", "45", 10_000 - cents),),
        date(2026, 2, 2),
        f"PT{number}L1",
    )
    return generator.Claim(f"PT{number}", status, number, member, (line,))


def remittance(number: int, *claims: generator.Claim) -> generator.Remittance:
    """One payment; the number gives the trace number and the day."""
    paid_on = date(2026, 3, 1) + timedelta(days=number)
    return generator.Remittance(
        PAYER, generator.PAYEES[0], f"NHPT{number:09d}", paid_on, paid_on - timedelta(days=2), claims
    )


def message(*remittances: generator.Remittance, control: int = 1, source: str = "file:test") -> Message:
    """An interchange of them."""
    return Message(source, generator.render(remittances, control=control))


def messages(remittances: Sequence[generator.Remittance]) -> list[Message]:
    """An interchange for each, as if they came one after another from a topic."""
    return [message(each, control=at, source=f"topic/0@{at}") for at, each in enumerate(remittances, 1)]


def otherwise(claim: generator.Claim) -> generator.Claim:
    """The same posting with another reason for the same amount: whatever it adds up to stays as it is."""
    [line] = claim.lines
    [adjustment] = line.adjustments
    return replace(claim, lines=(replace(line, adjustments=(adjustment._replace(carc="131"),)),))


@contextmanager
def damaged(log: PostgresEventLog, damaged_stream: StreamId, version: int = 1) -> Iterator[None]:
    """While it lasts, an event of the stream is corrupt."""

    def write(state: bytes) -> None:
        with log.database.session() as cursor:
            cursor.execute("ALTER TABLE events DISABLE TRIGGER events_are_append_only")
            cursor.execute(
                "UPDATE events SET state = %s WHERE originator_id = %s AND originator_version = %s",
                [state, damaged_stream, version],
            )
            assert cursor.rowcount == 1
            cursor.execute("ALTER TABLE events ENABLE TRIGGER events_are_append_only")

    sound = log.history(damaged_stream)[version - 1].stored.state
    write(sound[:-1])
    yield
    write(sound)


class KeysInMemory:
    """The port of keys, as simple as it can be."""

    def __init__(self) -> None:
        self._ciphers: dict[str, AESGCM | None] = {}

    def ensure(self, subjects: Iterable[str]) -> set[str]:
        subjects = set(subjects)
        for subject in subjects:
            self._ciphers.setdefault(subject, AESGCM(AESGCM.generate_key(256)))
        return {subject for subject in subjects if self._ciphers[subject] is None}

    def seal(self, subject: str, plaintext: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher(subject).encrypt(nonce, plaintext, bound_to)

    def open(self, subject: str, sealed: bytes, bound_to: bytes) -> bytes:
        try:
            return self._cipher(subject).decrypt(sealed[:12], sealed[12:], bound_to)
        except (InvalidTag, ValueError):
            raise WrongKey(subject) from None

    def destroy(self, subject: str) -> None:
        self._cipher(subject)
        self._ciphers[subject] = None

    def _cipher(self, subject: str) -> AESGCM:
        if subject not in self._ciphers:
            raise KeyMissing(subject)
        cipher = self._ciphers[subject]
        if cipher is None:
            raise KeyDestroyed(subject)
        return cipher
