"""The DuckDB file: opening it, its schema, a cursor per query."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from pocket.budget import TooMuch, current

Connection = duckdb.DuckDBPyConnection
Columns = dict[str, np.ndarray[Any, Any]]
Ids = Sequence[int]
Row = tuple[Any, ...]

FEW_IDS = 100  # may stand in the text of a statement
PAGE = 5_000  # rows that are Python objects at once

# Labels, attributes, frames are JSON text in small tables; the big tables carry their ids. A sample's value is
# kept as its 64 bits: DuckDB reads NaN from numpy as NULL, and Prometheus tells two NaNs apart.
SCHEMA = """
create table if not exists series(id integer, value varchar);
create table if not exists samples(series integer, t_ms bigint, bits bigint);
create table if not exists exemplars(series integer, t_ms bigint, value double, labels varchar);
create table if not exists metadata(name varchar, type varchar, help varchar, unit varchar);
create table if not exists streams(id integer, value varchar);
create table if not exists logs(stream integer, t_ns bigint, line varchar, metadata varchar);
create table if not exists resources(id integer, value varchar);
create table if not exists spans(
  trace_id uuid, span_id varchar, parent_span_id varchar, name varchar, kind utinyint, start_ns bigint,
  end_ns bigint, status utinyint, status_message varchar, service varchar, resource integer, attributes varchar,
  scope varchar, scope_version varchar, trace_state varchar, flags bigint, events varchar, links varchar);
alter table spans add column if not exists scope_attributes varchar;
create table if not exists profile_series(id integer, value varchar);
create table if not exists stacks(id integer, value varchar);
create table if not exists profile_samples(series integer, t_ms bigint, stack integer, value bigint);
"""

CONFIG: dict[str, Any] = {
    "memory_limit": "256MB",
    "threads": 2,
    # Nothing but this one file: no extension is fetched, no Python variable is read as a table.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}

# A checkpoint that fails (the disk is full) leaves DuckDB refusing everything until the file is opened anew.
CLOSED = (duckdb.FatalException, duckdb.ConnectionException)


class StoreError(Exception):
    """The store cannot be opened or written; the message is one line that says what to do."""


class Database:
    """One open DuckDB file. `cursor()` may be called from any thread, each cursor is used by one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _open(path)
        self._lock = threading.Lock()

    @contextmanager
    def cursor(self) -> Iterator[Connection]:
        """StoreError while DuckDB has closed itself."""
        try:
            with self._lock:
                cursor = self._connection.cursor()
            with cursor:
                yield cursor
        except CLOSED as error:
            raise StoreError(f"{self.path} is closed: {str(error).splitlines()[0]}") from error

    def reopen(self) -> None:
        """After DuckDB has closed itself. Raises StoreError while the file cannot be opened."""
        with self._lock:
            self._connection.close()
            self._connection = _open(self.path)

    @contextmanager
    def _reading(self, ids: Ids) -> Iterator[Connection]:
        """A cursor that the current query's budget can interrupt; Stopped when it does. `wanted` holds the ids."""
        budget = current()
        budget.check()
        with self.cursor() as cursor, budget.interruptible(cursor.interrupt):
            if len(ids) > FEW_IDS:
                cursor.register("wanted", {"id": np.array(ids, np.int32)})
            try:
                yield cursor
            except duckdb.InterruptException:
                budget.check()
                raise
            except duckdb.OutOfMemoryException as error:
                raise TooMuch from error

    def stream(self, sql: str, parameters: Any = None, *, ids: Ids = (), page: int = PAGE) -> Iterator[list[Row]]:
        """The result a page at a time as DuckDB makes it; nothing but the page is in memory.

        `ids` are those that the text names by `among`.
        """
        with self._reading(ids) as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(page):
                yield rows
                current().check()

    def query(self, sql: str, parameters: Any = None, *, ids: Ids = ()) -> list[Row]:
        """The whole result. Raises Stopped if the current query ends meanwhile."""
        return [row for rows in self.stream(sql, parameters, ids=ids) for row in rows]

    def arrays(self, sql: str, parameters: Any = None, *, ids: Ids = ()) -> Columns:
        """The result as one numpy array a column."""
        with self._reading(ids) as cursor:
            return cursor.execute(sql, parameters).fetchnumpy()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def among(column: str, ids: Ids) -> str:
    """SQL for `column in ids`, which the reading method is given as well; integers of our own, safe in the text.

    A hundred thousand of them as text took DuckDB 3.7 s to parse, as an array 17 ms.
    """
    if len(ids) > FEW_IDS:
        return f"{column} in (select id from wanted)"  # noqa: S608
    return f"{column} in ({','.join(map(str, ids))})"


def insert(cursor: Connection, table: str, columns: Columns, select: str = "*") -> None:
    """Append columns to a table in one statement.

    DuckDB scans numpy arrays in place. pyarrow would do as well, but importing it with pandas installed costs
    1.2 s and 57 MB at the first `pa.array`.
    """
    cursor.register("batch", columns)
    try:
        cursor.execute(f"insert into {table} select {select} from batch")  # noqa: S608 - names are ours
    finally:
        cursor.unregister("batch")


def text(values: list[str | None] | list[str]) -> np.ndarray[Any, Any]:
    """A column of varchar; None is NULL."""
    return np.array(values, dtype=object)


def _open(path: Path) -> Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(path), config=CONFIG)
        connection.execute(SCHEMA)
    except (duckdb.Error, OSError) as error:
        raise StoreError(_explain(path, error)) from error
    return connection


def _explain(path: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0]
    if "lock" in reason.lower():
        return f"{path} is in use by another process (is a pocket stack running on this data directory?)"
    return f"{path} cannot be opened: {reason} (move it away to start with an empty store)"
