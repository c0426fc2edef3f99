"""Interchanges as bytes: delimiters, envelopes, and every way in which they can be broken."""

import mmap
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.x12.reader import MAX_SEGMENT, Delimiters, Transaction, Unreadable, count_claims, read
from adapters.x12.translate import translate
from application.ports import NotUnderstood, Understood
from domain.parking import REASONS
from tests.unit.edi import (
    BODY,
    ISA,
    NUMBER,
    SMALL,
    faults,
    group,
    interchange,
    joined,
    not_understood,
    only,
    replaced,
    transaction,
    understood,
    unreadable,
    with_body,
)

# --- delimiters


@pytest.mark.parametrize("element", ["*", "|", "\t", "\x1d", "Ö", "§", "→"])
@pytest.mark.parametrize("component", [":", ">", "\x1f", "ß"])
@pytest.mark.parametrize("end", ["~", "~\n", "~\r\n", "'", "\n", "\r", "\r\n", "\x1e", "¶"])
def test_the_isa_tells_its_own_delimiters(element: str, component: str, end: str) -> None:
    text = SMALL.decode().replace("~\n", "\0").replace("*", element).replace(":", component).replace("\0", end)
    read_back = only(text.encode())
    assert read_back.delimiters == Delimiters(element.encode(), component.encode(), end[0].encode(), b"^")
    wanted = [segment.replace(":", component).split("*") for segment in transaction(*BODY)]
    assert list(read_back.segments()) == wanted
    assert understood(text.encode()).remittance == understood(SMALL).remittance


@pytest.mark.parametrize("replaced_delimiter", [b"*", b":", b"~"])
@pytest.mark.parametrize("byte", [b"\xa7", b"\xd6", b"\xff"])
def test_a_single_byte_outside_ascii_delimits_iso_8859_1(replaced_delimiter: bytes, byte: bytes) -> None:
    part = understood(SMALL.replace(replaced_delimiter, byte))
    assert part.remittance == understood(SMALL).remittance
    assert understood(part.raw()).remittance == part.remittance


@pytest.mark.parametrize(
    ("version", "isa11", "repetition"),
    [
        ("00401", "U", None),
        ("00401", "^", None),
        ("00402", "^", b"^"),
        ("00501", "^", b"^"),
        ("00501", "!", b"!"),
        ("00501", "U", None),
    ],
)
def test_isa11_is_the_repetition_separator_from_00402_on(version: str, isa11: str, repetition: bytes | None) -> None:
    isa = ISA.replace("*^*00501*", f"*{isa11}*{version}*")
    assert only(joined(interchange(group(transaction(*BODY)), isa=isa))).delimiters.repetition == repetition


def test_miscounted_padding_in_the_isa_is_no_matter() -> None:
    isa = ISA.replace("PLAN           ", "PLAN").replace("000000907", "907")
    assert understood(joined(interchange(group(transaction(*BODY)), isa=isa))).remittance.trace_number == "TRACE7"


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\r\n ", b"\xef\xbb\xbf\r\n"])
@pytest.mark.parametrize("after", [b"", b"\n", b"\r\n\r\n", b"\x1a", b" \t\n\x1a\n"])
def test_byte_order_mark_line_breaks_and_ctrl_z_around_an_interchange_are_no_matter(
    before: bytes, after: bytes
) -> None:
    assert only(before + SMALL + after) == only(SMALL)


def test_the_version_is_the_groups_else_the_interchanges() -> None:
    assert only(SMALL).version == "005010X221A1"
    assert only(SMALL.replace(b"*X*005010X221A1", b"*X")).version == "00501"


# --- several of everything


def test_every_transaction_of_every_group_of_every_interchange_comes_in_order() -> None:
    one, two, three = (transaction(*BODY, control=control) for control in ("0001", "0002", "0003"))
    first = interchange(group(one, two, control="1"), group(three, control="2"))
    second = interchange(group(one), isa=ISA.replace("907", "908"))
    items = [item for item in read(joined(first) + joined(second)) if isinstance(item, Transaction)]
    assert [(item.envelope[0].split(b"*")[13][-3:], item.control_number, item.segment_number) for item in items] == [
        (b"907", "0001", 3),
        (b"907", "0002", 3 + len(one)),
        (b"907", "0003", 5 + 2 * len(one)),
        (b"908", "0001", 3),
    ]
    assert [item.envelope[1].split(b"*")[6] for item in items] == [b"1", b"1", b"2", b"7"]


