"""What one query may use: time, and memory for what it makes; and the way to stop it from outside.

A query runs in a thread that carries its budget (`spending`). The rooms it goes through ask `current()`: loops
`check()`, what will be held is `hold()`-ed before it is allocated, and the store lends its cursor, so that a
query in the middle of a statement stops as well. Whoever calls an engine without a budget gets one that ends
nothing but what is far too large.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pocket.process_memory import resident_bytes

Interrupt = Callable[[], None]

HELD_BYTES = 128 << 20  # of texts, samples, labels, spans; a log answer of 5000 lines may have 26 KB a line
_LARGE = 64 << 10
_LOOK_SECONDS = 0.05  # between two looks at the process's memory


class Stopped(Exception):  # noqa: N818 - not an error of the query's text
    """The query was ended before it had an answer; each API says so in its component's words."""


class TimedOut(Stopped):
    """Its time is up."""


class Cancelled(Stopped):
    """The caller went away, or the process ends."""


class TooMuch(Stopped):
    """It would hold more in memory than a query may."""


class Busy(Stopped):
    """So many queries wait that it was not taken on."""


class Budget:
    """One query's. `seconds` from now; `ceiling_bytes` of the whole process's memory, 0 for none."""

    def __init__(
        self, seconds: float = float("inf"), held_bytes: int = HELD_BYTES, ceiling_bytes: int = 0
    ) -> None:
        self.deadline = time.monotonic() + seconds
        self.held = 0
        self._limit, self._ceiling = held_bytes, ceiling_bytes
        self._look = 0.0
        self._lock = threading.Lock()
        self._interrupts: list[Interrupt] = []
        self._reason: type[Stopped] | None = None

    # ---- from the query's thread
    def check(self) -> None:
        """Raises what ended the query, if anything did. Cheap enough for every few hundred rows."""
        if self._reason is not None:
            raise self._reason  # a new one: an instance would keep the frames that it went through
        now = time.monotonic()
        if now > self.deadline:
            self.stop(TimedOut)
            raise TimedOut
        if self._ceiling and now > self._look:
            self._look = now + _LOOK_SECONDS
            if resident_bytes() > self._ceiling:
                raise TooMuch

    def limit_seconds(self, seconds: float) -> None:
        """A caller may want less time than there is."""
        self.deadline = min(self.deadline, time.monotonic() + seconds)

    def hold(self, size: int) -> None:
        """`size` bytes are kept from now on. Raises TooMuch if that is more than a query may."""
        self.held += size
        if self.held > self._limit:
            raise TooMuch
        if size > _LARGE:  # what makes texts of this size takes its time
            self.check()

    def room(self, size: int) -> None:
        """`size` bytes are about to be made. Raises TooMuch instead of letting them be made."""
        if self.held + size > self._limit:
            raise TooMuch

    @contextmanager
    def interruptible(self, interrupt: Interrupt) -> Iterator[None]:
        """While the block runs, stopping the query calls `interrupt`."""
        with self._lock:
            self._interrupts.append(interrupt)
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)

    # ---- from outside
    def stop(self, reason: type[Stopped]) -> None:
        """The query ends at its next check with `reason` (the first one counts), a statement of it at once.

        A statement that was about to begin takes no notice of the interrupt: call again until the query is gone.
        """
        with self._lock:
            self._reason = self._reason or reason
            for interrupt in self._interrupts:
                interrupt()


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current() -> Budget:
    """The budget of the query that runs here."""
    return _current.get() or Budget()


@contextmanager
def spending(budget: Budget) -> Iterator[Budget]:
    """What runs in the block is this budget's query."""
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)


def size_of(*texts: str) -> int:
    """The bytes of texts in memory: one to four a character, and some fifty each."""
    return sum(map(sys.getsizeof, texts))


def room_for(characters: int, *like: str) -> None:
    """Room for a text of so many characters, made of those of `like`."""
    current().room(characters * (1 if all(text.isascii() for text in like) else 4))
