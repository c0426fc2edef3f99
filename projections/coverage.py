"""Coverage: everything that was said of it, who is covered when, and what became of requests to change plans.

Rows of facts are only ever added, so whether somebody was covered on a day, as known at any position, follows from some
of them (domain/coverage.py). Holds nothing personal: opaque ids stand for members and persons.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from domain.coverage import CoverageEvent, PlanChangeRefused
from domain.eligibility import persons, spans
from domain.enrolment import Change, Coverage, requests
from domain.facts import StreamId
from domain.plan_change import Reason, Request
from projections.projection import Change as Changed
from projections.projection import Projected, Read, Statement

NAME = "coverage"
VERSION = 2
EVENTS = CoverageEvent.__args__
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE coverage_facts (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    coverage_id uuid NOT NULL,
    payer_id text,
    change_id uuid NOT NULL,
    kind text NOT NULL,
    said_at timestamptz,
    day date,
    plan_id text NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    folded text
);
CREATE INDEX coverage_facts_coverage_idx ON coverage_facts (coverage_id);
COMMENT ON TABLE coverage_facts IS 'What was said of members'' coverage, and which requests to change plans were refused. Rows are only ever added.';
COMMENT ON COLUMN coverage_facts.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN coverage_facts.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN coverage_facts.coverage_id IS 'The coverage''s stream in the log. Stands for payer and the number on the card, which is personal.';
COMMENT ON COLUMN coverage_facts.payer_id IS 'The plan''s own number; null of a refusal.';
COMMENT ON COLUMN coverage_facts.change_id IS 'Stands for the payer''s number of the change; of a refusal the request''s.';
COMMENT ON COLUMN coverage_facts.kind IS 'enrolled, dependant_added, dependant_removed, terminated, reinstated, voided, or plan_change_ and requested, compared, confirmed, withdrawn or refused.';
COMMENT ON COLUMN coverage_facts.said_at IS 'When the payer or the member said it; of two that speak of the same days the later counts.';
COMMENT ON COLUMN coverage_facts.day IS 'The first day on which it holds; of an end the last day before.';
COMMENT ON COLUMN coverage_facts.plan_id IS 'The plan that it is about, where it names one.';
COMMENT ON COLUMN coverage_facts.reason IS 'Why, in the plan''s own code; of a refusal why the request is not granted.';
COMMENT ON COLUMN coverage_facts.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN coverage_facts.folded IS 'The same as JSON, as the ledger reads it again; null of a refusal.';
CREATE TABLE coverage_spans (
    coverage_id uuid NOT NULL,
    person_id uuid NOT NULL,
    first_day date,
    last_day date,
    plan_id text NOT NULL,
    why text NOT NULL
);
CREATE INDEX coverage_spans_coverage_idx ON coverage_spans (coverage_id);
CREATE INDEX coverage_spans_person_idx ON coverage_spans (person_id);
COMMENT ON TABLE coverage_spans IS 'When a person is covered and when not, by all that is recorded. Every day is in one of a person''s rows.';
COMMENT ON COLUMN coverage_spans.coverage_id IS 'The coverage that it follows from.';
COMMENT ON COLUMN coverage_spans.person_id IS 'The person; who it is stands in people only.';
COMMENT ON COLUMN coverage_spans.first_day IS 'First day; null where it has no beginning.';
COMMENT ON COLUMN coverage_spans.last_day IS 'Last day; null where it has no end.';
COMMENT ON COLUMN coverage_spans.plan_id IS 'The plan that covers them; empty where none does.';
COMMENT ON COLUMN coverage_spans.why IS 'What decides: not_yet, enrolled, not_named, plan_changed, added, removed, terminated or reinstated.';
CREATE TABLE plan_changes (
    request_id uuid PRIMARY KEY,
    coverage_id uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    plan_id text NOT NULL,
    effective_on date NOT NULL,
    life_event text NOT NULL,
    life_event_on date,
    standing text NOT NULL,
    reason text NOT NULL,
    confirm_by date NOT NULL
);
CREATE INDEX plan_changes_coverage_idx ON plan_changes (coverage_id);
COMMENT ON TABLE plan_changes IS 'Requests of members to change plans, and what became of them.';
COMMENT ON COLUMN plan_changes.request_id IS 'The request: stands for the payer''s number of it.';
COMMENT ON COLUMN plan_changes.coverage_id IS 'The coverage that is to change.';
COMMENT ON COLUMN plan_changes.requested_at IS 'The moment of the request.';
COMMENT ON COLUMN plan_changes.plan_id IS 'The plan that is asked for.';
COMMENT ON COLUMN plan_changes.effective_on IS 'The first day on which it is to hold.';
COMMENT ON COLUMN plan_changes.life_event IS 'Why it may be asked for outside of open enrolment; empty within it.';
COMMENT ON COLUMN plan_changes.life_event_on IS 'Day of that.';
COMMENT ON COLUMN plan_changes.standing IS 'requested, compared, confirmed, replaced, withdrawn or refused. What is confirmed holds from its day on; what is replaced gave way to another for the same day.';
COMMENT ON COLUMN plan_changes.reason IS 'Why it is refused: not_enrolled, already_changed, unknown_life_event, outside_window, proof_missing or too_early.';
COMMENT ON COLUMN plan_changes.confirm_by IS 'The last day on which a confirmation counts: what is only requested or compared by then has lapsed.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.coverage_facts AS SELECT * FROM coverage_facts;
COMMENT ON VIEW public.coverage_facts IS 'What was said of members'' coverage, and which requests to change plans were refused.';
CREATE OR REPLACE VIEW public.coverage_spans AS SELECT * FROM coverage_spans;
COMMENT ON VIEW public.coverage_spans IS 'When a person is covered and when not, by all that is recorded.';
CREATE OR REPLACE VIEW public.plan_changes AS SELECT * FROM plan_changes;
COMMENT ON VIEW public.plan_changes IS 'Requests of members to change plans, and what became of them.';
CREATE OR REPLACE FUNCTION public.numbers_of(person uuid) RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN QUERY
    WITH RECURSIVE same (person_id) AS (
        SELECT person
        UNION
        SELECT other.person_id FROM same CROSS JOIN LATERAL (
            SELECT same_id FROM public.same_persons WHERE same_persons.person_id = same.person_id
            UNION ALL SELECT same_persons.person_id FROM public.same_persons WHERE same_id = same.person_id
        ) other (person_id)
    )
    SELECT same.person_id FROM same;
END $$;
COMMENT ON FUNCTION public.numbers_of(uuid) IS 'A person, and as whom else a payer knows them, under earlier and later numbers. No view, so that people is rebuilt without a lock on what is folded elsewhere.';
CREATE OR REPLACE FUNCTION public.linked_numbers() RETURNS TABLE (person_id uuid, same_id uuid) LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN QUERY
    SELECT linked.id, same.id
    FROM (SELECT link.person_id FROM public.person_links link UNION SELECT link.earlier_id FROM public.person_links link) linked (id)
    CROSS JOIN LATERAL public.numbers_of(linked.id) AS same (id) WHERE same.id <> linked.id;
END $$;
COMMENT ON FUNCTION public.linked_numbers() IS 'Everybody whom a payer knows under several numbers, with each of the others. No view either.';
CREATE OR REPLACE VIEW public.uncovered_claims AS
WITH named AS (
    SELECT span.person_id, true AS is_own, span.coverage_id, span.why, span.first_day, span.last_day
    FROM coverage_spans span WHERE span.plan_id = ''
    UNION ALL
    SELECT linked.person_id, false, span.coverage_id, span.why, span.first_day, span.last_day
    FROM public.linked_numbers() linked JOIN coverage_spans span ON span.person_id = linked.same_id
    WHERE span.plan_id = '' AND NOT EXISTS (SELECT FROM coverage_spans own WHERE own.person_id = linked.person_id)
)
SELECT DISTINCT ON (claim.claim_id) claim.claim_id, claim.person_id, claim.payer_id, claim.service_from, claim.paid, span.coverage_id, span.why,
       span.first_day AS uncovered_from, span.last_day AS uncovered_to
FROM public.claim_status claim JOIN named span ON span.person_id = claim.person_id
WHERE claim.paid > 0 AND claim.service_from IS NOT NULL AND (span.first_day IS NULL OR span.first_day <= claim.service_from)
  AND (span.last_day IS NULL OR claim.service_from <= span.last_day)
  AND NOT EXISTS (
    SELECT FROM public.numbers_of(claim.person_id) AS same (person_id) JOIN coverage_spans other USING (person_id)
    WHERE other.plan_id <> '' AND (other.first_day IS NULL OR other.first_day <= claim.service_from)
      AND (other.last_day IS NULL OR claim.service_from <= other.last_day)
  )
ORDER BY claim.claim_id, span.is_own DESC, span.first_day DESC NULLS LAST, span.coverage_id;
COMMENT ON VIEW public.uncovered_claims IS 'Claims that are paid though their day of service is not covered under any number of the patient''s, as after a retroactive termination. Nothing of them is changed: whether the plan takes its money back, it says itself. Amounts in dollars.';
COMMENT ON COLUMN public.uncovered_claims.claim_id IS 'The claim.';
COMMENT ON COLUMN public.uncovered_claims.person_id IS 'The patient.';
COMMENT ON COLUMN public.uncovered_claims.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN public.uncovered_claims.service_from IS 'First day of service.';
COMMENT ON COLUMN public.uncovered_claims.paid IS 'Final action: what the plan pays.';
COMMENT ON COLUMN public.uncovered_claims.coverage_id IS 'The coverage that does not hold on that day; of a patient whom none names, theirs under another number; of several the one that ended last.';
COMMENT ON COLUMN public.uncovered_claims.why IS 'What decides that: not_yet, not_named, removed or terminated.';
COMMENT ON COLUMN public.uncovered_claims.uncovered_from IS 'First day without coverage; null where there was none before.';
COMMENT ON COLUMN public.uncovered_claims.uncovered_to IS 'Last day without; null where it has no end.';
"""

