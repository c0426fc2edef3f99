"""The JSON message: what is read from it, and why it is not read."""

import json
import re
import time
import tracemalloc
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from adapters.claim_notice.model import Adjudicated, ClaimNotice, ClaimType, Report
from adapters.claim_notice.translate import read, translate, translate_lines
from adapters.json_message.lines import holds_lines
from adapters.json_message.reader import BYTES_MAX, Fault
from application.ports import NotUnderstood, Understood
from consumers.messages import balanced
from domain import adjudication
from domain.adjudication import (
    Accumulator,
    AccumulatorKind,
    AccumulatorLevel,
    Adjudication,
    Adjustment,
    ClaimNumbers,
    Design,
    Network,
    ServiceLine,
)
from domain.claim import Awaited, Decided, Kind, Notice, Outcome, Party, Reported
from domain.money import CENTS_MAX, Money
from domain.parking import REASONS
from domain.person import Names
from tests.given import IDS
from tests.unit.notices import REPORTS, adjudicated, encoded, line, notices, report, slips

SECRET = "QUOXBRAM"
"""Stands in bad messages, and must stand in nothing that is said of them"""


def understood(data: bytes) -> Notice:
    [part] = translate(data)
    assert isinstance(part, Understood), part
    assert isinstance(part.said, Notice)
    assert (part.raw(), part.identity) == (data, data)
    return part.said


def refused(data: bytes) -> tuple[str, str]:
    """Reason and detail."""
    [part] = translate(data)
    assert isinstance(part, NotUnderstood), part
    assert (part.raw, part.identity) == (data, data)
    assert SECRET not in part.detail
    assert part.reason in REASONS
    return part.reason, part.detail


# --- what is read


def test_a_report_is_read_as_it_is_written() -> None:
    message = report(
        "pended", claim_type="professional", charge_cents=10_000, service_from="2026-02-02", service_to=None
    )
    assert understood(encoded(message)) == Notice(
        payer_id="1078830634",
        patient=Names("TGV100000001", "ABERNOLT", "ADA"),
        numbers=ClaimNumbers("PT000000101", "TGV00000000101"),
        billing_provider_id="1234567893",
        said=Reported(
            kind=Kind.PENDED,
            at=datetime(2026, 2, 20, 10, tzinfo=timezone(timedelta(hours=-5))),
            claim_type="professional",
            charge_cents=Money(10_000),
            service_from=date(2026, 2, 2),
            awaits=Awaited.PROVIDER_INFORMATION,
            due_on=date(2026, 4, 6),
        ),
    )


SAID_ALONE: dict[str, dict[str, Any]] = {
    "rejected": {"reasons": ("A7:562:85", "A3:21")},
    "pended": {"awaits": Awaited.PROVIDER_INFORMATION, "due_on": date(2026, 4, 6)},
    "disputed": {"by": Party.MEMBER},
    "appealed": {"by": Party.PROVIDER, "level": 1, "due_on": date(2026, 8, 1)},
    "appeal_decided": {"level": 1, "outcome": Outcome.OVERTURNED},
}


@pytest.mark.parametrize("kind", REPORTS)
def test_every_kind_of_report_is_read(kind: str) -> None:
    said = understood(encoded(report(kind))).said
    assert isinstance(said, Reported)
    assert said.kind == kind
    assert said == Reported(Kind(kind), said.at, **SAID_ALONE.get(kind, {}))


