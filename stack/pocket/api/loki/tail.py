"""Live tail, `/loki/api/v1/tail`, as a WebSocket: new streams, one JSON object a message (pkg/querier/tail.go)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from pocket.api.form import BadRequest, Form
from pocket.api.loki import encode
from pocket.api.loki import parameters as params
from pocket.api.loki.dialect import DIALECT
from pocket.api.queries import Queries
from pocket.api.times import HOUR, SECOND, timestamp
from pocket.asgi.departure import closed
from pocket.query import logql
from pocket.query.errors import QueryFailure

POLL_SECONDS = 0.5  # the store commits twice a second
# A line may reach the store after a younger one: services are read one by one. What is older is not seen again.
OVERLAP_NS = 10 * SECOND
POLICY_VIOLATION = 1008

Seen = dict[tuple[int, str, str], int]


class Tail:
    """The lines of a query as they arrive, each once."""

    def __init__(self, source: logql.LogSource, query: logql.ast.LogQuery, limit: int, start_ns: int) -> None:
        self._source, self._query, self._history = source, query, limit
        self._start = start_ns
        self._seen: Seen = {}

    def fresh(self, end_ns: int, *, categorize: bool) -> list[logql.Stream]:
        """What has come since the last call, oldest first; the first call gives the newest `limit` lines."""
        limit, self._history = self._history or params.MAX_ENTRIES, 0
        found = logql.streams(
            self._source, self._query, self._start, end_ns, limit=limit, newest_first=True, categorize=categorize
        )
        streams = [logql.Stream(stream.labels, list(self._unseen(stream))) for stream in found]
        self._advance(end_ns)
        return [stream for stream in streams if stream.lines]

    def _unseen(self, stream: logql.Stream) -> Iterator[logql.Line]:
        labels = orjson.dumps(stream.labels, option=orjson.OPT_SORT_KEYS).decode()
        for line in reversed(stream.lines):
            key = (line.t_ns, labels, line.text)
            if key not in self._seen:
                self._seen[key] = line.t_ns
                yield line

    def _advance(self, end_ns: int) -> None:
        self._start = max(self._start, end_ns - OVERLAP_NS)
        self._seen = {key: t for key, t in self._seen.items() if t >= self._start}


class Tails:
    """The live tails of a process; there may be so many at once (Loki's max_concurrent_tail_requests)."""

    def __init__(self, source: logql.LogSource, queries: Queries) -> None:
        self._source, self._queries, self._most = source, queries, queries.settings.tails
        self._count = 0

    async def follow(self, socket: WebSocket) -> None:
        """Streams until the client goes away; a bad request is refused before the handshake with a 400."""
        try:
            following, delay_ns = _following(self._source, Form.of(socket.query_params.multi_items()))
            if self._count >= self._most:
                raise BadRequest(
                    "max concurrent tail requests limit exceeded, "
                    f"count > limit ({self._count + 1} > {self._most})"
                )
        except QueryFailure as error:
            await _refuse(socket, error)
            return
        self._count += 1
        try:
            await _stream(socket, self._queries, following, delay_ns)
        finally:
            self._count -= 1


async def _stream(socket: WebSocket, queries: Queries, following: Tail, delay_ns: int) -> None:
    await socket.accept()
    gone = asyncio.create_task(closed(socket))
    categorize = params.categorizes(socket.headers)
    try:
        while not gone.done():
            end = time.time_ns() - delay_ns + 1
            streams = await queries.run(
                gone, DIALECT.stopped, partial(following.fresh, end, categorize=categorize), lookup=True
            )
            if streams:
                await socket.send_text(_message(streams, categorize=categorize))
            await asyncio.wait({gone}, timeout=POLL_SECONDS)
    except QueryFailure as error:
        await socket.close(POLICY_VIOLATION, error.message[:120])
    except (WebSocketDisconnect, RuntimeError):
        pass  # gone while we were sending
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


def _following(source: logql.LogSource, form: Form) -> tuple[Tail, int]:
    query = logql.parse_log_query(form.get("query"))
    limit = params.positive(form, "limit", 100)
    delay = form.get("delay_for", "0")
    if delay not in ("0", "1", "2", "3", "4", "5"):
        raise BadRequest("delay_for can't be greater than 5")
    start = timestamp(form.get("start"), time.time_ns() - HOUR)
    return Tail(source, query, limit, start), int(delay) * SECOND


async def _refuse(socket: WebSocket, error: QueryFailure) -> None:
    if "websocket.http.response" not in socket.scope.get("extensions", {}):
        await socket.close(POLICY_VIOLATION, error.message[:120])
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await socket.send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await socket.send({"type": "websocket.http.response.body", "body": error.message.encode()})


def _message(streams: Iterable[logql.Stream], *, categorize: bool) -> str:
    body: dict[str, Any] = {"streams": encode.streams(streams, categorize=categorize)}
    if categorize:
        body["encodingFlags"] = [params.CATEGORIZE]
    return orjson.dumps(body).decode()
