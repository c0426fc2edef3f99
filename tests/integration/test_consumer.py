"""From a topic to the log, with a real broker and a real database, while nothing breaks."""

import pytest

from composition import Ledger
from tests.broker import Broker
from tests.delivery import (
    assert_exactly_once,
    consuming,
    drain,
    produce,
    producing,
    remittances,
    rendered,
)


def test_messages_go_in_and_claims_come_out(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(1, 8)
    produce(broker.bootstrap, topic, rendered(messages))
    with consuming(ledger, broker.bootstrap, topic) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


@pytest.mark.kafka(partitions=4)
def test_each_partition_is_taken_in_to_its_own_end(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(2, 30)
    produce(broker.bootstrap, topic, rendered(messages), partitions=3)
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=7) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def test_a_consumer_goes_on_where_the_one_before_it_ended(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(3, 6)
    for part in (messages[:3], messages[3:]):
        produce(broker.bootstrap, topic, rendered(part))
        with consuming(ledger, broker.bootstrap, topic) as consumer:
            drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)


def test_a_tombstone_is_parked_as_empty_and_the_partition_goes_on(broker: Broker, topic: str, ledger: Ledger) -> None:
    messages = remittances(4, 2)
    first, second = rendered(messages)
    produce(broker.bootstrap, topic, [first, None, second])
    with consuming(ledger, broker.bootstrap, topic) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic, parked=1)
    [item] = ledger.log.parked_items()
    assert (item.reason, item.source) == ("message.empty", f"{topic}/0@1")


def test_holes_between_offsets_are_normal(broker: Broker, topic: str, ledger: Ledger) -> None:
    """Transactions leave markers at offsets of their own, and what was taken back is never read."""
    kept, aborted = remittances(5, 4), remittances(6, 3)
    values = rendered(kept)
    with producing(broker.bootstrap, transactional_id=topic) as producer:
        producer.init_transactions()
        for batch, commit in ((values[:2], True), (rendered(aborted), False), (values[2:3], True)):
            producer.begin_transaction()
            for value in batch:
                producer.send(topic, value, partition=0).get(timeout=20)
            if commit:
                producer.commit_transaction()
            else:
                producer.abort_transaction()
    produce(broker.bootstrap, topic, values[3:])
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=2) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, kept, broker.bootstrap, topic)


@pytest.mark.kafka(partitions=3)
def test_a_message_that_comes_three_times_is_posted_once(broker: Broker, topic: str, ledger: Ledger) -> None:
    """Again at once, again in another partition, and again when all of it was long taken in."""
    messages = remittances(7, 6)
    values = rendered(messages)
    produce(broker.bootstrap, topic, [value for value in values for _ in range(2)])
    produce(broker.bootstrap, topic, values, partitions=3)
    with consuming(ledger, broker.bootstrap, topic, max_poll_records=5) as consumer:
        drain(consumer, ledger, broker.bootstrap, topic)
        produce(broker.bootstrap, topic, values[::-1], partitions=3)
        drain(consumer, ledger, broker.bootstrap, topic)
    assert_exactly_once(ledger, messages, broker.bootstrap, topic)
