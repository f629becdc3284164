"""Heads without an end, in size or in time: refused with a status, and the connection's memory is free again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from pocket.asgi import head

Connect = Callable[[], Any]


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", _length, methods=["GET", "POST"]), WebSocketRoute("/echo", _echo)])
    config = uvicorn.Config(
        app, port=0, http=head.BoundedHead, ws="websockets-sansio", lifespan="off", log_config=None
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that comes back until the server closes; what it does not take any more is not sent.

    A bare socket: asyncio's streams forget what came when a later write fails.
    """
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):
            for part in parts:
                await loop.sock_sendall(client, part)
                await asyncio.sleep(pause)
        answer = b""
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                while chunk := await loop.sock_recv(client, 65536):
                    answer += chunk
        return answer


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [GET, b"x: ", *[b"y" * 8192] * 64],  # one header without an end
        [GET, *[b"x-%d: %s\r\n" % (n, b"y" * 1000) for n in range(200)], CLOSE],  # many
        [b"GET /?", *[b"q" * 8192] * 64],  # a request line without an end
        [GET + b"x: " + b"y" * 70_000 + b"\r\n" + CLOSE],  # all of it at once
    ],
)
async def test_a_head_that_is_too_large_is_431(port: int, parts: list[bytes]) -> None:
    assert (await said(port, *parts, pause=0.001)).startswith(b"HTTP/1.1 431 ")


async def test_a_large_head_and_a_large_body_pass(port: int) -> None:
    assert (await said(port, GET + b"x: " + b"y" * 60_000 + b"\r\n" + CLOSE)).endswith(b"\r\n\r\n0")
    body = b"z" * 1_000_000
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
    assert (await said(port, post + CLOSE + body)).endswith(b"\r\n\r\n1000000")
    both = await said(port, post + b"\r\n", body, GET + CLOSE, pause=0.05)  # each head counts for itself
    assert both.count(b"HTTP/1.1 200 OK") == 2


async def test_a_head_that_takes_too_long_is_408(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "HEAD_SECONDS", 0.3)
    drop_by_drop = [GET, *[b"x: y\r\n"] * 12]
    assert (await said(port, *drop_by_drop, pause=0.05)).startswith(b"HTTP/1.1 408 ")
    assert (await said(port)).startswith(b"HTTP/1.1 408 ")  # not one byte
    again = await said(port, GET + b"\r\n", *[b"G"] * 1, pause=0.1)
    assert again.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in again


async def test_no_request_is_400(port: int) -> None:
    assert (await said(port, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_body_and_a_websocket_may_take_longer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "HEAD_SECONDS", 0.2)
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n"
    assert (await said(port, post + CLOSE, *[b"z"] * 6, pause=0.1)).endswith(b"\r\n\r\n6")
    async with connect(f"ws://127.0.0.1:{port}/echo") as socket:
        await asyncio.sleep(0.4)
        await socket.send("still here")
        assert await socket.recv() == "still here"
