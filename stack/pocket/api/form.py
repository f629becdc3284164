"""Request parameters as Go's `r.ParseForm` reads them: the query string, joined by a form-encoded POST body."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.requests import Request

from pocket.query.errors import QueryFailure


class BadRequest(QueryFailure):
    """A parameter that the component refuses, with its words (400)."""

    status = 400


class Form:
    """Parameters by name; the body's come before the query string's, as in Go."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Form:
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        return cls(values)

    def get(self, name: str, default: str = "") -> str:
        """The first value, or `default` if the parameter is absent or empty."""
        return (self._values.get(name) or [""])[0] or default

    def all(self, *names: str) -> list[str]:
        """Every value of the first of `names` that is given; `match[]` and `match` are one to Loki."""
        return next((self._values[name] for name in names if name in self._values), [])


async def read_form(request: Request) -> Form:
    """Parameters of a request; what is no UTF-8 becomes U+FFFD."""
    body = ""
    if request.method == "POST" and "form-urlencoded" in request.headers.get("content-type", ""):
        body = (await request.body()).decode("utf-8", "replace")
    values = parse_qs(body, keep_blank_values=True)
    for name, given in parse_qs(request.url.query, keep_blank_values=True).items():
        values.setdefault(name, []).extend(given)
    return Form(values)
