from collections.abc import Iterator

import pytest

from composition import Ledger
from tests.given import damaged, remittance
from tests.integration.projecting import A, B, Injecting, stream_of, taken_in


@pytest.fixture
def injecting(ledger: Ledger) -> Iterator[Injecting]:
    store = Injecting(ledger.database)
    yield store
    store.close()


@pytest.fixture
def faulty(ledger: Ledger) -> Iterator[tuple[int, str, str]]:
    """A and B have three postings each; the second one of A is corrupt: position, stream and reason."""
    taken_in(ledger, *(remittance(number, A, B) for number in (1, 2, 3)))
    stream = stream_of(ledger, A)
    with damaged(ledger.log, stream, version=2):
        yield ledger.log.history(stream)[1].position, stream, "corrupt state (DecodeError)"
