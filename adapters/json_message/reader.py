"""Strict reading: the bytes of one message to a model, or the reason why not.

JSON lets a reader guess: which of two equal keys holds, what 1.0 or 1e400 is, what a lone surrogate spells. Nothing is
guessed here. Nearly every message takes a short way that proves as much by counting quotation marks; the others are
looked at closely, to find out what is wrong with them.
"""

import json
import re
from itertools import accumulate
from typing import Any, Generic, TypeVar

import msgspec

BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
"""No model is more than six deep"""

Model = TypeVar("Model", bound=msgspec.Struct)


class Fault(Exception):
    """Why a message is not taken for one. Neither part ever holds anything of its content."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


BOM = b"\xef\xbb\xbf"
_encode = msgspec.json.Encoder().encode


class Reader(Generic[Model]):
    """Of the messages of one model, which says its version in the field `schema`."""

    def __init__(self, model: type[Model], version: int) -> None:
        self._version = version
        self._decode = msgspec.json.Decoder(model).decode
        names = "|".join(sorted(_names(msgspec.inspect.type_info(model))))
        self._path = re.compile(rf" - at `(\$(?:\.(?:{names})|\[[0-9]+\])*)`$")
        self._missing = re.compile(rf"^Object missing required field `({names})`")

    def read(self, message: bytes) -> Model:
        """One message of at most BYTES_MAX. Raises Fault, and nothing else for what is in the message."""
        if len(message) > BYTES_MAX:
            raise Fault("message.too_large", f"{len(message)} bytes, the limit is {BYTES_MAX}")
        data = message.removeprefix(BOM)
        try:
            read = self._decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            _look_closely(data, self._version)
            raise Fault("json.wrong_schema", self._problem(str(error))) from None
        if not _is_proven(data, read):
            _look_closely(data, self._version)
        return read

    def _problem(self, error: str) -> str:
        """Where the model was not followed, in its own names, and how. The library's text may quote what it read."""
        at = self._path.search(error)
        path = at[1] if at else "$"
        if missing := self._missing.search(error):
            return f"{path}.{missing[1]}: missing"
        return f"{path}: {next((words for pattern, words in _PROBLEMS if pattern.search(error)), 'not as published')}"


def _is_proven(data: bytes, read: msgspec.Struct) -> bool:
    """Whether a message that follows its model holds no key twice and no character that it must not hold.

    Without a backslash every quotation mark begins or ends a string, and encoding what was read again, which leaves out
    what was left out, writes no other strings than were read. A key that stood twice is missing there. Raw control
    characters are no JSON below U+0020; U+0080 to U+009F begin with the byte C2.
    """
    if b"\\" in data or b"\x7f" in data or b"\xc2" in data:
        return False
    return data.count(b'"') == _encode(read).count(b'"')


# --- the long way


class _Object(list[tuple[str, Any]]):
    """A JSON object with all its keys, however often they stand there."""


class _Fraction(str):
    """A number that is no whole one, as it was written."""

    __slots__ = ()


_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and surrogates. A pair that spells a character is no pair any more in decoded text."""


def _look_closely(data: bytes, known_version: int) -> None:
    """Raises Fault for whatever is wrong with a message apart from its model."""
    if not data.strip():
        raise Fault("message.empty")
    if _depth(data) > DEPTH_MAX:
        raise Fault("json.too_deep", f"more than {DEPTH_MAX} levels")
    try:
        document = json.loads(
            data.decode("utf-8", "surrogatepass"),
            strict=False,  # control characters are found below, with a better reason
            object_pairs_hook=_Object,
            parse_float=_Fraction,
            parse_constant=_Fraction,
            parse_int=_whole,
        )
    except ValueError:
        raise Fault("json.not_json") from None
    if not isinstance(document, _Object):
        raise Fault("json.not_json")
    found = _faults(document)
    for reason in ("json.duplicate_key", "json.bad_character", "json.not_an_integer"):
        if reason in found:
            raise Fault(reason)
    version = dict(document).get("schema")
    if type(version) is not int or version != known_version:  # True is equal to 1
        raise Fault("json.unknown_version")


def _whole(digits: str) -> int:
    """A number of endless digits costs no time: the model has refused it, and only the version matters still."""
    return int(digits[:20])


def _depth(data: bytes) -> int:
    """How deep the message is nested, without descending into it. Exact for JSON, and for what begins as such."""
    outside_strings = b"".join(_ESCAPE.sub(b"", data).split(b'"')[::2])
    brackets = outside_strings.translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEP.keys())


def _faults(document: _Object) -> set[str]:
    found, rest = set[str](), list[Any]([document])
    while rest:
        match rest.pop():
            case _Object() as pairs:
                keys = [key for key, _ in pairs]
                if len(set(keys)) < len(keys):
                    found.add("json.duplicate_key")
                rest += keys
                rest += [value for _, value in pairs]
            case list() as values:
                rest += values
            case _Fraction():
                found.add("json.not_an_integer")
            case str() as text if _FORBIDDEN.search(text):
                found.add("json.bad_character")
            case _:
                pass
    return found


# --- what the model says


def _names(kind: Any) -> set[str]:
    """The names of all fields of a part of the model and of its parts."""
    match kind:
        case msgspec.inspect.StructType():
            names = {kind.tag_field} if kind.tag_field else set()
            return names.union(*({field.encode_name} | _names(field.type) for field in kind.fields))
        case msgspec.inspect.UnionType():
            return set().union(*map(_names, kind.types))
        case msgspec.inspect.VarTupleType():
            return _names(kind.item_type)
        case _:
            return set()


_PROBLEMS = (
    (re.compile(r"^Object contains unknown field"), "unknown field"),
    (re.compile(r"^Expected `\w+` (?:of length |[<>]=)|out of range"), "out of bounds"),
    (re.compile(r"^Expected `str` matching regex"), "not of the right form"),
    (re.compile(r"^Expected `datetime` with a timezone"), "without an offset"),
    (re.compile(r"^Expected"), "wrong type"),
    (re.compile(r"^Invalid RFC3339"), "not a date or time"),
    (re.compile(r"^Invalid (?:enum )?value"), "not one of the allowed values"),
)
