"""One thread writes: rows are queued, then committed together, at least every half second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import duckdb

from pocket.store.database import CLOSED, Connection, Database, StoreError

log = logging.getLogger(__name__)

COMMIT_SECONDS = 0.4  # rows wait at most this long for company: one fsync for all of them
QUEUE_BYTES = 48 << 20  # estimated; beyond it senders are told to slow down
RETRY_SECONDS = 1.0  # between two attempts at a disk that takes nothing


Rows = tuple[str, Sequence[Any], int]  # signal, rows, estimated size


class StoreFull(Exception):  # noqa: N818 - the contract's name
    """The write queue is full; the sender should retry later."""


class Table(Protocol):
    def insert(self, cursor: Connection, rows: Sequence[Any]) -> None:
        """Append rows within the transaction of `cursor`."""


class Participant(Protocol):
    """State in memory that follows the transactions."""

    def committed(self) -> None: ...
    def rolled_back(self) -> None: ...


class _DiskError(Exception):
    """The file cannot be written, whatever the rows."""


class Writer:
    """Queue and thread. `count` is told what was written or dropped, per signal.

    A row that the database refuses is dropped alone; while the disk is full everything waits, up to QUEUE_BYTES.
    """

    def __init__(
        self,
        database: Database,
        tables: dict[str, Table],
        participants: Sequence[Participant],
        count: Callable[[str, str, int], None],
    ) -> None:
        self._database, self._tables, self._participants, self._count = database, tables, participants, count
        self._condition = threading.Condition()
        self._queue: list[Rows] = []
        self._bytes = 0
        self._enqueued = self._done = 0
        self._hurry = self._stop = False
        self._problem = ""  # why nothing can be written at the moment
        self.exclusive = threading.Lock()  # held while writing; retention takes it to delete and checkpoint
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        return self._bytes

    def put(self, signal: str, rows: Sequence[Any], size: int) -> None:
        """Queue rows; `size` is their estimated memory. Raises StoreFull (and counts the drop)."""
        with self._condition:
            if self._stop or (self._bytes and self._bytes + size > QUEUE_BYTES):
                self._count("dropped", signal, len(rows))
                raise self._full()
            self._queue.append((signal, rows, size))
            self._bytes += size
            self._enqueued += 1
            self._condition.notify_all()

    def admit(self) -> None:
        if self._bytes >= QUEUE_BYTES:
            raise self._full()

    def _full(self) -> StoreFull:
        return StoreFull(f"{self._bytes >> 20} MiB of telemetry wait to be written")

    def flush(self) -> None:
        """Returns when everything queued before the call is committed; StoreError while nothing can be written."""
        with self._condition:
            target = self._enqueued
            self._hurry = True
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._done >= target or self._problem)
            if self._done < target:
                raise StoreError(f"{self._database.path} cannot be written: {self._problem}")

    def close(self) -> None:
        with self._condition:
            self._stop = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                with self.exclusive, self._database.cursor() as cursor:
                    self._commit(cursor, batch)
            except _DiskError as error:
                self._failed(batch, str(error))
            except StoreError as error:
                self._failed(batch, str(error))
                self._reopen()
            else:
                self._succeeded(batch)

    def _reopen(self) -> None:
        try:
            with self.exclusive:
                self._database.reopen()
        except StoreError as error:
            log.error("store: %s", error)

    def _next(self) -> list[Rows]:
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._stop)
            if self._problem:
                self._condition.wait_for(lambda: self._stop, RETRY_SECONDS)
            else:
                self._condition.wait_for(lambda: self._hurry or self._stop, COMMIT_SECONDS)
            batch, self._queue = self._queue, []
            self._bytes, self._hurry = 0, False
        return batch

    def _succeeded(self, batch: list[Rows]) -> None:
        with self._condition:
            self._problem = ""
            self._done += len(batch)
            self._condition.notify_all()

    def _failed(self, batch: list[Rows], problem: str) -> None:
        """Back to the head of the queue; at the end there is nothing to wait for any more."""
        if not self._problem:
            log.error("store: nothing can be written: %s", problem)
        with self._condition:
            self._problem = problem
            if self._stop:
                for signal, rows, _ in batch:
                    self._count("dropped", signal, len(rows))
            else:
                self._queue[:0] = batch
                self._bytes += sum(size for _, _, size in batch)
            self._condition.notify_all()

    def _commit(self, cursor: Connection, batch: list[Rows]) -> None:
        by_signal: dict[str, list[Any]] = {}
        for signal, rows, _ in batch:
            by_signal.setdefault(signal, []).extend(rows)
        if not self._transaction(cursor, by_signal):
            for signal, signal_rows in by_signal.items():
                self._salvage(cursor, signal, signal_rows)

    def _transaction(self, cursor: Connection, by_signal: dict[str, list[Any]]) -> bool:
        """False where a row is to blame; _DiskError where none is."""
        try:
            cursor.begin()
            for signal, rows in by_signal.items():
                self._tables[signal].insert(cursor, rows)
            cursor.commit()
        except CLOSED:
            self._rolled_back()
            raise
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else repr(error)
            _rollback(cursor)
            self._rolled_back()
            if _is_of_the_disk(error):
                raise _DiskError(reason) from error
            log.warning("store: write failed: %s", reason)
            return False
        for participant in self._participants:
            participant.committed()
        for signal, rows in by_signal.items():
            self._count("stored", signal, len(rows))
        return True

    def _rolled_back(self) -> None:
        for participant in self._participants:
            participant.rolled_back()

    def _salvage(self, cursor: Connection, signal: str, rows: list[Any]) -> None:
        """Write what can be written: halve until the row that breaks the batch stands alone."""
        if self._transaction(cursor, {signal: rows}):
            return
        if len(rows) == 1:
            self._count("dropped", signal, 1)
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
