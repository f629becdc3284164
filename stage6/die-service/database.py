"""A PostgreSQL pool that starts without its database, finds it again by itself, and says what goes wrong.

Where the database is comes from libpq's own variables. The pool opens a connection when a query first needs one,
and a new one where it lost one. asyncpg's instrumentation makes a span for each query, but none for a connection
that is waited for or refused: those are made here.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from opentelemetry import trace
from opentelemetry.semconv.attributes import db_attributes, error_attributes, server_attributes

from database_telemetry import POOL_AVAILABLE, POOL_LIMIT, POOL_SIZE, PoolExhaustedError, observed, translated

# Together below what a caller waits for. On one machine a connection takes 10 ms and such a query less than one.
CONNECT_SECONDS, ACQUIRE_SECONDS, QUERY_SECONDS = 0.7, 0.8, 0.8
CLOSE_SECONDS = 2
SERVICE = os.getenv("OTEL_SERVICE_NAME", Path(__file__).parent.name)
DATABASE = {"PGHOST": "127.0.0.1", "PGPORT": "15432", "PGUSER": "services", "PGDATABASE": "dice"}
for name, value in DATABASE.items():
    os.environ.setdefault(name, value)

tracer = trace.get_tracer("database")
UNTRACED = trace.NonRecordingSpan(trace.SpanContext(trace_id=1, span_id=1, is_remote=False))


def whole_number(variable: str, default: str, maximum: int) -> int:
    text = os.getenv(variable, default)
    if text.isdecimal() and 1 <= int(text) <= maximum:
        return int(text)
    raise SystemExit(f"{SERVICE}: {variable} must be a number from 1 to {maximum}, not {text!r}")


LIMIT = whole_number("DATABASE_POOL_SIZE", "8", 100)
ADDRESS: dict[str, str | int] = {
    db_attributes.DB_SYSTEM_NAME: "postgresql",
    db_attributes.DB_NAMESPACE: os.environ["PGDATABASE"],
    server_attributes.SERVER_ADDRESS: os.environ["PGHOST"],
    server_attributes.SERVER_PORT: whole_number("PGPORT", "", 65535),
}


class Database:
    """`async with database.open()` in the lifespan, `async with database.connection("get") as c` for a query."""

    def __init__(self) -> None:
        self.pool: asyncpg.Pool | None = None
        POOL_SIZE.set_function(lambda: self.pool.get_size() if self.pool else 0)
        POOL_AVAILABLE.set_function(lambda: self.pool.get_idle_size() if self.pool else 0)
        POOL_LIMIT.set_function(lambda: self.pool.get_max_size() if self.pool else 0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        options = {"connect": connect, "reset": no_reset}
        times = {"timeout": CONNECT_SECONDS, "command_timeout": QUERY_SECONDS}
        self.pool = pool = await asyncpg.create_pool(min_size=0, max_size=LIMIT, **options, **times)
        try:
            yield
        finally:
            self.pool = None
            await close(pool)

    @asynccontextmanager
    async def connection(self, query_type: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection, counted and timed as `query_type`. Raises DatabaseUnavailableError."""
        with observed(query_type):
            async with acquired(self.pool) as connection:
                yield connection

    async def probe(self, question: str = "SELECT 1") -> Any:
        """The one value of the answer. For health checks: neither counted nor traced. DatabaseUnavailableError."""
        with trace.use_span(UNTRACED), translated():
            async with acquired(self.pool) as connection:
                return await connection.fetchval(question)


@asynccontextmanager
async def acquired(pool: asyncpg.Pool | None) -> AsyncIterator[asyncpg.Connection]:
    if pool is None:
        raise asyncpg.InterfaceError("the pool is closed")
    with tracer.start_as_current_span("acquire connection") as span:
        try:
            connection = await acquire(pool)
        except Exception as error:
            span.set_attribute(error_attributes.ERROR_TYPE, type(error).__qualname__)
            raise
    try:
        yield connection
    finally:
        await pool.release(connection, timeout=QUERY_SECONDS)


async def acquire(pool: asyncpg.Pool) -> asyncpg.Connection:
    try:
        return await pool.acquire(timeout=ACQUIRE_SECONDS)
    except TimeoutError as error:
        if pool.get_size() < LIMIT:  # not all are open: it is the database that is slow
            raise
        raise PoolExhaustedError(f"All {LIMIT} database connections are in use.") from error


async def connect(*arguments: Any, **options: Any) -> asyncpg.Connection:
    with tracer.start_as_current_span("connect", kind=trace.SpanKind.CLIENT, attributes=ADDRESS) as span:
        try:
            return await asyncpg.connect(*arguments, **options)
        except BaseException as error:  # CancelledError, too: who waited for the connection has given it up
            span.set_status(trace.StatusCode.ERROR, str(error))
            span.set_attribute(error_attributes.ERROR_TYPE, type(error).__qualname__)
            raise


async def no_reset(connection: asyncpg.Connection) -> None:
    """asyncpg's own reset is one more query, and a span, a release. Our queries leave no state behind."""


async def close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
    except TimeoutError:
        pool.terminate()
