"""Keeps web pages from elsewhere out.

Listening on loopback alone does not: a browser on this machine carries any page's requests there. Without this, a
page could push log lines, follow the live tail (a WebSocket knows no same-origin policy), make the engines work by
an `<img>` whose address is a query, or, by a name of its own that it rebinds to 127.0.0.1, read everything.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pocket.addresses import FROM_CONTAINERS, LOCAL_NAMES

HERE = LOCAL_NAMES | {FROM_CONTAINERS}  # a Grafana in Docker may ask by the latter
OWN = frozenset({"same-origin", "none"})  # Sec-Fetch-Site of the page itself, and of a typed address


class OwnPages:
    """ASGI middleware: 403 for what a page from elsewhere sends. Programs, which send no Origin, pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("requests of pages from elsewhere are refused\n", 403)
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket" and is_foreign(Headers(scope=scope)):
            await receive()  # the handshake; closed before it is accepted, it becomes a 403
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """By Host, where a rebound name shows; by Origin, unless the browser calls it the page's own (behind a
    forwarded port the two differ); and by Sec-Fetch-Site where there is no Origin, as for an image or a frame."""
    if not _is_local(f"//{headers.get('host', 'localhost')}"):
        return True
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None:
        return site not in OWN and not _is_local(origin, numeric=False)
    return site is not None and site not in OWN and not _follows_link(headers)


def _follows_link(headers: Headers) -> bool:
    """Whether the answer is what the window shows next, as when a link on the dice's page leads to its trace."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _is_local(url: str, *, numeric: bool = True) -> bool:
    """Whether nobody else can own the host's name. `numeric`: any address will do, as it cannot be rebound."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in HERE or host.endswith(".localhost")
    return numeric or address.is_loopback
