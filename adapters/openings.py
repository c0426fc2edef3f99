"""Files of opening balances: CSV with a header, a line for each bill, and a last line of control totals.

payer_id,member_id,reference,service_day,owed
1078810412,NHP131023432,A-1001,2025-11-20,40.00
total,1,,,40.00
"""

import csv
import io
from collections.abc import Iterator
from datetime import date

from application.openings import Opening
from application.streams import Member
from domain.account_numbers import holds_account_number
from domain.money import Money, NotAnAmount, dollars, parse

HEADER = ["payer_id", "member_id", "reference", "service_day", "owed"]
NUMBER_MAX = 80


class NotOpenings(Exception):
    """The file is not one of opening balances, or not whole; the message never quotes it."""


def read_openings(data: bytes) -> list[Opening]:
    """All of it or nothing: a file of which the totals are wrong may have lost a part."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotOpenings(f"the file is not CSV in UTF-8 ({type(error).__name__})") from None
    if not rows or rows[0] != HEADER:
        raise NotOpenings(f"the first line is not {','.join(HEADER)}")
    if len(rows) < 2 or rows[-1][:1] != ["total"] or len(rows[-1]) != len(HEADER):
        raise NotOpenings("the last line does not hold the control totals: total,COUNT,,,SUM")
    openings = list(_openings(rows[1:-1]))
    total = sum(each.cents for each in openings)
    _, count, *_, stated = rows[-1]
    if count != str(len(openings)):
        raise NotOpenings(f"there are {len(openings)} bills, and the control total says otherwise")
    if _amount(stated, len(rows)) != total:
        raise NotOpenings(f"the bills come to {dollars(total)}, and the control total says otherwise")
    return openings


def _openings(rows: list[list[str]]) -> Iterator[Opening]:
    seen: set[tuple[str, ...]] = set()
    for line, row in enumerate(rows, 2):
        if len(row) != len(HEADER):
            raise NotOpenings(f"line {line}: {len(HEADER)} fields are wanted")
        *numbers, served, owed = row
        if any(not each.strip() or len(each) > NUMBER_MAX for each in numbers) or holds_account_number(tuple(numbers)):
            raise NotOpenings(f"line {line}: a number is missing, too long, or that of a card or a bank account")
        if tuple(numbers) in seen:
            raise NotOpenings(f"line {line}: the bill stands twice")
        seen.add(tuple(numbers))
        try:
            day = date.fromisoformat(served)
        except ValueError:
            raise NotOpenings(f"line {line}: the day of service is not YYYY-MM-DD") from None
        cents = _amount(owed, line)
        if cents <= 0:
            raise NotOpenings(f"line {line}: what is owed is more than nothing")
        payer_id, member_id, reference = numbers
        yield Opening(Member(payer_id, member_id), reference, day, cents)


def _amount(text: str, line: int) -> Money:
    try:
        return parse(text)
    except NotAnAmount:
        raise NotOpenings(f"line {line}: the amount is not one in dollars and cents") from None
