"""Good messages of topic payer.adjudications, as plain values, and what a careless sender makes of them."""

import json
import re
from datetime import date
from typing import Any

from hypothesis import strategies as st

from domain.adjudication import AccumulatorKind, AccumulatorLevel, ClaimType, Design, Network
from domain.claim import Awaited, Outcome, Party
from domain.money import CENTS_MAX

Message = dict[str, Any]

AT = "2026-02-20T10:00:00-05:00"
REPORTS: dict[str, Message] = {
    "received": {},
    "accepted": {},
    "rejected": {"reasons": ["A7:562:85", "A3:21"]},
    "pended": {"awaits": "provider_information", "due_on": "2026-04-06"},
    "released": {},
    "voided": {},
    "disputed": {"by": "member"},
    "appealed": {"level": 1, "by": "provider", "due_on": "2026-08-01"},
    "appeal_decided": {"level": 1, "outcome": "overturned"},
}
"""Every kind of report with what it alone says"""


def notice(said: Message, **otherwise: Any) -> Message:
    """About the same claim of the same patient, unless told otherwise."""
    return {
        "schema": 1,
        "payer_id": "1078830634",
        "patient": {"member_id": "TGV100000001", "family_name": "ABERNOLT", "given_name": "ADA"},
        "numbers": {"patient_control_number": "PT000000101", "payer_claim_number": "TGV00000000101"},
        "billing_provider_id": "1234567893",
        "said": said,
    } | otherwise


def report(kind: str, **said: Any) -> Message:
    return notice({"kind": kind, "at": AT} | REPORTS[kind] | said)


def line(charge: int = 10_000, paid: int = 8_000, **otherwise: Any) -> Message:
    written_off = {"group": "CO", "carc": "45", "cents": charge - paid}
    return {
        "procedure": "HC:99213:25",
        "charge_cents": charge,
        "paid_cents": paid,
        "adjustments": [written_off] if charge != paid else [],
        "service_from": "2026-02-02",
    } | otherwise


def adjudicated(*lines: Message, **said: Any) -> Message:
    """It balances, whatever its lines are."""
    made = list(lines or [line()])
    charge, paid = (sum(each[name] for each in made) for name in ("charge_cents", "paid_cents"))
    stated = {"kind": "adjudicated", "on": "2026-03-02", "sequence": 1, "status_code": "1"}
    return notice(stated | {"charge_cents": charge, "paid_cents": paid, "patient_cents": 0, "lines": made} | said)


def of_number(number: str, claim: str) -> Message:
    """A claim of the same patient under another number of theirs."""
    about = adjudicated() | {"numbers": {"patient_control_number": claim, "payer_claim_number": claim}}
    return about | {"patient": about["patient"] | {"member_id": number}}


def encoded(message: Any) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")


# --- any good message

_numbers = st.text("ABC019-/ ü", min_size=1, max_size=80).map(str.strip).filter(bool)
_texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80)
_dates = st.dates(date(1900, 1, 1), date(2199, 12, 31))
_days = _dates.map(str)
_moments = st.builds(
    lambda day, time, offset: f"{day}T{time}{offset}",
    _dates,
    st.times().map(lambda time: time.replace(microsecond=0)),
    st.sampled_from(["Z", "+00:00", "-05:00", "+05:30", "-00:00"]),
)
_amounts = st.integers(0, CENTS_MAX)
_signed = st.integers(-CENTS_MAX, CENTS_MAX)
_remarks = st.lists(st.sampled_from(["MA01", "N706", "M1"]), max_size=3)
_claim_types = st.sampled_from(["", *ClaimType])
_codes = st.text("A1", max_size=4)
_quantities = st.sampled_from(["", "1", "-2", "1.5"])
_procedures = st.sampled_from(["HC:99213", "HC:99213:25:59:GT:XU", "N4:00093015001", "NU:0450"])


def _objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries(
        {name: st.just(value) if isinstance(value, str) else value for name, value in required.items()},
        optional=optional,
    )


def _in_order(said: Message) -> Message:
    """With the end of service not before its start."""
    if said.get("service_from") and said.get("service_to"):
        said["service_from"], said["service_to"] = sorted((said["service_from"], said["service_to"]))
    return said


