"""A query API that lives elsewhere, behind the same path: what Grafana's data source proxy does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from pocket.asgi.departure import closed

# Hop-by-hop headers, cookies and credentials stay behind.
FORWARDED = ("accept", "content-type", "x-loki-response-encoding-flags")
RETURNED = ("content-type",)

OPEN_SECONDS = 5.0
MAX_MESSAGE = 16 << 20  # a message of Loki's has up to 100 lines to begin with
BAD_GATEWAY = 1014  # the code IANA's registry has for it
POLICY_VIOLATION = 1008


def app(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """Forwards GET and POST to `base_url` + path; 502 with Grafana's `{"message"}` when it does not answer."""
    client = httpx.AsyncClient(base_url=base_url.rstrip("/"), timeout=30, transport=transport, trust_env=False)

    async def forward(request: Request) -> Response:
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        outgoing = client.build_request(
            request.method, _asked(request), headers=headers, content=await request.body()
        )
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.HTTPError as error:
            return JSONResponse({"message": f"{base_url} does not answer: {error}"}, status_code=502)
        kept = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
        return StreamingResponse(_body(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose))

    async def follow(socket: WebSocket) -> None:
        await _relay(socket, base_url.rstrip("/").replace("http", "ws", 1) + _asked(socket))

    return Starlette(
        routes=[
            Route("/{path:path}", forward, methods=["GET", "POST"]),
            WebSocketRoute("/loki/api/v1/tail", follow),
        ]
    )


def _asked(connection: HTTPConnection) -> str:
    """The raw path: Grafana's Tempo data source encodes tag names twice, and decoding here would lose one."""
    path: str = connection.scope["raw_path"].decode("ascii")[len(connection.scope.get("root_path", "")) :]
    return path + (f"?{connection.url.query}" if connection.url.query else "")


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_bytes():
        yield chunk


# ---- WebSockets: Loki's live tail
async def _relay(socket: WebSocket, url: str) -> None:
    """What `url` (ws or wss) says, until either side closes; refused before the handshake if `url` refuses."""
    try:
        upstream = await connect(url, open_timeout=OPEN_SECONDS, max_size=MAX_MESSAGE, proxy=None)
    except InvalidHandshake:
        await socket.close(POLICY_VIOLATION)
        return
    except (OSError, TimeoutError):
        await socket.close(BAD_GATEWAY)
        return
    async with upstream:
        await socket.accept()
        told = asyncio.create_task(_pass_on(upstream, socket))
        gone = asyncio.create_task(closed(socket))
        _, pending = await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(told, gone, return_exceptions=True)
    with contextlib.suppress(RuntimeError):  # it closed first
        await socket.close()


async def _pass_on(upstream: ClientConnection, socket: WebSocket) -> None:
    with contextlib.suppress(ConnectionClosed, WebSocketDisconnect, RuntimeError):
        async for message in upstream:
            await socket.send_text(message if isinstance(message, str) else message.decode())
