"""The journal: every posting as it was booked, and what each claim left to the patient.

Balances and accumulators are sums over it. Rows are only ever added.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from domain.account import BalanceOpened, BillAssessed, BillWrittenOff, DisputeOpened, DisputeResolved, PaymentApplied
from domain.facts import Event, StreamId
from domain.payment import (
    ChargebackReversed,
    PaymentAllocated,
    PaymentChargedBack,
    PaymentPosted,
    PaymentRefunded,
    PaymentReturned,
)
from domain.premium import PremiumInvoiced, PremiumInvoiceVoided, PremiumPaid, PremiumPaymentReturned
from projections.projection import Change, Copy, Projected, Read

NAME = "journal"
VERSION = 2


class _Booked(NamedTuple):
    """Of one event with postings: what happened when, and to what it belongs."""

    what: str
    day: date
    bill: StreamId | None = None
    claim: StreamId | None = None
    payment: StreamId | None = None
    contract: StreamId | None = None


_BOOKED: dict[type[Event], Callable[[StreamId, Any], _Booked]] = {
    BillAssessed: lambda stream, event: _Booked("assessed", event.day, stream, claim=event.claim),
    BalanceOpened: lambda stream, event: _Booked("taken over", event.day, stream),
    PaymentApplied: lambda stream, event: _Booked("payment applied", event.day, stream, payment=event.payment),
    BillWrittenOff: lambda stream, event: _Booked(f"waived: {event.reason}", event.day, stream),
    DisputeOpened: lambda stream, event: _Booked(f"disputed: {event.reason}", event.day, stream),
    DisputeResolved: lambda stream, event: _Booked(f"decided {event.resolution}", event.day, stream),
    PaymentPosted: lambda stream, event: _Booked("payment posted", event.on, payment=stream),
    PaymentReturned: lambda stream, event: _Booked("payment returned", event.on, payment=stream),
    PaymentRefunded: lambda stream, event: _Booked("refunded", event.on, payment=stream),
    PaymentChargedBack: lambda stream, event: _Booked("charged back", event.on, payment=stream),
    ChargebackReversed: lambda stream, event: _Booked("chargeback reversed", event.on, payment=stream),
    PaymentAllocated: lambda stream, event: _Booked("credit applied", event.on, payment=stream),
    PremiumInvoiced: lambda stream, event: _Booked("premium invoiced", event.on, contract=stream),
    PremiumInvoiceVoided: lambda stream, event: _Booked("premium invoice voided", event.on, contract=stream),
    PremiumPaid: lambda stream, event: _Booked("premium paid", event.on, contract=stream),
    PremiumPaymentReturned: lambda stream, event: _Booked("premium returned", event.on, contract=stream),
}
EVENTS = tuple(_BOOKED)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE journal (
    position bigint NOT NULL,
    number smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    bill_id uuid,
    claim_id uuid,
    payment_id uuid,
    contract_id uuid,
    what text NOT NULL,
    day date NOT NULL,
    source text NOT NULL,
    destination text NOT NULL,
    cents bigint NOT NULL CHECK (cents > 0),
    asset text NOT NULL,
    PRIMARY KEY (position, number)
);
CREATE INDEX journal_bill_idx ON journal (bill_id) WHERE bill_id IS NOT NULL;
CREATE INDEX journal_payment_idx ON journal (payment_id) WHERE payment_id IS NOT NULL;
COMMENT ON TABLE journal IS 'Every posting, as it was booked: an amount moves from one account to another. Rows are only ever added.';
COMMENT ON COLUMN journal.position IS 'Position in the log of the event that booked it.';
COMMENT ON COLUMN journal.number IS 'Its place among the postings of that event, from 1.';
COMMENT ON COLUMN journal.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN journal.bill_id IS 'The provider''s bill whose account it is, if any.';
COMMENT ON COLUMN journal.claim_id IS 'The claim whose word it follows from, if any.';
COMMENT ON COLUMN journal.payment_id IS 'The member''s payment that it moves, if any.';
COMMENT ON COLUMN journal.contract_id IS 'The contract whose premium it is, if any.';
COMMENT ON COLUMN journal.what IS 'What happened.';
COMMENT ON COLUMN journal.day IS 'The day of it: of a claim''s word the payer''s.';
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
CREATE TABLE openings (
    bill_id uuid PRIMARY KEY,
    position bigint NOT NULL,
    account_id uuid NOT NULL,
    day date NOT NULL
);
CREATE INDEX openings_account_idx ON openings (account_id);
COMMENT ON TABLE openings IS 'Bills of which something was owed in the books that this ledger took over. Rows are only ever added.';
COMMENT ON COLUMN openings.bill_id IS 'The bill.';
COMMENT ON COLUMN openings.position IS 'Position in the log of the event that took it over.';
COMMENT ON COLUMN openings.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN openings.day IS 'Day of the service.';
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
       (cents / 100.0)::numeric(20, 2) AS amount, asset, payment_id, contract_id, what
FROM journal;
COMMENT ON VIEW public.journal IS 'Every posting, as it was booked. Amounts in dollars.';
COMMENT ON COLUMN public.journal.amount IS 'The amount, in dollars; positive.';
CREATE OR REPLACE VIEW public.entries AS
SELECT position, number, recorded_at, bill_id, claim_id, day, entry.account, entry.amount, asset, payment_id,
       contract_id, what
FROM journal CROSS JOIN LATERAL (
    VALUES (source, -(cents / 100.0)::numeric(20, 2)), (destination, (cents / 100.0)::numeric(20, 2))
) AS entry (account, amount);
COMMENT ON VIEW public.entries IS 'Every posting from both sides: what it takes from one account and adds to another. All of them sum to zero. Amounts in dollars.';
COMMENT ON COLUMN public.entries.position IS 'Position in the log of the event that booked it.';
COMMENT ON COLUMN public.entries.number IS 'Its place among the postings of that event, from 1.';
COMMENT ON COLUMN public.entries.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN public.entries.bill_id IS 'The provider''s bill whose account it is, if any.';
COMMENT ON COLUMN public.entries.claim_id IS 'The claim whose word it follows from, if any.';
COMMENT ON COLUMN public.entries.payment_id IS 'The member''s payment that it moves, if any.';
COMMENT ON COLUMN public.entries.contract_id IS 'The contract whose premium it is, if any.';
COMMENT ON COLUMN public.entries.what IS 'What happened.';
COMMENT ON COLUMN public.entries.day IS 'The day of it: of a claim''s word the payer''s.';
COMMENT ON COLUMN public.entries.asset IS 'What is counted: USD.';
COMMENT ON COLUMN public.entries.account IS 'The account: docs/accounts.md.';
COMMENT ON COLUMN public.entries.amount IS 'What is added to it, in dollars; negative where it is taken.';
CREATE OR REPLACE VIEW public.balances AS
SELECT bill_id, account, sum(amount)::numeric(20, 2) AS balance, asset
FROM public.entries WHERE bill_id IS NOT NULL GROUP BY bill_id, account, asset;
COMMENT ON VIEW public.balances IS 'Balance of each account of each bill by now, in dollars.';
COMMENT ON COLUMN public.balances.bill_id IS 'The provider''s bill whose account it is.';
COMMENT ON COLUMN public.balances.asset IS 'What is counted: USD.';
COMMENT ON COLUMN public.balances.account IS 'The account: docs/accounts.md.';
COMMENT ON COLUMN public.balances.balance IS 'What stands on it, in dollars.';
CREATE OR REPLACE VIEW public.openings AS SELECT bill_id, position, account_id, day FROM openings;
COMMENT ON VIEW public.openings IS 'Bills of which something was owed in the books that this ledger took over.';
COMMENT ON COLUMN public.openings.bill_id IS 'The bill.';
COMMENT ON COLUMN public.openings.position IS 'Position in the log of the event that took it over.';
COMMENT ON COLUMN public.openings.account_id IS 'The account of the member''s number, as an opaque id.';
COMMENT ON COLUMN public.openings.day IS 'Day of the service.';
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
COPY_OPENINGS = "COPY openings FROM STDIN"
"""All columns, in the table's order"""


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    postings: list[str] = []
    shares: list[str] = []
    openings: list[str] = []
    for position, recorded_at, stream, _, event, _ in events:
        what, day, *subjects = _BOOKED[type(event)](stream, event)
        subject = "\t".join([*(each or NULL for each in subjects), what, day.isoformat()])
        for number, posting in enumerate(event.postings, 1):  # type: ignore[attr-defined] # EVENTS
            moved = f"{posting.source}\t{posting.destination}\t{posting.cents}\t{posting.asset}"
            postings.append(f"{position}\t{number}\t{recorded_at}\t{subject}\t{moved}\n")
        if isinstance(event, BalanceOpened):
            openings.append(f"{stream}\t{position}\t{event.account}\t{day}\n")
        if isinstance(event, BillAssessed):
            share = event.word.share
            kinds = f"{share.deductible}\t{share.coinsurance}\t{share.copayment}\t{share.other}"
            shares.append(f"{event.claim}\t{position}\t{event.day}\t{kinds}\n")
    return [
        Copy(sql, "".join(rows).encode())
        for sql, rows in ((COPY_POSTINGS, postings), (COPY_SHARES, shares), (COPY_OPENINGS, openings))
        if rows
    ]


NULL = "\\N"
