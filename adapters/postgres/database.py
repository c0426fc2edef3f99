"""Connections: a pool that any connection string configures, and what PostgreSQL's errors mean to the application."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, TupleRow, dict_row

from application.ports import DependencyDown

LOCK_TIMEOUT_S = 10


class Database(PostgresDatastore):
    """The library's datastore, opened by a connection string instead of five settings.

    So `sslmode`, several hosts, service files and whatever else libpq knows are at hand. Connections are checked when
    they are taken from the pool: after a server's restart it would hand out dead ones. Each is made when it is asked
    for: a pool that makes one at its start makes another for whoever comes before that is there, and takes turns.
    """

    def __init__(self, dsn: str, *, pool_size: int = 0, max_overflow: int = 10) -> None:
        super().__init__(dbname="", host="", port="", user="", password="", lock_timeout=LOCK_TIMEOUT_S)
        # A server that falls silent costs seconds: without these a dead peer is noticed after two hours.
        silence = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
        self.dsn = make_conninfo(dsn, application_name="member-ledger", connect_timeout=5, **silence)
        self._snapshot = threading.local()
        self.pool = ConnectionPool(
            self.dsn,
            connection_class=Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=pool_size,
            max_size=pool_size + max_overflow,
            open=False,
            timeout=5.0,
            reconnect_timeout=5.0,  # as long as callers wait, or they wait in vain for a server that is back
            configure=_configure,
            check=ConnectionPool.check_connection,
        )

    def register_type_adapters(self) -> None:
        """They serve the library's functions inside the database, which are off. So nobody asks the server while a log
        is being made, where an answer that does not come would not be a dependency that is down."""

    def connect(self) -> Connection[TupleRow]:
        """A connection of its own, outside the pool: for LISTEN and for session-wide locks."""
        with down_is_named():
            return psycopg.connect(self.dsn, autocommit=True)

    @contextmanager
    def session(self) -> Iterator[Cursor[DictRow]]:
        """A cursor in a transaction: the snapshot's inside of one, else its own.

        Raises DependencyDown where the server can't do it now.
        """
        snapshot: Connection[DictRow] | None = getattr(self._snapshot, "connection", None)
        with down_is_named():
            if snapshot is not None:
                yield snapshot.cursor()
                return
            self.pool.open(wait=False)
            with self.pool.connection() as connection, connection.transaction():
                yield connection.cursor()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All sessions of this thread in it read as of one moment, and none of them can write. Within another one it is
        that one."""
        if getattr(self._snapshot, "connection", None) is not None:
            yield
            return
        with self.session() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._snapshot.connection = cursor.connection
            try:
                yield
            finally:
                self._snapshot.connection = None


def _configure(connection: Connection[DictRow]) -> None:
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    # A process that is frozen inside its transaction may hold the log's head: it must not stop everyone for long.
    connection.execute("SET idle_in_transaction_session_timeout = '15s'")


@contextmanager
def down_is_named() -> Iterator[None]:
    """Turn what passes by itself, or once there is room, into DependencyDown; errors about data stay as they are."""
    try:
        yield
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.IdleInTransactionSessionTimeout,  # we were frozen, and the server hung up
        psycopg.errors.ReadOnlySqlTransaction,  # a failover: this server is not the primary any more
    ) as error:
        # A lost connection has no SQLSTATE; a full disk, a deadlock or a shutdown is the server's own answer.
        does = "refuses" if error.sqlstate else "does not answer"
        raise DependencyDown(f"PostgreSQL {does} ({type(error).__name__})") from error
