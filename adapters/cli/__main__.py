"""`scripts/ledger`: runs a command, and says in one line what is wrong where it can't."""

import sys
from collections.abc import Callable

from psycopg import ProgrammingError
from psycopg.errors import UndefinedColumn, UndefinedFunction, UndefinedTable
from pydantic import ValidationError

from adapters.cli.commands import app
from adapters.cli.seen import NotFolded
from adapters.codes import NotAList
from adapters.crypto.key_files import KeysNotFound
from adapters.filters import NotAFilter
from adapters.openings import NotOpenings
from application.commands import IdempotencyConflict
from application.intake import NotParked, Unexplained
from application.mapper import KeyDestroyed, Unreadable
from application.ports import DependencyDown, VersionConflict
from application.requests import AccountNumber
from composition import KafkaNotSet, NotInitialised, OtherInstallation, UnknownProjection
from projections.rebuild import BeingRebuilt
from projections.runner import Overtaken

WRONG_USAGE, DEPENDENCY_DOWN = 2, 3


def main() -> int:
    return run(lambda: app(prog_name="scripts/ledger"))


def run(command: Callable[[], object]) -> int:
    """The exit status of a command: 2 for wrong usage, 3 for a dependency that is down."""
    try:
        command()
    except NotInitialised:
        return _fail(WRONG_USAGE, "the database holds no ledger yet: run `scripts/ledger init` first")
    except OtherInstallation:
        return _fail(WRONG_USAGE, "the key files belong to another ledger than this database: check LEDGER_KEYS")
    except KafkaNotSet:
        return _fail(WRONG_USAGE, "no broker is set: put its address (host:port) into LEDGER_KAFKA")
    except Unexplained:
        return _fail(WRONG_USAGE, "giving something up takes an actor and a reason")
    except AccountNumber:
        return _fail(WRONG_USAGE, "what looks like the number of a card or a bank account is never taken")
    except IdempotencyConflict:
        return _fail(WRONG_USAGE, "something else was asked for under this key or number before: take another one")
    except KeyDestroyed:
        return _fail(WRONG_USAGE, "the person's key was destroyed: nothing is recorded of them any more")
    except Unreadable as error:
        return _fail(WRONG_USAGE, f"what is recorded of it cannot be read: {error}")
    except NotParked as error:
        return _fail(WRONG_USAGE, f"nothing is parked under {error}: see `scripts/ledger parked list`")
    except (NotAList, NotAFilter, NotOpenings) as error:
        return _fail(WRONG_USAGE, str(error))
    except UnknownProjection as error:
        return _fail(WRONG_USAGE, f"no projection is called {error}: see `scripts/ledger projections list`")
    except ValidationError as error:
        # The library's own message repeats the values, which may hold a password.
        names = ", ".join(f"LEDGER_{str(e['loc'][0]).upper()} ({e['msg']})" for e in error.errors())
        return _fail(WRONG_USAGE, f"settings are wrong: {names}")
    except (UndefinedColumn, UndefinedFunction, UndefinedTable):
        return _fail(WRONG_USAGE, "the database's tables are those of another version: run `scripts/ledger init`")
    except (ProgrammingError, ValueError) as error:
        # Their words may quote a connection string or a key.
        return _fail(
            WRONG_USAGE, f"settings or keys are wrong ({type(error).__name__}): check LEDGER_DSN and LEDGER_KEYS"
        )
    except OSError as error:
        return _fail(WRONG_USAGE, f"{error.strerror or type(error).__name__}: {error.filename or ''}")
    except BeingRebuilt as error:
        return _fail(DEPENDENCY_DOWN, f"another process is rebuilding {error}: try again when it is done")
    except NotFolded:
        return _fail(
            DEPENDENCY_DOWN,
            "what was said last of who may see what is not folded yet: try again (or run `scripts/ledger project`)",
        )
    except (VersionConflict, Overtaken):
        return _fail(DEPENDENCY_DOWN, "other processes kept writing the same at the same time: try again")
    except (DependencyDown, KeysNotFound) as error:
        return _fail(DEPENDENCY_DOWN, str(error))
    except KeyboardInterrupt:
        return 130
    return 0


def _fail(status: int, message: str) -> int:
    print(f"ledger: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
