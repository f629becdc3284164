"""Usage events in PostgreSQL: each once, however often it comes."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic import BaseModel

from database import Database
from events import UsageEvent

# Not in postgres/init.sql, which runs only when a database is made: one that stage 5 left has no such table.
# Several that make it at once would fail over its name, its type or its index, so they take turns: both statements
# are one transaction, which holds the lock.
SCHEMA = """
SELECT pg_advisory_xact_lock(hashtext('usage_events'));
CREATE TABLE IF NOT EXISTS usage_events (
    event_id    uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    event       text NOT NULL,
    username    text NOT NULL,
    attributes  jsonb NOT NULL
)
"""
INSERT_SECONDS = 5  # senders are patient, and a batch may hold a thousand events
# One statement is one transaction; in the order of the ids, so that two at once cannot deadlock. It answers with
# the rows that were not there yet.
INSERT = """
INSERT INTO usage_events (event_id, occurred_at, event, username, attributes)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::jsonb[]) ORDER BY 1
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id
"""
SUMMARY = """
SELECT event, count(*) AS count, min(occurred_at) AS first, max(occurred_at) AS last
FROM usage_events GROUP BY event ORDER BY event
"""
USERS = "SELECT count(DISTINCT username) FROM usage_events"
EVENTS = """
SELECT event_id, event, occurred_at FROM usage_events
WHERE event_id > $1 AND occurred_at >= $2 ORDER BY event_id LIMIT $3
"""


class Summary(BaseModel):
    """All that was ever stored. `events` counts by name; times are null while there is none."""

    total: int
    users: int
    events: dict[str, int]
    first: datetime | None
    last: datetime | None


class StoredEvent(BaseModel):
    event_id: UUID
    event: str
    occurred_at: datetime


class UsageStore:
    """Raises DatabaseUnavailableError from every method while the database is away."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.has_table = False

    async def ready(self) -> None:
        """Whether the database is there and has the table, which is made where it is missing."""
        await self.table()
        await self.database.probe()

    async def table(self) -> None:
        if self.has_table:
            return
        async with self.database.connection("schema") as connection:
            await connection.execute(SCHEMA)
        self.has_table = True

    async def add(self, events: Sequence[UsageEvent]) -> Counter[str]:
        """Stores those that are not stored yet; their number by label. All or none."""
        await self.table()
        columns = zip(
            *((e.event_id, e.occurred_at, e.event, e.username, e.attributes) for e in events), strict=True
        )
        async with self.database.connection("insert") as connection:
            try:
                rows = await connection.fetch(INSERT, *map(list, columns), timeout=INSERT_SECONDS)
            except asyncpg.UndefinedTableError:
                self.has_table = False
                raise
        labels = {event.event_id: event.label for event in events}
        return Counter(labels[row["event_id"]] for row in rows)

    async def summary(self) -> Summary:
        await self.table()
        async with self.database.connection("summary") as connection:
            rows = await connection.fetch(SUMMARY)
            users = await connection.fetchval(USERS)
        counts = {row["event"]: row["count"] for row in rows}
        first = min((row["first"] for row in rows), default=None)
        last = max((row["last"] for row in rows), default=None)
        return Summary(total=sum(counts.values()), users=users, events=counts, first=first, last=last)

    async def events(self, after: UUID, since: datetime, limit: int) -> list[StoredEvent]:
        await self.table()
        async with self.database.connection("list") as connection:
            rows = await connection.fetch(EVENTS, after, since, limit)
        return [StoredEvent.model_validate(dict(row)) for row in rows]
