"""Premiums: everything that plans said of contracts, and what is open of each invoice.

Rows of facts are only ever added, so where a contract stood on any day, as known at any position, follows from some of
them (domain/premium.py). Holds nothing personal: opaque ids stand for contracts, invoices and payments.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.money import ZERO
from domain.premium import Contract, Kind, PremiumEvent, Said, premiums, said_by
from projections.projection import Change, Projected, Read, Statement

NAME = "premiums"
VERSION = 1
EVENTS = PremiumEvent.__args__
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE premium_facts (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    contract_id uuid NOT NULL,
    account_id uuid NOT NULL,
    payer_id text NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    invoice_id uuid,
    payment_id uuid,
    cents bigint NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    folded text NOT NULL
);
CREATE INDEX premium_facts_contract_idx ON premium_facts (contract_id);
CREATE INDEX premium_facts_account_idx ON premium_facts (account_id);
CREATE INDEX premium_facts_payer_idx ON premium_facts (payer_id);
CREATE INDEX premium_facts_payment_idx ON premium_facts (payment_id);
COMMENT ON TABLE premium_facts IS 'What plans said of contracts and their premiums. Rows are only ever added.';
COMMENT ON COLUMN premium_facts.position IS 'Position in the log of the event that says it.';
COMMENT ON COLUMN premium_facts.recorded_at IS 'When the ledger recorded that event.';
COMMENT ON COLUMN premium_facts.contract_id IS 'The contract''s stream in the log. Stands for payer and the number of the contract, which is personal.';
COMMENT ON COLUMN premium_facts.account_id IS 'The account of the member that it names.';
COMMENT ON COLUMN premium_facts.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN premium_facts.kind IS 'invoiced, invoice_voided, paid, payment_returned, lapsed or reinstated.';
COMMENT ON COLUMN premium_facts.day IS 'The plan''s day of it.';
COMMENT ON COLUMN premium_facts.invoice_id IS 'The invoice; of a payment the one that it names.';
COMMENT ON COLUMN premium_facts.payment_id IS 'The payment that came in or went back.';
COMMENT ON COLUMN premium_facts.cents IS 'Of an invoice or a payment, in cents; else zero.';
COMMENT ON COLUMN premium_facts.reason IS 'Why, in the plan''s own code.';
COMMENT ON COLUMN premium_facts.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN premium_facts.folded IS 'The same as JSON, as the ledger reads it again.';
CREATE TABLE premium_invoices (
    invoice_id uuid PRIMARY KEY,
    contract_id uuid NOT NULL,
    payer_id text NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    due_on date NOT NULL,
    grace_until date,
    cents bigint NOT NULL,
    open_cents bigint NOT NULL,
    is_voided boolean NOT NULL
);
CREATE INDEX premium_invoices_contract_idx ON premium_invoices (contract_id);
COMMENT ON TABLE premium_invoices IS 'Premiums that were asked for, and what is open of them.';
COMMENT ON COLUMN premium_invoices.invoice_id IS 'The invoice.';
COMMENT ON COLUMN premium_invoices.contract_id IS 'The contract that it belongs to.';
COMMENT ON COLUMN premium_invoices.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN premium_invoices.period_from IS 'First day of the coverage that it is for.';
COMMENT ON COLUMN premium_invoices.period_to IS 'Last day of it.';
COMMENT ON COLUMN premium_invoices.due_on IS 'Day by which it is to be paid.';
COMMENT ON COLUMN premium_invoices.grace_until IS 'Last day of its grace, where it has any.';
COMMENT ON COLUMN premium_invoices.cents IS 'What is asked for, in cents.';
COMMENT ON COLUMN premium_invoices.open_cents IS 'What is left to pay by all that is recorded, whatever its day.';
COMMENT ON COLUMN premium_invoices.is_voided IS 'It was cancelled, as if never made: nothing of it is open.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.premium_facts AS
SELECT position, recorded_at, contract_id, account_id, payer_id, kind, day, invoice_id, payment_id,
       (cents / 100.0)::numeric(20, 2) AS amount, reason, source, folded
FROM premium_facts;
COMMENT ON VIEW public.premium_facts IS 'What plans said of contracts and their premiums, each with its day and its position in the log. Amounts in dollars.';
COMMENT ON COLUMN public.premium_facts.amount IS 'Of an invoice or a payment; else zero.';
CREATE OR REPLACE VIEW public.premium_invoices AS
SELECT invoice_id, contract_id, payer_id, period_from, period_to, due_on, grace_until,
       (cents / 100.0)::numeric(20, 2) AS amount, (open_cents / 100.0)::numeric(20, 2) AS open, is_voided
FROM premium_invoices;
COMMENT ON VIEW public.premium_invoices IS 'Premiums that were asked for, and what is open of them by all that is recorded, whatever its day. Amounts in dollars.';
COMMENT ON COLUMN public.premium_invoices.amount IS 'What is asked for.';
COMMENT ON COLUMN public.premium_invoices.open IS 'What is left to pay.';
CREATE OR REPLACE VIEW public.premium_payments AS
SELECT paid.payment_id, paid.contract_id, paid.payer_id, paid.day AS paid_on, (paid.cents / 100.0)::numeric(20, 2) AS amount,
       paid.invoice_id, returned.day AS returned_on, returned.reason
FROM premium_facts paid
LEFT JOIN premium_facts returned ON returned.payment_id = paid.payment_id AND returned.kind = 'payment_returned'
WHERE paid.kind = 'paid';
COMMENT ON VIEW public.premium_payments IS 'Payments of premiums, and which of them went back. Amounts in dollars.';
COMMENT ON COLUMN public.premium_payments.payment_id IS 'The payment.';
COMMENT ON COLUMN public.premium_payments.contract_id IS 'The contract that it is for.';
COMMENT ON COLUMN public.premium_payments.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN public.premium_payments.paid_on IS 'Day on which it came in.';
COMMENT ON COLUMN public.premium_payments.amount IS 'What came in.';
COMMENT ON COLUMN public.premium_payments.invoice_id IS 'The invoice that it names, where it names one.';
COMMENT ON COLUMN public.premium_payments.returned_on IS 'Day on which all of it went back, where it did.';
COMMENT ON COLUMN public.premium_payments.reason IS 'Why it went back, in the plan''s own code.';
CREATE OR REPLACE VIEW public.premiums AS
SELECT contract_id, payer_id, billed, paid, billed - paid AS owed, open, open - (billed - paid) AS credit, lapsed_on, reinstated_on
FROM (
    SELECT contract_id, payer_id, max(day) FILTER (WHERE kind = 'lapsed') AS lapsed_on,
           max(day) FILTER (WHERE kind = 'reinstated') AS reinstated_on
    FROM premium_facts GROUP BY contract_id, payer_id
) said CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0)::numeric(20, 2) AS billed, coalesce(sum(invoice.open), 0)::numeric(20, 2) AS open
    FROM public.premium_invoices invoice WHERE invoice.contract_id = said.contract_id AND NOT is_voided
) invoiced CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0)::numeric(20, 2) AS paid
    FROM public.premium_payments payment WHERE payment.contract_id = said.contract_id AND returned_on IS NULL
) received;
COMMENT ON VIEW public.premiums IS 'What each contract comes to by all that is recorded, whatever its day: owed = billed - paid = open - credit. Where it stands on a day, scripts/ledger premiums tells. Amounts in dollars.';
COMMENT ON COLUMN public.premiums.contract_id IS 'The contract.';
COMMENT ON COLUMN public.premiums.payer_id IS 'The plan''s own number.';
COMMENT ON COLUMN public.premiums.billed IS 'What its invoices ask for that are not voided.';
COMMENT ON COLUMN public.premiums.paid IS 'What came in and did not go back.';
COMMENT ON COLUMN public.premiums.owed IS 'What the member owes the plan; negative where more was paid than asked.';
COMMENT ON COLUMN public.premiums.open IS 'What is open of its invoices.';
COMMENT ON COLUMN public.premiums.credit IS 'What was paid beyond them; the next invoice takes it.';
COMMENT ON COLUMN public.premiums.lapsed_on IS 'The last day on which the plan said that coverage ended.';
COMMENT ON COLUMN public.premiums.reinstated_on IS 'The last day on which it said that coverage goes on after all.';
"""

