import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, str(Path(__file__).parent))
from postgres import Postgres

SERVER = Postgres()
os.environ |= SERVER.environment | {"DATABASE_POOL_SIZE": "4"}
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "service.namespace=dice-workshop,service.version=test"

from main import app, database, provider  # noqa: E402 - they read the environment

EXPORTER = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(EXPORTER))


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    EXPORTER.clear()
    yield EXPORTER
    EXPORTER.clear()


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """May be stopped and started by a test."""
    yield SERVER
    SERVER.remove()


@pytest.fixture
def postgres(server: Postgres) -> Postgres:
    """Runs when the test begins."""
    server.start()
    return server


@pytest.fixture
async def client(postgres: Postgres) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        database.open(),
        httpx.AsyncClient(transport=transport, base_url="http://die-service:8002") as client,
    ):
        yield client


class Backend(BaseHTTPRequestHandler):
    names: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.names += [span.name for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def receiving(port: int) -> Iterator[list[str]]:
    handler = type("Backend", (Backend,), {"names": []})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler.names
        server.shutdown()


@pytest.fixture
def receiver() -> Callable[[int], AbstractContextManager[list[str]]]:
    """An OTLP backend on a port, as a context manager that yields the names of the spans it got."""
    return receiving


@pytest.fixture
def free_port() -> Callable[[], int]:
    def free() -> int:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        return port

    return free
