"""Asking another service, and giving up in time. Streamlit's threads wait while one event loop asks: httpx counts
the time of each read and never ends an answer that drips; asyncio ends the call, and with it the connection."""

import asyncio
import os
import re
import threading
from collections.abc import Mapping

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, name="asking", daemon=True).start()


def service(variable: str, default: str) -> httpx.AsyncClient:
    """A client for the URL that the variable holds. One that is none refuses to start, with the reason."""
    url = os.getenv(variable, default)
    if not re.fullmatch(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?/?", url):
        raise SystemExit(f"frontend: {variable} must be like {default}, not {url!r}")
    client = httpx.AsyncClient(base_url=url)
    HTTPXClientInstrumentor.instrument_client(client)
    return client


def get(
    client: httpx.AsyncClient, path: str, seconds: float, parameters: Mapping[str, str] = {}
) -> httpx.Response:
    """Raises TimeoutError or httpx.TimeoutException after that many seconds, httpx.RequestError if none comes."""

    async def answer() -> httpx.Response:
        async with asyncio.timeout(seconds):
            return await client.get(path, params=parameters, timeout=seconds)

    return asyncio.run_coroutine_threadsafe(answer(), LOOP).result()


roller = service("ROLLER_URL", "http://127.0.0.1:8001")
die_service = service("DIE_SERVICE_URL", "http://127.0.0.1:8002")
