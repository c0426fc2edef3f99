"""The messages that measurements send are good ones: what is measured is work, not refusals."""

from collections import Counter

from application.ports import Message
from benchmarks.portal import portal_mix
from composition import Ledger
from consumers.messages import TOPICS
from samples.portal import enrolments, payments, sign_ins
from tests.given import value
from tests.told import said_once


def test_of_all_that_a_portal_lives_on_only_the_bad_claims_are_parked(ledger: Ledger) -> None:
    messages = portal_mix(400)
    assert Counter(message.topic for message in messages).keys() == {
        "payer.remittances",
        "payer.adjudications",
        "portal.sign-ins",
        "payments",
        "coverage.changes",
    }
    sent = [Message(f"{each.topic}/0@{at}", each.value, TOPICS[each.topic]) for at, each in enumerate(messages)]
    outcomes = ledger.intake.handle(sent)
    parked = {
        (message.topic, part.park.reason)
        for message, outcome in zip(messages, outcomes, strict=True)
        for part in outcome.parked
    }
    assert {topic for topic, _ in parked} <= {"payer.remittances", "payer.adjudications"}, parked
    ledger.runner.catch_up()
    assert value(ledger.database, "SELECT count(*) FROM projection_fault") == 0
    for table in ("claim_status", "payments", "login_activity", "coverage_facts"):
        assert value(ledger.database, f"SELECT count(*) FROM {table}") > 0


def test_what_portals_and_their_neighbours_say_is_in_the_log_once_and_what_is_missing_is_told(ledger: Ledger) -> None:
    messages = [*sign_ins(1, 12, accounts=2), *payments(1, 6, members=2), *enrolments(1, 4, members=2)]
    sent = [Message(f"{each.topic}/0@{at}", each.value, TOPICS[each.topic]) for at, each in enumerate(messages)]
    ledger.intake.handle(sent[:-1] + sent[:5])
    assert said_once(ledger, messages[:-1]) == []
    [missing] = said_once(ledger, messages)
    assert missing.endswith("is in the log 0 times")
    [unsaid] = said_once(ledger, messages[1:-1])
    assert unsaid.endswith("nobody said it")
