"""Request bodies: one ASGI middleware bounds them, before and after decompression."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# (status, message, request headers) → the component's own way to say it.
Refuse = Callable[[int, str, Mapping[str, str]], Response]

_THREAD_BYTES = 256 << 10  # inflating more than this leaves the event loop


def plain(status: int, message: str, _headers: Mapping[str, str]) -> Response:
    """A Refuse for components that answer in plain text."""
    return PlainTextResponse(message + "\n", status)


class BodyError(Exception):
    """A body that cannot be taken: HTTP status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class BodyLimit:
    """Hands on bodies as they are meant, at most `limit` bytes.

    413 beyond it, 415 for an unknown encoding, 400 for a broken one; a bomb is inflated no further than the limit.
    """

    def __init__(self, app: ASGIApp, limit: int, refuse: Refuse = plain) -> None:
        self._app, self._limit, self._refuse = app, limit, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            body = await _decoded(await self._read(headers, receive), headers, self._limit)
        except BodyError as error:
            await self._refuse(error.status, error.message, headers)(scope, receive, send)
            return
        await self._app(_without_encoding(scope), _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._limit:
            raise _too_large(self._limit)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyError(400, "the client went away")
            parts.append(message.get("body", b""))
            size, more = size + len(parts[-1]), message.get("more_body", False)
            if size > self._limit:
                raise _too_large(self._limit)
        return b"".join(parts)


async def _decoded(body: bytes, headers: Headers, limit: int) -> bytes:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity", "snappy"):  # Loki's protobuf bodies are snappy whatever the header says
        return body
    if encoding not in ("gzip", "deflate"):
        raise BodyError(415, f"Content-Encoding {encoding[:40]!r} is not supported")
    if len(body) > _THREAD_BYTES:
        return await run_in_threadpool(inflate, body, limit)
    return inflate(body, limit)


def inflate(body: bytes, limit: int) -> bytes:
    """gzip or zlib (`deflate`) to plain; raises BodyError."""
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: either header
    try:
        plain_body = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyError(400, f"the body is not valid gzip: {error}") from error
    if len(plain_body) > limit:
        raise _too_large(limit)
    if not decoder.eof:
        raise BodyError(400, "the gzip body is truncated")
    return plain_body


def _too_large(limit: int) -> BodyError:
    return BodyError(413, f"request body too large, limit: {limit} bytes")


def _without_encoding(scope: Scope) -> Scope:
    gone = (b"content-encoding", b"content-length")
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in gone]}


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
