"""Payments: each remittance with what became of it, and what payers carry on from one remittance to the next.

Whatever adds up is a sum over rows, so any order of arrival ends in the same. Holds nothing personal: the references of
provider adjustments are often claim numbers, so an opaque id stands for each.
"""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.claim import ClaimAdjudicated, ClaimForwarded, ClaimPredetermined, ClaimReversed
from domain.remittance import ProviderAdjustment, RemittanceReceived
from projections.projection import Change, Projected, Read, Statement

NAME = "remittances"
VERSION = 1
EVENTS = (RemittanceReceived, ClaimAdjudicated, ClaimReversed, ClaimForwarded, ClaimPredetermined)
OPENS_PERSONAL = False

TABLES = """
CREATE TABLE remittances (
    remittance_id uuid PRIMARY KEY,
    payer_id text NOT NULL,
    payer text NOT NULL,
    payee_id text NOT NULL,
    payee text NOT NULL,
    trace_number text NOT NULL,
    paid_on date NOT NULL,
    produced_on date,
    total_cents bigint NOT NULL,
    adjusted_cents bigint NOT NULL,
    interest_cents bigint NOT NULL,
    method text NOT NULL,
    handling text NOT NULL,
    guide text NOT NULL,
    claims_stated integer NOT NULL,
    claims_paid_cents bigint NOT NULL,
    claim_ids uuid[] NOT NULL,
    source text NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX remittances_trace_number_idx ON remittances (trace_number);
COMMENT ON TABLE remittances IS 'Payments, one row each.';
COMMENT ON COLUMN remittances.remittance_id IS 'The remittance''s stream in the log.';
COMMENT ON COLUMN remittances.payer_id IS 'The payer''s own number (TRN03).';
COMMENT ON COLUMN remittances.payer IS 'What the payer calls itself in it.';
COMMENT ON COLUMN remittances.payee_id IS 'The provider that is paid: its NPI, else its tax number.';
COMMENT ON COLUMN remittances.payee IS 'What the payer calls the provider.';
COMMENT ON COLUMN remittances.trace_number IS 'Number of the check or transfer (TRN02).';
COMMENT ON COLUMN remittances.paid_on IS 'Day of the payment (BPR16).';
COMMENT ON COLUMN remittances.produced_on IS 'Day on which the payer made it (DTM*405), where it is stated.';
COMMENT ON COLUMN remittances.total_cents IS 'What was paid (BPR02), in cents.';
COMMENT ON COLUMN remittances.adjusted_cents IS 'Its provider adjustments (PLB) taken together, in cents; positive lowers the payment.';
COMMENT ON COLUMN remittances.interest_cents IS 'Interest in it (PLB L6), in cents; positive is paid to the provider.';
COMMENT ON COLUMN remittances.method IS 'How it was paid (BPR04): ACH, CHK, NON (no payment) ….';
COMMENT ON COLUMN remittances.handling IS 'What the bank was told to do (BPR01): I payment with remittance, H notification only ….';
COMMENT ON COLUMN remittances.guide IS 'Version of the guide by which it was written (GS08).';
COMMENT ON COLUMN remittances.claims_stated IS 'How many claims stand in it.';
COMMENT ON COLUMN remittances.claims_paid_cents IS 'What those of them pay that were posted, in cents.';
COMMENT ON COLUMN remittances.claim_ids IS 'The claims that were posted from it, in the order of the log; one stands twice where it was reversed and corrected.';
COMMENT ON COLUMN remittances.source IS 'Where it was read: topic, partition and offset, or the fingerprint of a file.';
COMMENT ON COLUMN remittances.position IS 'Position in the log of its receipt.';
COMMENT ON COLUMN remittances.recorded_at IS 'When the ledger recorded it.';
CREATE TABLE provider_adjustments (
    remittance_id uuid NOT NULL,
    number integer NOT NULL,
    payer_id text NOT NULL,
    payee_id text NOT NULL,
    paid_on date NOT NULL,
    provider_id text NOT NULL,
    fiscal_period_end date,
    reason text NOT NULL,
    cents bigint NOT NULL,
    balance_id uuid,
    PRIMARY KEY (remittance_id, number)
);
CREATE INDEX provider_adjustments_balance_idx ON provider_adjustments (balance_id) WHERE balance_id IS NOT NULL;
COMMENT ON TABLE provider_adjustments IS 'What remittances change of the provider''s account as a whole (PLB), a row for each amount.';
COMMENT ON COLUMN provider_adjustments.remittance_id IS 'The remittance that it stands in.';
COMMENT ON COLUMN provider_adjustments.number IS 'Its place in the remittance, from 1.';
COMMENT ON COLUMN provider_adjustments.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN provider_adjustments.payee_id IS 'The provider that is paid.';
COMMENT ON COLUMN provider_adjustments.paid_on IS 'Day of the payment.';
COMMENT ON COLUMN provider_adjustments.provider_id IS 'The provider whose account it is (PLB01).';
COMMENT ON COLUMN provider_adjustments.fiscal_period_end IS 'End of the provider''s fiscal year (PLB02).';
COMMENT ON COLUMN provider_adjustments.reason IS 'Why: WO overpayment recovery, FB forwarding balance, L6 interest owed ….';
COMMENT ON COLUMN provider_adjustments.cents IS 'Amount in cents; positive lowers the payment.';
COMMENT ON COLUMN provider_adjustments.balance_id IS 'Of WO and FB: what it carries on, the same in every remittance that moves it. Stands for the payer''s reference, which may be personal.';
"""

