"""Where pushed entries go: into the store, and usage events into their queue."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread

from pocket.admission.bounds import Bounds
from pocket.admission.log_entries import Sink, check
from pocket.asgi.body import BodyError
from pocket.route.pipeline import is_usage, process
from pocket.route.usage import UsageRoute
from pocket.rows import LogEntry
from pocket.store import Store, StoreError, StoreFull, TooLargeError

log = logging.getLogger(__name__)


def push_sink(store: Store, bounds: Callable[[], Bounds]) -> Sink:
    """Loki's own push: entries are stored as they are. What Loki would refuse is a 400, the rest is stored."""

    async def sink(entries: list[LogEntry]) -> None:
        good, wrong = check(entries, bounds())
        _append(store, good, len(entries))
        await _durable(store)
        if wrong is not None:
            raise BodyError(400, wrong)

    return sink


def container_sink(store: Store, bounds: Callable[[], Bounds], usage: UsageRoute) -> Sink:
    """The shipper's push. It returns when the lines are on disk, so that the position the shipper saves next never
    runs ahead of what a crash leaves: the store's commit and the usage queue's fsync come first. A full usage
    queue slows the logs down rather than lose an event, as Alloy's `block_on_overflow` does."""

    def take(entries: list[LogEntry]) -> None:
        now = bounds()
        processed = [process(entry, now) for entry in entries]
        events = [entry for entry, fields in processed if is_usage(fields)]
        if events and usage.full:  # before anything is stored: the shipper brings the same lines again
            log.warning("usage route: %d events wait for usage-service, log lines wait behind them", usage.waiting)
            raise _later(store, "the usage queue is full")
        good, _ = check([entry for entry, _ in processed], now)
        _append(store, good, len(entries))
        try:
            usage.put(events)
        except sqlite3.Error as error:
            raise _later(store, f"the usage queue cannot be written: {error}") from error

    async def sink(entries: list[LogEntry]) -> None:
        await to_thread.run_sync(take, entries, limiter=one)
        await _durable(store)

    one = CapacityLimiter(1)
    return sink


def _append(store: Store, good: list[LogEntry], received: int) -> None:
    if len(good) < received:
        store.own_metrics.dropped.labels("logs", "rejected").inc(received - len(good))
    try:
        store.append_logs(good)
    except TooLargeError as error:
        raise BodyError(413, str(error)) from error
    except StoreFull as error:
        raise _later(store, str(error)) from error


async def _durable(store: Store) -> None:
    try:
        await store.durable()
    except StoreError as error:
        raise _later(store, str(error)) from error


def _later(store: Store, reason: str) -> BodyError:
    """The sender keeps its lines and brings them again."""
    store.own_metrics.refused.labels("logs").inc()
    return BodyError(503, reason)
