"""Headers that keep what telemetry contains from ever becoming code, and the guard of the one route that acts."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pocket.addresses import LOCAL_NAMES

# plotly.js makes <style> elements and style attributes, hence 'unsafe-inline' for styles. It evaluates no code as
# long as no WebGL trace type is used (those compile their glue with `new Function`), so scripts stay 'self' alone.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Files change when the workshop is updated; the ETag makes asking again cheap.
    "cache-control": "no-cache",
}


class SecurityHeaders:
    """ASGI middleware: every answer carries `HEADERS` unless it set the header itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def is_own_page(request: Request) -> bool:
    """Whether a state-changing request comes from our own page: a foreign one cannot set this header without CORS,
    and a name that was rebound to 127.0.0.1 shows in Host."""
    return request.url.hostname in LOCAL_NAMES and request.headers.get("x-workshop-ui") == "1"
