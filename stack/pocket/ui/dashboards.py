"""Grafana's dashboard endpoints over folders of dashboard JSON, read anew at each request so an edit shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger(__name__)
Dashboard = dict[str, Any]


def load(folders: Sequence[Path]) -> Iterator[Dashboard]:
    """The dashboards of the folders, by file name; one that is no dashboard JSON is logged and left out."""
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            try:
                dashboard = json.loads(path.read_bytes())
            except (OSError, ValueError) as error:
                log.warning("dashboard %s left out: %s", path.name, error)
                continue
            if isinstance(dashboard, dict) and isinstance(dashboard.get("uid"), str) and dashboard["uid"]:
                yield dashboard
            else:
                log.warning("dashboard %s left out: it has no uid", path.name)


def routes(folders: Sequence[Path]) -> list[Route]:
    """`GET /api/search` and `GET /api/dashboards/uid/{uid}` in Grafana's shapes."""

    async def search(_: Request) -> JSONResponse:
        found = await run_in_threadpool(lambda: list(load(folders)))
        return JSONResponse([_hit(n, dashboard) for n, dashboard in enumerate(found, start=1)])

    async def by_uid(request: Request) -> JSONResponse:
        found = await run_in_threadpool(lambda: list(load(folders)))
        for dashboard in found:
            if dashboard["uid"] == request.path_params["uid"]:
                return JSONResponse({"dashboard": dashboard, "meta": {"type": "db", "provisioned": True}})
        return JSONResponse({"message": "Dashboard not found"}, status_code=404)

    return [Route("/api/search", search), Route("/api/dashboards/uid/{uid}", by_uid)]


def _hit(number: int, dashboard: Dashboard) -> dict[str, Any]:
    uid = dashboard["uid"]
    title, tags = dashboard.get("title", uid), dashboard.get("tags", [])
    return {"id": number, "uid": uid, "title": title, "url": f"/d/{uid}", "type": "dash-db", "tags": tags}
