"""Is what runs there what the check is about? Else one line that says what runs, and what to do."""

from __future__ import annotations

from collections.abc import Container
from typing import NoReturn

import httpx

from workshop.check.apis import Apis
from workshop.check.outage import STOPPED
from workshop.check.request import ROLLER_PORT
from workshop.errors import WorkshopError
from workshop.paths import RunPaths, program
from workshop.plan import POCKET
from workshop.run.neighbours import neighbours, neighbours_ports
from workshop.run.state import RunState

NOTHING_TO_ASK = 2  # exit code


async def require(apis: Apis, paths: RunPaths, run: RunState | None) -> str:
    """`pocket` or `grafana`: the stack that answers. WorkshopError when none does, or another stage runs."""
    if run:
        _require_up(run, apis)
    stack = await which_stack(apis, set() if run else neighbours_ports(paths))
    if stack is None:
        _nothing(apis, paths)
    stage = run["stage"] if run else await _stage_of_roller(apis)
    if stage != apis.stage:
        _refuse(f"stage {stage} runs, not stage {apis.stage}: {program()} check {stage}{apis.flags}")
    return stack


def _require_up(run: RunState, apis: Apis) -> None:
    if run["state"] == "stopping":
        _refuse(f"stage {run['stage']} is stopping.")
    if any(service["name"] == POCKET and service["state"] in STOPPED for service in run["services"]):
        _refuse(f"the pocket stack is stopped, so there is nobody to ask: {apis.command('start', POCKET)}")


async def which_stack(apis: Apis, others: Container[int] = ()) -> str | None:
    """By what :3000 says of itself, else by Prometheus; None when neither does.

    Offsets that differ by 100 or 200 meet: there may be another run's Loki. `others` are the ports of other runs.
    """
    for component, path, is_one in (
        ("grafana", "/api/health", _is_grafana),
        ("prometheus", "/-/ready", _is_prometheus),
    ):
        if apis.port(component) in others:
            continue
        try:
            response = await apis.client.get(apis.url(component) + path)
        except httpx.HTTPError:
            continue
        if is_one(response):
            return "pocket" if '"pocket"' in response.text else "grafana"
    return None


def _is_grafana(response: httpx.Response) -> bool:
    """`{"database": "ok", "version": …}`, of the pocket UI too; 503 while its database is ill."""
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and "version" in body


def _is_prometheus(response: httpx.Response) -> bool:
    """Ready or not, it names itself."""
    return response.text.startswith("Prometheus")


async def _stage_of_roller(apis: Apis) -> int:
    """What the roller says of itself, where no run.json does (Docker); the stage asked for if it says nothing."""
    try:
        answer = (await apis.client.get(apis.service_url(ROLLER_PORT) + "/")).json()
        return int(str(answer["stage"]).removeprefix("stage"))
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return apis.stage


def _nothing(apis: Apis, paths: RunPaths) -> NoReturn:
    nothing = f"nothing runs at {apis.url('grafana')} or {apis.url('prometheus')}."
    if others := neighbours(paths):
        stage, offset = others[0]["stage"], others[0]["offset"]
        _refuse(f"{nothing} But stage {stage} does elsewhere: {program()} check {stage} --port-offset {offset}")
    start = f"{program()} up {apis.stage} --traffic{apis.flags}"
    _refuse(f"{nothing} Start it: {start}, or with Docker: cd stage{apis.stage} && docker compose up")


def _refuse(message: str) -> NoReturn:
    raise WorkshopError(message, code=NOTHING_TO_ASK)
