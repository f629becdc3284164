"""How a handler is written, in all four APIs: a function of a `Call` that gives a response or raises QueryFailure.

Handlers run in the threads of `queries`, never in the event loop. How a component says that there is no answer is
its `Dialect`, so no handler needs to know.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.api import answers
from pocket.api.form import Form, read_form
from pocket.api.queries import Queries, Words
from pocket.query.errors import QueryFailure
from pocket.store import Store, StoreError


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: its parameters, those of its path, its headers and body; and the store that it asks."""

    store: Store
    form: Form
    path: Mapping[str, str]
    headers: Headers
    body: bytes


Handler = Callable[[Call], Response]


def _plainly_failed(failure: QueryFailure) -> Response:
    return answers.plain(failure.message, failure.status)


def _plainly_unavailable(error: StoreError) -> Response:
    return answers.plain(str(error), 503)


@dataclass(frozen=True)
class Dialect:
    """How a component says that it has no answer: in plain text, unless it has a form of its own.

    `stopped` holds its words for a query that was ended; `failed` makes the response of any QueryFailure, and
    `unavailable` that of a store which cannot be read (503; it opens itself again).
    """

    stopped: Words
    failed: Callable[[QueryFailure], Response] = _plainly_failed
    unavailable: Callable[[StoreError], Response] = _plainly_unavailable


@dataclass(frozen=True)
class Endpoints:
    """Makes routes that answer from `store`, in one dialect."""

    store: Store
    queries: Queries
    dialect: Dialect

    def route(
        self, path: str, handler: Handler, *, lookup: bool = False, methods: Sequence[str] = ("GET",)
    ) -> Route:
        """`lookup` reads an index or one row, and need not wait behind queries."""

        async def endpoint(request: Request) -> Response:
            call = await self._read(request)
            try:
                return await self.queries.answer(request, self.dialect.stopped, handler, call, lookup=lookup)
            except QueryFailure as failure:
                return self.dialect.failed(failure)
            except StoreError as error:
                return self.dialect.unavailable(error)

        return Route(path, endpoint, methods=list(methods))

    async def _read(self, request: Request) -> Call:
        form = await read_form(request)
        return Call(self.store, form, request.path_params, request.headers, await request.body())


def fixed(response: Callable[[], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that needs neither a query nor a thread, such as `/ready`."""

    async def endpoint(_: Request) -> Response:
        return response()

    return endpoint


def text(path: str, words: str, status: int = 200, methods: Sequence[str] = ("GET",)) -> Route:
    """A route whose answer is always this text."""
    return Route(path, fixed(lambda: answers.plain(words, status)), methods=list(methods))


def build(version: str, revision: str = "") -> dict[str, Any]:
    """What `/status/buildinfo` tells; Grafana chooses its features by the version."""
    empty = dict.fromkeys(("branch", "buildUser", "buildDate", "goVersion"), "")
    return {"version": version, "revision": revision, **empty}
