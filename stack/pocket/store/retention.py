"""Bounded history: what is older than the limit goes, and the oldest goes when the file is too large."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from pocket.config import Settings
from pocket.store.database import Connection, Database, StoreError
from pocket.store.index import Dictionary, LabelIndex
from pocket.store.intake import Intake
from pocket.store.writer import Rows

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0  # for what grows old; size is looked at as data comes in
_STEP = 0.05  # of the bound, taken in between two looks at the size
_FULL, _FREED = 0.8, 0.65  # of the bound, in use: more is too much, and is brought down to this
_ROUNDS = 6
_WEIGHT = 5  # what rows weigh in memory, of what they take on disk; for those of before the start
# Table, its time column, that column's units in a second.
TABLES = (
    ("samples", "t_ms", 10**3),
    ("exemplars", "t_ms", 10**3),
    ("logs", "t_ns", 10**9),
    ("spans", "start_ns", 10**9),
    ("profile_samples", "t_ms", 10**3),
)


class Retention:
    """Size: whenever _STEP of the bound was taken in, by the writer's thread, so that intake waits for it.
    Age: a thread that looks every CHECK_SECONDS. `enforce` does one round of both.

    DuckDB gives space back into the file, which keeps its size for a while and is filled again: hence the margin.
    Measured: 306 MB of incompressible lines, as fast as they were taken, into a bound of 100 MB: at most 157 MB on
    disk, write-ahead log and all.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        writing: threading.Lock,
        indexes: Sequence[tuple[LabelIndex, int]],
        dictionaries: Sequence[tuple[Dictionary, str, str]],
    ) -> None:
        """`writing` is held by whoever writes. `indexes`: each with how many of its time units make a second.
        `dictionaries`: the other small tables, each with the table and column that refer to it."""
        self._database, self._writing = database, writing
        self._indexes, self._dictionaries = indexes, dictionaries
        self._seconds, self._bytes = settings.retention_seconds, settings.retention_bytes
        self._intake, self._unchecked = Intake(), 0
        self._intake.spread(self._oldest(), time.time(), self._used_bytes() * _WEIGHT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def file_bytes(self) -> int:
        """On disk, write-ahead log and all."""
        return sum(_size(path) for path in (self._database.path, _wal(self._database.path)))

    def taken_in(self, batch: Sequence[Rows]) -> None:
        """The writer has committed this."""
        for signal, rows, size in batch:
            self._intake.add(signal, rows, size)
            self._unchecked += size
        if self._unchecked >= self._bytes * _STEP:
            self._unchecked = 0
            self._attempt(self._bound_size)

    def enforce(self, now: float | None = None) -> None:
        """Delete what is too old; while too much is in use, the oldest."""
        self._delete_before((time.time() if now is None else now) - self._seconds)
        self._bound_size()

    def _run(self) -> None:
        while not self._stop.wait(CHECK_SECONDS):
            self._attempt(self.enforce)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (duckdb.Error, StoreError) as error:
            log.warning("store: retention failed: %s", str(error).splitlines()[0])

    def _bound_size(self) -> None:
        for _ in range(_ROUNDS):
            used = self._used_bytes()
            if used <= self._bytes * _FULL:
                return
            cut = self._intake.take_oldest(1 - self._bytes * _FREED / used)
            if cut is None or (self._delete_before(cut) and self._used_bytes() >= used):
                return  # a query that is under way still holds what was deleted

    def _delete_before(self, seconds: float) -> int:
        """How many rows that were."""
        with self._writing, self._database.cursor() as cursor:
            deleted = 0
            for table, column, unit in TABLES:
                before = int(seconds * unit)
                cursor.execute(f"delete from {table} where {column} < ?", [before])  # noqa: S608
                [count] = cursor.fetchone() or (0,)
                deleted += count
            if deleted:
                self._forget(cursor, seconds)
                cursor.execute("checkpoint")
        return deleted

    def _forget(self, cursor: Connection, seconds: float) -> None:
        """Label sets, resources and stacks that nothing refers to any more."""
        for index, unit in self._indexes:
            index.delete(cursor, index.expire(int(seconds * unit)))
        for dictionary, table, column in self._dictionaries:
            used = f"select {column} from {table}"  # noqa: S608
            unused = f"select id from {dictionary.table} where id not in ({used})"  # noqa: S608
            ids = [row[0] for row in cursor.execute(unused).fetchall()]
            dictionary.delete(cursor, ids)
            dictionary.remove(ids)

    def _used_bytes(self) -> int:
        """Blocks in use, and the write-ahead log, which becomes blocks."""
        [(block, used)] = self._database.query("select block_size, used_blocks from pragma_database_size()")
        return int(block * used) + _size(_wal(self._database.path))

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
