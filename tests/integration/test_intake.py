"""What becomes of what payers send: posted once, or parked under a name; never lost, never doubled."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import application.intake
import domain.claim
from adapters.postgres.event_log import PostgresEventLog
from adapters.x12.translate import translate
from application.intake import NotParked
from application.mapper import StoredEvent
from application.ports import (
    Batch,
    Buffer,
    DependencyDown,
    Message,
    NotUnderstood,
    Understood,
)
from composition import Ledger
from domain.facts import StreamId
from domain.parking import MessageDiscarded, MessageParked, MessageReleased
from samples import generator
from samples.make import build
from tests.given import ADA, damaged, message, messages, otherwise, paid, remittance, rows
from tests.integration.posting import (
    A,
    B,
    C,
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

# --- posted


def test_a_remittance_its_claims_and_its_persons_are_recorded(ledger: Ledger) -> None:
    outcome = take(ledger, message(remittance(1, A, B, paid("A2", ADA))))
    assert (outcome.claims, outcome.duplicates, outcome.events, outcome.parked) == (3, 0, 9, [])
    assert topics(ledger) == [
        "remittance.received",
        *("claim.adjudicated", "bill.assessed", "person.identified"),
        *("claim.adjudicated", "bill.assessed", "person.identified"),
        *("claim.adjudicated", "bill.assessed"),
    ]


def test_a_person_who_is_named_otherwise_is_identified_again(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A)))
    married = replace(ADA, family_name="THACKERBY")
    take(ledger, message(remittance(2, paid("A2", married))), message(remittance(3, paid("A3", married))))
    assert Counter(topics(ledger))["person.identified"] == 2


# --- duplicates


def test_the_same_remittance_in_another_envelope_is_a_duplicate(ledger: Ledger) -> None:
    paid_today = remittance(1, A, B)
    take(ledger, message(paid_today))
    before = topics(ledger)
    other = generator.Delimiters(element="|", component=">", repetition="!", terminator="'", line_break="")
    outcome = take(ledger, Message("file:again", generator.render(paid_today, control=99, delimiters=other)))
    assert (outcome.claims, outcome.duplicates, outcome.events, outcome.parked) == (2, 2, 0, [])
    assert topics(ledger) == before


def test_the_same_remittance_twice_in_one_batch_is_posted_once(ledger: Ledger) -> None:
    twice = message(remittance(1, A, B))
    first, second = ledger.intake.handle([twice, twice])
    assert (first.events, first.duplicates) == (7, 0)
    assert (second.events, second.duplicates) == (0, 2)
    assert postings(ledger) == 2


def test_a_file_that_repeats_a_part_of_another_posts_the_rest(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A), remittance(2, B)))
    outcome = take(ledger, message(remittance(2, B), remittance(3, C), control=2))
    assert (outcome.claims, outcome.duplicates, outcome.events) == (2, 1, 4)
    assert postings(ledger) == 3


def test_the_same_claim_twice_in_one_remittance_is_two_postings(ledger: Ledger) -> None:
    outcome = take(ledger, message(remittance(1, A, A)))
    assert (outcome.duplicates, postings(ledger)) == (0, 2)
    outcome = take(ledger, message(remittance(1, A, A)))
    assert (outcome.duplicates, postings(ledger)) == (2, 2)


# --- a claim that conflicts


def in_conflict(ledger: Ledger) -> StreamId:
    """A, B and C are posted; then the same payment comes again and says something else of A."""
    take(ledger, message(remittance(1, A, B, C)))
    outcome = take(ledger, message(remittance(1, otherwise(A), B, C), control=2))
    assert (outcome.duplicates, reasons(outcome)) == (2, ["claim.conflict"])
    return only(outcome)


def test_a_posting_that_contradicts_an_earlier_one_is_parked_and_blocks_its_claim(ledger: Ledger) -> None:
    item = ledger.log.parked_item(in_conflict(ledger))
    assert item is not None
    assert (item.reason, item.state, item.claims, item.where) == ("claim.conflict", "parked", 1, "ST 0001 claim 1")
    assert item.blocks == stream_of(ledger, A)
    assert paid_on(ledger, A) == ["2026-03-02"]


def test_the_same_conflict_again_is_the_same_item(ledger: Ledger) -> None:
    first = in_conflict(ledger)
    again = take(ledger, message(remittance(1, otherwise(A), B, C), control=3))
    assert (only(again), again.events) == (first, 0)
    assert parked(ledger) == [("claim.conflict", "parked")]


def test_later_postings_of_a_blocked_claim_wait_and_the_others_of_their_remittance_do_not(ledger: Ledger) -> None:
    in_conflict(ledger)
    outcome = take(ledger, message(remittance(2, B, A, C)), message(remittance(3, A)))
    assert (outcome.claims, reasons(outcome)) == (4, ["claim.waiting", "claim.waiting"])
    assert paid_on(ledger, A) == ["2026-03-02"]
    assert paid_on(ledger, B) == paid_on(ledger, C) == ["2026-03-02", "2026-03-03"]


def test_a_claim_is_blocked_within_the_batch_that_parks_it(ledger: Ledger) -> None:
    outcome = take(ledger, *messages([remittance(1, A), remittance(1, otherwise(A)), remittance(2, A, B)]))
    assert reasons(outcome) == ["claim.conflict", "claim.waiting"]
    assert (paid_on(ledger, A), paid_on(ledger, B)) == (["2026-03-02"], ["2026-03-03"])


def test_a_duplicate_of_a_blocked_claim_is_a_duplicate(ledger: Ledger) -> None:
    in_conflict(ledger)
    outcome = take(ledger, message(remittance(1, A, B, C), control=7))
    assert (outcome.duplicates, outcome.parked) == (3, [])


def test_a_retry_of_what_still_conflicts_leaves_everything_as_it_was(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    take(ledger, message(remittance(2, A)))
    before = topics(ledger), parked(ledger)
    assert not ledger.intake.retry(item)
    assert (topics(ledger), parked(ledger)) == before


def test_what_waits_is_not_retried_out_of_its_turn(ledger: Ledger) -> None:
    in_conflict(ledger)
    first = only(take(ledger, message(remittance(2, A))))
    second = only(take(ledger, message(remittance(3, A))))
    assert not ledger.intake.retry(second)
    assert not ledger.intake.retry(first)
    assert paid_on(ledger, A) == ["2026-03-02"]


def test_a_discard_is_on_record_and_lets_what_waited_follow_in_its_order(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    for number in (4, 2, 3):  # the order of arrival counts, not of the days
        take(ledger, message(remittance(number, A)))
    ledger.intake.discard(item, "ops@example", "sent in error")
    assert paid_on(ledger, A) == ["2026-03-02", "2026-03-05", "2026-03-03", "2026-03-04"]
    assert parked(ledger) == [("claim.conflict", "discarded"), *[("claim.waiting", "released")] * 3]
    *_, last = ledger.log.history(item)
    assert ledger.mapper.load(last.stored) == MessageDiscarded(actor="ops@example", reason="sent in error")
    assert take(ledger, message(remittance(5, A))).parked == []


def test_what_was_discarded_stays_so_when_it_is_sent_again(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    ledger.intake.discard(item, "ops", "sent in error")
    again = take(ledger, message(remittance(1, otherwise(A), B, C), control=3))
    assert (again.events, parked(ledger)) == (0, [("claim.conflict", "discarded")])


def test_discarding_what_waits_leaves_the_others_waiting(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    waits = [only(take(ledger, message(remittance(number, A)))) for number in (2, 3)]
    ledger.intake.discard(waits[0], "ops", "sent in error")
    assert [state for _, state in parked(ledger)] == ["parked", "discarded", "parked"]
    ledger.intake.discard(item, "ops", "sent in error")
    assert paid_on(ledger, A) == ["2026-03-02", "2026-03-04"]


def test_what_waited_and_was_discarded_stays_so_when_its_claim_is_free_again(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A, B)))
    conflicts = [part.parked_id for part in take(ledger, message(remittance(1, otherwise(A), otherwise(B)))).parked]
    second = message(remittance(2, A, B), control=7)
    _, second_waits = [part.parked_id for part in take(ledger, second).parked]
    ledger.intake.discard(second_waits, "ops", "sent in error")
    for conflict in conflicts:
        ledger.intake.discard(conflict, "ops", "sent in error")
    assert (paid_on(ledger, A), paid_on(ledger, B)) == (["2026-03-02", "2026-03-03"], ["2026-03-02"])
    again = take(ledger, second)
    assert (again.events, reasons(again)) == (0, ["claim.discarded"])
    assert paid_on(ledger, B) == ["2026-03-02"]


def test_news_of_an_erased_person_is_parked_and_the_others_go_on(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A, B)))
    [event] = [ledger.mapper.load(recorded.stored) for recorded in ledger.log.history(stream_of(ledger, A))]
    assert isinstance(event, domain.claim.ClaimAdjudicated)
    ledger.keys.destroy(event.person)
    assert reasons(take(ledger, message(remittance(2, A, B)))) == ["person.erased"]
    assert (paid_on(ledger, A), paid_on(ledger, B)) == (["2026-03-02"], ["2026-03-02", "2026-03-03"])


@pytest.mark.parametrize("settled", [True, False], ids=["settled before", "never parked"])
def test_only_what_is_parked_can_be_retried_or_discarded(ledger: Ledger, settled: bool) -> None:
    item = in_conflict(ledger)
    if settled:
        ledger.intake.discard(item, "ops", "sent in error")
    else:
        item = stream_of(ledger, A)
    before = topics(ledger)
    with pytest.raises(NotParked):
        ledger.intake.retry(item)
    with pytest.raises(NotParked):
        ledger.intake.discard(item, "ops", "again")
    assert topics(ledger) == before


def test_a_retry_that_succeeds_releases_what_waited_in_its_order(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = only(take(ledger, message(remittance(9, replace(A, status="99"), B))))
    for number in (4, 2, 3):
        take(ledger, message(remittance(number, A)))
    assert parked(ledger) == [("claim.unknown_status", "parked"), *[("claim.waiting", "parked")] * 3]
    assert paid_on(ledger, A) == []
    monkeypatch.setitem(domain.claim._POSTED_AS, "99", domain.claim.ClaimAdjudicated)
    assert ledger.intake.retry(item)
    assert paid_on(ledger, A) == ["2026-03-10", "2026-03-05", "2026-03-03", "2026-03-04"]
    assert {state for _, state in parked(ledger)} == {"released"}
    assert paid_on(ledger, B) == ["2026-03-10"]


def test_a_retry_stops_where_the_next_one_does_not_go_through(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    take(ledger, message(remittance(2, replace(A, status="99"))))
    take(ledger, message(remittance(3, A)))
    ledger.intake.discard(item, "ops", "sent in error")
    assert [state for _, state in parked(ledger)] == ["discarded", "parked", "parked"]
    assert paid_on(ledger, A) == ["2026-03-02"]


# --- larger units


def changed(taken: Message, old: bytes, new: bytes) -> Message:
    data = bytes(taken.value[:])
    assert old in data
    return taken._replace(value=data.replace(old, new, 1))


def test_a_transaction_that_does_not_balance_is_parked_whole_and_the_others_are_posted(ledger: Ledger) -> None:
    taken = changed(message(remittance(1, A, B), remittance(2, C)), b"BPR*I*160*", b"BPR*I*161*")
    outcome = take(ledger, taken)
    assert (outcome.claims, reasons(outcome)) == (3, ["transaction.unbalanced"])
    item = ledger.log.parked_item(only(outcome))
    assert item is not None
    assert (item.claims, item.blocks, item.where) == (2, None, "ST 0001 BPR02")
    assert item.detail == "BPR02: transaction.unbalanced, 160.00 expected, 161.00 stated"
    assert paid_on(ledger, A) == paid_on(ledger, B) == []
    assert paid_on(ledger, C) == ["2026-03-03"]


def test_a_broken_envelope_parks_its_whole_interchange(ledger: Ledger) -> None:
    good, cut = message(remittance(1, A)), message(remittance(2, B), remittance(3, C))
    whole = bytes(cut.value[:])
    outcome = take(ledger, cut._replace(value=whole[: whole.index(b"IEA")]), good)
    assert (outcome.claims, reasons(outcome)) == (3, ["x12.missing_iea"])
    assert outcome.parked[0].park.claims == 2
    assert postings(ledger) == 1


def test_a_claim_whose_patient_is_not_said_is_parked_and_blocks_nothing(ledger: Ledger) -> None:
    outcome = take(ledger, changed(message(remittance(1, A, B)), b"*MI*NHP100000001", b""))
    assert reasons(outcome) == ["claim.unidentified"]
    item = ledger.log.parked_item(only(outcome))
    assert item is not None
    assert (item.blocks, item.claims) == (None, 1)
    assert paid_on(ledger, B) == ["2026-03-02"]
    assert take(ledger, message(remittance(2, A))).parked == []


def test_a_payment_that_comes_with_other_totals_is_parked_whole(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A)))
    outcome = take(ledger, message(remittance(1, A, B)))
    assert (reasons(outcome), outcome.parked[0].park.claims) == (["remittance.conflict"], 2)
    assert paid_on(ledger, B) == []
    assert take(ledger, message(remittance(2, A))).parked == []


def test_a_payment_that_is_made_again_with_other_words_is_a_duplicate(ledger: Ledger) -> None:
    first = message(remittance(1, A, B))
    take(ledger, first)
    reworded = changed(changed(first, b"N1*PR*", b"N1*PR*THE "), b"BPR*I*", b"BPR*H*")
    again = take(ledger, reworded)
    assert (again.events, again.duplicates, again.parked) == (0, 2, [])


def test_the_same_imbalance_in_another_envelope_is_the_same_item(ledger: Ledger) -> None:
    first, second = (
        changed(message(remittance(1, A, B), control=control), b"BPR*I*", b"BPR*I*1") for control in (1, 2)
    )
    assert first.value != second.value
    assert only(take(ledger, first)) == only(take(ledger, second))
    assert parked(ledger) == [("transaction.unbalanced", "parked")]


def test_a_control_number_that_is_none_is_not_repeated_in_the_clear(ledger: Ledger) -> None:
    odd = changed(changed(message(remittance(1, A)), b"ST*835*0001", b"ST*835*JANE DOE"), b"*0001~", b"*JANE DOE~")
    broken = changed(odd, b"BPR*I*", b"BPR*I*1")
    [part] = take(ledger, broken).parked
    assert "JANE" not in part.park.where


def test_a_member_id_without_end_is_parked(ledger: Ledger) -> None:
    endless = replace(A, member=replace(ADA, member_id="9" * 3_000))
    assert reasons(take(ledger, message(remittance(1, endless)))) == ["835.element_too_long"]


def test_many_that_wait_follow_one_after_the_other(ledger: Ledger) -> None:
    item = in_conflict(ledger)
    for day in range(2, 26):
        take(ledger, message(remittance(day, A)))
    ledger.intake.discard(item, "ops", "sent in error")
    assert len(paid_on(ledger, A)) == 25


def test_a_message_that_is_too_large_is_parked_unread(ledger: Ledger) -> None:
    small, large = message(remittance(1, A)), message(remittance(2, B, C))
    limit = len(small.value)
    first, second = intake(ledger, max_message_bytes=limit).handle([small, large])
    assert (first.parked, reasons(second)) == ([], ["message.too_large"])
    item = ledger.log.parked_item(only(second))
    assert item is not None
    assert item.detail == f"{len(large.value)} bytes, the limit is {limit}"
    assert ledger.intake.raw(item.raw_id) == large.value
    assert ledger.intake.retry(item.parked_id)
    assert postings(ledger) == 3


def test_an_empty_message_is_parked(ledger: Ledger) -> None:
    outcome = take(ledger, Message("topic/0@1", b""))
    assert reasons(outcome) == ["message.empty"]
    assert ledger.intake.raw(raw_ids(ledger)[0]) == b""


class Puzzled(Exception):
    pass


def puzzled_by_the_second(data: Buffer) -> Iterator[Understood | NotUnderstood]:
    """A translation with a fault in it."""
    for number, part in enumerate(translate(data)):
        if number == 1:
            raise Puzzled("ABERNOLT")
        yield part


def test_a_fault_of_ours_parks_the_message_and_the_others_go_on(ledger: Ledger) -> None:
    taken = message(remittance(1, A), remittance(2, B)), message(remittance(3, C))
    first, second = intake(ledger, translates=puzzled_by_the_second).handle(taken)
    assert (reasons(first), second.parked) == (["message.failed"], [])
    item = ledger.log.parked_item(only(first))
    assert item is not None
    assert item.detail == "Puzzled"
    assert (paid_on(ledger, A), paid_on(ledger, B), paid_on(ledger, C)) == (["2026-03-02"], [], ["2026-03-04"])
    assert ledger.intake.retry(item.parked_id)
    assert (paid_on(ledger, A), paid_on(ledger, B)) == (["2026-03-02"], ["2026-03-03"])


# --- what is kept


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(
    st.binary(max_size=2000).filter(lambda data: not data[:1].isspace() and data[:1] != b"\x1a")
)  # which is space too
def test_bytes_that_are_no_message_come_back_exactly(ledger: Ledger, data: bytes) -> None:
    item = ledger.log.parked_item(only(take(ledger, Message("topic/0@1", data))))
    assert item is not None
    assert ledger.intake.raw(item.raw_id) == data


def test_a_parked_transaction_is_kept_as_a_message_of_its_own(ledger: Ledger) -> None:
    unbalanced = changed(message(remittance(1, A), remittance(2, B)), b"BPR*I*80*", b"BPR*I*81*")
    item = ledger.log.parked_item(only(take(ledger, unbalanced)))
    assert item is not None
    kept = ledger.intake.raw(item.raw_id)
    [one] = [part for part in translate(kept) if isinstance(part, Understood)]
    [same, _] = [part for part in translate(unbalanced.value) if isinstance(part, Understood)]
    assert one.remittance == same.remittance


def test_several_items_of_one_transaction_share_what_is_kept(ledger: Ledger) -> None:
    take(ledger, message(remittance(1, A, B)))
    outcome = take(ledger, message(remittance(1, otherwise(A), otherwise(B))))
    assert len(outcome.parked) == 2
    assert len(raw_ids(ledger)) == 1


def test_nothing_of_what_is_kept_can_be_read_in_the_database(ledger: Ledger) -> None:
    in_conflict(ledger)
    take(ledger, Message("topic/0@1", b"ABERNOLT is not X12 " * 50))
    secrets = [b"ABERNOLT", b"NHP100000001", b"*PTA", b"*CLP*", b"ISA*"]
    kept = [bytes(row["sealed"]) for row in rows(ledger.database, "SELECT sealed FROM parked_raw")]
    assert len(kept) == 2
    assert not [secret for secret in secrets for sealed in kept if secret in sealed]
    told = "".join(row["told"] for row in rows(ledger.database, "SELECT parked::text AS told FROM parked"))
    assert not [secret for secret in secrets if secret.decode() in told]


def test_the_parked_table_is_what_the_events_say(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for sample in build():
        if sample.parked or not sample.path.startswith("bad/"):
            ledger.intake.handle_file(Message(f"file:{sample.path}", sample.data))
    ledger.intake.discard(in_conflict(ledger), "ops", "sent in error")
    odd = message(remittance(9, replace(A, status="99")), source="topic/0@9")
    released = only(take(ledger, odd))
    waits = take(ledger, message(remittance(3, A, B)))
    with monkeypatch.context() as mended:
        mended.setitem(domain.claim._POSTED_AS, "99", domain.claim.ClaimAdjudicated)
        assert ledger.intake.retry(released)
    # The claim cannot be read any more, so what was released from waiting is parked again, for another reason.
    with damaged(ledger.log, stream_of(ledger, A)):
        again = take(ledger, message(remittance(3, A, B), source="topic/0@10"))
    assert again.parked[0].parked_id == waits.parked[0].parked_id
    assert reasons(again) == ["stream.unreadable"]

    replayed: dict[str, dict[str, Any]] = {}
    for row in rows(
        ledger.database,
        "SELECT originator_id::text, originator_version, topic, state FROM events "
        "WHERE topic LIKE 'message.%%' ORDER BY notification_id",
    ):
        stored = StoredEvent(*row.values())
        event = ledger.mapper.load(stored)
        if isinstance(event, MessageParked):
            replayed[stored.originator_id] = {**msgspec.structs.asdict(event), "state": "parked"}
        else:
            assert isinstance(event, MessageReleased | MessageDiscarded)
            replayed[stored.originator_id]["state"] = "released" if isinstance(event, MessageReleased) else "discarded"
    table = {
        item.parked_id: {k: v for k, v in item._asdict().items() if k not in ("parked_id", "parked_at")}
        for item in ledger.log.parked_items(include_settled=True)
    }
    assert table == replayed
    assert {row["state"] for row in table.values()} == {"parked", "released", "discarded"}


# --- files


def test_a_large_file_is_taken_in_some_claims_at_a_time_and_again_where_it_broke_off(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.intake, "FILE_BATCH_CLAIMS", 2)

    class Breaks(PostgresEventLog):
        appended = 0

        def append(self, batch: Batch) -> int:
            self.appended += 1
            if self.appended == 3:
                raise DependencyDown("PostgreSQL: gone")
            return super().append(batch)

    log = Breaks(ledger.database)
    large = message(*(remittance(number, A, B) for number in range(1, 6)))
    with pytest.raises(DependencyDown):
        intake(ledger, log=log).handle_file(large)
    assert postings(ledger) == 4
    outcome = intake(ledger, log=log).handle_file(large)
    assert (outcome.claims, outcome.duplicates) == (10, 4)
    assert (log.appended, postings(ledger)) == (3 + 5, 10)
