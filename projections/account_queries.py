"""Questions about accounts: as they stand now, as of a day, or as they were known at a position of the log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from domain.accumulators import Accumulated, Counted, Told, accumulated, counted
from domain.adjudication import Accumulator, Network
from domain.claim import Claim, Said
from projections.login_queries import LOGINS_OF
from projections.people import SAME_PERSONS

PAYERS = """
WITH RECURSIVE paid AS (
    SELECT min(payer_id) AS payer_id FROM payment_history
    UNION ALL
    SELECT (SELECT min(payer_id) FROM payment_history WHERE payer_id > paid.payer_id) FROM paid WHERE payer_id IS NOT NULL
), scheduled AS (
    SELECT min(payer_id) AS payer_id FROM schedules
    UNION ALL
    SELECT (SELECT min(payer_id) FROM schedules WHERE payer_id > scheduled.payer_id)
    FROM scheduled WHERE payer_id IS NOT NULL
), insured AS (
    SELECT min(payer_id) AS payer_id FROM premium_facts
    UNION ALL
    SELECT (SELECT min(payer_id) FROM premium_facts WHERE payer_id > insured.payer_id)
    FROM insured WHERE payer_id IS NOT NULL
), signing_in AS (
    SELECT min(payer_id) AS payer_id FROM login_owners
    UNION ALL
    SELECT (SELECT min(payer_id) FROM login_owners WHERE payer_id > signing_in.payer_id)
    FROM signing_in WHERE payer_id IS NOT NULL
)
SELECT payer_id FROM people WHERE upper(member_id) = upper(%(member)s)
UNION SELECT payer_id FROM payers
UNION SELECT payer_id FROM insured WHERE payer_id IS NOT NULL
UNION SELECT payer_id FROM paid WHERE payer_id IS NOT NULL
UNION SELECT payer_id FROM scheduled WHERE payer_id IS NOT NULL
UNION SELECT payer_id FROM signing_in WHERE payer_id IS NOT NULL
"""
"""Everybody with whom a member may have an account. A step in the index for each, however much they said."""

_SUMS = """
    coalesce(-sum(amount) FILTER (WHERE account IN ('charges', 'opening')), 0) AS charged,
    coalesce(sum(amount) FILTER (WHERE account = 'plan_paid'), 0) AS plan_paid,
    coalesce(sum(amount) FILTER (WHERE account = 'adjustments'), 0) AS adjustments,
    coalesce(sum(amount) FILTER (WHERE account = 'owed.deductible'), 0) AS deductible,
    coalesce(sum(amount) FILTER (WHERE account = 'owed.coinsurance'), 0) AS coinsurance,
    coalesce(sum(amount) FILTER (WHERE account = 'owed.copayment'), 0) AS copayment,
    coalesce(sum(amount) FILTER (WHERE account IN ('owed.other', 'owed.before')), 0) AS other,
    coalesce(sum(amount) FILTER (WHERE account IN ('patient_paid', 'applied', 'collected')), 0) AS patient_paid,
    coalesce(sum(amount) FILTER (WHERE account = 'written_off'), 0) AS waived,
    coalesce(sum(amount) FILTER (WHERE account = 'disputed'), 0) AS disputed,
    coalesce(-sum(amount) FILTER (WHERE account IN ('credit', 'unapplied')), 0) AS credit,
    coalesce(sum(amount) FILTER (WHERE account LIKE 'owed.%%'), 0) AS owed
"""
"""In each row, charged = plan paid + adjustments + patient paid + waived + disputed + owed - credit."""

_OF_BILLS = f"""
    bill_id = ANY(ARRAY(
        SELECT claim.bill_id FROM claim_history claim
        WHERE claim.person_id = ANY(ARRAY({SAME_PERSONS}))
        UNION ALL SELECT opening.bill_id FROM openings opening WHERE account_id = ANY(%(accounts)s::uuid[])
    ))
