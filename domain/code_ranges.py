"""Codes as tables name them: apart by spaces, ranges with both ends included: `45378-45398 G0105`."""

_SHAPE = str.maketrans("123456789", "0" * 9)


def is_among(code: str, codes: str) -> bool:
    """Whether a code is one of them. Codes of a range are built like its ends, with letters in the same places, and
    stand in the order of their text: 7010F is not one of 70010 to 79999."""
    for each in codes.split():
        first, _, last = each.partition("-")
        if first <= code <= (last or first) and code.translate(_SHAPE) == first.translate(_SHAPE):
            return True
    return False
