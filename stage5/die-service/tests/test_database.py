"""The pool against the real server: as it comes, goes, hangs and fills up."""

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from postgres import Postgres
from prometheus_client import REGISTRY

from database import LIMIT, Database
from database_telemetry import DatabaseUnavailableError


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    database = Database()
    async with database.open():
        yield database


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not what():  # noqa: ASYNC110 - the other side is a pool, which has no event to wait for
            await asyncio.sleep(0.01)


async def ask(database: Database, sql: str = "SELECT 42") -> object:
    async with database.connection("test") as connection:
        return await connection.fetchval(sql)


def queries(result: str) -> float:
    return REGISTRY.get_sample_value("database_queries_total", {"query_type": "test", "result": result}) or 0


def observations() -> float:
    return REGISTRY.get_sample_value("database_query_duration_seconds_count", {"query_type": "test"}) or 0


def pool() -> tuple[float | None, ...]:
    return tuple(REGISTRY.get_sample_value(f"database_connection_pool_{name}") for name in ("size", "available"))


async def test_one_query_makes_one_database_span(
    postgres: Postgres, database: Database, spans: InMemorySpanExporter
) -> None:
    await ask(database)
    spans.clear()
    assert await ask(database) == 42
    acquire, query = spans.get_finished_spans()
    assert (acquire.name, acquire.kind, query.name, query.kind) == (
        "acquire connection", SpanKind.INTERNAL, "SELECT", SpanKind.CLIENT,
    )  # fmt: skip
    attributes = query.attributes or {}
    assert attributes["db.system.name"] == "postgresql"
    assert attributes["db.namespace"] == "dice"
    assert attributes["db.query.text"] == "SELECT 42"
    assert attributes["server.port"] == postgres.port
    assert not {"db.system", "db.statement", "db.name", "net.peer.name"} & set(attributes)


async def test_a_new_connection_has_a_span(
    postgres: Postgres, database: Database, spans: InMemorySpanExporter
) -> None:
    await ask(database)
    connect, acquire, _ = spans.get_finished_spans()
    assert connect.parent is not None
    assert connect.parent.span_id == acquire.context.span_id
    assert (connect.name, connect.kind) == ("connect", SpanKind.CLIENT)
    assert (connect.attributes or {})["server.port"] == postgres.port


