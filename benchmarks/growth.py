"""What a ledger's size costs: the pace of one stream of messages through a small ledger and through one a hundred times
as large, and how long questions take then.

The same processes go on from the first message to the last. Messages come in rounds, and rounds are compared.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from statistics import median
from typing import LiteralString

import psycopg

from adapters.cli.claims import find
from adapters.cli.members import accounts_of
from adapters.cli.story import story
from benchmarks.mixed import messages_of, mix
from benchmarks.pipeline import Pipeline, running
from benchmarks.place import Place
from benchmarks.report import Figure, percentile, progress
from composition import Ledger
from consumers.messages import TOPICS
from domain.window import thirty_six_months
from projections.account_queries import ACCOUNT, BALANCE
from samples.lives import ADJUDICATIONS, REMITTANCES, Message

GROWN_CLAIMS = 1_000_000
GROWN_CLAIMS_MIN = 1_000
SMALLER = 100
ROUNDS = 3
ROUND_MESSAGES = 20_000
EVENTS_PER_CLAIM = 3
"""Of the mix with accounts: a ledger of so many fewer claims holds as many events as the large one holds claims"""
QUESTIONS = 2_000
WARM_UP = 100
WINDOW = thirty_six_months(date(2026, 3, 31))
"""All of the mix was served in it"""

BILLED = """
SELECT DISTINCT member_id FROM people JOIN claim_status USING (person_id) JOIN journal USING (bill_id) ORDER BY 1
"""
"""Members of whom accounts tell anything"""


def growth(where: Place, claims: int) -> Iterator[Figure]:
    """Small and large take turns, since the machine's own speed drifts by more than what is looked for."""
    small, large = [], []
    with where.ledger() as ledger:
        with stream(where, ledger, claims) as long:
            for _ in range(ROUNDS):
                with where.ledger() as young, stream(where, young, claims // SMALLER) as short:
                    small.append(short.pace())
                long.pace()  # not counted: a database was dropped, and so what is changed first is written whole
                large.append(long.pace())
                progress(f"small {small[-1]:,.0f} messages/s, large {large[-1]:,.0f}")
        progress("questions")
        vacuum(ledger)
        yield from of_claims(ledger)
    yield Figure("growth_small", median(small), "messages/s")
    yield Figure("growth_large", median(large), "messages/s")
    yield Figure("growth_ratio", median(b / a for a, b in zip(small, large, strict=True)), "ratio")
    with where.ledger() as ledger:
        with stream(where, ledger, claims // EVENTS_PER_CLAIM, accounts=True):
            progress("questions about accounts")
        vacuum(ledger)
        yield from of_accounts(ledger)


@dataclass
class Stream:
    """Messages through one ledger, in the mix that payers send. Its processes stay the same from first to last."""

    where: Place
    pipeline: Pipeline
    topics: Mapping[str, str]
    """Where the messages of each inbound topic go"""
    messages: Iterator[Message]
    taken: int = 0

    def pace(self, count: int = ROUND_MESSAGES) -> float:
        """Take in the next messages; how many a second, from when they all lie in their topics."""
        messages = list(islice(self.messages, count))
        with self.pipeline.paused():
            for topic, name in self.topics.items():
                self.where.send(name, [message.value for message in messages if message.topic == topic])
        self.taken += len(messages)
        return self.pipeline.passage(self.taken, len(messages)).units_per_s


@contextmanager
def stream(where: Place, ledger: Ledger, claims: int, *, accounts: bool = False) -> Iterator[Stream]:
    """One that has made so many claims."""
    with ExitStack() as stack:
        topics = {topic: stack.enter_context(where.topic()) for topic in (REMITTANCES, ADJUDICATIONS)}
        formats = {topics[topic]: TOPICS[topic] for topic in topics}
        pipeline = stack.enter_context(running(where, ledger, formats, accounts=accounts))
        made = Stream(where, pipeline, topics, mix(claims, more=2 * ROUNDS * ROUND_MESSAGES))
        while left := messages_of(claims) - made.taken:
            per_s = made.pace(min(left, ROUND_MESSAGES))
            progress(f"a ledger of {claims:,} claims, {made.taken:,} messages: {per_s:,.0f} messages/s")
        yield made


def vacuum(ledger: Ledger) -> None:
    """As the server does by itself, and has begun to: not while questions are asked."""
    with psycopg.connect(ledger.database.dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def of_claims(ledger: Ledger) -> Iterator[Figure]:
    """What `history MEMBER` and `claim ID` ask."""
    members = _column(ledger, "SELECT DISTINCT member_id FROM people ORDER BY 1")
    claims = _column(ledger, "SELECT claim_id::text FROM claim_status WHERE random() < 0.05")

    def history(member: str) -> bool:
        return bool(find(ledger, member=member, first_day=WINDOW.first, last_day=WINDOW.last))

    def claim(claim_id: str) -> bool:
        with ledger.database.snapshot():
            [found] = find(ledger, claim_id=claim_id, limit=2)
            return bool(story(ledger, found["claim_id"], None))

    yield from _asked("history", history, members)
    yield from _asked("claim", claim, claims)


def of_accounts(ledger: Ledger) -> Iterator[Figure]:
    """What `balance MEMBER` and `account MEMBER` ask."""
    members = _column(ledger, BILLED)

    def money(question: str, member: str) -> bool:
        with ledger.database.snapshot():
            asked = {"member": member, "accounts": accounts_of(ledger, member), "as_of": None, "known_at": None}
            with ledger.database.session() as cursor:
                return bool(cursor.execute(question, asked).fetchall())

    yield from _asked("balance", partial(money, BALANCE), members)
    yield from _asked("account", partial(money, ACCOUNT), members)


def _column(ledger: Ledger, sql: LiteralString) -> list[str]:
    with ledger.database.session() as cursor:
        return [value for row in cursor.execute(sql) for value in row.values()]


def _asked(name: str, ask: Callable[[str], bool], known: Sequence[str]) -> Iterator[Figure]:
    """Over a connection that is open, of members or claims at random."""
    rng = random.Random(1)
    took_ms = [_took_ms(ask, rng.choice(known)) for _ in range(WARM_UP + QUESTIONS)][WARM_UP:]
    for share in (50, 99):
        yield Figure(f"query_{name}_p{share}", percentile(took_ms, share), "ms")


def _took_ms(ask: Callable[[str], bool], what: str) -> float:
    began = time.perf_counter()
    assert ask(what), "what the ledger holds is not found"
    return (time.perf_counter() - began) * 1000
