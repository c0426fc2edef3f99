"""Which bills a member owes of, from what is projected."""

from collections.abc import Collection, Mapping, Sequence

from adapters.postgres.database import Database
from application.ids import Ids
from application.streams import Member, account_of
from domain.facts import StreamId
from projections.account_queries import OWED_BILLS


class PostgresBills:
    """Implements the application's Bills port."""

    def __init__(self, database: Database, ids: Ids) -> None:
        self._database = database
        self._ids = ids

    def owed_by(self, members: Collection[Member]) -> Mapping[Member, Sequence[StreamId]]:
        payers, numbers = zip(*members, strict=True)
        accounts = [account_of(self._ids, *member) for member in members]
        found: dict[Member, list[StreamId]] = {member: [] for member in members}
        with self._database.session() as cursor:
            for row in cursor.execute(
                OWED_BILLS, {"payers": list(payers), "members": list(numbers), "accounts": accounts}
            ):
                found[Member(row["payer_id"], row["asked"])].append(StreamId(row["bill_id"]))
        return found
