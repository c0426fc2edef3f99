"""Members' payments: a row for everything that was said of one, with where it stood after it; and what was said of schedules.

Rows hold like those of the claims' history: from their own position until the position of the payment's next event. Where a
schedule stands depends on the day on which one asks, so its rows say only what was said. Holds nothing personal.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, get_args

import msgspec

from domain import payment, schedule
from domain.payment import Payment, ReportEvent, standing
from domain.schedule import ScheduleEvent
from projections.projection import Change, Projected, Read, Statement

NAME = "payments"
VERSION = 1
EVENTS = (*get_args(ReportEvent), *get_args(ScheduleEvent))
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE payment_history (
    payment_id uuid NOT NULL,
    position bigint NOT NULL,
    known_until bigint,
    recorded_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    payer_id text NOT NULL,
    said text NOT NULL,
    day date NOT NULL,
    said_cents bigint NOT NULL,
    reference_id text NOT NULL,
    source text NOT NULL,
    schedule_id uuid,
    payout_id uuid,
    status text NOT NULL,
    method text NOT NULL,
    amount_cents bigint NOT NULL,
    initiated_on date,
    posted_on date,
    refunded_cents bigint NOT NULL,
    disputed_cents bigint NOT NULL,
    collected_cents bigint NOT NULL CHECK (collected_cents >= 0),
    detail text NOT NULL,
    fact jsonb NOT NULL,
    PRIMARY KEY (payment_id, position)
);
CREATE INDEX payment_history_account_idx ON payment_history (account_id);
CREATE INDEX payment_history_payer_idx ON payment_history (payer_id);
COMMENT ON TABLE payment_history IS 'A row for everything that was said of a payment, and where the payment stood after it. Rows are added, and closed when the next one comes; never changed otherwise.';
COMMENT ON COLUMN payment_history.payment_id IS 'The payment''s stream in the log.';
COMMENT ON COLUMN payment_history.position IS 'Position of the event in the log: from here on the row holds.';
COMMENT ON COLUMN payment_history.known_until IS 'Position of the payment''s next event, up to which the row held; null while it holds.';
COMMENT ON COLUMN payment_history.recorded_at IS 'When the ledger recorded the event.';
COMMENT ON COLUMN payment_history.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN payment_history.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN payment_history.said IS 'What was said: initiated, authorised, posted, failed, returned, refunded, charged_back or chargeback_reversed.';
COMMENT ON COLUMN payment_history.day IS 'The day of it, as its source says.';
COMMENT ON COLUMN payment_history.said_cents IS 'The amount as said here, in cents; 0 where none is.';
COMMENT ON COLUMN payment_history.reference_id IS 'Opaque id of the refund or chargeback; empty where it is neither.';
COMMENT ON COLUMN payment_history.source IS 'Who said it where: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN payment_history.schedule_id IS 'Of a start: the schedule that made the payment, null where the member did.';
COMMENT ON COLUMN payment_history.payout_id IS 'Of a posting: the processor''s payout by which it goes to the bank, as an opaque id, where it is stated.';
COMMENT ON COLUMN payment_history.status IS 'Where the payment stood after it: initiated, authorised, failed, posted, partly_refunded, refunded, returned or charged_back.';
COMMENT ON COLUMN payment_history.method IS 'card, bank, hsa or fsa; empty until the start is known.';
COMMENT ON COLUMN payment_history.amount_cents IS 'What posted, else what was to be paid, in cents.';
COMMENT ON COLUMN payment_history.initiated_on IS 'Day of its start; null until that is known. It should post within 3 business days of banks.';
COMMENT ON COLUMN payment_history.posted_on IS 'Day on which it posted.';
COMMENT ON COLUMN payment_history.refunded_cents IS 'All refunds together, in cents.';
COMMENT ON COLUMN payment_history.disputed_cents IS 'Chargebacks that are not reversed, in cents.';
COMMENT ON COLUMN payment_history.collected_cents IS 'What is left of what posted, in cents; never below zero.';
COMMENT ON COLUMN payment_history.detail IS 'Why it is failed, returned (NACHA code) or charged back.';
COMMENT ON COLUMN payment_history.fact IS 'What was said, as the payment''s later events are folded with it.';
CREATE TABLE schedules (
    schedule_id uuid NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    payer_id text NOT NULL,
    said text NOT NULL,
    at timestamptz,
    day date,
    source text NOT NULL,
    first_on date,
    every text,
    until date,
    amount_cents bigint,
    fact jsonb NOT NULL,
    PRIMARY KEY (schedule_id, position)
);
CREATE INDEX schedules_account_idx ON schedules (account_id);
CREATE INDEX schedules_payer_idx ON schedules (payer_id);
COMMENT ON TABLE schedules IS 'A row for everything that was said of a schedule of automatic payments. Rows are only ever added.';
COMMENT ON COLUMN schedules.schedule_id IS 'The schedule''s stream in the log.';
COMMENT ON COLUMN schedules.position IS 'Position of the event in the log.';
COMMENT ON COLUMN schedules.recorded_at IS 'When the ledger recorded the event.';
COMMENT ON COLUMN schedules.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN schedules.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN schedules.said IS 'What was said: scheduled, skipped, paused, resumed or cancelled.';
COMMENT ON COLUMN schedules.at IS 'When it was; null of a skipped day.';
COMMENT ON COLUMN schedules.day IS 'The day that is skipped.';
COMMENT ON COLUMN schedules.source IS 'Who said it where: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN schedules.first_on IS 'Terms: the first day on which it pays.';
COMMENT ON COLUMN schedules.every IS 'Terms: once, week or month.';
COMMENT ON COLUMN schedules.until IS 'Terms: the last day on which it may pay; null where there is none.';
COMMENT ON COLUMN schedules.amount_cents IS 'Terms: what it pays each time, in cents; null where it is the balance by then.';
COMMENT ON COLUMN schedules.fact IS 'What was said, as the schedule is folded from it.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.payment_history AS
SELECT payment_id, position, known_until, recorded_at, account_id, payer_id, said, day,
       (said_cents / 100.0)::numeric(20, 2) AS said_amount, reference_id, source, schedule_id, payout_id, status, method,
       (amount_cents / 100.0)::numeric(20, 2) AS amount, initiated_on, posted_on,
       (refunded_cents / 100.0)::numeric(20, 2) AS refunded, (disputed_cents / 100.0)::numeric(20, 2) AS disputed,
       (collected_cents / 100.0)::numeric(20, 2) AS collected, detail, fact
FROM payment_history;
COMMENT ON VIEW public.payment_history IS 'Everything that was said of every payment, and where the payment stood after it. As known at position p: rows with position <= p and (known_until is null or known_until > p). Amounts in dollars.';
COMMENT ON COLUMN public.payment_history.said_amount IS 'The amount as said here, in dollars; 0 where none is.';
COMMENT ON COLUMN public.payment_history.amount IS 'What posted, else what was to be paid, in dollars.';
COMMENT ON COLUMN public.payment_history.refunded IS 'All refunds together, in dollars.';
COMMENT ON COLUMN public.payment_history.disputed IS 'Chargebacks that are not reversed, in dollars.';
COMMENT ON COLUMN public.payment_history.collected IS 'What is left of what posted, in dollars; never below zero.';
CREATE OR REPLACE VIEW public.payments AS
SELECT payment_id, position, account_id, payer_id, status, method, amount, initiated_on, posted_on, refunded, disputed,
       collected, detail
FROM public.payment_history WHERE known_until IS NULL;
COMMENT ON VIEW public.payments IS 'Where each payment stands now. Amounts in dollars.';
COMMENT ON COLUMN public.payments.payment_id IS 'The payment''s stream in the log.';
COMMENT ON COLUMN public.payments.position IS 'Position in the log of what was said last.';
COMMENT ON COLUMN public.payments.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN public.payments.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN public.payments.status IS 'initiated, authorised, failed, posted, partly_refunded, refunded, returned or charged_back.';
COMMENT ON COLUMN public.payments.method IS 'card, bank, hsa or fsa; empty until the start is known.';
COMMENT ON COLUMN public.payments.amount IS 'What posted, else what was to be paid, in dollars.';
COMMENT ON COLUMN public.payments.initiated_on IS 'Day of its start; null until that is known.';
COMMENT ON COLUMN public.payments.posted_on IS 'Day on which it posted.';
COMMENT ON COLUMN public.payments.refunded IS 'All refunds together, in dollars.';
COMMENT ON COLUMN public.payments.disputed IS 'Chargebacks that are not reversed, in dollars.';
COMMENT ON COLUMN public.payments.collected IS 'What is left of what posted, in dollars; never below zero.';
COMMENT ON COLUMN public.payments.detail IS 'Why it is failed, returned (NACHA code) or charged back.';
CREATE OR REPLACE VIEW public.schedules AS
SELECT schedule_id, position, recorded_at, account_id, payer_id, said, at, day, source, first_on, every, until,
       (amount_cents / 100.0)::numeric(20, 2) AS amount, fact
FROM schedules;
COMMENT ON VIEW public.schedules IS 'Everything that was said of every schedule of automatic payments. Amounts in dollars.';
COMMENT ON COLUMN public.schedules.amount IS 'Terms: what it pays each time, in dollars; null where it is the balance by then.';
"""

