"""HTTP clients of the services behind the page, one each for all sessions: it keeps their connections."""

import os
import re

import httpx

from transport import WholeAnswer


def client(variable: str, default: str, timeout: float, peer: str) -> httpx.Client:
    """A client for the URL in the variable. If it is no URL, the service does not start, and says why."""
    url = os.getenv(variable, default)
    if not re.fullmatch(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d+)?/?", url):
        raise SystemExit(f"frontend: {variable} must be like {default}, not {url!r}")
    return client_for(url, timeout, peer, httpx.HTTPTransport())


def client_for(url: str, timeout: float, peer: str, transport: httpx.BaseTransport) -> httpx.Client:
    whole = WholeAnswer(peer, timeout, transport)
    return httpx.Client(base_url=url, transport=whole, timeout=httpx.Timeout(timeout, pool=1))


roller = client("ROLLER_URL", "http://127.0.0.1:8001", timeout=15, peer="dice-roller")
die_service = client("DIE_SERVICE_URL", "http://127.0.0.1:8002", timeout=2, peer="die-service")
