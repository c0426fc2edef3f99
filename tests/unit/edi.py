"""Small X12 interchanges, written segment by segment, for tests to break."""

from collections.abc import Sequence

from hypothesis import strategies as st

from adapters.x12.reader import Transaction, Unreadable, read
from adapters.x12.translate import translate
from application.ports import Buffer, NotUnderstood, Understood
from samples.generator import Delimiters

ISA = "ISA*00*          *00*          *ZZ*PLAN           *ZZ*CLINIC         *260302*0600*^*00501*000000907*0*P*:"

# One claim of 100.00: 80.00 paid, 20.00 coinsurance.
BODY = (
    "BPR*I*80*C*ACH************20260302",
    "TRN*1*TRACE7*1078810412",
    "N1*PR*NORTHFIELD",
    "N1*PE*CLINIC*XX*2110200310",
    "LX*1",
    "CLP*PATIENT7*1*100*80*20*12*CLAIM7*11*1",
    "NM1*QC*1*DOE*JANE****MI*MEMBER7",
    "SVC*HC:99213*100*80**1",
    "DTM*472*20260203",
    "CAS*PR*2*20",
)

NUMBER = {name: number for number, name in enumerate(("ISA", "GS", "ST", *(s.split("*")[0] for s in BODY)), start=1)}
"""Segment numbers within `interchange()`, the last of each name"""


def transaction(*body: str, control: str = "0001", kind: str = "835") -> list[str]:
    return [f"ST*{kind}*{control}", *body, f"SE*{len(body) + 2}*{control}"]


def group(*transactions: Sequence[str], control: str = "7") -> list[str]:
    header = f"GS*HP*PLAN*CLINIC*20260302*0600*{control}*X*005010X221A1"
    inside = [segment for transaction in transactions for segment in transaction]
    return [header, *inside, f"GE*{len(transactions)}*{control}"]


def interchange(*groups: Sequence[str], isa: str = ISA) -> list[str]:
    """All segments, ISA to IEA; without arguments one group of one small remittance."""
    inside = [segment for segments in groups or (group(transaction(*BODY)),) for segment in segments]
    return [isa, *inside, f"IEA*{len(groups) or 1}*{isa.split('*')[13]}"]


def joined(segments: Sequence[str], end: str = "~\n") -> bytes:
    return "".join(segment + end for segment in segments).encode()


SMALL = joined(interchange())


def with_body(*body: str) -> bytes:
    return joined(interchange(group(transaction(*body))))


def replaced(old: str, new: str, body: Sequence[str] = BODY) -> bytes:
    """The small remittance with one segment of another text."""
    assert list(body).count(old) == 1
    return with_body(*(new if segment == old else segment for segment in body))


def only(data: Buffer) -> Transaction:
    (item,) = read(data)
    assert isinstance(item, Transaction), item
    return item


def unreadable(data: Buffer) -> Unreadable:
    (item,) = read(data)
    assert isinstance(item, Unreadable), item
    return item


def faults(item: Unreadable) -> list[tuple[str, int]]:
    return [(fault.reason, fault.segment_number) for fault in item.faults]


def understood(data: Buffer) -> Understood:
    (part,) = translate(data)
    assert isinstance(part, Understood), part
    return part


def not_understood(data: Buffer) -> NotUnderstood:
    (part,) = translate(data)
    assert isinstance(part, NotUnderstood), part
    return part


DELIMITERS = st.builds(
    Delimiters,
    element=st.sampled_from("*|\t\x1dÖ§→"),
    component=st.sampled_from(":>\x1f"),
    repetition=st.sampled_from("^!"),
    terminator=st.sampled_from("~'\x1e¶"),
    line_break=st.sampled_from(["", "\n", "\r\n", "\r"]),
) | st.builds(
    Delimiters,
    element=st.sampled_from("*|Ö"),
    component=st.sampled_from(":>"),
    repetition=st.just("^"),
    terminator=st.sampled_from("\n\r"),
    line_break=st.just(""),
)
"""Delimiters that occur in no text of the generator"""
