"""HTTP clients of the services behind the page, one each for all sessions: it keeps their connections."""

import os
import re

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor


def client(variable: str, default: str, timeout: float) -> httpx.Client:
    """For the URL that the variable holds. One that is none refuses to start, with the reason."""
    url = os.getenv(variable, default)
    if not re.fullmatch(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?/?", url):
        raise SystemExit(f"frontend: {variable} must be like {default}, not {url!r}")
    made = httpx.Client(base_url=url, timeout=timeout)
    HTTPXClientInstrumentor.instrument_client(made)
    return made


roller = client("ROLLER_URL", "http://127.0.0.1:8001", timeout=15)
die_service = client("DIE_SERVICE_URL", "http://127.0.0.1:8002", timeout=2)
