"""How soon claims are to be seen: counts, shares and percentiles by rule, in all and by payer; the most late ones."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg.sql import SQL

from adapters.postgres.database import Database
from adapters.postgres.event_log import CREATE_LOCK

VIEW = Path(__file__).with_name("freshness.sql").read_text(encoding="utf-8")

# One pass over the claims: a small histogram a payer and measure, from which everything is counted.
COUNTS = """
SELECT payer_id, visibility, days_to_visible, alarm, one_business_day, business_days_to_visible, count(*) AS claims,
       CASE grouping(visibility, alarm, one_business_day)
            WHEN 3 THEN 'visibility' WHEN 5 THEN 'alarm' ELSE 'one_business_day' END AS measure
FROM claim_freshness
GROUP BY GROUPING SETS ((payer_id, visibility, days_to_visible), (payer_id, alarm),
                        (payer_id, one_business_day, business_days_to_visible))
"""

# Those first for which something is still missing.
LATEST = """
SELECT claim_id::text, payer_id, status, service_from, alarm, alarm_days FROM claim_freshness WHERE alarm IS NOT NULL
ORDER BY alarm = 'not_processed' DESC, alarm_days DESC, claim_id LIMIT 10
"""

VISIBILITY = ("early", "in_window", "late", "undated")
ALARMS = ("not_processed", "seen_late", "processed_late")
ONE_BUSINESS_DAY = ("kept", "broken", "unknown", "not_processed")
PERCENTILES = (50, 95)


def create_freshness(database: Database) -> None:
    """The view that measures claims; needs the public views of them, and the calendar."""
    with database.session() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATE_LOCK])
        cursor.execute(SQL(VIEW))


def freshness(database: Database) -> dict[str, Any]:
    """The view claim_freshness in figures, as of now. A share is that of all claims; of the one-business-day rule it is
    that of the processed ones."""
    with database.session() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        zone = cursor.execute("SELECT zone FROM calendar").fetchone()
        counts = cursor.execute(COUNTS).fetchall()
        latest = cursor.execute(LATEST).fetchall()
        names = {row["payer_id"]: row["name"] for row in cursor.execute("SELECT payer_id, name FROM payers")}
    assert zone is not None
    payers = sorted({row["payer_id"] for row in counts})
    return {
        "zone": zone["zone"],
        "overall": _figures(counts),
        "payers": [
            {"payer_id": payer, "payer": names.get(payer), **_figures([r for r in counts if r["payer_id"] == payer])}
            for payer in payers
        ],
        "latest": latest,
    }


def _figures(counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    visibility, alarm, one_day = (
        [row for row in counts if row["measure"] == measure] for measure in ("visibility", "alarm", "one_business_day")
    )
    claims = sum(row["claims"] for row in alarm)
    by_rule = _counted(one_day, "one_business_day", ONE_BUSINESS_DAY)
    return {
        "claims": claims,
        "visibility": _shares(_counted(visibility, "visibility", VISIBILITY), claims),
        "days_to_visible": _percentiles(visibility, "days_to_visible"),
        "alarms": sum(row["claims"] for row in alarm if row["alarm"] is not None),
        "alarm": _shares(_counted(alarm, "alarm", ALARMS), claims),
        "one_business_day": _shares(
            {word: n for word, n in by_rule.items() if word != "not_processed"}, claims - by_rule["not_processed"]
        ),
        "business_days_to_visible": _percentiles(one_day, "business_days_to_visible"),
    }


def _counted(rows: Iterable[Mapping[str, Any]], column: str, words: Sequence[str]) -> dict[str, int]:
    counter = Counter[str]()
    for row in rows:
        counter[row[column]] += row["claims"]
    return {word: counter[word] for word in words}


def _shares(counted: Mapping[str, int], of: int) -> dict[str, Any]:
    return {word: {"claims": n, "share": round(n / of, 4) if of else None} for word, n in counted.items()}


def _percentiles(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, int | None]:
    """The smallest value that so many of a hundred claims do not exceed."""
    weights = Counter[int]()
    for row in rows:
        if row[column] is not None:
            weights[row[column]] += row["claims"]
    total = weights.total()
    found: dict[str, int | None] = {f"p{percent}": None for percent in PERCENTILES}
    for percent in PERCENTILES:
        reached = 0
        for value in sorted(weights):
            reached += weights[value]
            if reached * 100 >= total * percent:
                found[f"p{percent}"] = value
                break
    return found
