"""The shipped samples, end to end: what is posted, what is a duplicate, what is parked and why."""

from application.ports import Message
from composition import Ledger
from samples.make import build


def test_samples_become_events_and_claim_status(ledger: Ledger) -> None:
    posted = duplicates = 0
    for sample in build():
        outcome = ledger.intake.handle_file(Message("file:sample", sample.data))
        parked = sum(part.park.claims for part in outcome.parked)
        assert outcome.duplicates == sample.duplicates, sample.path
        assert outcome.claims - outcome.duplicates - parked == sample.posted, sample.path
        assert bool(outcome.parked) == bool(sample.parked), sample.path
        posted += sample.posted
        duplicates += sample.duplicates
    ledger.runner.catch_up()
    with ledger.database.session() as cursor:
        row = cursor.execute("SELECT sum(events) AS events FROM claim_status").fetchone()
        log = cursor.execute("SELECT count(*) AS events, max(notification_id) AS head FROM events").fetchone()
    assert row is not None
    assert row["events"] == posted
    assert log is not None
    assert log["events"] == log["head"]


def test_a_second_run_changes_nothing(ledger: Ledger) -> None:
    samples = build()
    for sample in samples:
        ledger.intake.handle_file(Message("file:first", sample.data))
    for sample in samples:
        outcome = ledger.intake.handle_file(Message("file:second", sample.data))
        assert outcome.events == 0, sample.path
        assert outcome.duplicates + sum(part.park.claims for part in outcome.parked) == outcome.claims
