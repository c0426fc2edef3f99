"""The provider directory: every revision of what is said of a provider, and the networks that each has them in.

Rows are only ever added, so who was in a network on a day, as known at any position, follows from some of them
(domain/directory.py). Names of providers are public.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from domain.directory import Listing, Provider, ProviderListed
from projections.projection import Change, Projected, Read, Statement

NAME = "directory"
VERSION = 1
EVENTS = (ProviderListed,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE directory (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    provider_id text NOT NULL,
    revision integer NOT NULL,
    name text NOT NULL,
    specialty text NOT NULL,
    listing jsonb NOT NULL,
    content text NOT NULL,
    source text NOT NULL
);
CREATE INDEX directory_provider_idx ON directory (provider_id);
COMMENT ON TABLE directory IS 'What directories say of providers, every revision. Rows are only ever added.';
COMMENT ON COLUMN directory.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN directory.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN directory.provider_id IS 'The provider''s NPI.';
COMMENT ON COLUMN directory.revision IS 'From 1 on. The highest holds.';
COMMENT ON COLUMN directory.name IS 'Of an organisation or a practitioner; public.';
COMMENT ON COLUMN directory.specialty IS 'NUCC taxonomy code.';
COMMENT ON COLUMN directory.listing IS 'All of it as JSON.';
COMMENT ON COLUMN directory.content IS 'Keyed hash of what was said.';
COMMENT ON COLUMN directory.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
CREATE TABLE directory_networks (
    position bigint NOT NULL,
    provider_id text NOT NULL,
    payer_id text NOT NULL,
    plan_id text NOT NULL,
    tier text NOT NULL,
    first_on date NOT NULL,
    until date
);
CREATE INDEX directory_networks_position_idx ON directory_networks (position);
COMMENT ON TABLE directory_networks IS 'The networks in which each revision has a provider. Rows are only ever added.';
COMMENT ON COLUMN directory_networks.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN directory_networks.provider_id IS 'The provider''s NPI.';
COMMENT ON COLUMN directory_networks.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN directory_networks.plan_id IS 'The plan in whose network they are; empty: in that of all the payer''s plans.';
COMMENT ON COLUMN directory_networks.tier IS 'Of the network, in the plan''s own words.';
COMMENT ON COLUMN directory_networks.first_on IS 'First day in it.';
COMMENT ON COLUMN directory_networks.until IS 'Last day in it; null where no end is known.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.directory AS SELECT * FROM directory;
COMMENT ON VIEW public.directory IS 'What directories say of providers, every revision.';
CREATE OR REPLACE VIEW public.provider_networks AS
SELECT latest.provider_id, latest.name, latest.specialty, payer_id, plan_id, tier, first_on, until
FROM (SELECT DISTINCT ON (provider_id) * FROM directory ORDER BY provider_id, revision DESC) latest
JOIN directory_networks network ON network.position = latest.position;
COMMENT ON VIEW public.provider_networks IS 'Who is in which network, by the revision of each provider that holds.';
COMMENT ON COLUMN public.provider_networks.provider_id IS 'The provider''s NPI.';
COMMENT ON COLUMN public.provider_networks.name IS 'Of an organisation or a practitioner; public.';
COMMENT ON COLUMN public.provider_networks.specialty IS 'NUCC taxonomy code.';
COMMENT ON COLUMN public.provider_networks.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN public.provider_networks.plan_id IS 'The plan; empty: all the payer''s plans.';
COMMENT ON COLUMN public.provider_networks.tier IS 'Of the network, in the plan''s own words.';
COMMENT ON COLUMN public.provider_networks.first_on IS 'First day in it.';
COMMENT ON COLUMN public.provider_networks.until IS 'Last day in it; null where no end is known.';
"""

INSERT = "INSERT INTO directory SELECT * FROM json_populate_recordset(NULL::directory, %(rows)s::json)"

INSERT_NETWORKS = """
INSERT INTO directory_networks SELECT * FROM json_populate_recordset(NULL::directory_networks, %(rows)s::json)
"""

LISTED = """
SELECT provider_id, revision, listing, content, source FROM directory
WHERE provider_id = %(provider)s AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
ORDER BY position
"""
"""All that was published of a provider, as known at a position."""


def provider_in(rows: Iterable[Mapping[str, Any]]) -> Provider:
    """The provider of rows of LISTED; `domain.directory.in_network` tells in which networks they are."""
    return Provider(tuple(msgspec.convert(row, ProviderListed) for row in rows))


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    provider_id: str
    revision: int
    name: str
    specialty: str
    listing: Listing
    content: str
    source: str


class NetworkRow(msgspec.Struct, gc=False):
    position: int
    provider_id: str
    payer_id: str
    plan_id: str
    tier: str
    first_on: date
    until: date | None


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    rows, networks = list[Row](), list[NetworkRow]()
    for projected in events:
        event = projected.event
        assert isinstance(event, ProviderListed)
        listing, about = event.listing, (projected.position, event.provider_id)
        named = (event.revision, listing.name, listing.specialty, listing)
        rows.append(
            Row(projected.position, projected.recorded_at, event.provider_id, *named, event.content, event.source)
        )
        networks += [
            NetworkRow(*about, each.payer_id, each.plan_id, each.tier, each.first_on, each.until)
            for each in listing.networks
        ]
    told = ((INSERT, rows), (INSERT_NETWORKS, networks))
    return [Statement(sql, msgspec.json.encode(added)) for sql, added in told if added]
