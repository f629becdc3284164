"""How Loki says that a query ended without an answer.

Time-out and cancellation: pkg/util/server/error.go. A full queue: pkg/lokifrontend/frontend/v1/frontend.go. Loki
has no limit on what a query holds; its nearest relative, the bytes it reads, is a 400
(pkg/querier/queryrange/limits.go: "the query would read too many bytes (query: …, limit: …); consider …").
"""

from __future__ import annotations

from pocket.api.endpoint import Dialect
from pocket.api.queries import Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.query.errors import Ended

_STOPPED: Words = {
    TimedOut: lambda: Ended(
        "request timed out, decrease the duration of the request or add more label matchers "
        "(prefer exact match over regex match) to reduce the amount of data processed",
        504,
    ),
    Cancelled: lambda: Ended("the request was cancelled by the client", 499),
    TooMuch: lambda: Ended(
        "the query would hold too many bytes in memory; consider adding more specific stream selectors, "
        "reduce the time range of the query, or shorten what its templates make",
        400,
    ),
    Busy: lambda: Ended("too many outstanding requests", 429),
}

DIALECT = Dialect(_STOPPED)
