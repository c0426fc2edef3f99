"""Comparisons of plans that were made for members: a row for each plan of each. Rows are only ever added."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.comparison import PlansCompared
from projections.projection import Change, Projected, Read, Statement

NAME = "plans_compared"
VERSION = 1
EVENTS = (PlansCompared,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE plans_compared (
    comparison_id uuid NOT NULL,
    number integer NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    payer_id text NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    known_at bigint NOT NULL,
    is_family boolean NOT NULL,
    plan_id text NOT NULL,
    services_cents bigint,
    premium_cents bigint,
    PRIMARY KEY (comparison_id, number)
);
CREATE INDEX plans_compared_account_idx ON plans_compared (account_id);
COMMENT ON TABLE plans_compared IS 'What members were shown of the costs of plans, as it was shown. Rows are only ever added.';
COMMENT ON COLUMN plans_compared.comparison_id IS 'The comparison''s stream in the log.';
COMMENT ON COLUMN plans_compared.number IS 'The plan''s place in it, from 1: of priced years the cheapest comes first.';
COMMENT ON COLUMN plans_compared.position IS 'Position of its event in the log.';
COMMENT ON COLUMN plans_compared.recorded_at IS 'When the ledger recorded it.';
COMMENT ON COLUMN plans_compared.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN plans_compared.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN plans_compared.kind IS 'benefits, side by side; own_year, the member''s last twelve months; typed_year, a scenario.';
COMMENT ON COLUMN plans_compared.day IS 'Plans that held and what was said by this day.';
COMMENT ON COLUMN plans_compared.known_at IS 'The position of the log at which it was looked at.';
COMMENT ON COLUMN plans_compared.is_family IS 'Whether coverage of a family was priced, or of one person.';
COMMENT ON COLUMN plans_compared.plan_id IS 'The payer''s own id of the plan.';
COMMENT ON COLUMN plans_compared.services_cents IS 'What the member would pay for services, in cents; null where no year was priced.';
COMMENT ON COLUMN plans_compared.premium_cents IS 'Premium of twelve months, in cents; null where no year was priced.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.plans_compared AS
SELECT comparison_id, number, position, recorded_at, account_id, payer_id, kind, day, known_at, is_family, plan_id,
       (services_cents / 100.0)::numeric(20, 2) AS services, (premium_cents / 100.0)::numeric(20, 2) AS premium,
       ((services_cents + premium_cents) / 100.0)::numeric(20, 2) AS together
FROM plans_compared;
COMMENT ON VIEW public.plans_compared IS 'What members were shown of the costs of plans, as it was shown. Amounts in dollars; null where no year was priced.';
COMMENT ON COLUMN public.plans_compared.services IS 'What the member would pay for services, in dollars.';
COMMENT ON COLUMN public.plans_compared.premium IS 'Premium of twelve months, in dollars.';
COMMENT ON COLUMN public.plans_compared.together IS 'Services and premium, in dollars.';
"""

ADD = "INSERT INTO plans_compared SELECT * FROM json_populate_recordset(NULL::plans_compared, %(rows)s::json)"


class Row(msgspec.Struct, gc=False):
    comparison_id: str
    number: int
    position: int
    recorded_at: datetime
    account_id: str
    payer_id: str
    kind: str
    day: date
    known_at: int
    is_family: bool
    plan_id: str
    services_cents: int | None
    premium_cents: int | None


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows: list[Row] = []
    for position, recorded_at, stream, _, event, _ in events:
        assert isinstance(event, PlansCompared)
        about = event.account, event.payer_id, event.kind, event.on, event.known_at, event.is_family
        for number, option in enumerate(event.options, 1):
            cents = option.services_cents, option.premium_cents
            rows.append(Row(stream, number, position, recorded_at, *about, option.plan_id, *cents))
    return [Statement(ADD, msgspec.json.encode(rows))] if rows else []
