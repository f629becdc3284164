"""A query API that lives elsewhere, behind the same path: what Grafana's data source proxy does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from pocket.ui import proxysocket

# Hop-by-hop headers, cookies and credentials stay behind.
FORWARDED = ("accept", "content-type", "x-loki-response-encoding-flags")
RETURNED = ("content-type",)


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
        await proxysocket.forward(socket, base_url.rstrip("/").replace("http", "ws", 1) + _asked(socket))

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