"""  # noqa: S608 nothing in it comes from outside
_OF_PAYMENTS = """
    payment_id = ANY(ARRAY(SELECT payment_id FROM payment_history WHERE account_id = ANY(%(accounts)s::uuid[])))
"""
_KNOWN = """
    (%(known_at)s::bigint IS NULL OR position <= %(known_at)s) AND (%(as_of)s::date IS NULL OR day <= %(as_of)s)
"""

_SEEN_BILLS = """
    bill_id = ANY(%(bills)s::uuid[]) AND position <= (
        SELECT folded.notification_id FROM projection_position folded
        JOIN projection_generation live ON folded.application_name = live.name || ':' || live.generation
        WHERE live.name = 'claim_history' AND live.live)
"""
"""Chosen by what claims tell of their services: what is booked of a claim that does not tell yet is left out."""

_POSTED = f"""
, posted AS (
    SELECT position - (what = 'credit applied')::integer AS position, min(day) AS day, min(recorded_at) AS recorded_at,
           max(what) AS what, max(bill_id::text) AS bill_id, max(claim_id::text) AS claim_id,
           max(payment_id::text) AS payment_id, {_SUMS}
    FROM entry GROUP BY position - (what = 'credit applied')::integer
)
SELECT posted.*, sum(owed - credit) OVER (ORDER BY position) AS balance FROM posted ORDER BY position
"""  # noqa: S608 nothing in it comes from outside

ACCOUNT = f"""
WITH entry AS MATERIALIZED (
    SELECT * FROM entries WHERE {_OF_BILLS} AND {_KNOWN} UNION SELECT * FROM entries WHERE {_OF_PAYMENTS} AND {_KNOWN}
) {_POSTED}
"""  # noqa: S608 nothing in it comes from outside
"""Every entry of a member's bills and payments in the order in which it was booked, with what was owed after it. What a
bill has of a payment and what the payment gives it are one entry.

A bill that several payers share stands in the accounts of all whom they call their member.
"""

SEEN_ACCOUNT = f"""
WITH entry AS MATERIALIZED (SELECT * FROM entries WHERE {_SEEN_BILLS} AND {_KNOWN}) {_POSTED}
"""  # noqa: S608 nothing in it comes from outside
"""The entries of some bills alone, with what was owed of these: nothing of payments but what the bills have of them."""

BALANCE = f"""
SELECT bill_id::text, min(day) AS first_day, max(day) AS last_day, {_SUMS} FROM entries WHERE {_OF_BILLS} AND {_KNOWN}
GROUP BY bill_id
UNION ALL
SELECT NULL, min(day), max(day), {_SUMS} FROM entries WHERE {_OF_PAYMENTS} AND bill_id IS NULL AND {_KNOWN} HAVING count(*) > 0
ORDER BY first_day, bill_id NULLS LAST
"""  # noqa: S608 nothing in it comes from outside
"""What each bill of a member comes to, and last what their payments come to by themselves: what they collected, less what
bills have of it."""

SEEN_BALANCE = f"""
SELECT bill_id::text, min(day) AS first_day, max(day) AS last_day, {_SUMS} FROM entries WHERE {_SEEN_BILLS} AND {_KNOWN}
GROUP BY bill_id ORDER BY first_day, bill_id
"""  # noqa: S608 nothing in it comes from outside
"""What some bills come to, each by itself."""

CLAIMS_OF_BILLS = f"""
SELECT bill.bill_id::text, bill.claim_id::text, bill.service_from FROM claim_history bill
WHERE bill.bill_id IN (SELECT own.bill_id FROM claim_history own WHERE own.person_id = ANY(ARRAY({SAME_PERSONS})))
"""  # noqa: S608 nothing in it comes from outside
"""All claims that ever told of a member's bills, whoever the payer."""

