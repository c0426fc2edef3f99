"""The shipped texts and filters, and the reading of official lists."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.codes import BYTES_MAX, SHIPPED, CodeText, NotAList, System, read_list, shipped
from adapters.filters import Looks, NotAFilter, Rule, name_of, rule

CHECKOUT = Path(__file__).parents[2]


def rows(name: str) -> list[dict[str, str]]:
    with (SHIPPED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- texts


@pytest.mark.parametrize(
    ("system", "at_least"),
    [(System.CARC, 80), (System.RARC, 40), (System.GROUP, 5), (System.CLP02, 10), (System.CATEGORY, 25)],
)
def test_the_commonest_codes_have_a_text_each(system: System, at_least: int) -> None:
    assert len(shipped(system)) == len(rows(system)) >= at_least


@pytest.mark.parametrize("system", System)
def test_a_text_is_one_sentence_that_fits_a_line(system: System) -> None:
    for code, text in shipped(system).items():
        assert re.fullmatch(r"[A-Z][^.\n]+\.", text), (code, text)
        assert len(text) <= 160, (code, text)
        assert text.isprintable()
        assert code == code.strip().upper()


@pytest.mark.parametrize("system", System)
def test_no_two_codes_say_the_same(system: System) -> None:
    texts = list(shipped(system).values())
    assert [text for text in texts if texts.count(text) > 1] == []


def codes_in_samples() -> Iterator[tuple[System, str]]:
    """By splitting at the samples' own delimiters, which is another way than the reader's."""
    for path in (CHECKOUT / "samples" / "835").glob("*.835"):
        text = path.read_text(encoding="utf-8-sig")
        separator, terminator = text[3], text.split(text[3], 17)[16][1]
        for segment in text.split(terminator):
            name, *elements = segment.strip().split(separator)
            if name == "CAS":
                yield System.GROUP, elements[0]
                yield from ((System.CARC, code) for code in elements[1::3] if code)
            elif name == "CLP":
                yield System.CLP02, elements[1]
            elif name == "LQ":
                yield System.RARC, elements[1]
            elif name in ("MOA", "MIA"):
                yield from ((System.RARC, code) for code in elements if re.fullmatch(r"(M|MA|N)\d+", code))


def test_every_code_in_the_shipped_samples_has_a_text() -> None:
    found = set(codes_in_samples())
    assert {(System.CARC, "45"), (System.GROUP, "PR"), (System.CLP02, "22"), (System.RARC, "N130")} <= found
    assert {(system, code) for system, code in found if code not in shipped(system)} == set()


# --- official lists


def test_a_list_has_a_code_and_a_description_a_row_and_may_have_days() -> None:
    header, byte_order_mark = b"Start, CODE ,Description,stop,notes\r\n", b"\xef\xbb\xbf"
    data = b'01/01/1995,ma01,"Two\n lines, and a comma",,x\r\n\r\n,45,Text,2025-12-31,\n'
    assert read_list(byte_order_mark + header + data) == [
        CodeText("MA01", "Two lines, and a comma", date(1995, 1, 1), None),
        CodeText("45", "Text", None, date(2025, 12, 31)),
    ]


GOOD = b"code,description,start,stop\n1,One,,\n"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "line 1: there is no column code"),
        (b"code\n1\n", "line 1: there is no column description"),
        (b"code,text\n1,One\n", "line 1: there is no column description"),
        (b"code,code,description\n1,2,One\n", "line 1: there is more than one column code"),
        (b"code,description\n", "the file has no codes"),
        (GOOD + b"2,Two,2025-13-01,\n", "line 3: start is not a day"),
        (GOOD + b"2,Two,,31/12/2025\n", "line 3: stop is not a day"),
        (GOOD + b"2,Two,2025-01-02,2025-01-01\n", "line 3: it stops before it starts"),
        (GOOD + b"1,Again,,\n", "line 3: the code stands in the file twice"),
        (GOOD + b"2,,,\n", "line 3: the description is empty"),
        (GOOD + b"2,a\0b,,\n", "line 3: the description is not readable text"),
        (GOOD + b"2,\x1b[31mred,,\n", "line 3: the description is not readable text"),
        (GOOD + b",Two,,\n", "line 3: a code is one to ten letters and digits"),
        (GOOD + b"N 1,Two,,\n", "line 3: a code is one to ten letters and digits"),
        (GOOD + b"2,Two\n", "line 3: 2 fields, where the header has 4"),
        (GOOD + b'2,"Two,,\n3,Three,,\n', "line 4: not CSV"),
        (GOOD + b"2," + b"x" * 200_000 + b",,\n", "line 3: not CSV"),
        (GOOD + b"2,caf\xe9,,\n", "the file is not UTF-8"),
        (GOOD + b"2,Two,,\n" * (BYTES_MAX // 8), "the file is larger than 10 MB"),
    ],
    ids=range(19),
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(data: bytes, says: str) -> None:
    with pytest.raises(NotAList, match=re.escape(says)):
        read_list(data)


def test_a_file_that_is_no_list_is_refused_without_a_word_of_it() -> None:
    sample = next((CHECKOUT / "samples" / "835").glob("*.835")).read_bytes()
    with pytest.raises(NotAList, match=r"^line 1: there is no column code$"):
        read_list(sample)


# --- filters


def test_every_row_of_the_shipped_filters_is_a_rule_that_could_be_saved() -> None:
    for row in rows("claim_filter"):
        days = [date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to")]
        said = f"{row['code_from']}-{row['code_to']}"
        assert rule(Looks(row["system"]), said, *days)[:3] == (row["system"], row["code_from"], row["code_to"])
        assert name_of(row["filter"]) == row["filter"]


def test_the_page_names_the_shipped_filters() -> None:
    page = (CHECKOUT / "docs" / "codes.md").read_text()
    table = page[page.index("| filter |") :].split("\n\n")[0].splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in table] == list(
        dict.fromkeys(row["filter"] for row in rows("claim_filter"))
    )


@pytest.mark.parametrize(
    ("looks", "said", "first", "last"),
    [
        (Looks.REVENUE, "450-0459", "0450", "0459"),
        (Looks.REVENUE, "0981", "0981", "0981"),
        (Looks.PROCEDURE, "g0380 - g0384", "G0380", "G0384"),
        (Looks.CLAIM_TYPE, "Pharmacy", "pharmacy", "pharmacy"),
        (Looks.QUALIFIER, "n4", "N4", "N4"),
        (Looks.PLACE_OF_SERVICE, "02", "02", "02"),
    ],
)
def test_a_code_is_brought_into_the_form_in_which_it_is_compared(
    looks: Looks, said: str, first: str, last: str
) -> None:
    assert rule(looks, said) == Rule(looks, first, last)


@pytest.mark.parametrize(
    ("looks", "said", "says"),
    [
        (Looks.REVENUE, "0459-0450", "ends before it begins"),
        (Looks.REVENUE, "45", "three or four digits"),
        (Looks.REVENUE, "04500", "three or four digits"),
        (Looks.REVENUE, "٠٤٥٠", "three or four digits"),
        (Looks.PROCEDURE, "0500T-0599F", "letters in the same places"),
        (Looks.PROCEDURE, "99281-G0384", "letters in the same places"),
        (Looks.PROCEDURE, "", "four to eleven"),
        (Looks.PROCEDURE, "99281-", "four to eleven"),
        (Looks.PROCEDURE, "99281-99283-99285", "four to eleven"),
        (Looks.PROCEDURE, "HC:99281", "four to eleven"),
        (Looks.PLACE_OF_SERVICE, "2", "two digits"),
        (Looks.BILL_TYPE, "013", "first two of a type of bill"),
        (Looks.CLAIM_TYPE, "prescription", "one of professional"),
        (Looks.CLAIM_TYPE, "dental-pharmacy", "letters in the same places"),
    ],
)
def test_what_is_no_range_is_refused_and_said(looks: Looks, said: str, says: str) -> None:
    with pytest.raises(NotAFilter, match=says) as refused:
        rule(looks, said)
    assert str(refused.value).startswith(looks)


def test_days_that_end_before_they_begin_are_refused() -> None:
    assert rule(Looks.REVENUE, "0450", date(2025, 1, 1), date(2025, 1, 1)).valid_to == date(2025, 1, 1)
    with pytest.raises(NotAFilter, match="first day of service is after the last"):
        rule(Looks.REVENUE, "0450", date(2025, 1, 2), date(2025, 1, 1))


@pytest.mark.parametrize("said", ["Emergency  Visits", " emergency visits\n", "EMERGENCY VISITS"])
def test_a_name_has_one_spelling(said: str) -> None:
    assert name_of(said) == "emergency visits"


def test_a_name_may_have_letters_of_any_language() -> None:
    assert name_of("Mamma's u\u0308bungen - R&D") == "mamma's übungen - r&d"
    assert len(name_of("x" * 60)) == 60


@pytest.mark.parametrize("said", ["", "  ", "-x", "a_b", "a/b", "a;b", "[red]", "a\0b", "\udc80", "x" * 61])
def test_a_bad_name_is_refused(said: str) -> None:
    with pytest.raises(NotAFilter, match="a filter's name is"):
        name_of(said)
