"""run.json: what runs, for `status`, `down` and `check`; and the lock that tells whether it still does."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path
from typing import IO, Any, TypedDict

from workshop.paths import RunPaths


class ServiceState(TypedDict):
    name: str
    state: str
    pid: int | None
    ports: dict[str, int]
    url: str
    restarts: int
    exit_code: int | None


class RunState(TypedDict):
    stage: int
    offset: int
    supervisor: int
    guard: int
    started: str  # ISO 8601, UTC
    state: str  # starting, up, stopping
    services: list[ServiceState]


def lock(paths: RunPaths) -> IO[str] | None:
    """The run's lock, held as long as the file stays open; None when a living supervisor has it.

    A lock instead of a pid in a file: the kernel drops it with its holder, so a stale run cannot look alive.
    """
    paths.data_dir.mkdir(parents=True, exist_ok=True)
    handle = paths.lock.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        return None
    return handle


def running(paths: RunPaths) -> RunState | None:
    """The state of the run that is alive in this data folder, if one is; a dead one's file is removed."""
    try:
        handle = paths.lock.open()
    except FileNotFoundError:
        return None
    with handle:
        try:  # shared: two that ask at once must not take each other for a run
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return read(paths)
        paths.state.unlink(missing_ok=True)
        return None


def read(paths: RunPaths) -> RunState | None:
    try:
        state: RunState = json.loads(paths.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state


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
