"""The event library's own cases for recorders, on ours: what it promises its users holds for this log too."""

from collections.abc import Iterator, Sequence
from typing import Any

import eventsourcing.persistence as library
import pytest
from eventsourcing.tests import persistence as cases

from adapters.postgres.database import Database
from adapters.postgres.event_log import PostgresEventLog


class OnOurRecorder:
    """Each case gets a recorder over an empty database; afterwards its positions are 1 to n."""

    database: Database

    @pytest.fixture(autouse=True)
    def _opened(self, database: str) -> Iterator[None]:
        self.database = Database(database)
        yield
        with self.database.session() as cursor:
            found = cursor.execute(
                "SELECT count(*) AS events, coalesce(max(notification_id), 0) AS last, "
                "(SELECT position FROM head) AS head FROM events"
            ).fetchone()
        self.database.close()
        assert found is not None
        assert found["events"] == found["last"] == found["head"]

    def create_recorder(self) -> PostgresEventLog:
        recorder = self.new_recorder()
        recorder.create_table()
        return recorder

    def new_recorder(self) -> PostgresEventLog:
        return PostgresEventLog(self.database)


class TestAsProcessRecorder(OnOurRecorder, cases.ProcessRecorderTestCase):
    pass


class TestAsApplicationRecorder(OnOurRecorder, cases.ApplicationRecorderTestCase[Any]):
    def test_insert_subscribe(self) -> None:
        # The library leaves this one to those recorders that can be subscribed to.
        self.optional_test_insert_subscribe()


class TestAsTrackingRecorder(OnOurRecorder, cases.TrackingRecorderTestCase):
    pass


class TestPositionsDoNotInterleave(OnOurRecorder, cases.NonInterleavingNotificationIDsBaseCase):
    pass


class WithoutPositions(PostgresEventLog):
    def insert_events(self, stored_events: Sequence[library.StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class TestAsAggregateRecorder(OnOurRecorder, cases.AggregateRecorderTestCase):
    def new_recorder(self) -> PostgresEventLog:
        # The case wants None from `insert_events`, as an aggregate recorder gives no positions. Ours is an application
        # recorder as well, and these do give them (the cases above want just that): so only the answer is left out.
        return WithoutPositions(self.database)
