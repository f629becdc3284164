"""A query API that lives elsewhere, behind the same path: what Grafana's data source proxy does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

# Hop-by-hop headers, cookies and credentials stay behind.
FORWARDED = ("accept", "content-type", "x-loki-response-encoding-flags")
RETURNED = ("content-type",)


def app(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """Forwards GET and POST to `base_url` + path; 502 with Grafana's `{"message"}` when it does not answer."""
    client = httpx.AsyncClient(base_url=base_url.rstrip("/"), timeout=30, transport=transport, trust_env=False)

    async def forward(request: Request) -> Response:
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        # The raw path: Grafana's Tempo data source encodes tag names twice, and decoding here would lose one.
        path = request.scope["raw_path"].decode("ascii")[len(request.scope.get("root_path", "")) :]
        url = path + (f"?{request.url.query}" if request.url.query else "")
        outgoing = client.build_request(request.method, url, headers=headers, content=await request.body())
        try:
            answer = await client.send(outgoing, stream=True)
        except httpx.HTTPError as error:
            return JSONResponse({"message": f"{base_url} does not answer: {error}"}, status_code=502)
        kept = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
        return StreamingResponse(_body(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose))

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in answer.aiter_bytes():
        yield chunk
