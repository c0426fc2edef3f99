"""What the application may rely on from whoever keeps its keys."""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.crypto.key_files import KeyFiles, KeysNotFound
from application.mapper import KeyDestroyed, KeyMissing, Keys, WrongKey
from domain.facts import StreamId
from tests.given import KeysInMemory, stream

ADA, BENITO = stream("ada"), stream("benito")
FILES = ("installation.secret", "master.key", "persons.keys")
RECORD_BYTES = 16 + 12 + 32 + 16  # subject, nonce, key, tag
HERE = b"this row"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    KeyFiles.create(tmp_path / "keys")
    return tmp_path / "keys"


KEEPERS: dict[str, Callable[[Path], Keys]] = {"files": KeyFiles, "memory": lambda _: KeysInMemory()}


@pytest.fixture(params=KEEPERS)
def keys(request: pytest.FixtureRequest, folder: Path) -> Keys:
    """Each implementation of the port in turn, without any key."""
    return KEEPERS[request.param](folder)


# --- the port


def test_what_is_sealed_opens_again(keys: Keys) -> None:
    keys.ensure([ADA, BENITO])
    for plaintext in (b"", b"ABERNOLT", bytes(range(256)) * 100):
        assert keys.open(ADA, keys.seal(ADA, plaintext, HERE), HERE) == plaintext


def test_what_is_sealed_cannot_be_read_and_never_looks_the_same(keys: Keys) -> None:
    keys.ensure([ADA])
    sealed = [keys.seal(ADA, b"ABERNOLT", HERE) for _ in range(20)]
    assert len(set(sealed)) == 20
    assert not any(b"ABERNOLT" in each for each in sealed)


def test_a_key_that_is_there_is_never_made_anew(keys: Keys) -> None:
    keys.ensure([ADA])
    sealed = keys.seal(ADA, b"first", HERE)
    keys.ensure([BENITO, ADA, ADA])
    assert keys.open(ADA, sealed, HERE) == b"first"


def test_another_persons_key_does_not_open_it(keys: Keys) -> None:
    keys.ensure([ADA, BENITO])
    with pytest.raises(WrongKey):
        keys.open(BENITO, keys.seal(ADA, b"ABERNOLT", HERE), HERE)


def test_it_does_not_open_elsewhere_than_where_it_was_bound_to(keys: Keys) -> None:
    keys.ensure([ADA])
    with pytest.raises(WrongKey):
        keys.open(ADA, keys.seal(ADA, b"ABERNOLT", HERE), b"that row")


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed + b"\0",
        lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:],
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[:12],
        lambda sealed: sealed[:5],
        lambda _: b"",
    ],
)
def test_changed_bytes_do_not_open(keys: Keys, change: Callable[[bytes], bytes]) -> None:
    keys.ensure([ADA])
    with pytest.raises(WrongKey):
        keys.open(ADA, change(keys.seal(ADA, b"ABERNOLT", HERE)), HERE)


def test_a_key_that_never_was_is_missing(keys: Keys) -> None:
    keys.ensure([ADA])
    sealed = keys.seal(ADA, b"ABERNOLT", HERE)
    for ask in (
        lambda: keys.seal(BENITO, b"", HERE),
        lambda: keys.open(BENITO, sealed, HERE),
        lambda: keys.destroy(BENITO),
    ):
        with pytest.raises(KeyMissing):
            ask()


def test_a_destroyed_key_seals_and_opens_nothing_any_more_and_is_not_replaced(keys: Keys) -> None:
    keys.ensure([ADA, BENITO])
    sealed, of_benito = keys.seal(ADA, b"ABERNOLT", HERE), keys.seal(BENITO, b"BRINDLEMAN", HERE)
    keys.destroy(ADA)
    keys.ensure([ADA])
    with pytest.raises(KeyDestroyed):
        keys.open(ADA, sealed, HERE)
    with pytest.raises(KeyDestroyed):
        keys.seal(ADA, b"ABERNOLT", HERE)
    assert keys.open(BENITO, of_benito, HERE) == b"BRINDLEMAN"


