import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

sys.path.insert(0, str(Path(__file__).parent))
from postgres import Postgres

SERVER = Postgres()
os.environ |= SERVER.environment | {"DATABASE_POOL_SIZE": "4"}
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "service.namespace=dice-workshop,service.version=test"

from main import app, database, provider, store  # noqa: E402 - they read the environment

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
    """Runs when the test begins, and holds no usage events."""
    server.start()
    server.query("DROP TABLE IF EXISTS usage_events")
    store.has_table = False
    return server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with database.open(), httpx.AsyncClient(transport=transport, base_url="http://usage-service") as client:
        yield client