ACCUMULATORS = f"""
SELECT history.claim_id::text, history.payer_id, payer.name AS payer, history.person_id::text,
       concat_ws(' ', person.given_name, person.family_name) AS patient, history.folded,
       told.network, told.plan_id, told.plan_year_from, told.accumulators
FROM claim_history history
JOIN people person ON person.person_id = history.person_id
LEFT JOIN payers payer ON payer.payer_id = history.payer_id
LEFT JOIN coverages told ON told.claim_id = history.claim_id AND told.position = history.position
WHERE history.person_id = ANY(ARRAY({SAME_PERSONS}))
  AND (%(known_at)s::bigint IS NULL OR history.position <= %(known_at)s)
  AND (%(as_of)s::date IS NULL OR history.day <= %(as_of)s)
ORDER BY history.claim_id, history.position
"""  # noqa: S608 nothing in it comes from outside
"""Everything that was said of a member's claims by a payer's day, as far as it was known at a position: what follows from
it is derived by `accumulators_of`.
"""


def accumulators_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[Accumulated]:
    """How far each limit is used, by the rows of ACCUMULATORS."""
    return accumulated(
        claim
        for _, of_claim in groupby(rows, itemgetter("claim_id"))
        if (claim := _counted(list(of_claim))) is not None
    )


def _counted(rows: Sequence[Mapping[str, Any]]) -> Counted | None:
    said = [_decode(row["folded"]) for row in rows]
    told = {
        each.identity: Told(
            row["network"] and Network(row["network"]),
            row["plan_id"],
            row["plan_year_from"],
            msgspec.convert(row["accumulators"], tuple[Accumulator, ...]),
        )
        for each, row in zip(said, rows, strict=True)
        if row["plan_id"] is not None
    }
    return counted(rows[0]["payer_id"], rows[0]["person_id"], Claim(tuple(said)), told)


_decode = msgspec.json.Decoder(Said).decode

TRIAL_BALANCE = """
SELECT account, sum(amount) FILTER (WHERE amount > 0) AS added, -sum(amount) FILTER (WHERE amount < 0) AS taken,
       sum(amount) AS balance
FROM entries WHERE %(at)s::bigint IS NULL OR position <= %(at)s GROUP BY account ORDER BY account
"""
"""Every account over all bills, at a position."""

UNLIKE_CLAIMS = """
SELECT coalesce(bill.bill_id, booked.bill_id)::text AS bill_id, bill.charge, booked.charge AS booked_charge,
       bill.paid, booked.paid AS booked_paid
FROM (
    SELECT bill_id, max(charge) FILTER (WHERE payer_sequence > 0) AS charge, sum(paid) AS paid
    FROM claim_status WHERE bill_id IS NOT NULL GROUP BY bill_id HAVING bool_or(payer_sequence > 0)
) bill
FULL JOIN (
    SELECT bill_id, -sum(amount) FILTER (WHERE account = 'charges') AS charge,
           coalesce(sum(amount) FILTER (WHERE account = 'plan_paid'), 0) AS paid
    FROM entries GROUP BY bill_id HAVING bool_or(account = 'charges')
) booked ON booked.bill_id = bill.bill_id
WHERE (coalesce(bill.charge, 0), coalesce(bill.paid, 0))
    IS DISTINCT FROM (coalesce(booked.charge, 0), coalesce(booked.paid, 0))
ORDER BY 1
"""
"""Bills of which the accounts say something else than the last words of their claims, which were folded apart."""

UNLIKE_LIABILITY = """
SELECT coalesce(bill.bill_id, booked.bill_id)::text AS bill_id, bill.liability, booked.receivable, booked.paid, booked.waived
FROM (
    SELECT now.bill_id, (array_agg(
        (SELECT sum(cents::bigint) / 100.0 FROM jsonb_array_elements_text(final.folded::jsonb -> %(share)s) AS cents)
        ORDER BY now.payer_sequence DESC, now.processed_on DESC, now.claim_id DESC))[1] AS liability
    FROM claim_status now
    JOIN claim_history final ON final.claim_id = now.claim_id AND final.position = now.final_position
    WHERE now.bill_id IS NOT NULL AND now.payer_sequence > 0 GROUP BY now.bill_id
) bill
FULL JOIN (
    SELECT bill_id, sum(amount) FILTER (WHERE account LIKE 'owed.%%' OR account IN ('disputed', 'credit', 'opening'))
           AS receivable,
           coalesce(sum(amount) FILTER (WHERE account IN ('patient_paid', 'applied')), 0) AS paid,
           coalesce(sum(amount) FILTER (WHERE account = 'written_off'), 0) AS waived
    FROM entries WHERE bill_id IS NOT NULL GROUP BY bill_id
) booked USING (bill_id)
WHERE coalesce(bill.liability, 0) - coalesce(booked.paid, 0) - coalesce(booked.waived, 0) <> coalesce(booked.receivable, 0)
ORDER BY 1
"""
"""The receivables' control: bills of which is owed something else than what the last payer in sequence leaves to the member
by its last word (folded apart from the accounts), less what was paid and waived. Disputed is owed; a credit is negative."""