INSERT = """
INSERT INTO premium_facts SELECT * FROM json_populate_recordset(NULL::premium_facts, %(rows)s::json)
"""

UPSERT = """
INSERT INTO premium_invoices SELECT * FROM json_populate_recordset(NULL::premium_invoices, %(rows)s::json)
ON CONFLICT (invoice_id) DO UPDATE SET open_cents = excluded.open_cents, is_voided = excluded.is_voided
"""

EARLIER = """
SELECT contract_id::text, folded
FROM premium_facts WHERE contract_id = ANY(string_to_array(%(contracts)s, ',')::uuid[]) ORDER BY position
"""

FACTS = """
SELECT contract_id::text, payer_id, position, folded FROM premium_facts
WHERE contract_id = ANY(ARRAY(SELECT contract_id FROM premium_facts WHERE account_id = ANY(%(accounts)s::uuid[])))
  AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
ORDER BY contract_id, position
"""
"""All that was said of the contracts of some accounts, as known at a position."""


class Row(msgspec.Struct, gc=False):
    position: int
    recorded_at: datetime
    contract_id: str
    account_id: str
    payer_id: str
    kind: Kind
    day: date
    invoice_id: str | None
    payment_id: str | None
    cents: int
    reason: str
    source: str
    folded: str


class InvoiceRow(msgspec.Struct, gc=False):
    invoice_id: str
    contract_id: str
    payer_id: str
    period_from: date | None
    period_to: date | None
    due_on: date | None
    grace_until: date | None
    cents: int
    open_cents: int
    is_voided: bool


