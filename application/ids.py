"""Opaque ids and content hashes, both keyed.

A stream id is HMAC-SHA-256 of its natural key under the installation's secret, shaped as a UUIDv8 (RFC 9562):
the same claim always finds its stream, and nobody can guess an id from a member number. The secret is never rotated.
"""

import hashlib
import hmac

import msgspec

from application.ports import Buffer
from domain.facts import Fact, StreamId

CONTENT_VERSION = "1:"
"""Marks how content is made canonical: a later way must still be able to compare itself with hashes of this one."""


class Ids:
    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the installation's secret has at least 32 bytes")
        self._hmac = hmac.new(secret, digestmod=hashlib.sha256)

    def stream(self, kind: str, *natural_key: str) -> StreamId:
        """The stream of one thing. Parts are set apart by NUL, which no accepted message contains."""
        text = self._mac(b"stream\0", "\0".join((kind, *natural_key)).encode())
        variant = "89ab"[int(text[16], 16) & 3]
        return StreamId(f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}")

    def content(self, fact: Fact) -> str:
        """The hash by which two messages are known to say the same: over parsed values, without the envelope."""
        return CONTENT_VERSION + self._mac(b"content\0", _encode(fact))[:32]

    def digest(self, data: Buffer) -> str:
        """The fingerprint of bytes as they came."""
        return self._mac(b"bytes\0", data)

    def _mac(self, purpose: bytes, data: Buffer) -> str:
        mac = self._hmac.copy()
        mac.update(purpose)
        mac.update(data)
        return mac.hexdigest()


_encode = msgspec.json.Encoder().encode
