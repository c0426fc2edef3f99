"""Each claim's history: a row for every event of it, what was said and where the claim stood after it.

A row holds from its own position until the position of the claim's next event, so the table answers both for today
(`known_until IS NULL`) and for any position of the past: what did the ledger know then? Holds nothing personal.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, get_args

import msgspec

from domain.adjudication import Adjudication
from domain.claim import INITIAL, Claim, ClaimEvent, Said, said_by
from domain.standing import standing
from projections.projection import Change, Copy, Projected, Read, Statement

NAME = "claim_history"
VERSION = 3
EVENTS = get_args(ClaimEvent)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE claim_history (
    claim_id uuid NOT NULL,
    position bigint NOT NULL,
    known_until bigint,
    recorded_at timestamptz NOT NULL,
    person_id uuid NOT NULL,
    payer_id text NOT NULL,
    bill_id uuid,
    said text NOT NULL,
    day date NOT NULL,
    said_at timestamptz,
    source text NOT NULL,
    remittance_id uuid,
    status_code text NOT NULL,
    said_charge_cents bigint,
    said_paid_cents bigint NOT NULL,
    said_member_cents bigint NOT NULL,
    detail text NOT NULL,
    adjustments text,
    remarks text,
    lines text,
    forwarded_to text NOT NULL,
    status text,
    awaits text NOT NULL,
    final_position bigint,
    payer_sequence smallint NOT NULL,
    charge_cents bigint NOT NULL,
    paid_cents bigint NOT NULL,
    member_cents bigint NOT NULL,
    cash_cents bigint NOT NULL,
    claim_type text NOT NULL,
    facility_code text NOT NULL,
    service_from date,
    service_to date,
    processed_on date,
    appeal text NOT NULL,
    appeal_level smallint NOT NULL,
    appeal_due_on date,
    appeal_until date,
    events integer NOT NULL,
    visible_at timestamptz NOT NULL,
    processed_visible_at timestamptz,
    folded text NOT NULL,
    PRIMARY KEY (claim_id, position)
) WITH (fillfactor = 90); -- closing a row changes no index, so there may be room for it on its page
CREATE INDEX claim_history_person_idx ON claim_history (person_id, service_from);
CREATE INDEX claim_history_bill_idx ON claim_history (bill_id) WHERE bill_id IS NOT NULL;
COMMENT ON TABLE claim_history IS 'A row for every event of a claim: what was said, and where the claim stood after it. Rows are added, and closed when the claim''s next event comes; never changed otherwise.';
COMMENT ON COLUMN claim_history.claim_id IS 'The claim''s stream in the log.';
COMMENT ON COLUMN claim_history.position IS 'Position of the event in the log: from here on the row holds.';
COMMENT ON COLUMN claim_history.known_until IS 'Position of the claim''s next event, up to which the row held; null while it holds.';
COMMENT ON COLUMN claim_history.recorded_at IS 'When the ledger recorded the event.';
COMMENT ON COLUMN claim_history.person_id IS 'The patient, as an opaque id; who it is stands in people only.';
COMMENT ON COLUMN claim_history.payer_id IS 'The payer''s own number (TRN03); its name stands in payers.';
COMMENT ON COLUMN claim_history.bill_id IS 'The provider''s bill, which all payers of the same services have in common; null in what was recorded before 0.2.';
COMMENT ON COLUMN claim_history.said IS 'What was said: received, accepted, rejected, pended, released, adjudicated, reversed, forwarded, predetermined, voided, disputed, appealed or appeal_decided.';
COMMENT ON COLUMN claim_history.day IS 'The payer''s own day of it: of a posting the day of the payment (BPR16) or decision.';
COMMENT ON COLUMN claim_history.said_at IS 'The moment, where the source states one.';
COMMENT ON COLUMN claim_history.source IS 'Who said it where: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN claim_history.remittance_id IS 'The remittance that brought it; null where it came by itself and moved no money.';
COMMENT ON COLUMN claim_history.status_code IS 'CLP02 of a posting.';
COMMENT ON COLUMN claim_history.said_charge_cents IS 'Charge as said here, in cents; negative in a reversal.';
COMMENT ON COLUMN claim_history.said_paid_cents IS 'Payment as said here, in cents; negative in a reversal.';
COMMENT ON COLUMN claim_history.said_member_cents IS 'Patient responsibility as said here (CLP05), in cents.';
COMMENT ON COLUMN claim_history.detail IS 'Of a report: what is awaited, why it was rejected, who objected, the outcome of an appeal.';
COMMENT ON COLUMN claim_history.adjustments IS 'Claim-level adjustments as said here: [group, reason, cents, quantity].';
COMMENT ON COLUMN claim_history.remarks IS 'Claim-level remark codes as said here.';
COMMENT ON COLUMN claim_history.lines IS 'Service lines as said here; read them through the view claim_lines.';
COMMENT ON COLUMN claim_history.forwarded_to IS 'The payer to whom the claim was passed on, if any.';
COMMENT ON COLUMN claim_history.status IS 'Where the claim stood after it: received, accepted, rejected, pended, in_process, paid, partially_paid, denied, member_liability (zero paid, the member''s cost share), nothing_due, forwarded, predetermination, reversed or voided.';
COMMENT ON COLUMN claim_history.awaits IS 'What it waited for. Pended: what the payer asks for. Else original (a reversal whose adjudication has not come) or reversal (several payments stand).';
COMMENT ON COLUMN claim_history.final_position IS 'Position of the posting that is the last word.';
COMMENT ON COLUMN claim_history.payer_sequence IS '1 primary, 2 secondary, 3 tertiary payer; 0 where no adjudication stands.';
COMMENT ON COLUMN claim_history.charge_cents IS 'Final action: what the provider charged, in cents.';
COMMENT ON COLUMN claim_history.paid_cents IS 'Final action: what this payer pays by its last word, in cents; 0 once reversed.';
COMMENT ON COLUMN claim_history.member_cents IS 'Final action: what this payer leaves to the patient, in cents; 0 once reversed.';
COMMENT ON COLUMN claim_history.cash_cents IS 'Cash: what remittances moved for the claim, taken together, in cents.';
COMMENT ON COLUMN claim_history.claim_type IS 'professional, institutional, pharmacy, dental or vision: as stated, else by the lines.';
COMMENT ON COLUMN claim_history.facility_code IS 'CLP08: place of service, or the first two digits of the type of bill.';
COMMENT ON COLUMN claim_history.service_from IS 'First day of service; null where nothing tells.';
COMMENT ON COLUMN claim_history.service_to IS 'Last day of service, where it is stated.';
COMMENT ON COLUMN claim_history.processed_on IS 'Day of the posting that is the last word.';
COMMENT ON COLUMN claim_history.appeal IS 'disputed, appealed, or what came of the appeal; empty where there is none.';
COMMENT ON COLUMN claim_history.appeal_level IS 'Level of the appeal: 1 and 2 at the payer, 3 independent.';
COMMENT ON COLUMN claim_history.appeal_due_on IS 'Until when the appeal must be decided.';
COMMENT ON COLUMN claim_history.appeal_until IS 'Until when a denial can be appealed.';
COMMENT ON COLUMN claim_history.events IS 'How many events the claim had by then.';
COMMENT ON COLUMN claim_history.visible_at IS 'When the ledger recorded the claim''s first event.';
COMMENT ON COLUMN claim_history.processed_visible_at IS 'When the ledger recorded the posting that is the last word.';
COMMENT ON COLUMN claim_history.folded IS 'What was said, as the claim''s later events are folded with it.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.claim_history AS
SELECT claim_id, position, known_until, recorded_at, person_id, payer_id, bill_id, said, day, said_at, source,
       remittance_id, status_code, (said_charge_cents / 100.0)::numeric(20, 2) AS said_charge,
       (said_paid_cents / 100.0)::numeric(20, 2) AS said_paid, (said_member_cents / 100.0)::numeric(20, 2) AS said_member,
       detail, adjustments::jsonb, remarks::jsonb, lines::jsonb, forwarded_to, status, awaits, final_position, payer_sequence,
       (charge_cents / 100.0)::numeric(20, 2) AS charge, (paid_cents / 100.0)::numeric(20, 2) AS paid,
       (member_cents / 100.0)::numeric(20, 2) AS member_owes, (cash_cents / 100.0)::numeric(20, 2) AS cash,
       claim_type, facility_code, service_from, service_to, processed_on, appeal, appeal_level, appeal_due_on,
       appeal_until, events, visible_at, processed_visible_at, folded
FROM claim_history;
COMMENT ON VIEW public.claim_history IS 'Every event of every claim, and where the claim stood after it. As known at position p: rows with position <= p and (known_until is null or known_until > p). Amounts in dollars.';
COMMENT ON COLUMN public.claim_history.said_charge IS 'Charge as said here, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_history.said_paid IS 'Payment as said here, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_history.said_member IS 'Patient responsibility as said here (CLP05), in dollars.';
COMMENT ON COLUMN public.claim_history.charge IS 'Final action: what the provider charged, in dollars.';
COMMENT ON COLUMN public.claim_history.paid IS 'Final action: what this payer pays by its last word, in dollars; 0 once reversed.';
COMMENT ON COLUMN public.claim_history.member_owes IS 'Final action: what this payer leaves to the patient, in dollars; 0 once reversed. Over several payers: bills.';
COMMENT ON COLUMN public.claim_history.cash IS 'Cash: what remittances moved for the claim, taken together, in dollars.';
CREATE OR REPLACE VIEW public.claim_status AS SELECT * FROM public.claim_history WHERE known_until IS NULL;
COMMENT ON VIEW public.claim_status IS 'Where each claim stands now: the row of claim_history that holds. Amounts in dollars.';
COMMENT ON COLUMN public.claim_status.said_charge IS 'Charge as last said, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_status.said_paid IS 'Payment as last said, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_status.said_member IS 'Patient responsibility as last said (CLP05), in dollars.';
COMMENT ON COLUMN public.claim_status.charge IS 'What the provider charged, in dollars.';
COMMENT ON COLUMN public.claim_status.paid IS 'What this payer pays by its last word, in dollars; 0 once reversed.';
COMMENT ON COLUMN public.claim_status.member_owes IS 'What this payer leaves to the patient, in dollars; 0 once reversed. Over several payers: bills.';
COMMENT ON COLUMN public.claim_status.cash IS 'What remittances moved for the claim, taken together, in dollars.';
CREATE OR REPLACE VIEW public.claim_lines AS
SELECT h.claim_id, h.position, line.number, h.person_id, h.payer_id, h.said, h.day,
       h.position = (SELECT now.final_position FROM claim_history now
                     WHERE now.claim_id = h.claim_id AND now.known_until IS NULL) AS is_final,
       line.value ->> 'procedure' AS procedure, line.value ->> 'revenue_code' AS revenue_code,
       line.value ->> 'units' AS units,
       coalesce((line.value ->> 'service_from')::date, h.service_from) AS service_from,
       (line.value ->> 'service_to')::date AS service_to,
       ((line.value ->> 'charge_cents')::bigint / 100.0)::numeric(20, 2) AS charge,
       ((line.value ->> 'allowed_cents')::bigint / 100.0)::numeric(20, 2) AS allowed,
       ((line.value ->> 'paid_cents')::bigint / 100.0)::numeric(20, 2) AS paid,
       (SELECT coalesce(sum((a ->> 2)::bigint), 0) / 100.0
        FROM jsonb_array_elements(line.value -> 'adjustments') a WHERE a ->> 0 = 'PR')::numeric(20, 2) AS member_owes,
       line.value -> 'adjustments' AS adjustments, line.value -> 'remarks' AS remarks
FROM claim_history h CROSS JOIN LATERAL jsonb_array_elements(h.lines::jsonb) WITH ORDINALITY AS line (value, number);
COMMENT ON VIEW public.claim_lines IS 'The service lines of every posting. Those of the last word have is_final. Amounts in dollars.';
COMMENT ON COLUMN public.claim_lines.number IS 'The line''s place in its claim, from 1.';
COMMENT ON COLUMN public.claim_lines.is_final IS 'Whether the posting is the claim''s last word.';
COMMENT ON COLUMN public.claim_lines.procedure IS 'Qualifier, code and modifiers, joined by colons.';
COMMENT ON COLUMN public.claim_lines.revenue_code IS 'Revenue code of an institutional claim.';
COMMENT ON COLUMN public.claim_lines.units IS 'Paid units of service.';
COMMENT ON COLUMN public.claim_lines.service_from IS 'First day of service: the line''s own, else the claim''s.';
COMMENT ON COLUMN public.claim_lines.charge IS 'Line charge, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_lines.allowed IS 'Allowed amount (AMT*B6), in dollars, where it is stated.';
COMMENT ON COLUMN public.claim_lines.paid IS 'Line payment, in dollars; negative in a reversal.';
COMMENT ON COLUMN public.claim_lines.member_owes IS 'The line''s PR adjustments together, in dollars.';
COMMENT ON COLUMN public.claim_lines.adjustments IS 'The line''s adjustments: [group, reason, cents, quantity].';
COMMENT ON COLUMN public.claim_lines.remarks IS 'The line''s remark codes.';
CREATE OR REPLACE VIEW public.bills AS
SELECT bill_id, count(*) AS claims, count(*) FILTER (WHERE payer_sequence > 0) AS processed, min(service_from) AS service_from,
       (max(charge_cents) / 100.0)::numeric(20, 2) AS charge, (sum(paid_cents) / 100.0)::numeric(20, 2) AS paid,
       ((array_agg(member_cents ORDER BY payer_sequence DESC, processed_on DESC, claim_id DESC))[1] / 100.0)::numeric(20, 2) AS member_owes,
       (array_agg(claim_id ORDER BY payer_sequence DESC, processed_on DESC, claim_id DESC))[1] AS decided_by
FROM claim_history WHERE known_until IS NULL AND bill_id IS NOT NULL GROUP BY bill_id;
COMMENT ON VIEW public.bills IS 'Each provider''s bill over all of its payers: what the last payer in sequence leaves to the patient is owed, not the sum. Amounts in dollars.';
COMMENT ON COLUMN public.bills.claims IS 'Claims made of it, one a payer.';
COMMENT ON COLUMN public.bills.processed IS 'Claims of which an adjudication stands.';
COMMENT ON COLUMN public.bills.service_from IS 'First day of service.';
COMMENT ON COLUMN public.bills.charge IS 'What the provider charged, in dollars.';
COMMENT ON COLUMN public.bills.paid IS 'What all payers pay by their last words, in dollars.';
COMMENT ON COLUMN public.bills.member_owes IS 'What the last payer in sequence leaves to the patient, in dollars.';
COMMENT ON COLUMN public.bills.decided_by IS 'The claim of that payer.';
DO $$ -- A view's other columns are the table's, and so is what is said of them.
DECLARE told record;
BEGIN
    FOR told IN
        SELECT shown.attrelid::regclass AS shown_in, shown.attname, col_description(own.attrelid, own.attnum) AS text
        FROM pg_attribute own JOIN pg_attribute shown ON shown.attname = own.attname AND own.attnum > 0
        WHERE own.attrelid = 'claim_history'::regclass AND col_description(shown.attrelid, shown.attnum) IS NULL
          AND shown.attrelid IN ('public.claim_history'::regclass, 'public.claim_status'::regclass,
                                 'public.claim_lines'::regclass, 'public.bills'::regclass)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', told.shown_in, told.attname, told.text);
    END LOOP;
END $$;
"""

