"""Events to stored bytes and back, and all the ways in which bytes can fail to be an event."""

import base64
import sys
import traceback
import types
import typing
from datetime import date, datetime, timedelta, timezone
from enum import EnumType
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import hypothesis
import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from application.mapper import KeyDestroyed, KeyMissing, Mapper, StoredEvent, Unreadable
from application.topics import TOPICS, Topic
from domain.adjudication import Adjudication, ClaimNumbers
from domain.claim import ClaimAdjudicated
from domain.facts import Event, Fact, Sealed, StreamId
from domain.money import Money
from domain.parking import MessageDiscarded, MessageParked
from domain.person import Names, PersonIdentified
from tests.given import KeysInMemory, stream

MARK = "PERSÖNLICH"
STREAM = stream("the stream")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def values(kind: Any, text: st.SearchStrategy[str] = TEXT) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may have; `Sealed` aside, which only the mapper makes."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is StreamId:
        return st.uuids(version=4).map(str)
    if kind is Money:
        return st.integers(-(2**63), 2**63 - 1)
    if kind is str:
        return text
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(0, 2**31 - 1)
    if kind is date:
        return st.dates()
    if kind is datetime:
        return st.datetimes(timezones=st.builds(timezone, st.builds(timedelta, minutes=st.integers(-720, 720))))
    if isinstance(kind, EnumType):
        return st.sampled_from(list(kind))
    if kind is types.NoneType:
        return st.none()
    if origin in (Union, types.UnionType):
        return st.one_of([values(each, text) for each in arguments if each is not Sealed])
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(values(arguments[0], text), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(each, text) for each in arguments))
    assert issubclass(kind, Fact), kind
    fields = {name: each for name, each in typing.get_type_hints(kind).items() if name in kind.__struct_fields__}
    marked = TEXT.map(lambda drawn: f"{MARK}{drawn}")
    return st.builds(
        kind, **{name: values(each, marked if name == "personal" else text) for name, each in fields.items()}
    )


def subject(event: Event) -> str:
    return getattr(event, "person", STREAM)


def stored_by(mapper: Mapper, keys: KeysInMemory, event: Event, version: int = 1) -> StoredEvent:
    keys.ensure([subject(event)])
    return mapper.store(STREAM, version, event)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
@hypothesis.settings(max_examples=30)
@for_all(st.data())
def test_every_event_comes_back_as_it_was(topic: Topic, data: st.DataObject) -> None:
    event = data.draw(values(topic.event))
    keys = KeysInMemory()
    mapper = Mapper(keys)
    stored = stored_by(mapper, keys, event, 7)
    if topic.always_personal and getattr(event, "personal", "not personal") is None:
        with pytest.raises(Unreadable, match="personal facts are missing"):
            mapper.unseal(stored, mapper.load(stored))
        return
    loaded = mapper.load(stored)
    personal = getattr(event, "personal", None)
    assert type(loaded) is type(event)
    assert mapper.unseal(stored, loaded) == personal
    if personal is not None:
        loaded = msgspec.structs.replace(loaded, personal=personal)
    assert loaded == event
    assert (stored.originator_id, stored.originator_version, stored.topic) == (STREAM, 7, topic.stored)


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.personal is not None], ids=lambda topic: topic.name)
@hypothesis.settings(max_examples=20, suppress_health_check=[hypothesis.HealthCheck.filter_too_much])
@for_all(st.data())
def test_personal_facts_are_nowhere_in_what_is_stored(topic: Topic, data: st.DataObject) -> None:
    event = data.draw(values(topic.event).filter(lambda drawn: drawn.personal))
    keys = KeysInMemory()
    mapper = Mapper(keys)
    stored = stored_by(mapper, keys, event)
    state = msgspec.json.decode(stored.state)
    sealed = base64.b64decode(state["personal"])
    opened = mapper.unseal(stored, mapper.load(stored))
    marks = {MARK} if MARK in repr(opened) else set(map(str, msgspec.to_builtins(opened).values()))
    marks -= {str(getattr(event, "at", None))[:10]}  # what is no secret may be the same day by chance
    assert marks, "of a person without a name the values themselves are looked for"
    for mark in marks:
        assert mark.encode() not in stored.state
        assert mark.encode() not in sealed
        assert mark not in repr(state)


