"""Whole lives of claims through the real intake and projections: shuffled, repeated, in batches of any size.

One database for many lives: whatever is said of one claim must leave all others alone.
"""

import random

import pytest

from application.ports import Message
from composition import Ledger
from consumers.messages import TOPICS
from samples import lives
from samples.lives import STORIES
from tests.delivery import assert_books_hold, assert_projections_replay
from tests.given import value
from tests.model import truth
from tests.told import differences, told

BATCH_MAX = 12


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_lives_at_once_in_any_order_stand_where_the_model_says(seed: int, ledger: Ledger) -> None:
    rng = random.Random(seed)
    sent = [message for life in lives.lives(seed, 2 * len(STORIES)) for message in life.messages]
    sent += lives.bad_messages(rng, 2 * len(STORIES)).values()
    sent += rng.choices(sent, k=len(sent) // 3)
    rng.shuffle(sent)
    arrived = [Message(f"{m.topic}/0@{at}", m.value, TOPICS[m.topic]) for at, m in enumerate(sent)]
    while arrived:
        batch, arrived = arrived[: (size := rng.randint(1, BATCH_MAX))], arrived[size:]
        ledger.intake.handle(batch)
        if rng.random() < 0.2:
            ledger.runner.catch_up()
    ledger.runner.catch_up()
    expected = truth(sent)
    assert not differences(told(ledger, expected["bills"]), expected)
    assert_projections_replay(ledger)
    assert value(ledger.database, "SELECT count(*) FROM entries WHERE account LIKE 'owed.%%'") > 100


def test_in_their_right_order_they_stand_there_as_well(ledger: Ledger) -> None:
    sent = [message for life in lives.lives(4, len(STORIES)) for message in life.messages]
    for at, message in enumerate(sent):
        ledger.intake.handle([Message(f"{message.topic}/0@{at}", message.value, TOPICS[message.topic])])
    ledger.runner.catch_up()
    expected = truth(sent)
    assert not differences(told(ledger, expected["bills"]), expected)
    assert_books_hold(ledger)