# One look into the index for each payment: left to choose (`= ANY`), the planner reads a young table as a whole.
EARLIER = """
SELECT payment_id::text, position, fact
FROM unnest(string_to_array(%(payments)s, ',')::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT * FROM payment_history WHERE payment_id = wanted.id ORDER BY position
) AS earlier
"""

CLOSE = """
UPDATE payment_history SET known_until = closed.until
FROM json_to_recordset(%(rows)s::json) AS closed (payment_id uuid, position bigint, until bigint)
WHERE payment_history.payment_id = closed.payment_id AND payment_history.position = closed.position
"""

INSERT = "INSERT INTO payment_history SELECT * FROM json_populate_recordset(NULL::payment_history, %(rows)s::json)"

INSERT_SCHEDULES = "INSERT INTO schedules SELECT * FROM json_populate_recordset(NULL::schedules, %(rows)s::json)"


class Row(msgspec.Struct, gc=False):
    payment_id: str
    position: int
    known_until: int | None
    recorded_at: datetime
    account_id: str
    payer_id: str
    said: str
    day: date
    said_cents: int
    reference_id: str
    source: str
    schedule_id: str | None
    payout_id: str | None
    status: str
    method: str
    amount_cents: int
    initiated_on: date | None
    posted_on: date | None
    refunded_cents: int
    disputed_cents: int
    collected_cents: int
    detail: str
    fact: payment.Said


