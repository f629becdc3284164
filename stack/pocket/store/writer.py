"""One thread writes: rows are queued, then committed together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from pocket.store.database import Database, StoreError
from pocket.store.transaction import BySignal, CheckpointError, DiskError, Transactions

log = logging.getLogger(__name__)

COMMIT_SECONDS = 0.4  # rows wait at most this long for company: one fsync for all of them
GROUP_SECONDS = 0.05  # so long where a sender waits for its answer
QUEUE_BYTES = 48 << 20  # estimated; beyond it senders are told to slow down
RETRY_SECONDS = 1.0  # between two attempts at a disk that takes nothing


Rows = tuple[str, Sequence[Any], int]  # signal, rows, estimated size


class StoreFull(Exception):  # noqa: N818 - the contract's name
    """The write queue is full; the sender should retry later."""


class TooLargeError(Exception):
    """More at once than the queue can ever hold."""


class Writer:
    """Queue and thread. `dropped` is told of rows that are lost, per signal; `written` of each committed batch.

    `writing` is held while it writes. While the disk is full everything waits, up to QUEUE_BYTES.
    """

    def __init__(
        self,
        database: Database,
        transactions: Transactions,
        dropped: Callable[[str, int], None],
        written: Callable[[list[Rows]], None],
        writing: threading.Lock,
    ) -> None:
        self._database, self._transactions = database, transactions
        self._dropped, self._written = dropped, written
        self._condition = threading.Condition()
        self._queue: list[Rows] = []
        self._bytes = 0
        self._enqueued = self._done = 0
        self._waiting: list[tuple[int, Future[None]]] = []  # what must be done, and who waits for it
        self._hurry = self._stop = False
        self._problem = ""  # why nothing can be written at the moment
        self._writing = writing  # retention takes it to delete and checkpoint
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        return self._bytes

    def put(self, *parts: Rows) -> None:
        """Queue all parts or none; their sizes are estimated memory. Raises StoreFull or TooLargeError."""
        size = sum(part[2] for part in parts)
        if size > QUEUE_BYTES:
            raise TooLargeError(f"{size >> 20} MiB of rows at once, at most {QUEUE_BYTES >> 20} can be taken")
        with self._condition:
            if self._stop or (self._bytes and self._bytes + size > QUEUE_BYTES):
                raise self._full()
            self._queue += parts
            self._bytes += size
            self._enqueued += len(parts)
            self._condition.notify_all()

    def admit(self) -> None:
        """Raises StoreFull while the queue is full."""
        if self._bytes >= QUEUE_BYTES:
            raise self._full()

    def _full(self) -> StoreFull:
        return StoreFull(f"{self._bytes >> 20} MiB of telemetry wait to be written")

    def durable(self, *, hurry: bool = False) -> Future[None]:
        """Done when everything queued before the call is committed; StoreError while nothing can be written."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # a caller that goes away cannot take it from the writer
        with self._condition:
            self._waiting.append((self._enqueued, future))
            self._hurry |= hurry
            self._answer()
            self._condition.notify_all()
        return future

    def close(self) -> None:
        """Writes what is queued; returns when the thread has ended."""
        with self._condition:
            self._stop = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                with self._writing, self._database.cursor() as cursor:
                    self._transactions.write(cursor, _by_signal(batch))
            except CheckpointError as error:
                log.error("store: %s", error)
                self._reopen()
                self._succeeded(batch)
            except DiskError as error:
                self._failed(batch, str(error))
            except StoreError as error:
                self._failed(batch, str(error))
                self._reopen()
            else:
                self._succeeded(batch)

    def _reopen(self) -> None:
        try:
            with self._writing:
                self._database.reopen()
        except StoreError as error:
            log.error("store: %s", error)

    def _next(self) -> list[Rows]:
        with self._condition:
            self._condition.wait_for(lambda: self._queue or self._stop)
            if self._problem:
                self._condition.wait_for(lambda: self._stop, RETRY_SECONDS)
            else:
                self._await_company()
            batch, self._queue = self._queue, []
            self._bytes, self._hurry = 0, False
        return batch

    def _await_company(self) -> None:
        began = time.monotonic()
        while not (self._hurry or self._stop):
            limit = GROUP_SECONDS if self._waiting else COMMIT_SECONDS
            left = began + limit - time.monotonic()
            if left <= 0:
                return
            self._condition.wait(left)

    def _succeeded(self, batch: list[Rows]) -> None:
        with self._condition:
            self._problem = ""
            self._done += len(batch)
            self._answer()
        self._written(batch)

    def _failed(self, batch: list[Rows], problem: str) -> None:
        """Back to the head of the queue; at the end there is nothing to wait for any more."""
        if not self._problem:
            log.error("store: nothing can be written: %s", problem)
        with self._condition:
            self._problem = problem
            if self._stop:
                for signal, rows, _ in batch:
                    self._dropped(signal, len(rows))
            else:
                self._queue[:0] = batch
                self._bytes += sum(size for _, _, size in batch)
            self._answer()

    def _answer(self) -> None:
        """Tell those who wait for what is done now, or for what cannot be."""
        waiting, self._waiting = self._waiting, []
        for target, future in waiting:
            if self._done >= target:
                future.set_result(None)
            elif self._problem:
                future.set_exception(StoreError(f"{self._database.path} cannot be written: {self._problem}"))
            else:
                self._waiting.append((target, future))


def _by_signal(batch: list[Rows]) -> BySignal:
    result: BySignal = {}
    for signal, rows, _ in batch:
        result.setdefault(signal, []).extend(rows)
    return result
