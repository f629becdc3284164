"""Prometheus' envelope: success with data, warnings and infos, or an error with its type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Dialect
from pocket.api.queries import Words
from pocket.budget import Busy, Cancelled, TimedOut, TooMuch
from pocket.query import promql
from pocket.query.errors import QueryFailure
from pocket.store import StoreError

TRUNCATED = "results truncated due to limit"
MAX_NOTES = 10  # warnings and infos told of in one answer

# promql/engine.go (ErrQueryTimeout, ErrQueryCanceled, ErrTooManySamples) and web/api/v1/api.go (their statuses).
# Prometheus lets any number wait; the 429 is Mimir's, whose queue is bounded.
_STOPPED: Words = {
    TimedOut: lambda: promql.QueryError("timeout", "query timed out in expression evaluation"),
    Cancelled: lambda: promql.QueryError("canceled", "query was canceled in expression evaluation"),
    TooMuch: lambda: promql.QueryError("execution", promql.TOO_MANY_SAMPLES),
    Busy: lambda: promql.QueryError("too_many_requests", "too many outstanding requests"),
}


def success(data: Any, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """The envelope; of more than MAX_NOTES warnings or infos the rest is counted."""
    body: dict[str, Any] = {"status": "success", "data": data}
    for name, notes in (("warnings", warnings), ("infos", infos)):
        if notes:
            rest = len(notes) - MAX_NOTES
            omitted = [f"{rest} more {name.removesuffix('s')} annotations omitted"] if rest > 0 else []
            body[name] = [*notes[:MAX_NOTES], *omitted]
    return answers.json(body)


def _error(kind: str, message: str, status: int) -> Response:
    return answers.json({"status": "error", "errorType": kind, "error": message}, status)


def _failed(failure: QueryFailure) -> Response:
    kind = failure.kind if isinstance(failure, promql.QueryError) else "execution"
    return _error(kind, failure.message, failure.status)


def _unavailable(error: StoreError) -> Response:
    return _error("unavailable", str(error), 503)


DIALECT = Dialect(_STOPPED, _failed, _unavailable)
