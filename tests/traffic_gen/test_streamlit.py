"""Virtual users against the real frontend (stage 4's), with a stand-in for the services behind it."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from traffic_gen import streamlit_user
from traffic_gen.outcome import Outcome
from traffic_gen.settings import Settings
from traffic_gen.streamlit_page import Session
from traffic_gen.streamlit_user import BatchUser, StreamlitUser

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0
FAIR, RISKY = {"fair": 1}, {"risky": 1}


class Services(BaseHTTPRequestHandler):
    """Fair dice roll, risky ones fail; keeps the requests with their traceparent."""

    seen: ClassVar[list[tuple[str, str]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("traceparent", "")))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/dice":
            self.answer(200, {"identifiers": ["fair", "heavy", "risky"]})
        elif query["die"] == "risky":
            self.answer(500, {"detail": "The risky die fell off the table."})
        elif parts.path == "/roll":
            self.answer(200, {"die": query["die"], "roll": 4})
        else:
            times = int(query["times"])
            body = {"die": query["die"], "times": times, "rolls": [1] * times, "total": times, "failed": 0}
            self.answer(200, body)

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    class Handler(Services):
        seen: ClassVar[list[tuple[str, str]]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Handler.seen
        server.shutdown()


@pytest.fixture(scope="module")
def frontend(services: tuple[str, list[tuple[str, str]]]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "main:app", "--no-access-log", "--port", str(port)]
    environment = os.environ | {"ROLLER_URL": services[0], "DIE_SERVICE_URL": services[0]}
    process = subprocess.Popen(command, cwd=ROOT / "stage4/frontend", env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
            break
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(streamlit_user, "tracer", provider.get_tracer("test"))
    return exporter


@pytest.fixture(autouse=True)
def url(frontend: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FRONTEND_URL", frontend)
    return frontend


async def acts(user: StreamlitUser, times: int) -> list[Outcome]:
    rng = random.Random(1)
    async with user:
        return [await user.act(rng) for _ in range(times)]


async def test_the_page_and_its_widgets(frontend: str) -> None:
    async with Session(frontend) as session:
        assert session.page.widget("selectbox", "Die").options[:3] == ["fair", "heavy", "risky"]
        with pytest.raises(LookupError, match="no button 'Explode'"):
            session.page.widget("button", "Explode")


async def test_a_roll_is_a_request_with_the_status_of_the_page() -> None:
    outcomes = await acts(StreamlitUser(Settings(), FAIR), 3)
    assert [(outcome.action, outcome.status, outcome.ok) for outcome in outcomes] == [
        ("roll fair", "200", True)
    ] * 3


async def test_a_failed_roll_on_the_page_is_a_failed_request() -> None:
    outcomes = await acts(StreamlitUser(Settings(), RISKY), 2)
    assert [(outcome.action, outcome.status, outcome.ok) for outcome in outcomes] == [
        ("roll risky", "500", False)
    ] * 2


async def test_the_click_starts_the_trace_that_reaches_the_roller(
    services: tuple[str, list[tuple[str, str]]], spans: InMemorySpanExporter
) -> None:
    await acts(StreamlitUser(Settings(), FAIR), 1)
    (click,) = spans.get_finished_spans()
    assert (click.name, click.kind, click.parent) == ("click Roll", SpanKind.CLIENT, None)
    path, parent = services[1][-1]
    assert path == "/roll?die=fair"
    assert parent.split("-")[1] == f"{click.context.trace_id:032x}"


async def test_a_failed_click_is_a_failed_span(spans: InMemorySpanExporter) -> None:
    await acts(StreamlitUser(Settings(), RISKY), 1)
    click = spans.get_finished_spans()[0]
    assert (click.status.status_code, (click.attributes or {})["error.type"]) == (StatusCode.ERROR, "500")


async def test_batches_by_probability(services: tuple[str, list[tuple[str, str]]]) -> None:
    always = Settings(async_probability=1, max_async_rolls=7)
    outcomes = await acts(BatchUser(always, FAIR), 5)
    assert {(outcome.action, outcome.status) for outcome in outcomes} == {("roll fair at once", "200")}
    times = [int(parse_qs(urlsplit(path).query)["times"][0]) for path, _ in services[1][-5:]]
    assert all(2 <= number <= 7 for number in times)
    assert len(set(times)) > 1
    never = await acts(BatchUser(Settings(async_probability=0), FAIR), 3)
    assert {outcome.action for outcome in never} == {"roll fair"}


async def test_a_frontend_that_is_away_is_an_outcome_and_then_all_is_well_again(
    frontend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, rng = StreamlitUser(Settings(), FAIR), random.Random(1)
    monkeypatch.setenv("FRONTEND_URL", "http://127.0.0.1:1")
    async with user:
        refused = await user.act(rng)
        monkeypatch.setenv("FRONTEND_URL", frontend)
        assert (refused.ok, (await user.act(rng)).status) == (False, "200")


async def test_a_session_that_broke_is_opened_anew() -> None:
    user, rng = StreamlitUser(Settings(), FAIR), random.Random(1)
    async with user:
        assert (await user.act(rng)).ok
        assert user.session is not None
        await user.session.socket.close()
        assert not (await user.act(rng)).ok
        assert (await user.act(rng)).ok
