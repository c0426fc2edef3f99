"""Whose accounts and coverage a command is about."""

from collections.abc import Collection

from application.streams import account_of, coverage_stream
from composition import Ledger
from domain.enrolment import Coverage
from domain.facts import StreamId
from projections.account_queries import EARLIER_NUMBERS, PAYERS, PAYERS_OF
from projections.coverage import FACTS, coverages_in


def accounts_of(ledger: Ledger, member: str, known_at: int | None = None) -> list[StreamId]:
    """A member's account with every payer, also under earlier numbers as known at a position."""
    return [account_of(ledger.ids, *number) for number in _numbers(ledger, member, PAYERS, known_at)]


def coverages_of(ledger: Ledger, member: str, known_at: int | None = None) -> dict[StreamId, str]:
    """A member's coverage with every payer that named them, and that payer; also under earlier numbers."""
    numbers = _numbers(ledger, member, PAYERS_OF, known_at)
    return {coverage_stream(ledger.ids, *number): number[0] for number in numbers}


def states_of(ledger: Ledger, coverages: Collection[StreamId], known_at: int | None) -> dict[StreamId, Coverage]:
    """What is known of coverages; those of which nothing was said are left out."""
    with ledger.database.session() as cursor:
        rows = cursor.execute(FACTS, {"coverages": list(coverages), "known_at": known_at}).fetchall()
    return {StreamId(coverage_id): state for coverage_id, state in coverages_in(rows).items()}


def _numbers(ledger: Ledger, member: str, payers: str, known_at: int | None) -> list[tuple[str, str]]:
    """The member's number with each payer, and the numbers under which the same persons were known before."""
    with ledger.database.session() as cursor:
        asked = {"member": member, "known_at": known_at}
        now = [(row["payer_id"], member) for row in cursor.execute(payers, asked)]
        return now + [(row["payer_id"], row["member_id"]) for row in cursor.execute(EARLIER_NUMBERS, asked)]
