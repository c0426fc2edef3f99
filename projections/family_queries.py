"""Questions about families: who belongs together, what was said of them, and what claims tell of their services."""

IS_BEHIND = """
SELECT EXISTS (
    SELECT FROM events
    WHERE (topic LIKE ANY(%(topics)s) OR topic LIKE 'person.described:%%' AND originator_id = ANY(%(persons)s::uuid[]))
      AND notification_id > coalesce((
        SELECT min(coalesce(folded.notification_id, 0)) FROM projection_generation live
        LEFT JOIN projection_position folded ON folded.application_name = live.name || ':' || live.generation
        WHERE live.live AND live.name IN ('family', 'people')
    ), 0)
) AS is_behind
"""
"""Whether any event of some topics, or a description of some persons, is recorded and not folded by both projections that
tell who may see what."""

PERSONS = """
SELECT person_id::text, payer_id, member_id, trim(concat_ws(' ', given_name, family_name)) AS name, birth_date, sex
FROM people WHERE upper(member_id) = upper(%(member)s::text) OR person_id = ANY(%(persons)s::uuid[])
ORDER BY payer_id, birth_date NULLS LAST, person_id
"""
"""All whom a payer knows under one number, and some others."""

LINKS = """
WITH RECURSIVE same (person_id) AS (
    SELECT unnest(%(persons)s::uuid[])
    UNION
    SELECT other.person_id FROM same CROSS JOIN LATERAL (
        SELECT earlier_id FROM person_links WHERE person_id = same.person_id
        UNION ALL SELECT person_id FROM person_links WHERE earlier_id = same.person_id
    ) other (person_id)
)
SELECT link.person_id::text, link.earlier_id::text FROM same JOIN person_links link USING (person_id)
"""
"""Which of some persons are one, and whom else they were known as."""

FACTS = """
SELECT person_id::text, viewer_id::text, folded FROM consent_facts
WHERE (person_id = ANY(%(persons)s::uuid[]) OR viewer_id = ANY(%(persons)s::uuid[])
       OR person_id = ANY(ARRAY(SELECT person_id FROM consent_facts WHERE viewer_id = ANY(%(persons)s::uuid[]))))
  AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)
ORDER BY position
"""
"""All that was said of some persons, and of those of whom they may see something, as known at a position."""

TOLD = """
SELECT own.claim_id::text, own.person_id::text, own.payer_id, told.facility_code, coalesce(told.lines, '[]') AS lines
FROM claim_history own
JOIN claim_history told ON told.claim_id = own.claim_id OR told.bill_id = own.bill_id
WHERE own.known_until IS NULL AND own.claim_id = ANY(%(claims)s::uuid[])
"""
"""All that was ever said of claims and of the other claims of their bills: what is known by now to be sensitive was so at
any position."""