UNLIKE_PAYMENTS = """
SELECT coalesce(said.payment_id, booked.payment_id)::text AS payment_id, said.collected, booked.collected AS booked
FROM payments said
FULL JOIN (
    SELECT payment_id, sum(amount) AS collected FROM entries WHERE account = 'collected' GROUP BY payment_id
) booked USING (payment_id)
WHERE coalesce(said.collected, 0) <> coalesce(booked.collected, 0) ORDER BY 1
"""
"""Payments of which is booked something else than what their processors say."""

UNLIKE_REASONS = """
SELECT claim_id::text, said.deductible, counted.deductible AS counted_deductible, booked.deductible AS booked_deductible,
       said.out_of_pocket, counted.out_of_pocket AS counted_out_of_pocket, booked.out_of_pocket AS booked_out_of_pocket
FROM (
    SELECT now.claim_id, final.folded::jsonb -> %(share)s AS share,
           coalesce(sum(cents) FILTER (WHERE carc IN ('1', '66')), 0) / 100 AS deductible,
           coalesce(sum(cents) FILTER (WHERE carc IN ('1', '66', '2', '3')), 0) / 100 AS out_of_pocket
    FROM claim_status now
    JOIN claim_history final ON final.claim_id = now.claim_id AND final.position = now.final_position
    LEFT JOIN LATERAL (
        SELECT reason ->> 1 AS carc, (reason ->> 2)::numeric AS cents
        FROM (
            SELECT jsonb_array_elements(final.adjustments) AS reason
            UNION ALL
            SELECT jsonb_array_elements(line -> 'adjustments') FROM jsonb_array_elements(final.lines) line
        ) reasons
        WHERE reason ->> 0 = 'PR'
    ) left_to_patient ON true
    WHERE now.payer_sequence > 0
    GROUP BY now.claim_id, final.folded
) said
CROSS JOIN LATERAL (
    SELECT (share ->> 0)::numeric / 100 AS deductible,
           ((share ->> 0)::numeric + (share ->> 1)::numeric + (share ->> 2)::numeric) / 100 AS out_of_pocket
) counted
FULL JOIN (
    SELECT DISTINCT ON (claim_id) claim_id, deductible, deductible + coinsurance + copayment AS out_of_pocket
    FROM shares ORDER BY claim_id, position DESC
) booked USING (claim_id)
WHERE (said.deductible, said.out_of_pocket) IS DISTINCT FROM (counted.deductible, counted.out_of_pocket)
   OR (coalesce(said.deductible, 0), coalesce(said.out_of_pocket, 0))
      IS DISTINCT FROM (coalesce(booked.deductible, 0), coalesce(booked.out_of_pocket, 0))
ORDER BY 1
"""
"""Claims of which accumulators or accounts count something else than the reasons (PR) of their last words add up to. Where
the share stands in what was folded of a posting, the parameter `share` says.
"""