def test_an_adjudication_is_read_as_it_is_written() -> None:
    full = line(
        adjustments=[
            {"group": "CO", "carc": "45", "cents": 1_500},
            {"group": "PR", "carc": "2", "cents": 500, "quantity": "1"},
        ],
        remarks=["N706"],
        service_to="2026-02-03",
        allowed_cents=0,
        revenue_code="0450",
        units="2.5",
        submitted_procedure="HC:99214",
    )
    message = adjudicated(
        full, line(5_000, 5_000),
        sequence=2, claim_type="institutional", patient_cents=500, service_from="2026-02-02", service_to="2026-02-03",
        received_on="2026-02-10", filing_code="12", facility_code="11", frequency_code="1",
        rendering_provider="1098765432", forwarded_to="HARBORLINE", remarks=["MA01"],
        adjustments=[{"group": "OA", "carc": "23", "cents": 0}],
        network="in", plan_id="NHP-SILVER", plan_year_from="2025-07-01",
        accumulators=[
            {"kind": "deductible", "level": "individual", "network": "in", "used_cents": 500},
            {"kind": "out_of_pocket", "level": "family", "network": "both", "used_cents": 0, "limit_cents": 0,
             "design": "embedded"},
        ],
    )  # fmt: skip
    assert understood(encoded(message)).said == Decided(
        on=date(2026, 3, 2),
        sequence=2,
        adjudication=Adjudication(
            status_code="1",
            charge_cents=Money(15_000),
            paid_cents=Money(13_000),
            patient_cents=Money(500),
            lines=(
                ServiceLine(
                    "HC:99213:25",
                    Money(10_000),
                    Money(8_000),
                    (Adjustment("CO", "45", Money(1_500)), Adjustment("PR", "2", Money(500), "1")),
                    ("N706",),
                    date(2026, 2, 2),
                    date(2026, 2, 3),
                    Money(0),
                    "0450",
                    "2.5",
                    "HC:99214",
                ),
                ServiceLine("HC:99213:25", Money(5_000), Money(5_000), service_from=date(2026, 2, 2)),
            ),
            adjustments=(Adjustment("OA", "23", Money(0)),),
            remarks=("MA01",),
            service_from=date(2026, 2, 2),
            service_to=date(2026, 2, 3),
            received_on=date(2026, 2, 10),
            filing_code="12",
            facility_code="11",
            frequency_code="1",
            rendering_provider="1098765432",
            forwarded_to="HARBORLINE",
            claim_type="institutional",
            network=Network.IN,
            plan_id="NHP-SILVER",
            plan_year_from=date(2025, 7, 1),
            accumulators=(
                Accumulator(AccumulatorKind.DEDUCTIBLE, AccumulatorLevel.INDIVIDUAL, Network.IN, Money(500)),
                Accumulator(
                    AccumulatorKind.OUT_OF_POCKET,
                    AccumulatorLevel.FAMILY,
                    Network.BOTH,
                    Money(0),
                    Money(0),
                    Design.EMBEDDED,
                ),
            ),
        ),
    )


def test_what_says_nothing_of_plans_has_the_content_that_it_had_before_there_were_any() -> None:
    """Else all that came before would come again as a conflict."""
    notice = understood(encoded(adjudicated()))
    assert IDS.content(notice) == "1:a9717d8ff83b46d55f0080bf2fe3f4aa"
    empty: dict[str, Any] = {"network": "", "plan_id": "", "plan_year_from": None, "accumulators": []}
    assert understood(encoded(adjudicated(**empty))) == notice


def test_the_model_knows_the_kinds_and_types_of_the_domain() -> None:
    postings = {Kind.ADJUDICATED, Kind.REVERSED, Kind.FORWARDED, Kind.PREDETERMINED}
    assert {each.__struct_config__.tag for each in Report.__args__} == {*Kind} - postings
    assert Adjudicated.__struct_config__.tag == Kind.ADJUDICATED
    assert {*ClaimType.__args__} == {"", *adjudication.ClaimType}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "data",
    [
        encoded(report("accepted")),
        json.dumps(report("accepted"), indent=2).encode(),
        b"\xef\xbb\xbf\r\n\t " + encoded(report("accepted")) + b"\n",
        encoded(dict(reversed(report("accepted").items()))),
        encoded(report("accepted", claim_type="", charge_cents=None, service_from=None)),
    ],
    ids=["as it is", "over many lines", "a byte order mark and spaces", "in another order", "empty as left out"],
)
def test_how_it_is_laid_out_changes_nothing(data: bytes) -> None:
    assert understood(data) == understood(encoded(report("accepted")))


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("name", ["MÜLLER", 'O\'BRIEN "AL" \\ /', "SMITH°", "Ω 😀 \u2028", "{:,[]}", '"' + "[" * 40])
def test_any_name_is_a_name(name: str, escaped: bool) -> None:
    message = report("accepted") | {"patient": {"member_id": "1", "family_name": name}}
    assert understood(json.dumps(message, ensure_ascii=escaped).encode()).patient.family_name == name