VIEWS = """
CREATE OR REPLACE VIEW public.provider_adjustments AS
SELECT remittance_id, number, payer_id, payee_id, paid_on, provider_id, fiscal_period_end, reason,
       (cents / 100.0)::numeric(20, 2) AS amount, balance_id
FROM provider_adjustments;
COMMENT ON VIEW public.provider_adjustments IS 'What remittances change of the provider''s account as a whole (PLB), a row for each amount, in dollars.';
COMMENT ON COLUMN public.provider_adjustments.amount IS 'In dollars; positive lowers the payment.';
CREATE OR REPLACE VIEW public.provider_balances AS
SELECT balance_id, payer_id, payee_id, reason,
       (coalesce(sum(-cents) FILTER (WHERE cents < 0), 0) / 100.0)::numeric(20, 2) AS opened,
       (coalesce(sum(cents) FILTER (WHERE cents > 0), 0) / 100.0)::numeric(20, 2) AS settled,
       (sum(-cents) / 100.0)::numeric(20, 2) AS outstanding,
       CASE sign(sum(-cents)) WHEN 0 THEN 'settled' WHEN 1 THEN 'open' ELSE 'waiting' END AS state,
       count(DISTINCT remittance_id) AS remittances, min(paid_on) AS first_on, max(paid_on) AS last_on,
       (array_agg(remittance_id ORDER BY paid_on, remittance_id))[1] AS first_remittance_id,
       (array_agg(remittance_id ORDER BY paid_on DESC, remittance_id DESC))[1] AS last_remittance_id
FROM provider_adjustments WHERE balance_id IS NOT NULL GROUP BY balance_id, payer_id, payee_id, reason;
COMMENT ON VIEW public.provider_balances IS 'What a payer could not take back from a provider at once, and takes from later remittances: each take-back (WO) and forwarding balance (FB), in dollars.';
COMMENT ON COLUMN public.provider_balances.balance_id IS 'Stands for payer, payee, reason and the payer''s reference.';
COMMENT ON COLUMN public.provider_balances.payer_id IS 'The payer''s own number.';
COMMENT ON COLUMN public.provider_balances.payee_id IS 'The provider that owes it.';
COMMENT ON COLUMN public.provider_balances.reason IS 'WO a take-back, FB a forwarding balance.';
COMMENT ON COLUMN public.provider_balances.opened IS 'What was put off: its negative amounts, negated.';
COMMENT ON COLUMN public.provider_balances.settled IS 'What was taken since: its positive amounts.';
COMMENT ON COLUMN public.provider_balances.outstanding IS 'What is still to be taken. Negative where more was taken than is known to have been put off.';
COMMENT ON COLUMN public.provider_balances.state IS 'open; settled; or waiting: it was settled before the remittance is known that opened it.';
COMMENT ON COLUMN public.provider_balances.remittances IS 'How many remittances moved it.';
COMMENT ON COLUMN public.provider_balances.first_on IS 'Day of the first of them.';
COMMENT ON COLUMN public.provider_balances.last_on IS 'Day of the last of them.';
COMMENT ON COLUMN public.provider_balances.first_remittance_id IS 'The first of them by day.';
COMMENT ON COLUMN public.provider_balances.last_remittance_id IS 'The last of them by day.';
CREATE OR REPLACE VIEW public.remittances AS
SELECT remittance_id, payer_id, payer, payee_id, payee, trace_number, paid_on, produced_on,
       (total_cents / 100.0)::numeric(20, 2) AS total, (claims_paid_cents / 100.0)::numeric(20, 2) AS claims_paid,
       (adjusted_cents / 100.0)::numeric(20, 2) AS adjusted,
       ((total_cents - claims_paid_cents + adjusted_cents) / 100.0)::numeric(20, 2) AS unposted,
       (interest_cents / 100.0)::numeric(20, 2) AS interest, claims_stated, cardinality(claim_ids) AS claims_posted,
       (coalesce(carried.moved_cents, 0) / 100.0)::numeric(20, 2) AS carried,
       (coalesce(carried.left_cents, 0) / 100.0)::numeric(20, 2) AS outstanding,
       CASE WHEN carried.waits THEN 'waiting' WHEN carried.left_cents > 0 THEN 'open'
            WHEN carried.moved_cents > 0 THEN 'settled' ELSE 'nothing_carried' END AS settlement,
       method, handling, guide, claim_ids, source, position, recorded_at
FROM remittances CROSS JOIN LATERAL (
    SELECT sum(own.opened_cents) AS moved_cents, bool_or(balance.cents < 0) AS waits,
           sum(greatest(0, least(own.opened_cents, balance.cents - balance.opened_later_cents))) AS left_cents
    FROM (
        SELECT balance_id, coalesce(sum(-cents) FILTER (WHERE cents < 0), 0) AS opened_cents
        FROM provider_adjustments moved
        WHERE moved.remittance_id = remittances.remittance_id AND balance_id IS NOT NULL GROUP BY balance_id
    ) own CROSS JOIN LATERAL (
        SELECT sum(-cents) AS cents,
               coalesce(sum(-cents) FILTER (WHERE cents < 0 AND (other.paid_on, other.remittance_id)
                                            > (remittances.paid_on, remittances.remittance_id)), 0) AS opened_later_cents
        FROM provider_adjustments other WHERE other.balance_id = own.balance_id
    ) balance
) carried;
COMMENT ON VIEW public.remittances IS 'Payments, with what they put off and whether that is settled. total = claims_paid - adjusted + unposted. Amounts in dollars.';
COMMENT ON COLUMN public.remittances.total IS 'What was paid (BPR02).';
COMMENT ON COLUMN public.remittances.claims_paid IS 'What its posted claims pay.';
COMMENT ON COLUMN public.remittances.adjusted IS 'Its provider adjustments (PLB) taken together; positive lowers the payment.';
COMMENT ON COLUMN public.remittances.unposted IS 'What those of its claims pay that are not posted: parked, waiting or given up.';
COMMENT ON COLUMN public.remittances.interest IS 'Interest in it (PLB L6); positive is paid to the provider.';
COMMENT ON COLUMN public.remittances.claims_posted IS 'How many of its claims were posted.';
COMMENT ON COLUMN public.remittances.carried IS 'What it put off into later remittances: its negative WO and FB amounts, negated.';
COMMENT ON COLUMN public.remittances.outstanding IS 'How much of that is still to be taken, where what was put off first is taken first.';
COMMENT ON COLUMN public.remittances.settlement IS 'open: some of what it put off is still to be taken. settled: all was taken. waiting: it moves a balance of which more was taken than is known to have been put off. nothing_carried: it put nothing off.';
"""

