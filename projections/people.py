"""Who a person is. The only table that knows names and birth dates, so that analysts never need it and erasure has one to purge."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from domain.facts import StreamId
from domain.person import (
    Description,
    Link,
    Names,
    PersonDescribed,
    PersonIdentified,
    PersonLinked,
    PersonUnlinked,
    Word,
    linked,
    word_of,
)
from projections.projection import Change, Projected, Read, Statement

NAME = "people"
VERSION = 3
EVENTS = (PersonIdentified, PersonDescribed, PersonLinked, PersonUnlinked)
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
CREATE TABLE person_link_facts (
    position bigint PRIMARY KEY,
    person_id uuid NOT NULL,
    earlier_id uuid NOT NULL,
    kind text NOT NULL,
    said_at timestamptz NOT NULL
);
CREATE INDEX person_link_facts_person_idx ON person_link_facts (person_id);
CREATE INDEX person_link_facts_earlier_idx ON person_link_facts (earlier_id);
COMMENT ON TABLE person_link_facts IS 'What payers said of two of their numbers. Rows are only ever added.';
COMMENT ON COLUMN person_link_facts.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN person_link_facts.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN person_link_facts.earlier_id IS 'As they were known before.';
COMMENT ON COLUMN person_link_facts.kind IS 'linked, merged or unlinked.';
COMMENT ON COLUMN person_link_facts.said_at IS 'When the payer said it; of what is said of two persons the last holds.';
CREATE TABLE person_links (
    person_id uuid NOT NULL,
    earlier_id uuid NOT NULL,
    position bigint NOT NULL,
    known_until bigint,
    PRIMARY KEY (person_id, earlier_id, position)
);
CREATE INDEX person_links_earlier_idx ON person_links (earlier_id);
COMMENT ON TABLE person_links IS 'Whom else a payer knew as a person, under earlier numbers; also over several steps.';
COMMENT ON COLUMN person_links.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN person_links.earlier_id IS 'As they were known before.';
COMMENT ON COLUMN person_links.position IS 'Position in the log of the event by which that is known.';
COMMENT ON COLUMN person_links.known_until IS 'Position of the event that takes it back; null while it holds.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.people AS SELECT * FROM people;
COMMENT ON VIEW public.people IS 'Who a person is. Personal.';
CREATE OR REPLACE VIEW public.person_link_facts AS SELECT * FROM person_link_facts;
COMMENT ON VIEW public.person_link_facts IS 'What payers said of two of their numbers.';
CREATE OR REPLACE VIEW public.person_links AS
SELECT person_id, earlier_id, position FROM person_links WHERE known_until IS NULL;
COMMENT ON VIEW public.person_links IS 'Whom else a payer knew as a person, under earlier numbers; also over several steps. What was taken back is left out.';
CREATE OR REPLACE VIEW public.same_persons AS
SELECT person_id, person_id AS same_id FROM people
UNION ALL SELECT person_id, earlier_id FROM person_links WHERE known_until IS NULL;
COMMENT ON VIEW public.same_persons IS 'Each person, and whom else a payer knew as the same one: what is said of any of them is theirs.';
COMMENT ON COLUMN public.same_persons.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN public.same_persons.same_id IS 'The same, or as they were known before: by which other tables speak of them.';
CREATE OR REPLACE VIEW public.same_persons_history AS
SELECT person_id, person_id AS same_id, 0::bigint AS position, NULL::bigint AS known_until FROM people
UNION ALL SELECT person_id, earlier_id, position, known_until FROM person_links;
COMMENT ON VIEW public.same_persons_history IS 'The same as it was known at any position of the log, also what was taken back since: never without a position to ask for.';
COMMENT ON COLUMN public.same_persons_history.person_id IS 'The person as they are known now.';
COMMENT ON COLUMN public.same_persons_history.same_id IS 'The same, or as they were known before.';
COMMENT ON COLUMN public.same_persons_history.position IS 'Position in the log from which on that is known; 0 of the person.';
COMMENT ON COLUMN public.same_persons_history.known_until IS 'Position of the event that takes it back; null while it holds.';
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

INSERT_FACTS = """
INSERT INTO person_link_facts SELECT * FROM json_populate_recordset(NULL::person_link_facts, %(rows)s::json)
"""

END_LINKS = """
UPDATE person_links SET known_until = row.known_until
FROM json_to_recordset(%(rows)s::json) AS row (person_id uuid, earlier_id uuid, known_until bigint)
WHERE (person_links.person_id, person_links.earlier_id) = (row.person_id, row.earlier_id)
  AND person_links.known_until IS NULL
