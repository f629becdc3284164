"""die-service: knows the dice, from its database."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.responses import JSONResponse
from opentelemetry import trace
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from pydantic import BaseModel

import metrics
import specifications
from database import Database
from database_telemetry import DatabaseUnavailableError, PoolExhaustedError
from hosts import AllowedHosts
from specifications import Specification
from telemetry import exposition, logs, profiling, red, tracing
from telemetry.service import Service

logger = logging.getLogger("die-service")
service = Service.from_environment("die-service")
logs.configure(service)
provider = tracing.configure(service)
profile = profiling.configure(service)
exposition.configure(service)
AsyncPGInstrumentor().instrument()
database = Database()


class Identifiers(BaseModel):
    identifiers: list[str]


class Problem(BaseModel):
    detail: str


Identifier = Annotated[str, Path(pattern="^[a-z0-9-]{1,32}$")]
UNAVAILABLE: dict[int | str, dict[str, Any]] = {503: {"model": Problem}}
RETRY = {"retry-after": "1"}


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
    if not isinstance(error.__cause__, PoolExhaustedError):  # a busy database still has its dice
        metrics.LOADED.set(0)
    return JSONResponse({"detail": str(error)}, 503, RETRY)


@app.get("/dice", responses=UNAVAILABLE)
async def identifiers() -> Identifiers:
    metrics.LISTED.inc()
    return Identifiers(identifiers=await specifications.identifiers(database))


@app.get("/dice/{identifier}", responses=UNAVAILABLE | {404: {"model": Problem}})
async def specification(identifier: Identifier) -> Specification:
    found = await specifications.find(database, identifier)
    trace.get_current_span().set_attributes({"dice.die_type": identifier, "dice.die_found": found is not None})
    metrics.REQUESTED.labels(identifier if found else "unknown").inc()
    if not found:
        logger.warning("no such die", extra={"die_asked": identifier})
        known = ", ".join(await specifications.identifiers(database))
        raise HTTPException(404, f"There is no die {identifier!r}. There are: {known}.")
    logger.info("specification", extra={"die_type": identifier})
    return found


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    endpoints = ["/dice", "/dice/fair", "/healthz", "/metrics"]
    return {"name": service.name, "stage": service.version, "endpoints": endpoints}


@app.get("/healthz", responses=UNAVAILABLE)
async def healthz() -> dict[str, str]:
    metrics.LOADED.set(await database.probe(specifications.COUNT))
    return {"status": "ok"}