UNLIKE_LOG = """
SELECT position, number FROM (
    SELECT event.notification_id AS position, posting.number, posting.value ->> 0 AS source,
           posting.value ->> 1 AS destination, (posting.value ->> 2)::bigint AS cents
    FROM events event CROSS JOIN LATERAL jsonb_array_elements(convert_from(event.state, 'UTF8')::jsonb -> 'postings')
        WITH ORDINALITY AS posting (value, number)
    WHERE event.topic LIKE ANY(%(booked)s) AND event.notification_id <= (
        SELECT folded.notification_id FROM projection_position folded
        JOIN projection_generation live ON folded.application_name = live.name || ':' || live.generation
        WHERE live.name = 'journal' AND live.live)
) said
FULL JOIN (SELECT position, number, source, destination, (amount * 100)::bigint AS cents FROM journal) booked
USING (position, number)
WHERE (said.source, said.destination, said.cents)
    IS DISTINCT FROM (booked.source, booked.destination, booked.cents)
ORDER BY position, number
"""
"""Postings of the log, as far as it is folded, that stand otherwise or not at all in the journal, and the reverse."""

OUT_OF_SIGN = """
SELECT * FROM (
    SELECT bill_id::text, NULL AS payment_id, NULL AS contract_id, account, balance FROM balances
    UNION ALL
    SELECT NULL, payment_id::text, contract_id::text, account, sum(amount) FROM entries
    WHERE bill_id IS NULL GROUP BY payment_id, contract_id, account
) stands
WHERE balance > 0 AND account = ANY(%(never_positive)s) OR balance < 0 AND account = ANY(%(never_negative)s)
ORDER BY bill_id, payment_id, contract_id, account
"""
"""Accounts with a balance of a sign that they must never have."""

MISAPPLIED = """
SELECT payment_id::text, sum(amount) AS difference FROM entries
WHERE account = 'applied' GROUP BY payment_id HAVING sum(amount) <> 0 ORDER BY payment_id
"""
"""Payments that give bills something else than these have of them."""

OWED_BILLS = """
SELECT asked.payer_id, asked.member AS asked, bill.bill_id::text
FROM unnest(%(payers)s::text[], %(members)s::text[], %(accounts)s::uuid[]) AS asked (payer_id, member, account_id)
CROSS JOIN LATERAL (
    SELECT claim.bill_id, min(claim.service_from) AS served_on FROM people JOIN same_persons USING (person_id)
    JOIN claim_status claim ON claim.person_id = same_id WHERE upper(people.member_id) = upper(asked.member) AND claim.payer_id = asked.payer_id
      AND claim.bill_id IS NOT NULL
    GROUP BY claim.bill_id
    UNION ALL SELECT bill_id, day FROM openings WHERE account_id = asked.account_id
) bill
WHERE (SELECT sum(balance) FROM balances WHERE balances.bill_id = bill.bill_id AND account LIKE 'owed.%%') > 0
ORDER BY asked.payer_id, asked.member, bill.served_on NULLS LAST, bill.bill_id
"""
"""The bills of which members owe anything, the oldest services first."""

PAYERS_OF = "SELECT DISTINCT payer_id FROM people WHERE upper(member_id) = upper(%(member)s) ORDER BY payer_id"

MEMBERS_BILLS = """
SELECT bill_id::text FROM (
    SELECT claim.bill_id, min(claim.service_from) AS served_on FROM people JOIN same_persons USING (person_id)
    JOIN claim_status claim ON claim.person_id = same_id WHERE upper(people.member_id) = upper(%(member)s) AND claim.payer_id = %(payer)s AND claim.bill_id IS NOT NULL
    GROUP BY claim.bill_id
    UNION ALL SELECT bill_id, day FROM openings WHERE account_id = %(account)s
) bill
ORDER BY served_on NULLS LAST, bill_id
"""
"""All bills of a member, the oldest services first."""

PAYMENTS_OF = "SELECT DISTINCT payment_id::text FROM payment_history WHERE account_id = %(account)s ORDER BY 1"

PAYMENT_IDS = """
SELECT DISTINCT payment_id::text AS id FROM payment_history WHERE payment_id BETWEEN %(first)s AND %(last)s LIMIT 2
"""

STATEMENT_IDS = """
SELECT statement_id::text AS id FROM statements WHERE statement_id BETWEEN %(first)s AND %(last)s LIMIT 2
"""