# --- in files


def records(folder: Path) -> int:
    size = (folder / "persons.keys").stat().st_size
    assert size % RECORD_BYTES == 0
    return size // RECORD_BYTES


def test_keys_outlive_the_process(folder: Path) -> None:
    keys = KeyFiles(folder)
    keys.ensure([ADA, BENITO])
    sealed = keys.seal(ADA, b"ABERNOLT", HERE)
    keys.destroy(BENITO)
    later = KeyFiles(folder)
    assert later.secret == keys.secret
    assert later.open(ADA, sealed, HERE) == b"ABERNOLT"
    with pytest.raises(KeyDestroyed):
        later.seal(BENITO, b"", HERE)


def test_a_person_has_one_record_however_often_asked_for(folder: Path) -> None:
    keys = KeyFiles(folder)
    keys.ensure([ADA, ADA, BENITO])
    keys.ensure(iter([BENITO, ADA]))
    KeyFiles(folder).ensure([ADA])
    assert records(folder) == 2


def test_no_key_lies_in_the_clear(folder: Path) -> None:
    keys = KeyFiles(folder)
    keys.ensure([ADA])
    record = (folder / "persons.keys").read_bytes()
    master = AESGCM((folder / "master.key").read_bytes())
    key = master.decrypt(record[16:28], record[28:], ADA.encode())
    sealed = keys.seal(ADA, b"ABERNOLT", HERE)
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], HERE) == b"ABERNOLT"  # it is the key indeed
    assert key not in record


def test_a_destroyed_key_is_gone_from_the_file(folder: Path) -> None:
    keys = KeyFiles(folder)
    keys.ensure([ADA, BENITO])
    before = (folder / "persons.keys").read_bytes()
    keys.destroy(ADA)
    after = (folder / "persons.keys").read_bytes()
    assert before[16:RECORD_BYTES] not in after
    assert after[RECORD_BYTES:] == before[RECORD_BYTES:]


def test_keys_that_another_process_made_are_found(folder: Path) -> None:
    here, there = KeyFiles(folder), KeyFiles(folder)
    there.ensure([ADA, BENITO])
    sealed = there.seal(ADA, b"ABERNOLT", HERE)
    assert here.open(ADA, sealed, HERE) == b"ABERNOLT"
    here.destroy(BENITO)
    assert records(folder) == 2


def test_a_key_that_another_process_destroyed_is_gone_here_too(folder: Path) -> None:
    here, there = KeyFiles(folder), KeyFiles(folder)
    here.ensure([ADA])
    sealed = here.seal(ADA, b"ABERNOLT", HERE)
    there.destroy(ADA)
    with pytest.raises(KeyDestroyed):
        here.open(ADA, sealed, HERE)
    with pytest.raises(KeyDestroyed):
        here.seal(ADA, b"ABERNOLT", HERE)


def test_another_master_key_opens_no_persons_key(folder: Path) -> None:
    KeyFiles(folder).ensure([ADA])
    (folder / "master.key").write_bytes(os.urandom(32))
    with pytest.raises(WrongKey):
        KeyFiles(folder).seal(ADA, b"", HERE)


def test_a_key_moved_to_another_persons_record_does_not_open(folder: Path) -> None:
    KeyFiles(folder).ensure([ADA, BENITO])
    file = folder / "persons.keys"
    content = file.read_bytes()
    file.write_bytes(content[:16] + content[RECORD_BYTES + 16 :] + content[RECORD_BYTES:])
    with pytest.raises(WrongKey):
        KeyFiles(folder).seal(ADA, b"", HERE)