async def test_it_starts_without_a_database_says_so_everywhere_and_finds_it(
    server: Postgres, database: Database, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(server.stop)
    before, counted = queries("unavailable"), observations()
    with pytest.raises(
        DatabaseUnavailableError, match=r"^The database is not available \(ConnectionRefusedError\)"
    ):
        await ask(database)
    assert (queries("unavailable"), observations()) == (before + 1, counted + 1)
    assert [(span.name, span.status.status_code) for span in spans.get_finished_spans()] == [
        ("connect", StatusCode.ERROR), ("acquire connection", StatusCode.ERROR),
    ]  # fmt: skip
    for span in spans.get_finished_spans():
        (event,) = span.events
        assert (event.attributes or {})["exception.type"] == "ConnectionRefusedError"
    (record,) = caplog.records
    assert (record.levelname, record.message, vars(record)["result"]) == ("ERROR", "query failed", "unavailable")
    assert "ConnectionRefusedError" in vars(record)["error"]
    assert pool() == (0, 0)
    await asyncio.to_thread(server.start)
    assert await ask(database) == 42
    assert pool() == (1, 1)


async def test_an_outage_under_eight_clients(postgres: Postgres, database: Database) -> None:
    """Nothing succeeds while it is down, everything when it is back, and no client hangs in between."""
    seen: Counter[str] = Counter()
    phase, end = "before", asyncio.Event()

    async def client() -> None:
        while not end.is_set():
            began = phase
            try:
                await ask(database, "SELECT 42 FROM pg_sleep(0.005)")
                result = "success"
            except DatabaseUnavailableError:
                result = "failure"
            if began == phase:  # what a change of phase cuts through proves nothing
                seen[f"{phase} {result}"] += 1
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as clients:
        for _ in range(8):
            clients.create_task(client())
        await until(lambda: seen["before success"] >= 40)
        phase = "going"
        await asyncio.to_thread(postgres.stop)
        phase = "down"
        await until(lambda: seen["down failure"] >= 40)
        assert pool() == (0, 0)
        phase = "coming"
        await asyncio.to_thread(postgres.start)
        phase = "after"
        await until(lambda: seen["after success"] >= 40)
        end.set()
    assert seen["before failure"] == seen["down success"] == seen["after failure"] == 0
    size, available = pool()
    assert size == available
    assert 1 <= (size or 0) <= LIMIT


async def test_an_exhausted_pool_says_so_and_recovers(
    postgres: Postgres, database: Database, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    before = queries("pool_exhausted")
    release = asyncio.Event()

    async def hold() -> None:
        async with database.connection("holder") as connection:
            await connection.fetchval("SELECT 1")
            await release.wait()

    async with asyncio.TaskGroup() as holders:
        for _ in range(LIMIT):
            holders.create_task(hold())
        await until(lambda: pool() == (LIMIT, 0))
        spans.clear()
        with pytest.raises(DatabaseUnavailableError, match=r"^All database connections are in use"):
            await ask(database)
        release.set()
    (acquire,) = [span for span in spans.get_finished_spans() if span.name == "acquire connection"]
    assert acquire.status.status_code is StatusCode.ERROR
    assert (acquire.attributes or {})["error.type"] == "PoolExhaustedError"
    assert (acquire.events[0].attributes or {})["exception.type"] == "database_telemetry.PoolExhaustedError"
    assert queries("pool_exhausted") == before + 1
    assert [vars(record)["result"] for record in caplog.records] == ["pool_exhausted"]
    assert pool() == (LIMIT, LIMIT)
    assert await ask(database) == 42


async def test_a_server_that_takes_connections_and_says_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter
) -> None:
    before = queries("timeout")
    with socket.create_server(("127.0.0.1", 0)) as tarpit:
        monkeypatch.setenv("PGPORT", str(tarpit.getsockname()[1]))
        results = await asyncio.gather(*(ask(database) for _ in range(LIMIT + 2)), return_exceptions=True)
    assert {str(result) for result in results} == {"The database does not answer in time."}
    assert queries("timeout") == before + LIMIT + 2
    acquired = [span for span in spans.get_finished_spans() if span.name == "acquire connection"]
    assert [span.status.status_code for span in acquired] == [StatusCode.ERROR] * (LIMIT + 2)
    connects = [span for span in spans.get_finished_spans() if span.name == "connect" and span.events]
    assert len(connects) == LIMIT


async def test_a_connection_given_up_while_it_is_made_is_an_error(
    database: Database, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*arguments: object, **options: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("database.asyncpg.connect", never)
    monkeypatch.setattr("database.ACQUIRE_SECONDS", 0.1)
    with pytest.raises(DatabaseUnavailableError, match="in time"):
        await ask(database)
    found = {span.name: span for span in spans.get_finished_spans()}
    assert {name: span.status.status_code for name, span in found.items()} == {
        "connect": StatusCode.ERROR, "acquire connection": StatusCode.ERROR
    }  # fmt: skip
    assert (found["connect"].attributes or {})["error.type"] == "CancelledError"


async def test_a_slow_query_is_given_up_and_its_connection_is_good_again(
    postgres: Postgres, database: Database, spans: InMemorySpanExporter
) -> None:
    before = queries("timeout")
    with pytest.raises(DatabaseUnavailableError, match="does not answer in time"):
        await ask(database, "SELECT pg_sleep(30)")
    assert queries("timeout") == before + 1
    (select,) = [span for span in spans.get_finished_spans() if span.name == "SELECT"]
    assert select.status.status_code is StatusCode.ERROR
    assert await ask(database) == 42
    assert pool()[0] == pool()[1]


async def test_a_mistake_of_ours_is_not_taken_for_an_outage(postgres: Postgres, database: Database) -> None:
    before = queries("error")
    with pytest.raises(asyncpg.UndefinedTableError):
        await ask(database, "SELECT * FROM nowhere")
    async with database.connection("test") as connection:
        with pytest.raises(asyncpg.exceptions.DataError):
            await connection.fetchval("SELECT $1::int", "many")
        assert await connection.fetchval("SELECT 42") == 42
    assert queries("error") == before + 1


async def test_a_refused_password(postgres: Postgres, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with pytest.raises(DatabaseUnavailableError, match="InvalidPasswordError"):
        await ask(database)


async def test_a_probe_is_neither_counted_nor_traced(
    postgres: Postgres, database: Database, spans: InMemorySpanExporter
) -> None:
    assert await database.probe() == 1
    assert spans.get_finished_spans() == ()
    assert (
        REGISTRY.get_sample_value("database_queries_total", {"query_type": "probe", "result": "success"}) is None
    )
    await asyncio.to_thread(postgres.stop)
    with pytest.raises(DatabaseUnavailableError):
        await database.probe()
    assert spans.get_finished_spans() == ()


async def test_a_caller_that_goes_away_gives_its_connection_back(postgres: Postgres, database: Database) -> None:
    before = queries("cancelled")
    task = asyncio.create_task(ask(database, "SELECT pg_sleep(30)"))
    await until(lambda: pool() == (1, 0))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queries("cancelled") == before + 1
    assert pool()[0] == pool()[1]
    assert await ask(database) == 42


async def test_a_closed_pool_has_no_connections(postgres: Postgres) -> None:
    database = Database()
    async with database.open():
        await ask(database)
        assert pool() == (1, 1)
    assert pool() == (0, 0)
    with pytest.raises(DatabaseUnavailableError):
        await ask(database)


@pytest.mark.parametrize(("name", "value"), [("DATABASE_POOL_SIZE", "0"), ("PGPORT", "many"), ("PGPORT", "70000")])
def test_a_malformed_setting_refuses_to_start_and_says_why(name: str, value: str) -> None:
    command = [sys.executable, "-c", "import database"]
    folder = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=folder, env=os.environ | {name: value}, capture_output=True, text=True)
    assert done.returncode == 1
    limit = 100 if name == "DATABASE_POOL_SIZE" else 65535
    assert done.stderr == f"die-service: {name} must be a number from 1 to {limit}, not {value!r}\n"
