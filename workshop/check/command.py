"""`workshop check`: finds out which stack runs, asks, shows, and leaves check.json for the UI."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from workshop.check import outage, report, runner, target
from workshop.check.apis import SERVER_SECONDS, Apis
from workshop.check.manifest import Stage
from workshop.check.outcome import FAIL, Answer, Check, Result
from workshop.check.questions import questions
from workshop.check.stages import STAGES
from workshop.errors import WorkshopError
from workshop.paths import RunPaths
from workshop.paths import flags as paths_flags
from workshop.run import state

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
    """0 when all is ✓, 1 when something is ✗; WorkshopError with code 2 when there is nothing to ask."""
    console = console or Console()
    manifest = STAGES.get(stage)
    if manifest is None:
        raise WorkshopError(f"there is no checklist for stage {stage} yet (workshop/check/stages.py).")
    run = state.running(paths)
    asked = Asked(manifest, root / f"stage{stage}", offset, paths, run)
    result = asyncio.run(asked.result(deadline, None if as_json else console))
    _save(result, paths)
    if as_json:
        print(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        report.show(console, result)
    return 0 if result.ok else 1


@dataclass(frozen=True)
class Asked:
    """One check of what runs at a port offset; `run` is its state where `workshop up` started it."""

    manifest: Stage
    folder: Path
    offset: int
    paths: RunPaths
    run: state.RunState | None

    async def result(self, deadline: float, console: Console | None) -> Result:
        async with httpx.AsyncClient(timeout=SERVER_SECONDS, trust_env=False) as client:
            window, flags = _window(self.run), paths_flags(self.paths, self.offset)
            apis = Apis(client, self.offset, window, self.manifest.number, flags)
            stack = await target.require(apis, self.paths, self.run)
            stopped = outage.explained(self.run)
            seconds = min(deadline, outage.DEADLINE_SECONDS) if stopped else deadline

            def explain(check: Check) -> str:
                service = outage.culprit(check.needs, stopped)
                return service and f"{service} is stopped: {apis.command('start', service)}"

            answers = await _ask(questions(self.manifest, self.folder, apis), seconds, console, explain)
        return Result(self.manifest.number, stack, datetime.now(UTC).isoformat(timespec="seconds"), answers)


def _window(run: state.RunState | None) -> int:
    """Seconds to look back: not beyond the start of this run, or an earlier one's data could stand in for it."""
    if run is None:
        return WINDOW[1]
    age = datetime.now(UTC) - datetime.fromisoformat(run["started"])
    return max(WINDOW[0], min(WINDOW[1], round(age.total_seconds())))


async def _ask(
    checks: list[Check], deadline: float, console: Console | None, explain: Callable[[Check], str]
) -> list[Answer]:
    columns = (
        TextColumn("Checking"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with ExitStack() as stack:
        if console is None or not console.is_terminal:
            return await runner.run(checks, deadline, lambda _: None, explain)
        progress = stack.enter_context(Progress(*columns, console=console, transient=True))
        bar = progress.add_task("", total=len(checks), last="")

        def answered(answer: Answer) -> None:
            progress.update(bar, advance=1, last=f"{'✗' if answer.status == FAIL else '✓'} {answer.title}")

        return await runner.run(checks, deadline, answered, explain)


def _save(result: Result, paths: RunPaths) -> None:
    """For the UI's checklist; only where a run keeps its data."""
    if not paths.data_dir.is_dir():
        return
    try:
        state.write_atomically(paths.checklist, result.as_json())
    except OSError as error:
        print(f"workshop: cannot write {paths.checklist}: {error.strerror}", file=sys.stderr)
