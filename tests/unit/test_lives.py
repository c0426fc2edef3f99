"""Generated lives of claims are what they promise to be: they are what the any-order tests and the nemesis stand on."""

import random
from collections import Counter
from datetime import UTC

import pytest

from adapters.claim_notice.translate import translate as read_notice
from adapters.x12.translate import translate as read_x12
from application.ports import NotUnderstood, Understood
from consumers.messages import balanced
from domain.adjudication import Status
from domain.claim import Awaited, Kind, Notice, Outcome, Reported
from domain.remittance import Remittance
from samples import lives
from samples.lives import ADJUDICATIONS, REMITTANCES, STORIES, Life, Message
from tests.model import truth

READ = {REMITTANCES: balanced(read_x12), ADJUDICATIONS: balanced(read_notice)}


def understood(message: Message) -> list[Understood | NotUnderstood]:
    return list(READ[message.topic](message.value))


def read(message: Message) -> list[Understood]:
    """A message of a life, of which everything is understood."""
    return [part for part in understood(message) if isinstance(part, Understood)]


def many(seeds: int = 4) -> list[Life]:
    return [life for seed in range(seeds) for life in lives.lives(seed, len(STORIES))]


def test_a_seed_gives_the_same_bytes_again_and_another_seed_gives_others() -> None:
    assert list(lives.lives(5, 20)) == list(lives.lives(5, 20))
    assert list(lives.lives(5, 20)) != list(lives.lives(6, 20))
    assert list(lives.bulk_messages(5, 50)) == list(lives.bulk_messages(5, 50))


@pytest.mark.parametrize("story", STORIES)
def test_every_message_is_understood_and_balances(story: str) -> None:
    for seed in range(5):
        for message in lives.life(seed, 3, story).messages:
            assert all(isinstance(part, Understood) for part in understood(message))


def test_a_life_names_the_claims_that_it_speaks_of_and_no_two_lives_share_one() -> None:
    told = list(lives.lives(1, 3 * len(STORIES)))
    for life in told:
        assert set(truth(life.messages)["claims"]) == set(life.claims)
    claims = [claim for life in told for claim in life.claims]
    assert len(set(claims)) == len(claims)
    assert len({(claim.payer_id, claim.number) for claim in claims}) == len(claims)


def test_lives_reach_every_status_and_wait_for_everything() -> None:
    stands = [each for life in many(6) for each in truth(life.messages)["claims"].values()]
    assert {each["status"] for each in stands} >= set(Status)
    assert {each["awaits"] for each in stands} == {"", "original", "reversal", *Awaited}
    assert {each["appeal"][0] for each in stands} == {"", "disputed", "appealed", *Outcome}
    assert {each["sequence"] for each in stands} == {0, 1, 2, 3}


def test_lives_say_everything_that_can_be_said() -> None:
    said = [part.said for life in many(2) for message in life.messages for part in read(message)]
    notices = [notice.said for notice in said if isinstance(notice, Notice)]
    postings = {Kind.ADJUDICATED, Kind.REVERSED, Kind.FORWARDED, Kind.PREDETERMINED}
    assert {report.kind for report in notices if isinstance(report, Reported)} == set(Kind) - postings
    claims = [claim for each in said if isinstance(each, Remittance) for claim in each.claims]
    codes = {claim.adjudication.status_code for claim in claims}
    assert codes == {"1", "2", "3", "4", "19", "20", "22", "23", "25"}


def test_lives_hold_what_is_rare() -> None:
    """Leap days, claims without a day or without the payer's number, evenings that are tomorrow in UTC, balances."""
    told = many(8)
    values = b"".join(message.value for life in told for message in life.messages)
    assert b"DTM*472*20240229" in values
    assert any(bill[3] == "" for life in told for bill in truth(life.messages)["bills"])
    assert any(claim.number.startswith("PT") for life in told for claim in life.claims)
    said = [part.said for life in told for message in life.messages for part in read(message)]
    notices = [notice.said for notice in said if isinstance(notice, Notice)]
    moments = [report.at for report in notices if isinstance(report, Reported)]
    assert any(at.astimezone(UTC).date() > at.date() for at in moments)
    reasons = {balance[2] for life in told for balance in truth(life.messages)["outstanding"]}
    assert reasons == {"WO", "FB"}


def test_nearly_all_lives_are_short_enough_to_be_tried_in_every_order() -> None:
    lengths = [len(life.messages) for life in many()]
    assert sum(length <= 6 for length in lengths) > 0.9 * len(lengths)
    assert max(lengths) == 12


def test_bad_messages_are_parked_for_their_reasons() -> None:
    for number in range(20):
        for reason, message in lives.bad_messages(random.Random(number), number).items():
            [part] = understood(message)
            assert isinstance(part, NotUnderstood)
            assert part.reason == reason
            assert truth([message])["parked"] == {reason: 1}


def test_the_mix_for_measurements_has_its_shares() -> None:
    messages = list(lives.bulk_messages(1, 2000))
    kinds: Counter[str] = Counter()
    for message in messages:
        for part in understood(message):
            if isinstance(part, NotUnderstood):
                kinds["bad"] += 1
            elif message.topic == ADJUDICATIONS:
                kinds["status"] += 1
            else:
                codes = {claim.adjudication.status_code for claim in part.remittance.claims}
                kinds["reversal" if "22" in codes else "remittance"] += 1
    shares = {kind: count / len(messages) for kind, count in kinds.items()}
    assert shares == pytest.approx({"status": 0.40, "remittance": 0.45, "reversal": 0.10, "bad": 0.05}, abs=0.03)
