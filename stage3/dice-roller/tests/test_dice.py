"""die-service down, slow or broken: what the caller gets, and what is counted, logged and traced of it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import REGISTRY

import dice

Handler = Callable[[httpx.Request], httpx.Response]
DieService = Callable[[Handler], None]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def stall(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def not_gzip(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"plain"))


def answer(status: int, text: str) -> Handler:
    return lambda request: httpx.Response(status, text=text)


GARBAGE = [
    "",
    "<html>",
    "null",
    "[]",
    "{}",
    '{"identifier": "fair", "faces": [], "error_rate": 0, "shakes": 0}',
    '{"identifier": "fair", "faces": [1], "error_rate": 7, "shakes": 0}',
    '{"identifier": "fair", "faces": [1], "error_rate": 0, "shakes": 1000000000}',
    '{"identifier": "other", "faces": [1], "error_rate": 0, "shakes": 0}',
    '{"identifier": "fair", "faces": [100000000000000000000000000], "error_rate": 0, "shakes": 0}',
]
FAILURES = [
    (refuse, 503, "unreachable", "die-service cannot be reached."),
    (stall, 504, "timeout", "die-service did not answer in time."),
    (not_gzip, 503, "error", "die-service gave an answer that makes no sense."),
    (answer(500, "boom"), 503, "500", "die-service answered 500."),
    (answer(302, ""), 503, "302", "die-service answered 302."),
    (answer(404, "not json"), 503, "404", "die-service gave an answer that makes no sense."),
    *((answer(200, text), 503, "200", "die-service gave an answer that makes no sense.") for text in GARBAGE),
]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.mark.parametrize(("handler", "status", "counted", "detail"), FAILURES)
async def test_a_failure_is_told_counted_and_timed(
    client: httpx.AsyncClient,
    die_service: DieService,
    caplog: pytest.LogCaptureFixture,
    handler: Handler,
    status: int,
    counted: str,
    detail: str,
) -> None:
    await client.get("/roll", params={"die": "fair"})  # so that the identifier is known
    before = value("die_service_requests_total", die_type="fair", status=counted)
    timed = value("die_service_request_duration_seconds_count")
    rolls = value("dice_rolls_total", die_type="unknown", result="unavailable")
    die_service(handler)
    with caplog.at_level(logging.WARNING):
        response = await client.get("/roll", params={"die": "fair"})
    assert (response.status_code, response.json()) == (status, {"detail": detail})
    assert value("die_service_requests_total", die_type="fair", status=counted) == before + 1
    assert value("die_service_request_duration_seconds_count") == timed + 1
    assert value("dice_rolls_total", die_type="unknown", result="unavailable") == rolls + 1
    assert caplog.records[-1].getMessage() == "no die"
    assert caplog.records[-1].__dict__["reason"] == detail


async def test_an_answer_that_drips_is_too_slow(
    client: httpx.AsyncClient, die_service: DieService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, the answer does not: httpx counts from read to read."""

    dripping: list[asyncio.Task[None] | None] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.append(asyncio.current_task())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

    monkeypatch.setattr(dice, "ANSWER_SECONDS", 0.2)
    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("DIE_SERVICE_URL", f"http://127.0.0.1:{port}")
        async with dice.client_for(httpx.AsyncHTTPTransport()) as dripped:
            HTTPXClientInstrumentor.instrument_client(dripped)
            monkeypatch.setattr(dice, "client", dripped)
            response = await client.get("/roll", params={"die": "fair"})
            assert (response.status_code, (await client.get("/healthz")).status_code) == (504, 503)
        await asyncio.gather(*filter(None, dripping))
    assert response.json() == {"detail": "die-service did not answer in time."}


@pytest.mark.parametrize("url", ["http://die-service:8002", "https://die-service/", "http://[::1]:8002"])
def test_a_url_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DIE_SERVICE_URL", url)
    assert dice.url_from_environment() == url


async def test_it_recovers_by_itself(client: httpx.AsyncClient, die_service: DieService) -> None:
    answers = [httpx.Response(503), httpx.Response(200, json=FAIR)]
    die_service(lambda request: answers.pop(0))
    statuses = [(await client.get("/roll", params={"die": "fair"})).status_code for _ in range(2)]
    assert statuses == [503, 200]


FAIR = {"identifier": "fair", "faces": [1], "error_rate": 0, "shakes": 0}


async def test_a_name_nobody_vouched_for_is_no_label(client: httpx.AsyncClient, die_service: DieService) -> None:
    die_service(refuse)
    for number in range(5):
        await client.get("/roll", params={"die": f"made-up-{number}"})
    text = (await client.get("/metrics")).text
    assert "made-up" not in text


async def test_the_call_is_a_client_span_whose_trace_goes_on(
    client: httpx.AsyncClient, die_service: DieService, spans: InMemorySpanExporter
) -> None:
    sent: list[str] = []

    def remember(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["traceparent"])
        return httpx.Response(200, json=FAIR)

    die_service(remember)
    await client.get("/roll", params={"die": "fair"})
    (call,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    (server,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert call.parent is not None
    assert call.parent.span_id == server.context.span_id
    assert sent[0].split("-")[1:3] == [f"{call.context.trace_id:032x}", f"{call.context.span_id:016x}"]


async def test_a_refused_connection_shows_in_the_trace(
    client: httpx.AsyncClient, die_service: DieService, spans: InMemorySpanExporter
) -> None:
    die_service(refuse)
    await client.get("/roll", params={"die": "fair"})
    (call,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    assert call.status.status_code is StatusCode.ERROR
    assert (call.attributes or {})["error.type"] == "ConnectError"


async def test_healthz_says_what_is_missing(
    client: httpx.AsyncClient, die_service: DieService, spans: InMemorySpanExporter
) -> None:
    assert (await client.get("/healthz")).status_code == 200
    for broken in (refuse, not_gzip):
        die_service(broken)
        response = await client.get("/healthz")
        assert (response.status_code, response.json()) == (503, {"detail": "die-service cannot be reached."})
    assert spans.get_finished_spans() == ()


async def test_all_rolls_share_one_client(client: httpx.AsyncClient, die_service: DieService) -> None:
    before = dice.client
    await asyncio.gather(*(client.get("/roll", params={"die": "fair"}) for _ in range(20)))
    assert dice.client is before
    assert not before.is_closed
