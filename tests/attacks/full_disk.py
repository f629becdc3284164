"""A disk that is full for a while, under traffic: usage events are log lines, and none may be lost unsaid."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.attacks.attack import Outcome, attack
from tests.attacks.checkout import Checkout, Stage

DISK_MB = 400  # the data of stage 6 at its start, and some room
FULL_SECONDS = 25.0
SETTLE_SECONDS = 60.0


@attack("full disk: usage events counted, stored, said")
def events_on_a_full_disk(checkout: Checkout) -> Outcome:
    if os.geteuid() != 0:
        raise RuntimeError("mounts a small disk, which only root may")
    with small_disk() as disk:
        stage = Stage(checkout, checkout.next_offset(), disk / "run")
        try:
            done = stage.workshop("up", "6", "--detach")
            if done.returncode:
                raise RuntimeError(f"stage 6 did not start: {done.stdout}{done.stderr}"[:300])
            return attacked(stage, disk)
        finally:
            stage.workshop("down", "--volumes")


def attacked(stage: Stage, disk: Path) -> Outcome:
    filler = disk / "filler"
    with traffic(stage):
        time.sleep(8)
        fill(filler)
        time.sleep(FULL_SECONDS)
        fill(filler)
        said = told(stage)
        filler.unlink()
        time.sleep(5)
    until = time.monotonic() + SETTLE_SECONDS
    while (stored := events_stored(stage)) != (counted := events_counted(stage)) and time.monotonic() < until:
        time.sleep(2)
    code, verdict = audit(stage)
    figures = {
        "counted": counted,
        "stored": stored,
        "lost": counted - stored,
        "status says": said[:200] or "nothing",
        "audit": f"{'good' if verdict.get('good') else 'not good'} (exit {code})",
    }
    honest = bool(verdict.get("good")) == (counted == stored)
    return Outcome(counted == stored and honest and bool(said), figures)


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="attack-disk-") as folder:
        Path(folder).chmod(0o755)  # the database may run as another user
        options = f"size={DISK_MB}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True, capture_output=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(filler: Path) -> None:
    """To the last block; whoever frees some while it is full has it."""
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(1 << 20)):
            pass
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


@contextlib.contextmanager
def traffic(stage: Stage) -> Iterator[None]:
    settings = {"NUM_USERS": "8", "THINK_TIME_SECONDS": "0.3", "MAX_ROLLS_PER_USER": "0", "DURATION_SECONDS": "0"}
    where = {"FRONTEND_URL": stage.url(8501), "OTEL_EXPORTER_OTLP_ENDPOINT": stage.url(4318)}
    process = subprocess.Popen(
        [stage.checkout.python, "generate_traffic.py", "--json"],
        cwd=stage.checkout.root / "stage6" / "traffic-gen", env=os.environ | settings | where,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def told(stage: Stage) -> str:
    lines = stage.workshop("status").stdout.splitlines()
    return " ".join(line for line in lines if "log line" in line)


def events_counted(stage: Stage) -> int:
    lines = httpx.get(stage.url(8501, "/metrics"), timeout=10, trust_env=False).text.splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("usage_events_total")))


def events_stored(stage: Stage) -> int:
    found, query = 0, {"limit": "1000"}
    try:
        while page := httpx.get(
            stage.url(8003, "/usage/events"), params=query, timeout=10, trust_env=False
        ).json():
            found += len(page)
            query["after"] = page[-1]["event_id"]
    except (httpx.HTTPError, TypeError, KeyError):
        return -1
    return found


def audit(stage: Stage) -> tuple[int, dict[str, object]]:
    where = {
        "LOKI_URL": stage.url(3100), "PROMETHEUS_URL": stage.url(9090), "USAGE_SERVICE_URL": stage.url(8003),
    }  # fmt: skip
    done = subprocess.run(
        [stage.checkout.python, "usage_audit.py", "--json", "--wait-seconds", "10"],
        cwd=stage.checkout.root / "stage6" / "traffic-gen", env=os.environ | where,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {}
