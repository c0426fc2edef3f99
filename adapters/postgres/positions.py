"""The ledger's positions in its sources, as the poll loop needs them."""

from adapters.postgres.database import Database


class PostgresPositions:
    """Implements the loop's Positions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_offset(self, topic_id: str, topic: str, partition: int) -> int:
        with self._database.session() as cursor:
            cursor.execute(
                "INSERT INTO source_offset (topic_id, partition, topic, next_offset) VALUES (%s, %s, %s, 0) "
                "ON CONFLICT DO NOTHING",
                [topic_id, partition, topic],
            )
            cursor.execute(
                "SELECT next_offset FROM source_offset WHERE topic_id = %s AND partition = %s",
                [topic_id, partition],
            )
            row = cursor.fetchone()
        assert row is not None, "the row is there or was just made"
        next_offset: int = row["next_offset"]
        return next_offset

    def alarm(self, topic_id: str, partition: int, alarm: str) -> None:
        with self._database.session() as cursor:
            cursor.execute(
                "UPDATE source_offset SET alarm = %s WHERE topic_id = %s AND partition = %s",
                [alarm, topic_id, partition],
            )
