"""More than can be served: some are, the rest is told so at once, and the event loop is free all the while."""

import asyncio
import logging
import time
from collections import Counter

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import REGISTRY

import admission
import dice

FAIR = {"identifier": "fair", "faces": [1], "error_rate": 0, "shakes": 0}
CALLS = "calls of die-service"


def refused() -> float:
    return REGISTRY.get_sample_value("admission_rejected_total", {"limit": CALLS}) or 0


class DieService:
    """Answers after `seconds`, and knows how many asked it at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.most, self.healthz = seconds, 0, 0, 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/healthz":
            self.healthz += 1
            await asyncio.sleep(0.02)
            return httpx.Response(200)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        return httpx.Response(200, json=FAIR)


@pytest.fixture
def die_service_at_work(monkeypatch: pytest.MonkeyPatch) -> DieService:
    service = DieService(0.02)
    monkeypatch.setattr(dice, "ANSWER_SECONDS", 30)  # the callers share this event loop, and take their time
    monkeypatch.setattr(dice, "client", dice.client_for(httpx.MockTransport(service)))
    monkeypatch.setattr(dice, "calls", admission.Line(CALLS, at_once=10, waiting=90, seconds=1.5))
    return service


async def roll(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/roll", params={"die": "fair"})


async def test_a_thousand_at_once(client: httpx.AsyncClient, die_service_at_work: DieService) -> None:
    before, passes, ended = refused(), 0, asyncio.Event()

    async def count_passes() -> None:
        nonlocal passes
        while not ended.is_set():
            await asyncio.sleep(0)
            passes += 1

    counting = asyncio.create_task(count_passes())
    answers = await asyncio.gather(*(roll(client) for _ in range(1000)))
    ended.set()
    await counting
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 10
    assert die_service_at_work.most <= 10
    assert refused() - before == statuses[503]
    assert passes >= 1000 / admission.PASS  # so often did the event loop look at everybody else meanwhile


async def test_a_refusal_says_what_to_do(
    client: httpx.AsyncClient,
    die_service_at_work: DieService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    spans: InMemorySpanExporter,
) -> None:
    monkeypatch.setattr(dice, "calls", admission.Line(CALLS, at_once=0, waiting=0, seconds=1))
    with caplog.at_level(logging.WARNING):
        answer = await roll(client)
    reason = "Too many calls of die-service at once. Try again in a second."
    assert (answer.status_code, answer.json()) == (503, {"detail": reason})
    assert answer.headers["retry-after"] == "1"
    assert [(record.getMessage(), record.__dict__["reason"]) for record in caplog.records] == [("refused", reason)]
    (span,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    assert span.status.status_code is StatusCode.ERROR
    (event,) = span.events
    assert event.attributes == {"exception.type": "OverloadedError", "exception.message": reason}
    assert not [span for span in spans.get_finished_spans() if span.kind is SpanKind.CLIENT]


async def test_nobody_stands_in_line_for_long(
    client: httpx.AsyncClient, die_service_at_work: DieService, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_service_at_work.seconds = 0.5
    monkeypatch.setattr(dice, "calls", admission.Line(CALLS, at_once=2, waiting=90, seconds=0.1))
    began = time.monotonic()
    statuses = Counter(answer.status_code for answer in await asyncio.gather(*(roll(client) for _ in range(20))))
    assert statuses == {200: 2, 503: 18}
    assert time.monotonic() - began < 5  # one after the other they would take as long
    die_service_at_work.seconds = 0
    assert (await roll(client)).status_code == 200  # every place was given back
    assert dice.calls.taken == 0


async def test_a_caller_that_goes_gives_its_place_back(
    die_service_at_work: DieService, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_service_at_work.seconds = 60
    monkeypatch.setattr(dice, "calls", admission.Line(CALLS, at_once=1, waiting=1, seconds=60))
    tasks = [asyncio.create_task(dice.find("fair")) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(admission.OverloadedError):
        await dice.find("fair")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    die_service_at_work.seconds = 0
    assert (await dice.find("fair")).identifier == "fair"


async def test_health_checks_share_one_answer(client: httpx.AsyncClient, die_service_at_work: DieService) -> None:
    answers = await asyncio.gather(*(client.get("/healthz") for _ in range(500)))
    assert {answer.status_code for answer in answers} == {200}
    assert die_service_at_work.healthz < 50
