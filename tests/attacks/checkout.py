"""The checkout under attack: its pocket stack alone, or a whole stage of it, on ports and data of their own.

Another checkout than this one can be attacked (one from before a change), with the environment in its `.venv`.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

CEILING_MB = 4096  # an attack that succeeds is ended there, before it takes the machine
UP_SECONDS = 300


class Memory:
    """Peak resident memory of a process in MB, looked at 20 times a second; killed beyond the ceiling."""

    def __init__(self, pid: int) -> None:
        self._process, self._ended = psutil.Process(pid), threading.Event()
        self.peak_mb = 0
        self.killed = False
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def now_mb(self) -> int:
        return int(self._process.memory_info().rss / 2**20)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while not self._ended.wait(0.05):
                self.peak_mb = max(self.peak_mb, self.now_mb())
                if self.peak_mb > CEILING_MB:
                    self.killed = True
                    self._process.kill()


@dataclass(frozen=True)
class Pocket:
    """`python -m pocket`; `url(3100, "/ready")` knows its ports."""

    offset: int
    data: Path
    child: subprocess.Popen[bytes]
    memory: Memory

    def url(self, port: int, path: str = "") -> str:
        return f"http://127.0.0.1:{port + self.offset}{path}"

    def disk_mb(self) -> int:
        """The store's files, write-ahead log and all."""
        return sum(path.stat().st_size for path in (self.data / "pocket").glob("pocket.duckdb*")) >> 20


@dataclass(frozen=True)
class Stage:
    """A stage that `workshop up` of the checkout started."""

    checkout: Checkout
    offset: int
    data: Path

    def url(self, port: int, path: str = "") -> str:
        return f"http://127.0.0.1:{port + self.offset}{path}"

    def workshop(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.checkout.workshop(*arguments, offset=self.offset, data=self.data)

    def service(self, name: str) -> dict[str, Any]:
        """Its entry in run.json: pid, state, restarts."""
        state = json.loads((self.data / "run.json").read_text())
        return next(each for each in state["services"] if each["name"] == name)


@dataclass(frozen=True)
class Checkout:
    root: Path
    next_offset: Callable[[], int]

    @property
    def python(self) -> str:
        own = self.root / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable

    def workshop(self, *arguments: str, offset: int, data: Path) -> subprocess.CompletedProcess[str]:
        where = ("--port-offset", str(offset), "--data-dir", str(data))
        return subprocess.run(
            [self.python, "-m", "workshop", *arguments, *where],
            cwd=self.root, capture_output=True, text=True, timeout=UP_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextlib.contextmanager
    def pocket(self, *flags: str, data: Path | None = None) -> Iterator[Pocket]:
        """Ready when it is yielded; ended however the attack ends. `data`: a folder that stays."""
        offset = self.next_offset()
        with tempfile.TemporaryDirectory(prefix="attack-") as own, tempfile.TemporaryFile() as log:
            folder = str(data or own)
            command = [self.python, "-m", "pocket", "--port-offset", str(offset), "--data-dir", folder, *flags]
            child = subprocess.Popen(command, cwd=self.root, stdout=log, stderr=log)
            memory = Memory(child.pid)
            try:
                await_answer(f"http://127.0.0.1:{12345 + offset}/-/ready")
                yield Pocket(offset, Path(folder), child, memory)
            finally:
                memory.close()
                end(child)

    @contextlib.contextmanager
    def stage(self, number: int, *flags: str) -> Iterator[Stage]:
        """Healthy when it is yielded (`up --detach`); taken down, data and all, however the attack ends."""
        offset = self.next_offset()
        with tempfile.TemporaryDirectory(prefix="attack-") as folder:
            stage = Stage(self, offset, Path(folder) / "run")
            try:
                done = stage.workshop("up", str(number), "--detach", *flags)
                if done.returncode:
                    raise RuntimeError(f"stage {number} did not start: {done.stdout}{done.stderr}")
                yield stage
            finally:
                stage.workshop("down", "--volumes")


def await_answer(url: str, seconds: float = 120) -> None:
    """TimeoutError when nothing below 500 comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5, trust_env=False).status_code < 500:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer in {seconds:g} s")


def end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
