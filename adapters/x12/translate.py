"""From the bytes of a message to the remittances in it, or to named diagnostics."""

from collections.abc import Iterator

from adapters.x12.reader import Fault, Unreadable, count_claims, read
from adapters.x12.remittance import understand
from application.ports import Buffer, NotUnderstood, Understood

FAULTS_MAX = 20
"""Diagnostics that are kept of one thing: a message of nothing but faults must not grow by naming them"""


def translate(data: Buffer) -> Iterator[Understood | NotUnderstood]:
    """Each 835 transaction of every interchange, in order. Never raises for what is in the data."""
    for item in read(data):
        if isinstance(item, Unreadable):
            yield _not_understood(item.faults, "", item.claims, item.raw, item.identity)
            continue
        number = item.control_number
        # Kept in the clear, so it has to be what it should be: anything else may be a name.
        where = f"ST {number}" if number.isascii() and number.isdigit() and len(number) <= 9 else "ST"
        try:
            if item.kind != "835":
                raise Fault("x12.unsupported_transaction", item.segment_number, f"ST01 is {item.kind[:3]!r}")
            yield Understood(understand(item), where, item.interchange, item.raw)
        except Fault as fault:
            yield _not_understood((fault,), where, count_claims(item.raw), item.interchange(), item.raw)


def _not_understood(faults: tuple[Fault, ...], where: str, claims: int, raw: bytes, identity: bytes) -> NotUnderstood:
    first, *others = faults[:FAULTS_MAX]
    detail = "; ".join([first.detail, *(f"{fault.reason} at {fault.where}: {fault.detail}" for fault in others)])
    return NotUnderstood(first.reason, " ".join(filter(None, (where, first.where))), detail, claims, raw, identity)
