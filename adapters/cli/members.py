"""Whose accounts and coverage a command is about."""

from application.identification import account_of, coverage_stream
from composition import Ledger
from domain.facts import StreamId
from projections.account_queries import PAYERS, PAYERS_OF


def accounts_of(ledger: Ledger, member: str) -> list[StreamId]:
    """A member's account with every payer."""
    with ledger.database.session() as cursor:
        payers = cursor.execute(PAYERS, {"member": member}).fetchall()
    return [account_of(ledger.ids, row["payer_id"], member) for row in payers]


def coverages_of(ledger: Ledger, member: str) -> dict[StreamId, str]:
    """A member's coverage with every payer that named them, and that payer."""
    with ledger.database.session() as cursor:
        payers = cursor.execute(PAYERS_OF, {"member": member}).fetchall()
    return {coverage_stream(ledger.ids, row["payer_id"], member): row["payer_id"] for row in payers}
