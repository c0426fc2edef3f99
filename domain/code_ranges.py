"""Codes as tables name them: apart by spaces, ranges with both ends included: `45378-45398 G0105`."""


def is_among(code: str, codes: str) -> bool:
    """Whether a code is one of them. Codes of a range are as long as its ends, and stand in the order of their text."""
    for each in codes.split():
        first, _, last = each.partition("-")
        if len(code) == len(first) and first <= code <= (last or first):
            return True
    return False