def test_a_stored_event_can_be_read_by_a_person() -> None:
    keys = KeysInMemory()
    event = MessageParked(reason="claim.conflict", source="topic/0@7", where="ST 0001 claim 2", claims=1)
    assert Mapper(keys).store(STREAM, 1, event).state == (
        b'{"reason":"claim.conflict","source":"topic/0@7","where":"ST 0001 claim 2","claims":1}'
    )


# --- what is sealed

IDENTIFIED = PersonIdentified(payer_id="1078810412", content="1:abc", personal=Names("NHP1", "ABERNOLT", "ADA"))


CLAIM = ClaimAdjudicated(
    content="1:abc",
    person=stream("ada"),
    remittance=stream("remittance"),
    payer_id="1078810412",
    day=date(2026, 3, 2),
    adjudication=Adjudication("1", Money(100), Money(100), Money(0)),
    personal=ClaimNumbers("PT1", "NHP00000100001"),
)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"originator_id": stream("another stream")},
        {"originator_version": 2},
        {"topic": "claim.reversed:1"},
        {"topic": "claim.forwarded:1"},
    ],
    ids=lambda elsewhere: next(iter(elsewhere)),
)
def test_a_sealed_part_does_not_open_in_another_row(elsewhere: dict[str, Any]) -> None:
    keys = KeysInMemory()
    mapper = Mapper(keys)
    moved = stored_by(mapper, keys, CLAIM)._replace(**elsewhere)
    with pytest.raises(Unreadable, match="personal facts do not open"):
        mapper.unseal(moved, mapper.load(moved))


def test_a_persons_names_do_not_open_in_another_persons_stream() -> None:
    keys = KeysInMemory()
    mapper = Mapper(keys)
    keys.ensure([stream("another person")])
    moved = stored_by(mapper, keys, IDENTIFIED)._replace(originator_id=stream("another person"))
    with pytest.raises(Unreadable, match="personal facts do not open"):
        mapper.unseal(moved, mapper.load(moved))


def test_a_claims_numbers_are_sealed_under_the_patients_key() -> None:
    keys = KeysInMemory()
    mapper = Mapper(keys)
    stored = stored_by(mapper, keys, CLAIM)
    keys.ensure([STREAM])
    keys.destroy(STREAM)
    assert mapper.unseal(stored, mapper.load(stored)) == CLAIM.personal
    keys.destroy(CLAIM.person)
    assert mapper.unseal(stored, mapper.load(stored)) is None


def test_a_destroyed_key_takes_the_personal_facts_and_nothing_else() -> None:
    keys = KeysInMemory()
    mapper = Mapper(keys)
    stored = stored_by(mapper, keys, IDENTIFIED)
    keys.destroy(STREAM)
    loaded = mapper.load(stored)
    assert isinstance(loaded, PersonIdentified)
    assert (loaded.payer_id, loaded.content) == (IDENTIFIED.payer_id, IDENTIFIED.content)
    assert mapper.unseal(stored, loaded) is None
    with pytest.raises(KeyDestroyed):
        mapper.store(STREAM, 2, IDENTIFIED)


def test_another_ledgers_keys_make_personal_facts_unreadable() -> None:
    keys = KeysInMemory()
    stored = stored_by(Mapper(keys), keys, IDENTIFIED)
    others = KeysInMemory()
    mapper = Mapper(others)
    with pytest.raises(Unreadable, match="KeyMissing"):
        mapper.unseal(stored, mapper.load(stored))
    others.ensure([STREAM])
    with pytest.raises(Unreadable, match="WrongKey") as unreadable:
        mapper.unseal(stored, mapper.load(stored))
    assert (unreadable.value.stream, unreadable.value.version) == (STREAM, 1)


def test_nothing_is_stored_without_a_key() -> None:
    with pytest.raises(KeyMissing):
        Mapper(KeysInMemory()).store(STREAM, 1, IDENTIFIED)


def test_sealed_bytes_of_another_shape_are_unreadable() -> None:
    keys = KeysInMemory()
    mapper = Mapper(keys)
    keys.ensure([STREAM])
    sealed = keys.seal(STREAM, b'["ABERNOLT"]', f"{STREAM}|1|person.identified:1".encode())
    stored = StoredEvent(
        STREAM, 1, "person.identified:1", msgspec.json.encode({"payer_id": "1", "content": "c", "personal": sealed})
    )
    with pytest.raises(Unreadable, match="personal facts do not open") as unreadable:
        mapper.unseal(stored, mapper.load(stored))
    assert "ABERNOLT" not in printed(unreadable.value)


