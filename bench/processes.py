"""Processes under measurement: started, awaited, measured and stopped by their own pid."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
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
    command: Sequence[str], *, ready: str, cwd: str = ".", environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python command line (`-m …`) in `cwd` below the root, yield once `ready` answers, then end it."""
    with tempfile.TemporaryFile(prefix="bench-log-") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT / cwd,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            await_http(ready)
            yield process
        finally:
            process.terminate()
            process.wait(20)


def cpu_seconds(pid: int) -> float:
    """CPU time of all threads of a process, user and system (Linux: /proc/<pid>/stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of one process in MiB (Linux: /proc/<pid>/status, VmRSS)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
