import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from pocket.asgi.body import BodyLimit

LIMIT = 1 << 20


@pytest.fixture
def client(connect: Callable[[ASGIApp], Any]) -> Any:
    async def echo(request: Request) -> PlainTextResponse:
        body = await request.body()
        return PlainTextResponse(f"{len(body)} {request.headers.get('content-encoding')}")

    return connect(BodyLimit(Starlette(routes=[Route("/", echo, methods=["GET", "POST"])]), LIMIT))


def test_bodies_arrive_plain(client: Any) -> None:
    data = b"x" * 1000
    packed = {"gzip": gzip.compress(data), "deflate": zlib.compress(data)}
    assert client.post("/", content=data).text == "1000 None"
    for encoding, body in packed.items():
        assert client.post("/", content=body, headers={"content-encoding": encoding}).text == "1000 None"
    assert client.post("/", content=b"").text == "0 None"
    assert client.get("/").text == "0 None"


def test_the_limit_itself_is_taken(client: Any) -> None:
    assert client.post("/", content=bytes(LIMIT)).status_code == 200
    packed = gzip.compress(bytes(LIMIT))
    assert client.post("/", content=packed, headers={"content-encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 100 << 20])
def test_too_large_is_413_plain_or_packed(client: Any, size: int) -> None:
    assert client.post("/", content=bytes(size)).status_code == 413
    response = client.post("/", content=gzip.compress(bytes(size)), headers={"content-encoding": "gzip"})
    assert response.status_code == 413
    assert response.text == f"request body too large, limit: {LIMIT} bytes\n"


def test_a_chunked_body_has_the_same_limit(client: Any) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(1 << 19)

    assert client.post("/", content=chunks(3)).status_code == 413
    assert client.post("/", content=chunks(2)).text == "1048576 None"


def test_what_cannot_be_decoded_is_refused(client: Any) -> None:
    def post(body: bytes, encoding: str) -> int:
        answer: httpx.Response = client.post("/", content=body, headers={"content-encoding": encoding})
        return answer.status_code

    assert post(b"not gzip", "gzip") == 400
    assert post(gzip.compress(b"x" * 1000)[:-4], "gzip") == 400
    assert post(b"", "gzip") == 400
    assert post(b"x", "br") == 415