INSERT = "INSERT INTO coverage_facts SELECT * FROM json_populate_recordset(NULL::coverage_facts, %(rows)s::json)"

CLEAR_SPANS = """
DELETE FROM coverage_spans WHERE coverage_id IN (SELECT value::uuid FROM json_array_elements_text(%(rows)s::json))
"""

INSERT_SPANS = "INSERT INTO coverage_spans SELECT * FROM json_populate_recordset(NULL::coverage_spans, %(rows)s::json)"

CLEAR_REQUESTS = """
DELETE FROM plan_changes WHERE coverage_id IN (SELECT value::uuid FROM json_array_elements_text(%(rows)s::json))
"""

INSERT_REQUESTS = "INSERT INTO plan_changes SELECT * FROM json_populate_recordset(NULL::plan_changes, %(rows)s::json)"

EARLIER = """
SELECT coverage_id::text, change_id::text, reason, folded
FROM coverage_facts WHERE coverage_id = ANY(string_to_array(%(coverages)s, ',')::uuid[]) ORDER BY position
"""

FACTS = """
SELECT coverage_id::text, change_id::text, reason, folded FROM coverage_facts
WHERE coverage_id = ANY(%(coverages)s::uuid[]) AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
ORDER BY position
"""
"""All that was said of some members' coverage, as known at a position."""

