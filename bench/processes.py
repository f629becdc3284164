"""Processes under measurement: started, awaited, measured and stopped by their own pid."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent


def await_http(url: str, seconds: float = 30.0) -> None:
    """Return when `url` answers below 500; raise TimeoutError when it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2).status_code < 500:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer in {seconds:.0f} s")


@contextlib.contextmanager
def running(
    command: Sequence[str], *, ready: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python command line (`-m …`), yield once `ready` answers, terminate it at the end."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_http(ready)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def resident_mib(pid: int) -> float:
    """Resident memory of one process in MiB (Linux: /proc/<pid>/status, VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