def test_interchanges_may_have_delimiters_of_their_own_each() -> None:
    other = SMALL.replace(b"*", b"|").replace(b"~\n", b"\n")
    items = list(translate(SMALL + other))
    assert [item.remittance for item in items if isinstance(item, Understood)] == [understood(SMALL).remittance] * 2


def test_a_file_may_stay_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "two.835"
    path.write_bytes(SMALL + SMALL)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert list(read(mapped)) == list(read(SMALL + SMALL))
        assert [type(part) for part in translate(mapped)] == [Understood, Understood]


def test_a_broken_file_on_disk_is_kept_in_whole(tmp_path: Path) -> None:
    path = tmp_path / "cut.835"
    path.write_bytes(SMALL[:-30])
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert not_understood(mapped).raw == SMALL[:-30]


def test_one_transaction_can_be_sent_again_in_an_interchange_of_its_own() -> None:
    one, two = transaction(*BODY), transaction(*BODY, control="0002")
    data = joined(interchange(group(one, two, control="17"), group(one, control="18")), "~\r\n")
    for item in read(data):
        assert isinstance(item, Transaction)
        assert only(item.interchange()) == item._replace(segment_number=3)


@pytest.mark.parametrize("segments", [[ISA, "IEA*0*000000907"], interchange(group())])
def test_an_interchange_without_a_transaction_is_named_empty_and_kept(segments: list[str]) -> None:
    item = unreadable(joined(segments))
    assert faults(item) == [("message.empty", 1)]
    assert (item.raw, item.claims) == (joined(segments).rstrip(b"\n"), 0)


# --- what is no interchange


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\x1a", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_message_that_holds_nothing_is_named_empty_and_kept(data: bytes) -> None:
    item = unreadable(data)
    assert faults(item) == [("message.empty", 0)]
    assert (item.raw, item.claims) == (data, 0)


@pytest.mark.parametrize("element", ["*", "|", "\t", "\x1d", "Ö", "^"])
@pytest.mark.parametrize("end", ["~", "\n", "\r\n", "¶"])
def test_the_claims_in_what_cannot_be_read_are_counted_in_any_delimiters(element: str, end: str) -> None:
    text = joined(interchange(group(transaction(*BODY), transaction(*BODY))), end).decode().replace("*", element)
    assert unreadable(text[: -len(end) - 20].encode()).claims == 2
    assert count_claims(b"The CLP segment, a CLP, XCLP*, CLPX* and\nCLP\n are text") == 1  # the one before a comma


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"Dear provider, please find enclosed", ""),
        (b"{}", ""),
        (b"IS", ""),
        (b"isa" + SMALL[3:], ""),
        (b"VISA" + SMALL[3:], ""),
        (b"Here it is:\n" + SMALL, "an ISA comes later, behind other text"),
        (joined(interchange()[1:]), "begins with GS"),
        (joined(interchange()[2:]), "begins with ST"),
    ],
)
def test_what_does_not_begin_with_an_isa_is_named_so_and_kept(data: bytes, detail: str) -> None:
    item = unreadable(data)
    assert faults(item) == [("x12.no_isa", 0)]
    assert item.faults[0].detail == detail
    assert (item.raw, item.claims) == (data, data.count(b"CLP"))


def test_text_behind_an_interchange_is_kept_and_takes_nothing_from_the_interchange() -> None:
    good, rest = read(SMALL + b"Yours sincerely,\n" + SMALL)
    assert good == only(SMALL)
    assert isinstance(rest, Unreadable)
    assert faults(rest) == [("x12.no_isa", 0)]
    assert (rest.raw, rest.claims) == (b"Yours sincerely,\n" + SMALL, 1)


@pytest.mark.parametrize(
    "isa",
    [
        "ISA",
        "ISA*",
        "ISA*00*~",
        ISA[:-2],  # fifteen elements
        ISA.replace("*", "A"),
        ISA.replace("ISA*", "ISA "),
        ISA[:-1] + "*",  # the component separator is the element separator
        ISA[:-1] + "~",  # and here the terminator
        ISA + "S",
        ISA + "*",
        ISA.replace("PLAN ", "PLAN" + " " * 500),
    ],
)
def test_an_isa_without_sixteen_elements_and_three_distinct_delimiters_is_malformed(isa: str) -> None:
    data = (isa + "~\n").encode() + joined(interchange()[1:])
    item = unreadable(data)
    assert faults(item) == [("x12.bad_isa", 1)]
    assert (item.raw, item.claims) == (data, 1)