# --- what cannot be read

SECRET_TEXT = "ABERNOLT"
DISCARDED = MessageDiscarded(actor="ops", reason=SECRET_TEXT)


def printed(error: BaseException) -> str:
    # Without the lines of the source, which hold what the test itself wrote there.
    shown = traceback.TracebackException.from_exception(error, lookup_lines=False)
    for frame in shown.stack:
        frame._line = ""  # type: ignore[attr-defined]
    return "".join(shown.format())


def assert_unreadable(stored: StoredEvent, mapper: Mapper | None = None) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        (mapper or Mapper(KeysInMemory())).load(stored)
    unreadable = caught.value
    assert (unreadable.stream, unreadable.version) == (stored.originator_id, stored.originator_version)
    assert str(stored.originator_id) in str(unreadable)
    assert SECRET_TEXT not in str(unreadable)
    assert SECRET_TEXT not in printed(unreadable)
    return unreadable


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("nobody.knows:1", "unknown topic"),
        ("", "unknown topic"),
        (":1", "unknown topic"),
        ("message.discarded2:1", "unknown topic"),
        ("domain.parking:MessageDiscarded", "unknown topic"),
        ("message.discarded", "unknown schema version"),
        ("message.discarded:", "unknown schema version"),
        ("message.discarded:0", "unknown schema version"),
        ("message.discarded:2", "unknown schema version"),
        ("message.discarded:-1", "unknown schema version"),
        ("message.discarded:one", "unknown schema version"),
        ("message.discarded:1:1", "unknown schema version"),
        ("message.discarded:²", "unknown schema version"),
        ("message.discarded:99999999999999999999", "unknown schema version"),
    ],
)
def test_a_topic_or_version_that_nobody_registered_is_unreadable(topic: str, reason: str) -> None:
    stored = Mapper(KeysInMemory()).store(STREAM, 3, DISCARDED)._replace(topic=topic)
    assert assert_unreadable(stored).reason == reason


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"ABERNOLT"',
        b'{"actor":"ops"}',
        b'{"actor":"ops","reason":5}',
        b'{"actor":"ops","reason":null,"x":"ABERNOLT"}',
        b'{"actor":"ops","reason":"ABERNOLT"',
        b'{"actor":"ops","reason":"ABERNOLT"}}',
        b'{"actor":"ops","reason":NaN}',
        b'{"actor":"ops","reason":"ABERNOLT\xff"}',
        b"\x00\x01ABERNOLT",
        b'{"actor":"ops","reason":"r","x":' + b"[" * 100_000,
        b'{"actor":"ops","reason":"r","x":' + b'{"x":' * 100_000,
    ],
    ids=lambda state: state[:40],
)
def test_bytes_that_are_no_such_event_are_unreadable(state: bytes) -> None:
    assert "corrupt state" in assert_unreadable(StoredEvent(STREAM, 3, "message.discarded:1", state)).reason


def test_an_event_cut_off_anywhere_is_unreadable() -> None:
    whole = Mapper(KeysInMemory()).store(STREAM, 3, DISCARDED)
    for size in range(len(whole.state)):
        assert_unreadable(whole._replace(state=whole.state[:size]))


@for_all(st.binary(max_size=40), st.sampled_from(TOPICS))
def test_random_bytes_are_unreadable_and_nothing_worse(state: bytes, topic: Topic) -> None:
    assert_unreadable(StoredEvent(STREAM, 1, topic.stored, state))


def test_wrong_types_deep_inside_are_unreadable() -> None:
    keys = KeysInMemory()
    stored = stored_by(Mapper(keys), keys, CLAIM)
    state = msgspec.json.decode(stored.state)
    for field, wrong in (("day", SECRET_TEXT), ("adjudication", [SECRET_TEXT]), ("personal", {SECRET_TEXT: 1})):
        assert_unreadable(stored._replace(state=msgspec.json.encode({**state, field: wrong})))
    state["adjudication"]["charge_cents"] = 1.5
    assert_unreadable(stored._replace(state=msgspec.json.encode(state)))


