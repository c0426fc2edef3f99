"""The parts of the ledger by themselves, in this process: each gives its rate a second."""

import time
from collections.abc import Sequence
from uuid import uuid4

import psycopg

from adapters.postgres.event_log import PostgresEventLog
from adapters.x12.translate import translate
from application.mapper import StoredEvent
from application.ports import Batch, Message, Understood
from benchmarks.place import Place
from composition import Ledger
from consumers.messages import balanced

APPEND_EVENTS = 2_000
INTAKE_MESSAGES = 64


def parse(messages: Sequence[bytes]) -> float:
    """Bytes to balanced remittances: claims/s."""
    understand = balanced(translate)
    claims, began = 0, time.monotonic()
    for message in messages:
        for part in understand(message):
            assert isinstance(part, Understood), "a message of the benchmark is not understood"
            claims += len(part.remittance.claims)
    return claims / (time.monotonic() - began)


def intake(place: Place, messages: Sequence[bytes]) -> float:
    """Bytes to committed events, without a broker and without accounts: claims/s."""
    claims = 0
    with place.ledger() as ledger:
        ledger.accounts = False
        began = time.monotonic()
        for at in range(0, len(messages), INTAKE_MESSAGES):
            batch = [Message(f"bench/0@{at}", message) for message in messages[at : at + INTAKE_MESSAGES]]
            claims += sum(outcome.claims for outcome in ledger.intake.handle(batch))
        return claims / (time.monotonic() - began)


def append(place: Place, full: Ledger, events_max: int) -> float:
    """The log alone, with claim events of a full ledger given to new streams: events/s."""
    with full.database.session() as cursor:
        cursor.execute(
            "SELECT topic, state FROM events WHERE topic LIKE 'claim.%%' ORDER BY notification_id LIMIT %s",
            [events_max],
        )
        events = [StoredEvent(str(uuid4()), 1, row["topic"], bytes(row["state"])) for row in cursor]
    batches = [Batch(events=events[at : at + APPEND_EVENTS]) for at in range(0, len(events), APPEND_EVENTS)]
    with place.ledger() as ledger:
        log: PostgresEventLog = ledger.log
        began = time.monotonic()
        for batch in batches:
            log.append(batch)
        return len(events) / (time.monotonic() - began)


def project(place: Place, full: Ledger) -> float:
    """The whole log of a full ledger folded from zero by the runner: events/s."""
    with place.ledger(full.settings.keys) as ledger:
        with psycopg.connect(full.database.dsn) as source, psycopg.connect(ledger.database.dsn) as target:
            target.execute("DELETE FROM head")
            for copied in ("head", "events"):
                with (
                    source.cursor().copy(f"COPY {copied} TO STDOUT") as rows,
                    target.cursor().copy(f"COPY {copied} FROM STDIN") as into,
                ):
                    for row in rows:
                        into.write(row)
        with psycopg.connect(ledger.database.dsn, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        began = time.monotonic()
        return ledger.runner.catch_up() / (time.monotonic() - began)
