"""Whose accounts a command is about."""

from application.identification import account_of
from composition import Ledger
from domain.facts import StreamId
from projections.account_queries import PAYERS


def accounts_of(ledger: Ledger, member: str) -> list[StreamId]:
    """A member's account with every payer."""
    with ledger.database.session() as cursor:
        payers = cursor.execute(PAYERS, {"member": member}).fetchall()
    return [account_of(ledger.ids, row["payer_id"], member) for row in payers]