_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Said).decode
"""Of `folded`"""


def fold(events: Sequence[Projected], read: Read) -> Sequence[Change]:
    contracts: dict[str, list[Said]] = {projected.stream: [] for projected in events}
    for contract_id, folded in read(EARLIER, {"contracts": ",".join(contracts)}):
        contracts[contract_id].append(decode(folded))
    rows, payers = list[Row](), dict[str, str]()
    for projected in events:
        event = projected.event
        assert isinstance(event, PremiumEvent)
        said = said_by(event)
        contracts[projected.stream].append(said)
        payers[projected.stream] = event.payer_id
        rows.append(_row(projected, event, said))
    invoices = [
        row
        for contract_id, told in contracts.items()
        for row in _invoices(contract_id, payers[contract_id], Contract(tuple(told)))
    ]
    return [Statement(sql, _encode(changed)) for sql, changed in ((INSERT, rows), (UPSERT, invoices)) if changed]


def _row(projected: Projected, event: PremiumEvent, said: Said) -> Row:
    return Row(
        position=projected.position,
        recorded_at=projected.recorded_at,
        contract_id=projected.stream,
        account_id=event.account,
        payer_id=event.payer_id,
        kind=said.kind,
        day=said.on,
        invoice_id=said.invoice,
        payment_id=said.payment,
        cents=said.amount_cents,
        reason=said.reason,
        source=event.source,
        folded=_encode(said).decode(),
    )


def _invoices(contract_id: str, payer_id: str, contract: Contract) -> list[InvoiceRow]:
    stand = {each.said.invoice: each.open_cents for each in premiums(contract, date.max).invoices}
    return [
        InvoiceRow(
            invoice_id=said.invoice or "",
            contract_id=contract_id,
            payer_id=payer_id,
            period_from=said.period_from,
            period_to=said.period_to,
            due_on=said.due_on,
            grace_until=said.grace_until,
            cents=said.amount_cents,
            open_cents=stand.get(said.invoice, ZERO),
            is_voided=said.invoice not in stand,
        )
        for said in contract.said
        if said.kind is Kind.INVOICED
    ]
