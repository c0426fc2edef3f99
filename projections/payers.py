"""What each payer calls itself."""

from collections.abc import Sequence

import msgspec

from domain.remittance import RemittanceReceived
from projections.projection import Change, Projected, Read, Statement

NAME = "payers"
VERSION = 1
EVENTS = (RemittanceReceived,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE payers (
    payer_id text PRIMARY KEY,
    name text NOT NULL,
    position bigint NOT NULL
);
COMMENT ON TABLE payers IS 'Payers that have sent a remittance. Read it through the view of its name.';
COMMENT ON COLUMN payers.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN payers.name IS 'As its latest remittance states it.';
COMMENT ON COLUMN payers.position IS 'Position in the log of that remittance.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.payers AS SELECT * FROM payers;
COMMENT ON VIEW public.payers IS 'Payers that have sent a remittance.';
"""

UPSERT = """
INSERT INTO payers AS old
SELECT * FROM json_to_recordset(%(rows)s::json) AS row (payer_id text, name text, position bigint)
ON CONFLICT (payer_id) DO UPDATE SET name = excluded.name, position = excluded.position
WHERE excluded.position > old.position
"""


class Row(msgspec.Struct):
    payer_id: str
    name: str
    position: int


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows: dict[str, Row] = {}
    for projected in events:
        event = projected.event
        assert isinstance(event, RemittanceReceived)
        rows[event.payer.payer_id] = Row(event.payer.payer_id, event.payer.name, projected.position)
    return [Statement(UPSERT, msgspec.json.encode(list(rows.values())))] if rows else []
