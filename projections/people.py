"""Who a person is. The only table that knows names and birth dates, so that analysts never need it and erasure has one to purge."""

from collections.abc import Sequence
from datetime import date

import msgspec

from domain.person import Description, Names, PersonDescribed, PersonIdentified, PersonLinked
from projections.projection import Change, Projected, Read, Statement

NAME = "people"
VERSION = 2
EVENTS = (PersonIdentified, PersonDescribed, PersonLinked)
OPENS_PERSONAL = True

TABLES = """
CREATE TABLE people (
    person_id uuid PRIMARY KEY,
    payer_id text NOT NULL,
    member_id text NOT NULL,
    family_name text NOT NULL,
    given_name text NOT NULL,
    middle_name text NOT NULL,
    suffix text NOT NULL,
    position bigint NOT NULL,
    birth_date date,
    sex text
);
CREATE INDEX people_member_idx ON people (upper(member_id));
COMMENT ON TABLE people IS 'Who a person is, as a payer last named them. Personal: read it through the view of its name, and only where a name is needed.';
COMMENT ON COLUMN people.person_id IS 'The person''s stream in the log, by which all other tables speak of them.';
COMMENT ON COLUMN people.payer_id IS 'The payer that named them.';
COMMENT ON COLUMN people.member_id IS 'The number on the member''s card at that payer.';
COMMENT ON COLUMN people.family_name IS 'Family name.';
COMMENT ON COLUMN people.given_name IS 'Given name.';
COMMENT ON COLUMN people.middle_name IS 'Middle name or initial.';
COMMENT ON COLUMN people.suffix IS 'Name suffix.';
COMMENT ON COLUMN people.position IS 'Position in the log of the latest naming.';
COMMENT ON COLUMN people.birth_date IS 'Day of birth, where an enrolment tells it.';
COMMENT ON COLUMN people.sex IS 'female, male, other or unknown, as payers have it; null where no enrolment tells.';
CREATE TABLE person_links (
    person_id uuid NOT NULL,
    earlier_id uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (person_id, earlier_id)
);
CREATE INDEX person_links_earlier_idx ON person_links (earlier_id);
COMMENT ON TABLE person_links IS 'Whom else a payer knew as a person, under earlier numbers; also over several steps.';
COMMENT ON COLUMN person_links.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN person_links.earlier_id IS 'As they were known before.';
COMMENT ON COLUMN person_links.position IS 'Position in the log of the event by which that is known.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.people AS SELECT * FROM people;
COMMENT ON VIEW public.people IS 'Who a person is. Personal.';
CREATE OR REPLACE VIEW public.person_links AS SELECT * FROM person_links;
COMMENT ON VIEW public.person_links IS 'Whom else a payer knew as a person, under earlier numbers; also over several steps.';
CREATE OR REPLACE VIEW public.same_persons AS
SELECT person_id, person_id AS same_id FROM people UNION ALL SELECT person_id, earlier_id FROM person_links;
COMMENT ON VIEW public.same_persons IS 'Each person, and whom else a payer knew as the same one: what is said of any of them is theirs.';
COMMENT ON COLUMN public.same_persons.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN public.same_persons.same_id IS 'The same, or as they were known before: by which other tables speak of them.';
"""

UPSERT = """
INSERT INTO people AS old (
    person_id, payer_id, member_id, family_name, given_name, middle_name, suffix, position
)
SELECT * FROM json_to_recordset(%(rows)s::json) AS row (
    person_id uuid, payer_id text, member_id text, family_name text, given_name text, middle_name text,
    suffix text, position bigint
)
ON CONFLICT (person_id) DO UPDATE SET
    member_id = excluded.member_id, family_name = excluded.family_name, given_name = excluded.given_name,
    middle_name = excluded.middle_name, suffix = excluded.suffix, position = excluded.position
WHERE excluded.position > old.position
"""

DESCRIBE = """
UPDATE people SET birth_date = row.birth_date, sex = row.sex
FROM json_to_recordset(%(rows)s::json) AS row (person_id uuid, birth_date date, sex text)
WHERE people.person_id = row.person_id
"""

INSERT_LINKS = """
INSERT INTO person_links SELECT * FROM json_populate_recordset(NULL::person_links, %(rows)s::json)
ON CONFLICT (person_id, earlier_id) DO NOTHING
"""

LINKS = """
SELECT person_id::text, earlier_id::text FROM person_links
WHERE person_id = ANY(string_to_array(%(persons)s, ',')::uuid[]) OR earlier_id = ANY(string_to_array(%(persons)s, ',')::uuid[])
"""


class Row(msgspec.Struct):
    person_id: str
    payer_id: str
    member_id: str
    family_name: str
    given_name: str
    middle_name: str
    suffix: str
    position: int


class Described(msgspec.Struct):
    person_id: str
    birth_date: date
    sex: str


class LinkRow(msgspec.Struct):
    person_id: str
    earlier_id: str
    position: int


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    rows: dict[str, Row] = {}
    described: dict[str, Described] = {}
    links = [projected for projected in events if isinstance(projected.event, PersonLinked)]
    for projected in events:
        event, names = projected.event, projected.personal
        if names is None:  # the person's key was destroyed: there is nothing left to tell
            continue
        if isinstance(names, Description):
            described[projected.stream] = Described(projected.stream, names.birth_date, names.sex)
            continue
        assert isinstance(event, PersonIdentified)
        assert isinstance(names, Names)
        rows[projected.stream] = Row(
            person_id=projected.stream,
            payer_id=event.payer_id,
            member_id=names.member_id,
            family_name=names.family_name,
            given_name=names.given_name,
            middle_name=names.middle_name,
            suffix=names.suffix,
            position=projected.position,
        )
    told = ((UPSERT, list(rows.values())), (DESCRIBE, list(described.values())))
    changes = [Statement(sql, msgspec.json.encode(changed)) for sql, changed in told if changed]
    if links:
        changes.append(Statement(INSERT_LINKS, msgspec.json.encode(_joined(links, read))))
    return changes


def _joined(links: Sequence[Projected], read: Read) -> list[LinkRow]:
    """Who is now known to be whom: whoever a person was, all who the person became were as well."""
    events = [(each.stream, each.event, each.position) for each in links]
    named = {name for stream, event, _ in events if isinstance(event, PersonLinked) for name in (stream, event.earlier)}
    known = {(now, earlier) for now, earlier in read(LINKS, {"persons": ",".join(sorted(named))})}
    rows: list[LinkRow] = []
    for stream, event, position in events:
        assert isinstance(event, PersonLinked)
        became = {stream} | {now for now, earlier in known if earlier == stream}
        was = {event.earlier} | {earlier for now, earlier in known if now == event.earlier}
        news = {(now, earlier) for now in became for earlier in was if now != earlier} - known
        known |= news
        rows += [LinkRow(now, earlier, position) for now, earlier in sorted(news)]
    return rows