# --- envelopes

LAST = len(interchange())
SE, GE, IEA = LAST - 2, LAST - 1, LAST


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (IEA, [("x12.missing_iea", GE)]),
        (GE, [("x12.missing_ge", GE)]),
        (SE, [("x12.missing_se", SE)]),
        (3, [("x12.orphan_segment", SE - 2), ("x12.orphan_segment", SE - 1), ("x12.wrong_ge_count", GE - 1)]),
        (2, [("x12.orphan_segment", 2), ("x12.orphan_segment", GE - 1), ("x12.wrong_iea_count", IEA - 1)]),
    ],
)
def test_a_missing_envelope_segment_is_named_where_it_is_missed(number: int, expected: list[tuple[str, int]]) -> None:
    segments = interchange()
    del segments[number - 1]
    assert faults(unreadable(joined(segments))) == expected


def test_of_a_cut_interchange_the_cut_off_transaction_is_named_first() -> None:
    item = unreadable(joined(interchange()[:8]))
    assert faults(item) == [("x12.missing_se", 8), ("x12.missing_ge", 8), ("x12.missing_iea", 8)]
    assert {fault.detail for fault in item.faults} == {"the data ends"}


def test_a_missing_se_in_the_middle_costs_its_own_transaction_only() -> None:
    one, two, three = (transaction(*BODY, control=control) for control in ("0001", "0002", "0003"))
    before, broken, after = read(joined(interchange(group(one, two[:-1], three))))
    assert isinstance(before, Transaction)
    assert isinstance(after, Transaction)
    assert (before.control_number, after.control_number) == ("0001", "0003")
    assert isinstance(broken, Unreadable)
    assert faults(broken) == [("x12.missing_se", 3 + len(one) + len(two) - 1)]
    assert broken.faults[0].detail == "ST follows"
    assert broken.claims == 1
    assert b"ST*835*0002" in broken.raw
    assert b"ST*835*0003" not in broken.raw


def test_a_missing_ge_in_the_middle_breaks_its_interchange() -> None:
    segments = interchange(group(transaction(*BODY), control="1")[:-1], group(transaction(*BODY), control="2"))
    item = unreadable(joined(segments))
    assert faults(item) == [("x12.missing_ge", len(BODY) + 5)]
    assert (item.raw.strip(), item.claims) == (joined(segments).strip(), 2)


def test_a_missing_iea_in_the_middle_breaks_its_own_interchange_only() -> None:
    broken, good = read(joined(interchange()[:-1]) + SMALL)
    assert isinstance(broken, Unreadable)
    assert faults(broken) == [("x12.missing_iea", GE)]
    assert broken.raw == joined(interchange()[:-1])
    assert good == only(SMALL)


@pytest.mark.parametrize("stated", ["11", "13", "0", "", "x", "1E1", "-12", "1" * 11, "9" * 5000])
def test_an_se_that_counts_otherwise_breaks_its_transaction(stated: str) -> None:
    item = unreadable(SMALL.replace(b"SE*12*", f"SE*{stated}*".encode()))
    assert faults(item) == [("x12.wrong_se_count", SE)]
    assert item.claims == 1
    assert faults(unreadable(item.raw)) == [("x12.wrong_se_count", SE)]


@pytest.mark.parametrize("stated", ["12", "012", "0000000012", " 12"])
def test_leading_zeros_in_a_count_are_no_matter(stated: str) -> None:
    assert understood(SMALL.replace(b"SE*12*", f"SE*{stated}*".encode()))


@pytest.mark.parametrize(
    ("right", "wrong", "reason", "number"),
    [
        (b"GE*1*7", b"GE*2*7", "x12.wrong_ge_count", GE),
        (b"GE*1*7", b"GE**7", "x12.wrong_ge_count", GE),
        (b"IEA*1*", b"IEA*2*", "x12.wrong_iea_count", IEA),
        (b"IEA*1*", b"IEA*" + b"1" * 5000 + b"*", "x12.wrong_iea_count", IEA),
        (b"SE*12*0001", b"SE*12*0002", "x12.control_mismatch", SE),
        (b"SE*12*0001", b"SE*12", "x12.control_mismatch", SE),
        (b"GE*1*7", b"GE*1*8", "x12.control_mismatch", GE),
        (b"IEA*1*000000907", b"IEA*1*000000908", "x12.control_mismatch", IEA),
        (b"IEA*1*000000907", b"IEA*1", "x12.control_mismatch", IEA),
    ],
)
def test_a_trailer_that_contradicts_its_header_is_named(right: bytes, wrong: bytes, reason: str, number: int) -> None:
    assert SMALL.count(right) == 1
    assert faults(unreadable(SMALL.replace(right, wrong))) == [(reason, number)]


