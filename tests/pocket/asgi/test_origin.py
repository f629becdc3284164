"""Pages from elsewhere are kept out, programs and the UI's own pages are not."""

from __future__ import annotations

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from pocket.asgi.origin import OwnPages, is_foreign

EVIL = "https://evil.example"
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    "headers",
    [
        {},  # HTTP/1.0
        {"host": "127.0.0.1:3100"},
        {"host": "localhost:4000"},
        {"host": "[::1]:3000"},
        {"host": "pocket.localhost:3000"},
        {"host": "host.docker.internal:9090"},
        {"host": "localhost:3000", "origin": "http://localhost:3000"},
        {
            "host": "127.0.0.1:4318",
            "origin": "http://127.0.0.1:8501",
        },  # a page of the workshop that sends telemetry
        {
            "host": "localhost:3000",
            "origin": "https://x-3000.example",
            "sec-fetch-site": "same-origin",
        },  # forwarded
        {"host": "localhost:3000", "sec-fetch-site": "same-origin"},  # the UI asks its own server
        {"host": "localhost:3000", "sec-fetch-site": "none", **LINK},  # typed
        {"host": "localhost:3000", "sec-fetch-site": "same-site", **LINK},  # a link on the dice's page
        {"host": "127.0.0.1:3000", "sec-fetch-site": "cross-site", **LINK},  # a link on any page
        {"host": "localhost:9090", "origin": "http://localhost:3001", "sec-fetch-site": "same-site"},
    ],
)
def test_own(headers: dict[str, str]) -> None:
    assert not is_foreign(Headers(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:3000"},  # rebound
        {"host": "evil.example:3000", "origin": "http://evil.example:3000", "sec-fetch-site": "same-origin"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "[::1"},
        {"host": ""},
        {"host": "127.0.0.1:3100", "origin": EVIL},
        {"host": "127.0.0.1:3100", "origin": EVIL, "sec-fetch-site": "cross-site"},
        {"host": "127.0.0.1:3100", "origin": "null"},  # a frame in a sandbox
        {"host": "127.0.0.1:3100", "origin": "http://10.0.0.7"},
        {"host": "127.0.0.1:3100", "origin": "http://[::1"},
        {"host": "127.0.0.1:9090", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},  # an image
        {"host": "localhost:9090", "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
        {"host": "localhost:9090", "sec-fetch-site": "cross-site", **LINK, "sec-fetch-dest": "iframe"},
        {"host": "localhost:9090", "sec-fetch-site": "cross-site"},
        {"host": "localhost:9090", "sec-fetch-site": "nonsense"},
    ],
)
def test_foreign(headers: dict[str, str]) -> None:
    assert is_foreign(Headers(headers))


class App:
    """Says that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["type"])
        if scope["type"] == "http":
            await PlainTextResponse("hello")(scope, receive, send)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_requests(method: str) -> None:
    app = App()
    transport = httpx.ASGITransport(OwnPages(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.request(method, "/")).text == "hello"
        assert (await client.request(method, "/", headers={"origin": EVIL})).status_code == 403
        assert (await client.request(method, "/", headers={"host": "evil.example"})).status_code == 403
    assert app.asked == ["http"]


@pytest.mark.parametrize(("origin", "asked"), [("http://localhost:3000", ["websocket"]), (EVIL, [])])
async def test_sockets(origin: str, asked: list[str]) -> None:
    app, sent = App(), list[Message]()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"origin", origin.encode())]
    await OwnPages(app)({"type": "websocket", "headers": headers}, receive, send)
    assert app.asked == asked
    assert [message["type"] for message in sent] == ([] if asked else ["websocket.close"])
