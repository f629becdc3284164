"""The runner's processes: both keepers killed, a service that stands still, offsets that meet, odd folders."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Stage

STILL_SECONDS = 70.0  # the supervisor's own look notices after 45


@attack("supervisor and guard killed -9")
def keepers_killed(checkout: Checkout) -> Outcome:
    with checkout.stage(1) as stage:
        run = json.loads((stage.data / "run.json").read_text())
        children = [psutil.Process(service["pid"]) for service in run["services"]]
        os.kill(run["guard"], signal.SIGSTOP)
        os.kill(run["supervisor"], signal.SIGKILL)
        os.kill(run["guard"], signal.SIGKILL)
        time.sleep(1)
        try:
            said = stage.workshop("status").stdout.strip().splitlines()[0]
            down = stage.workshop("down").stdout.strip()
            left = [child.pid for child in children if child.is_running()]
        finally:
            for child in children:  # what the old code leaves would hold its ports for good
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        figures = {"orphans": len(children), "status": said[:110], "down": down[:60], "left": len(left)}
        return Outcome(not left and "still run" in said, figures)


@attack("a service stopped (SIGSTOP): when status says so")
def stands_still(checkout: Checkout) -> Outcome:
    with checkout.stage(1) as stage:
        pid = stage.service("dice-roller")["pid"]
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            while (
                now := state_of(stage, "dice-roller")
            ) == "healthy" and time.monotonic() - began < STILL_SECONDS:
                time.sleep(0.5)
        finally:
            os.kill(pid, signal.SIGCONT)
        seconds = round(time.monotonic() - began, 1)
        return Outcome(now != "healthy" and seconds < 15, {"seconds": seconds, "state": now})


def state_of(stage: Stage, name: str) -> str:
    services = json.loads(stage.workshop("status", "--json").stdout)["run"]["services"]
    return str(next(service["state"] for service in services if service["name"] == name))


@attack("offsets a hundred apart: up, and check")
def offsets_that_meet(checkout: Checkout) -> Outcome:
    """The first is an ordinary run of the checkout, as others can only see those."""
    offset = checkout.next_offset()
    near, data = offset + 100, checkout.root / ".workshop"
    first = Stage(checkout, offset, data / f"offset-{offset}")
    second = Stage(checkout, near, data / f"offset-{near}")
    try:
        first.workshop("up", "1", "--detach")
        asked = second.workshop("check", "1", "--deadline", "1")
        first.workshop("stop", "pocket")  # nobody listens where the second wants to
        refused = second.workshop("up", "1", "--detach")
    finally:
        second.workshop("down", "--volumes")
        first.workshop("down", "--volumes")
    figures = {
        "check, exit code": asked.returncode,
        "check": (asked.stderr or asked.stdout).strip()[-120:],
        "up": (refused.stderr or refused.stdout).strip()[:120],
    }
    return Outcome(asked.returncode == 2 and refused.returncode == 1 and "belongs to" in refused.stderr, figures)


@attack("LC_ALL=C and a folder that is not ASCII, or no text at all")
def odd_folders(checkout: Checkout) -> Outcome:
    figures: dict[str, int | str] = {}
    for what, name in (("grün-☃", "grün-☃"), ("no UTF-8", os.fsdecode(b"gr\xfcn"))):
        for locale in ("C", "C, not UTF-8"):
            with tempfile.TemporaryDirectory(prefix="attack-") as folder:
                offset, data = checkout.next_offset(), str(Path(folder) / name)
                environment = os.environ | {"LC_ALL": "C", "COLUMNS": "200"}
                if locale != "C":
                    environment["PYTHONUTF8"] = "0"
                where = ("--port-offset", str(offset), "--data-dir", data)
                verbs = (("up", "1", "--detach"), ("check", "1", "--deadline", "20"), ("down", "--volumes"))
                said = b""
                for verb in verbs:
                    done = subprocess.run(
                        [checkout.python, "-m", "workshop", *verb, *where], cwd=checkout.root, env=environment,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=300,
                    )  # fmt: skip
                    said += done.stdout
                figures[f"{what}, {locale}"] = (
                    "traceback" if b"Traceback" in said or b"RuntimeError" in said else "ok, or one line"
                )
    return Outcome("traceback" not in figures.values(), figures)
