"""Plans: every revision of a benefit design that was published.

Rows are only ever added, so which design held on any day, as known at any position, follows from some of them
(domain/plan.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from domain.plan import BenefitDesign, Plan, PlanPublished
from projections.projection import Change, Projected, Read, Statement

NAME = "plans"
VERSION = 1
EVENTS = (PlanPublished,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE plans (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    payer_id text NOT NULL,
    plan_id text NOT NULL,
    revision integer NOT NULL,
    name text NOT NULL,
    effective_from date NOT NULL,
    effective_to date NOT NULL,
    zone text NOT NULL,
    individual_premium_cents bigint NOT NULL,
    family_premium_cents bigint NOT NULL,
    open_enrolment_from date,
    open_enrolment_to date,
    special_enrolment_days integer NOT NULL,
    design jsonb NOT NULL,
    content text NOT NULL,
    source text NOT NULL
);
CREATE INDEX plans_plan_idx ON plans (payer_id, plan_id);
COMMENT ON TABLE plans IS 'Benefit designs as plans published them, every revision. Rows are only ever added.';
COMMENT ON COLUMN plans.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN plans.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN plans.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN plans.plan_id IS 'The payer''s own id of the plan, as its claims have it.';
COMMENT ON COLUMN plans.revision IS 'From 1 on, of the design that begins on the same day. The highest holds.';
COMMENT ON COLUMN plans.name IS 'What the plan calls itself.';
COMMENT ON COLUMN plans.effective_from IS 'First day of the plan year.';
COMMENT ON COLUMN plans.effective_to IS 'Last day of it.';
COMMENT ON COLUMN plans.zone IS 'IANA name of the time zone in which the plan''s days begin and end.';
COMMENT ON COLUMN plans.individual_premium_cents IS 'A month''s premium of one person, in cents.';
COMMENT ON COLUMN plans.family_premium_cents IS 'A month''s premium of a family, in cents.';
COMMENT ON COLUMN plans.open_enrolment_from IS 'First day on which members may choose the plan for this plan year without a life event.';
COMMENT ON COLUMN plans.open_enrolment_to IS 'Last day on which they may.';
COMMENT ON COLUMN plans.special_enrolment_days IS 'For how many days after a life event they may.';
COMMENT ON COLUMN plans.design IS 'All of it as JSON: what the member pays of each service, deductibles and out-of-pocket limits by network.';
COMMENT ON COLUMN plans.content IS 'Keyed hash of what was said.';
COMMENT ON COLUMN plans.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.plans AS
SELECT position, recorded_at, payer_id, plan_id, revision, name, effective_from, effective_to, zone,
       (individual_premium_cents / 100.0)::numeric(20, 2) AS individual_premium,
       (family_premium_cents / 100.0)::numeric(20, 2) AS family_premium,
       open_enrolment_from, open_enrolment_to, special_enrolment_days, design, content, source
FROM plans;
COMMENT ON VIEW public.plans IS 'Benefit designs as plans published them, every revision. Premiums in dollars.';
COMMENT ON COLUMN public.plans.individual_premium IS 'A month''s premium of one person.';
COMMENT ON COLUMN public.plans.family_premium IS 'A month''s premium of a family.';
"""

INSERT = "INSERT INTO plans SELECT * FROM json_populate_recordset(NULL::plans, %(rows)s::json)"

PUBLISHED = """
SELECT payer_id, plan_id, revision, design, content, source FROM plans
WHERE (%(payer)s::text IS NULL OR payer_id = %(payer)s)
  AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
ORDER BY payer_id, plan_id, position
"""
"""Everything that a payer, or every payer, published, as known at a position."""


def plans_in(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Plan]:
    """The plans of rows of PUBLISHED, by payer and plan; `domain.plan.design_on` tells which design holds on a day."""
    found: dict[tuple[str, str], Plan] = {}
    for row in rows:
        published = msgspec.convert(row, PlanPublished)
        key = published.payer_id, published.plan_id
        found[key] = Plan((*found.get(key, Plan()).published, published))
    return found


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    payer_id: str
    plan_id: str
    revision: int
    name: str
    effective_from: date
    effective_to: date
    zone: str
    individual_premium_cents: int
    family_premium_cents: int
    open_enrolment_from: date | None
    open_enrolment_to: date | None
    special_enrolment_days: int
    design: BenefitDesign
    content: str
    source: str


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    return [Statement(INSERT, msgspec.json.encode([_row(projected) for projected in events]))] if events else []


def _row(projected: Projected) -> Row:
    event = projected.event
    assert isinstance(event, PlanPublished)
    design, enrolment = event.design, event.design.open_enrolment
    return Row(
        position=projected.position,
        recorded_at=projected.recorded_at,
        payer_id=event.payer_id,
        plan_id=event.plan_id,
        revision=event.revision,
        name=design.name,
        effective_from=design.effective_from,
        effective_to=design.effective_to,
        zone=design.zone,
        individual_premium_cents=design.premium.individual_cents,
        family_premium_cents=design.premium.family_cents,
        open_enrolment_from=enrolment.first if enrolment else None,
        open_enrolment_to=enrolment.last if enrolment else None,
        special_enrolment_days=design.special_enrolment_days,
        design=design,
        content=event.content,
        source=event.source,
    )
