"""Topics as a source of messages. The group's own offsets serve its tools; the ledger's positions are the truth."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
)
from kafka.structs import OffsetAndMetadata

from application.ports import DependencyDown
from consumers.loop import OutOfRange, Partition, Record

BATCH_BYTES = 800_000
"""Of a poll, about: what a batch costs once is shared by many messages, and memory stays bounded"""
POLL_RECORDS_MAX = 1_000
POLL_RECORDS = 32
"""Of a first poll, before anything is known of their size"""
RECONNECT_MS_MAX = 1_000
"""The clients' own limit of half a minute would be added to every longer outage of a broker"""
BOOTSTRAP_MS = 5_000
"""Whoever starts a command hears soon that no broker answers; processes are started again by whatever runs them"""
NO_TOPIC = "00000000-0000-0000-0000-000000000000"


class KafkaSource:
    """Implements the loop's Source. Not thread-safe, like the client below it."""

    def __init__(self, bootstrap: str, topics: Sequence[str], group: str, **settings: Any) -> None:
        self._assigned: set[Partition] = set()
        self._poll_records: int = settings.get("max_poll_records", POLL_RECORDS)
        self._adapts = "max_poll_records" not in settings
        with _down_is_named():
            self._admin = _admin(bootstrap)
            self._consumer = KafkaConsumer(
                **{
                    "bootstrap_servers": bootstrap,
                    "client_id": "member-ledger",
                    "group_id": group,
                    "enable_auto_commit": False,
                    "auto_offset_reset": "none",  # out of range must be seen, never skipped
                    "isolation_level": "read_committed",
                    "allow_auto_create_topics": False,
                    "max_partition_fetch_bytes": 4 * 1024 * 1024,
                    "fetch_max_bytes": 16 * 1024 * 1024,
                    "metadata_max_age_ms": 30_000,
                    "reconnect_backoff_max_ms": RECONNECT_MS_MAX,
                    "bootstrap_timeout_ms": BOOTSTRAP_MS,
                }
                | settings
            )
            self._consumer.subscribe(list(topics), listener=_Listener(self._consumer, self._assigned))

    def poll(self, timeout_s: float) -> list[Record]:
        try:
            with _down_is_named():
                self._settle_join()
                polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=self._poll_records)
        except NoOffsetForPartitionError:  # newly assigned: the loop will tell where to begin
            return []
        except OffsetOutOfRangeError as error:
            raise OutOfRange([(where.topic, where.partition) for where in error.args[0]]) from None
        except LogTruncationError as error:  # what the broker has before our position is not what we read
            raise OutOfRange([(where.topic, where.partition) for where in error.divergent_offsets]) from None
        found = [
            Record(record.topic, record.partition, record.offset, record.value or b"")
            for records in polled.values()
            for record in records
        ]
        if found and self._adapts:
            self._poll_records = poll_records([record.value for record in found])
        return found

    def _settle_join(self) -> None:
        """A join that a change of partitions began is forgotten by the client (3.0.12) if a poll ends before the join
        does: it would neither read nor send heartbeats ever again. Remind it."""
        coordinator = self._consumer._coordinator
        if coordinator.rejoining and not coordinator.need_rejoin():
            coordinator.request_rejoin()

    def take_assigned(self) -> set[Partition]:
        assigned = set(self._assigned)
        self._assigned.clear()
        return assigned

    def topic_id(self, topic: str) -> str | None:
        with _down_is_named():
            described = self._admin.describe_topics([topic])
        topic_id = str(described[0].get("topic_id") or NO_TOPIC) if described else NO_TOPIC
        return None if topic_id == NO_TOPIC else topic_id

    def start_at(self, partition: Partition, offset: int) -> None:
        where = TopicPartition(*partition)
        if where in self._consumer.assignment():
            self._consumer.seek(where, offset)
            self._consumer.resume(where)

    def stop(self, partition: Partition) -> None:
        where = TopicPartition(*partition)
        if where in self._consumer.assignment():
            self._consumer.pause(where)

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the group how far the ledger is. A failure costs nothing but a stale figure in its tools."""
        mine = self._consumer.assignment()
        known = {TopicPartition(*p): OffsetAndMetadata(at, "", -1) for p, at in offsets.items()}
        if known := {where: at for where, at in known.items() if where in mine}:
            with suppress(KafkaError):
                self._consumer.commit_async(known)

    def close(self) -> None:
        self._consumer.close(autocommit=False)
        self._admin.close()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Runs inside the poll, where it would block heartbeats: it only notes what has to be positioned."""

    def __init__(self, consumer: Any, assigned: set[Partition]) -> None:
        self._consumer = consumer
        self._assigned = assigned

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        self._consumer.pause(*assigned)
        self._assigned.update((where.topic, where.partition) for where in assigned)

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        self._assigned.difference_update((where.topic, where.partition) for where in revoked)


def poll_records(values: Sequence[bytes]) -> int:
    """How many messages of this size are a batch."""
    mean_bytes = sum(map(len, values)) // len(values)
    return max(1, min(POLL_RECORDS_MAX, BATCH_BYTES // max(1, mean_bytes)))


def create_topics(bootstrap: str, topics: Sequence[str], partitions: int = 6) -> None:
    """Make the inbound topics that are not there yet."""
    with _down_is_named():
        admin = _admin(bootstrap)
        try:
            present = {described["name"] for described in admin.describe_topics()}
            layout = {"num_partitions": partitions, "replication_factor": -1}
            if missing := {topic: layout for topic in topics if topic not in present}:
                admin.create_topics(missing)
        except TopicAlreadyExistsError:
            pass  # another process was faster
        finally:
            admin.close()


def end_offsets(bootstrap: str, topics: Collection[tuple[str, str]]) -> dict[tuple[str, int], int]:
    """The next offset of each (topic id, partition) of the topics, given as (name, id), that still have that id."""
    with _down_is_named(), closing(_admin(bootstrap)) as admin:
        described = admin.describe_topics([name for name, _ in topics]) if topics else []
    ids = {d["name"]: str(d["topic_id"]) for d in described if (d["name"], str(d["topic_id"])) in topics}
    partitions = [
        TopicPartition(d["name"], part["partition_index"])
        for d in described
        if d["name"] in ids
        for part in d["partitions"]
    ]
    if not partitions:
        return {}
    with (
        _down_is_named(),
        closing(
            KafkaConsumer(bootstrap_servers=bootstrap, client_id="member-ledger", bootstrap_timeout_ms=BOOTSTRAP_MS)
        ) as consumer,
    ):
        ends = consumer.end_offsets(partitions)
    return {(ids[where.topic], where.partition): end for where, end in ends.items()}


def _admin(bootstrap: str) -> Any:
    return KafkaAdminClient(
        bootstrap_servers=bootstrap,
        client_id="member-ledger",
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        reconnect_backoff_max_ms=RECONNECT_MS_MAX,
    )


@contextmanager
def _down_is_named() -> Iterator[None]:
    try:
        yield
    except (LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError, TopicAlreadyExistsError):
        raise
    except (KafkaError, OSError) as error:
        raise DependencyDown(f"Kafka does not answer ({type(error).__name__})") from error
