"""run.json: what runs, for `status`, `down` and `check`; and the lock that tells whether it still does."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypedDict

from workshop.paths import RunPaths


class ServiceState(TypedDict):
    name: str
    state: str
    pid: int | None
    ports: dict[str, int]
    url: str
    restarts: int
    exit_code: int | None
    reason: str  # why it is not healthy, as far as that was asked
    depends_on: list[str]
    answers: int  # how many times `workshop stop` or `start` was answered


class RunState(TypedDict):
    stage: int
    offset: int
    supervisor: int
    guard: int
    started: str  # ISO 8601, UTC
    state: str  # starting, up, stopping
    services: list[ServiceState]


def lock(paths: RunPaths) -> int | None:
    """The run's lock, a file descriptor that holds it as long as this process lives; None when another one has it.

    A lock instead of a pid in a file: the kernel drops it with its holder, so a stale run cannot look alive. A
    bare descriptor instead of a file object: Python closes those some time before the process has ended.
    """
    paths.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def running(paths: RunPaths) -> RunState | None:
    """The state of the run that is alive in this data folder, if one is; a dead one's file is removed.

    A supervisor that was killed lives on in its guard for a moment, which is stopping what it left.
    """
    try:
        handle = paths.lock.open()
    except FileNotFoundError:
        return None
    with handle:
        try:  # shared: two that ask at once must not take each other for a run
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            run = read(paths)
            return run if run is None or alive(run["supervisor"]) else {**run, "state": "stopping"}
        paths.state.unlink(missing_ok=True)
        return None


def read(paths: RunPaths) -> RunState | None:
    try:
        state: RunState = json.loads(paths.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state


def alive(pid: int) -> bool:
    import psutil  # takes 0.1 s, which the supervisor's start does not need

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)  # in a container nobody may fetch it
    except psutil.NoSuchProcess:
        return False


def write_atomically(path: Path, content: Any) -> None:
    """JSON written beside the file and renamed over it: a reader sees the old or the new one whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(content, handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
