"""What claims say goes into the accounts of their bills: next to a claim's own event, or later, all at once."""

from collections.abc import Callable, Iterable, Sequence

from application.mapper import Mapper
from application.ports import EventLog, VersionConflict
from application.unit_of_work import UnitOfWork
from domain import account, claim
from domain.claim import Claim
from domain.facts import StreamId

BATCH_CLAIMS = 2_000


def load_bills(work: UnitOfWork, claims: Iterable[StreamId], loaded: set[StreamId]) -> None:
    """Every bill that the claims ever named, but for those that are loaded already.

    Where a claim's last posting is taken back, the bill of an earlier one may be the claim's again.
    """
    said = (said for stream in claims for said in work.state(stream, claim).said)
    work.load({each.bill: account for each in said if each.bill is not None and each.bill not in loaded})


def assess(work: UnitOfWork, stream: StreamId, before: Claim) -> int:
    """Record what a claim says by now, and how that changes its bill; how many events that took.

    A claim that names its day of service late goes over from one bill to another.
    """
    after: Claim = work.state(stream, claim)
    (old_bill, old_word), (bill, word) = map(account.last_word, (before, after))
    words = {old_bill: account.NOTHING} if old_word != account.NOTHING else {}
    if word != account.NOTHING:
        words[bill] = word
    recorded = 0
    for name, each in words.items():
        # Behind an event that cannot be read a bill stays as it is, like everything else.
        if name is not None and name not in work.unreadable:
            decided = account.assess(work.state(name, account), account.Assess(stream, each, after.said[-1].day))
            work.record(name, account, *decided)
            recorded += len(decided)
    return recorded


def enter_claims(
    log: EventLog, mapper: Mapper, progress: Callable[[int], None] = lambda _: None, limit: int = BATCH_CLAIMS
) -> int:
    """Enter every claim of the log that is not in its bill's account yet; how many events that took.

    For claims that were recorded before accounts were kept. May run beside everything else, and be run again.
    """
    recorded, last = 0, StreamId("00000000-0000-0000-0000-000000000000")
    while claims := log.claims(last, limit):
        recorded += _entered(log, mapper, claims)
        last = claims[-1]
        progress(len(claims))
    return recorded


def _entered(log: EventLog, mapper: Mapper, claims: Sequence[StreamId]) -> int:
    while True:
        work = UnitOfWork(log, mapper)
        work.load(dict.fromkeys(claims, claim))
        readable = [stream for stream in claims if stream not in work.unreadable]
        load_bills(work, readable, set())
        recorded = sum(assess(work, stream, claim.INITIAL) for stream in readable)
        try:
            work.append()
        except VersionConflict:
            continue  # somebody else has moved one of them on, so it is further than before
        return recorded
