"""Settlement: what banks booked, and with which remittance or payout of members' payments each entry is matched.

The match is a view: an entry may come before or after what it settles. Rules are tried in the order of one list; an entry
is matched with a counterpart where each is the other's first choice by rule, nearness of days and id.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.settlement import EntryBooked, EntryReversed
from projections.projection import Change, Copy, Projected, Read

NAME = "settlement"
VERSION = 1
EVENTS = (EntryBooked, EntryReversed)
OPENS_PERSONAL = False


class Rule(NamedTuple):
    name: str
    state: str
    """matched or partly"""
    meaning: str
    condition: str
    """Of an `entry` and a `counterpart`, in SQL"""


NEAR_DAYS = 5
"""Three business days over a weekend: CAQH CORE 370 has transfer and remittance within three of each other"""

RULES = (
    Rule(
        "payout",
        "matched",
        "the processor's reference, and the amount",
        "entry.payout_id = counterpart.id AND entry.amount = counterpart.amount",
    ),
    Rule(
        "trace_payer_amount",
        "matched",
        "trace number, payer and amount",
        "entry.trace_number = counterpart.trace_number AND entry.payer_id = counterpart.payer_id "
        "AND entry.amount = counterpart.amount",
    ),
    Rule(
        "trace_amount",
        "matched",
        "trace number and amount, where the bank names no payer",
        "entry.trace_number = counterpart.trace_number AND entry.payer_id = '' AND entry.amount = counterpart.amount",
    ),
    Rule(
        "payout_differs",
        "partly",
        "the processor's reference, but another amount",
        "entry.payout_id = counterpart.id AND entry.amount <> counterpart.amount",
    ),
    Rule(
        "trace_differs",
        "partly",
        "trace number, but another amount",
        "entry.trace_number = counterpart.trace_number AND entry.payer_id IN ('', counterpart.payer_id) "
        "AND entry.amount <> counterpart.amount",
    ),
    Rule(
        "payer_amount_days",
        "partly",
        f"payer and amount, within {NEAR_DAYS} days, and no number contradicts: to be looked at",
        "entry.payer_id = counterpart.payer_id AND entry.amount = counterpart.amount AND entry.trace_number = '' "
        f"AND entry.payout_id IS NULL AND abs(entry.day - counterpart.day) <= {NEAR_DAYS}",
    ),
)

TABLES = """
CREATE TABLE bank_entries (
    entry_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    bank_account text NOT NULL,
    day date NOT NULL,
    direction text NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0),
    trace_number text NOT NULL,
    payer_id text NOT NULL,
    payout_id uuid
);
CREATE INDEX bank_entries_trace_number_idx ON bank_entries (trace_number) WHERE trace_number <> '';
COMMENT ON TABLE bank_entries IS 'What banks booked. Rows are only ever added.';
COMMENT ON COLUMN bank_entries.entry_id IS 'The entry''s stream in the log.';
COMMENT ON COLUMN bank_entries.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN bank_entries.bank_account IS 'The plan''s own name of the account.';
COMMENT ON COLUMN bank_entries.day IS 'Day on which it was booked.';
COMMENT ON COLUMN bank_entries.direction IS 'credit: money came; debit: money went.';
COMMENT ON COLUMN bank_entries.cents IS 'The amount, in cents; positive.';
COMMENT ON COLUMN bank_entries.trace_number IS 'Number of the transfer (TRN02), where the bank tells it.';
COMMENT ON COLUMN bank_entries.payer_id IS 'The payer''s own number, where the bank tells it.';
COMMENT ON COLUMN bank_entries.payout_id IS 'Stands for payer and payout of a payment processor, where the bank tells it.';
CREATE TABLE bank_reversals (
    entry_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    day date NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE bank_reversals IS 'Entries that banks took back. Rows are only ever added.';
COMMENT ON COLUMN bank_reversals.entry_id IS 'The entry.';
COMMENT ON COLUMN bank_reversals.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN bank_reversals.day IS 'Day on which it was taken back.';
COMMENT ON COLUMN bank_reversals.reason IS 'Why, in the bank''s own code.';
"""

_CANDIDATES = "\nUNION ALL\n".join(
    f"""SELECT {number} AS number, '{rule.name}' AS rule, '{rule.state}' AS state, entry.entry_id, counterpart.kind, counterpart.id,
       abs(entry.day - counterpart.day) AS days
FROM entry JOIN counterpart ON counterpart.direction = entry.direction AND {rule.condition}"""  # noqa: S608 RULES are ours
    for number, rule in enumerate(RULES, 1)
)

VIEWS = f"""
CREATE OR REPLACE VIEW public.bank_entries AS
SELECT booked.entry_id, booked.position, bank_account, booked.day, direction, (cents / 100.0)::numeric(20, 2) AS amount, trace_number,
       payer_id, payout_id, reversed.day AS reversed_on, reversed.reason
FROM bank_entries booked LEFT JOIN bank_reversals reversed ON reversed.entry_id = booked.entry_id;
COMMENT ON VIEW public.bank_entries IS 'What banks booked, and what of it they took back. Amounts in dollars.';
COMMENT ON COLUMN public.bank_entries.entry_id IS 'The entry''s stream in the log.';
COMMENT ON COLUMN public.bank_entries.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN public.bank_entries.bank_account IS 'The plan''s own name of the account.';
COMMENT ON COLUMN public.bank_entries.day IS 'Day on which it was booked.';
COMMENT ON COLUMN public.bank_entries.direction IS 'credit: money came; debit: money went.';
COMMENT ON COLUMN public.bank_entries.amount IS 'The amount, in dollars; positive.';
COMMENT ON COLUMN public.bank_entries.trace_number IS 'Number of the transfer (TRN02), where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.payer_id IS 'The payer''s own number, where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.payout_id IS 'Stands for payer and payout of a payment processor, where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.reversed_on IS 'Day on which the bank took it back, if it did.';
COMMENT ON COLUMN public.bank_entries.reason IS 'Why, in the bank''s own code.';
CREATE OR REPLACE VIEW public.settlement AS
WITH entry AS (
    SELECT * FROM public.bank_entries WHERE reversed_on IS NULL
), counterpart AS (
    SELECT 'remittance' AS kind, remittance_id AS id, 'debit' AS direction, payer_id, trace_number, total AS amount, paid_on AS day
    FROM public.remittances WHERE total > 0 AND method <> 'NON'
    UNION ALL
    SELECT 'payout', payout_id, 'credit', payer_id, NULL, (sum(said_cents) / 100.0)::numeric(20, 2), max(day)
    FROM (SELECT payout_id, payer_id, day, (fact ->> 4)::bigint AS said_cents FROM public.payment_history
          WHERE said = 'posted' AND payout_id IS NOT NULL) posted
    GROUP BY payout_id, payer_id
), candidate AS (
{_CANDIDATES}
), choice AS (
    SELECT *, row_number() OVER (PARTITION BY entry_id ORDER BY number, days, id) AS of_entry,
           row_number() OVER (PARTITION BY kind, id ORDER BY number, days, entry_id) AS of_counterpart
    FROM candidate
), chosen AS (
    SELECT * FROM choice WHERE of_entry = 1 AND of_counterpart = 1
)
SELECT coalesce(chosen.state, 'unmatched') AS state, chosen.rule, counterpart.kind, counterpart.id AS counterpart_id,
       entry.entry_id, coalesce(counterpart.payer_id, nullif(entry.payer_id, '')) AS payer_id,
       coalesce(counterpart.trace_number, nullif(entry.trace_number, '')) AS trace_number,
       coalesce(counterpart.direction, entry.direction) AS direction, counterpart.amount AS expected, entry.amount AS booked,
       (coalesce(entry.amount, 0) - coalesce(counterpart.amount, 0))::numeric(20, 2) AS difference,
       counterpart.day AS expected_on, entry.day AS booked_on
FROM counterpart FULL JOIN chosen ON chosen.kind = counterpart.kind AND chosen.id = counterpart.id
FULL JOIN entry ON entry.entry_id = chosen.entry_id;
COMMENT ON VIEW public.settlement IS 'Remittances and payouts of members'' payments beside what banks booked: matched, partly or unmatched, by the first rule that fits. Amounts in dollars.';
COMMENT ON COLUMN public.settlement.state IS 'matched, partly or unmatched.';
COMMENT ON COLUMN public.settlement.rule IS 'By which rule: docs/settlement.md.';
COMMENT ON COLUMN public.settlement.kind IS 'remittance or payout; null where there is an entry only.';
COMMENT ON COLUMN public.settlement.counterpart_id IS 'The remittance, or what stands for payer and payout.';
COMMENT ON COLUMN public.settlement.entry_id IS 'The bank''s entry; null where none is known.';
COMMENT ON COLUMN public.settlement.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN public.settlement.trace_number IS 'Number of the transfer (TRN02).';
COMMENT ON COLUMN public.settlement.direction IS 'credit: money came; debit: money went.';
COMMENT ON COLUMN public.settlement.expected IS 'What should be booked, in dollars.';
COMMENT ON COLUMN public.settlement.booked IS 'What the bank booked, in dollars.';
COMMENT ON COLUMN public.settlement.difference IS 'Booked less expected, in dollars.';
COMMENT ON COLUMN public.settlement.expected_on IS 'Day of the payment, or of the last of a payout.';
COMMENT ON COLUMN public.settlement.booked_on IS 'Day on which the bank booked it.';
"""  # noqa: S608 nothing in it comes from outside

SETTLEMENT = """
SELECT state, rule, kind, counterpart_id::text, entry_id::text, payer_id, trace_number, direction, expected, booked,
       difference, expected_on, booked_on,
       %(as_of)s::date - coalesce(expected_on, booked_on) AS age_days,
       CASE WHEN %(as_of)s::date - coalesce(expected_on, booked_on) <= 3 THEN '0-3'
            WHEN %(as_of)s::date - coalesce(expected_on, booked_on) <= 7 THEN '4-7'
            WHEN %(as_of)s::date - coalesce(expected_on, booked_on) <= 14 THEN '8-14'
            WHEN %(as_of)s::date - coalesce(expected_on, booked_on) <= 30 THEN '15-30'
            ELSE 'over 30' END AS age
FROM settlement
WHERE coalesce(expected_on, booked_on) <= %(as_of)s AND (NOT %(open)s OR state <> 'matched')
ORDER BY coalesce(expected_on, booked_on), payer_id NULLS LAST, settlement.counterpart_id, settlement.entry_id
"""

AGED = f"""
SELECT state, age, count(*) AS payments, sum(coalesce(expected, booked)) AS amount FROM ({SETTLEMENT}) aged
GROUP BY state, age ORDER BY state, min(age_days)
"""  # noqa: S608 nothing in it comes from outside


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    booked, reversed_ = "", ""
    for position, _, stream, _, event, _ in events:
        if isinstance(event, EntryReversed):
            reversed_ += f"{stream}\t{position}\t{event.on}\t{event.reason}\n"
        elif isinstance(event, EntryBooked):
            row = (stream, position, event.bank_account, event.on, event.direction, event.amount_cents)
            told = (_text(event.trace_number), _text(event.payer_id), event.payout or "\\N")
            booked += "\t".join(map(str, (*row, *told))) + "\n"
    copied = (("COPY bank_entries FROM STDIN", booked), ("COPY bank_reversals FROM STDIN", reversed_))
    return [Copy(sql, rows.encode()) for sql, rows in copied if rows]


def _text(text: str) -> str:
    """What came from outside; the reader lets no control character in."""
    return text.replace("\\", "\\\\")
