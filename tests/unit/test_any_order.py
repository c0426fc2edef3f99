"""Whatever the order in which a claim's messages arrive, it stands where the independent model says.

After each message, not only after the last: what has come so far is a set of messages too, of which the model knows the
truth. So a claim either stands right or says what it waits for, and resolves by itself.
"""

import random
from collections.abc import Iterable
from functools import cache
from itertools import permutations
from math import factorial
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.claim_notice.translate import translate as read_notice
from adapters.x12.translate import translate as read_x12
from application.identification import ClaimItem, Identification
from application.mapper import Encoded, Mapper
from application.ports import Format, Message, Understood
from consumers.messages import TOPICS, balanced
from domain import claim
from domain.adjudication import ClaimNumbers, Status
from domain.claim import Refusal
from domain.standing import POSTED, standing
from samples import lives
from samples.lives import STORIES, Life
from tests.given import IDS, KeysInMemory
from tests.model import Key, truth

PERMUTED_MAX = 6
SHUFFLES = 60

TRANSLATIONS = {Format.X12_835: balanced(read_x12), Format.JSON_CLAIM: balanced(read_notice)}
MAPPER = Mapper(KeysInMemory())
IDENTIFICATION = Identification(IDS, MAPPER)


def read(message: lives.Message) -> list[ClaimItem]:
    """What a message says of claims, as the ledger understands it."""
    format_ = TOPICS[message.topic]
    items: list[ClaimItem] = []
    for part in TRANSLATIONS[format_](message.value):
        assert isinstance(part, Understood), part
        items += IDENTIFICATION.unit(Message("test", message.value, format_), part).claims
    return items


def orders(life: Life) -> Iterable[tuple[int, ...]]:
    """All orders of arrival where there are few messages, else some."""
    numbers = list(range(len(life.messages)))
    if len(numbers) <= PERMUTED_MAX:
        return permutations(numbers)
    rng = random.Random(life.story)
    return [tuple(rng.sample(numbers, len(numbers))) for _ in range(SHUFFLES)]


def key_of(item: ClaimItem) -> Key:
    assert isinstance(item.event, Encoded)
    numbers, names = msgspec.json.decode(item.event.personal, type=ClaimNumbers), item.identify.names
    number = numbers.payer_claim_number or numbers.patient_control_number
    return item.identify.payer_id, number, names.member_id, names.given_name


def heard(state: claim.Claim, item: ClaimItem) -> claim.Claim:
    news = claim.is_news(state, item.identity, item.content)
    assert news in (True, False, Refusal.CONFLICT)
    assert isinstance(item.event, Encoded)
    event = MAPPER.decode(item.event)
    assert isinstance(event, claim.ClaimEvent)
    assert item.said == claim.said_by(event), "what is at hand is not what would be decoded"
    return claim.evolve(state, event) if news is True else state


def shown(state: claim.Claim) -> dict[str, Any]:
    """Where the ledger says that a claim stands, in the model's words."""
    stands = standing(state)
    return {
        "status": stands.status,
        "charge": stands.charge_cents,
        "paid": stands.paid_cents,
        "member": stands.member_cents,
        "cash": stands.cash_cents,
        "awaits": stands.awaits,
        "appeal": (stands.appeal, stands.appeal_level),
        "sequence": stands.payer_sequence,
        "facts": len(state.said),
    }


def check(life: Life) -> int:
    """Every claim after every message, in many orders of arrival; how many there were."""
    said = [read(message) for message in life.messages]

    @cache
    def expected(arrived: frozenset[int]) -> Any:
        return truth(life.messages[at] for at in arrived)["claims"]

    arrivals = list(orders(life))
    for order in arrivals:
        states: dict[Key, claim.Claim] = {}
        for arrived, number in enumerate(order, 1):
            for item in said[number]:
                states[key_of(item)] = heard(states.get(key_of(item), claim.INITIAL), item)
            for key in {key_of(item) for item in said[number]}:
                told, true = shown(states[key]), dict(expected(frozenset(order[:arrived]))[key])
                if true.pop("tied"):  # two payments of one day: either may be the last until one is taken back
                    assert true["awaits"] == "reversal"
                    told, true = ({name: each[name] for name in ("awaits", "cash", "facts")} for each in (told, true))
                assert told == true, order[:arrived]
    return len(arrivals)


@pytest.mark.parametrize("story", STORIES)
def test_every_kind_of_life(story: str) -> None:
    life = lives.life(7, list(STORIES).index(story), story)
    assert check(life) == factorial(len(life.messages)) if len(life.messages) <= PERMUTED_MAX else SHUFFLES


@given(st.integers(0, 2**32), st.sampled_from(sorted(STORIES)))
@settings(max_examples=300)
def test_where_nothing_is_open_the_final_action_is_the_money_that_moved(seed: int, story: str) -> None:
    life = lives.life(seed, 1, story)
    states: dict[Key, claim.Claim] = {}
    for item in (item for message in life.messages for item in read(message)):
        states[key_of(item)] = heard(states.get(key_of(item), claim.INITIAL), item)
        stands = standing(states[key_of(item)])
        is_open = stands.awaits or stands.status is Status.VOIDED
        if not is_open and all(said.is_remitted for said in states[key_of(item)].said if said.kind in POSTED):
            assert stands.paid_cents == stands.cash_cents


@given(st.integers(0, 2**32), st.integers(0, 999_999), st.sampled_from(sorted(STORIES)))
@settings(max_examples=300)
def test_any_life(seed: int, number: int, story: str) -> None:
    check(lives.life(seed, number, story))
