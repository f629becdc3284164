"""Processes of a run whose supervisor and guard were both killed, so that nobody was left to end them.

Each child carries the run's id in its environment, and the run's lock file holds that id until the run has ended
as it should. An id instead of the data folder: a shell where WORKSHOP_DATA_DIR is exported is no process of the
run, nor is one of a container that has a folder of the same name.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Sequence

import psutil

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags, program
from workshop.run import state

TERM_SECONDS = 10.0  # as the grace period of a service; PostgreSQL's fast shutdown takes 7 at most
KILL_SECONDS = 5.0
SHOWN = 4  # named in one line


def orphans(paths: RunPaths) -> list[psutil.Process]:
    """Those of the last run in this folder, in the order of their start. Not to be asked while it lives."""
    run_id = state.run_id(paths)
    if not run_id:
        return []
    here = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [each for each in psutil.process_iter() if each.pid not in here and _carries(each, run_id)]
    return sorted(found, key=lambda process: (process.create_time(), process.pid))


def _carries(process: psutil.Process, run_id: str) -> bool:
    """False for another user's, whose environment only root can read, and for one that has just ended."""
    try:
        return process.environ().get(state.RUN_VARIABLE) == run_id and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def end_orphans(paths: RunPaths) -> str:
    """Ends them, gently first. A line about it, empty when there were none; WorkshopError when one stays."""
    found = orphans(paths)
    if not found:
        return ""
    names, pids = _list(found), {process.pid for process in found}
    # A service ends its own children itself: told at once, they would be gone before it is done with them.
    _signal((process for process in found if _parent(process) not in pids), signal.SIGTERM, signal.SIGCONT)
    psutil.wait_procs(found, TERM_SECONDS)
    rest = orphans(paths)
    _signal(rest, signal.SIGKILL)
    psutil.wait_procs(rest, KILL_SECONDS)
    if left := orphans(paths):
        raise WorkshopError(f"{_list(left)} of the run in {paths.data_dir} cannot be ended: kill them by hand.")
    return f"Ended what a run left whose supervisor had been killed: {names}."


def _signal(processes: Iterable[psutil.Process], *numbers: signal.Signals) -> None:
    for process in processes:
        for number in numbers:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)


def _parent(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.Error):
        return process.ppid()
    return None


def told(paths: RunPaths, offset: int) -> str:
    """One line about those that run, and what to do; empty when there are none."""
    found = orphans(paths)
    if not found:
        return ""
    what = f"The supervisor was killed, and {len(found)} of its processes still run: {_list(found)}."
    return f"{what} End them: {program()} down{flags(paths, offset)}"


def command(process: psutil.Process) -> str:
    """What it runs, in a few words; empty when it is gone."""
    try:
        words = [word.rsplit("/", 1)[-1] for word in process.cmdline() if not word.startswith("-")]
    except psutil.Error:
        return ""
    return " ".join(words[1:3] if words[:1] and words[0].startswith("python") else words[:2])[:40]


def _list(processes: Sequence[psutil.Process]) -> str:
    names = ", ".join(f"{command(process)} (pid {process.pid})" for process in processes[:SHOWN])
    more = len(processes) - SHOWN
    return names + (f" and {more} more" if more > 0 else "")