def test_a_control_number_is_the_same_with_or_without_leading_zeros() -> None:
    assert understood(SMALL.replace(b"IEA*1*000000907", b"IEA*1*907"))


def test_a_wrong_se_costs_its_own_transaction_only() -> None:
    one, two = transaction(*BODY), transaction(*BODY, control="0002")
    two[-1] = "SE*99*0002"
    good, broken = read(joined(interchange(group(one, two))))
    assert isinstance(good, Transaction)
    assert isinstance(broken, Unreadable)
    assert faults(broken) == [("x12.wrong_se_count", 2 + len(one) + len(two))]


@pytest.mark.parametrize(
    ("at", "segment", "number", "detail"),
    [
        (1, "REF*EV*1", 2, "before GS"),
        (2, "CLP*P*1*0*0", 3, "before ST"),
        (SE, "CLP*P*1*0*0", GE, "before GE"),
        (GE, "CLP*P*1*0*0", IEA, "before IEA"),
        (GE, "ST*835*0009", IEA, "ST outside a group"),
        (SE, "SE*12*0001", GE, "SE without ST"),
        (GE, "GE*1*7", IEA, "GE without GS"),
    ],
)
def test_a_segment_where_the_envelope_has_no_place_for_it_is_an_orphan(
    at: int, segment: str, number: int, detail: str
) -> None:
    segments = interchange()
    segments.insert(at, segment)
    item = unreadable(joined(segments))
    assert ("x12.orphan_segment", number) in faults(item)
    assert detail in [fault.detail for fault in item.faults]
    assert item.claims == joined(segments).count(b"CLP")


def test_a_segment_behind_the_last_trailer_of_a_cut_interchange_is_an_orphan() -> None:
    item = unreadable(joined([*interchange()[:-1], "CLP*P*1*0*0"]))
    assert faults(item) == [("x12.orphan_segment", IEA), ("x12.missing_iea", GE)]
    assert item.claims == 2


def test_an_envelope_names_name_within_an_element_is_text() -> None:
    body = [segment.replace("DOE", "ST").replace("JANE", "SE*") for segment in BODY]
    assert understood(with_body(*body)).remittance.claims[0].patient is not None


# --- characters


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        (b"D\0E", "NUL"),
        (b"D\xed\xa0\x80E", "undecodable byte at offset"),
        (b"D\xed\xa0\xbfE", "undecodable byte at offset"),  # which ISO 8859-1 would let through
        (b"D\xc3\x9f\x81E", "undecodable byte"),
        (b"D\x80E", "undecodable byte"),
        (b"D\xff\x81E", "undecodable byte"),
    ],
)
def test_a_nul_a_lone_surrogate_and_undecodable_bytes_are_refused(name: bytes, detail: str) -> None:
    part = not_understood(SMALL.replace(b"DOE", name))
    assert (part.reason, part.where) == ("x12.bad_character", "ST 0001 segment 3")
    assert detail in part.detail
    assert part.claims == 1
    assert name in part.raw


@pytest.mark.parametrize(("name", "text"), [(b"JOS\xc9", "JOSÉ"), ("JOSÉ".encode(), "JOSÉ"), ("李".encode(), "李")])
def test_names_come_in_utf_8_or_iso_8859_1(name: bytes, text: str) -> None:
    patient = understood(SMALL.replace(b"JANE", name)).remittance.claims[0].patient
    assert patient is not None
    assert patient.given_name == text


# --- size


def test_ten_megabytes_of_one_segment_are_no_segment() -> None:
    part = not_understood(replaced("LX*1", "LX*" + "1" * 10_000_000))
    assert (part.reason, part.where) == ("x12.segment_too_long", f"ST 0001 segment {NUMBER['LX']}")
    assert part.detail == "10000003 characters"


