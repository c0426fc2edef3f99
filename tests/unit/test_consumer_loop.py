"""What the poll loop does where the broker fails it at an awkward moment. With the real broker: tests/integration."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import structlog

from application.intake import Outcome
from application.ports import DependencyDown, Format, Message, OffsetAdvance
from consumers.loop import Consumer, Partition, Record


class Broker:
    """A topic of one partition, whose client goes on behind what it has handed out."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.at = 0
        self.is_down = False
        self.assigned: set[Partition] = {("t", 0)}

    def poll(self, timeout_s: float) -> Sequence[Record]:
        if self.assigned:
            return []
        records = [Record("t", 0, offset, b"") for offset in range(self.at, min(self.at + 2, self.messages))]
        self.at += len(records)
        return records

    def take_assigned(self) -> set[Partition]:
        assigned, self.assigned = self.assigned, set()
        return assigned

    def topic_id(self, topic: str) -> str | None:
        if self.is_down:
            raise DependencyDown("Kafka")
        return "id"

    def start_at(self, partition: Partition, offset: int) -> None:
        self.at = offset

    def stop(self, partition: Partition) -> None: ...

    def commit(self, offsets: Mapping[Partition, int]) -> None: ...


class Ledger:
    """Takes everything in, and minds its position."""

    def __init__(self) -> None:
        self.position = 0
        self.sources: list[str] = []

    def handle(self, messages: Sequence[Message], offsets: Sequence[OffsetAdvance]) -> list[Outcome]:
        [advance] = offsets
        assert advance.expected == self.position
        self.position = advance.next
        self.sources += [message.source for message in messages]
        return [Outcome() for _ in messages]

    def next_offset(self, topic_id: str, topic: str, partition: int) -> int:
        return self.position

    def alarm(self, topic_id: str, partition: int, alarm: str | None) -> None: ...


def test_records_that_were_polled_when_the_broker_failed_are_polled_again() -> None:
    broker, ledger = Broker(messages=6), Ledger()
    intake: Any = ledger
    consumer = Consumer(broker, intake, ledger, {"t": Format.X12_835}, structlog.get_logger())
    consumer.step()  # is assigned
    assert consumer.step() == 2
    broker.is_down = True  # after the poll, when the topic's id is asked
    with pytest.raises(DependencyDown):
        consumer.step()
    broker.is_down = False
    while ledger.position < broker.messages:
        consumer.step()
    assert ledger.sources == [f"t/0@{offset}" for offset in range(6)]
