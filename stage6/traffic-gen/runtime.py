"""Stops and starts a service of the stage, whichever way the stage runs."""

import subprocess
import sys
from pathlib import Path

STAGE = Path(__file__).resolve().parents[1]
WORKSHOP = [sys.executable, "-m", "workshop"]
COMPOSE = ["docker", "compose"]


class NothingRunsError(Exception):
    """Neither runtime has the service."""


class NotDoneError(Exception):
    """A service was not stopped or started; the message is the runtime's own."""


class Runtime:
    """`command` with `stop SERVICE` and `start SERVICE` does it; either returns when it is done. NotDoneError."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command

    def stop(self, service: str) -> None:
        self._run("stop", service)

    def start(self, service: str) -> None:
        self._run("start", service)

    def _run(self, verb: str, service: str) -> None:
        command = [*self.command, verb, service]
        try:
            done = subprocess.run(command, cwd=STAGE, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotDoneError(str(error)) from error
        if done.returncode:
            raise NotDoneError(f"{' '.join(self.command[-2:])} {verb} {service}: {done.stderr.strip()}")


def find(service: str) -> Runtime:
    """The runner's run where there is one (PORT_OFFSET says which), else Docker's. NothingRunsError."""
    if quiet([*WORKSHOP, "status"]) is not None:
        return Runtime("workshop", WORKSHOP)
    running = quiet([*COMPOSE, "ps", "--services", "--status", "running"]) or ""
    if service in running.split():
        return Runtime("docker", COMPOSE)
    raise NothingRunsError(f"{service} runs neither by `workshop up` nor by `docker compose up`: start the stage.")


def quiet(command: list[str]) -> str | None:
    """Its output, None where it fails or there is no such program."""
    try:
        done = subprocess.run(command, cwd=STAGE, capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
