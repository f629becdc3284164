"""Where queries run: in threads of their own, apart from intake's, few at once, each with a budget and an end.

One way for all APIs: `answer` takes a request and the work, and gives what the work gives, or raises how the
component in question says that it did not (`Words`). A query ends early when its time is up or its caller goes
(ASGI's `http.disconnect`); its thread is free again at the next checkpoint, not when the answer would have come.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from pocket.asgi.departure import departure
from pocket.budget import Budget, Busy, Cancelled, Stopped, TimedOut, TooMuch, spending
from pocket.config import Settings
from pocket.query.errors import QueryFailure

T = TypeVar("T")
Words = Mapping[type[Stopped], Callable[[], QueryFailure]]

_TICK = 0.1  # between two looks at a deadline, and two interrupts of what must end
_GRACE = 1.0  # from the deadline to the answer that says so, if the thread is slow to notice


@dataclass(frozen=True)
class _Lane:
    """Threads, and places for what runs or waits."""

    threads: ThreadPoolExecutor
    places: threading.Semaphore

    def submit(self, work: Callable[[], T]) -> Future[T]:
        if not self.places.acquire(blocking=False):
            raise Busy
        future = self.threads.submit(work)
        future.add_done_callback(lambda _: self.places.release())
        return future


@dataclass
class Queries:
    """The lanes of a process. `lookups` (labels, series, a trace by its id) need not wait behind queries."""

    settings: Settings
    _running: set[Budget] = field(default_factory=set)
    _ending: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        given = self.settings
        self._queries = _lane("query", given.query_workers, given.query_waiting)
        self._lookups = _lane("lookup", given.lookup_workers, given.query_waiting)

    async def answer(
        self, request: Request, words: Words, work: Callable[..., T], *arguments: Any, lookup: bool = False
    ) -> T:
        """What `work(*arguments)` gives; raises QueryFailure in the component's `words`."""
        async with departure(request) as gone:
            return await self.run(gone, words, lambda: work(*arguments), lookup=lookup)

    async def run(
        self, gone: asyncio.Task[None], words: Words, work: Callable[[], T], *, lookup: bool = False
    ) -> T:
        """As `answer`, for work that ends when `gone` does."""
        given = self.settings
        budget = Budget(given.query_seconds, given.query_bytes, given.memory_bytes)
        try:
            future = (self._lookups if lookup else self._queries).submit(lambda: _spent(budget, work))
            self._running.add(budget)
            future.add_done_callback(lambda _: self._running.discard(budget))
            return await self._watched(budget, future, gone)
        except Stopped as reason:
            raise words[type(reason)]() from reason

    async def _watched(self, budget: Budget, work: Future[T], gone: asyncio.Task[None]) -> T:
        done = asyncio.create_task(_settled(work))
        try:
            while not done.done():
                await asyncio.wait({done, gone}, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
                if done.done():
                    break
                if gone.done():
                    self._put_down(budget, done, work, Cancelled)
                    raise Cancelled
                if time.monotonic() > budget.deadline:
                    self._put_down(budget, done, work, TimedOut)
                    await asyncio.wait({done}, timeout=_GRACE)
                    raise TimedOut
            return work.result()
        except asyncio.CancelledError:
            self._put_down(budget, done, work, Cancelled)
            raise

    def _put_down(
        self, budget: Budget, done: asyncio.Task[None], work: Future[Any], reason: type[Stopped]
    ) -> None:
        """What waits is taken out of the queue; what runs is stopped, behind our back if it takes long."""
        if not work.cancel():
            ending = asyncio.create_task(_stop(budget, done, reason))
            self._ending.add(ending)  # the loop itself keeps no task alive
            ending.add_done_callback(self._ending.discard)

    def end(self) -> None:
        """Ends what runs: its callers hear that it was cancelled."""
        for budget in list(self._running):
            budget.stop(Cancelled)

    def close(self) -> None:
        """Returns when no thread of a query is left."""
        self.end()
        for lane in (self._queries, self._lookups):
            lane.threads.shutdown(wait=True, cancel_futures=True)


def _lane(name: str, workers: int, waiting: int) -> _Lane:
    return _Lane(ThreadPoolExecutor(workers, f"pocket-{name}"), threading.Semaphore(workers + waiting))


def _spent(budget: Budget, work: Callable[[], T]) -> T:
    with spending(budget):
        budget.check()  # it may have waited for long
        try:
            return work()
        except MemoryError as error:
            raise TooMuch from error


async def _stop(budget: Budget, done: asyncio.Task[None], reason: type[Stopped]) -> None:
    while not done.done():
        budget.stop(reason)
        await asyncio.wait({done}, timeout=_TICK)


async def _settled(work: Future[Any]) -> None:
    """Returns when the work is over, however it ended."""
    with suppress(Exception, asyncio.CancelledError):
        await asyncio.wrap_future(work)
