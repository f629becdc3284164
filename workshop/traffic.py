"""Drives a stage with its own traffic script, in the environment the compose file gives it, moved here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.guard import Guard
from workshop.paths import RunPaths, flags, program
from workshop.plan import TRAFFIC_SCRIPT, make_plan, traffic_environment
from workshop.run import state

# Ten users for eight seconds: some 150 rolls, two scrapes, every kind of answer. Enough for each panel.
BURST = {"NUM_USERS": "10", "THINK_TIME_SECONDS": "0.2", "DURATION_SECONDS": "8", "MAX_ROLLS_PER_USER": "0"}
PARAMETERS = (
    "NUM_USERS", "MAX_ROLLS_PER_USER", "ASYNC_PROBABILITY", "MAX_ASYNC_ROLLS", "THINK_TIME_SECONDS",
    "DURATION_SECONDS", "RATE", "SEED",
)  # fmt: skip


def run_script(
    root: Path,
    stage: int,
    offset: int,
    paths: RunPaths,
    arguments: Sequence[str],
    overrides: Mapping[str, str] | None = None,
) -> int:
    """Runs stageN/traffic-gen/generate_traffic.py on this terminal; its exit code."""
    plan = make_plan(root, stage, offset, paths)
    run = state.running(paths)
    if run and run["stage"] != stage and "--help" not in arguments:
        right = f"{program()} traffic {run['stage']}{flags(paths, offset)}"
        raise WorkshopError(f"stage {run['stage']} runs, not stage {stage}: {right}")
    script = root / f"stage{stage}" / TRAFFIC_SCRIPT
    if not script.is_file():
        raise WorkshopError(f"stage {stage} has no {TRAFFIC_SCRIPT} ({script} is missing).")
    asked = {name: os.environ[name] for name in PARAMETERS if name in os.environ}
    terminal = {name: os.environ[name] for name in ("TERM", "COLUMNS", "NO_COLOR") if name in os.environ}
    environment = traffic_environment(plan.project, plan.rewriter) | terminal | asked | dict(overrides or {})
    return run_guarded([sys.executable, script.name, *arguments], script.parent, environment)


def run_guarded(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> int:
    """Runs a program in the foreground; it ends with us, however we end. Ctrl-C ends it, and is passed on."""
    with Guard() as guard:
        process = subprocess.Popen(argv, cwd=cwd, env=dict(environment), process_group=0)
        guard.add(process.pid, signal.SIGTERM)
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # it shows what it has
            process.wait()
            raise
        finally:
            guard.remove(process.pid)
