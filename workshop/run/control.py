"""One service of a run, stopped and started by hand: `workshop stop postgres`, as `docker compose stop postgres`.

The wish is written down (the names that shall not run) and the supervisor woken by a signal; it makes it so, and
run.json tells when that is done.
"""

from __future__ import annotations

import json
import os
import signal
import time

from workshop.errors import WorkshopError
from workshop.paths import RunPaths
from workshop.run import state

WAKE = signal.SIGUSR1
PATIENCE_SECONDS = 60.0


def stopped(paths: RunPaths) -> set[str]:
    """The services that shall not run."""
    try:
        return set(json.loads(paths.stopped.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def stop_service(paths: RunPaths, service: str) -> None:
    """Returns when the service is gone."""
    _wish(paths, service, stopped(paths) | {service}, until="stopped")


def start_service(paths: RunPaths, service: str) -> None:
    """Returns when the service is healthy."""
    _wish(paths, service, stopped(paths) - {service}, until="healthy")


def _wish(paths: RunPaths, service: str, wanted: set[str], until: str) -> None:
    _state_of(paths, service)
    state.write_atomically(paths.stopped, sorted(wanted))
    os.kill(_run(paths)["supervisor"], WAKE)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (now := _state_of(paths, service)) != until:
        if now == "exited" or time.monotonic() > deadline:
            raise WorkshopError(f"{service} is not {until}, but {now}. Its log: {paths.logs / service}.log")
        time.sleep(0.02)


def _run(paths: RunPaths) -> state.RunState:
    run = state.running(paths)
    if run is None:
        raise WorkshopError("nothing runs here: start a stage first (workshop up N), or say which --port-offset.")
    if run["state"] != "up":
        raise WorkshopError(f"the stage is {run['state']}: try again when it is up.")
    return run


def _state_of(paths: RunPaths, service: str) -> str:
    states = {found["name"]: found["state"] for found in _run(paths)["services"]}
    if service not in states:
        raise WorkshopError(f"there is no service {service}. There are: {', '.join(states)}.")
    return states[service]