_period = {"service_from": st.none() | _days, "service_to": st.none() | _days}
_adjustments = st.lists(
    _objects(
        {"group": st.sampled_from(["CO", "PR", "OA", "PI", "CR"]), "carc": st.sampled_from(["1", "45", "B13"]),
         "cents": _signed},
        {"quantity": _quantities},
    ),
    max_size=3,
)  # fmt: skip
_lines = _objects(
    {"procedure": _procedures, "charge_cents": _amounts, "paid_cents": _amounts},
    {
        "adjustments": _adjustments, "remarks": _remarks, **_period, "allowed_cents": st.none() | _amounts,
        "revenue_code": _codes, "units": _quantities, "submitted_procedure": st.just("") | _procedures,
    },
).map(_in_order)  # fmt: skip
_accumulators = st.lists(
    _objects(
        {"kind": st.sampled_from([*AccumulatorKind]), "level": st.sampled_from([*AccumulatorLevel]),
         "network": st.sampled_from([*Network]), "used_cents": _amounts},
        {"limit_cents": st.none() | _amounts, "design": st.sampled_from(["", *Design])},
    ).map(lambda each: each | ({"design": ""} if each["level"] == "individual" else {})),
    max_size=3, unique_by=lambda each: (each["kind"], each["level"], each["network"]),
)  # fmt: skip
_decisions = _objects(
    {
        "kind": "adjudicated", "on": _days, "status_code": st.sampled_from(["1", "4", "19", "25"]),
        "charge_cents": _amounts, "paid_cents": _amounts, "patient_cents": _amounts,
    },
    {
        "sequence": st.integers(1, 999), "lines": st.lists(_lines, max_size=3), "adjustments": _adjustments,
        "remarks": _remarks, **_period, "received_on": st.none() | _days, "filing_code": _codes,
        "facility_code": _codes, "frequency_code": _codes, "rendering_provider": st.just("") | _numbers,
        "forwarded_to": _texts, "claim_type": _claim_types, "network": st.sampled_from(["", "in", "out"]),
        "plan_id": st.just("") | _numbers, "plan_year_from": st.none() | _days, "accumulators": _accumulators,
    },
)  # fmt: skip
_due = {"due_on": st.none() | _days}
_levels = st.integers(1, 3)
_only: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rejected": ({"reasons": st.lists(st.sampled_from(["A7:562:85", "A3:21"]), min_size=1, max_size=3)}, {}),
    "pended": ({"awaits": st.sampled_from([*Awaited])}, _due),
    "disputed": ({"by": st.sampled_from([*Party])}, {}),
    "appealed": ({"by": st.sampled_from([*Party]), "level": _levels}, _due),
    "appeal_decided": ({"level": _levels, "outcome": st.sampled_from([*Outcome])}, {}),
}


def _reports(kind: str) -> st.SearchStrategy[Message]:
    required, optional = _only.get(kind, ({}, {}))
    common = {"claim_type": _claim_types, "charge_cents": st.none() | _amounts, **_period}
    return _objects({"kind": kind, "at": _moments} | required, common | optional)


def _shuffled(draw: st.DrawFn, value: Any) -> Any:
    """The same with the keys of every object in another order."""
    match value:
        case dict():
            return {name: _shuffled(draw, value[name]) for name in draw(st.permutations(sorted(value)))}
        case list():
            return [_shuffled(draw, each) for each in value]
        case _:
            return value


@st.composite
def notices(draw: st.DrawFn) -> Message:
    """Any good message; its sums need not hold."""
    said = draw(st.sampled_from([*REPORTS, "adjudicated"]).flatmap(
        lambda kind: _decisions if kind == "adjudicated" else _reports(kind)
    ))  # fmt: skip
    message = draw(
        _objects(
            {
                "schema": st.just(1),
                "payer_id": _numbers,
                "patient": _objects(
                    {"member_id": _numbers},
                    dict.fromkeys(("family_name", "given_name", "middle_name", "suffix"), _texts),
                ),
                "numbers": _objects(
                    {"patient_control_number": _numbers, "payer_claim_number": _numbers},
                    {"line_control_numbers": st.lists(_numbers, max_size=3)},
                ),
                "said": st.just(_in_order(said)),
            },
            {"billing_provider_id": st.just("") | _numbers},
        )
    )
    shuffled: Message = _shuffled(draw, message)
    return shuffled


_NEW = [
    b"", b" ", b"\n", b'"', b"\\", b",", b":", b"[", b"]", b"{", b"}", b"0", b"-", b".5", b"e2", b"\0", b"\x7f",
    b"\xc2\x85", b"\xff", b"\xed\xa0\x80", b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", b"\\u00e9", b"\\n",
    b'"\\u0073chema": 1, ', b'"a": {}, ',
]  # fmt: skip
_OTHER = [
    b"1.0", b"-0", b"1e2", b"1e400", b"NaN", b"-Infinity", b"9" * 5000, b"null", b"true", b'"x"', b'""', b"{}", b"[]",
]  # fmt: skip
_BEGINS = re.compile(rb'[{\[,:"}\]] ?')
_PAIR = re.compile(rb'"\w+": (?:"[^"]*"|-?\d+)(?:, )')


@st.composite
def slips(draw: st.DrawFn) -> bytes:
    """A good message with one or two slips: something added, a value replaced, a key that stands twice."""
    data = encoded(draw(notices()))
    for _ in range(draw(st.integers(1, 2))):
        pattern, news = draw(st.sampled_from([(_BEGINS, _NEW), (_PAIR, _OTHER), (_PAIR, [])]))
        found = [match.span() for match in pattern.finditer(data)]
        start, end = draw(st.sampled_from(found)) if found else (0, 0)
        if not news:
            data = data[:end] + data[start:]
        elif pattern is _BEGINS:
            data = data[:end] + draw(st.sampled_from(news)) + data[end + draw(st.integers(0, 1)) :]
        else:
            value = data.index(b": ", start) + 2 if found else 0
            data = data[:value] + draw(st.sampled_from(news)) + data[end - 2 :]
    return data
