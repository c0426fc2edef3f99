"""What cannot be taken in, over Kafka: parked with a reason and its bytes, told to nobody, and in nobody's way."""

from collections import Counter
from contextlib import closing

from adapters.settings import Settings
from application.ports import Format
from composition import Ledger
from domain.claim import ClaimPended
from domain.parking import MessageParked
from domain.person import PersonIdentified
from samples.generator import Delimiters, render
from tests.broker import Broker
from tests.delivery import (
    ConsumerProcess,
    assert_exactly_once,
    end_offsets,
    produce,
    producing,
    recorded,
    remittances,
    rendered,
    taken_in,
    wait_until,
)
from tests.unit.notices import adjudicated, encoded, report

SECRET = "QUOXBRAM"
"""Stands in every bad message and must stand nowhere in the clear."""

MEGABYTE = 1024 * 1024
BOMB_BYTES = 150 * MEGABYTE
MEMORY_BYTES_MAX = 5 * BOMB_BYTES


def valid(family_name: str = SECRET) -> bytes:
    """A good remittance of one line of text, in which the first patient's family name is a secret."""
    text = render(remittances(21, 1)[0], delimiters=Delimiters(line_break="")).decode()
    before, mark, after = text.partition("NM1*QC*1*")
    assert mark
    return f"{before}{mark}{family_name}{after[after.index('*') :]}".encode()