class ScheduleRow(msgspec.Struct, gc=False):
    schedule_id: str
    position: int
    recorded_at: datetime
    account_id: str
    payer_id: str
    said: str
    at: datetime | None
    day: date | None
    source: str
    first_on: date | None
    every: str | None
    until: date | None
    amount_cents: int | None
    fact: schedule.Said


class Closed(msgspec.Struct, gc=False):
    payment_id: str
    position: int
    until: int


_encode = msgspec.json.Encoder().encode


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    states, open_rows = _earlier(events, read)
    closed: list[Closed] = []
    rows: list[Row] = []
    scheduled: list[ScheduleRow] = []
    last: dict[str, Row] = {}
    for projected in events:
        stream, event = projected.stream, projected.event
        if isinstance(event, ScheduleEvent):
            scheduled.append(_scheduled(projected, event))
            continue
        assert isinstance(event, ReportEvent)
        states[stream] = payment.evolve(states.get(stream, payment.INITIAL), event)
        if stream in last:
            last[stream].known_until = projected.position
        elif stream in open_rows:
            closed.append(Closed(stream, open_rows[stream], projected.position))
        last[stream] = _row(projected, event, states[stream])
        rows.append(last[stream])
    changes = (CLOSE, closed), (INSERT, rows), (INSERT_SCHEDULES, scheduled)
    return [Statement(sql, _encode(changed)) for sql, changed in changes if changed]


def _earlier(events: Sequence[Projected], read: Read) -> tuple[dict[str, Payment], dict[str, int]]:
    """Payments that do not begin in the batch, as they were before it, and the positions of their rows that hold."""
    wanted = {each.stream for each in events if each.version > 1 and isinstance(each.event, ReportEvent)}
    states: dict[str, Payment] = {}
    positions: dict[str, int] = {}
    if wanted:
        for payment_id, position, fact in read(EARLIER, {"payments": ",".join(wanted)}):
            known = states.get(payment_id, payment.INITIAL)
            states[payment_id] = Payment(None, (*known.said, msgspec.convert(fact, payment.Said)))
            positions[payment_id] = position
    return states, positions


def _row(projected: Projected, event: ReportEvent, state: Payment) -> Row:
    stands, said = standing(state), state.said[-1]
    return Row(
        payment_id=projected.stream,
        position=projected.position,
        known_until=None,
        recorded_at=projected.recorded_at,
        account_id=event.account,
        payer_id=event.payer_id,
        said=said.kind,
        day=said.day,
        said_cents=said.amount_cents,
        reference_id=said.reference,
        source=event.source,
        schedule_id=getattr(event, "schedule", None),
        payout_id=getattr(event, "payout", None),
        status=stands.status,
        method=stands.method,
        amount_cents=stands.amount_cents,
        initiated_on=stands.initiated_on,
        posted_on=stands.posted_on,
        refunded_cents=stands.refunded_cents,
        disputed_cents=stands.disputed_cents,
        collected_cents=stands.collected_cents,
        detail=stands.detail,
        fact=said,
    )


def _scheduled(projected: Projected, event: ScheduleEvent) -> ScheduleRow:
    said = schedule.said_by(event)
    terms: Any = said.terms
    return ScheduleRow(
        schedule_id=projected.stream,
        position=projected.position,
        recorded_at=projected.recorded_at,
        account_id=event.account,
        payer_id=event.payer_id,
        said=said.kind,
        at=said.at,
        day=said.on,
        source=event.source,
        first_on=terms and terms.first_on,
        every=terms and terms.every,
        until=terms and terms.until,
        amount_cents=terms and terms.amount_cents,
        fact=said,
    )
