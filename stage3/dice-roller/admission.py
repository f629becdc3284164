"""Admission control: a request that cannot be served soon is refused at once, not served too late."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

import metrics

PASS = 10  # requests; at some 1 ms each
RETRY = {"retry-after": "1"}


class OverloadedError(Exception):
    """Refused before anything was begun: the caller may try again."""


class Admission:
    """So many `places`, and no line."""

    def __init__(self, name: str, places: int) -> None:
        self.name, self.places, self.taken = name, places, 0
        metrics.REJECTED.labels(name)  # 0 from the start: increase() does not see the first of a series

    @contextmanager
    def admitted(self, places: int = 1) -> Iterator[None]:
        if self.taken + places > self.places:
            raise self.refusal()
        self.taken += places
        try:
            yield
        finally:
            self.taken -= places

    def refusal(self) -> OverloadedError:
        metrics.REJECTED.labels(self.name).inc()
        return OverloadedError(f"Too many {self.name} at once. Try again in a second.")


class Line(Admission):
    """`at_once` have their turn; behind them `waiting` stand in line, for at most `seconds`."""

    def __init__(self, name: str, at_once: int, waiting: int, seconds: float) -> None:
        super().__init__(name, at_once + waiting)
        self.turns, self.seconds = asyncio.Semaphore(at_once), seconds

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        with self.admitted():
            try:
                async with asyncio.timeout(self.seconds):
                    await self.turns.acquire()
            except TimeoutError:
                raise self.refusal() from None
            try:
                yield
            finally:
                self.turns.release()


class Paced:
    """ASGI middleware: begins at most PASS requests in one pass of the event loop.

    A thousand that come at once would be a second's work before the loop looks at its sockets again, and the calls
    under way would time out with their answers unread.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.begun = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz":
            await self.turn()
        await self.app(scope, receive, send)

    async def turn(self) -> None:
        while self.begun >= PASS:  # noqa: ASYNC110 - what is waited for is the next pass
            await asyncio.sleep(0)
        if not self.begun:
            asyncio.get_running_loop().call_soon(self.next_pass)
        self.begun += 1

    def next_pass(self) -> None:
        self.begun = 0