def bad_messages() -> dict[str, tuple[bytes, str]]:
    """Name → the message, and the reason for which it is parked."""
    good = valid()
    long_segment = valid(SECRET + "X" * (10 * MEGABYTE))
    return {
        "empty": (b"", "message.empty"),
        "a letter": (f"Dear Ms. {SECRET}, your claim was denied.".encode(), "x12.no_isa"),
        "JSON": (f'{{"member": "{SECRET}"}}'.encode(), "x12.no_isa"),
        "an ISA of too few elements": (f"ISA*00*{SECRET}~".encode(), "x12.bad_isa"),
        "a NUL": (good.replace(SECRET.encode(), SECRET.encode() + b"\0"), "x12.bad_character"),
        "a lone surrogate": (good.replace(SECRET.encode(), SECRET.encode() + b"\xed\xa0\x80"), "x12.bad_character"),
        "10 MB in one segment": (long_segment, "x12.segment_too_long"),
        "10 MB without an end": (good[: good.index(b"~ST")] + SECRET.encode() * (10 * MEGABYTE // 8), "x12.missing_ge"),
        "the first half": (good[: len(good) // 2], "x12.missing_se"),
        "another transaction": (good.replace(b"~ST*835*", b"~ST*837*"), "x12.unsupported_transaction"),
        "a wrong sum": (good.replace(b"~CLP*", b"~PLB*1*20261231*WO*1~CLP*", 1), "x12.wrong_se_count"),
        "an amount in words": (_with_payment(good, SECRET.encode()), "835.bad_amount"),
        "one cent too much": (_with_payment(good, b"0.01"), "transaction.unbalanced"),
    }


def _with_payment(message: bytes, amount: bytes) -> bytes:
    """With another total of the payment (BPR02)."""
    before, mark, after = message.partition(b"~BPR*")
    handling, _, rest = after.split(b"*", 2)
    return before + mark + b"*".join((handling, amount, rest))


def test_bad_messages_are_parked_and_those_behind_them_are_posted(
    broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    bad = bad_messages()
    good = remittances(22, len(bad))
    values = [value for pair in zip(bad.values(), rendered(good), strict=True) for value in (pair[0][0], pair[1])]
    produce(broker.bootstrap, topic, values)
    log, _ = consume(ledger, settings, broker, topic)
    items = {item.source: item for item in ledger.log.parked_items()}
    parked = {name: items[f"{topic}/0@{2 * at}"] for at, name in enumerate(bad)}
    assert {name: item.reason for name, item in parked.items()} == {name: reason for name, (_, reason) in bad.items()}
    for name, item in parked.items():
        assert ledger.intake.raw(item.raw_id) == bad[name][0], name
    assert "consumer.batch" in log
    assert SECRET not in log
    assert_not_in_the_clear(ledger)
    assert_exactly_once(ledger, good, broker.bootstrap, topic, parked=len(bad))


def test_a_message_that_unpacks_to_far_more_than_the_limit_is_parked_within_bounded_memory(
    broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    """The client library unpacks without a limit: what follows from it is bounded by the largest message there is."""
    bomb = SECRET.encode() * (BOMB_BYTES // len(SECRET))
    good = remittances(23, 2)
    before, behind = rendered(good)
    with producing(broker.bootstrap, compression_type="zstd", max_request_size=2 * BOMB_BYTES) as producer:
        for value in (before, bomb, behind):
            producer.send(topic, value).get(timeout=60)
    log, memory_bytes = consume(ledger, settings, broker, topic)
    [item] = ledger.log.parked_items()
    assert (item.reason, item.source) == ("message.too_large", f"{topic}/0@1")
    assert ledger.intake.raw(item.raw_id) == bomb
    assert SECRET not in log
    assert_not_in_the_clear(ledger)
    assert_exactly_once(ledger, good, broker.bootstrap, topic, parked=1)
    print(f"at most {memory_bytes / MEGABYTE:.0f} MiB for a message of {BOMB_BYTES / MEGABYTE:.0f} MiB")
    assert memory_bytes < MEMORY_BYTES_MAX


def bad_notices() -> dict[str, tuple[bytes, str]]:
    """The same for notices of claims."""
    good = encoded(adjudicated(remarks=["MA01"])).replace(b"ABERNOLT", SECRET.encode())
    deep = f'{{"{SECRET}": '.encode() * 100_000

    def instead(of: bytes, new: bytes) -> bytes:
        assert of in good
        return good.replace(of, new, 1)

    return {
        "empty": (b"", "message.empty"),
        "a letter": (f"Dear Ms. {SECRET}, your claim was denied.".encode(), "json.not_json"),
        "X12": (valid(), "json.not_json"),
        "the first half": (good[: len(good) // 2], "json.not_json"),
        "100,000 levels": (deep[: 1024 * 1024], "json.too_deep"),
        "10 MB of brackets": (b"[" * (10 * MEGABYTE), "message.too_large"),
        "10 MB": (instead(SECRET.encode(), SECRET.encode() * (10 * MEGABYTE // 8)), "message.too_large"),
        "a key twice": (instead(b'"schema"', f'"{SECRET}": 1, "{SECRET}": 2, "schema"'.encode()), "json.duplicate_key"),
        "a NUL": (instead(SECRET.encode(), SECRET.encode() + b"\\u0000"), "json.bad_character"),
        "a lone surrogate": (instead(SECRET.encode(), SECRET.encode() + b"\\ud800"), "json.bad_character"),
        "NaN": (instead(b"8000", b"NaN"), "json.not_an_integer"),
        "1e400": (instead(b"8000", b"1e400"), "json.not_an_integer"),
        "version 2": (instead(b'"schema": 1', b'"schema": 2'), "json.unknown_version"),
        "a type mark": (f'{{"_type_": "{SECRET}", "_data_": "{SECRET}"}}'.encode(), "json.unknown_version"),
        "a foreign field": (instead(b'"schema"', f'"{SECRET}": 1, "schema"'.encode()), "json.wrong_schema"),
        "a foreign value": (instead(b"MA01", SECRET.encode()), "json.wrong_schema"),
        "a foreign kind": (instead(b'"adjudicated"', f'"{SECRET}"'.encode()), "json.wrong_schema"),
        "one cent too much": (instead(b'"paid_cents": 8000', b'"paid_cents": 8001'), "claim.unbalanced"),
    }  # fmt: skip


def test_bad_notices_are_parked_and_those_behind_them_are_taken_in(
    broker: Broker, topic: str, ledger: Ledger, settings: Settings
) -> None:
    bad = bad_notices()
    good = [encoded(report("pended", at=f"2026-01-{day:02}T12:00:00Z")) for day in range(1, len(bad) + 1)]
    values = [value for (data, _), behind in zip(bad.values(), good, strict=True) for value in (data, behind)]
    produce(broker.bootstrap, topic, values)
    log, memory_bytes = consume(ledger, settings, broker, topic, "--format", Format.JSON_CLAIM)
    items = {item.source: item for item in ledger.log.parked_items()}
    parked = {name: items[f"{topic}/0@{2 * at}"] for at, name in enumerate(bad)}
    assert {name: item.reason for name, item in parked.items()} == {name: reason for name, (_, reason) in bad.items()}
    for name, item in parked.items():
        assert ledger.intake.raw(item.raw_id) == bad[name][0], name
        assert SECRET not in item.detail + item.where
    counts = Counter(type(event) for _, _, event, _ in recorded(ledger))
    assert counts == {MessageParked: len(bad), ClaimPended: len(good), PersonIdentified: 1}
    assert "consumer.batch" in log
    assert SECRET not in log
    assert_not_in_the_clear(ledger)
    assert memory_bytes < MEMORY_BYTES_MAX


def consume(ledger: Ledger, settings: Settings, broker: Broker, topic: str, *arguments: str) -> tuple[str, int]:
    """Take in all of the topic in another process; all that it logged, and the most memory it held."""
    limited = settings.model_copy(update={"max_message_mb": 32})
    with closing(ConsumerProcess(limited, broker.bootstrap, topic, *arguments)) as process:
        topic_id, ends = end_offsets(broker.bootstrap, topic)
        wait_until(lambda: taken_in(ledger, topic_id) == ends or process.process.poll() is not None)
        memory_bytes = int(process.end())
    return process.log_file.read_text(), memory_bytes


def assert_not_in_the_clear(ledger: Ledger) -> None:
    with ledger.database.session() as cursor:
        for table in ("events", "parked", "parked_raw"):
            rows = [row["row"] for row in cursor.execute(f"SELECT t::text AS row FROM {table} t")]
            assert rows
            # Binary columns are shown as hexadecimal digits.
            assert not [row for row in rows if SECRET in row or SECRET.encode().hex() in row], table
