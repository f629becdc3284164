"""The stage's checklist: what `workshop check N --json` found last, and a way to run it again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pocket.config import Settings
from pocket.ui.security import is_own_page

CHECK_TIMEOUT_SECONDS = 180.0


def routes(settings: Settings) -> list[Route]:
    """`GET /api/workshop/checklist` → `{stage, result}`; `POST /api/workshop/check` runs it, same answer."""
    running = asyncio.Lock()

    async def last(_: Request) -> JSONResponse:
        return JSONResponse({"stage": settings.stage, "result": await asyncio.to_thread(_stored, settings)})

    async def again(request: Request) -> JSONResponse:
        if not is_own_page(request):
            return JSONResponse({"message": "only the workshop's own page may start a check"}, status_code=403)
        if settings.stage is None:
            return JSONResponse({"message": "no stage is running: start one with `make run`"}, status_code=409)
        if running.locked():
            return JSONResponse({"message": "a check is running already"}, status_code=409)
        async with running:
            return await _run(settings, settings.stage)

    return [
        Route("/api/workshop/checklist", last),
        Route("/api/workshop/check", again, methods=["POST"]),
    ]


def _stored(settings: Settings) -> Any:
    """The last result, or None. The runner gives pocket a folder of its own inside the run's data directory."""
    for folder in (settings.data_dir, settings.data_dir.parent):
        try:
            return json.loads((folder / "check.json").read_bytes())
        except (OSError, ValueError):
            continue
    return None


async def _run(settings: Settings, stage: int) -> JSONResponse:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "workshop", "check", str(stage), "--json",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PORT_OFFSET": str(settings.port_offset)},
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), CHECK_TIMEOUT_SECONDS)
    except TimeoutError:
        return JSONResponse({"message": f"the check took over {CHECK_TIMEOUT_SECONDS:.0f} s"}, status_code=504)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return JSONResponse({"stage": stage, "result": json.loads(out)})
    except ValueError:
        reason = err.decode(errors="replace").strip().splitlines()[-1:] or ["it printed no JSON"]
        return JSONResponse(
            {"message": f"the check failed: {reason[0].removeprefix('workshop: ')}"}, status_code=502
        )
