"""Port 3000: the pages, Grafana's paths for dashboards and data sources, the query APIs behind its proxy path."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from pocket.config import Settings
from pocket.ui import checklist, dashboards, losses, sql
from pocket.ui.security import SecurityHeaders

STATIC = Path(__file__).parent / "static"
PLOTLY = StaticFiles(packages=[("plotly", "package_data")])  # answers 304 to a browser that has the 5 MB already
TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}")
DASHBOARD_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")  # as Grafana makes and takes them
DATASOURCES = {
    "prometheus": ("Prometheus", "prometheus"),
    "loki": ("Loki", "loki"),
    "tempo": ("Tempo", "tempo"),
    "pyroscope": ("Pyroscope", "grafana-pyroscope-datasource"),
}


def app(settings: Settings, apis: Mapping[str, ASGIApp]) -> Starlette:
    """The whole of port 3000. `apis` maps a data source uid to the app that answers its query API."""
    routes: list[BaseRoute] = [
        Route("/api/health", _health),
        Route("/api/datasources", _datasources(tuple(apis))),
        *dashboards.routes(settings.dashboards),
        *checklist.routes(settings),
        *losses.routes(settings),
        *sql.routes(settings),
        *(Mount(f"/api/datasources/proxy/uid/{uid}", app=apis[uid]) for uid in DATASOURCES if uid in apis),
        Route("/api/{rest:path}", _unknown_api, methods=["GET", "POST", "PUT", "DELETE"]),
        WebSocketRoute("/{rest:path}", _no_socket),
        Route("/plotly.min.js", _plotly),
        Route("/trace/{trace_id}", _trace_link),
        Route("/d/{uid}", _dashboard_link),  # as in Grafana, with and without the title behind it
        Route("/d/{uid}/{title}", _dashboard_link),
        Mount("/", app=StaticFiles(directory=STATIC, html=True)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _http_error},
    )


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"database": "ok", "version": "pocket"})


def _datasources(uids: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
    known = [uid for uid in DATASOURCES if uid in uids]
    body = [
        {"id": n, "uid": uid, "name": DATASOURCES[uid][0], "type": DATASOURCES[uid][1], "access": "proxy",
         "isDefault": uid == "prometheus"}
        for n, uid in enumerate(known, start=1)
    ]  # fmt: skip

    async def endpoint(_: Request) -> Response:
        return JSONResponse(body)

    return endpoint


async def _unknown_api(_: Request) -> JSONResponse:
    return JSONResponse({"message": "Not found"}, status_code=404)


async def _no_socket(socket: WebSocket) -> None:
    await socket.close()  # before it is accepted: a 403


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, status_code=error.status_code, headers=error.headers)


async def _plotly(request: Request) -> Response:
    """plotly.js as the installed `plotly` package carries it, so that nothing is loaded from elsewhere."""
    return await PLOTLY.get_response("plotly.min.js", request.scope)


async def _trace_link(request: Request) -> RedirectResponse:
    trace_id = request.path_params["trace_id"]
    if not TRACE_ID.fullmatch(trace_id):
        raise HTTPException(400, "a trace id is up to 32 hexadecimal digits")
    return RedirectResponse(f"/#/trace/{trace_id.lower()}", status_code=302)


async def _dashboard_link(request: Request) -> RedirectResponse:
    uid = request.path_params["uid"]
    if not DASHBOARD_UID.fullmatch(uid):
        raise HTTPException(400, "a dashboard's uid is up to 40 letters, digits, - and _")
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/#/d/{uid}{query}", status_code=302)
