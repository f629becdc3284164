"""How Tempo says that a query ended without an answer.

Time-out and hang-up: modules/frontend/handler.go (the words are those of Go's context). A full queue:
modules/frontend/v1/frontend.go. Too much: Tempo bounds a trace by its bytes ("trace exceeds max size", a 422);
what a whole query holds is told in the same way.
"""

from __future__ import annotations

from pocket.api.endpoint import Dialect
from pocket.api.queries import Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.query.errors import Ended

_STOPPED: Words = {
    TimedOut: lambda: Ended("context deadline exceeded", 504),
    Cancelled: lambda: Ended("context canceled", 499),
    TooMuch: lambda: Ended(
        "the query exceeds max size: it would hold too many bytes in memory; narrow its time range or conditions",
        422,
    ),
    Busy: lambda: Ended("too many outstanding requests", 429),
}

DIALECT = Dialect(_STOPPED)
