"""Interchanges as bytes: finds transactions, proves their envelopes, and names what is wrong with them.

The ISA segment tells its own delimiters. Envelope segments are found by one pass of a compiled pattern over the
whole buffer, which may be a memory-mapped file; a transaction is decoded and split only when it is its turn, so
memory stays at one transaction however large the file is. Source: X12.5 and X12.6, appendix B of the 005010 guides.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from application.ports import Buffer

MAX_SEGMENT = 65_536
"""Characters. The longest segment of the guide is below 1,000; a longer one is no segment."""


class Delimiters(NamedTuple):
    element: bytes
    component: bytes
    terminator: bytes
    repetition: bytes | None
    """ISA11 from 00402 on, where it is not alphanumeric; `U` before."""


class Transaction(NamedTuple):
    """One ST … SE, still as bytes."""

    kind: str
    """ST01"""
    control_number: str
    version: str
    """GS08, the implementation guide, else ISA12"""
    delimiters: Delimiters
    raw: bytes
    segment_number: int
    """Of the ST segment, counted from 1 at the interchange's ISA"""
    envelope: tuple[bytes, bytes]
    """The ISA and GS segments, with their terminators"""

    @property
    def component(self) -> str:
        return _text(self.delimiters.component)

    def interchange(self) -> bytes:
        """This transaction alone in a whole interchange of its own: what a parked transaction is kept as."""
        isa, gs = self.envelope
        element, end = self.delimiters.element, self.delimiters.terminator
        group_control = gs[: -len(end)].split(element)[6:7]
        interchange_control = isa[: -len(end)].split(element)[13]
        trailers = [b"GE", b"1", *group_control], [b"IEA", b"1", interchange_control]
        return isa + gs + self.raw + b"".join(element.join(trailer) + end for trailer in trailers)

    def segments(self) -> Iterator[list[str]]:
        """The segments from ST to SE, each cut into elements when it is asked for.

        Raises Fault, at once, where the bytes are not text.
        """
        delimiters = self.delimiters
        text = _decode(self.raw, self.segment_number)
        end = _text(delimiters.terminator)
        separator = _text(delimiters.element)
        if end != "\n" and "\n" in text:
            text = text.replace("\n", "")
        if end != "\r" and "\r" in text:
            text = text.replace("\r", "")
        parts = text.split(end)
        parts.pop()
        parts[-1] = parts[-1].lstrip()  # the envelope lets spaces stand before SE
        if len(text) > MAX_SEGMENT and (longest := max(map(len, parts))) > MAX_SEGMENT:
            number = self.segment_number + [len(part) for part in parts].index(longest)
            raise Fault("x12.segment_too_long", number, f"{longest} characters")
        return map(str.split, parts, repeat(separator))


class Fault(Exception):
    """A named diagnostic of an interchange or a transaction."""

    def __init__(self, reason: str, segment_number: int = 0, detail: str = "") -> None:
        super().__init__(reason, segment_number, detail)
        self.reason = reason
        self.segment_number = segment_number
        self.detail = detail

    @property
    def where(self) -> str:
        return f"segment {self.segment_number}" if self.segment_number else ""


class Unreadable(NamedTuple):
    """A part of the buffer that must not be posted, with everything that is wrong with it."""

    faults: tuple[Fault, ...]
    raw: bytes
    claims: int
    """CLP segments in it, as far as can be seen"""
    identity: bytes
    """The same without its envelope, where it has one"""


_CLAIM = re.compile(rb"(?<![0-9A-Za-z])CLP(?=[^0-9A-Za-z \r\n])")
_BOM = b"\xef\xbb\xbf"


def count_claims(raw: Buffer) -> int:
    """CLP segments in bytes whose delimiters may be unknown."""
    return sum(1 for _ in _CLAIM.finditer(raw))


def read(data: Buffer) -> Iterator[Transaction | Unreadable]:
    """Every transaction of every interchange, in order, and what cannot be read.

    A broken envelope makes its whole interchange Unreadable (the receiver would reject it with a TA1 or 999);
    a broken transaction only itself. Never raises for what is in the data.
    """
    start = len(_BOM) if data[:3] == _BOM else 0
    start = _skip_space(data, start)
    if start == len(data):
        yield Unreadable((Fault("message.empty"),), bytes(data[:]), 0, bytes(data[:]))
        return
    while start < len(data):
        try:
            delimiters, isa_end = _delimiters(data, start)
        except Fault as fault:
            rest = bytes(data[start:])
            yield Unreadable((fault,), rest, count_claims(rest), rest)
            return
        end, items = _interchange(data, start, isa_end, delimiters)
        yield from items
        start = _skip_space(data, end)


