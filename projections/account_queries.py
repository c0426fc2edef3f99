"""Questions about accounts: as they stand now, as of a day, or as they were known at a position of the log."""

_POSTED = """
    SELECT entry.position, entry.day, entry.recorded_at, entry.bill_id, entry.claim_id, entry.payment_id, entry.what,
           -sum(amount) FILTER (WHERE account = 'charges') AS charged,
           coalesce(sum(amount) FILTER (WHERE account = 'plan_paid'), 0) AS plan_paid,
           coalesce(sum(amount) FILTER (WHERE account = 'adjustments'), 0) AS adjustments,
           coalesce(sum(amount) FILTER (WHERE account = 'owed.deductible'), 0) AS deductible,
           coalesce(sum(amount) FILTER (WHERE account = 'owed.coinsurance'), 0) AS coinsurance,
           coalesce(sum(amount) FILTER (WHERE account = 'owed.copayment'), 0) AS copayment,
           coalesce(sum(amount) FILTER (WHERE account = 'owed.other'), 0) AS other,
           coalesce(sum(amount) FILTER (WHERE account LIKE 'owed.%%'), 0) AS owed,
           coalesce(sum(amount) FILTER (WHERE account IN ('patient_paid', 'applied')), 0) AS patient_paid,
           coalesce(sum(amount) FILTER (WHERE account = 'written_off'), 0) AS waived,
           coalesce(sum(amount) FILTER (WHERE account = 'disputed'), 0) AS disputed,
           coalesce(-sum(amount) FILTER (WHERE account = 'credit'), 0) AS credit
    FROM entries entry
    WHERE entry.bill_id = ANY(ARRAY(
            SELECT claim.bill_id FROM claim_history claim
            WHERE claim.person_id = ANY(
                ARRAY(SELECT person_id FROM people WHERE upper(member_id) = upper(%(member)s)))
        ))
      AND (%(known_at)s::bigint IS NULL OR entry.position <= %(known_at)s)
      AND (%(as_of)s::date IS NULL OR entry.day <= %(as_of)s)
    GROUP BY entry.position, entry.day, entry.recorded_at, entry.bill_id, entry.claim_id, entry.payment_id, entry.what
"""

ACCOUNT = f"""
SELECT position, day, recorded_at, what, bill_id::text, claim_id::text, payment_id::text, charged, plan_paid,
       adjustments, deductible, coinsurance, copayment, other, patient_paid, waived, disputed, credit, owed,
       sum(owed - credit) OVER (ORDER BY position) AS balance
FROM ({_POSTED}) posted ORDER BY position
"""  # noqa: S608 nothing in it comes from outside
"""Every entry of a member's bills in the order in which it was booked, with what was owed after it.

A bill that several payers share stands in the accounts of all whom they call their member.
"""

BALANCE = f"""
SELECT bill_id::text, min(day) AS first_day, max(day) AS last_day, sum(charged) AS charged, sum(plan_paid) AS plan_paid,
       sum(adjustments) AS adjustments, sum(deductible) AS deductible, sum(coinsurance) AS coinsurance,
       sum(copayment) AS copayment, sum(other) AS other, sum(patient_paid) AS patient_paid, sum(waived) AS waived,
       sum(disputed) AS disputed, sum(credit) AS credit, sum(owed) AS owed
FROM ({_POSTED}) posted GROUP BY bill_id ORDER BY min(day), bill_id
"""  # noqa: S608 nothing in it comes from outside
"""What each bill of a member comes to."""

ACCUMULATORS = """
WITH person AS (
    SELECT person_id, concat_ws(' ', given_name, family_name) AS patient FROM people
    WHERE upper(member_id) = upper(%(member)s)
), used AS (
    SELECT extract(year FROM claim.service_from)::integer AS plan_year, claim.payer_id, person.person_id, person.patient,
           claim.claim_id, share.*
    FROM person JOIN claim_status claim ON claim.person_id = person.person_id
    CROSS JOIN LATERAL (
        SELECT deductible, coinsurance, copayment FROM shares
        WHERE shares.claim_id = claim.claim_id AND (%(known_at)s::bigint IS NULL OR shares.position <= %(known_at)s)
        ORDER BY shares.position DESC LIMIT 1
    ) share
    WHERE %(as_of)s::date IS NULL OR claim.service_from <= %(as_of)s
)
SELECT plan_year, used.payer_id, payer.name AS payer, 'unknown' AS network, patient,
       CASE WHEN patient IS NULL THEN 'family' ELSE 'person' END AS level, count(*) AS claims,
       sum(deductible) AS deductible, sum(deductible + coinsurance + copayment) AS out_of_pocket
FROM used LEFT JOIN payers payer ON payer.payer_id = used.payer_id
GROUP BY GROUPING SETS ((plan_year, used.payer_id, payer.name), (plan_year, used.payer_id, payer.name, person_id, patient))
ORDER BY plan_year DESC NULLS LAST, used.payer_id, patient NULLS LAST
"""
"""What counts toward deductible and out-of-pocket limit, by plan year of the service, for each person and the family:
all whom one payer knows under one member's number. What a payer leaves to the patient beyond these kinds counts nowhere.

No message tells yet in which network a service was, and which plan it fell under: years are calendar years.
"""

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
SELECT bill_id::text, account, balance FROM balances
WHERE balance > 0 AND account = ANY(%(never_positive)s) OR balance < 0 AND account = ANY(%(never_negative)s)
ORDER BY bill_id, account
"""
"""Accounts with a balance of a sign that they must never have."""