SAME = """
WITH RECURSIVE same (of_id, person_id) AS (
    SELECT person_id, person_id FROM unnest(%(persons)s::uuid[]) AS person_id
    UNION
    SELECT same.of_id, other.person_id FROM same CROSS JOIN LATERAL (
        SELECT same_id, position, known_until FROM same_persons_history WHERE person_id = same.person_id
        UNION ALL SELECT person_id, position, known_until FROM same_persons_history WHERE same_id = same.person_id
    ) other (person_id, position, known_until)
    WHERE (%(known_at)s::bigint IS NULL OR other.position <= %(known_at)s)
      AND (other.known_until IS NULL OR other.known_until > %(known_at)s)
)
SELECT of_id::text, person_id::text, payer_id, member_id FROM same LEFT JOIN people USING (person_id)
"""
"""Some persons under all their numbers, earlier and later ones, as known at a position."""


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    coverage_id: str
    payer_id: str | None
    change_id: str
    kind: str
    said_at: datetime | None
    day: date | None
    plan_id: str
    reason: str
    source: str
    folded: str | None


class SpanRow(msgspec.Struct, gc=False):
    coverage_id: str
    person_id: str
    first_day: date | None
    last_day: date | None
    plan_id: str
    why: str


class RequestRow(msgspec.Struct, gc=False):
    request_id: str
    coverage_id: str
    requested_at: datetime
    plan_id: str
    effective_on: date
    life_event: str
    life_event_on: date | None
    confirm_by: date
    standing: str
    reason: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Change).decode