INSERT = """
INSERT INTO remittances SELECT * FROM json_populate_recordset(NULL::remittances, %(rows)s::json)
"""

ADJUST = """
INSERT INTO provider_adjustments SELECT * FROM json_populate_recordset(NULL::provider_adjustments, %(rows)s::json)
"""

# Claims that were posted in another batch than their remittance. Where that could not be read there is no row.
ADD = """
UPDATE remittances SET claims_paid_cents = claims_paid_cents + more.paid_cents,
                       claim_ids = remittances.claim_ids || more.claim_ids
FROM json_to_recordset(%(rows)s::json) AS more (remittance_id uuid, paid_cents bigint, claim_ids uuid[])
WHERE remittances.remittance_id = more.remittance_id
"""

INTEREST = "L6"


class Posted(msgspec.Struct, gc=False):
    """The claims of a remittance in a batch."""

    remittance_id: str
    paid_cents: int = 0
    claim_ids: list[str] = []


class Row(msgspec.Struct, gc=False):
    remittance_id: str
    payer_id: str
    payer: str
    payee_id: str
    payee: str
    trace_number: str
    paid_on: date
    produced_on: date | None
    total_cents: int
    adjusted_cents: int
    interest_cents: int
    method: str
    handling: str
    guide: str
    claims_stated: int
    claims_paid_cents: int
    claim_ids: list[str]
    source: str
    position: int
    recorded_at: datetime


