"""Bounded history: what is older than the limit goes, and the oldest goes when the file is too large."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pocket.config import Settings
from pocket.store.database import Connection, Database, StoreError

if TYPE_CHECKING:
    from pocket.store.store import Store

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0
_ROUNDS = 20
_FULL = 0.8  # of the limit, in use
# Table, its time column, that column's units in a second.
TABLES = (
    ("samples", "t_ms", 10**3),
    ("exemplars", "t_ms", 10**3),
    ("logs", "t_ns", 10**9),
    ("spans", "start_ns", 10**9),
    ("profile_samples", "t_ms", 10**3),
)


class Retention:
    """A thread that looks every CHECK_SECONDS; `enforce` does one round."""

    def __init__(self, store: Store, database: Database, settings: Settings, exclusive: threading.Lock) -> None:
        self._store, self._database, self._exclusive = store, database, exclusive
        self._seconds, self._bytes = settings.retention_seconds, settings.retention_bytes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def file_bytes(self) -> int:
        return sum(_size(path) for path in (self._database.path, _wal(self._database.path)))

    def enforce(self, now: float | None = None) -> None:
        """Delete what is too old; while too much is in use, the oldest twentieth of the history.

        DuckDB gives space back a row group (122 880 rows) at a time, into the file and not to the file system: the
        file stays as large as it once was and is filled again. Hence the margin.
        """
        now = time.time() if now is None else now
        self._delete_before(now - self._seconds)
        for _ in range(_ROUNDS):
            if self._used_bytes() <= self._bytes * _FULL:
                return
            oldest = self._oldest()
            self._delete_before(oldest + max(1.0, (now - oldest) / _ROUNDS))

    def _run(self) -> None:
        while not self._stop.wait(CHECK_SECONDS):
            try:
                self.enforce()
            except (duckdb.Error, StoreError) as error:
                log.warning("store: retention failed: %s", str(error).splitlines()[0])

    def _delete_before(self, seconds: float) -> None:
        with self._exclusive, self._database.cursor() as cursor:
            deleted = 0
            for table, column, unit in TABLES:
                before = int(seconds * unit)
                cursor.execute(f"delete from {table} where {column} < ?", [before])  # noqa: S608
                [count] = cursor.fetchone() or (0,)
                deleted += count
            if deleted:
                self._forget(cursor, seconds)
                cursor.execute("checkpoint")

    def _forget(self, cursor: Connection, seconds: float) -> None:
        """Label sets, resources and stacks that nothing refers to any more."""
        for index, unit in self._store.indexes():
            index.delete(cursor, index.expire(int(seconds * unit)))
        for dictionary, table, column in self._store.dictionaries():
            used = f"select {column} from {table}"  # noqa: S608
            unused = f"select id from {dictionary.table} where id not in ({used})"  # noqa: S608
            ids = [row[0] for row in cursor.execute(unused).fetchall()]
            dictionary.delete(cursor, ids)
            dictionary.remove(ids)

    def _used_bytes(self) -> int:
        [(block, used)] = self._database.query("select block_size, used_blocks from pragma_database_size()")
        return int(block * used)

    def _oldest(self) -> float:
        parts = [f"select min({column}) / {unit} t from {table}" for table, column, unit in TABLES]  # noqa: S608
        [(oldest,)] = self._database.query(f"select min(t) from ({' union all '.join(parts)})")  # noqa: S608
        return float(oldest or time.time())


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
