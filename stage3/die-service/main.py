"""die-service: knows the dice."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path
from opentelemetry import trace
from pydantic import BaseModel

import metrics
from hosts import AllowedHosts
from specifications import DICE_FILE, Specification, load
from telemetry import exposition, logs, profiling, red, tracing
from telemetry.service import Service

logger = logging.getLogger("die-service")
service = Service.from_environment("die-service")
logs.configure(service)
provider = tracing.configure(service)
profile = profiling.configure(service)
exposition.configure(service)


class Identifiers(BaseModel):
    identifiers: list[str]


class Problem(BaseModel):
    detail: str


Identifier = Annotated[str, Path(pattern="^[a-z0-9-]{1,32}$")]
DICE = load(DICE_FILE)
metrics.LOADED.set(len(DICE))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with tracing.exporting(provider), profiling.running(profile):
        yield


app = FastAPI(title=service.name, version=service.version, lifespan=lifespan, telemetry=tracing.NATIVE_OFF)
tracing.instrument(app)
red.instrument(app)
app.add_route("/metrics", exposition.metrics)
app.add_middleware(AllowedHosts)


@app.get("/dice")
async def identifiers() -> Identifiers:
    metrics.LISTED.inc()
    return Identifiers(identifiers=list(DICE))


@app.get("/dice/{identifier}", responses={404: {"model": Problem}})
async def specification(identifier: Identifier) -> Specification:
    found = DICE.get(identifier)
    trace.get_current_span().set_attributes({"dice.die_type": identifier, "dice.die_found": found is not None})
    metrics.REQUESTED.labels(identifier if found else "unknown").inc()
    if not found:
        logger.warning("no such die", extra={"die_asked": identifier})
        raise HTTPException(404, f"There is no die {identifier!r}. There are: {', '.join(DICE)}.")
    logger.info("specification", extra={"die_type": identifier})
    return found


@app.get("/")
async def root() -> dict[str, str | list[str]]:
    endpoints = ["/dice", "/dice/fair", "/healthz", "/metrics"]
    return {"name": service.name, "stage": service.version, "endpoints": endpoints}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