@pytest.mark.parametrize("torn_bytes", [1, 16, 17, RECORD_BYTES - 1])
def test_a_record_torn_by_a_crash_is_written_over(folder: Path, torn_bytes: int) -> None:
    keys = KeyFiles(folder)
    keys.ensure([ADA])
    sealed = keys.seal(ADA, b"ABERNOLT", HERE)
    keys.ensure([BENITO])
    os.truncate(folder / "persons.keys", RECORD_BYTES + torn_bytes)
    after = KeyFiles(folder)
    with pytest.raises(KeyMissing):
        after.seal(BENITO, b"", HERE)
    after.ensure([stream("carmen"), BENITO])
    assert records(folder) == 3
    of_benito = after.seal(BENITO, b"BRINDLEMAN", HERE)
    later = KeyFiles(folder)
    assert later.open(ADA, sealed, HERE) == b"ABERNOLT"
    assert later.open(BENITO, of_benito, HERE) == b"BRINDLEMAN"
    later.seal(stream("carmen"), b"", HERE)


def test_more_keys_than_are_kept_at_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.crypto.key_files._CIPHERS_MAX", 3)
    keys, everybody = KeyFiles(folder), [stream(f"person {number}") for number in range(10)]
    keys.ensure(everybody)
    sealed = {person: keys.seal(person, person.encode(), HERE) for person in everybody}
    assert all(keys.open(person, sealed[person], HERE) == person.encode() for person in everybody)


EVERYBODY = [stream(f"person {number}") for number in range(400)]


def _meet(all_there: Barrier) -> None:
    all_there.wait(30)


def _make_and_seal(folder: Path) -> dict[StreamId, bytes]:
    """In another process: make everybody's keys, a few at a time, and use each at once."""
    keys, sealed = KeyFiles(folder), dict[StreamId, bytes]()
    for start in range(0, len(EVERYBODY), 2):
        some = EVERYBODY[start : start + 2]
        keys.ensure(some)
        sealed |= {person: keys.seal(person, person.encode(), HERE) for person in some}
    return sealed


def test_processes_that_make_the_same_keys_at_once_lose_and_double_none(folder: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, spawn, initializer=_meet, initargs=(spawn.Barrier(3),)) as pool:
        sealed = list(pool.map(_make_and_seal, [folder] * 3))
    assert records(folder) == len(EVERYBODY)
    keys = KeyFiles(folder)
    for of_one_process in sealed:
        assert of_one_process.keys() == set(EVERYBODY)
        assert all(keys.open(person, each, HERE) == person.encode() for person, each in of_one_process.items())


# --- the files themselves


def test_only_their_owner_can_read_them(folder: Path) -> None:
    KeyFiles(folder).ensure([ADA])
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_secrets_are_of_full_length_and_of_this_installation_only(folder: Path, tmp_path: Path) -> None:
    KeyFiles.create(tmp_path / "other")
    for name in ("installation.secret", "master.key"):
        here, there = (folder / name).read_bytes(), (tmp_path / "other" / name).read_bytes()
        assert len(here) == len(there) == 32
        assert here != there


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_creating_again_changes_nothing(folder: Path) -> None:
    KeyFiles(folder).ensure([ADA])
    before = contents(folder)
    KeyFiles.create(folder)
    assert contents(folder) == before


def _create(folder: Path) -> dict[str, bytes]:
    KeyFiles.create(folder)
    return contents_of_keys(folder)


def contents_of_keys(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def all_the_same(seen: Iterable[dict[str, bytes]]) -> bool:
    first, *others = seen
    return all(other == first for other in others)


def test_threads_that_create_at_once_agree(tmp_path: Path) -> None:
    for turn in range(20):
        folder = tmp_path / str(turn)
        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(_create, [folder] * 4))
        assert all_the_same([*seen, contents(folder)])


def test_processes_that_create_at_once_agree(tmp_path: Path) -> None:
    folders = [tmp_path / str(turn) for turn in range(20)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        seen = list(pool.map(_create, [folder for folder in folders for _ in range(2)]))
    for turn, folder in enumerate(folders):
        assert all_the_same([*seen[2 * turn : 2 * turn + 2], contents(folder)])


@pytest.mark.parametrize("missing", FILES)
def test_key_files_that_are_not_there_are_named_and_never_made_on_opening(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(KeysNotFound, match="no key files in"):
        KeyFiles(folder)
    assert missing not in contents(folder)
