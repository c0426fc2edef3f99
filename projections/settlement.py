"""Settlement: what banks booked, and with which remittance or payout of members' payments each entry is matched.

The match is a view over all that is known: an entry may come before or after what it settles. Rules are tried in the
order of one list, each over what the ones before it left; by one rule as many find each other as can.
"""

from collections.abc import Sequence
from typing import NamedTuple

from domain.settlement import EntryBooked, EntryReversed
from projections.projection import Change, Copy, Projected, Read

NAME = "settlement"
VERSION = 2
EVENTS = (EntryBooked, EntryReversed)
OPENS_PERSONAL = False


class Rule(NamedTuple):
    name: str
    state: str
    """matched or partly"""
    meaning: str
    equal: tuple[str, ...]
    """Columns of entry and counterpart that have to be there and agree; the direction does by every rule"""
    entries: str = "true"
    """For which entries it is, in SQL"""
    business_days: int | None = None
    """How far the days may be apart, where that matters"""


NEAR = 3
"""Business days that transfer and remittance may be apart (CAQH CORE 370)"""

RULES = (
    Rule("payout", "matched", "the processor's reference, and the amount", ("payout_id", "amount")),
    Rule("trace_payer_amount", "matched", "trace number, payer and amount", ("trace_number", "payer_id", "amount")),
    Rule(
        "trace_amount",
        "matched",
        "trace number and amount, where the bank names no payer",
        ("trace_number", "amount"),
        "payer_id IS NULL",
    ),
    Rule("payout_differs", "partly", "the processor's reference, but another amount", ("payout_id",)),
    Rule("payer_differs", "partly", "trace number and amount, but another payer", ("trace_number", "amount")),
    Rule("amount_differs", "partly", "trace number and payer, but another amount", ("trace_number", "payer_id")),
    Rule(
        "trace_only",
        "partly",
        "trace number, but another amount, where the bank names no payer",
        ("trace_number",),
        "payer_id IS NULL",
    ),
    Rule(
        "payer_amount_days",
        "partly",
        f"payer and amount, within {NEAR} business days, where the bank names no number: to be looked at",
        ("payer_id", "amount"),
        "trace_number IS NULL AND payout_id IS NULL",
        NEAR,
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
    payout_id uuid,
    bank_reference text NOT NULL,
    payout_reference text NOT NULL
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
COMMENT ON COLUMN bank_entries.bank_reference IS 'The bank''s own id of the entry.';
COMMENT ON COLUMN bank_entries.payout_reference IS 'The payment processor''s own reference of the payout, where the bank tells it.';
CREATE TABLE bank_reversals (
    entry_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    bank_account text NOT NULL,
    day date NOT NULL,
    reason text NOT NULL,
    bank_reference text NOT NULL
);
COMMENT ON TABLE bank_reversals IS 'Entries that banks took back. Rows are only ever added.';
COMMENT ON COLUMN bank_reversals.entry_id IS 'The entry, which need not be known.';
COMMENT ON COLUMN bank_reversals.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN bank_reversals.bank_account IS 'The plan''s own name of the account.';
COMMENT ON COLUMN bank_reversals.day IS 'Day on which it was taken back.';
COMMENT ON COLUMN bank_reversals.reason IS 'Why, in the bank''s own code.';
COMMENT ON COLUMN bank_reversals.bank_reference IS 'The bank''s own id of the entry.';
"""

# Both walked from the oldest day on: two that are near enough are a pair; else the older one has no partner any more, for
# all that follow are farther away. So none could be paired more than here.
PAIRS_WITHIN = """
CREATE OR REPLACE FUNCTION public.pairs_within(entries integer[], counterparts integer[], days integer)
RETURNS TABLE (entry integer, counterpart integer) LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    entry := 1;
    counterpart := 1;
    WHILE entry <= cardinality(entries) AND counterpart <= cardinality(counterparts) LOOP
        IF days IS NULL OR abs(entries[entry] - counterparts[counterpart]) <= days THEN
            RETURN NEXT;
            entry := entry + 1;
            counterpart := counterpart + 1;
        ELSIF entries[entry] < counterparts[counterpart] THEN
            entry := entry + 1;
        ELSE
            counterpart := counterpart + 1;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION public.pairs_within IS 'As many pairs as there can be of two ascending lists of days, no day twice and none farther apart than so many days, as places from 1. Null: however far apart.';
"""

# A payment of nothing waits for no entry.
SIDES = """
WITH entry_1 AS MATERIALIZED (
    SELECT entry_id AS id, direction, nullif(trace_number, '') AS trace_number, nullif(payer_id, '') AS payer_id, payout_id,
           amount, coalesce(day, reversed_on) AS day, ordinal, bank_account, bank_reference, payout_reference,
           CASE WHEN reversed_on <= {until} THEN reversed_on END AS reversed_on
    FROM public.bank_entries LEFT JOIN public.business_day USING (day)
    WHERE coalesce(day, reversed_on) <= {until} AND (day IS NULL OR reversed_on IS NULL OR reversed_on > {until})
), counterpart_1 AS MATERIALIZED (
    SELECT paid.*, ordinal FROM (
        SELECT 'remittance' AS kind, remittance_id AS id, 'debit' AS direction, nullif(trace_number, '') AS trace_number,
               payer_id, NULL::uuid AS payout_id, total AS amount, paid_on AS day
        FROM public.remittances WHERE total > 0 AND method <> 'NON' AND paid_on <= {until}
        UNION ALL
        SELECT 'payout', payout_id, 'credit', NULL, payer_id, payout_id,
               (sum((fact ->> 4)::bigint) / 100.0)::numeric(20, 2), max(day)
        FROM public.payment_history WHERE said = 'posted' AND payout_id IS NOT NULL AND day <= {until}
        GROUP BY payout_id, payer_id
    ) paid LEFT JOIN public.business_day USING (day)
)"""

BY_RULE = """, pair_{n} AS MATERIALIZED (
    SELECT entries.ids[pair.entry] AS entry_id, counterparts.ids[pair.counterpart] AS counterpart_id
    FROM (SELECT direction, {equal}, array_agg(id ORDER BY day, id) AS ids, array_agg(ordinal ORDER BY day, id) AS days
          FROM entry_{n} WHERE {entries} GROUP BY direction, {equal}) entries
    JOIN (SELECT direction, {equal}, array_agg(id ORDER BY day, id) AS ids, array_agg(ordinal ORDER BY day, id) AS days
          FROM counterpart_{n} GROUP BY direction, {equal}) counterparts USING (direction, {equal})
    CROSS JOIN public.pairs_within(entries.days, counterparts.days, {days}) pair
), entry_{next} AS MATERIALIZED (
    SELECT * FROM entry_{n} WHERE NOT EXISTS (SELECT FROM pair_{n} WHERE entry_id = id)
), counterpart_{next} AS MATERIALIZED (
    SELECT * FROM counterpart_{n} WHERE NOT EXISTS (SELECT FROM pair_{n} WHERE counterpart_id = id)
)"""

STANDS = """
SELECT coalesce(pair.state, 'unmatched') AS state, pair.rule, counterpart.kind, counterpart.id AS counterpart_id,
       entry.id AS entry_id, coalesce(counterpart.payer_id, entry.payer_id) AS payer_id,
       coalesce(counterpart.trace_number, entry.trace_number) AS trace_number,
       coalesce(counterpart.direction, entry.direction) AS direction, counterpart.amount AS expected, entry.amount AS booked,
       (coalesce(entry.amount, 0) - coalesce(counterpart.amount, 0))::numeric(20, 2) AS difference,
       counterpart.day AS expected_on, CASE WHEN entry.amount IS NOT NULL THEN entry.day END AS booked_on,
       entry.reversed_on, entry.bank_account, entry.bank_reference, entry.payout_reference
FROM ({pairs}) pair
FULL JOIN counterpart_1 counterpart ON counterpart.id = pair.counterpart_id
FULL JOIN entry_1 entry ON entry.id = pair.entry_id"""


def _settlement(until: str) -> str:
    """The query for how it stands by all that happened up to a day, which is SQL. The rules' texts are ours."""
    matching = "".join(
        BY_RULE.format(
            n=n,
            next=n + 1,
            equal=", ".join(rule.equal),
            entries=rule.entries,
            days="NULL" if rule.business_days is None else rule.business_days,
        )
        for n, rule in enumerate(RULES, 1)
    )
    pairs = " UNION ALL ".join(
        f"SELECT *, '{rule.name}' AS rule, '{rule.state}' AS state FROM pair_{n}"  # noqa: S608 names are ours
        for n, rule in enumerate(RULES, 1)
    )
    return SIDES.format(until=until) + matching + STANDS.format(pairs=pairs)


VIEWS = f"""
CREATE OR REPLACE VIEW public.bank_entries AS
SELECT entry_id, coalesce(booked.position, reversed.position) AS position,
       coalesce(booked.bank_account, reversed.bank_account) AS bank_account, booked.day, direction,
       (cents / 100.0)::numeric(20, 2) AS amount, trace_number, payer_id, payout_id, reversed.day AS reversed_on, reversed.reason,
       coalesce(booked.bank_reference, reversed.bank_reference) AS bank_reference, payout_reference
FROM bank_entries booked FULL JOIN bank_reversals reversed USING (entry_id);
COMMENT ON VIEW public.bank_entries IS 'What banks booked, and what of it they took back. Amounts in dollars.';
COMMENT ON COLUMN public.bank_entries.entry_id IS 'The entry''s stream in the log.';
COMMENT ON COLUMN public.bank_entries.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN public.bank_entries.bank_account IS 'The plan''s own name of the account.';
COMMENT ON COLUMN public.bank_entries.day IS 'Day on which it was booked; null while only its reversal is known.';
COMMENT ON COLUMN public.bank_entries.direction IS 'credit: money came; debit: money went.';
COMMENT ON COLUMN public.bank_entries.amount IS 'The amount, in dollars; positive.';
COMMENT ON COLUMN public.bank_entries.trace_number IS 'Number of the transfer (TRN02), where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.payer_id IS 'The payer''s own number, where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.payout_id IS 'Stands for payer and payout of a payment processor, where the bank tells it.';
COMMENT ON COLUMN public.bank_entries.reversed_on IS 'Day on which the bank took it back, if it did.';
COMMENT ON COLUMN public.bank_entries.reason IS 'Why, in the bank''s own code.';
COMMENT ON COLUMN public.bank_entries.bank_reference IS 'The bank''s own id of the entry.';
COMMENT ON COLUMN public.bank_entries.payout_reference IS 'The payment processor''s own reference of the payout, where the bank tells it.';
{PAIRS_WITHIN}
CREATE OR REPLACE VIEW public.settlement AS
{_settlement("'infinity'::date")};
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
COMMENT ON COLUMN public.settlement.reversed_on IS 'Of an entry of which only the reversal is known: the day on which the bank took it back.';
COMMENT ON COLUMN public.settlement.bank_account IS 'The plan''s own name of the account.';
COMMENT ON COLUMN public.settlement.bank_reference IS 'The bank''s own id of the entry.';
COMMENT ON COLUMN public.settlement.payout_reference IS 'The payment processor''s own reference of the payout, where the bank tells it.';
"""  # noqa: S608 nothing in it comes from outside

BUCKETS = ((3, "0-3"), (7, "4-7"), (14, "8-14"), (30, "15-30"))
"""Ages in days: up to how many, and what it is called"""
OVER = "over 30"

SETTLEMENT = f"""
SELECT state, rule, kind, counterpart_id::text, entry_id::text, payer_id, trace_number, direction, expected, booked,
       difference, expected_on, booked_on, reversed_on, bank_account, bank_reference, payout_reference, age_days,
       CASE {" ".join(f"WHEN age_days <= {days} THEN '{name}'" for days, name in BUCKETS)} ELSE '{OVER}' END AS age
FROM (
    SELECT *, coalesce(expected_on, booked_on, reversed_on) AS since,
           %(as_of)s::date - coalesce(expected_on, booked_on, reversed_on) AS age_days
    FROM ({_settlement("%(as_of)s::date")}) stands
) aged
WHERE NOT %(open)s OR state <> 'matched'
ORDER BY since, payer_id NULLS LAST, counterpart_id, entry_id
"""  # noqa: S608 nothing in it comes from outside

AGED = f"""
SELECT state, age, count(*) AS payments, coalesce(sum(coalesce(expected, booked)), 0) AS amount FROM ({SETTLEMENT}) aged
GROUP BY state, age ORDER BY state, min(age_days)
"""  # noqa: S608 nothing in it comes from outside


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    booked, reversed_ = "", ""
    for position, _, stream, _, event, _ in events:
        if isinstance(event, EntryReversed):
            row = (stream, position, event.bank_account, event.on, event.reason, _text(event.entry_id))
            reversed_ += "\t".join(map(str, row)) + "\n"
        elif isinstance(event, EntryBooked):
            what = (stream, position, event.bank_account, event.on, event.direction, event.amount_cents)
            numbers = (_text(event.trace_number), _text(event.payer_id), event.payout or "\\N")
            references = (_text(event.entry_id), _text(event.payout_reference))
            booked += "\t".join(map(str, (*what, *numbers, *references))) + "\n"
    copied = (("COPY bank_entries FROM STDIN", booked), ("COPY bank_reversals FROM STDIN", reversed_))
    return [Copy(sql, rows.encode()) for sql, rows in copied if rows]


def _text(text: str) -> str:
    """What came from outside; the reader lets no control character in."""
    return text.replace("\\", "\\\\")
