import os

os.environ["OTEL_SERVICE_NAME"] = "streamlit-frontend"
os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"
os.environ["TRACE_URL_TEMPLATE"] = "http://grafana.test/trace/TRACE_ID"

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from streamlit.testing.v1 import AppTest

import clients
import dice
from main import provider

EXPORTER = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
PAGE = Path(__file__).parent.parent / "page.py"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    EXPORTER.clear()
    yield EXPORTER
    EXPORTER.clear()


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], list[httpx.Request]]:
    """Puts a handler in place of the services behind the frontend; the list has the requests it got."""

    def answer_with(handler: Handler) -> list[httpx.Request]:
        seen: list[httpx.Request] = []

        def record(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return handler(request)

        client = clients.client_for("http://services", 5, "dice-roller", httpx.MockTransport(record))
        HTTPXClientInstrumentor.instrument_client(client)
        monkeypatch.setattr(clients, "roller", client)
        return seen

    return answer_with


@pytest.fixture(autouse=True)
def die_service(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Puts a handler in the place of die-service; one that lists the dice is there from the start."""

    def answer_with(handler: Handler) -> None:
        dice.listed.clear()
        dice.known[:] = ["fair", "risky"]
        client = clients.client_for("http://die-service:8002", 2, "die-service", httpx.MockTransport(handler))
        HTTPXClientInstrumentor.instrument_client(client)
        monkeypatch.setattr(clients, "die_service", client)

    answer_with(lambda request: httpx.Response(200, json={"identifiers": ["fair", "risky", "heavy"]}))
    return answer_with


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=20)


def rolled(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"die": request.url.params["die"], "roll": 4}))


@pytest.fixture
def lucky(backend: Callable[[Handler], list[httpx.Request]]) -> list[httpx.Request]:
    return backend(rolled)