@given(notices())
def test_every_good_message_is_understood(message: Any) -> None:
    understood(encoded(message))


# --- what is not

GOOD = encoded(adjudicated(claim_type="professional"))


def changed_text(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def with_name(escaped: bytes) -> bytes:
    return changed_text(b"ABERNOLT", SECRET.encode() + escaped)


def with_paid(number: bytes) -> bytes:
    return changed_text(b'"paid_cents": 8000', b'"paid_cents": ' + number)


def deep(levels: int) -> bytes:
    return changed_text(b'"professional"', b"[" * levels + b"]" * levels)


BAD = {
    "nothing": (b"", "message.empty"),
    "only spaces": (b" \r\n", "message.empty"),
    "a letter": (f"Dear Ms. {SECRET}".encode(), "json.not_json"),
    "X12": (b"ISA*00*          *00*", "json.not_json"),
    "a list": (b"[" + GOOD + b"]", "json.not_json"),
    "a text": (f'"{SECRET}"'.encode(), "json.not_json"),
    "a number": (b"1.5", "json.not_json"),
    "the first half": (GOOD[: len(GOOD) // 2], "json.not_json"),
    "two objects": (GOOD + b"\n" + GOOD, "json.not_json"),
    "a trailing comma": (GOOD[:-1] + b",}", "json.not_json"),
    "bytes that are no text": (with_name(b"\xff"), "json.not_json"),
    "ISO 8859-1": (with_name("Ü".encode("latin-1")), "json.not_json"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "json.not_json"),
    "33 levels": (deep(31), "json.too_deep"),
    "100,000 levels": (deep(100_000), "json.too_deep"),
    "100,000 levels, never closed": (b"[" * 100_000, "json.too_deep"),
    "100,000 levels before the kind": (changed_text(b'{"kind"', b'{"x": ' + b'{"a":' * 100_000), "json.too_deep"),
    "10 MB of brackets": (b"[" * 10_000_000, "message.too_large"),
    "10 MB": (with_name(b"X" * 10_000_000), "message.too_large"),
    "a byte too many": (GOOD + b" " * (BYTES_MAX - len(GOOD) + 1), "message.too_large"),
    "an amount twice": (with_paid(b'8000, "paid_cents": 8000'), "json.duplicate_key"),
    "an amount twice, once escaped": (with_paid(b'8000, "paid\\u005fcents": 1'), "json.duplicate_key"),
    "the kind twice": (changed_text(b'"kind": ', b'"kind": "received", "kind": '), "json.duplicate_key"),
    "a whole part twice": (changed_text(b'"patient"', b'"patient": {}, "patient"'), "json.duplicate_key"),
    "a foreign key twice": (changed_text(b'"schema"', b'"a": {"b": 1, "b": 1}, "schema"'), "json.duplicate_key"),
    "a NUL": (with_name(b"\0"), "json.bad_character"),
    "a NUL, escaped": (with_name(b"\\u0000"), "json.bad_character"),
    "a line break in a code": (changed_text(b'"carc": "45"', b'"carc": "45\\n"'), "json.bad_character"),
    "an escape sequence of terminals": (with_name(b"\\u001b[2J"), "json.bad_character"),
    "a control character of eight bits": (with_name("\u009b".encode()), "json.bad_character"),
    "a DEL": (with_name(b"\x7f"), "json.bad_character"),
    "a lone surrogate": (with_name(b"\xed\xa0\x80"), "json.bad_character"),
    "a lone surrogate, escaped": (with_name(b"\\ud800"), "json.bad_character"),
    "surrogates the wrong way round": (with_name(b"\\ude00\\ud83d"), "json.bad_character"),
    "a NUL in a key": (changed_text(b'"patient"', b'"patient\\u0000"'), "json.bad_character"),
    "a fraction": (with_paid(b"80.00"), "json.not_an_integer"),
    "a whole fraction": (with_paid(b"8000.0"), "json.not_an_integer"),
    "an exponent": (with_paid(b"8e3"), "json.not_an_integer"),
    "1e400": (with_paid(b"1e400"), "json.not_an_integer"),
    "NaN": (with_paid(b"NaN"), "json.not_an_integer"),
    "Infinity": (with_paid(b"-Infinity"), "json.not_an_integer"),
    "a fraction for a version": (changed_text(b'"schema": 1', b'"schema": 1.0'), "json.not_an_integer"),
    "version 2": (changed_text(b'"schema": 1', b'"schema": 2'), "json.unknown_version"),
    "version true": (changed_text(b'"schema": 1', b'"schema": true'), "json.unknown_version"),
    "version 1 in words": (changed_text(b'"schema": 1', b'"schema": "1"'), "json.unknown_version"),
    "a version without end": (changed_text(b'"schema": 1', b'"schema": 1' + b"0" * 10_000), "json.unknown_version"),
    "no version": (changed_text(b'"schema": 1, ', b""), "json.unknown_version"),
    "a type mark": (f'{{"_type_": "domain.claim:Notice", "_data_": "{SECRET}"}}'.encode(), "json.unknown_version"),
    "an empty object": (b"{}", "json.unknown_version"),
    "a type mark in a good one": (changed_text(b'"schema"', b'"_type_": "os", "schema"'), "json.wrong_schema"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_message_is_refused_for_its_reason_and_tells_nothing(name: str) -> None:
    data, reason = BAD[name]
    assert refused(data)[0] == reason


def test_a_message_counts_as_a_claim_as_soon_as_it_says_which_version_it_follows() -> None:
    for name, (data, reason) in BAD.items():
        [part] = translate(data)
        assert isinstance(part, NotUnderstood)
        assert part.claims == (reason == "json.wrong_schema"), name


def test_each_reason_of_the_format_is_shown() -> None:
    assert {reason for _, reason in BAD.values()} >= {reason for reason in REASONS if reason.startswith("json.")}


def test_the_deepest_and_largest_good_messages_are_good() -> None:
    assert refused(deep(30))[0] == "json.wrong_schema"
    understood(GOOD + b" " * (BYTES_MAX - len(GOOD)))


@pytest.mark.parametrize(
    "data",
    [
        deep(500_000)[:BYTES_MAX],
        b'{"a": ' + b"[]," * 340_000,
        b'{"a": [' + b"0," * 500_000 + b"0]}",
        b'{"schema": ' + b"9" * 1_000_000 + b"}",
        b'{"' + b'\\"' * 500_000,
        b'{"a": "' + b"\\u0000" * 170_000 + b'"}',
        b'"' * 1_000_000,
        GOOD.replace(b"ABERNOLT", b" " * 1_000_000),
        GOOD.replace(b"TGV100000001", b" " * 1_000_000),
    ],
    ids=lambda data: data[:12].decode(),
)
def test_the_worst_of_a_megabyte_costs_little(data: bytes) -> None:
    tracemalloc.start()
    started = time.perf_counter()
    refused(data)
    took_s = time.perf_counter() - started
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"{took_s:.2f} s, {most / 1e6:.0f} MB")
    assert took_s < 5  # a tenth of it without the measuring of memory; a machine may be busy
    assert most < 200_000_000


# --- the model's own refusals


def changed(message: Any, path: str, value: Any) -> bytes:
    """With another value at `said.lines.0.carc`; without one where the value is `...`."""
    part = message = json.loads(json.dumps(message))
    *before, last = (int(key) if key.isdigit() else key for key in path.split("."))
    for key in before:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return encoded(message)


DECIDED, PENDED = adjudicated(remarks=["MA01"]), report("pended")
USED = {"kind": "deductible", "level": "individual", "network": "in", "used_cents": 500}


@pytest.mark.parametrize(
    ("message", "path", "value", "problem"),
    [
        (DECIDED, "payer_id", ..., "missing"),
        (DECIDED, "payer_id", " ", "not of the right form"),
        (DECIDED, "payer_id", f"{SECRET} ", "not of the right form"),
        (DECIDED, "payer_id", "1" * 81, "out of bounds"),
        (DECIDED, "patient", None, "wrong type"),
        (DECIDED, "patient.member_id", "", "not of the right form"),
        (DECIDED, "patient.member_id", 7, "wrong type"),
        (DECIDED, "patient.family_name", SECRET * 11, "out of bounds"),
        (DECIDED, "patient.foreign", SECRET, "unknown field"),
        (DECIDED, "foreign", 1, "unknown field"),
        (DECIDED, "numbers.payer_claim_number", None, "wrong type"),
        (DECIDED, "said", SECRET, "wrong type"),
        (DECIDED, "said.kind", ..., "missing"),
        (DECIDED, "said.kind", 3, "wrong type"),
        (DECIDED, "said.kind", SECRET, "not one of the allowed values"),
        (DECIDED, "said.kind", "reversed", "not one of the allowed values"),
        (DECIDED, "said.on", SECRET, "not a date or time"),
        (DECIDED, "said.on", "2026-02-29", "not a date or time"),
        (DECIDED, "said.sequence", 0, "out of bounds"),
        (DECIDED, "said.sequence", True, "wrong type"),
        (DECIDED, "said.status_code", SECRET, "not of the right form"),
        (DECIDED, "said.status_code", 1, "wrong type"),
        (DECIDED, "said.claim_type", SECRET, "not one of the allowed values"),
        (DECIDED, "said.paid_cents", "80.00", "wrong type"),
        (DECIDED, "said.paid_cents", CENTS_MAX + 1, "out of bounds"),
        (DECIDED, "said.paid_cents", -(10**30), "out of bounds"),
        (DECIDED, "said.charge_cents", ..., "missing"),
        (DECIDED, "said.remarks.0", SECRET, "out of bounds"),
        (DECIDED, "said.remarks.0", "99213", "not of the right form"),
        (DECIDED, "said.facility_code", SECRET, "out of bounds"),
        (DECIDED, "said.lines", [line()] * 1000, "out of bounds"),
        (DECIDED, "said.network", "both", "not one of the allowed values"),
        (DECIDED, "said.accumulators", [USED] * 21, "out of bounds"),
        (DECIDED, "said.lines.0.procedure", SECRET, "not of the right form"),
        (DECIDED, "said.lines.0.units", SECRET, "not of the right form"),
        (DECIDED, "said.lines.0.adjustments.0.carc", SECRET, "out of bounds"),
        (DECIDED, "said.lines.0.adjustments.0.group", "XX", "not one of the allowed values"),
        (DECIDED, "said.lines.0.adjustments.0.cents", ..., "missing"),
        (DECIDED, "said.lines.0.adjustments", [{"group": "CO", "carc": "45", "cents": 0}] * 100, "out of bounds"),
        (PENDED, "said.awaits", ..., "missing"),
        (PENDED, "said.awaits", SECRET, "not one of the allowed values"),
        (PENDED, "said.reasons", ["A7:562"], "unknown field"),
        (PENDED, "said.charge_cents", -1, "out of bounds"),
        (PENDED, "said.at", "2026-02-20T10:00:00", "without an offset"),
        (PENDED, "said.at", 1771599600, "wrong type"),
        (report("rejected"), "said.reasons", [], "out of bounds"),
        (report("rejected"), "said.reasons.0", SECRET, "not of the right form"),
        (report("appealed"), "said.level", 4, "out of bounds"),
    ],
)
def test_where_the_model_was_not_followed_is_named_in_its_own_names(
    message: Any, path: str, value: Any, problem: str
) -> None:
    keys = path.split(".") if problem != "unknown field" else path.split(".")[:-1]
    where = "".join(f"[{key}]" if key.isdigit() else f".{key}" for key in keys)
    assert refused(changed(message, path, value)) == ("json.wrong_schema", f"${where}: {problem}")


@pytest.mark.parametrize(
    "name",
    [
        SECRET,
        f"`$.{SECRET}`",
        f"x` - at `$.{SECRET}`",
        "x` - at `$.said`",
        "Object missing required field `payer_id`",
        "",
    ],
)
def test_a_foreign_name_is_not_repeated_whatever_it_is(name: str) -> None:
    reason, detail = refused(encoded({**DECIDED, name: 1}))
    assert (reason, detail.endswith(": unknown field")) == ("json.wrong_schema", True)


# --- rules


def test_the_payers_own_number_may_be_missing_only_before_the_payer_gave_one() -> None:
    for kind in ("received", "rejected"):
        understood(changed(report(kind), "numbers.payer_claim_number", ...))
        understood(changed(report(kind), "numbers.payer_claim_number", ""))
    for message in (DECIDED, *(report(kind) for kind in REPORTS if kind not in ("received", "rejected"))):
        expected = ("json.wrong_schema", "$.numbers.payer_claim_number: missing")
        assert refused(changed(message, "numbers.payer_claim_number", "")) == expected


@pytest.mark.parametrize(
    ("message", "path", "value"),
    [
        (PENDED, "said.at", "9999-12-31T23:59:59-05:00"),
        (PENDED, "said.at", "0001-01-01T00:00:00+05:00"),
        (PENDED, "said.at", "1899-12-31T00:00:00Z"),
        (PENDED, "said.due_on", "2200-01-01"),
        (PENDED, "said.service_from", "0026-02-02"),
        (DECIDED, "said.on", "9999-12-31"),
        (DECIDED, "said.received_on", "1026-02-02"),
        (DECIDED, "said.service_to", "2206-02-02"),
        (DECIDED, "said.plan_year_from", "0026-01-01"),
        (DECIDED, "said.lines.0.service_from", "1826-02-02"),
    ],
)
def test_every_day_is_in_a_possible_year(message: Any, path: str, value: str) -> None:
    where = path.replace(".0", "[0]")
    assert refused(changed(message, path, value)) == ("json.wrong_schema", f"$.{where}: out of bounds")


def test_each_accumulator_stands_once_and_only_a_familys_has_a_design() -> None:
    of_family = USED | {"level": "family", "design": "aggregate"}
    understood(encoded(adjudicated(accumulators=[USED, USED | {"network": "both"}, of_family])))
    again = refused(encoded(adjudicated(accumulators=[USED, of_family, USED | {"used_cents": 600}])))
    assert again == ("json.wrong_schema", "$.said.accumulators[2]: stated before")
    embedded = refused(encoded(adjudicated(accumulators=[USED | {"design": "embedded"}])))
    assert embedded == ("json.wrong_schema", "$.said.accumulators[0].design: not of a family")


def test_service_does_not_end_before_it_begins() -> None:
    served: dict[str, Any] = {"service_from": "2026-02-02", "service_to": "2026-02-01"}
    expected = "json.wrong_schema", "$.said.service_to: before service_from"
    assert refused(encoded(report("pended", **served))) == expected
    assert refused(encoded(adjudicated(**served))) == expected
    on_line = refused(encoded(adjudicated(line(), line(**served))))
    assert on_line == ("json.wrong_schema", "$.said.lines[1].service_to: before service_from")
    understood(encoded(adjudicated(service_from="2026-02-02", service_to="2026-02-02")))
    understood(encoded(adjudicated(line(service_from=None, service_to="2026-02-02"))))


def test_only_a_reversal_takes_back_and_it_gives_nothing() -> None:
    back = adjudicated(line(-10_000, -8_000, allowed_cents=-8_000), status_code="22", patient_cents=-500)
    understood(encoded(back))
    understood(encoded(adjudicated(line(0, 0), status_code="22")))
    for name in ("charge_cents", "paid_cents", "patient_cents"):
        wrong = "json.wrong_schema", f"$.said.{name}: wrong sign"
        assert refused(changed(DECIDED, f"said.{name}", -1)) == wrong
        assert refused(changed(back, f"said.{name}", 1)) == wrong
    for name in ("charge_cents", "paid_cents", "allowed_cents"):
        wrong = "json.wrong_schema", f"$.said.lines[0].{name}: wrong sign"
        assert refused(changed(DECIDED, f"said.lines.0.{name}", -1)) == wrong
        assert refused(changed(back, f"said.lines.0.{name}", 1)) == wrong
    understood(changed(DECIDED, "said.lines.0.adjustments.0.cents", -2_000))


def test_what_does_not_balance_is_understood_and_parked_for_its_sums() -> None:
    [part] = balanced(translate)(changed(DECIDED, "said.paid_cents", 7_999))
    assert isinstance(part, NotUnderstood)
    assert (part.reason, part.where, part.claims) == ("claim.unbalanced", "claim 1", 1)
    [part] = balanced(translate)(changed(DECIDED, "said.lines.0.paid_cents", 7_999))
    assert isinstance(part, NotUnderstood)
    assert (part.reason, part.where) == ("line.unbalanced", "claim 1 line 1")


# --- the short way against a slow and obvious one


def read_slowly(data: bytes) -> ClaimNotice | None:
    """None for whatever is not to be taken in."""

    def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if max(Counter(key for key, _ in pairs).values(), default=0) > 1:
            raise ValueError
        return dict(pairs)

    def whole_numbers_only(number: str) -> int:
        raise ValueError(number)

    def strings(value: Any) -> list[str]:
        match value:
            case str():
                return [value]
            case dict():
                return [text for pair in value.items() for part in pair for text in strings(part)]
            case list():
                return [text for part in value for text in strings(part)]
            case _:
                return []

    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
        value = json.loads(
            text,
            object_pairs_hook=no_key_twice,
            parse_float=whole_numbers_only,
            parse_constant=whole_numbers_only,
        )
    except ValueError:
        return None
    if any(re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", each) for each in strings(value)):
        return None
    try:
        return msgspec.convert(value, ClaimNotice)
    except msgspec.ValidationError:
        return None


def read_or_none(data: bytes) -> ClaimNotice | None:
    try:
        return read(data)
    except Fault:
        return None


@settings(max_examples=1000)
@given(slips())
def test_a_message_with_a_slip_is_read_if_a_slow_reader_reads_it_and_as_that(data: bytes) -> None:
    assert read_or_none(data) == read_slowly(data)


@pytest.mark.parametrize("name", BAD)
def test_the_slow_reader_refuses_the_same(name: str) -> None:
    data, reason = BAD[name]
    if reason not in ("json.too_deep", "message.too_large"):
        assert read_or_none(data) is read_slowly(data) is None


# --- a line each


def test_a_file_of_lines_holds_a_message_in_each() -> None:
    good, bad = encoded(report("received")), b'{"schema": 1, "member": "' + SECRET.encode() + b'"}'
    data = b"\xef\xbb\xbf" + good + b"\r\n\n" + bad + b"\n" + good
    assert holds_lines(data)
    first, second, third = translate_lines(data)
    assert isinstance(first, Understood)
    assert isinstance(second, NotUnderstood)
    assert isinstance(third, Understood)
    assert [part.where for part in (first, second, third)] == ["line 1", "line 3", "line 4"]
    assert (second.reason, second.raw, third.raw()) == ("json.wrong_schema", bad, good)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_file_of_one_message_is_no_file_of_lines_however_it_is_laid_out(indent: int | None) -> None:
    assert not holds_lines(b"\n" + json.dumps(DECIDED, indent=indent).encode() + b"\n")
