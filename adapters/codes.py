"""What codes mean: the official text where the operator loaded a list, else the one shipped in codes/, else nothing."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
from psycopg.sql import SQL

from adapters.postgres.database import Database
from adapters.postgres.event_log import CREATE_LOCK

SHIPPED = Path(__file__).parents[1] / "codes"

SCHEMA = Path(__file__).with_name("postgres").joinpath("codes.sql").read_text(encoding="utf-8")

LOAD = """
INSERT INTO code_text (system, code, text, valid_from, valid_to)
SELECT %(system)s, code, text, valid_from, valid_to
FROM jsonb_to_recordset(%(texts)s::jsonb) AS list (code text, text text, valid_from date, valid_to date)
"""

BYTES_MAX = 10_000_000
"""Of an official list; the longest there is has a third of a megabyte"""


class System(StrEnum):
    """Which list a code is of."""

    CARC = "carc"
    """Claim adjustment reason (CAS02)"""
    RARC = "rarc"
    """Remittance advice remark (MIA, MOA, LQ*HE)"""
    GROUP = "group"
    """Claim adjustment group (CAS01)"""
    CLP02 = "clp02"
    """Claim status of an 835"""
    CATEGORY = "category"
    """Claim status category of a 277 (STC01-1)"""


class NotAList(Exception):
    """What is wrong with a file of codes, and on which line; never what stands there, for it may be any file."""


class CodeText(NamedTuple):
    code: str
    text: str
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, on: date | None) -> bool:
        return on is None or (self.valid_from or date.min) <= on <= (self.valid_to or date.max)


class Loaded(NamedTuple):
    codes: int
    replaced: int


class Codes:
    """Reads the loaded lists once: what is loaded later is seen by the processes that start later."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_tables(self) -> None:
        """The tables and functions of adapters/postgres/codes.sql; those of an existing ledger stay as they are."""
        with self._database.session() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATE_LOCK])
            cursor.execute(SQL(SCHEMA))

    def text(self, system: str, code: str, on: date | None = None) -> str:
        """What a code means in plain language (on a day, where its list knows of days); "" where nobody says."""
        return self.official(system, code, on) or shipped(System(system)).get(code.upper(), "")

    def official(self, system: str, code: str, on: date | None = None) -> str:
        """The text of the list that the operator loaded, or ""."""
        found = self._official.get((system, code.upper()))
        return found.text if found is not None and found.holds(on) else ""

    def load(self, system: System, data: bytes) -> Loaded:
        """Put an official list in the place of what was loaded before. Raises NotAList, and then nothing changes."""
        texts = [text._asdict() for text in read_list(data)]
        with self._database.session() as cursor:
            cursor.execute("LOCK TABLE code_text IN SHARE ROW EXCLUSIVE MODE")
            replaced = cursor.execute("DELETE FROM code_text WHERE system = %s", [system]).rowcount
            cursor.execute(LOAD, {"system": system, "texts": msgspec.json.encode(texts).decode()})
        vars(self).pop("_official", None)
        return Loaded(len(texts), replaced)

    @cached_property
    def _official(self) -> Mapping[tuple[str, str], CodeText]:
        with self._database.session() as cursor:
            rows = cursor.execute("SELECT system, code, text, valid_from, valid_to FROM code_text").fetchall()
        return {(row.pop("system"), row["code"]): CodeText(**row) for row in rows}


@lru_cache
def shipped(system: System) -> Mapping[str, str]:
    """Our own texts: code → what it means for a member."""
    with (SHIPPED / f"{system}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["text"] for row in csv.DictReader(file)}


def read_list(data: bytes) -> list[CodeText]:
    """An official list as CSV (UTF-8): a header with code and description, and start and stop where it has them.

    Days are 2025-12-31 or, as X12 prints them, 12/31/2025. Raises NotAList.
    """
    if len(data) > BYTES_MAX:
        raise NotAList(f"the file is larger than {BYTES_MAX // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAList("the file is not UTF-8") from None
    found: dict[str, CodeText] = {}
    for line, row in _rows(text):
        said = _understood(line, row)
        if said.code in found:
            raise NotAList(f"line {line}: the code stands in the file twice")
        found[said.code] = said
    if not found:
        raise NotAList("the file has no codes")
    return list(found.values())


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by column, with its line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        for name in ("code", "description"):
            if header.count(name) != 1:
                raise NotAList(f"line 1: there is {'no' if name not in header else 'more than one'} column {name}")
        for row in reader:
            if row and len(row) != len(header):
                raise NotAList(f"line {reader.line_num}: {len(row)} fields, where the header has {len(header)}")
            if row:
                yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise NotAList(f"line {reader.line_num}: not CSV ({error})") from None


def _understood(line: int, row: Mapping[str, str]) -> CodeText:
    code, text = row["code"].strip().upper(), " ".join(row["description"].split())
    if not re.fullmatch("[0-9A-Z]{1,10}", code):
        raise NotAList(f"line {line}: a code is one to ten letters and digits")
    if not text or not text.isprintable():
        raise NotAList(f"line {line}: the description is {'not readable text' if text else 'empty'}")
    start, stop = (_day(line, name, row.get(name, "").strip()) for name in ("start", "stop"))
    if start is not None and stop is not None and stop < start:
        raise NotAList(f"line {line}: it stops before it starts")
    return CodeText(code, text, start, stop)


def _day(line: int, column: str, text: str) -> date | None:
    printed = re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", text)
    try:
        return date.fromisoformat("{2}-{0}-{1}".format(*printed.groups()) if printed else text) if text else None
    except ValueError:
        raise NotAList(f"line {line}: {column} is not a day like 2025-12-31 or 12/31/2025") from None
