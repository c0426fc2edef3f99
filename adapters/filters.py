"""Filters that claims are asked for by name. What they match says `matches_filter` in adapters/postgres/codes.sql."""

import csv
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from adapters.codes import SHIPPED
from adapters.postgres.database import Database
from domain.adjudication import ClaimType


class Looks(StrEnum):
    """At what a rule looks."""

    CLAIM_TYPE = "claim_type"
    PLACE_OF_SERVICE = "place_of_service"
    """CLP08, unless the claim is institutional"""
    BILL_TYPE = "bill_type"
    """CLP08 of an institutional claim: the first two digits of its type of bill"""
    QUALIFIER = "qualifier"
    """Which code set a line's procedure is of (SVC01-1): HC, AD, N4 …"""
    PROCEDURE = "procedure"
    REVENUE = "revenue"


_FORMS = {
    Looks.CLAIM_TYPE: ("|".join(ClaimType), "one of " + ", ".join(ClaimType)),
    Looks.PLACE_OF_SERVICE: ("[0-9]{2}", "two digits"),
    Looks.BILL_TYPE: ("[0-9]{2}", "two digits: the first two of a type of bill, without its leading zero"),
    Looks.QUALIFIER: ("[0-9A-Z]{2}", "two letters or digits"),
    Looks.PROCEDURE: ("[0-9A-Z]{4,11}", "four to eleven letters and digits"),
    Looks.REVENUE: ("[0-9]{4}", "three or four digits"),
}
"""What a code has to look like, and how that is said"""

_SHAPE = str.maketrans("123456789", "0" * 9)

# A filter is written under this lock, so that of two writers the second sees what the first one wrote.
LOCK = "LOCK TABLE claim_filter IN SHARE ROW EXCLUSIVE MODE"

ADD = """
WITH said AS (
    SELECT * FROM jsonb_to_recordset(%(rules)s::jsonb)
        AS rule (filter text, system text, code_from text, code_to text, valid_from date, valid_to date)
), added AS (
    INSERT INTO claim_filter (name, shipped) SELECT DISTINCT filter, %(shipped)s FROM said
    ON CONFLICT DO NOTHING RETURNING name
)
INSERT INTO claim_filter_rule (filter, system, code_from, code_to, valid_from, valid_to)
SELECT said.* FROM said JOIN added ON added.name = said.filter
"""

LIST = """
SELECT name, shipped, count(rule.*) AS rules
FROM claim_filter LEFT JOIN claim_filter_rule rule ON rule.filter = name GROUP BY name, shipped ORDER BY name
"""

RULES = """
SELECT system, code_from, code_to, valid_from, valid_to FROM claim_filter_rule
WHERE filter = %s ORDER BY system, code_from, code_to, valid_from NULLS FIRST
"""


class NotAFilter(Exception):
    """What is wrong with a filter that is asked for, saved or removed."""


class Rule(NamedTuple):
    system: Looks
    code_from: str
    code_to: str
    valid_from: date | None = None
    valid_to: date | None = None


class Filters:
    def __init__(self, database: Database) -> None:
        self._database = database

    def renew_shipped(self) -> None:
        """Write the shipped filters as codes/claim_filter.csv has them; one that was saved under such a name stays."""
        with (SHIPPED / "claim_filter.csv").open(encoding="utf-8", newline="") as file:
            rules = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
        with self._database.session() as cursor:
            cursor.execute(LOCK)
            cursor.execute("DELETE FROM claim_filter WHERE shipped")
            cursor.execute(ADD, {"rules": msgspec.json.encode(rules).decode(), "shipped": True})

    def all(self) -> list[dict[str, Any]]:
        """Name, whether it is shipped, and how many rules it has."""
        with self._database.session() as cursor:
            return cursor.execute(LIST).fetchall()

    def named(self, name: str) -> str:
        """The name as `matches_filter` takes it. Raises NotAFilter where there is none."""
        wanted = name_of(name)
        if wanted not in {each["name"] for each in self.all()}:
            raise NotAFilter(f"no filter is named {wanted}: see `scripts/ledger filters list`")
        return wanted

    def rules(self, name: str) -> list[dict[str, Any]]:
        """Raises NotAFilter."""
        with self._database.session() as cursor:
            return cursor.execute(RULES, [self.named(name)]).fetchall()

    def save(self, name: str, rules: Iterable[Rule]) -> None:
        """Store a filter in the place of one of the same name. Raises NotAFilter, also where that one is shipped."""
        name, rules = name_of(name), list(dict.fromkeys(rules))
        if not rules:
            raise NotAFilter("a filter needs something to look for: a claim type, codes, a place or a type of bill")
        stored = [{"filter": name, **rule._asdict()} for rule in rules]
        with self._database.session() as cursor:
            cursor.execute(LOCK)
            cursor.execute("DELETE FROM claim_filter WHERE name = %s AND NOT shipped", [name])
            cursor.execute(ADD, {"rules": msgspec.json.encode(stored).decode(), "shipped": False})
            if cursor.rowcount == 0:
                raise NotAFilter(f"{name} comes with the ledger and stays as it is: save yours under another name")

    def remove(self, name: str) -> None:
        """Raises NotAFilter, also where the filter is shipped."""
        name = self.named(name)
        with self._database.session() as cursor:
            cursor.execute("DELETE FROM claim_filter WHERE name = %s AND NOT shipped", [name])
            if cursor.rowcount == 0:
                raise NotAFilter(f"{name} comes with the ledger and cannot be removed")


def name_of(text: str) -> str:
    """A filter's name in its one spelling: lower case, single spaces. Raises NotAFilter."""
    name = " ".join(unicodedata.normalize("NFC", text).lower().split())
    if not re.fullmatch(r"[^\W_](?:[^\W_]|[ '&-]){0,59}", name):
        raise NotAFilter("a filter's name is up to 60 letters, digits, spaces, hyphens, apostrophes and &")
    return name


def rule(looks: Looks, said: str, valid_from: date | None = None, valid_to: date | None = None) -> Rule:
    """A rule from a code (`0981`) or a range of codes that includes both ends (`0450-0459`). Raises NotAFilter."""
    form, in_words = _FORMS[looks]
    ends = [end.strip() for end in said.split("-", 1)]
    match looks:
        case Looks.CLAIM_TYPE:
            ends = [end.lower() for end in ends]
        case Looks.REVENUE:
            ends = [end.zfill(4) if len(end) == 3 else end for end in ends]
        case _:
            ends = [end.upper() for end in ends]
    first, last = ends[0], ends[-1]
    if not all(re.fullmatch(form, end) for end in ends):
        raise NotAFilter(f"{looks} {said!a}: a code is {in_words}")
    if first.translate(_SHAPE) != last.translate(_SHAPE):
        raise NotAFilter(f"{looks} {said!a}: the ends of a range have their letters in the same places")
    if last < first:
        raise NotAFilter(f"{looks} {said!a}: the range ends before it begins")
    if valid_from is not None and valid_to is not None and valid_to < valid_from:
        raise NotAFilter("the first day of service is after the last")
    return Rule(looks, first, last, valid_from, valid_to)
