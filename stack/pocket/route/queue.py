"""A queue on disk: what is put is safe when `put` returns, and stays until it is acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

MAX_EVENTS = 200_000  # about 100 MB of usage lines


class UsageQueue:
    """First in, first out, at least once. It drops nothing: who puts looks at `full` first, and waits.

    So the bound is soft: one push more than `limit`, which is bounded as every body is.
    """

    def __init__(self, path: Path, limit: int = MAX_EVENTS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._limit = limit
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")  # fsync at every commit
        # Ids are never used again, so that an acknowledgment cannot hit a later event.
        self._db.execute("create table if not exists events(id integer primary key autoincrement, body blob)")
        self._db.commit()
        self._length: int = self._db.execute("select count(*) from events").fetchone()[0]

    def __len__(self) -> int:
        return self._length

    @property
    def full(self) -> bool:
        return self._length >= self._limit

    def put(self, bodies: Sequence[bytes]) -> None:
        """sqlite3.Error: nothing was put."""
        with self._lock:
            with self._db:
                self._db.executemany("insert into events(body) values (?)", [(body,) for body in bodies])
            self._length += len(bodies)

    def oldest(self, limit: int) -> list[tuple[int, bytes]]:
        """(id, body) of the events that wait longest."""
        with self._lock:
            return self._db.execute("select id, body from events order by id limit ?", [limit]).fetchall()

    def acknowledge(self, ids: Sequence[int]) -> None:
        """These will not be given again. Raises sqlite3.Error: they will."""
        with self._lock, self._db:
            deleted = self._db.executemany("delete from events where id = ?", [(id_,) for id_ in ids]).rowcount
            self._length -= max(0, deleted)

    def close(self) -> None:
        with self._lock:
            self._db.close()
