"""frontend: a Streamlit page as an ASGI app, with routes for those who are no browser."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import clients  # noqa: F401 - a URL that is none refuses to start; the page would only find it at the first visit
import telemetry
from hosts import AllowedHosts


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    telemetry.configure_logging()  # once more: Streamlit has put handlers of its own on every logger
    logging.getLogger("uvicorn.access").disabled = True
    async with telemetry.exporting():
        yield


async def metrics(request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"content-type": content_type})


async def healthz(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


routes = [Route("/metrics", metrics), Route("/healthz", healthz)]
middleware = [Middleware(AllowedHosts)]
app = st.App(Path(__file__).with_name("page.py"), lifespan=lifespan, routes=routes, middleware=middleware)
