"""usage-service: receives usage events as OTLP logs and stores each of them once."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from pydantic import BaseModel

import metrics
import otlp
from database import Database
from database_telemetry import DatabaseUnavailableError
from events import NoEventError, UsageEvent, usage_event
from hosts import AllowedHosts
from parameters import WHOLE, Moment
from store import StoredEvent, Summary, UsageStore
from telemetry import exposition, logs, profiling, red, tracing
from telemetry.service import Service

logger = logging.getLogger("usage-service")
service = Service.from_environment("usage-service")
logs.configure(service)
provider = tracing.configure(service)
profile = profiling.configure(service)
exposition.configure(service)
AsyncPGInstrumentor().instrument()
database = Database()
store = UsageStore(database)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LOWEST = UUID(int=0)
RETRY = {"retry-after": "1"}


class Problem(BaseModel):
    detail: str


UNAVAILABLE: dict[int | str, dict[str, Any]] = {503: {"model": Problem}}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with tracing.exporting(provider), profiling.running(profile):
        async with database.open():
            yield


app = FastAPI(title=service.name, version=service.version, lifespan=lifespan, telemetry=tracing.NATIVE_OFF)
tracing.instrument(app)
red.instrument(app)
app.add_route("/metrics", exposition.metrics)
app.add_middleware(AllowedHosts)


@app.exception_handler(DatabaseUnavailableError)
async def unavailable(request: Request, error: DatabaseUnavailableError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, RETRY)


@app.post("/v1/logs", include_in_schema=False)  # OTLP has a schema of its own, in Protobuf
async def receive(request: Request) -> Response:
    """OTLP/HTTP. 200 means: stored. 503 means: send it again. 400 means: this will never be understood."""
    try:
        records = await otlp.read(request)
    except otlp.OtlpError as error:
        logger.warning("request refused", extra={"status": error.status, "reason": str(error)})
        return otlp.failure(request, error.status, str(error))
    events, problems = sort(records)
    try:
        await add(events)
    except DatabaseUnavailableError as error:
        return otlp.failure(request, 503, str(error))
    except Exception:
        # A 500 would make the sender throw the events away. Whatever this is, it can be repaired; they cannot.
        logger.exception("events not stored")
        return otlp.failure(request, 503, "The events could not be stored.")
    return refuse(request, problems)


def sort(records: Sequence[LogRecord]) -> tuple[list[UsageEvent], list[str]]:
    """The events, and what is wrong with the records that are none."""
    events, problems = [], []
    for record in records:
        try:
            events.append(usage_event(record))
        except NoEventError as error:
            problems.append(str(error))
    return events, problems


async def add(events: Sequence[UsageEvent]) -> None:
    if not events:
        return
    new = await store.add(events)
    for label, count in new.items():
        metrics.STORED.labels(label).inc(count)
    metrics.DUPLICATE.inc(len(events) - new.total())
    logger.info("stored", extra={"events_stored": new.total(), "events_duplicate": len(events) - new.total()})


def refuse(request: Request, problems: Sequence[str]) -> Response:
    if problems:
        metrics.REJECTED.inc(len(problems))
        logger.error("records rejected", extra={"records": len(problems), "reason": problems[0]})
    return otlp.success(request, len(problems), problems[0] if problems else "")


@app.get("/usage/summary", responses=UNAVAILABLE)
async def summary() -> Summary:
    return await store.summary()


@app.get("/usage/events", responses=UNAVAILABLE)
async def events(
    after: UUID = LOWEST,
    since: Moment = BEGINNING,
    limit: Annotated[int, Query(ge=1, le=10_000), WHOLE] = 1000,
) -> list[StoredEvent]:
    """A page in the order of the ids, for an audit: without names. The last id is the next page's `after`."""
    return await store.events(after, since, limit)


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    endpoints = ["/usage/summary", "/usage/events?limit=10", "/healthz", "/metrics"]
    return {"name": service.name, "stage": service.version, "endpoints": endpoints}


@app.get("/healthz", responses=UNAVAILABLE)
async def healthz() -> dict[str, str]:
    await store.ready()
    return {"status": "ok"}
