"""run.json: what runs, for `status`, `down` and `check`; and the lock that tells whether it still does."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, TypedDict

from workshop.paths import RunPaths

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PADDED_BYTES = 8192  # run.json of stage 6 has some 3000
RUN_VARIABLE = "WORKSHOP_RUN_ID"  # each child of a run has it in its environment
READ_ATTEMPTS, READ_PAUSE_SECONDS = 20, 0.005


class ServiceState(TypedDict):
    name: str
    state: str
    pid: int | None
    ports: dict[str, int]
    url: str
    health_url: str  # answers 2xx when it is well; empty where only its ports tell
    restarts: int
    exit_code: int | None
    reason: str  # why it is not healthy, as far as that was asked
    depends_on: list[str]
    answers: int  # how many times `workshop stop` or `start` was answered
    lines_waiting: int  # log lines in the supervisor's memory, as the file could not be written
    lines_lost: int  # those that found no room there either
    log_fault: str  # why lines wait


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
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def claim(descriptor: int, run_id: str) -> None:
    """Writes into the held lock whose it is; empty when the run has ended and nothing of it is left."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, run_id.encode(), 0)


def run_id(paths: RunPaths) -> str:
    """What the children of the run carry in their environment that is, or was killed, in this folder."""
    try:
        return paths.lock.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def running(paths: RunPaths) -> RunState | None:
    """The state of the run that is alive in this data folder, if one is; a dead one's file is removed.

    A supervisor that was killed lives on in its guard for a moment, which is stopping what it left.
    """
    try:
        handle = paths.lock.open("rb")
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
    """run.json; None if there is none, or nothing can be made of it."""
    for _ in range(READ_ATTEMPTS):
        try:
            state: RunState = json.loads(paths.state.read_bytes())
        except OSError:
            return None
        except ValueError:  # this very moment overwritten in place
            time.sleep(READ_PAUSE_SECONDS)
        else:
            return state
    return None


def save(paths: RunPaths, run: RunState) -> None:
    """Written as any other file; on a full disk over the old content, so that `status` can tell of that very disk.

    That needs no new block where files are changed in place (ext4, XFS, tmpfs, APFS), as it is padded with spaces.
    """
    try:
        write_atomically(paths.state, run, pad=PADDED_BYTES)
    except OSError as error:
        if error.errno not in FULL or not _overwritten(paths.state, json.dumps(run).encode()):
            raise


def _overwritten(path: Path, content: bytes) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        return len(content) <= size and os.pwrite(descriptor, content.ljust(size), 0) == size
    finally:
        os.close(descriptor)


def alive(pid: int) -> bool:
    """Whether a process of this number runs, whoever's it is; a zombie does not."""
    import psutil  # takes 0.1 s, which the supervisor's start does not need

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)  # in a container nobody may fetch it
    except psutil.NoSuchProcess:
        return False


def write_atomically(path: Path, content: Any, pad: int = 1) -> None:
    """JSON written beside the file and renamed over it: a reader sees the old or the new one whole.

    Spaces at its end make it a multiple of `pad` bytes long.
    """
    text = json.dumps(content)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text + " " * (-len(text) % pad))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