STATEMENTS = """
SELECT statement.statement_id::text, statement.day, statement.due_on, statement.total, statement.minimum,
       sum(left_over.amount) AS still_owed, count(*) AS bills,
       CASE WHEN sum(left_over.amount) = 0 THEN 'paid'
            WHEN %(as_of)s <= statement.due_on THEN 'due'
            WHEN statement.total - sum(left_over.amount) >= statement.minimum THEN 'minimum paid'
            ELSE 'past due' END AS standing
FROM statements statement JOIN statement_lines line USING (statement_id)
CROSS JOIN LATERAL (
    SELECT least(line.amount, coalesce(sum(amount), 0)) AS amount FROM entries
    WHERE bill_id = line.bill_id AND account LIKE 'owed.%%' AND day <= %(as_of)s
) left_over
WHERE statement.account_id = ANY(%(accounts)s::uuid[]) AND statement.day <= %(as_of)s
GROUP BY statement.statement_id, statement.day, statement.due_on, statement.total, statement.minimum
ORDER BY statement.day, statement.statement_id
"""
"""A member's statements as of a day: what was owed, and how much of it is owed still. What came to be owed later of the same
bill is none of theirs."""

STATEMENT_LINES = """
SELECT line.number, line.bill_id::text, line.amount, min(claim.service_from) AS served_on,
       string_agg(left(claim.claim_id::text, 8), ' ' ORDER BY claim.claim_id) AS claims
FROM statement_lines line LEFT JOIN claim_status claim ON claim.bill_id = line.bill_id
WHERE line.statement_id = %(statement)s GROUP BY line.number, line.bill_id, line.amount ORDER BY line.number
"""

_SUBJECT_OF_BILLS = _OF_BILLS.replace("bill_id", "subject_id", 1)

ALERTS = f"""
SELECT kind, subject_id::text, raised_on, raised_position, CASE WHEN is_over THEN resolved_on END AS resolved_on,
       CASE WHEN is_over THEN resolved_position END AS resolved_position, amount, fact_id::text
FROM (
    SELECT kind, subject_id, raised_on, raised_position, resolved_on, resolved_position, amount, NULL AS fact_id FROM money_alerts
    WHERE account_id = ANY(%(accounts)s::uuid[]) OR account_id IS NULL AND ({_SUBJECT_OF_BILLS}
          OR subject_id IN ({SAME_PERSONS}))
    UNION ALL
    SELECT kind, login_id, (raised_at AT TIME ZONE %(zone)s)::date, raised_position, (resolved_at AT TIME ZONE %(zone)s)::date,
           resolved_position, NULL, fact_id
    FROM security_alerts
    WHERE login_id = ANY(ARRAY({LOGINS_OF}))
) told CROSS JOIN LATERAL (
    SELECT resolved_on IS NOT NULL AND (%(as_of)s::date IS NULL OR resolved_on <= %(as_of)s)
       AND (%(known_at)s::bigint IS NULL OR resolved_position IS NULL OR resolved_position <= %(known_at)s) AS is_over
) AS resolution
WHERE (%(as_of)s::date IS NULL OR raised_on <= %(as_of)s)
  AND (%(known_at)s::bigint IS NULL OR raised_position IS NULL OR raised_position <= %(known_at)s)
ORDER BY raised_on, kind, subject_id, raised_position
"""  # noqa: S608 nothing in it comes from outside
"""What a member should hear of, about money and about sign-ins: what was raised by a day, and whether it was resolved by
then, as known at a position. What a day alone raised is known at any."""

EARLIER_NUMBERS = f"""
SELECT DISTINCT earlier.payer_id, earlier.member_id
FROM people earlier WHERE earlier.person_id = ANY(ARRAY({SAME_PERSONS})) AND upper(member_id) <> upper(%(member)s)
ORDER BY 1, 2
"""  # noqa: S608 nothing in it comes from outside
"""Under which other numbers the persons of a member's number were known before."""
