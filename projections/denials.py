"""What payers refused to pay: a row for each denied line or claim of every adjudication, kept whatever comes after it.

A denial is what domain/adjudication.py calls one. The rows are never changed; what became of each follows, in the view,
from where its claim stands now.
"""

from collections.abc import Sequence
from datetime import date
from operator import attrgetter

import msgspec

from domain.adjudication import (
    Adjudication,
    Adjustment,
    ServiceLine,
    Status,
    denying,
    is_denied,
    service_day,
    status_of,
)
from domain.claim import ClaimAdjudicated
from projections.projection import Change, Projected, Read, Statement

NAME = "denials"
VERSION = 1
EVENTS = (ClaimAdjudicated,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE denials (
    claim_id uuid NOT NULL,
    position bigint NOT NULL,
    line integer NOT NULL,
    person_id uuid NOT NULL,
    payer_id text NOT NULL,
    day date NOT NULL,
    service_on date,
    procedure text NOT NULL,
    revenue_code text NOT NULL,
    charge_cents bigint NOT NULL,
    denied_cents bigint NOT NULL,
    group_code text NOT NULL,
    carc text NOT NULL,
    adjustments jsonb NOT NULL,
    remarks text[] NOT NULL,
    PRIMARY KEY (claim_id, position, line)
);
COMMENT ON TABLE denials IS 'A row for each denied line, or claim as a whole, of every adjudication. One row is one denial, however many reasons it has, so rows can be counted by carc without counting any twice.';
COMMENT ON COLUMN denials.claim_id IS 'The claim.';
COMMENT ON COLUMN denials.position IS 'Position in the log of the adjudication that says so.';
COMMENT ON COLUMN denials.line IS 'The line''s place in its claim, from 1; 0 where the claim as a whole is denied.';
COMMENT ON COLUMN denials.person_id IS 'The patient, as an opaque id.';
COMMENT ON COLUMN denials.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN denials.day IS 'The payer''s day of the adjudication.';
COMMENT ON COLUMN denials.service_on IS 'First day of service: the line''s own, else the claim''s; null where the adjudication states none.';
COMMENT ON COLUMN denials.procedure IS 'Qualifier, code and modifiers, joined by colons; empty for a whole claim.';
COMMENT ON COLUMN denials.revenue_code IS 'Revenue code of an institutional line.';
COMMENT ON COLUMN denials.charge_cents IS 'What was charged for the line or claim, in cents.';
COMMENT ON COLUMN denials.denied_cents IS 'What its denying reasons took off together, in cents.';
COMMENT ON COLUMN denials.group_code IS 'Group of the leading reason: CO contractual, PR patient, OA other, PI payer-initiated.';
COMMENT ON COLUMN denials.carc IS 'The leading reason: of those that deny, the one with the largest amount; the first stated where several have it. Empty where none is stated.';
COMMENT ON COLUMN denials.adjustments IS 'All adjustments of the line or claim, those too that deny nothing: [group, reason, cents, quantity].';
COMMENT ON COLUMN denials.remarks IS 'Remark codes of the line or claim.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.denials AS
SELECT denied.claim_id, denied.position, denied.line, denied.person_id, denied.payer_id, denied.day,
       coalesce(denied.service_on, now.service_from) AS service_on, denied.procedure, denied.revenue_code,
       (denied.charge_cents / 100.0)::numeric(20, 2) AS charge, (denied.denied_cents / 100.0)::numeric(20, 2) AS denied,
       denied.group_code, denied.carc, denied.adjustments, denied.remarks,
       now.final_position = denied.position AND now.status <> 'voided' AS stands,
       CASE WHEN now.claim_id IS NULL THEN NULL
            WHEN now.status = 'voided' THEN 'voided'
            WHEN now.final_position = denied.position
            THEN CASE WHEN now.appeal IN ('overturned', 'partly_overturned') THEN 'overturned' ELSE 'stands' END
            WHEN now.paid > 0 THEN 'paid'
            WHEN now.status = 'reversed' THEN 'reversed'
            ELSE 'replaced' END AS outcome,
       now.appeal, now.status AS claim_status
FROM denials denied LEFT JOIN public.claim_status now ON now.claim_id = denied.claim_id;
COMMENT ON VIEW public.denials IS 'Every denied line, or claim as a whole, of every adjudication, with what became of it. One row is one denial, however many reasons it has: count rows by carc, and none counts twice. Amounts in dollars.';
COMMENT ON COLUMN public.denials.service_on IS 'First day of service: the line''s own, else the claim''s.';
COMMENT ON COLUMN public.denials.charge IS 'What was charged for the line or claim.';
COMMENT ON COLUMN public.denials.denied IS 'What its denying reasons took off together.';
COMMENT ON COLUMN public.denials.stands IS 'Whether it is part of the last word on the claim.';
COMMENT ON COLUMN public.denials.outcome IS 'stands; overturned: an appeal found it wrong, in whole or in part, and the correction is still to come; paid: a later adjudication pays the claim; reversed: taken back and nothing in its place; replaced: a later adjudication pays nothing either; voided.';
COMMENT ON COLUMN public.denials.appeal IS 'disputed, appealed, or what came of the appeal of the claim; empty where there is none.';
COMMENT ON COLUMN public.denials.claim_status IS 'Where the claim stands now.';
"""

INSERT = "INSERT INTO denials SELECT * FROM json_populate_recordset(NULL::denials, %(rows)s::json)"


class Row(msgspec.Struct, gc=False):
    claim_id: str
    position: int
    line: int
    person_id: str
    payer_id: str
    day: date
    service_on: date | None
    procedure: str
    revenue_code: str
    charge_cents: int
    denied_cents: int
    group_code: str
    carc: str
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_paid_cents = attrgetter("paid_cents")


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows: list[Row] = []
    for projected in events:
        event = projected.event
        assert isinstance(event, ClaimAdjudicated)
        adjudication = event.adjudication
        # Most claims are paid in full, and told in no time.
        if adjudication.paid_cents and all(map(_paid_cents, adjudication.lines)):
            continue
        rows += [_row(projected, event, number, line) for number, line in denied(adjudication)]
    return [Statement(INSERT, _encode(rows))] if rows else []


def denied(adjudication: Adjudication) -> list[tuple[int, ServiceLine | None]]:
    """The denied lines by their numbers, and 0 where the claim as a whole is denied: for reasons of its own, or for none
    that its lines tell."""
    found: list[tuple[int, ServiceLine | None]] = [
        (number, line) for number, line in enumerate(adjudication.lines, 1) if is_denied(line)
    ]
    if status_of(adjudication) is Status.DENIED and (not found or denying(adjudication.adjustments)):
        found.insert(0, (0, None))
    return found


def _row(projected: Projected, event: ClaimAdjudicated, number: int, line: ServiceLine | None) -> Row:
    said = event.adjudication
    about = said if line is None else line
    reasons = denying(about.adjustments)
    leading = max(reasons, key=lambda each: each.cents, default=None)
    own_day = None if line is None else line.service_from
    return Row(
        claim_id=projected.stream,
        position=projected.position,
        line=number,
        person_id=event.person,
        payer_id=event.payer_id,
        day=event.day,
        service_on=own_day or service_day(said),
        procedure="" if line is None else line.procedure,
        revenue_code="" if line is None else line.revenue_code,
        charge_cents=about.charge_cents,
        denied_cents=sum(each.cents for each in reasons),
        group_code="" if leading is None else leading.group,
        carc="" if leading is None else leading.carc,
        adjustments=about.adjustments,
        remarks=about.remarks,
    )
