"""What a batch meets: history that cannot be read, faults while writing, other writers."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.positions import PostgresPositions
from adapters.settings import Settings
from application.intake import ATTEMPTS, Outcome
from application.ports import (
    Batch,
    DependencyDown,
    Message,
    OffsetAdvance,
    StaleSource,
    VersionConflict,
)
from composition import Ledger, open_ledger
from tests.given import ADA, BENITO, CARMEN, damaged, message, messages, otherwise, paid, remittance, rows, value
from tests.integration.posting import (
    A,
    B,
    intake,
    only,
    paid_on,
    parked,
    postings,
    raw_ids,
    reasons,
    stream_of,
    take,
    topics,
)

# --- history that cannot be read


def test_a_claim_whose_history_cannot_be_read_is_parked_and_the_others_go_on(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A, B)))
    with damaged(ledger.log, stream_of(ledger, A)):
        outcome = take(ledger, message(remittance(2, A, B)))
        assert reasons(outcome) == ["stream.unreadable"]
        item = ledger.log.parked_item(only(outcome))
        assert item is not None
        assert item.blocks == stream_of(ledger, A)
        assert not ledger.intake.retry(item.parked_id)
    assert (len(paid_on(ledger, A)), len(paid_on(ledger, B))) == (1, 2)
    assert ledger.intake.retry(item.parked_id)
    assert len(paid_on(ledger, A)) == 2


def test_a_remittance_whose_history_cannot_be_read_is_parked_whole(ledger: Ledger) -> None:
    first = remittance(1, A, B)
    take(ledger, message(first))
    with damaged(ledger.log, ledger.ids.stream("remittance", "1078810412", first.trace_number, "2026-03-02")):
        outcome = take(ledger, message(first), message(remittance(2, A)))
        assert reasons(outcome) == ["stream.unreadable"]
        assert outcome.parked[0].park.claims == 2
    assert len(paid_on(ledger, A)) == 2
    assert ledger.intake.retry(only(outcome))


def test_claims_of_a_person_whose_history_cannot_be_read_are_parked_every_time(ledger: Ledger) -> None:
    married = replace(ADA, family_name="THACKERBY")
    take(ledger, message(remittance(1, A)), message(remittance(2, paid("A2", married))))
    person = ledger.ids.stream("person", "1078810412", ADA.member_id, "ADA")
    with damaged(ledger.log, person, version=2):
        fresh = intake(ledger)  # which has not read the person before
        for number in (3, 4):
            [outcome] = fresh.handle([message(remittance(number, paid(f"A{number}", ADA), B))])
            assert reasons(outcome) == ["stream.unreadable"]
    assert len(paid_on(ledger, B)) == 2


# --- faults while writing


class Faulty(PostgresEventLog):
    """Fails once: before it writes, or after it wrote, so that only the answer is lost."""

    def __init__(self, log: PostgresEventLog, *, written: bool) -> None:
        super().__init__(log.database)
        self.written, self.failed = written, False

    def append(self, batch: Batch) -> int:
        if self.failed:
            return super().append(batch)
        self.failed = True
        if self.written:
            super().append(batch)
        raise DependencyDown("PostgreSQL: the answer was lost")


def test_a_batch_whose_answer_was_lost_is_a_duplicate_the_next_time(ledger: Ledger) -> None:
    faulty = intake(ledger, log=Faulty(ledger.log, written=True))
    taken = [message(remittance(1, A, B)), Message("topic/0@1", b"no X12")]
    with pytest.raises(DependencyDown):
        faulty.handle(taken)
    before = topics(ledger)
    first, second = faulty.handle(taken)
    assert (first.events, first.duplicates, second.events) == (0, 2, 0)
    assert topics(ledger) == before
    assert before[:2] == ["remittance.received", "claim.adjudicated"]


def test_a_batch_whose_answer_was_lost_is_stale_where_offsets_were_written(ledger: Ledger) -> None:
    positions = PostgresPositions(ledger.database)
    positions.next_offset("id", "payer.remittances", 0)
    faulty = intake(ledger, log=Faulty(ledger.log, written=True))
    advance = [OffsetAdvance("id", 0, 0, 1)]
    with pytest.raises(DependencyDown):
        faulty.handle([message(remittance(1, A))], advance)
    with pytest.raises(StaleSource):
        faulty.handle([message(remittance(1, A))], advance)
    assert (positions.next_offset("id", "payer.remittances", 0), postings(ledger)) == (1, 1)


def test_what_failed_to_be_written_is_not_taken_for_known(ledger: Ledger) -> None:
    faulty = intake(ledger, log=Faulty(ledger.log, written=False))
    taken = [message(remittance(1, A, B))]
    with pytest.raises(DependencyDown):
        faulty.handle(taken)
    assert topics(ledger) == []
    [outcome] = faulty.handle(taken)
    assert outcome.events == 7
    assert Counter(topics(ledger)) == {
        "remittance.received": 1,
        "claim.adjudicated": 2,
        "bill.assessed": 2,
        "person.identified": 2,
    }


def test_what_is_known_of_a_person_is_not_changed_by_a_batch_that_fails(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A)))
    renamed = [message(remittance(2, replace(A, member=replace(ADA, family_name="LOVELACE"))))]
    with pytest.raises(StaleSource):
        ledger.intake.handle(renamed, [OffsetAdvance("no such source", 0, 0, 1)])
    take(ledger, *renamed)
    [person] = rows(ledger.database, "SELECT DISTINCT originator_id FROM events WHERE topic LIKE %s", "person%")
    versions = [recorded.stored.originator_version for recorded in ledger.log.history(str(person["originator_id"]))]
    assert versions == [1, 2]


def test_offsets_advance_with_what_came_of_their_messages_or_not_at_all(ledger: Ledger) -> None:
    positions = PostgresPositions(ledger.database)
    positions.next_offset("id", "payer.remittances", 0)
    with pytest.raises(StaleSource):
        ledger.intake.handle([message(remittance(1, A))], [OffsetAdvance("id", 0, 7, 8)])
    assert (topics(ledger), raw_ids(ledger)) == ([], [])
    ledger.intake.handle([message(remittance(1, A))], [OffsetAdvance("id", 0, 0, 8)])
    assert positions.next_offset("id", "payer.remittances", 0) == 8
    ledger.intake.handle([], [OffsetAdvance("id", 0, 8, 9)])
    assert positions.next_offset("id", "payer.remittances", 0) == 9
    assert postings(ledger) == 1


# --- other writers


def test_a_person_whom_another_writer_changed_meanwhile_is_read_again(ledger: Ledger) -> None:
    here, there = intake(ledger), intake(ledger)
    here.handle([message(remittance(1, A))])
    there.handle([message(remittance(2, paid("A2", replace(ADA, family_name="THACKERBY"))))])
    here.handle([message(remittance(3, paid("A3", replace(ADA, family_name="ZELENKOVA"))))])
    here.handle([message(remittance(4, paid("A4", ADA)))])
    person = ledger.ids.stream("person", "1078810412", ADA.member_id, "ADA")
    names = [ledger.mapper.unseal(at.stored, ledger.mapper.load(at.stored)) for at in ledger.log.history(person)]
    assert [name.family_name for name in names] == ["ABERNOLT", "THACKERBY", "ZELENKOVA", "ABERNOLT"]


def test_a_writer_that_never_wins_says_so_and_has_written_nothing(ledger: Ledger) -> None:
    class Beaten(PostgresEventLog):
        attempts = 0

        def append(self, batch: Batch) -> int:
            self.attempts += 1
            raise VersionConflict

    beaten = Beaten(ledger.database)
    with pytest.raises(VersionConflict):
        intake(ledger, log=beaten).handle([message(remittance(1, A))])
    assert beaten.attempts == ATTEMPTS


def test_writers_that_race_on_the_same_claims_lose_nothing_and_double_nothing(
    ledger: Ledger, settings: Settings
) -> None:
    everybody = [paid(f"{number}", member) for number in range(6) for member in (ADA, BENITO, CARMEN)]
    sent = messages([remittance(number, *everybody) for number in range(1, 13)])
    conflicting = [message(remittance(number, otherwise(everybody[0]), *everybody[1:])) for number in (3, 7)]
    together = threading.Barrier(3)

    def write(order: Sequence[Message]) -> Outcome:
        own, total = open_ledger(settings), Outcome()
        together.wait()
        for start in range(0, len(order), 2):
            while True:
                try:
                    outcomes = own.intake.handle(order[start : start + 2])
                except VersionConflict:
                    continue
                for outcome in outcomes:
                    total.add(outcome)
                break
        own.close()
        return total

    with ThreadPoolExecutor(3) as pool:
        totals = list(pool.map(write, [sent, sent[::-1], sent[4:] + sent[:4]]))
    distinct = len(everybody) * len(sent)
    assert sum(total.claims for total in totals) == 3 * distinct
    assert sum(total.duplicates for total in totals) == 2 * distinct
    assert [total.parked for total in totals] == [[], [], []]
    recorded = Counter(topics(ledger))
    assert (
        0 < recorded.pop("bill.assessed") <= distinct
    )  # where a later word came first, an earlier one changes nothing
    assert recorded == {"remittance.received": len(sent), "claim.adjudicated": distinct, "person.identified": 3}
    assert sum(total.events for total in totals) == len(topics(ledger))
    assert all(len(paid_on(ledger, each)) == len(set(paid_on(ledger, each))) == len(sent) for each in everybody)
    assert value(ledger.database, "SELECT max(notification_id) FROM events") == len(topics(ledger))
    assert reasons(take(ledger, *conflicting)) == ["claim.conflict"] * 2


def test_writers_that_race_to_park_the_same_conflict_park_it_once(ledger: Ledger, settings: Settings) -> None:
    together = threading.Barrier(2)

    def write(order: Sequence[Message]) -> None:
        own = open_ledger(settings)
        together.wait()
        for each in order:
            own.intake.handle([each])
        own.close()

    take(ledger, *(message(remittance(number, A)) for number in range(1, 6)))
    conflicts = [message(remittance(number, otherwise(A))) for number in range(1, 6)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [conflicts, conflicts]))
    assert parked(ledger) == [("claim.conflict", "parked")] * 5
    assert Counter(topics(ledger))["message.parked"] == 5
