"""Stopping a run from outside, and removing what it kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time

from workshop.errors import WorkshopError
from workshop.infrastructure import programs
from workshop.infrastructure.account import remove as remove_database
from workshop.paths import RunPaths
from workshop.run import state

TERM_SECONDS, KILL_SECONDS = 25.0, 8.0


def end_left(paths: RunPaths) -> str:
    """Ends what a killed supervisor left where nothing runs any more; a line about it, empty for nothing."""
    from workshop.run.orphans import end_orphans

    return end_orphans(paths) if state.run_id(paths) else ""


def stop_run(paths: RunPaths) -> state.RunState | None:
    """Stops the run of this data folder and waits until it is gone. What ran, or None."""
    run = state.running(paths)
    if run is None:
        return None
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(run["supervisor"], number)
        _wake(run)
        if _gone(paths, run["supervisor"], seconds):
            return run
    raise WorkshopError(f"the supervisor (pid {run['supervisor']}) does not end; kill it by hand.")


def _wake(run: state.RunState) -> None:
    """Who was stopped (SIGSTOP) does not end; a guard that was keeps the lock after its supervisor's death."""
    for process in (run["supervisor"], run["guard"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGCONT)


def _gone(paths: RunPaths, supervisor: int, seconds: float) -> bool:
    """Supervisor and guard have ended, which both hold the lock: nothing is left that could still be stopping."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if state.running(paths) is None and not state.alive(
            supervisor
        ):  # a moment after it has let go of the lock
            return True
        time.sleep(0.03)
    return False


def remove_data(paths: RunPaths) -> None:
    """Removes what a run writes, outside too, and nothing else that may lie in a folder given by --data-dir."""
    if paths.postgres.exists():
        remove_database(paths.postgres)
    programs.remove()
    for folder in (paths.pocket, paths.logs):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (paths.positions, paths.checklist, paths.stopped, paths.state, paths.lock):
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        paths.data_dir.rmdir()
