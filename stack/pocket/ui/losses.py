"""What a full disk keeps from the log files, as the runner's run.json has it, and the room that is left."""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pocket.config import Settings


def routes(settings: Settings) -> list[Route]:
    """`GET /api/workshop/losses` → `{free_bytes, services: [{name, waiting, lost, fault}]}`, lines of the logs.

    Services without any are left out; `free_bytes` is null where the disk cannot be asked.
    """

    async def losses(_: Request) -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(_losses, settings))

    return [Route("/api/workshop/losses", losses)]


def _losses(settings: Settings) -> dict[str, Any]:
    found = [_of(service) for service in _services(settings)]
    return {"free_bytes": _free(settings), "services": [each for each in found if each["waiting"] or each["lost"]]}


def _services(settings: Settings) -> list[dict[str, Any]]:
    """The runner gives pocket a folder of its own inside the run's; without a runner there is no such file."""
    try:
        services: list[dict[str, Any]] = json.loads((settings.data_dir.parent / "run.json").read_bytes())[
            "services"
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return services


def _of(service: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": service.get("name", ""),
        "waiting": service.get("lines_waiting", 0),
        "lost": service.get("lines_lost", 0),
        "fault": service.get("log_fault", ""),
    }


def _free(settings: Settings) -> int | None:
    try:
        return shutil.disk_usage(settings.data_dir).free
    except OSError:
        return None
