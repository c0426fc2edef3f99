"""Questions about claims: as they stand now, or as they were known at a position of the log."""

import re

FIND = """
SELECT c.claim_id::text, c.status, c.status_code, c.awaits, c.claim_type, c.service_from, c.service_to, c.charge, c.paid,
       c.member_owes, c.cash, c.processed_on, c.appeal, c.appeal_level, c.appeal_due_on, c.appeal_until, c.events,
       c.position, c.final_position, c.payer_sequence, c.payer_id, payer.name AS payer, c.person_id::text,
       person.member_id, concat_ws(' ', person.given_name, person.family_name) AS patient, c.bill_id::text,
       later.claim_id::text AS decided_by, final.forwarded_to, final.remittance_id::text, c.visible_at,
       c.processed_visible_at
FROM claim_history c
LEFT JOIN payers payer ON payer.payer_id = c.payer_id
LEFT JOIN people person ON person.person_id = c.person_id
LEFT JOIN claim_history final ON final.claim_id = c.claim_id AND final.position = c.final_position
LEFT JOIN LATERAL (
    SELECT other.claim_id FROM claim_history other
    WHERE other.bill_id = c.bill_id AND other.payer_sequence > c.payer_sequence AND c.payer_sequence > 0
      AND (%(known_at)s::bigint IS NULL AND other.known_until IS NULL
           OR other.position <= %(known_at)s AND (other.known_until IS NULL OR other.known_until > %(known_at)s))
    ORDER BY other.payer_sequence DESC, other.claim_id LIMIT 1
) later ON true
WHERE (%(known_at)s::bigint IS NULL AND c.known_until IS NULL
       OR c.position <= %(known_at)s AND (c.known_until IS NULL OR c.known_until > %(known_at)s))
  AND (%(first_id)s::uuid IS NULL OR c.claim_id BETWEEN %(first_id)s AND %(last_id)s)
  AND (%(member)s::text IS NULL
       OR c.person_id = ANY(ARRAY(SELECT person_id FROM people WHERE upper(member_id) = upper(%(member)s))))
  AND (%(status)s::text IS NULL OR c.status = %(status)s)
  AND (%(type)s::text IS NULL OR c.claim_type = %(type)s)
  AND (%(payer)s::text IS NULL OR c.payer_id = %(payer)s OR payer.name ILIKE '%%' || %(payer)s || '%%')
  AND (%(from)s::date IS NULL OR c.service_from >= %(from)s)
  AND (%(to)s::date IS NULL OR c.service_from <= %(to)s)
  AND (%(first_day)s::date IS NULL OR c.service_from IS NULL OR c.service_from BETWEEN %(first_day)s AND %(last_day)s)
  AND (%(filter)s::text IS NULL
       OR matches_filter(%(filter)s, c.claim_type, c.facility_code, c.service_from, final.lines))
ORDER BY c.service_from DESC NULLS LAST, c.claim_id
LIMIT %(limit)s
"""
"""Claims, newest service first, undated ones last.

A member by the number on the card, a payer by its number or a part of its name, a claim by the range of ids that begin
alike. `decided_by` is a later payer's claim of the same bill: what the patient owes is said there. Planned anew each
time, so that what is not asked for drops out of the plan.
"""

NOTHING_ASKED: dict[str, None] = dict.fromkeys(re.findall(r"%\((\w+)\)s", FIND))
"""The query's parameters; those that are asked for take their place"""

POSITION_AT = """
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, position FROM head
    UNION ALL
    SELECT CASE WHEN recorded_at <= %(moment)s THEN notification_id ELSE low END,
           CASE WHEN recorded_at <= %(moment)s THEN high ELSE notification_id - 1 END
    FROM search JOIN events ON notification_id = (low + high + 1) / 2 WHERE low < high
)
SELECT low AS position FROM search WHERE low = high
"""
"""The last position that was recorded by a moment: times of recording grow with positions."""
