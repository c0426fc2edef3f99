"""Where each claim stands: one row a claim, as its latest posting left it. Holds nothing personal."""

from collections.abc import Sequence
from datetime import date

import msgspec

from domain.adjudication import Adjudication, Status, status_of
from domain.claim import ClaimAdjudicated, ClaimForwarded, ClaimPredetermined, ClaimReversed
from projections.projection import Change, Projected, Read, Statement

NAME = "claim_status"
VERSION = 1
EVENTS = (ClaimAdjudicated, ClaimReversed, ClaimForwarded, ClaimPredetermined)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE claim_status (
    claim_id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    payer_id text NOT NULL,
    status text NOT NULL,
    status_code text NOT NULL,
    forwarded_to text,
    service_from date,
    service_to date,
    charge_cents bigint NOT NULL,
    paid_cents bigint NOT NULL,
    member_cents bigint NOT NULL,
    paid_on date NOT NULL,
    remittance_id uuid NOT NULL,
    postings integer NOT NULL,
    position bigint NOT NULL,
    projected_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX claim_status_person_idx ON claim_status (person_id, service_from);
COMMENT ON TABLE claim_status IS 'Where each claim stands, as its latest posting left it. Read it through the view of its name.';
COMMENT ON COLUMN claim_status.claim_id IS 'The claim''s stream in the log.';
COMMENT ON COLUMN claim_status.person_id IS 'The patient, as an opaque id; who it is stands in people only.';
COMMENT ON COLUMN claim_status.payer_id IS 'The payer''s own number (TRN03); its name stands in payers.';
COMMENT ON COLUMN claim_status.status IS 'paid, partially_paid, denied, member_liability (zero paid, the member''s cost share), nothing_due, forwarded, predetermination or reversed.';
COMMENT ON COLUMN claim_status.status_code IS 'The latest CLP02.';
COMMENT ON COLUMN claim_status.forwarded_to IS 'The payer to whom the claim was passed on, if any.';
COMMENT ON COLUMN claim_status.service_from IS 'First day of service: the claim''s own, else its earliest line''s.';
COMMENT ON COLUMN claim_status.service_to IS 'Last day of service, where the payer states one.';
COMMENT ON COLUMN claim_status.charge_cents IS 'What the provider charged, in cents.';
COMMENT ON COLUMN claim_status.paid_cents IS 'What this payer pays by its latest word, in cents; 0 once reversed.';
COMMENT ON COLUMN claim_status.member_cents IS 'Patient responsibility as this payer states it (CLP05), in cents; 0 once reversed.';
COMMENT ON COLUMN claim_status.paid_on IS 'Date of the payment that brought the latest posting (BPR16).';
COMMENT ON COLUMN claim_status.remittance_id IS 'The remittance that brought the latest posting.';
COMMENT ON COLUMN claim_status.postings IS 'How many adjudications, reversals and other postings the claim has had.';
COMMENT ON COLUMN claim_status.position IS 'Position in the log of the latest posting.';
COMMENT ON COLUMN claim_status.projected_at IS 'When this row was last written; not part of what is projected.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.claim_status AS
SELECT claim_id, person_id, payer_id, status, status_code, forwarded_to, service_from, service_to,
       (charge_cents / 100.0)::numeric(20, 2) AS charge, (paid_cents / 100.0)::numeric(20, 2) AS paid,
       (member_cents / 100.0)::numeric(20, 2) AS member_owes, paid_on, remittance_id, postings, position
FROM claim_status;
COMMENT ON VIEW public.claim_status IS 'Where each claim stands, amounts in dollars.';
COMMENT ON COLUMN public.claim_status.charge IS 'What the provider charged, in dollars.';
COMMENT ON COLUMN public.claim_status.paid IS 'What this payer pays by its latest word, in dollars; 0 once reversed.';
COMMENT ON COLUMN public.claim_status.member_owes IS 'Patient responsibility as this payer states it (CLP05), in dollars; 0 once reversed.';
"""

UPSERT = """
INSERT INTO claim_status AS old (
    claim_id, person_id, payer_id, status, status_code, forwarded_to, service_from, service_to,
    charge_cents, paid_cents, member_cents, paid_on, remittance_id, postings, position
)
SELECT * FROM json_to_recordset(%(rows)s::json) AS row (
    claim_id uuid, person_id uuid, payer_id text, status text, status_code text, forwarded_to text,
    service_from date, service_to date, charge_cents bigint, paid_cents bigint, member_cents bigint,
    paid_on date, remittance_id uuid, postings integer, position bigint
)
ON CONFLICT (claim_id) DO UPDATE SET
    status = excluded.status, status_code = excluded.status_code, forwarded_to = excluded.forwarded_to,
    service_from = coalesce(excluded.service_from, old.service_from),
    service_to = coalesce(excluded.service_to, old.service_to),
    charge_cents = excluded.charge_cents, paid_cents = excluded.paid_cents, member_cents = excluded.member_cents,
    paid_on = excluded.paid_on, remittance_id = excluded.remittance_id,
    postings = old.postings + excluded.postings, position = excluded.position, projected_at = now()
WHERE excluded.position > old.position
"""


class Row(msgspec.Struct):
    claim_id: str
    person_id: str
    payer_id: str
    status: Status
    status_code: str
    forwarded_to: str | None
    service_from: date | None
    service_to: date | None
    charge_cents: int
    paid_cents: int
    member_cents: int
    paid_on: date
    remittance_id: str
    postings: int
    position: int


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows: dict[str, Row] = {}
    for projected in events:
        event = projected.event
        assert isinstance(event, EVENTS)
        row = _row(projected, event)
        before = rows.get(row.claim_id)
        if before is not None:
            row.postings += before.postings
            row.service_from = row.service_from or before.service_from
            row.service_to = row.service_to or before.service_to
        rows[row.claim_id] = row
    return [Statement(UPSERT, msgspec.json.encode(list(rows.values())))] if rows else []


def _row(projected: Projected, event: ClaimAdjudicated | ClaimReversed | ClaimForwarded | ClaimPredetermined) -> Row:
    said = event.adjudication
    standing = isinstance(event, ClaimAdjudicated)
    return Row(
        claim_id=projected.stream,
        person_id=event.person,
        payer_id=event.payer_id,
        status=status_of(said),
        status_code=said.status_code,
        forwarded_to=said.forwarded_to or None,
        service_from=_first_day(said),
        service_to=said.service_to,
        charge_cents=-said.charge_cents if isinstance(event, ClaimReversed) else said.charge_cents,
        paid_cents=said.paid_cents if standing else 0,
        member_cents=said.patient_cents if standing else 0,
        paid_on=event.day,
        remittance_id=event.remittance or "",
        postings=1,
        position=projected.position,
    )


def _first_day(said: Adjudication) -> date | None:
    if said.service_from is not None:
        return said.service_from
    return min((line.service_from for line in said.lines if line.service_from is not None), default=None)


# --- queries

FIND = """
SELECT c.claim_id::text, c.status, c.status_code, c.forwarded_to, c.service_from, c.service_to, c.charge, c.paid,
       c.member_owes, c.paid_on, c.postings, c.position, c.payer_id, payer.name AS payer, c.person_id::text,
       person.member_id, concat_ws(' ', person.given_name, person.family_name) AS patient, c.remittance_id::text
FROM claim_status c
LEFT JOIN payers payer ON payer.payer_id = c.payer_id
LEFT JOIN people person ON person.person_id = c.person_id
WHERE (%(claim)s::text IS NULL OR c.claim_id::text LIKE %(claim)s || '%%')
  AND (%(member)s::text IS NULL OR upper(person.member_id) = upper(%(member)s))
  AND (%(status)s::text IS NULL OR c.status = %(status)s)
  AND (%(payer)s::text IS NULL OR c.payer_id = %(payer)s OR payer.name ILIKE '%%' || %(payer)s || '%%')
  AND (%(from)s::date IS NULL OR c.service_from >= %(from)s)
  AND (%(to)s::date IS NULL OR c.service_from <= %(to)s)
ORDER BY c.service_from DESC NULLS LAST, c.claim_id
LIMIT %(limit)s
"""
"""Claims, newest service first; a member by the number on the card, a payer by its number or a part of its name."""
