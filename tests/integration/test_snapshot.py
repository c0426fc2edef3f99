"""A snapshot: what is shown together was read as of one moment."""

from collections.abc import Iterator

import pytest
from psycopg.errors import ReadOnlySqlTransaction

from adapters.postgres.database import Database
from application.ports import DependencyDown


@pytest.fixture
def counted(database: str) -> Iterator[Database]:
    opened = Database(database)
    with opened.session() as cursor:
        cursor.execute("CREATE TABLE counted (number integer)")
    yield opened
    opened.close()


def add(database: Database) -> None:
    with database.session() as cursor:
        cursor.execute("INSERT INTO counted VALUES (1)")


def count(database: Database) -> int:
    with database.session() as cursor:
        row = cursor.execute("SELECT count(*) AS so_far FROM counted").fetchone()
    assert row is not None
    return int(row["so_far"])


def test_it_does_not_see_what_was_written_since_it_began(counted: Database) -> None:
    other = Database(counted.dsn)
    with counted.snapshot():
        before = count(counted)
        add(other)
        assert (before, count(counted), count(other)) == (0, 0, 1)
    assert count(counted) == 1
    other.close()


def test_nothing_can_be_written_in_it_and_all_is_as_before_afterwards(counted: Database) -> None:
    with pytest.raises(DependencyDown) as refused, counted.snapshot():
        add(counted)
    assert isinstance(refused.value.__cause__, ReadOnlySqlTransaction)
    add(counted)
    assert count(counted) == 1
