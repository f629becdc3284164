"""Why a query has no answer, as the engines say it and the APIs turn it into the real component's error shape."""

from __future__ import annotations


class QueryFailure(Exception):  # noqa: N818 (not always an error of ours)
    """A query that cannot be answered: the HTTP `status` the real component gives, and its words."""

    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ParseError(QueryFailure):
    """The text is no valid query: the caller's mistake (400)."""

    status = 400


class Unsupported(QueryFailure):
    """Valid in the real component, but not evaluated here: refused, since a wrong answer is worse than none.

    Tempo answers 400 to what it does not know, Loki and Prometheus likewise; pass `status` where one differs.
    """

    status = 400

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = self.status if status is None else status


class Ended(QueryFailure):
    """It was stopped before it had an answer, with the status and the words of the component."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
