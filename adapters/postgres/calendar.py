"""Business days and the plan's time zone, as SQL reads them."""

from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from psycopg.sql import SQL

from adapters.postgres.database import Database
from adapters.postgres.event_log import CREATE_LOCK

SCHEMA = Path(__file__).with_name("calendar.sql").read_text(encoding="utf-8")

FIRST_YEAR, LAST_YEAR = 2015, 2045

IS_SEEDED = "SELECT FROM calendar WHERE holidays_by = %(holidays_by)s"

# A zone that PostgreSQL does not know fails here, not in the first query of a reader.
KEEP = """
INSERT INTO calendar AS old (zone, holidays_by)
SELECT %(zone)s, %(holidays_by)s FROM (SELECT now() AT TIME ZONE %(zone)s) known
ON CONFLICT (only_row) DO UPDATE SET zone = excluded.zone, holidays_by = excluded.holidays_by
WHERE (old.zone, old.holidays_by) <> (excluded.zone, excluded.holidays_by)
"""

SEED = """
INSERT INTO business_day AS old
SELECT day, is_business, sum(is_business::integer) OVER (ORDER BY day)
FROM (
    SELECT day::date, extract(isodow FROM day) < 6 AND day::date <> ALL(%(holidays)s) AS is_business
    FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, '1 day') AS day
) days
ON CONFLICT (day) DO UPDATE SET is_business = excluded.is_business, ordinal = excluded.ordinal
WHERE (old.is_business, old.ordinal) <> (excluded.is_business, excluded.ordinal)
"""


def create_calendar(database: Database, zone: str) -> None:
    """Tables and days, by which views of projections count. What an existing ledger counts by becomes this."""
    holidays_by = f"holidays {version('holidays')}"
    with database.session() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATE_LOCK])
        cursor.execute(SQL(SCHEMA))
        if cursor.execute(IS_SEEDED, {"holidays_by": holidays_by}).fetchone() is None:
            cursor.execute("DROP INDEX business_day_ordinal_idx")  # a holiday that is new shifts all that follow
            first, last = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
            cursor.execute(SEED, {"holidays": list(federal_holidays()), "first": first, "last": last})
            cursor.execute(SQL(SCHEMA))
        cursor.execute(KEEP, {"zone": zone, "holidays_by": holidays_by})


@lru_cache
def federal_holidays() -> tuple[date, ...]:
    """Of the United States, and the weekdays on which those are kept that fall on a weekend."""
    from holidays import country_holidays  # a fifth of a second, for the first `init` only

    # New Year's Day may be kept on the last day of the year before.
    return tuple(sorted(country_holidays("US", years=range(FIRST_YEAR, LAST_YEAR + 2))))
