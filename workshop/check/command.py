"""`workshop check`: finds out which stack runs, asks, shows, and leaves check.json for the UI."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workshop.check import report, runner
from workshop.check.apis import SERVER_SECONDS, Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import FAIL, Answer, Check, Result
from workshop.check.questions import questions
from workshop.check.stages import STAGES
from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags
from workshop.run import state

NOTHING_RUNS = 2
WINDOW = (30, 300)  # seconds


def run_check(
    root: Path,
    stage: int,
    offset: int,
    paths: RunPaths,
    deadline: float,
    *,
    as_json: bool = False,
    console: Console | None = None,
) -> int:
    """0 when all is ✓, 1 when something is ✗; WorkshopError with code 2 when nothing runs."""
    console = console or Console()
    manifest = STAGES.get(stage)
    if manifest is None:
        raise WorkshopError(f"there is no checklist for stage {stage} yet (workshop/check/stages.py).")
    run = state.running(paths)
    if run and run["stage"] != stage:
        other = run["stage"]
        raise WorkshopError(f"stage {other} runs, not stage {stage}: workshop check {other}", code=NOTHING_RUNS)
    shown = None if as_json else console
    asked = _check(manifest, root / f"stage{stage}", offset, flags(paths, offset), _window(run), deadline, shown)
    result = asyncio.run(asked)
    _save(result, paths)
    if as_json:
        print(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        report.show(console, result)
    return 0 if result.ok else 1


def _window(run: state.RunState | None) -> int:
    """Seconds to look back: not beyond the start of this run, or an earlier one's data could stand in for it."""
    if run is None:
        return WINDOW[1]
    age = datetime.now(UTC) - datetime.fromisoformat(run["started"])
    return max(WINDOW[0], min(WINDOW[1], round(age.total_seconds())))


async def _check(
    manifest: Stage, folder: Path, offset: int, flags: str, window: int, deadline: float, console: Console | None
) -> Result:
    async with httpx.AsyncClient(timeout=SERVER_SECONDS, trust_env=False) as client:
        apis = Apis(client, offset, window, manifest.number, flags)
        stack = await which_stack(apis, manifest)
        checks = questions(manifest, folder, apis)
        answers = await _ask(checks, deadline, console)
    return Result(manifest.number, stack, datetime.now(UTC).isoformat(timespec="seconds"), answers)


async def which_stack(apis: Apis, manifest: Stage) -> str:
    """`pocket` or `grafana`, by what :3000 says of itself, else by Prometheus; error 2 when neither answers."""
    for component, path in (("grafana", "/api/health"), ("prometheus", "/-/ready")):
        try:
            response = await apis.client.get(apis.url(component) + path)
        except httpx.HTTPError:
            continue
        return "pocket" if '"pocket"' in response.text else "grafana"
    number = manifest.number
    flag = f" --port-offset {apis.offset}" if apis.offset else ""
    raise WorkshopError(
        f"nothing runs at {apis.url('grafana')} or {apis.url('prometheus')}. "
        f"Start it: workshop up {number} --traffic{flag}, or with Docker: cd stage{number} && docker compose up",
        code=NOTHING_RUNS,
    )


async def _ask(checks: list[Check], deadline: float, console: Console | None) -> list[Answer]:
    columns = (
        TextColumn("Checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with ExitStack() as stack:
        if console is None or not console.is_terminal:
            return await runner.run(checks, deadline, lambda _: None)
        progress = stack.enter_context(Progress(*columns, console=console, transient=True))
        bar = progress.add_task("", total=len(checks), last="")

        def answered(answer: Answer) -> None:
            progress.update(bar, advance=1, last=f"{'✗' if answer.status == FAIL else '✓'} {answer.title}")

        return await runner.run(checks, deadline, answered)


def _save(result: Result, paths: RunPaths) -> None:
    """For the UI's checklist; only where a run keeps its data."""
    if not paths.data_dir.is_dir():
        return
    try:
        state.write_atomically(paths.checklist, result.as_json())
    except OSError as error:
        print(f"workshop: cannot write {paths.checklist}: {error.strerror}", file=sys.stderr)
