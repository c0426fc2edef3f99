"""What follows from the log: the same however it is folded, whenever, and by whom."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import projections.claim_history
import projections.payers
import projections.people
from adapters.postgres.database import Database
from adapters.postgres.overview import overview
from adapters.postgres.projection_store import REBUILD_LOCK, PostgresProjectionStore
from adapters.settings import Settings
from application.openings import Opening, load
from application.ports import DependencyDown, Format, Message
from application.requests import Question, comparison_of, statement_of
from application.streams import Member
from composition import PROJECTIONS, Ledger, initialise, open_ledger
from domain.comparison import Compare, Kind, Option
from domain.facts import StreamId
from domain.money import Money
from domain.remittance import RemittanceReceived
from domain.request import Answer
from projections.projection import Change, Projected, Projection, Read, Statement
from projections.rebuild import BeingRebuilt, Rebuilt
from projections.runner import Overtaken, Runner
from samples import generator
from samples.make import build
from tests.given import ADA, BENITO, CARMEN, MEMBERS, damaged, message, paid, remittance, rows, value
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
    question = Question(Kind.BENEFITS, DAY, None, is_family=False)
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


# --- the same, however it is folded


def test_a_fresh_replay_of_the_samples_gives_the_same_rows(ledger: Ledger) -> None:
    samples_taken_in(ledger)
    assert ledger.runner.catch_up() == head(ledger)
    before = tables(ledger)
    assert all(before.values())
    begin_anew(ledger)
    assert not any(tables(ledger).values())
    Runner(ledger.projection_store, ledger.mapper, PROJECTIONS).catch_up()
    assert tables(ledger) == before
    assert set(positions(ledger).values()) == {head(ledger)}


def test_rows_that_were_folded_while_files_came_in_are_those_of_one_replay(ledger: Ledger) -> None:
    for sample in build():
        ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
        ledger.runner.catch_up()
    before = tables(ledger)
    begin_anew(ledger)
    ledger.runner.catch_up()
    assert tables(ledger) == before


def test_one_event_at_a_time_gives_what_one_batch_gives(ledger: Ledger) -> None:
    samples_taken_in(ledger)
    ledger.runner.catch_up()
    before = tables(ledger)
    begin_anew(ledger)
    steps = 0
    while ledger.runner.step(limit=1):
        steps += 1
    assert steps == head(ledger)
    assert tables(ledger) == before


POSTINGS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(MEMBERS[:2]), st.sampled_from(["1", "2", "4", "22", "23", "25"])),
    min_size=1,
    max_size=8,
)


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(st.lists(POSTINGS, min_size=1, max_size=4), st.lists(st.integers(1, 9), min_size=1))
def test_the_size_of_a_batch_does_not_matter(
    ledger: Ledger, payments: list[list[tuple[str, generator.Member, str]]], limits: list[int]
) -> None:
    first = head(ledger) + 1  # the log goes on growing from example to example
    for number, postings in enumerate(payments, first):
        made = [as_status(paid(claim, member), status) for claim, member, status in postings]
        carried = generator.ProviderAdjustment("FB", "R", min(0, sum(each.paid_cents for each in made)))
        taken_in(ledger, replace_adjustments(number, made, carried))
    for turn in range(10_000):
        if not ledger.runner.step(limits[turn % len(limits)]):
            break
    before = tables(ledger)
    begin_anew(ledger)
    ledger.runner.catch_up()
    assert tables(ledger) == before


def as_status(claim: generator.Claim, status: str) -> generator.Claim:
    """Some of them say when the service was for the whole claim, the others for its line only."""
    if status in ("1", "4"):
        claim = replace(claim, statement=(date(2026, 2, 1), date(2026, 2, int(status))))
    return generator.reversal(claim) if status == "22" else replace(claim, status=status)


def replace_adjustments(
    number: int, made: Sequence[generator.Claim], carried: generator.ProviderAdjustment
) -> generator.Remittance:
    empty = remittance(number)
    return replace(empty, claims=tuple(made), adjustments=(carried,) if carried.cents else ())


# --- position and rows together


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


@pytest.fixture
def injecting(ledger: Ledger) -> Iterator[Injecting]:
    store = Injecting(ledger.database)
    yield store
    store.close()


KILL_MYSELF = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.mark.parametrize(
    ("sql", "error"), [(KILL_MYSELF, DependencyDown), ("SELECT 1 / 0", psycopg.errors.DivisionByZero)]
)
def test_rows_and_position_are_written_together_or_not_at_all(
    ledger: Ledger, injecting: Injecting, sql: str, error: type[Exception]
) -> None:
    taken_in(ledger, remittance(1, A, B))
    runner = Runner(injecting, ledger.mapper, PROJECTIONS)
    injecting.sql = sql
    with pytest.raises(error):
        runner.step()
    assert set(positions(ledger).values()) == {0}
    assert not any(tables(ledger).values())
    injecting.close()
    assert runner.step() == 7
    assert injecting.commits == 2  # the one that failed, and one for everything
    assert set(positions(ledger).values()) == {7}
    assert claims(ledger) == {"ADA": 1, "BENITO": 1}


def test_after_a_lost_connection_a_new_step_works_once_the_store_was_closed(
    ledger: Ledger, injecting: Injecting
) -> None:
    runner = Runner(injecting, ledger.mapper, PROJECTIONS)
    assert injecting.lead()
    kill_projector(ledger)
    taken_in(ledger, remittance(1, A))
    with pytest.raises(DependencyDown):
        runner.catch_up()
    injecting.close()
    assert runner.catch_up() == 4


def test_who_was_overtaken_writes_nothing(ledger: Ledger, injecting: Injecting) -> None:
    taken_in(ledger, remittance(1, A, B))
    runner = Runner(injecting, ledger.mapper, PROJECTIONS)
    events = injecting.events

    def overtaken(after: int, limit: int) -> Any:
        injecting.events = events  # type: ignore[method-assign]
        found = events(after, limit)
        ledger.runner.step()
        return found

    injecting.events = overtaken  # type: ignore[method-assign]
    with pytest.raises(Overtaken):
        runner.step()
    assert claims(ledger) == {"ADA": 1, "BENITO": 1}
    assert runner.step() == 0


# --- one of several


def kill_projector(ledger: Ledger) -> None:
    """Terminate whoever leads."""
    killed = rows(
        ledger.database,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    assert len(killed) == 1


def test_one_leads_and_the_others_stand_by(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A))
    with another_store(ledger) as other:
        assert ledger.projection_store.lead()
        assert ledger.projection_store.lead()
        assert not other.lead()
        assert Runner(other, ledger.mapper, PROJECTIONS).catch_up() == 0
        assert ledger.runner.catch_up() == 4
        ledger.projection_store.close()
        seconds_until(other.lead)  # the server hears of it a moment later
        assert not ledger.projection_store.lead()


def test_another_takes_over_when_the_leaders_connection_dies(ledger: Ledger) -> None:
    with another_store(ledger) as other:
        assert ledger.projection_store.lead()
        kill_projector(ledger)
        assert other.lead()
        taken_in(ledger, remittance(1, A))
        with pytest.raises(DependencyDown):
            ledger.runner.step()
        ledger.projection_store.close()
        assert not ledger.projection_store.lead()
        assert ledger.runner.catch_up() == 0
        assert Runner(other, ledger.mapper, PROJECTIONS).catch_up() == 4


# --- following the log


@contextmanager
def following(ledger: Ledger, store: PostgresProjectionStore) -> Iterator[list[str]]:
    """A projector as the command line runs it; what it had to say of itself."""
    stopped, said = threading.Event(), list[str]()

    def follow() -> None:
        runner = Runner(store, ledger.mapper, PROJECTIONS)
        while not stopped.is_set():
            try:
                runner.run(stopped.is_set)
            except DependencyDown:
                said.append("dependency down")
                store.close()
                stopped.wait(1.0)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield said
    finally:
        stopped.set()
        with ledger.database.session() as cursor:
            cursor.execute("NOTIFY events")
        thread.join(10)
        store.close()
        assert not thread.is_alive()


def seconds_until(reached: Callable[[], bool], at_most_s: float = 20) -> float:
    started = time.monotonic()
    while not reached():
        assert time.monotonic() - started < at_most_s, "never"
        time.sleep(0.01)
    return time.monotonic() - started


def folded(ledger: Ledger) -> Callable[[], bool]:
    return lambda: set(positions(ledger).values()) == {head(ledger)}


def test_a_hint_is_enough(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.runner.POLL_S", 60.0)
    with another_store(ledger) as store, following(ledger, store) as said:
        for number in range(1, 4):
            time.sleep(0.1)
            taken_in(ledger, remittance(number, A))
            assert seconds_until(folded(ledger)) < 5
    assert said == []


def test_no_hint_is_needed(ledger: Ledger) -> None:
    class Deaf(PostgresProjectionStore):
        def wait(self, timeout_s: float) -> None:
            self._connected().execute("UNLISTEN *")
            super().wait(timeout_s)

    store = Deaf(ledger.database)
    with following(ledger, store) as said:
        for number in range(1, 3):
            time.sleep(0.1)
            taken_in(ledger, remittance(number, A))
            assert 0.3 < seconds_until(folded(ledger)) < 2.5
    assert said == []


def test_a_killed_connection_costs_two_seconds_at_most(ledger: Ledger) -> None:
    with another_store(ledger) as store, following(ledger, store) as said:
        taken_in(ledger, remittance(1, A))
        seconds_until(folded(ledger))
        kill_projector(ledger)
        taken_in(ledger, remittance(2, A))
        assert seconds_until(folded(ledger)) < 2.5
    assert said == ["dependency down"]
    assert claims(ledger) == {"ADA": 2}


def test_who_stands_by_takes_over_within_two_seconds(ledger: Ledger) -> None:
    assert ledger.projection_store.lead()
    with another_store(ledger) as store, following(ledger, store) as said:
        taken_in(ledger, remittance(1, A))
        time.sleep(0.2)
        assert not folded(ledger)()
        kill_projector(ledger)
        assert seconds_until(folded(ledger)) < 2.5
    assert said == []


# --- rows that cannot be read


def stream_of(ledger: Ledger, claim: generator.Claim) -> StreamId:
    person = ledger.ids.stream("person", "1078810412", claim.member.member_id, claim.member.given_name)
    return ledger.ids.stream("claim", "1078810412", "payer", claim.claim_number, person)


def faults(ledger: Ledger) -> list[tuple[int, str, str]]:
    found = rows(ledger.database, "SELECT DISTINCT position, stream::text, reason FROM projection_fault ORDER BY 1")
    return [(row["position"], row["stream"], row["reason"]) for row in found]


@pytest.fixture
def faulty(ledger: Ledger) -> Iterator[tuple[int, str, str]]:
    """A and B have three postings each; the second one of A is corrupt: position, stream and reason."""
    taken_in(ledger, *(remittance(number, A, B) for number in (1, 2, 3)))
    stream = stream_of(ledger, A)
    with damaged(ledger.log, stream, version=2):
        yield ledger.log.history(stream)[1].position, stream, "corrupt state (DecodeError)"


def test_an_unreadable_event_is_named_and_holds_up_its_own_stream_only(
    ledger: Ledger, faulty: tuple[int, str, str]
) -> None:
    ledger.runner.catch_up()
    assert faults(ledger) == [faulty]
    assert claims(ledger) == {"ADA": 1, "BENITO": 3}
    taken_in(ledger, remittance(4, B, C))
    Runner(ledger.projection_store, ledger.mapper, PROJECTIONS).catch_up()
    assert claims(ledger) == {"ADA": 1, "BENITO": 4, "CARMEN": 1}
    assert faults(ledger) == [faulty]
    assert set(positions(ledger).values()) == {head(ledger)}


@pytest.mark.parametrize("limit", [1, 2, 4000])
def test_a_stream_stays_set_aside_in_later_batches(ledger: Ledger, faulty: tuple[int, str, str], limit: int) -> None:
    while ledger.runner.step(limit):
        pass
    assert (faults(ledger), claims(ledger)) == ([faulty], {"ADA": 1, "BENITO": 3})


def test_a_replay_sets_aside_from_the_same_event_on(ledger: Ledger, faulty: tuple[int, str, str]) -> None:
    ledger.runner.catch_up()
    before = tables(ledger)
    begin_anew(ledger)
    Runner(ledger.projection_store, ledger.mapper, PROJECTIONS).catch_up()
    assert tables(ledger) == before
    assert faults(ledger) == [faulty]


def test_a_fault_is_not_forgotten_when_its_commit_fails(
    ledger: Ledger, injecting: Injecting, faulty: tuple[int, str, str]
) -> None:
    runner = Runner(injecting, ledger.mapper, PROJECTIONS)
    injecting.sql = KILL_MYSELF
    with pytest.raises(DependencyDown):
        runner.step()
    assert faults(ledger) == []
    injecting.close()
    runner.catch_up()
    assert (faults(ledger), claims(ledger)) == ([faulty], {"ADA": 1, "BENITO": 3})


def test_a_leader_knows_what_another_set_aside_meanwhile(ledger: Ledger, injecting: Injecting) -> None:
    taken_in(ledger, remittance(1, A, B))
    ledger.runner.step()
    taken_in(ledger, remittance(2, A, B))
    with damaged(ledger.log, stream_of(ledger, A), version=2):
        Runner(injecting, ledger.mapper, PROJECTIONS).step()
    taken_in(ledger, remittance(3, A, B))
    ledger.runner.step()
    assert claims(ledger) == {"ADA": 1, "BENITO": 3}


def test_personal_facts_that_do_not_open_hold_up_their_person_only(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A, B))
    path = ledger.settings.keys_folder / "persons.keys"
    content = path.read_bytes()
    path.write_bytes(content[:16] + bytes([content[16] ^ 1]) + content[17:])
    ledger.keys._ciphers.clear()
    ledger.runner.catch_up()
    assert len(tables(ledger)["people"]) == 1
    assert len(tables(ledger)["claim_history"]) == 2
    [(_, _, reason)] = faults(ledger)
    assert reason == "personal facts do not open (WrongKey)"


# --- who a person is


def everything_but_people(ledger: Ledger) -> str:
    names = rows(
        ledger.database,
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'v') AND relname <> 'people' "
        "AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = 'public' OR nspname LIKE '%%\\_g_')",
    )
    assert len(names) > 10
    found = [row for name in names for row in rows(ledger.database, f"SELECT * FROM {name['name']}")]
    return "\n".join(
        held.decode("latin-1") if isinstance(held, bytes) else str(held) for row in found for held in row.values()
    )


def test_only_people_tells_who_a_person_is(ledger: Ledger) -> None:
    samples_taken_in(ledger)
    ledger.runner.catch_up()
    sent = [claim for sample in build() for each in sample.remittances for claim in each.claims]
    secrets = {claim.claim_number for claim in sent}
    secrets |= {claim.patient_control for claim in sent}
    secrets |= {line.control for claim in sent for line in claim.lines}
    secrets |= {claim.member.member_id for claim in sent}
    secrets |= {claim.member.family_name for claim in sent}
    secrets.discard("")
    assert len(secrets) > 500
    people = "\n".join(str(row) for row in rows(ledger.database, "SELECT * FROM people"))
    assert [secret for secret in secrets if secret in people]
    told = everything_but_people(ledger)
    assert "claim.adjudicated:2" in told
    assert [secret for secret in secrets if secret in told] == []


def test_who_was_erased_is_missing_from_a_fresh_replay_and_their_claims_are_not(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A, B))
    ledger.runner.catch_up()
    before = tables(ledger)
    erased = ledger.ids.stream("person", "1078810412", ADA.member_id, "ADA")
    ledger.keys.destroy(erased)
    begin_anew(ledger)
    ledger.runner.catch_up()
    after = tables(ledger)
    assert after["claim_history"] == before["claim_history"]
    assert after["people"] == [row for row in before["people"] if str(row["person_id"]) != erased]
    assert len(after["people"]) == 1
    assert faults(ledger) == []


# --- a new version


class NewPayers:
    """A second version of a projection, which counts."""

    NAME, VERSION = "payers", 2
    EVENTS = (RemittanceReceived,)
    OPENS_PERSONAL = False
    TABLES = """
        CREATE TABLE payers (
            payer_id text PRIMARY KEY, name text NOT NULL, position bigint NOT NULL, remittances integer NOT NULL,
            projected_at timestamptz NOT NULL DEFAULT now()
        )
    """
    VIEWS = """
        CREATE OR REPLACE VIEW public.payers AS SELECT payer_id, name, position, remittances FROM payers;
        CREATE OR REPLACE VIEW public.payer_activity AS SELECT payer_id, remittances FROM public.payers;
    """
    UPSERT = """
        INSERT INTO payers AS old (payer_id, name, position, remittances)
        SELECT payer_id, max(name), max(position), count(*)
        FROM json_to_recordset(%(rows)s::json) AS row (payer_id text, name text, position bigint) GROUP BY payer_id
        ON CONFLICT (payer_id) DO UPDATE SET
            position = excluded.position, remittances = old.remittances + excluded.remittances
    """

    def fold(self, events: Sequence[Projected], read: Read) -> Sequence[Change]:
        said = [
            {"payer_id": each.event.payer.payer_id, "name": each.event.payer.name, "position": each.position}
            for each in events
            if isinstance(each.event, RemittanceReceived)
        ]
        return [Statement(self.UPSERT, json.dumps(said).encode())]


NEW: tuple[Projection, ...] = (projections.claim_history, projections.people, NewPayers())


def test_new_code_does_not_fold_into_old_tables_and_the_others_go_on(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    taken_in(ledger, remittance(1, A, B))
    ledger.runner.catch_up()
    before = tables(ledger)["payers"]
    taken_in(ledger, remittance(2, A, C))
    ledger.projection_store.prepare(NEW)
    Runner(ledger.projection_store, ledger.mapper, NEW).catch_up()
    moved = positions(ledger)
    assert (moved["claim_history:1"], moved["people:1"], moved["payers:1"]) == (head(ledger), head(ledger), 7)
    assert tables(ledger)["payers"] == before
    assert claims(ledger) == {"ADA": 2, "BENITO": 1, "CARMEN": 1}
    assert capsys.readouterr().out.count("projection.needs_rebuild") == 1
    states = {row["projection"]: row["state"] for row in overview(ledger.database, NEW, embedded=True)["projections"]}
    assert states == {"claim_history": "live", "people": "live", "payers": "needs_rebuild"}


def test_a_rebuild_puts_the_new_version_in_the_old_ones_place(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in range(1, 4)))
    ledger.runner.catch_up()
    before = rows(ledger.database, "SELECT * FROM payers")
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    runner = Runner(ledger.projection_store, ledger.mapper, NEW)
    taken_in(ledger, remittance(4, A, C))
    runner.catch_up()
    assert ledger.rebuild("payers") == Rebuilt("payers", 2, events=17, rows=1, only_in_old=0, only_in_new=0)
    [row] = rows(ledger.database, "SELECT * FROM payers")
    assert row == before[0] | {"remittances": 3}  # as far as the old one was
    runner.catch_up()
    folded = {name: head(ledger) for name in ("claim_history:1", "people:1", "payers:2")}
    assert folded.items() <= positions(ledger).items()
    assert value(ledger.database, "SELECT remittances FROM payers") == 4
    assert ledger.rebuild("payers")[3:] == (1, 0, 0)  # but for `projected_at`


def test_what_an_earlier_version_left_half_built_is_built_anew(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in range(1, 4)))
    ledger.runner.catch_up()
    killed_after(settings, "payers", batches=2)
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    assert ledger.rebuild("payers").events == head(ledger)
    assert value(ledger.database, "SELECT remittances FROM payers") == 3


# --- rebuilding


def schemas(ledger: Ledger) -> set[str]:
    return {
        row["nspname"] for row in rows(ledger.database, "SELECT nspname FROM pg_namespace WHERE nspname ~ '_g[0-9]'")
    }


def state(ledger: Ledger) -> list[tuple[str, int, str]]:
    found = overview(ledger.database, PROJECTIONS, embedded=True)["projections"]
    return [(row["projection"], row["generation"], row["state"]) for row in found]


def test_a_rebuild_gives_what_was_folded_on_the_way(ledger: Ledger) -> None:
    for sample in build():
        ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
        ledger.runner.catch_up()
    before, seen = tables(ledger), claims(ledger)
    for name in NAMES:
        told: list[tuple[int, int]] = []
        rebuilt = ledger.rebuild(name, lambda built, live: told.append((built, live)), limit=100)  # noqa: B023
        assert rebuilt == Rebuilt(
            name, 2, head(ledger), sum(len(before[table]) for table, of in TABLES.items() if of == name), 0, 0
        )
        assert told == [(min(at, head(ledger)), head(ledger)) for at in range(100, head(ledger) + 100, 100)]
    assert (tables(ledger), claims(ledger)) == (before, seen)
    assert schemas(ledger) == {f"{name}_g2" for name in NAMES}
    assert state(ledger) == [(name, 2, "live") for name in sorted(NAMES)]
    assert positions(ledger) == {f"{name}:2": head(ledger) for name in NAMES}
    taken_in(ledger, remittance(1, paid("A", CARMEN)))
    ledger.runner.catch_up()
    assert len(tables(ledger)["claim_history"]) == len(before["claim_history"]) + 1


def test_a_row_that_was_tampered_with_is_found_counted_and_mended(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A, B, C), remittance(2, A))
    ledger.runner.catch_up()
    before = tables(ledger)
    with ledger.database.session() as cursor:
        cursor.execute("UPDATE claim_history_g1.claim_history SET paid_cents = paid_cents + 1 WHERE events = 2")
        first = "SELECT min(position) FROM claim_history"
        cursor.execute(f"DELETE FROM claim_history_g1.claim_history WHERE position = ({first})")
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 2, 13, rows=4, only_in_old=1, only_in_new=2)
    assert tables(ledger) == before
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 3, 13, rows=4, only_in_old=0, only_in_new=0)


def test_rows_that_stand_twice_are_told_apart_from_those_that_stand_once(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    with ledger.database.session() as cursor:
        cursor.execute("ALTER TABLE payers_g1.payers DROP CONSTRAINT payers_pkey")
        cursor.execute("INSERT INTO payers_g1.payers SELECT p.* FROM payers_g1.payers p, generate_series(1, 2)")
    assert ledger.rebuild("payers")[3:] == (1, 2, 0)


def rebuild_until_killed(settings: Settings, name: str, batches: int) -> None:
    told: list[int] = []

    def progress(built: int, _live: int) -> None:
        told.append(built)
        if len(told) == batches:
            os.kill(os.getpid(), signal.SIGKILL)

    open_ledger(settings).rebuild(name, progress, limit=2)


def killed_after(settings: Settings, name: str, batches: int) -> None:
    """A process that rebuilds two events a batch, and is killed between two of them."""
    process = multiprocessing.get_context("spawn").Process(target=rebuild_until_killed, args=(settings, name, batches))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    lock = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
    with psycopg.connect(str(settings.dsn), autocommit=True) as connection:  # the server hears of it a moment later
        seconds_until(lambda: not connection.execute(lock, [REBUILD_LOCK]).fetchall())


def test_a_rebuild_that_was_killed_goes_on_where_it_was(ledger: Ledger, settings: Settings) -> None:
    taken_in(ledger, *(remittance(number, A, B, C) for number in range(1, 8)))
    assert ledger.runner.catch_up() == 52
    before = tables(ledger)
    killed_after(settings, "claim_history", batches=3)
    killed_after(settings, "claim_history", batches=2)
    of_claims = [each for each in state(ledger) if each[0] == "claim_history"]
    assert of_claims == [("claim_history", 1, "live"), ("claim_history", 2, "building")]
    assert positions(ledger)["claim_history:2"] == 10
    assert tables(ledger) == before
    assert ledger.rebuild("claim_history") == Rebuilt("claim_history", 2, 42, rows=21, only_in_old=0, only_in_new=0)
    assert tables(ledger) == before


def test_of_two_rebuilds_at_once_the_second_is_refused(ledger: Ledger) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()

    def second(built: int, _live: int) -> None:
        with pytest.raises(BeingRebuilt, match="people"):
            ledger.rebuild("people")
        assert ledger.rebuild("payers").generation == 1 + built  # another one does not mind

    assert ledger.rebuild("people", second, limit=1).events == 4
    assert ledger.rebuild("people").generation == 3


def test_what_is_unreadable_is_left_out_by_each_generation_by_itself(
    ledger: Ledger, faulty: tuple[int, str, str]
) -> None:
    ledger.runner.catch_up()
    assert ledger.rebuild("claim_history")[3:] == (4, 0, 0)
    assert faults(ledger) == [faulty]
    assert claims(ledger) == {"ADA": 1, "BENITO": 3}
    taken_in(ledger, remittance(4, B))
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1, "BENITO": 4}


def test_what_can_be_read_again_is_there_after_a_rebuild_and_not_before(ledger: Ledger) -> None:
    taken_in(ledger, *(remittance(number, A, B) for number in (1, 2, 3)))
    with damaged(ledger.log, stream_of(ledger, A), version=2):
        ledger.runner.catch_up()
    taken_in(ledger, remittance(4, A, B))
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1, "BENITO": 4}
    assert ledger.rebuild("claim_history")[3:] == (8, 1, 4)
    assert claims(ledger) == {"ADA": 4, "BENITO": 4}
    left = rows(ledger.database, "SELECT DISTINCT name FROM projection_fault ORDER BY 1")
    assert [row["name"] for row in left] == sorted(NAMES - {"claim_history"})


def test_nothing_is_lost_while_the_log_grows_and_readers_notice_nothing(ledger: Ledger, settings: Settings) -> None:
    """Rebuilds beside a writer with a projector, and readers who look all the time."""
    samples_taken_in(ledger)
    ledger.runner.catch_up()
    stopped, looks = threading.Event(), Counter[str]()

    def write() -> int:
        number = 0
        with closing(open_ledger(settings)) as mine:
            while not stopped.is_set():
                number += 1
                taken_in(mine, remittance(number, paid(f"N{number}", MEMBERS[number % 3])))
                with suppress(Overtaken):
                    mine.runner.catch_up()
            mine.runner.catch_up()
        return number

    def look(sql: str) -> None:
        rows_before = 1
        with psycopg.connect(str(settings.dsn), autocommit=True) as connection:
            while not stopped.is_set():
                [(found,)] = connection.execute(sql).fetchall()
                assert found >= rows_before
                rows_before = found
                looks[sql] += 1

    ledger.projection_store.close()
    before = head(ledger)
    with ThreadPoolExecutor(1 + len(NAMES)) as pool:
        try:
            writing = pool.submit(write)
            reading = [
                pool.submit(look, f"SELECT count(*) FROM {name}")
                for name in NAMES - {"accumulators", "coverage", "family"}
            ]
            for generation, names in ((2, NAMES), (3, {"claim_history"})):
                for name in names:
                    rebuilt = ledger.rebuild(name, limit=100)
                    assert (rebuilt.generation, rebuilt.only_in_old, rebuilt.only_in_new) == (generation, 0, 0)
        finally:
            stopped.set()
        for reader in reading:
            reader.result(30)
        messages = writing.result(30)
    assert min(looks.values()) > 50
    assert head(ledger) - before >= messages * 2
    assert value(ledger.database, "SELECT count(*) FROM claim_status WHERE position > %s", before) == messages
    assert set(positions(ledger).values()) == {head(ledger)}
    after = tables(ledger)
    begin_anew(ledger)
    ledger.runner.catch_up()
    assert tables(ledger) == after


def test_a_projector_that_was_in_the_middle_of_a_batch_writes_nothing_to_what_was_dropped(
    ledger: Ledger, injecting: Injecting
) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    taken_in(ledger, remittance(2, A, B))
    runner, events = Runner(injecting, ledger.mapper, PROJECTIONS), injecting.events

    def exchanged(after: int, limit: int) -> Any:
        injecting.events = events  # type: ignore[method-assign]
        ledger.rebuild("claim_history")
        return events(after, limit)

    injecting.events = exchanged  # type: ignore[method-assign]
    with pytest.raises(Overtaken, match="claim_history:1"):
        runner.step()
    assert set(positions(ledger).values()) == {4}
    assert runner.step() == 6
    assert claims(ledger) == {"ADA": 2, "BENITO": 1}


def test_a_reader_in_a_long_transaction_is_waited_for_and_others_read_meanwhile(
    ledger: Ledger, settings: Settings
) -> None:
    taken_in(ledger, remittance(1, A))
    ledger.runner.catch_up()
    dsn = str(settings.dsn)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(dsn) as holder:
        held = holder.execute("SELECT * FROM claim_status").fetchall()
        rebuilding = pool.submit(ledger.rebuild, "claim_history")
        slowest = 0.0
        with psycopg.connect(dsn, autocommit=True) as other:
            for _ in range(40):
                began = time.monotonic()
                assert other.execute("SELECT count(*) FROM claim_status").fetchone() == (1,)
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.05)
        assert not rebuilding.done()
        assert slowest < 1.5
        assert holder.execute("SELECT * FROM claim_status").fetchall() == held
        holder.rollback()
        assert rebuilding.result(10).generation == 2
    assert claims(ledger) == {"ADA": 1}


@pytest.mark.parametrize("views", [("payers", "payer_activity"), ("payer_activity", "payers")])
def test_a_reader_of_several_views_is_no_victim_of_a_deadlock(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch, views: tuple[str, str]
) -> None:
    monkeypatch.setattr("composition.PROJECTIONS", NEW)
    taken_in(ledger, remittance(1, A))
    ledger.rebuild("payers")
    with ThreadPoolExecutor(1) as pool, psycopg.connect(str(settings.dsn)) as reader:
        reader.execute(f"SELECT * FROM {views[0]}")
        rebuilding = pool.submit(ledger.rebuild, "payers")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        seconds_until(lambda: bool(value(ledger.database, waiting)))
        reader.execute(f"SELECT * FROM {views[1]}")
        assert not rebuilding.done()
        reader.commit()
        assert rebuilding.result(10).generation == 3


# --- what version 0.1.0 left


def test_the_tables_of_0_1_0_are_dropped_and_folded_again(ledger: Ledger, settings: Settings) -> None:
    taken_in(ledger, remittance(1, A))
    with ledger.database.session() as cursor:
        for name in NAMES:
            cursor.execute(f"DROP SCHEMA {name}_g1 CASCADE")
        for name in ("claim_status", "people", "payers"):
            cursor.execute(f"CREATE TABLE {name}_1 (of_its_time text)")
            cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM {name}_1")
        cursor.execute("DROP TABLE projection_fault, projection_generation")
        cursor.execute("CREATE TABLE projection_fault (position bigint PRIMARY KEY)")
        cursor.execute("UPDATE projection_position SET notification_id = 3 WHERE application_name LIKE '%:%'")
    initialise(settings).close()
    assert positions(ledger) == {f"{name}:1": 0 for name in NAMES}
    ledger.runner.catch_up()
    assert claims(ledger) == {"ADA": 1}
    assert value(ledger.database, "SELECT to_regclass('claim_status_1')") is None
    initialise(settings).close()
    assert set(positions(ledger).values()) == {4}
