"""What a ledger's size costs: the same traffic and the same questions in a small ledger and in one a hundred times as
large."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from statistics import median
from typing import NamedTuple

import psycopg

import application.ports
from adapters.cli.claims import find
from adapters.cli.story import story
from benchmarks.floor import floor
from benchmarks.mixed import messages_of, mix, sent
from benchmarks.pipeline import end_to_end
from benchmarks.place import Place
from benchmarks.report import Figure, percentile, progress
from composition import Ledger
from consumers.messages import TOPICS
from domain.window import thirty_six_months
from samples.lives import Message

GROWN_CLAIMS = 1_000_000
GROWN_CLAIMS_MIN = 1_000
SMALLER = 100
ROUNDS = 3
ROUND_MESSAGES = 20_000
BATCH_MESSAGES = 1_000
QUESTIONS = 2_000
WARM_UP = 100
WINDOW = thirty_six_months(date(2026, 3, 31))
"""All of the mix was served in it"""


def growth(where: Place, claims: int) -> Iterator[Figure]:
    """Rates are compared as ratios to the floor of the same minute: minutes of filling lie between the two."""
    small: list[Pace] = []
    for _ in range(ROUNDS):
        with grown(where, claims // SMALLER) as (ledger, following):
            small.append(pace(where, ledger, following))
    with grown(where, claims) as (ledger, following):
        large = [pace(where, ledger, following) for _ in range(ROUNDS)]
        progress("questions")
        yield from questions(ledger)
    for name, paces in (("growth_small", small), ("growth_large", large)):
        yield Figure(name, median(p.per_s for p in paces), "messages/s", median(p.to_floor for p in paces))
    yield Figure("growth_ratio", median(p.to_floor for p in large) / median(p.to_floor for p in small), "ratio")


@contextmanager
def grown(where: Place, claims: int) -> Iterator[tuple[Ledger, Iterator[Message]]]:
    """A ledger of so many claims, and the messages that follow."""
    progress(f"a ledger of {claims:,} claims")
    messages = mix(claims, more=ROUNDS * ROUND_MESSAGES)
    first = islice(messages, messages_of(claims))
    with where.ledger() as ledger:
        while batch := list(islice(first, BATCH_MESSAGES)):
            ledger.intake.handle([application.ports.Message("fill", m.value, TOPICS[m.topic]) for m in batch])
        ledger.runner.catch_up()
        with psycopg.connect(ledger.database.dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")  # as the server does by itself in the time that such a ledger takes
        yield ledger, messages


class Pace(NamedTuple):
    per_s: float
    to_floor: float


def pace(where: Place, ledger: Ledger, following: Iterator[Message]) -> Pace:
    """Of the pipeline, for the next messages."""
    ledger.projection_store.close()  # the pipeline has a projector of its own
    with sent(where, list(islice(following, ROUND_MESSAGES))) as traffic:
        base = traffic.messages / floor(where, traffic.formats, traffic.messages)["took_s"]
        per_s = end_to_end(where, ledger, traffic).units_per_s
    progress(f"{per_s:,.0f} messages/s, {per_s / base:.3f} of the floor")
    return Pace(per_s, per_s / base)


def questions(ledger: Ledger) -> Iterator[Figure]:
    """What `history MEMBER` and `claim ID` ask, over a connection that is open, for members and claims at random."""
    rng = random.Random(1)
    with ledger.database.session() as cursor:
        members = [row["member_id"] for row in cursor.execute("SELECT DISTINCT member_id FROM people ORDER BY 1")]
        cursor.execute("SELECT claim_id::text FROM claim_status WHERE random() < 0.05")
        claims = [row["claim_id"] for row in cursor]

    def history(member: str) -> bool:
        return bool(find(ledger, member=member, first_day=WINDOW.first, last_day=WINDOW.last))

    def claim(claim_id: str) -> bool:
        [found] = find(ledger, first_id=claim_id, last_id=claim_id, limit=2)
        return bool(story(ledger, found["claim_id"], None))

    for name, ask, known in (("history", history, members), ("claim", claim, claims)):
        took_ms = [_took_ms(ask, rng.choice(known)) for _ in range(WARM_UP + QUESTIONS)][WARM_UP:]
        for share in (50, 99):
            yield Figure(f"query_{name}_p{share}", percentile(took_ms, share), "ms")


def _took_ms(ask: Callable[[str], bool], what: str) -> float:
    began = time.perf_counter()
    assert ask(what), "what the ledger holds is not found"
    return (time.perf_counter() - began) * 1000
