"""Keys in files, outside the database and its backups: the installation's secret, the master key, a key a person.

`persons.keys` is a sequence of fixed-size records, only ever appended to: 16 bytes of subject id, then the person's
AES-256 key wrapped by the master key. Destroying a key overwrites its record in place. Writers of several processes
take turns by a file lock, and read what others appended before they append.
"""

import errno
import fcntl
import os
import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.mapper import KeyDestroyed, KeyMissing, WrongKey
from application.ports import DependencyDown

_NONCE = 12
_WRAPPED = _NONCE + 32 + 16
_RECORD = struct.Struct(f"16s{_WRAPPED}s")
_DESTROYED = bytes(_WRAPPED)
_CIPHERS_MAX = 50_000


class KeysNotFound(Exception):
    """The key files are not where they should be. They are never made anew beside an existing ledger."""


class KeyFiles:
    """Implements the Keys port."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "persons.keys"
        try:
            self.secret = (folder / "installation.secret").read_bytes()
            self._master = AESGCM((folder / "master.key").read_bytes())
            self._file = os.open(self._path, os.O_RDWR)
        except OSError as error:
            raise KeysNotFound(f"no key files in {folder}: {error.strerror}") from None
        self._places: dict[bytes, int] = {}  # subject → where its record stands
        self._read_until = 0
        self._mapped: mmap | bytes = b""  # the records, as far as they were needed; other processes' changes show in it
        self._ciphers: OrderedDict[str, AESGCM] = OrderedDict()

    @staticmethod
    def create(folder: Path) -> None:
        """Make what is missing of a new installation's keys, readable by their owner only."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in (
            ("installation.secret", os.urandom(32)),
            ("master.key", AESGCM.generate_key(256)),
            ("persons.keys", b""),
        ):
            _write_new(folder / name, content)

    # --- the port

    def ensure(self, subjects: Iterable[str]) -> set[str]:
        ids = {subject: _id(subject) for subject in subjects}
        if missing := [subject for subject, id_ in ids.items() if id_ not in self._places]:
            with self._locked():
                self._read_on()
                new = [subject for subject in missing if ids[subject] not in self._places]
                records = [_RECORD.pack(ids[subject], self._wrap(subject, os.urandom(32))) for subject in new]
                self._append(b"".join(records))
                self._read_on()
        return {subject for subject, id_ in ids.items() if self._wrapped(id_) == _DESTROYED}

    def seal(self, subject: str, plaintext: bytes, bound_to: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        cipher = self._ciphers.get(subject) or self._cipher(subject)
        return nonce + cipher.encrypt(nonce, plaintext, bound_to)

    def open(self, subject: str, sealed: bytes, bound_to: bytes) -> bytes:
        try:
            return self._cipher(subject).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to)
        except (InvalidTag, ValueError):
            raise WrongKey(subject) from None

    def destroy(self, subject: str) -> None:
        with self._locked():
            id_ = self._known(subject)
            os.pwrite(self._file, _DESTROYED, self._places[id_] + 16)
            os.fsync(self._file)
        self._ciphers.pop(subject, None)

    # --- records

    def _cipher(self, subject: str) -> AESGCM:
        """Looks at the record even where the cipher is at hand: another process may have destroyed it."""
        wrapped = self._wrapped(self._known(subject))
        if wrapped == _DESTROYED:
            self._ciphers.pop(subject, None)
            raise KeyDestroyed(subject)
        cipher = self._ciphers.get(subject)
        if cipher is None:
            try:
                key = self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject.encode())
            except InvalidTag:
                raise WrongKey(subject) from None
            cipher = self._ciphers[subject] = AESGCM(key)
            if len(self._ciphers) > _CIPHERS_MAX:
                self._ciphers.popitem(last=False)
        return cipher

    def _known(self, subject: str) -> bytes:
        id_ = _id(subject)
        if id_ not in self._places:
            self._read_on()
        if id_ not in self._places:
            raise KeyMissing(subject)
        return id_

    def _wrapped(self, id_: bytes) -> bytes:
        at = self._places[id_]
        if at + _RECORD.size > len(self._mapped):
            self._mapped = mmap(self._file, 0, access=ACCESS_READ)
        return self._mapped[at + 16 : at + 16 + _WRAPPED]

    def _wrap(self, subject: str, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._master.encrypt(nonce, key, subject.encode())

    def _append(self, records: bytes) -> None:
        """Raises DependencyDown where they are not safe: without room a part of them may have been written."""
        try:
            written = os.pwrite(self._file, records, self._read_until)
            os.fsync(self._file)
        except OSError as error:
            raise DependencyDown(f"the key files can't be written ({error.strerror})") from error
        if written < len(records):
            raise DependencyDown(f"the key files can't be written ({os.strerror(errno.ENOSPC)})")

    def _read_on(self) -> None:
        """Take in the records that were appended since; a torn one at the end is left for its writer's successor."""
        while chunk := os.pread(self._file, _RECORD.size * 4096, self._read_until):
            whole = len(chunk) - len(chunk) % _RECORD.size
            for at in range(0, whole, _RECORD.size):
                self._places[chunk[at : at + 16]] = self._read_until + at
            self._read_until += whole
            if not whole:
                break

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


def _id(subject: str) -> bytes:
    return bytes.fromhex(subject.replace("-", ""))


def _write_new(path: Path, content: bytes) -> None:
    """Create a file whole or not at all; one that exists stays as it is."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename, refuses to replace what another process made meanwhile
    except FileExistsError:
        pass
    finally:
        draft.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # the name too: a key that a crash could take must not be used
        os.close(folder)
