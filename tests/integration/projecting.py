"""What tests of projections share: a ledger that tells of everything, its tables, and stores that are disturbed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from adapters.postgres.database import Database
from adapters.postgres.projection_store import PostgresProjectionStore
from application.openings import Opening, load
from application.ports import Format, Message
from application.requests import Question, comparison_of, statement_of
from application.streams import Member
from composition import Ledger
from domain.comparison import Compare, Kind, Option
from domain.facts import StreamId
from domain.money import Money
from domain.request import Answer
from samples import generator
from samples.make import build
from tests.given import ADA, BENITO, CARMEN, message, paid, rows, value
from tests.integration.test_settlement import REVERSED, entry
from tests.unit import families
from tests.unit.coverage import LINKS, change
from tests.unit.coverage import SAID as COVERAGE_KINDS
from tests.unit.notices import adjudicated, encoded
from tests.unit.payments import KINDS, SCHEDULE_KINDS, told, told_of_schedule
from tests.unit.plans import plan
from tests.unit.premiums import LIFE
from tests.unit.providers import provider
from tests.unit.sign_ins import SAID, of_member, sign_in

A, B, C = paid("A", ADA), paid("B", BENITO), paid("C", CARMEN)
TABLES = {
    "claim_history": "claim_history",
    "people": "people",
    "person_link_facts": "people",
    "person_links": "people",
    "payers": "payers",
    "remittances": "remittances",
    "provider_adjustments": "remittances",
    "denials": "denials",
    "journal": "journal",
    "shares": "journal",
    "openings": "journal",
    "payment_history": "payments",
    "schedules": "payments",
    "statements": "statements",
    "statement_lines": "statements",
    "premium_facts": "premiums",
    "bank_entries": "settlement",
    "bank_reversals": "settlement",
    "premium_invoices": "premiums",
    "coverages": "accumulators",
    "login_activity": "login_activity",
    "login_owners": "login_activity",
    "security_alerts": "security_alerts",
    "security_resolutions": "security_alerts",
    "security_memory": "security_alerts",
    "plans": "plans",
    "plans_compared": "plans_compared",
    "directory": "directory",
    "directory_networks": "directory",
    "coverage_facts": "coverage",
    "coverage_spans": "coverage",
    "plan_changes": "coverage",
    "consent_facts": "family",
    "care_due": "care_due",
}
"""Each with its projection"""
DAY = date(2026, 3, 31)
NAMES = set(TABLES.values())


def taken_in(ledger: Ledger, *remittances: generator.Remittance) -> None:
    ledger.intake.handle([message(each) for each in remittances])


def samples_taken_in(ledger: Ledger) -> None:
    for sample in build():
        ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
    bills = rows(ledger.database, "SELECT DISTINCT originator_id::text FROM events WHERE topic LIKE %s", "bill.%")
    streams = [StreamId(row["originator_id"]) for row in bills]
    taken_over = Opening(Member("1", "M"), "A-1", DAY, Money(4_000))
    load(ledger.log, ledger.mapper, ledger.ids, [taken_over], "file:1")
    owed = statement_of(ledger.work(), ledger.ids, "key", Member("1", "M"), streams, DAY, DAY)
    assert isinstance(ledger.execute(owed), Answer)
    question = Question(Kind.BENEFITS, DAY, None)
    shown = Compare(StreamId(streams[0]), "1", Kind.BENEFITS, DAY, 1, False, (Option("SILVER"), Option("GOLD")))
    assert isinstance(ledger.execute(comparison_of(ledger.ids, "shown", question, shown)), Answer)
    of_payments = [*map(told, KINDS), *map(told_of_schedule, SCHEDULE_KINDS)]
    ledger.intake.handle([Message("payments/0@1", encoded(each), Format.JSON_PAYMENT) for each in of_payments])
    of_banks = [entry(), REVERSED]
    ledger.intake.handle([Message("settlements/0@1", encoded(each), Format.JSON_SETTLEMENT) for each in of_banks])
    ledger.intake.handle(
        [Message(f"premiums/0@{at}", encoded(said), Format.JSON_PREMIUM) for at, said in enumerate(LIFE)]
    )
    ledger.intake.handle([Message("plans/0@1", encoded(plan("TGV-GOLD")), Format.JSON_PLAN)])
    ledger.intake.handle([Message("providers/0@1", encoded(provider()), Format.JSON_PROVIDER)])
    of_coverage = [encoded(change(kind)) for kind in [*COVERAGE_KINDS, *LINKS]]
    of_coverage += [encoded(families.said(kind)) for kind in families.SAID]
    ledger.intake.handle([Message("coverage.changes/0@1", each, Format.JSON_COVERAGE) for each in of_coverage])
    of_portals = [of_member(sign_in(kind, kind)) for kind in SAID]
    of_portals += [sign_in("sign_in_failed", f"F-{at}") for at in range(5)]
    ledger.intake.handle([Message("portal.sign-ins/0@1", encoded(each), Format.JSON_SIGN_IN) for each in of_portals])
    of_a_plan = encoded(adjudicated(network="in"))  # no remittance tells
    preventive = encoded(families.claim("1", "ADA", "HC:45378:33", "2025-03-01"))
    for notice in (of_a_plan, preventive):
        ledger.intake.handle([Message("payer.adjudications/0@0", notice, Format.JSON_CLAIM)])


def live(ledger: Ledger, name: str) -> str:
    """The schema of the live generation."""
    number = value(ledger.database, "SELECT generation FROM projection_generation WHERE live AND name = %s", name)
    return f"{name}_g{number}"


def tables(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    """Everything that was projected; when is no part of it."""
    found = {
        table: rows(ledger.database, f"SELECT * FROM {live(ledger, name)}.{table} ORDER BY 1, 2, 3")
        for table, name in TABLES.items()
    }
    return {
        name: [{column: held for column, held in row.items() if column != "projected_at"} for row in of_table]
        for name, of_table in found.items()
    }


def positions(ledger: Ledger) -> dict[str, int]:
    found = rows(ledger.database, "SELECT * FROM projection_position WHERE application_name LIKE '%%:%%'")
    return {row["application_name"]: row["notification_id"] for row in found}


def head(ledger: Ledger) -> int:
    return int(value(ledger.database, "SELECT position FROM head"))


def begin_anew(ledger: Ledger) -> None:
    with ledger.database.session() as cursor:
        named = ", ".join(f"{live(ledger, name)}.{table}" for table, name in TABLES.items())
        cursor.execute(f"TRUNCATE {named}, projection_fault")
        cursor.execute("UPDATE projection_position SET notification_id = 0 WHERE application_name LIKE '%:%'")


@contextmanager
def another_store(ledger: Ledger) -> Iterator[PostgresProjectionStore]:
    """As of another process."""
    database = Database(ledger.database.dsn)
    store = PostgresProjectionStore(database)
    yield store
    store.close()
    database.close()


def claims(ledger: Ledger) -> dict[str, int]:
    """How many postings each claim's row counts, by patient."""
    found = rows(
        ledger.database,
        "SELECT given_name, sum(events)::int AS n FROM claim_status JOIN people USING (person_id) GROUP BY 1",
    )
    return {row["given_name"]: row["n"] for row in found}


class Injecting(PostgresProjectionStore):
    """Something of its own is executed at the end of the next transaction."""

    sql = ""
    commits = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with super().transaction():
            yield
            self.commits += 1
            sql, self.sql = self.sql, ""
            if sql:
                self._connected().execute(sql)


def stream_of(ledger: Ledger, claim: generator.Claim) -> StreamId:
    person = ledger.ids.stream("person", "1078810412", claim.member.member_id, claim.member.given_name)
    return ledger.ids.stream("claim", "1078810412", "payer", claim.claim_number, person)


def faults(ledger: Ledger) -> list[tuple[int, str, str]]:
    found = rows(ledger.database, "SELECT DISTINCT position, stream::text, reason FROM projection_fault ORDER BY 1")
    return [(row["position"], row["stream"], row["reason"]) for row in found]


def seconds_until(reached: Callable[[], bool], at_most_s: float = 20) -> float:
    started = time.monotonic()
    while not reached():
        assert time.monotonic() - started < at_most_s, "never"
        time.sleep(0.01)
    return time.monotonic() - started
