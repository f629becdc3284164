"""Which names this service answers to.

A page from elsewhere may give its own name the address 127.0.0.1 (DNS rebinding): to the browser this service is
then that page's own server. Nobody can own an address, nor a name without a dot, such as a container's.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OWN = frozenset({"host.docker.internal", *os.getenv("ALLOWED_HOSTS", "").lower().replace(",", " ").split()})


class AllowedHosts:
    """ASGI middleware: 421 for other names; ALLOWED_HOSTS adds some (`dice.example, dice2.example`)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_allowed(Headers(scope=scope).get("host", "localhost")):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await JSONResponse({"detail": "No such host here; see ALLOWED_HOSTS."}, 421)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})


def is_allowed(authority: str) -> bool:
    try:
        host = urlsplit(f"//{authority}").hostname or "."
        return "." not in host or host in OWN or host.endswith(".localhost") or bool(ipaddress.ip_address(host))
    except ValueError:
        return False