def test_a_row_that_names_a_module_loads_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "never_imported.py").write_text("class Event: pass")
    monkeypatch.syspath_prepend(tmp_path)
    assert_unreadable(StoredEvent(STREAM, 1, "never_imported:Event", b"{}"))
    assert "never_imported" not in sys.modules


# --- older schemas


class Moved1(Event, frozen=True):
    to: str
    personal: Names | Sealed | None = None


class Moved2(Event, frozen=True):
    place: str
    personal: Names | Sealed | None = None


class Moved(Event, frozen=True):
    place: str
    moved_on: date | None
    distance_km: int
    personal: Names | Sealed | None = None


RENAMED = {1: lambda state: {**{k: v for k, v in state.items() if k != "to"}, "place": state["to"]}}
MEASURED = {2: lambda state: {**state, "distance_km": int(state.get("km", 0)), "moved_on": "2026-01-31"}}
FIRST = (Topic("person.moved", Moved1, Names),)
SECOND = (Topic("person.moved", Moved2, Names, RENAMED),)
TODAY = (Topic("person.moved", Moved, Names, {**RENAMED, **MEASURED}),)
ADA = Names("NHP1", "ABERNOLT", "ADA")


@pytest.mark.parametrize(
    ("topics", "written", "read", "stored_topic"),
    [
        (FIRST, Moved1("Marlow", ADA), Moved("Marlow", date(2026, 1, 31), 0, ADA), "person.moved:1"),
        (SECOND, Moved2("Marlow", ADA), Moved("Marlow", date(2026, 1, 31), 0, ADA), "person.moved:2"),
        (TODAY, Moved("Marlow", None, 3, ADA), Moved("Marlow", None, 3, ADA), "person.moved:3"),
    ],
)
def test_rows_of_every_version_are_read_as_todays_event_with_what_they_sealed(
    topics: tuple[Topic, ...], written: Event, read: Moved, stored_topic: str
) -> None:
    keys = KeysInMemory()
    keys.ensure([STREAM])
    stored = Mapper(keys, topics).store(STREAM, 1, written)
    assert stored.topic == stored_topic
    today = Mapper(keys, TODAY)
    loaded = today.load(stored)
    assert isinstance(loaded, Moved)
    assert isinstance(loaded.personal, bytes)
    assert msgspec.structs.replace(loaded, personal=today.unseal(stored, loaded)) == read


@pytest.mark.parametrize("state", [b"", b"[]", b"{}", b"5", b"null", b'{"to":1,"personal":""}', b'{"to":"ABERNOLT"'])
@pytest.mark.parametrize("version", [1, 2])
def test_an_older_row_that_is_corrupt_is_unreadable_too(state: bytes, version: int) -> None:
    assert_unreadable(StoredEvent(STREAM, 1, f"person.moved:{version}", state), Mapper(KeysInMemory(), TODAY))


def test_an_upcaster_that_quotes_what_it_cannot_take_is_not_quoted() -> None:
    state = b'{"to":"Marlow","place":"Marlow","km":"ABERNOLT","personal":""}'
    for version in (1, 2):
        assert_unreadable(StoredEvent(STREAM, 1, f"person.moved:{version}", state), Mapper(KeysInMemory(), TODAY))


def test_a_version_from_the_future_is_unreadable() -> None:
    state = b'{"place":"Marlow","moved_on":null,"distance_km":3,"personal":""}'
    assert_unreadable(StoredEvent(STREAM, 1, "person.moved:3", state), Mapper(KeysInMemory(), SECOND))


def test_an_encoded_event_is_stored_as_the_event_itself_and_decodes_to_all_but_its_personal_part() -> None:
    keys = KeysInMemory()
    keys.ensure([subject(CLAIM)])
    mapper = Mapper(keys)
    encoded = mapper.encode(CLAIM)
    assert mapper.decode(encoded) == msgspec.structs.replace(CLAIM, personal=None)
    assert b"PT1" in encoded.personal
    assert b"PT1" not in encoded.clear
    rows = [mapper.store(STREAM, 1, each) for each in (CLAIM, encoded)]
    clear = [msgspec.json.decode(row.state) | {"personal": ""} for row in rows]
    assert clear[0] == clear[1]
    opened = [mapper.unseal(row, mapper.load(row)) for row in rows]
    assert opened == [CLAIM.personal, CLAIM.personal]