def _skip_space(data: Buffer, start: int) -> int:
    match = _SPACE.match(data, start)
    assert match is not None
    return match.end()


_SPACE = re.compile(rb"[\s\x1a]*")  # some senders close a file with Ctrl-Z


def _delimiters(data: Buffer, start: int) -> tuple[Delimiters, int]:
    """Byte 4 is the element separator, ISA16 the component separator, and the terminator follows it.

    Elements are found by their separators, not by columns: real files do miscount the padding.
    """
    header = bytes(data[start : start + 400])
    if header[:3] != b"ISA":
        raise Fault("x12.no_isa", 0, _found_instead(header))
    element = _character(header, 3)
    elements = header.split(element, 16) if element else []
    if len(elements) < 17 or element.isalnum():
        raise Fault("x12.bad_isa", 1, "fewer than 16 elements")
    component = _character(elements[16], 0)
    terminator = _character(elements[16], len(component))
    version = elements[12].decode("ascii", "replace")
    if not component or not terminator or len({element, component, terminator}) < 3 or terminator.isalnum():
        raise Fault("x12.bad_isa", 1, "delimiters are missing or not distinct")
    repetition = elements[11] if version >= "00402" and not elements[11].isalnum() else None
    end = start + header.index(element.join(elements[:16])) + len(element.join(elements[:16])) + len(element)
    return Delimiters(element, component, terminator, repetition), end + len(component) + len(terminator)


def _character(data: bytes, at: int) -> bytes:
    """The UTF-8 character at an offset, else the single byte: separators outside ASCII do occur."""
    lead = data[at : at + 1]
    length = 2 if b"\xc2" <= lead <= b"\xdf" else 3 if b"\xe0" <= lead <= b"\xef" else 1
    candidate = data[at : at + length]
    try:
        candidate.decode()
    except UnicodeDecodeError:
        return lead
    return candidate


def _text(delimiter: bytes) -> str:
    """As `_decode` gives it: one that is a single byte outside ASCII makes its whole transaction ISO 8859-1."""
    return delimiter.decode() if delimiter.isascii() or len(delimiter) > 1 else delimiter.decode("latin-1")


def _found_instead(header: bytes) -> str:
    if header[:2] in (b"GS", b"ST"):
        return f"begins with {header[:2].decode()}"
    return "an ISA comes later, behind other text" if re.search(rb"(?<![0-9A-Za-z])ISA[^0-9A-Za-z]", header) else ""


@lru_cache(maxsize=64)
def _envelope_pattern(element: bytes, terminator: bytes) -> re.Pattern[bytes]:
    """The name of each envelope segment, right behind a terminator and the line break that may follow it."""
    names = rb"(ISA|GS|ST|SE|GE|IEA)(?=" + re.escape(element) + rb")"
    # A terminator that is itself a line break is no space behind a terminator: a run of blank lines stays linear.
    space = rb"[^\S" + re.escape(terminator) + rb"]*+"
    return re.compile(re.escape(terminator) + space + names)


class _Open(NamedTuple):
    """A header whose trailer has not come yet."""

    start: int
    segment_number: int
    elements: list[bytes]


