"""frontend: a Streamlit page as an ASGI app, with routes for programs."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import clients
from hosts import AllowedHosts
from telemetry import exposition, logs, profiling, tracing
from telemetry.service import Service

service = Service.from_environment("streamlit-frontend")
logs.configure(service)
provider = tracing.configure(service)
profile = profiling.configure(service)
exposition.configure(service)
HTTPXClientInstrumentor.instrument_client(clients.roller)
HTTPXClientInstrumentor.instrument_client(clients.die_service)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    logs.configure(service)  # once more: Streamlit has put handlers of its own on every logger
    logging.getLogger("uvicorn.access").disabled = True
    with tracing.exporting(provider), profiling.running(profile):
        yield


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


routes = [Route("/metrics", exposition.metrics), Route("/healthz", healthz)]
middleware = [Middleware(AllowedHosts)]
app = st.App(Path(__file__).with_name("page.py"), lifespan=lifespan, routes=routes, middleware=middleware)
