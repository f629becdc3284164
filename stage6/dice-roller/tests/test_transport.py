"""However a call of die-service ends badly, its span says so; one that nobody waits for any more is no failure."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import dice

Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def hang_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def break_off(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    return


async def nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"no HTTP\r\n\r\n")


@asynccontextmanager
async def serving(speak: Speak) -> AsyncIterator[int]:
    """A die-service that says what `speak` writes, and hangs up; its port."""
    tasks: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await speak(writer)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks))


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch) -> Callable[[Speak | None], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def ready(speak: Speak | None) -> AsyncIterator[None]:
        monkeypatch.setattr(dice, "ANSWER_SECONDS", 0.3)
        async with serving(speak or hang) as port:
            monkeypatch.setenv("DIE_SERVICE_URL", f"http://127.0.0.1:{port if speak else 1}")
            async with dice.client_for(httpx.AsyncHTTPTransport()) as made:
                HTTPXClientInstrumentor.instrument_client(made)
                monkeypatch.setattr(dice, "client", made)
                yield

    return ready


def the_call(spans: InMemorySpanExporter) -> ReadableSpan:
    (call,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    return call


@pytest.mark.parametrize(
    ("speak", "status", "error"),
    [
        (None, 503, "ConnectError"),
        (hang, 504, "ReadTimeout"),
        (hang_in_the_body, 504, "ReadTimeout"),
        (drip, 504, "ReadTimeout"),
        (break_off, 503, "RemoteProtocolError"),
        (say_nothing, 503, "RemoteProtocolError"),
        (nonsense, 503, "RemoteProtocolError"),
    ],
)
async def test_a_bad_end_is_an_error_with_its_reason(
    client: httpx.AsyncClient,
    spans: InMemorySpanExporter,
    calling: Callable[[Speak | None], AbstractAsyncContextManager[None]],
    speak: Speak | None,
    status: int,
    error: str,
) -> None:
    async with calling(speak):
        assert (await client.get("/roll", params={"die": "fair"})).status_code == status
    call = the_call(spans)
    assert call.status.status_code is StatusCode.ERROR
    assert (call.attributes or {})["error.type"] == error
    assert [event.name for event in call.events] == ["exception"]
    assert (call.attributes or {})["peer.service"] == "die-service"  # an edge without its span


async def test_an_answer_that_cannot_be_unpacked_is_an_error(
    client: httpx.AsyncClient,
    spans: InMemorySpanExporter,
    calling: Callable[[Speak | None], AbstractAsyncContextManager[None]],
) -> None:
    async def not_gzip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain")

    async with calling(not_gzip):
        assert (await client.get("/roll", params={"die": "fair"})).status_code == 503
    assert (the_call(spans).attributes or {})["error.type"] == "DecodingError"


async def test_a_caller_that_went_away_is_no_error(
    spans: InMemorySpanExporter, calling: Callable[[Speak | None], AbstractAsyncContextManager[None]]
) -> None:
    async with calling(hang):
        finding: Coroutine[Any, Any, dice.Die] = dice.find("fair")
        task = asyncio.create_task(finding)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    call = the_call(spans)
    assert call.status.status_code is StatusCode.UNSET
    assert [event.name for event in call.events] == ["cancelled"]


async def test_the_connection_of_a_bad_answer_is_given_back(
    client: httpx.AsyncClient, calling: Callable[[Speak | None], AbstractAsyncContextManager[None]]
) -> None:
    async with calling(drip):
        await asyncio.gather(*(client.get("/roll", params={"die": "fair"}) for _ in range(5)))
        inner = dice.client._transport.inner
        assert inner._pool.connections == []
