-- The log and what the writer keeps beside it. Derived tables stand with their projections.

CREATE TABLE IF NOT EXISTS installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fingerprint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE installation IS 'Which secret the ids of this ledger were made with: other keys are refused at start.';
COMMENT ON COLUMN installation.only_row IS 'Allows one row.';
COMMENT ON COLUMN installation.fingerprint IS 'Keyed hash of a constant under the installation''s secret; tells nothing about it.';
COMMENT ON COLUMN installation.created_at IS 'When the ledger was initialised.';

CREATE TABLE IF NOT EXISTS head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL
);
INSERT INTO head (position) VALUES (0) ON CONFLICT DO NOTHING;
COMMENT ON TABLE head IS 'The last position of the log. Updating it is the lock under which positions are given out, so they are 1, 2, 3 … and a reader never sees one before its predecessor.';
COMMENT ON COLUMN head.only_row IS 'Allows one row.';
COMMENT ON COLUMN head.position IS 'Position of the last event; 0 where there is none.';

CREATE TABLE IF NOT EXISTS events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX IF NOT EXISTS events_notification_id_idx ON events (notification_id);
COMMENT ON TABLE events IS 'The ledger: what happened, in the order in which it was recorded. Rows are never changed or deleted.';
COMMENT ON COLUMN events.originator_id IS 'Stream: the opaque id of the claim, person, remittance or parked item (keyed UUIDv8).';
COMMENT ON COLUMN events.originator_version IS 'Number of the event within its stream, from 1 without a hole.';
COMMENT ON COLUMN events.topic IS 'What happened, and the version of its schema: name:version.';
COMMENT ON COLUMN events.state IS 'The event as JSON (UTF-8, the exact bytes); personal facts inside are encrypted under the person''s key.';
COMMENT ON COLUMN events.notification_id IS 'Position in the log, from 1 without a hole.';
COMMENT ON COLUMN events.recorded_at IS 'When the ledger recorded it. For people: order comes from the position only.';

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER events_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events EXECUTE FUNCTION refuse_change();

CREATE TABLE IF NOT EXISTS source_offset (
    topic_id text NOT NULL,
    partition integer NOT NULL,
    topic text NOT NULL,
    next_offset bigint NOT NULL,
    alarm text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic_id, partition)
);
COMMENT ON TABLE source_offset IS 'How far each topic-partition has been taken in; committed with the events that came of it.';
COMMENT ON COLUMN source_offset.topic_id IS 'Kafka''s id of the topic: a topic that was deleted and made again is another source.';
COMMENT ON COLUMN source_offset.partition IS 'Partition of the topic.';
COMMENT ON COLUMN source_offset.topic IS 'Name of the topic.';
COMMENT ON COLUMN source_offset.next_offset IS 'The next offset to be read. Moves by compare-and-set only.';
COMMENT ON COLUMN source_offset.alarm IS 'Why this partition stands still and needs a person, if it does.';
COMMENT ON COLUMN source_offset.updated_at IS 'When it last moved.';

CREATE TABLE IF NOT EXISTS parked_raw (
    raw_id uuid PRIMARY KEY,
    sealed bytea NOT NULL
);
COMMENT ON TABLE parked_raw IS 'The bytes of parked messages, as they came.';
COMMENT ON COLUMN parked_raw.raw_id IS 'Keyed hash of the bytes: the same message is kept once.';
COMMENT ON COLUMN parked_raw.sealed IS 'The message, deflated and encrypted under a key of its own.';

CREATE TABLE IF NOT EXISTS parked (
    parked_id uuid PRIMARY KEY,
    ordinal bigint GENERATED ALWAYS AS IDENTITY,
    state text NOT NULL,
    reason text NOT NULL,
    place text NOT NULL,
    detail text NOT NULL,
    source text NOT NULL,
    claims integer NOT NULL,
    blocks uuid,
    raw_id uuid NOT NULL REFERENCES parked_raw,
    parked_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
);
ALTER TABLE parked ADD COLUMN IF NOT EXISTS format text NOT NULL DEFAULT 'x12-835';
CREATE INDEX IF NOT EXISTS parked_blocks_idx ON parked (blocks, ordinal) WHERE state <> 'released' AND blocks IS NOT NULL;
COMMENT ON TABLE parked IS 'What could not be understood or accepted, and what became of it. Written with the events that say so.';
COMMENT ON COLUMN parked.parked_id IS 'The item''s stream; the same content parked again is the same item.';
COMMENT ON COLUMN parked.ordinal IS 'Order of parking: what waits for one claim is taken up in it.';
COMMENT ON COLUMN parked.state IS 'parked, released (it went through on a retry) or discarded.';
COMMENT ON COLUMN parked.reason IS 'Why, as a name from the closed list in docs/domain.md.';
COMMENT ON COLUMN parked.place IS 'Where in the source: transaction, segment, claim, line.';
COMMENT ON COLUMN parked.detail IS 'Counts, sums and names of segments; nothing personal.';
COMMENT ON COLUMN parked.source IS 'Topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN parked.claims IS 'How many claims it holds.';
COMMENT ON COLUMN parked.blocks IS 'The claim whose later postings wait behind it.';
COMMENT ON COLUMN parked.raw_id IS 'Where its bytes are kept.';
COMMENT ON COLUMN parked.format IS 'How its bytes are to be read on a retry.';
COMMENT ON COLUMN parked.parked_at IS 'When it was parked.';
COMMENT ON COLUMN parked.settled_at IS 'When it was released or discarded.';
