"""What follows from the log: the same however it is folded, whenever, and by whom."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from adapters.postgres.projection_store import PostgresProjectionStore
from application.ports import DependencyDown, Message
from composition import PROJECTIONS, Ledger
from projections.runner import Overtaken, Runner
from samples import generator
from samples.make import build
from tests.given import ADA, MEMBERS, damaged, paid, remittance, rows
from tests.integration.projecting import (
    A,
    B,
    C,
    Injecting,
    another_store,
    begin_anew,
    claims,
    faults,
    head,
    positions,
    samples_taken_in,
    seconds_until,
    stream_of,
    tables,
    taken_in,
)

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
            time.sleep(timeout_s)  # whatever comes meanwhile

    store = Deaf(ledger.database)
    with following(ledger, store) as said:
        for number in range(1, 3):
            time.sleep(0.1)
            taken_in(ledger, remittance(number, A))
            assert seconds_until(folded(ledger)) < 5
    assert said == []


def test_a_killed_connection_costs_seconds(ledger: Ledger) -> None:
    with another_store(ledger) as store, following(ledger, store) as said:
        taken_in(ledger, remittance(1, A))
        seconds_until(folded(ledger))
        kill_projector(ledger)
        taken_in(ledger, remittance(2, A))
        assert seconds_until(folded(ledger)) < 5
    assert said == ["dependency down"]
    assert claims(ledger) == {"ADA": 2}


def test_who_stands_by_takes_over_within_seconds(ledger: Ledger) -> None:
    assert ledger.projection_store.lead()
    with another_store(ledger) as store, following(ledger, store) as said:
        taken_in(ledger, remittance(1, A))
        time.sleep(0.2)
        assert not folded(ledger)()
        kill_projector(ledger)
        assert seconds_until(folded(ledger)) < 5
    assert said == []


# --- rows that cannot be read


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
