"""Questions about payments: everything that was said of them as far as it was known at a position of the log."""

_KNOWN = "account_id = ANY(%(accounts)s::uuid[]) AND (%(known_at)s::bigint IS NULL OR position <= %(known_at)s)"

PAYMENTS = f"""
SELECT payment_id::text, fact FROM payment_history WHERE {_KNOWN}
ORDER BY min(day) OVER (PARTITION BY payment_id), payment_id, position
"""  # noqa: S608 nothing in it comes from outside

SCHEDULES = f"SELECT schedule_id::text, fact FROM schedules WHERE {_KNOWN} ORDER BY schedule_id, position"  # noqa: S608 as above
