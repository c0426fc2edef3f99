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
        # HMAC of a stream by its two hashes (RFC 2104), begun here: copying `hmac.HMAC` takes twice their time.
        key = secret.ljust(64, b"\0") if len(secret) <= 64 else hashlib.sha256(secret).digest().ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + b"stream\0")
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
        self._bytes = hmac.new(secret, b"bytes\0", hashlib.sha256)
        # BLAKE2 is keyed by construction (RFC 7693) and takes a third of HMAC's time; content hashes are no stream ids.
        self._content_key = hmac.digest(secret, b"content\0", hashlib.sha256)

    def stream(self, kind: str, *natural_key: str) -> StreamId:
        """The stream of one thing. Parts are set apart by NUL, which no accepted message contains."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update("\0".join((kind, *natural_key)).encode())
        outer.update(inner.digest())
        text = outer.hexdigest()
        return StreamId(f"{text[:8]}-{text[8:12]}-8{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}")

    def content(self, fact: Fact) -> str:
        """The hash by which two messages are known to say the same: over parsed values, without the envelope."""
        return CONTENT_VERSION + hashlib.blake2b(_encode(fact), digest_size=16, key=self._content_key).hexdigest()

    def digest(self, data: Buffer) -> str:
        """The fingerprint of bytes as they came."""
        mac = self._bytes.copy()
        mac.update(data)
        return mac.hexdigest()


_encode = msgspec.json.Encoder().encode

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""A hexadecimal digit with the two upper bits of a UUID's variant"""
