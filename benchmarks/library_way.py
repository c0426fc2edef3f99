"""The same claims in the event library's own way: an aggregate and a save a claim, one event projected at a time.

As its documentation shows it: an `Application`, an `Aggregate` with decorated commands, a `Projection` with a view
over its tracking recorder, run by `ProjectionRunner` in a process of its own.
"""

import os
import time
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from benchmarks.floor import Segments, claims_of, consumer
from benchmarks.workers import Figures, Stopped, serve


class Claim(Aggregate):
    @event("Registered")
    def __init__(self, number: str, member: str) -> None:
        self.number = number
        self.member = member

    @staticmethod
    def create_id(number: str, member: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"/claims/{number}/{member}")

    @event("Adjudicated")
    def adjudicate(self, member: str, status: str, charge: str, paid: str, segments: Segments) -> None:
        self.member = member
        self.status = status
        self.charge = charge
        self.paid = paid
        self.segments = segments


class Claims(Application[UUID]):
    def adjudicate(self, segments: Segments) -> None:
        clp, patient = segments[0], segments[1]
        number, member = clp[6], patient[9]
        try:
            claim: Claim = self.repository.get(Claim.create_id(number, member))
        except AggregateNotFoundError:
            claim = Claim(number, member)
        claim.adjudicate(member, clp[1], clp[2], clp[3], segments[1:])
        self.save(claim)


class ClaimStatus(PostgresTrackingRecorder):
    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS library_status "
                "(claim_id uuid PRIMARY KEY, member text, status text, charge text, paid text, postings integer)"
            ).format()
        )

    def adjudicated(self, claim_id: UUID, adjudicated: Any, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(
                "INSERT INTO library_status AS old VALUES (%s, %s, %s, %s, %s, 1) ON CONFLICT (claim_id) DO UPDATE SET "
                "status = excluded.status, charge = excluded.charge, paid = excluded.paid, postings = old.postings + 1",
                (claim_id, adjudicated.member, adjudicated.status, adjudicated.charge, adjudicated.paid),
                prepare=True,
            )
            self._insert_tracking(cursor, tracking)


class ClaimStatusProjection(Projection[ClaimStatus]):
    name = "claim_status"
    topics = (get_topic(Claim.Adjudicated),)  # type: ignore[attr-defined] # made by the decorator

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        pass

    @process_event.register(Claim.Adjudicated)  # type: ignore[attr-defined]
    def adjudicated(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.adjudicated(domain_event.originator_id, domain_event, tracking)


def consume(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    claims = Claims(_environment(options["dsn"]))
    polls = consumer(options["bootstrap"], [options["topic"]])
    left = int(options["claims"])
    ready()
    began = time.monotonic()
    while left > 0 and not stopped():
        for records in polls.poll(timeout_ms=500, max_records=1).values():
            for record in records:
                for _, segments in claims_of(record.value):
                    claims.adjudicate(segments)
                    left -= 1
    polls.close()
    claims.close()
    return {"began": began, "claims": int(options["claims"]) - left}


def project(options: dict[str, str], stopped: Stopped, ready: Callable[[], None]) -> Figures:
    with ProjectionRunner(
        application_class=Claims,
        projection_class=ClaimStatusProjection,
        view_class=ClaimStatus,
        env=_environment(options["dsn"]),
    ) as runner:
        ready()
        while not stopped():
            runner.run_forever(timeout=0.1)
    return {}


def _environment(dsn: str) -> dict[str, str]:
    where = conninfo_to_dict(dsn)
    os.environ.setdefault("PGAPPNAME", "library-way")
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(where["dbname"]),
        "POSTGRES_HOST": str(where["host"]),
        "POSTGRES_PORT": str(where.get("port", 5432)),
        "POSTGRES_USER": str(where["user"]),
        "POSTGRES_PASSWORD": str(where.get("password") or "unused"),
    }


if __name__ == "__main__":
    serve({"consume": consume, "project": project})
