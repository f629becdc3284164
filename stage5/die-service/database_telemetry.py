"""How queries end: counted, timed, logged, and the many errors of a database that is away told as one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from telemetry.tracing import exemplar

QUERIES = Counter("database_queries", "Queries by what they are for and how they ended.", ["query_type", "result"])
DURATION = Histogram(
    "database_query_duration_seconds",
    "Time for a connection and the query on it, failures included.",
    ["query_type"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
POOL_SIZE = Gauge("database_connection_pool_size", "Connections that are open now.")
POOL_AVAILABLE = Gauge("database_connection_pool_available", "Open connections that wait for work now.")
POOL_LIMIT = Gauge("database_connection_pool_limit", "The most connections this process may open.")
TOLD = {
    "pool_exhausted": "All database connections are in use. Try again.",
    "timeout": "The database does not answer in time.",
    "unavailable": "The database is not available ({}).",
}
# The database is away, has no room or does not want us. Whatever else PostgreSQL says is our own mistake.
UNAVAILABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a connection that broke while it was being opened
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
logger = logging.getLogger("database")


class DatabaseUnavailableError(Exception):
    """The database does not answer; the message says why and may be shown to a caller."""


class PoolExhaustedError(Exception):
    """All connections are in use, and none came free in time."""


def outcome(error: BaseException) -> str:
    """The `result` of a failed query."""
    if isinstance(error, PoolExhaustedError):
        return "pool_exhausted"
    if isinstance(error, TimeoutError):  # before OSError, which it is, too
        return "timeout"
    if isinstance(error, UNAVAILABLE) and not isinstance(error, ValueError):  # asyncpg's DataError is both
        return "unavailable"
    return "error"


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if told := TOLD.get(outcome(error)):
            raise DatabaseUnavailableError(told.format(type(error).__name__)) from error
        raise


@contextmanager
def observed(query_type: str) -> Iterator[None]:
    """Raises DatabaseUnavailableError; the log line has the error behind it."""
    started, result = perf_counter(), "cancelled"
    try:
        with translated():
            yield
        result = "success"
    except Exception as error:
        cause = error.__cause__ or error
        result = outcome(cause)
        logger.error("query failed", extra={"query_type": query_type, "result": result, "error": repr(cause)})
        raise
    finally:
        QUERIES.labels(query_type, result).inc()
        DURATION.labels(query_type).observe(perf_counter() - started, exemplar())