# One look into the index for each claim: left to choose (`= ANY`), the planner reads a young table as a whole.
EARLIER = """
SELECT claim_id::text, position, recorded_at, folded
FROM unnest(string_to_array(%(claims)s, ',')::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM claim_history WHERE claim_id = wanted.id ORDER BY position
) AS earlier
"""

CLOSE = """
UPDATE claim_history SET known_until = closed.until
FROM json_to_recordset(%(rows)s::json) AS closed (claim_id uuid, position bigint, until bigint)
WHERE claim_history.claim_id = closed.claim_id AND claim_history.position = closed.position
"""

COPY = "COPY claim_history FROM STDIN"
"""All columns, in the table's order: `_row`"""


class Folded(NamedTuple):
    """A claim after some event of it, and where each of its events stands in the log."""

    claim: Claim = INITIAL
    positions: tuple[int, ...] = ()
    recorded_at: tuple[str, ...] = ()

    def and_then(self, said: Said, position: int, recorded_at: str) -> "Folded":
        claim = Claim((*self.claim.said, said))
        return Folded(claim, (*self.positions, position), (*self.recorded_at, recorded_at))


class Closed(msgspec.Struct):
    claim_id: str
    position: int
    until: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Said).decode


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    claims = _earlier(events, read)
    until: dict[int, int] = {}
    following: dict[str, int] = {}
    for projected in reversed(events):
        if projected.stream in following:
            until[projected.position] = following[projected.stream]
        following[projected.stream] = projected.position
    closed = [Closed(claim_id, folded.positions[-1], following[claim_id]) for claim_id, folded in claims.items()]
    rows: list[str] = []
    for recorded_at, at_once in groupby(events, attrgetter("recorded_at")):
        moment = str(recorded_at)
        for projected in at_once:
            said = said_by(projected.event)  # type: ignore[arg-type] # EVENTS
            folded = claims.get(projected.stream, NEW).and_then(said, projected.position, moment)
            claims[projected.stream] = folded
            rows.append(_row(projected, folded, until.get(projected.position)))
    changes: list[Change] = [Statement(CLOSE, _encode(closed))] if closed else []
    return [*changes, Copy(COPY, "".join(rows).encode())]


