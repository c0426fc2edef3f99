"""What the answers about costs begin with: a member's claims, and what a payer allowed for a procedure."""

from projections.people import SAME_PERSONS

FOLDED = """
SELECT min(coalesce(folded.notification_id, 0)) AS position
FROM projection_generation live
LEFT JOIN projection_position folded ON folded.application_name = live.name || ':' || live.generation
WHERE live.live AND live.name IN ('accumulators', 'claim_history', 'coverage', 'directory', 'family', 'people', 'plans')
"""
"""Up to which position of the log every table that these answers need is folded."""

CLAIMS = f"""
SELECT claim_id::text, max(events) AS events FROM claim_history
WHERE person_id = ANY(ARRAY({SAME_PERSONS}))
  AND payer_id = %(payer)s AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
GROUP BY claim_id
"""  # noqa: S608 nothing in it comes from outside
"""All claims that a payer knows of a member's, with how many events each had at a position."""

PATIENTS = """
SELECT person_id::text, given_name FROM people
WHERE upper(member_id) = upper(%(member)s) AND payer_id = %(payer)s ORDER BY given_name, person_id
"""

EARLIER = """
SELECT link.same_id::text AS earlier_id, link.person_id::text
FROM same_persons_history link JOIN people now USING (person_id)
WHERE upper(now.member_id) = upper(%(member)s) AND link.same_id <> link.person_id
  AND link.position <= %(known_at)s AND (link.known_until IS NULL OR link.known_until > %(known_at)s)
"""
"""Whom else the persons of a member's number were known as, under earlier ones."""

ALLOWED = """
SELECT final.lines FROM claim_history claim
JOIN claim_history final ON final.claim_id = claim.claim_id AND final.position = claim.final_position
WHERE claim.payer_id = %(payer)s AND claim.payer_sequence = 1
  AND claim.service_from BETWEEN %(first_day)s AND %(last_day)s AND claim.position <= %(known_at)s
  AND (claim.known_until IS NULL OR claim.known_until > %(known_at)s)
  AND strpos(final.lines::text, %(procedure)s) > 0
"""
"""The lines of a payer's claims of a year in which a procedure stands somewhere, by their last words at a position. The
payer's claims of that year are read for it."""
