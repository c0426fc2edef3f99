"""Numbers of cards and bank accounts, which the ledger never keeps: a payment is known by its processor's token.

Found wherever they stand in a text, however they are grouped. A number of something else may look like one (a tenth of
all numbers of 13 to 19 digits pass the check of a card's): it is refused as well, since nobody can tell.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
"""RFC 9562, section 4: no number of a card or an account has this form, though one in 170 holds digits that check."""


def holds_account_number(said: object) -> bool:
    """Whether a text, or any text within a fact or a JSON document, holds what looks like the number of a card
    (ISO/IEC 7812: 13 to 19 digits by Luhn), of a bank account (IBAN, ISO 13616), or a US routing number beside one."""
    match said:
        case str() if _UUID.fullmatch(said):
            return False
        case str():
            text = unicodedata.normalize("NFKC", said).upper()  # digits of full width and the like
            return _holds_card(text) or _holds_iban(text) or _holds_routed_account(text)
        case tuple() | list():
            return any(map(holds_account_number, said))
        case dict():
            return any(map(holds_account_number, said.values()))
        case msgspec.Struct():
            return any(holds_account_number(getattr(said, name)) for name in said.__struct_fields__)
        case _:
            return False


def _holds_card(text: str) -> bool:
    parts = re.split(r"[A-Z]+", text)
    return any(_is_luhn(digits) for part in parts for digits in _joined(re.findall(r"[0-9]+", part), 13, 19))


def _holds_iban(text: str) -> bool:
    return any(_is_iban(number) for number in _joined(re.findall(r"[A-Z0-9]+", text), 15, 34))


def _holds_routed_account(text: str) -> bool:
    neighbours = pairwise(re.findall(r"[0-9]+", text))
    pairs = (pair for first, second in neighbours for pair in ((first, second), (second, first)))
    return any(_is_routing(routing) and 4 <= len(account) <= 17 for routing, account in pairs)


def _joined(groups: Sequence[str], shortest: int, longest: int) -> Iterator[str]:
    """Every run of neighbouring groups that has such a length."""
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) > longest:
                break
            if len(number) >= shortest:
                yield number


def _is_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _is_iban(number: str) -> bool:
    if not re.match(r"[A-Z]{2}[0-9]{2}", number):
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def _is_routing(digits: str) -> bool:
    """Nine digits, weighed 3, 7, 1 (American Bankers Association)."""
    return len(digits) == 9 and sum(w * int(d) for w, d in zip((3, 7, 1) * 3, digits, strict=True)) % 10 == 0