def _interchange(
    data: Buffer, start: int, isa_end: int, delimiters: Delimiters
) -> tuple[int, Iterator[Transaction | Unreadable]]:
    """The end of the interchange that begins at `start`, and what is in it.

    One pass checks the whole envelope and keeps offsets only, so that nothing is handed out of an interchange
    that turns out to be broken.
    """
    element, end = delimiters.element, delimiters.terminator
    isa = bytes(data[start:isa_end])
    isa_elements = isa[: -len(end)].split(element)
    broken: list[Fault] = []
    found: list[tuple[_Open, int, bytes, tuple[Fault, ...]]] = []  # ST, its end, its GS, its own faults
    group: _Open | None = None
    opened: _Open | None = None
    gs = b""
    groups = transactions = 0
    number, cursor, stop, closed = 1, isa_end, len(data), False

    def close(until: int, *faults: Fault) -> None:
        nonlocal opened
        assert opened is not None
        found.append((opened, until, gs, faults))
        opened = None

    for match in _envelope_pattern(element, end).finditer(data, isa_end - len(end)):
        name, at = match[1], match.start(1)
        if name == b"ISA":
            stop = at
            break
        segment_end = data.find(end, at)
        until = len(data) if segment_end < 0 else segment_end + len(end)
        between = bytes(data[cursor:at])
        number += between.count(end) + 1
        if opened is None and between.strip():
            broken.append(Fault("x12.orphan_segment", number - 1, f"before {name.decode()}"))
        header = _Open(at, number, bytes(data[at : segment_end if segment_end >= 0 else until]).split(element))
        cursor = until
        if opened is not None and name != b"SE":
            close(at, Fault("x12.missing_se", number, f"{name.decode()} follows"))
        if name == b"SE":
            if opened is None:
                broken.append(Fault("x12.orphan_segment", number, "SE without ST"))
            else:
                count = number - opened.segment_number + 1
                close(until, *_trailer("se", header, count, opened.elements[2:3]))
        elif name == b"ST":
            transactions += 1
            opened = header
            if group is None:
                broken.append(Fault("x12.orphan_segment", number, "ST outside a group"))
        elif name == b"GS":
            groups += 1
            if group is not None:
                broken.append(Fault("x12.missing_ge", number, "GS follows"))
            group, gs, transactions = header, bytes(data[at:until]), 0
        elif name == b"GE":
            if group is None:
                broken.append(Fault("x12.orphan_segment", number, "GE without GS"))
            else:
                broken.extend(_trailer("ge", header, transactions, group.elements[6:7]))
            group = None
        else:
            if group is not None:
                broken.append(Fault("x12.missing_ge", number, "IEA follows"))
            broken.extend(_trailer("iea", header, groups, isa_elements[13:14]))
            stop, closed = until, True
            break
    if opened is not None:
        number += bytes(data[cursor:stop]).count(end)
        close(stop, Fault("x12.missing_se", number, "the data ends"))
    elif not closed and bytes(data[cursor:stop]).strip():
        broken.append(Fault("x12.orphan_segment", number + 1, "behind the last envelope segment"))
    if not closed:
        if group is not None:
            broken.append(Fault("x12.missing_ge", number, "the data ends"))
        broken.append(Fault("x12.missing_iea", number, "the data ends"))
    return stop, _items(data, start, stop, isa, delimiters, found, broken)


def _items(
    data: Buffer,
    start: int,
    stop: int,
    isa: bytes,
    delimiters: Delimiters,
    found: list[tuple[_Open, int, bytes, tuple[Fault, ...]]],
    broken: list[Fault],
) -> Iterator[Transaction | Unreadable]:
    if not found and not broken:
        broken.append(Fault("message.empty", 1, "an interchange without a transaction"))
    if broken:
        # A cut-off transaction is the cause of the missing trailers behind it, so it is named first.
        causes = [fault for *_, own in found for fault in own]
        raw = bytes(data[start:stop])
        yield Unreadable((*causes, *broken), raw, count_claims(raw), raw)
        return
    isa_version = isa.split(delimiters.element)[12].decode("ascii", "replace")
    for header, until, gs, faults in found:
        group = gs[: -len(delimiters.terminator)].split(delimiters.element)
        transaction = Transaction(
            kind=header.elements[1].decode("ascii", "replace") if len(header.elements) > 1 else "",
            control_number=header.elements[2].decode("ascii", "replace") if len(header.elements) > 2 else "",
            version=group[8].decode("ascii", "replace") if len(group) > 8 else isa_version,
            delimiters=delimiters,
            raw=bytes(data[header.start : until]),
            segment_number=header.segment_number,
            envelope=(isa, gs),
        )
        if faults:
            yield Unreadable(faults, transaction.interchange(), count_claims(transaction.raw), transaction.raw)
        else:
            yield transaction


def _trailer(name: str, trailer: _Open, count: int, control: list[bytes]) -> Iterator[Fault]:
    """What is wrong with an SE, GE or IEA: its count (element 1) and its control number (element 2)."""
    stated = trailer.elements[1].strip() if len(trailer.elements) > 1 else b""
    said = int(stated) if stated.isdigit() and len(stated) <= 10 else "none"
    if said != count:
        yield Fault(f"x12.wrong_{name}_count", trailer.segment_number, f"states {said}, there are {count}")
    own = [value.strip().lstrip(b"0") for value in trailer.elements[2:3]]
    if own != [value.strip().lstrip(b"0") for value in control]:
        yield Fault("x12.control_mismatch", trailer.segment_number, name.upper())


_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")


def _decode(raw: bytes, segment_number: int) -> str:
    """UTF-8, else ISO 8859-1, which older systems write; no NUL, no lone surrogate, no C1 control."""
    if b"\0" in raw:
        raise Fault("x12.bad_character", segment_number, "NUL")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        text = raw.decode("latin-1")
        if _SURROGATE.search(raw) or _C1.search(text):
            raise Fault("x12.bad_character", segment_number, f"undecodable byte at offset {error.start}") from None
        return text


_C1 = re.compile("[\x80-\x9f]")
