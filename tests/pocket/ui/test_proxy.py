"""The proxy to query APIs that live elsewhere, and the command line that uses it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pocket.ui import __main__ as command
from pocket.ui import proxy

PREFIX = "/api/datasources/proxy/uid/tempo"


def _client(handler: httpx.MockTransport) -> httpx.AsyncClient:
    proxied = Starlette(routes=[Mount(PREFIX, proxy.app("http://tempo:3200/", handler))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(proxied), base_url="http://localhost:3000")


def _echo(request: httpx.Request) -> httpx.Response:
    seen = {
        "method": request.method,
        "url": str(request.url),
        "headers": dict(request.headers),
        "body": request.read().decode(),
    }
    return httpx.Response(200, json=seen, headers={"set-cookie": "a=b", "x-powered-by": "x"})


async def test_method_path_query_and_body_arrive_as_they_were_sent() -> None:
    client = _client(httpx.MockTransport(_echo))
    url = f"{PREFIX}/api/v2/search/tag/span.a%252Fb/values?q=%7B%7D&a=1"
    answer = (await client.post(url, content=b"{}")).json()
    assert answer["url"] == "http://tempo:3200/api/v2/search/tag/span.a%252Fb/values?q=%7B%7D&a=1"
    assert (answer["method"], answer["body"]) == ("POST", "{}")


async def test_cookies_and_credentials_stay_on_either_side() -> None:
    client = _client(httpx.MockTransport(_echo))
    headers = {"authorization": "Bearer x", "cookie": "s=1", "x-loki-response-encoding-flags": "categorize-labels"}
    answer = await client.get(f"{PREFIX}/ready", headers=headers)
    sent = answer.json()["headers"]
    assert "authorization" not in sent
    assert "cookie" not in sent
    assert sent["x-loki-response-encoding-flags"] == "categorize-labels"
    assert "set-cookie" not in answer.headers


async def test_errors_of_the_component_are_passed_on() -> None:
    client = _client(httpx.MockTransport(lambda _: httpx.Response(400, text="invalid TraceQL query")))
    answer = await client.get(f"{PREFIX}/api/search?q=x")
    assert (answer.status_code, answer.text) == (400, "invalid TraceQL query")


async def test_a_component_that_is_down_is_named() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    answer = await _client(httpx.MockTransport(refuse)).get(f"{PREFIX}/ready")
    assert answer.status_code == 502
    assert answer.json()["message"] == "http://tempo:3200/ does not answer: connection refused"


async def test_other_methods_are_not_forwarded() -> None:
    assert (await _client(httpx.MockTransport(_echo)).delete(f"{PREFIX}/api/v1/admin")).status_code == 405


async def test_the_command_serves_all_four_data_sources(tmp_path: Path) -> None:
    options = command.arguments(["--dashboards", str(tmp_path), "--stage", "2", "--loki", "http://127.0.0.1:1"])
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(command.build(options)), base_url="http://localhost:3000"
    )
    assert [one["uid"] for one in (await client.get("/api/datasources")).json()] == [
        "prometheus",
        "loki",
        "tempo",
        "pyroscope",
    ]
    assert (await client.get("/api/workshop/checklist")).json()["stage"] == 2
    assert (await client.get("/api/datasources/proxy/uid/loki/ready")).status_code == 502


@contextlib.asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """A real server, as sockets need one; → host and port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


TAIL = "/loki/api/v1/tail"
LOKI = "/api/datasources/proxy/uid/loki"


async def _says_what_it_was_asked(asked: WebSocket) -> None:
    if "refuse" in asked.query_params:
        await asked.close()
        return
    await asked.accept()
    await asked.send_text(str(asked.url.query))
    if "end" not in asked.query_params:
        await asked.receive()
    await asked.close()


@contextlib.asynccontextmanager
async def tail_behind_a_proxy() -> AsyncIterator[str]:
    loki = Starlette(routes=[WebSocketRoute(TAIL, _says_what_it_was_asked)])
    async with (
        served(loki) as backend,
        served(Starlette(routes=[Mount(LOKI, proxy.app(f"http://{backend}/"))])) as ui,
    ):
        yield f"ws://{ui}{LOKI}{TAIL}"


async def test_the_live_tail_comes_through() -> None:
    async with tail_behind_a_proxy() as url, websockets.connect(f"{url}?query=%7Ba%3D%22b%22%7D&limit=3") as tail:
        assert await asyncio.wait_for(tail.recv(), 10) == "query=%7Ba%3D%22b%22%7D&limit=3"


async def test_a_tail_that_ends_there_ends_here() -> None:
    async with tail_behind_a_proxy() as url, websockets.connect(f"{url}?end") as tail:
        assert await asyncio.wait_for(tail.recv(), 10) == "end"
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(tail.recv(), 10)


async def test_a_tail_that_is_refused_there_is_refused_here() -> None:
    async with tail_behind_a_proxy() as url:
        with pytest.raises(InvalidStatus):
            await websockets.connect(f"{url}?refuse")


async def test_a_tail_of_nobody_is_refused() -> None:
    async with served(Starlette(routes=[Mount(LOKI, proxy.app("http://127.0.0.1:1"))])) as ui:
        with pytest.raises(InvalidStatus):
            await websockets.connect(f"ws://{ui}{LOKI}{TAIL}")


async def test_a_socket_on_any_other_path_is_refused(tmp_path: Path) -> None:
    options = command.arguments(["--dashboards", str(tmp_path)])
    async with served(command.build(options)) as ui:
        for path in ("/", "/api/x", "/index.html", f"{LOKI}/loki/api/v1/query"):
            with pytest.raises(InvalidStatus):
                await websockets.connect(f"ws://{ui}{path}")
