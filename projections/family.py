"""Family: everything that was said of who may see what of whom.

Rows are only ever added, so who might see what on any day, as known at any position, follows from some of them
(domain/visibility.py). Holds nothing personal: opaque ids stand for persons.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.consent import Area, ConsentEvent, Kind, Party, Relationship, Said, said_by
from projections.projection import Change, Projected, Read, Statement

NAME = "family"
VERSION = 1
EVENTS = ConsentEvent.__args__
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE consent_facts (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    consent_id uuid NOT NULL,
    payer_id text NOT NULL,
    person_id uuid NOT NULL,
    viewer_id uuid,
    kind text NOT NULL,
    said_at timestamptz NOT NULL,
    day date NOT NULL,
    said_by text NOT NULL,
    relationship text,
    areas text[] NOT NULL,
    first_on date,
    until date,
    source text NOT NULL,
    folded text NOT NULL
);
CREATE INDEX consent_facts_person_idx ON consent_facts (person_id);
CREATE INDEX consent_facts_viewer_idx ON consent_facts (viewer_id);
COMMENT ON TABLE consent_facts IS 'What was said of who may see what of whom. Rows are only ever added.';
COMMENT ON COLUMN consent_facts.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN consent_facts.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN consent_facts.consent_id IS 'The stream in the log: of viewer and subject, or of the subject alone.';
COMMENT ON COLUMN consent_facts.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN consent_facts.person_id IS 'The subject: of whom something may be seen or not.';
COMMENT ON COLUMN consent_facts.viewer_id IS 'Who may see it or not; null where it is said of the subject alone.';
COMMENT ON COLUMN consent_facts.kind IS 'family_linked, consent_granted, consent_limited, consent_revoked, confidential_communications_requested or confidential_communications_withdrawn.';
COMMENT ON COLUMN consent_facts.said_at IS 'The moment from which on it holds; of a grant that at which it was given.';
COMMENT ON COLUMN consent_facts.day IS 'The day of that moment where it was said.';
COMMENT ON COLUMN consent_facts.said_by IS 'subject, representative (who may decide for the subject) or plan.';
COMMENT ON COLUMN consent_facts.relationship IS 'Of a link: what the viewer is to the subject: spouse, parent, guardian, child or other.';
COMMENT ON COLUMN consent_facts.areas IS 'Granted: what may be seen: claims, money, coverage, care. Limited: what may be seen still.';
COMMENT ON COLUMN consent_facts.first_on IS 'Of a grant: the first day on which it holds; null where that is the day on which it was said.';
COMMENT ON COLUMN consent_facts.until IS 'Of a grant: the last one, where it has an end.';
COMMENT ON COLUMN consent_facts.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN consent_facts.folded IS 'The same as JSON, as the ledger reads it again.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.consent_facts AS SELECT * FROM consent_facts;
COMMENT ON VIEW public.consent_facts IS 'What was said of who may see what of whom, each with its moment and its position in the log. Who may see what on a day, scripts/ledger family tells.';
"""

INSERT = """
INSERT INTO consent_facts SELECT * FROM json_populate_recordset(NULL::consent_facts, %(rows)s::json)
"""


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    consent_id: str
    payer_id: str
    person_id: str
    viewer_id: str | None
    kind: Kind
    said_at: datetime
    day: date
    said_by: Party
    relationship: Relationship | None
    areas: tuple[Area, ...]
    first_on: date | None
    until: date | None
    source: str
    folded: str


_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Said).decode
"""Of `folded`"""


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    return [Statement(INSERT, _encode([_row(projected) for projected in events]))] if events else []


def _row(projected: Projected) -> Row:
    event = projected.event
    assert isinstance(event, ConsentEvent)
    said = said_by(event)
    return Row(
        position=projected.position,
        recorded_at=projected.recorded_at,
        consent_id=projected.stream,
        payer_id=event.payer_id,
        person_id=event.person,
        viewer_id=getattr(event, "viewer", None),
        kind=said.kind,
        said_at=said.at,
        day=said.at.date(),
        said_by=said.by,
        relationship=said.relationship,
        areas=said.areas,
        first_on=said.first_on,
        until=said.until,
        source=event.source,
        folded=_encode(said).decode(),
    )