NEW = Folded()


def _earlier(events: Sequence[Projected], read: Read) -> dict[str, Folded]:
    """What was folded before of those claims that do not begin in the batch."""
    begun = {projected.stream for projected in events if projected.version == 1}
    wanted = {projected.stream for projected in events} - begun
    found: dict[str, Folded] = {}
    if wanted:
        for claim_id, position, recorded_at, folded in read(EARLIER, {"claims": ",".join(wanted)}):
            found[claim_id] = found.get(claim_id, NEW).and_then(_decode(folded), position, str(recorded_at))
    return found


def _row(projected: Projected, folded: Folded, known_until: int | None) -> str:
    event, said, stands = projected.event, folded.claim.said[-1], standing(folded.claim)
    adjudication: Adjudication | None = getattr(event, "adjudication", None)
    final = stands.final
    return ROW % (
        projected.stream,
        projected.position,
        NULL if known_until is None else known_until,
        folded.recorded_at[-1],
        event.person,  # type: ignore[attr-defined] # EVENTS
        _text(event.payer_id),  # type: ignore[attr-defined]
        stands.bill or NULL,
        said.kind,
        _day(said.day),
        said.at or NULL,
        _text(event.source),  # type: ignore[attr-defined]
        getattr(event, "remittance", None) or NULL,
        _text(said.status_code),
        NULL if said.charge_cents is None else said.charge_cents,
        said.paid_cents,
        said.member_cents,
        _text(said.detail),
        _json(adjudication.adjustments) if adjudication else NULL,
        _json(adjudication.remarks) if adjudication else NULL,
        _json(adjudication.lines) if adjudication else NULL,
        _text(adjudication.forwarded_to) if adjudication else "",
        stands.status or NULL,
        stands.awaits,
        NULL if final is None else folded.positions[final],
        stands.payer_sequence,
        stands.charge_cents,
        stands.paid_cents,
        stands.member_cents,
        stands.cash_cents,
        _text(stands.claim_type),
        _text(stands.facility_code),
        _day(stands.service_from),
        _day(stands.service_to),
        _day(stands.processed_on),
        stands.appeal,
        stands.appeal_level,
        _day(stands.appeal_due_on),
        _day(stands.appeal_until),
        len(folded.positions),
        folded.recorded_at[0],
        NULL if final is None else folded.recorded_at[final],
        _json(said),
    )


# --- COPY's text format

ROW = "\t".join(["%s"] * 42) + "\n"
NULL = "\\N"


@lru_cache(maxsize=8_192)
def _day(day: date | None) -> str:
    """Claims of a time have their few days in common."""
    return NULL if day is None else day.isoformat()


def _json(value: tuple[Any, ...] | Said) -> str:
    """JSON has no raw tabs or line breaks, but backslashes."""
    return _encode(value).decode().replace("\\", "\\\\") if value else NULL


def _text(text: str) -> str:
    """What came from outside may hold anything but NUL."""
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
