"""Events to stored bytes and back. State is JSON that a person can read, but for its sealed part.

Personal facts are AES-GCM sealed under the key of the person whom they describe; stream, version and stored topic are
bound in as associated data, so a ciphertext moved to another row does not open.
"""

from binascii import b2a_base64
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import msgspec

from application.topics import TOPICS, Topic, check
from domain.facts import Event, StreamId


class StoredEvent(NamedTuple):
    """One row of the log, as it is appended. Field names are those of the `eventsourcing` library's recorders."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


class Encoded(NamedTuple):
    """An event as JSON, before it has its place in a stream and what is personal is sealed.

    What a batch holds until it is written: objects that nobody looks at any more cost a tenth of the consumer's time,
    and encoding an event while it is in the processor's cache takes an eighth of what it takes a batch later.
    """

    topic: str
    clear: bytes
    personal: bytes = b""
    subject: str = ""
    """Whose key seals what is personal; the stream's own where it is empty"""


class Unreadable(Exception):
    """A stored event cannot be read. The rest of its stream is held back; other streams go on."""

    def __init__(self, stored: StoredEvent, reason: str) -> None:
        super().__init__(f"{stored.originator_id} version {stored.originator_version} ({stored.topic}): {reason}")
        self.stream = StreamId(str(stored.originator_id))
        self.version = stored.originator_version
        self.reason = reason


class KeyMissing(Exception):
    """There never was a key for this person here: these are not the keys of this ledger."""


class KeyDestroyed(Exception):
    """The person's key was destroyed on purpose: what it sealed is gone for good."""


class WrongKey(Exception):
    """The key does not open what it should have sealed, or the bytes were changed."""


class Keys(Protocol):
    """One key a person. Implementations keep them outside the database and its backups."""

    def ensure(self, subjects: Iterable[str]) -> set[str]:
        """Make a durable key for each subject that never had one, in one write.

        Gives those subjects whose key was destroyed: they get no other. Raises DependencyDown where it can't be kept.
        """

    def seal(self, subject: str, plaintext: bytes, bound_to: bytes) -> bytes:
        """Under a key that `ensure` has seen. Raises KeyMissing, KeyDestroyed."""

    def open(self, subject: str, sealed: bytes, bound_to: bytes) -> bytes:
        """Raises KeyMissing, KeyDestroyed, WrongKey."""

    def destroy(self, subject: str) -> None:
        """Erase the key; what it sealed can never be opened again."""


class Mapper:
    def __init__(self, keys: Keys, topics: tuple[Topic, ...] = TOPICS) -> None:
        check(topics)
        self._keys = keys
        self._storing = {topic.event: (topic.stored, topic.personal is not None) for topic in topics}
        self._by_name = {topic.name: topic for topic in topics}
        self._decoders = {topic.stored: msgspec.json.Decoder(topic.event) for topic in topics}
        self._personal_decoders = {
            topic.event: msgspec.json.Decoder(topic.personal) for topic in topics if topic.personal is not None
        }
        # A remittance may have no references to seal; who a person is and a claim's numbers are always there.
        self._always_personal = {topic.event for topic in topics if topic.personal and topic.always_personal}
        self._encode = msgspec.json.Encoder().encode

    def encode(self, event: Event) -> Encoded:
        topic, is_personal = self._storing[type(event)]
        personal = getattr(event, "personal", None) if is_personal else None
        if personal is None:
            return Encoded(topic, self._encode(event))
        clear = self._encode(msgspec.structs.replace(event, personal=None))
        return Encoded(topic, clear, self._encode(personal), getattr(event, "person", ""))

    def decode(self, encoded: Encoded) -> Event:
        """The event again, without its personal part."""
        return self._decoders[encoded.topic].decode(encoded.clear)

    def store(self, stream: str, version: int, event: Event | Encoded) -> StoredEvent:
        """One event as its row; the key of whom it describes must be there (`Keys.ensure`)."""
        topic, state, personal, subject = event if isinstance(event, Encoded) else self.encode(event)
        if personal:
            sealed = self._keys.seal(subject or stream, personal, _bound_to(stream, version, topic))
            state = b'%b,"personal":"%b"}' % (state[:-1], b2a_base64(sealed, newline=False))
        return StoredEvent(stream, version, topic, state)

    def load(self, stored: StoredEvent) -> Event:
        """The event, its personal part still sealed. Raises Unreadable."""
        decoder = self._decoders.get(stored.topic)
        try:
            if decoder is not None:
                return decoder.decode(stored.state)
            return self._upcast(stored)
        except (msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            # The error may quote the state, which may be anything by now: name its kind only.
            raise Unreadable(stored, f"corrupt state ({type(error).__name__})") from None

    def unseal(self, stored: StoredEvent, event: Event) -> Any:
        """The personal facts of an event that `load` gave; None where it has none or their key was destroyed.

        Raises Unreadable, also where the key is the wrong one.
        """
        sealed = getattr(event, "personal", None)
        if sealed is None:
            if type(event) in self._always_personal:
                raise Unreadable(stored, "personal facts are missing")
            return None
        subject = getattr(event, "person", str(stored.originator_id))
        bound_to = _bound_to(str(stored.originator_id), stored.originator_version, stored.topic)
        try:
            return self._personal_decoders[type(event)].decode(self._keys.open(subject, sealed, bound_to))
        except KeyDestroyed:
            return None
        except (KeyMissing, WrongKey, msgspec.MsgspecError) as error:
            raise Unreadable(stored, f"personal facts do not open ({type(error).__name__})") from None

    def _upcast(self, stored: StoredEvent) -> Event:
        name, _, version = stored.topic.partition(":")
        topic = self._by_name.get(name)
        if topic is None:
            raise Unreadable(stored, "unknown topic")
        if not version.isdecimal() or not 1 <= int(version) <= topic.version:
            raise Unreadable(stored, "unknown schema version")
        state = msgspec.json.decode(stored.state)
        for step in range(int(version), topic.version):
            state = topic.upcasters[step](state)
        event = msgspec.convert(state, topic.event)
        assert isinstance(event, Event)
        return event


def _bound_to(stream: str, version: int, topic: str) -> bytes:
    return f"{stream}|{version}|{topic}".encode()
