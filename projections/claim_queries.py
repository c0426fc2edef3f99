"""Questions about claims: as they stand now, or as they were known at a position of the log."""

from collections.abc import Collection
from functools import lru_cache

_FIND = """
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
      AND {other_holds}
    ORDER BY other.payer_sequence DESC, other.claim_id LIMIT 1
) later ON true
WHERE {holds}
  AND {conditions}
ORDER BY c.service_from DESC NULLS LAST, c.claim_id
{limit}
"""

_HOLDS_NOW = "{row}.known_until IS NULL"
_HELD_AT = "{row}.position <= %(known_at)s AND ({row}.known_until IS NULL OR {row}.known_until > %(known_at)s)"

_CONDITIONS = {
    "claim_id": "c.claim_id = %(claim_id)s::uuid",
    "first_id": "c.claim_id BETWEEN %(first_id)s::uuid AND %(last_id)s::uuid",
    "member": """c.person_id = ANY(ARRAY(
        SELECT same.same_id FROM people JOIN same_persons_history same USING (person_id)
        WHERE upper(people.member_id) = upper(%(member)s) AND {same_holds}
    ))""",
    "status": "c.status = %(status)s",
    "type": "c.claim_type = %(type)s",
    "payer": "(c.payer_id = %(payer)s OR payer.name ILIKE '%%' || %(payer)s || '%%')",
    "from": "c.service_from >= %(from)s",
    "to": "c.service_from <= %(to)s",
    "first_day": "(c.service_from IS NULL OR c.service_from BETWEEN %(first_day)s AND %(last_day)s)",
    "filter": "matches_filter(%(filter)s, c.claim_type, c.facility_code, c.service_from, final.lines)",
}


_VALUES = _CONDITIONS.keys() | {"last_id", "last_day", "known_at", "limit"}


@lru_cache
def find(asked: Collection[str]) -> str:
    """The query for claims by those of its parameters that are asked for; newest service first, undated ones last.

    A claim by its id or by the range of ids that begin alike (`first_id`, `last_id`), a member by the number on the
    card, a payer by its number or a part of its name, a window by its `first_day` and `last_day`; `known_at` a position
    and at most `limit`. What is not asked for is not in the text, so the server plans each once and keeps it: to plan
    takes longer than to answer. `decided_by` is a later payer's claim of the same bill: what the patient owes is said
    there.
    """
    assert set(asked) <= _VALUES, "nothing that is asked for is passed over"
    holds = _HELD_AT if "known_at" in asked else _HOLDS_NOW
    return _FIND.format(
        holds=holds.format(row="c"),
        other_holds=holds.format(row="other"),
        conditions=" AND ".join(
            sql.format(same_holds=holds.format(row="same")) for name, sql in _CONDITIONS.items() if name in asked
        )
        or "true",
        limit="LIMIT %(limit)s" if "limit" in asked else "",
    )


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
