"""One service of a run, stopped and started by hand: `workshop stop postgres`, as `docker compose stop postgres`.

The wish is written down (the names that shall not run) and the supervisor woken by a signal; it makes it so, and
run.json tells when that is done.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time

from workshop.errors import WorkshopError
from workshop.paths import RunPaths, flags, program
from workshop.run import state
from workshop.run.logfile import tail
from workshop.run.neighbours import pointer

WAKE = signal.SIGUSR1
PATIENCE_SECONDS = 60.0
LAST_LINES = 3
GONE = ("stopped", "stopping")


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
    """Returns when the service is healthy. WorkshopError with the reason when it does not become so."""
    if _service(paths, service)["state"] == "exited":  # by itself: only what was stopped can be started
        stop_service(paths, service)
    _wish(paths, service, stopped(paths) - {service}, until="healthy")


def _wish(paths: RunPaths, service: str, wanted: set[str], until: str) -> None:
    before = _service(paths, service)
    # With nothing to do there is no answer. Else it comes after the state: only with it the supervisor is done.
    to_do = before["state"] == "stopped" if until == "healthy" else before["state"] not in GONE
    state.write_atomically(paths.stopped, sorted(wanted))
    with contextlib.suppress(ProcessLookupError):
        os.kill(_run(paths)["supervisor"], WAKE)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (now := _service(paths, service))["state"] != until or now["answers"] < before["answers"] + to_do:
        answered = now["answers"] > before["answers"] and now["state"] != until
        if answered or time.monotonic() > deadline:
            raise WorkshopError(_unfulfilled(paths, now, until))
        time.sleep(0.02)


def _unfulfilled(paths: RunPaths, service: state.ServiceState, until: str) -> str:
    name, now, reason = service["name"], service["state"], service["reason"].rstrip(".")
    logs = f"{program()} logs {name}{flags(paths, _run(paths)['offset'])}"
    if now == "exited":
        said = tail(paths.logs / f"{name}.log", LAST_LINES)
        return "\n".join([f"{name} {reason or now}. Its log: {logs}. It ends with:", *said])
    not_so = "up, but not healthy" if now == "unhealthy" else f"not {until}, but {now}"
    return f"{name} is {not_so}{reason and f': {reason}'}. Its log: {logs}"


def _run(paths: RunPaths) -> state.RunState:
    run = state.running(paths)
    if run is None:
        where = pointer(paths) or f" Start a stage first: {program()} up N."
        raise WorkshopError(f"nothing runs here.{where}")
    if run["state"] != "up":
        raise WorkshopError(f"the stage is {run['state']}: try again when it is up.")
    return run


def _service(paths: RunPaths, name: str) -> state.ServiceState:
    services = {service["name"]: service for service in _run(paths)["services"]}
    if name not in services:
        raise WorkshopError(f"there is no service {name}. There are: {', '.join(services)}.")
    return services[name]