@pytest.mark.parametrize(("length", "is_accepted"), [(MAX_SEGMENT, True), (MAX_SEGMENT + 1, False)])
def test_the_longest_segment_that_is_accepted(length: int, is_accepted: bool) -> None:
    (part,) = translate(replaced("N1*PR*NORTHFIELD", "N1*PR*".ljust(length, "N")))
    assert isinstance(part, Understood) is is_accepted


@pytest.mark.timeout(20)
@pytest.mark.parametrize("end", ["\n", "\r", "~"])
def test_endless_blank_lines_are_read_in_linear_time(end: str) -> None:
    small = joined(interchange(), end)
    data = small.replace(b"LX*1", b"\n" * 300_000 + b"LX*1").replace(b"IEA*", b"\r" * 300_000 + b"IEA*")
    assert len(list(translate(data))) == 1


# --- whatever comes


@pytest.mark.parametrize("small", [SMALL, SMALL.replace(b"~\n", b"~"), SMALL.replace(b"~\n", b"\n"), SMALL * 2])
def test_cut_at_any_byte_an_interchange_is_kept_and_nothing_of_it_is_understood(small: bytes) -> None:
    whole = len(small.rstrip(b"~\n"))  # with the last element complete nothing is lost
    first = len(SMALL) if small == SMALL * 2 else 0
    for length in range(first + 1, whole):
        items = list(read(small[:length]))
        if first:
            assert items.pop(0) == only(SMALL)
        (item,) = items
        assert isinstance(item, Unreadable), length
        assert item.raw == small[first:length]
        assert item.claims == count_claims(item.raw)
        assert all(fault.reason in REASONS for fault in item.faults)
    for length in range(whole, len(small) + 1):
        assert all(isinstance(item, Transaction) for item in read(small[:length]))


def _is_claim(segment: bytes) -> bool:
    return segment.startswith(b"CLP*")


SEGMENTS = [segment.encode() for segment in interchange(group(transaction(*BODY), transaction(*BODY, control="2")))] * 2


@st.composite
def edited(draw: st.DrawFn) -> list[bytes]:
    """Two interchanges with segments lost, doubled, moved."""
    segments = list(SEGMENTS)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(segments) - 1))
        to = draw(st.integers(0, len(segments) - 1))
        match draw(st.sampled_from(["lose", "double", "move", "cut"])):
            case "lose":
                del segments[at]
            case "double":
                segments.insert(to, segments[at])
            case "move":
                segments.insert(to, segments.pop(at))
            case _:
                segments = segments[: at + 1]
        if not segments:
            break
    return segments


@given(edited())
@settings(max_examples=300)
def test_whatever_is_lost_doubled_or_moved_every_claim_is_seen_once(segments: list[bytes]) -> None:
    data = b"~\n".join([*segments, b""])
    seen = 0
    for part in translate(data):
        if isinstance(part, Understood):
            seen += len(part.remittance.claims)
            assert understood(part.raw()).remittance == part.remittance
        else:
            assert part.reason in REASONS
            seen += part.claims
            # What is kept is refused again for the same reason, so a retry before the cause is mended changes nothing.
            again = not_understood(part.raw)
            assert (again.reason, again.claims) == (part.reason, part.claims)
    assert seen == sum(map(_is_claim, segments)) == count_claims(data)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good file with bytes changed, lost and inserted."""
    data = bytearray(SMALL * draw(st.integers(1, 2)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(
            st.binary(max_size=3) | st.sampled_from([b"~", b"*", b":", b"\n", b"\0", b"~SE*", b"~ST*835*1~", b"~CLP*"])
        )
    return bytes(data)


@given(
    damaged() | st.binary() | st.binary().map(lambda tail: b"ISA" + tail) | st.binary().map(lambda tail: SMALL + tail)
)
@settings(max_examples=1000)
@example(SMALL.replace(b"*", b"\xd6"))
@example(with_body("BPR*I*0*C*NON************20260302", "TRN*1*T*1078810412", "N1*PR*X"))
def test_whatever_comes_is_read_without_an_exception_and_nothing_is_lost(data: bytes) -> None:
    items = list(read(data))
    parts = list(translate(data))
    assert items
    assert len(parts) == len(items)
    for part in parts:
        if isinstance(part, NotUnderstood):
            assert part.reason in REASONS
            assert part.raw or not data
    if all(isinstance(item, Unreadable) for item in items):
        kept = b"".join(item.raw for item in items)
        assert len(data) - len(kept) <= len(re.findall(rb"[\s\x1a\xef\xbb\xbf]", data)) + 1
