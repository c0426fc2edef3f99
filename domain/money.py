"""Money is an integer count of US cents. It is never a float, and text becomes money in one place only."""

from functools import lru_cache
from typing import NewType

Money = NewType("Money", int)

ZERO = Money(0)

CENTS_MAX = 10**12
"""The most that one amount may be, either way: ten billion dollars. A hundred times what HIPAA lets an 835 say (ten
digits of data element 782), and little enough that the sum of nine million of them fits a 64-bit integer."""
DIGITS_MAX = 18
"""Of an amount, leading zeros and all: data element 782 has no more."""


class NotAnAmount(ValueError):
    """The text is not a decimal amount with at most two places, or it is beyond all bounds."""


@lru_cache(maxsize=32_768)
def parse(text: str) -> Money:
    """Cents of an X12 decimal (`-310`, `187.5`, `.5`, `100.`); empty text is zero.

    Raises NotAnAmount for anything else: exponents, signs in the middle, fractions of a cent, endless digits,
    more than CENTS_MAX.
    Amounts come from fee schedules and repeat, and there are some twenty of them in a claim: hence the cache.
    """
    if not text:
        return ZERO
    whole, _, fraction = text.partition(".")
    negative = whole[:1] == "-"
    digits = (whole[1:] if negative else whole) + (fraction + "00")[:2]
    if len(digits) > DIGITS_MAX or (len(fraction) > 2 and fraction[2:].strip("0")):
        raise NotAnAmount
    # isdecimal alone would let other scripts' digits and a lone "." or "-" through.
    if not digits.isascii() or not digits.isdecimal() or (not fraction.isdecimal() and fraction) or text in "-.":
        raise NotAnAmount
    cents = int(digits)
    if cents > CENTS_MAX:
        raise NotAnAmount
    return Money(-cents if negative else cents)


def dollars(cents: int) -> str:
    """The amount as people write it: `-1,234.05`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