_Fact = tuple[str, str, str | None]
"""Change, reason and what is folded, as Row has them"""


def coverages_in(rows: Iterable[Mapping[str, Any]]) -> dict[str, Coverage]:
    """The coverages of rows of FACTS, by their ids."""
    facts = defaultdict[str, list[_Fact]](list)
    for row in rows:
        facts[row["coverage_id"]].append((row["change_id"], row["reason"], row["folded"]))
    return {coverage_id: _coverage(of_it) for coverage_id, of_it in facts.items()}


def _coverage(facts: Iterable[_Fact]) -> Coverage:
    """Of all that was said of it, in order of arrival."""
    changes, refused = list[Change](), list[tuple[StreamId, Reason]]()
    for change_id, reason, folded in facts:
        if folded is None:
            refused.append((StreamId(change_id), Reason(reason)))
        else:
            changes.append(_decode(folded))
    return Coverage(tuple(changes), tuple(refused))


def fold(events: Sequence[Projected], read: Read) -> Sequence[Changed]:
    facts: dict[str, list[_Fact]] = {projected.stream: [] for projected in events}
    for coverage_id, change_id, reason, folded in read(EARLIER, {"coverages": ",".join(facts)}):
        facts[coverage_id].append((change_id, reason, folded))
    rows = [_row(projected) for projected in events]
    for row in rows:
        facts[row.coverage_id].append((row.change_id, row.reason, row.folded))
    states = {coverage_id: _coverage(of_it) for coverage_id, of_it in facts.items()}
    told = [
        SpanRow(coverage_id, *span) for coverage_id, state in states.items() for span in spans(state, persons(state))
    ]
    asked = [_request(coverage_id, each) for coverage_id, state in states.items() for each in requests(state)]
    ids = _encode(list(states))
    return [
        Statement(INSERT, _encode(rows)),
        Statement(CLEAR_SPANS, ids),
        Statement(INSERT_SPANS, _encode(told)),
        Statement(CLEAR_REQUESTS, ids),
        Statement(INSERT_REQUESTS, _encode(asked)),
    ]


def _row(projected: Projected) -> Row:
    event = projected.event
    assert isinstance(event, CoverageEvent)
    if isinstance(event, PlanChangeRefused):
        about = (projected.position, projected.recorded_at, projected.stream, None, event.request)
        return Row(*about, "plan_change_refused", None, None, "", event.reason, "", None)
    said = event.said
    days = (getattr(said, name, None) for name in ("effective_from", "effective_on", "on"))
    return Row(
        position=projected.position,
        recorded_at=projected.recorded_at,
        coverage_id=projected.stream,
        payer_id=event.payer_id,
        change_id=event.change,
        kind=str(said.__struct_config__.tag),
        said_at=event.at,
        day=next((day for day in days if day is not None), None),
        plan_id=getattr(said, "plan_id", ""),
        reason=getattr(said, "reason", ""),
        source=event.source,
        folded=_encode(Change(event.change, event.at, event.content, said)).decode(),
    )


def _request(coverage_id: str, request: Request) -> RequestRow:
    said, cause = request.said, request.said.life_event
    return RequestRow(
        request_id=request.request,
        coverage_id=coverage_id,
        requested_at=request.at,
        plan_id=said.plan_id,
        effective_on=said.effective_on,
        life_event=cause.event if cause else "",
        life_event_on=cause.on if cause else None,
        confirm_by=request.confirm_by,
        standing=request.standing(date.min),
        reason=request.refused or "",
    )
