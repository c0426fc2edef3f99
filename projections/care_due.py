"""Preventive care that claims show as done: a row for each recommendation that a line of a posting counts for.

Rows are only ever added; whether one stands follows, in the view, from where its claim stands. What is due by it follows
from age, sex and the table of recommendations (domain/care.py), and holds nothing personal here.
"""

from collections.abc import Sequence
from datetime import date
from typing import get_args

import msgspec

from domain.adjudication import service_day
from domain.care import shown_by
from domain.claim import PostingEvent
from projections.projection import Change, Projected, Read, Statement

NAME = "care_due"
VERSION = 1
EVENTS = get_args(PostingEvent)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE care_due (
    claim_id uuid NOT NULL,
    position bigint NOT NULL,
    line integer NOT NULL,
    recommendation text NOT NULL,
    person_id uuid NOT NULL,
    procedure text NOT NULL,
    done_on date,
    PRIMARY KEY (claim_id, position, line, recommendation)
);
CREATE INDEX care_due_person_idx ON care_due (person_id);
COMMENT ON TABLE care_due IS 'Lines of postings that show preventive care, one row for each recommendation that they count for. Rows are only ever added.';
COMMENT ON COLUMN care_due.claim_id IS 'The claim.';
COMMENT ON COLUMN care_due.position IS 'Position in the log of the posting.';
COMMENT ON COLUMN care_due.line IS 'The line''s place in its claim, from 1.';
COMMENT ON COLUMN care_due.recommendation IS 'For which it counts, by its name in docs/family.md.';
COMMENT ON COLUMN care_due.person_id IS 'The patient, as an opaque id.';
COMMENT ON COLUMN care_due.procedure IS 'Qualifier, code and modifiers, joined by colons.';
COMMENT ON COLUMN care_due.done_on IS 'Day of the service; null where the posting states none.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.care_due AS
SELECT shown.claim_id, shown.position, shown.line, shown.recommendation, shown.person_id, shown.procedure,
       coalesce(shown.done_on, now.service_from) AS done_on,
       coalesce(now.final_position = shown.position AND now.status NOT IN ('predetermination', 'reversed', 'voided'), false)
           AS stands
FROM care_due shown LEFT JOIN public.claim_status now ON now.claim_id = shown.claim_id;
COMMENT ON VIEW public.care_due IS 'Preventive care that claims show as done, one row for each recommendation that a line counts for. Until when it counts depends on age and sex: scripts/ledger care-due.';
COMMENT ON COLUMN public.care_due.done_on IS 'Day of the service: the line''s own, else the claim''s.';
COMMENT ON COLUMN public.care_due.stands IS 'Whether it is part of the last word on its claim, and that says that something was done.';
"""

INSERT = "INSERT INTO care_due SELECT * FROM json_populate_recordset(NULL::care_due, %(rows)s::json)"

DONE = """
SELECT DISTINCT shown.claim_id::text, shown.procedure, coalesce(shown.done_on, held.service_from) AS day
FROM care_due shown JOIN claim_history held ON held.claim_id = shown.claim_id AND held.final_position = shown.position
WHERE shown.person_id = ANY(%(persons)s::uuid[]) AND held.status NOT IN ('predetermination', 'reversed', 'voided')
  AND CASE WHEN %(known_at)s::bigint IS NULL THEN held.known_until IS NULL
           ELSE held.position <= %(known_at)s AND (held.known_until IS NULL OR held.known_until > %(known_at)s) END
"""
"""What the last words on a person's claims show, as known at a position. A denied claim shows it too: it was done, and
not paid."""


class Row(msgspec.Struct, gc=False):
    claim_id: str
    position: int
    line: int
    recommendation: str
    person_id: str
    procedure: str
    done_on: date | None


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows = [
        Row(claim_id, position, number, name, event.person, line.procedure, line.service_from or service_day(said))
        for position, _, claim_id, _, event, _ in events
        if isinstance(event, EVENTS)
        for said in (event.adjudication,)
        for number, line in enumerate(said.lines, 1)
        for name in shown_by(line.procedure)
    ]
    return [Statement(INSERT, msgspec.json.encode(rows))] if rows else []