class Adjusted(msgspec.Struct, gc=False):
    remittance_id: str
    number: int
    payer_id: str
    payee_id: str
    paid_on: date
    provider_id: str
    fiscal_period_end: date | None
    reason: str
    cents: int
    balance_id: str | None


_encode = msgspec.json.Encoder().encode


def fold(events: Sequence[Projected], _read: Read) -> Sequence[Change]:
    received: list[tuple[Projected, RemittanceReceived]] = []
    posted: dict[str, Posted] = {}
    for projected in events:
        event = projected.event
        if type(event) is RemittanceReceived:
            received.append((projected, event))
        elif (remittance_id := event.remittance) is not None:  # type: ignore[attr-defined] # EVENTS
            claims = posted.get(remittance_id)
            if claims is None:
                claims = posted[remittance_id] = Posted(remittance_id)
            claims.paid_cents += event.adjudication.paid_cents  # type: ignore[attr-defined]
            claims.claim_ids.append(projected.stream)
    rows = [_row(projected, event, posted.pop(projected.stream, None)) for projected, event in received]
    adjusted = [each for projected, event in received for each in _adjusted(projected, event)]
    return [
        Statement(sql, _encode(changed))
        for sql, changed in ((INSERT, rows), (ADJUST, adjusted), (ADD, list(posted.values())))
        if changed
    ]


def _row(projected: Projected, event: RemittanceReceived, posted: Posted | None) -> Row:
    adjustments = event.provider_adjustments
    return Row(
        remittance_id=projected.stream,
        payer_id=event.payer.payer_id,
        payer=event.payer.name,
        payee_id=event.payee.provider_id,
        payee=event.payee.name,
        trace_number=event.trace_number,
        paid_on=event.paid_on,
        produced_on=event.produced_on,
        total_cents=event.total_cents,
        adjusted_cents=_sum(adjustments),
        interest_cents=-_sum([each for each in adjustments if each.reason == INTEREST]),
        method=event.method,
        handling=event.handling,
        guide=event.guide,
        claims_stated=event.claim_count,
        claims_paid_cents=0 if posted is None else posted.paid_cents,
        claim_ids=[] if posted is None else posted.claim_ids,
        source=event.source,
        position=projected.position,
        recorded_at=projected.recorded_at,
    )


def _adjusted(projected: Projected, event: RemittanceReceived) -> list[Adjusted]:
    return [
        Adjusted(
            remittance_id=projected.stream,
            number=number,
            payer_id=event.payer.payer_id,
            payee_id=event.payee.provider_id,
            paid_on=event.paid_on,
            provider_id=each.provider_id,
            fiscal_period_end=each.fiscal_period_end,
            reason=each.reason,
            cents=each.cents,
            balance_id=each.balance,
        )
        for number, each in enumerate(event.provider_adjustments, 1)
    ]


def _sum(adjustments: Sequence[ProviderAdjustment]) -> int:
    return sum(each.cents for each in adjustments)
