"""Rows into their tables, one transaction for all of them; a row that cannot be written is dropped alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import duckdb

from pocket.store.database import CLOSED, Connection

log = logging.getLogger(__name__)

# DuckDB 2.0, when the write-ahead log takes a transaction and the checkpoint after it finds no space: what follows
# fails until the file is opened anew, but this transaction is there. To write it again would store it twice.
_DURABLE = "COMMIT succeeded and is durable"
BySignal = dict[str, list[Any]]


class Table(Protocol):
    def insert(self, cursor: Connection, rows: Sequence[Any]) -> None:
        """Append rows within the transaction of `cursor`."""


class Participant(Protocol):
    """State in memory that follows the transactions."""

    def committed(self) -> None: ...
    def rolled_back(self) -> None: ...


class DiskError(Exception):
    """The file cannot be written, whatever the rows."""


class CheckpointError(Exception):
    """All rows are written, and the file has to be opened anew."""


class Transactions:
    """`write` commits rows by signal. `dropped` is told of rows that the database refuses, per signal."""

    def __init__(
        self, tables: dict[str, Table], participants: Sequence[Participant], dropped: Callable[[str, int], None]
    ) -> None:
        self._tables, self._participants, self._dropped = tables, participants, dropped
        self._checkpoint_failed = ""

    def write(self, cursor: Connection, by_signal: BySignal) -> None:
        """Raises CheckpointError, DiskError, or DuckDB's own once it has closed itself; the latter two mean that
        rows are not written."""
        self._checkpoint_failed = ""
        if not self._transaction(cursor, by_signal):
            for signal, signal_rows in by_signal.items():
                self._salvage(cursor, signal, signal_rows)
        if self._checkpoint_failed:
            raise CheckpointError(self._checkpoint_failed)

    def _transaction(self, cursor: Connection, by_signal: BySignal) -> bool:
        """False where a row is to blame; DiskError where none is."""
        try:
            cursor.begin()
            for signal, rows in by_signal.items():
                self._tables[signal].insert(cursor, rows)
            cursor.commit()
        except Exception as error:
            if _DURABLE not in str(error):
                return self._rolled_back(cursor, error)
            self._checkpoint_failed = _reason(error)
        for participant in self._participants:
            participant.committed()
        return True

    def _rolled_back(self, cursor: Connection, error: Exception) -> bool:
        closed = isinstance(error, CLOSED)
        if not closed:
            _rollback(cursor)
        for participant in self._participants:
            participant.rolled_back()
        if closed:
            raise error
        if _is_of_the_disk(error):
            raise DiskError(_reason(error)) from error
        log.warning("store: write failed: %s", _reason(error))
        return False

    def _salvage(self, cursor: Connection, signal: str, rows: list[Any]) -> None:
        """Write what can be written: halve until the row that breaks the batch stands alone."""
        if self._transaction(cursor, {signal: rows}):
            return
        if len(rows) == 1:
            self._dropped(signal, 1)
            return
        middle = len(rows) // 2
        self._salvage(cursor, signal, rows[:middle])
        self._salvage(cursor, signal, rows[middle:])


def _is_of_the_disk(error: Exception) -> bool:
    """Reading or writing the file; a commit that fails (there is no constraint that rows could break). Too little
    memory is a matter for halving."""
    if isinstance(error, duckdb.TransactionException):
        return "Out of Memory" not in str(error)
    return isinstance(error, duckdb.IOException)


def _rollback(cursor: Connection) -> None:
    try:
        cursor.rollback()
    except duckdb.Error:
        log.debug("store: nothing to roll back")


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else repr(error)