"""

INSERT_LINKS = "INSERT INTO person_links SELECT * FROM json_populate_recordset(NULL::person_links, %(rows)s::json)"

SAID = """
WITH RECURSIVE about (person_id) AS (
    SELECT unnest(string_to_array(%(persons)s, ',')::uuid[])
    UNION
    SELECT other.person_id FROM about CROSS JOIN LATERAL (
        SELECT earlier_id FROM person_link_facts WHERE person_id = about.person_id
        UNION ALL SELECT person_id FROM person_link_facts WHERE earlier_id = about.person_id
    ) other (person_id)
)
SELECT person_id::text, earlier_id::text, kind, said_at FROM about JOIN person_link_facts USING (person_id)
"""
"""All that was said of some persons, of those with whom it was said, and so on."""

SAME_PERSONS = """
    SELECT same.same_id FROM people JOIN same_persons_history same USING (person_id)
    WHERE upper(people.member_id) = upper(%(member)s)
      AND (%(known_at)s::bigint IS NULL OR same.position <= %(known_at)s)
      AND (same.known_until IS NULL OR same.known_until > %(known_at)s)
"""
"""For readers: all whom a payer knows under a member's number, and whom else it knew as the same, as known at a position."""


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


class FactRow(msgspec.Struct):
    position: int
    person_id: str
    earlier_id: str
    kind: Link
    said_at: datetime


class LinkRow(msgspec.Struct):
    person_id: str
    earlier_id: str
    position: int | None
    """None of one that an earlier batch began"""
    known_until: int | None = None


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    rows: dict[str, Row] = {}
    described: dict[str, Described] = {}
    words = [
        (projected.position, word_of(projected.stream, projected.event))
        for projected in events
        if isinstance(projected.event, PersonLinked | PersonUnlinked)
    ]
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
    facts = [FactRow(position, *word) for position, word in words]
    ended, begun = _links(words, read) if words else ([], [])
    told = (
        (UPSERT, list(rows.values())),
        (DESCRIBE, list(described.values())),
        (INSERT_FACTS, facts),
        (END_LINKS, ended),
        (INSERT_LINKS, begun),
    )
    return [Statement(sql, msgspec.json.encode(changed)) for sql, changed in told if changed]


def _links(words: Sequence[tuple[int, Word]], read: Read) -> tuple[list[LinkRow], list[LinkRow]]:
    """Of earlier batches those that end, and those that begin, whether or not they end as well."""
    about = defaultdict[StreamId, set[Word]](set)

    def hear(word: Word) -> None:
        for person in (word.person, word.earlier):
            about[person].add(word)

    named = {person for _, word in words for person in (word.person, word.earlier)}
    for person, earlier, kind, said_at in read(SAID, {"persons": ",".join(sorted(named))}):
        hear(Word(person, earlier, Link(kind), said_at))
    ended, begun, holding = list[LinkRow](), list[LinkRow](), dict[tuple[StreamId, StreamId], LinkRow]()
    for position, word in words:
        before = linked(_around(about, word.person, word.earlier))
        hear(word)
        after = linked(_around(about, word.person))
        for pair in sorted(before - after):
            row = holding.pop(pair, None)
            if row is None:
                ended.append(row := LinkRow(*pair, None))
            row.known_until = position
        for pair in sorted(after - before):
            begun.append(row := LinkRow(*pair, position))
            holding[pair] = row
    return ended, begun


def _around(about: Mapping[StreamId, set[Word]], *persons: StreamId) -> set[Word]:
    """All that was said of some persons, of those with whom it was said, and so on."""
    found, seen, ahead = set[Word](), {*persons}, [*persons]
    while ahead:
        news = about.get(ahead.pop(), set()) - found
        found |= news
        others = {person for word in news for person in (word.person, word.earlier)} - seen
        seen |= others
        ahead += others
    return found
