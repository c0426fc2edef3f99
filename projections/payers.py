"""What each payer calls itself."""

from collections.abc import Sequence

import msgspec

from domain.remittance import RemittanceReceived
from projections.projection import Change, Projected

NAME = "payers"
VERSION = 1
EVENTS = (RemittanceReceived,)
OPENS_PERSONAL = False

DDL = """
CREATE TABLE IF NOT EXISTS payers_1 (
    payer_id text PRIMARY KEY,
    name text NOT NULL,
    position bigint NOT NULL
);
COMMENT ON TABLE payers_1 IS 'Payers that have sent a remittance. Read it through the view payers.';
COMMENT ON COLUMN payers_1.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN payers_1.name IS 'As its latest remittance states it.';
COMMENT ON COLUMN payers_1.position IS 'Position in the log of that remittance.';
CREATE OR REPLACE VIEW payers AS SELECT * FROM payers_1;
COMMENT ON VIEW payers IS 'Payers that have sent a remittance.';
"""

UPSERT = """
INSERT INTO payers_1 AS old
SELECT * FROM json_to_recordset(%(rows)s::json) AS row (payer_id text, name text, position bigint)
ON CONFLICT (payer_id) DO UPDATE SET name = excluded.name, position = excluded.position
WHERE excluded.position > old.position
"""


class Row(msgspec.Struct):
    payer_id: str
    name: str
    position: int


def fold(events: Sequence[Projected]) -> Sequence[Change]:
    rows: dict[str, Row] = {}
    for projected in events:
        event = projected.event
        assert isinstance(event, RemittanceReceived)
        rows[event.payer.payer_id] = Row(event.payer.payer_id, event.payer.name, projected.position)
    return [Change(UPSERT, msgspec.json.encode(list(rows.values())))] if rows else []
