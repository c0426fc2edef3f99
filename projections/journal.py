"""The journal: every posting to the accounts of bills as it was booked, and what each claim left to the patient.

Balances and accumulators are sums over it. Rows are only ever added.
"""

from collections.abc import Sequence

from domain.account import BillAssessed
from projections.projection import Change, Copy, Projected, Read

NAME = "journal"
VERSION = 1
EVENTS = (BillAssessed,)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE journal (
    position bigint NOT NULL,
    number smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    bill_id uuid NOT NULL,
    claim_id uuid NOT NULL,
    day date NOT NULL,
    source text NOT NULL,
    destination text NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0),
    asset text NOT NULL,
    PRIMARY KEY (position, number)
);
CREATE INDEX journal_bill_idx ON journal (bill_id);
COMMENT ON TABLE journal IS 'Every posting, as it was booked: an amount moves from one account to another. Rows are only ever added.';
COMMENT ON COLUMN journal.position IS 'Position in the log of the event that booked it.';
COMMENT ON COLUMN journal.number IS 'Its place among the postings of that event, from 1.';
COMMENT ON COLUMN journal.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN journal.bill_id IS 'The provider''s bill whose account it is.';
COMMENT ON COLUMN journal.claim_id IS 'The claim whose word it follows from.';
COMMENT ON COLUMN journal.day IS 'The payer''s day of that word.';
COMMENT ON COLUMN journal.source IS 'Account that the amount leaves: docs/accounts.md.';
COMMENT ON COLUMN journal.destination IS 'Account to which it goes.';
COMMENT ON COLUMN journal.cents IS 'The amount, in cents; positive.';
COMMENT ON COLUMN journal.asset IS 'What is counted: USD.';
CREATE TABLE shares (
    claim_id uuid NOT NULL,
    position bigint NOT NULL,
    day date NOT NULL,
    deductible_cents bigint NOT NULL,
    coinsurance_cents bigint NOT NULL,
    copayment_cents bigint NOT NULL,
    other_cents bigint NOT NULL,
    PRIMARY KEY (claim_id, position)
);
COMMENT ON TABLE shares IS 'What each claim leaves to the patient by its last word: a row whenever that changed; the last one holds.';
COMMENT ON COLUMN shares.claim_id IS 'The claim.';
COMMENT ON COLUMN shares.position IS 'Position in the log from which on it holds.';
COMMENT ON COLUMN shares.day IS 'The payer''s day of the word.';
COMMENT ON COLUMN shares.deductible_cents IS 'PR-1 and PR-66, in cents.';
COMMENT ON COLUMN shares.coinsurance_cents IS 'PR-2, in cents.';
COMMENT ON COLUMN shares.copayment_cents IS 'PR-3, in cents.';
COMMENT ON COLUMN shares.other_cents IS 'Every other PR, in cents: no cost share of the plan''s design.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.journal AS
SELECT position, number, recorded_at, bill_id, claim_id, day, source, destination,
       (cents / 100.0)::numeric(20, 2) AS amount, asset
FROM journal;
COMMENT ON VIEW public.journal IS 'Every posting, as it was booked. Amounts in dollars.';
COMMENT ON COLUMN public.journal.amount IS 'The amount, in dollars; positive.';
CREATE OR REPLACE VIEW public.entries AS
SELECT position, number, recorded_at, bill_id, claim_id, day, entry.account, entry.amount, asset
FROM journal CROSS JOIN LATERAL (
    VALUES (source, -(cents / 100.0)::numeric(20, 2)), (destination, (cents / 100.0)::numeric(20, 2))
) AS entry (account, amount);
COMMENT ON VIEW public.entries IS 'Every posting from both sides: what it takes from one account and adds to another. All of them sum to zero. Amounts in dollars.';
COMMENT ON COLUMN public.entries.position IS 'Position in the log of the event that booked it.';
COMMENT ON COLUMN public.entries.number IS 'Its place among the postings of that event, from 1.';
COMMENT ON COLUMN public.entries.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN public.entries.bill_id IS 'The provider''s bill whose account it is.';
COMMENT ON COLUMN public.entries.claim_id IS 'The claim whose word it follows from.';
COMMENT ON COLUMN public.entries.day IS 'The payer''s day of that word.';
COMMENT ON COLUMN public.entries.asset IS 'What is counted: USD.';
COMMENT ON COLUMN public.entries.account IS 'The account: docs/accounts.md.';
COMMENT ON COLUMN public.entries.amount IS 'What is added to it, in dollars; negative where it is taken.';
CREATE OR REPLACE VIEW public.balances AS
SELECT bill_id, account, sum(amount)::numeric(20, 2) AS balance, asset
FROM public.entries GROUP BY bill_id, account, asset;
COMMENT ON VIEW public.balances IS 'Balance of each account of each bill by now, in dollars.';
COMMENT ON COLUMN public.balances.bill_id IS 'The provider''s bill whose account it is.';
COMMENT ON COLUMN public.balances.asset IS 'What is counted: USD.';
COMMENT ON COLUMN public.balances.account IS 'The account: docs/accounts.md.';
COMMENT ON COLUMN public.balances.balance IS 'What stands on it, in dollars.';
CREATE OR REPLACE VIEW public.shares AS
SELECT claim_id, position, day, (deductible_cents / 100.0)::numeric(20, 2) AS deductible,
       (coinsurance_cents / 100.0)::numeric(20, 2) AS coinsurance, (copayment_cents / 100.0)::numeric(20, 2) AS copayment,
       (other_cents / 100.0)::numeric(20, 2) AS other
FROM shares;
COMMENT ON VIEW public.shares IS 'What each claim leaves to the patient by its last word, whenever that changed; the last row of a claim holds. Amounts in dollars.';
COMMENT ON COLUMN public.shares.deductible IS 'PR-1 and PR-66.';
COMMENT ON COLUMN public.shares.coinsurance IS 'PR-2.';
COMMENT ON COLUMN public.shares.copayment IS 'PR-3.';
COMMENT ON COLUMN public.shares.other IS 'Every other PR: no cost share of the plan''s design.';
"""

COPY_POSTINGS = "COPY journal FROM STDIN"
COPY_SHARES = "COPY shares FROM STDIN"
"""All columns, in the table's order"""


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    postings: list[str] = []
    shares: list[str] = []
    for position, recorded_at, bill_id, _, event, _ in events:
        assert isinstance(event, BillAssessed)
        for number, posting in enumerate(event.postings, 1):
            booked = f"{bill_id}\t{event.claim}\t{event.day}\t{posting.source}\t{posting.destination}"
            postings.append(f"{position}\t{number}\t{recorded_at}\t{booked}\t{posting.cents}\t{posting.asset}\n")
        share = event.word.share
        kinds = f"{share.deductible}\t{share.coinsurance}\t{share.copayment}\t{share.other}"
        shares.append(f"{event.claim}\t{position}\t{event.day}\t{kinds}\n")
    return [
        Copy(sql, "".join(rows).encode()) for sql, rows in ((COPY_POSTINGS, postings), (COPY_SHARES, shares)) if rows
    ]
