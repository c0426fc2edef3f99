"""Which streams of the log tell of a member: their claims, their money, their coverage, their sign-ins."""

from projections.login_queries import LOGINS_OF
from projections.people import SAME_PERSONS

STREAMS_OF = f"""
WITH persons AS (
    SELECT same_id AS person_id FROM ({SAME_PERSONS}) same
),
claimed AS (SELECT DISTINCT claim_id, bill_id FROM claim_history WHERE person_id = ANY(ARRAY(SELECT person_id FROM persons)))
SELECT person_id::text AS stream FROM persons
UNION SELECT claim_id::text FROM claimed
UNION SELECT bill_id::text FROM claimed WHERE bill_id IS NOT NULL
UNION SELECT bill_id::text FROM openings WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT payment_id::text FROM payment_history WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT schedule_id::text FROM schedules WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT statement_id::text FROM statements WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT comparison_id::text FROM plans_compared WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT coverage_id::text FROM coverage_facts WHERE coverage_id = ANY(%(coverages)s::uuid[])
UNION SELECT consent_id::text FROM consent_facts
      WHERE person_id = ANY(ARRAY(SELECT person_id FROM persons)) OR viewer_id = ANY(ARRAY(SELECT person_id FROM persons))
UNION SELECT contract_id::text FROM premium_facts WHERE account_id = ANY(%(accounts)s::uuid[])
UNION SELECT unnest(ARRAY({LOGINS_OF}))::text
"""  # noqa: S608 nothing in it comes from outside
"""By the number on the card, and the accounts and the coverage of it with every payer."""
