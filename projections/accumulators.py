"""What payers tell of plan, network and accumulators: a row for every posting that tells any of it.

What of it stands is no part of the rows: that follows from all that was said of a claim, as it was known and as of a day
(`domain/accumulators.py`). Rows are only ever added, and an 835 adds none.
"""

from collections.abc import Sequence
from datetime import date
from typing import get_args

import msgspec

from domain.accumulators import NOTHING_TOLD, told_by
from domain.adjudication import Accumulator, Network
from domain.claim import PostingEvent
from projections.projection import Change, Projected, Read, Statement

NAME = "accumulators"
VERSION = 1
EVENTS = get_args(PostingEvent)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE coverages (
    claim_id uuid NOT NULL,
    position bigint NOT NULL,
    person_id uuid NOT NULL,
    payer_id text NOT NULL,
    day date NOT NULL,
    network text,
    plan_id text NOT NULL,
    plan_year_from date,
    accumulators jsonb NOT NULL,
    PRIMARY KEY (claim_id, position)
);
COMMENT ON TABLE coverages IS 'What a payer told, with a posting, of the plan that the claim falls under and of how far its limits are used. Rows are only ever added.';
COMMENT ON COLUMN coverages.claim_id IS 'The claim.';
COMMENT ON COLUMN coverages.position IS 'Position in the log of the posting that tells it.';
COMMENT ON COLUMN coverages.person_id IS 'The patient, as an opaque id; who it is stands in people only.';
COMMENT ON COLUMN coverages.payer_id IS 'The payer''s own number; its name stands in payers.';
COMMENT ON COLUMN coverages.day IS 'The payer''s day of the posting.';
COMMENT ON COLUMN coverages.network IS 'Of the provider: in or out; null where it is not told.';
COMMENT ON COLUMN coverages.plan_id IS 'The payer''s own id of the plan; empty where it is not told.';
COMMENT ON COLUMN coverages.plan_year_from IS 'First day of the plan year that the service falls in; null where it is not told: then the calendar year.';
COMMENT ON COLUMN coverages.accumulators IS 'What the payer states of limits, this claim included; read it through the view accumulators.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.coverages AS
SELECT * FROM coverages;
COMMENT ON VIEW public.coverages IS 'What a payer told, with a posting, of the plan that the claim falls under and of how far its limits are used.';
CREATE OR REPLACE VIEW public.accumulators AS
SELECT claim_id, position, person_id, payer_id, day, plan_id, plan_year_from, stated.value ->> 'network' AS network,
       stated.value ->> 'kind' AS kind, stated.value ->> 'level' AS level, stated.value ->> 'design' AS design,
       ((stated.value ->> 'used_cents')::bigint / 100.0)::numeric(20, 2) AS used,
       ((stated.value ->> 'limit_cents')::bigint / 100.0)::numeric(20, 2) AS "limit"
FROM coverages CROSS JOIN LATERAL jsonb_array_elements(accumulators) AS stated (value);
COMMENT ON VIEW public.accumulators IS 'Every statement of a payer of how far a limit is used, the claim that it came with included; also those taken back since. Amounts in dollars.';
COMMENT ON COLUMN public.accumulators.claim_id IS 'The claim that the statement came with.';
COMMENT ON COLUMN public.accumulators.position IS 'Position in the log of the posting that states it.';
COMMENT ON COLUMN public.accumulators.person_id IS 'The patient, as an opaque id.';
COMMENT ON COLUMN public.accumulators.payer_id IS 'The payer''s own number; its name stands in payers.';
COMMENT ON COLUMN public.accumulators.day IS 'The payer''s day of the posting.';
COMMENT ON COLUMN public.accumulators.plan_id IS 'The payer''s own id of the plan; empty where it is not told.';
COMMENT ON COLUMN public.accumulators.plan_year_from IS 'First day of the plan year, where it is told.';
COMMENT ON COLUMN public.accumulators.network IS 'Which services the limit counts: in, out or both.';
COMMENT ON COLUMN public.accumulators.kind IS 'deductible or out_of_pocket.';
COMMENT ON COLUMN public.accumulators.level IS 'individual or family.';
COMMENT ON COLUMN public.accumulators.design IS 'Of a family''s limit: embedded or aggregate, where it is told.';
COMMENT ON COLUMN public.accumulators.used IS 'What was used by then, as the payer counts, in dollars.';
COMMENT ON COLUMN public.accumulators.limit IS 'What can be used at most, in dollars, where it is told.';
"""

ADD = """
INSERT INTO coverages
SELECT * FROM json_to_recordset(%(rows)s::json) AS row (
    claim_id uuid, position bigint, person_id uuid, payer_id text, day date, network text, plan_id text,
    plan_year_from date, accumulators jsonb
)
"""


class Row(msgspec.Struct):
    claim_id: str
    position: int
    person_id: str
    payer_id: str
    day: date
    network: Network | None
    plan_id: str
    plan_year_from: date | None
    accumulators: tuple[Accumulator, ...]


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows: list[Row] = []
    for position, _, claim_id, _, event, _ in events:
        assert isinstance(event, PostingEvent)
        told = told_by(event.adjudication)
        if told != NOTHING_TOLD:
            about = claim_id, position, event.person, event.payer_id, event.day
            rows.append(Row(*about, told.network, told.plan_id, told.plan_year_from, told.accumulators))
    return [Statement(ADD, msgspec.json.encode(rows))] if rows else []
