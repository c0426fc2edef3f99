"""The broker that the other tests rely on."""

from contextlib import closing

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

from tests.broker import MESSAGE_BYTES_MAX, Broker, ForeignBroker


def produce(broker: Broker, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, max_request_size=MESSAGE_BYTES_MAX)
    for value in values:
        producer.send(topic, value).get(timeout=20)
    producer.close()


def consume(broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id=topic,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )
    values = [message.value for _, message in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def test_what_is_produced_is_consumed(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"first", b"second")
    assert consume(broker, topic, 2) == [b"first", b"second"]


def test_a_message_may_be_many_megabytes(broker: Broker, topic: str) -> None:
    large = b"x" * (MESSAGE_BYTES_MAX - 1024)
    produce(broker, topic, large)
    assert consume(broker, topic, 1) == [large]


@pytest.mark.kafka(partitions=3)
def test_a_topic_has_the_partitions_that_the_test_asks_for(broker: Broker, topic: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap)) as admin:
        [description] = admin.describe_topics([topic])
    assert len(description["partitions"]) == 3


def test_messages_and_address_survive_an_outage(broker: Broker, topic: str) -> None:
    if isinstance(broker, ForeignBroker):
        pytest.skip("not our broker")
    produce(broker, topic, b"before")
    broker.stop()
    broker.start()
    produce(broker, topic, b"after")
    assert consume(broker, topic, 2) == [b"before", b"after"]
