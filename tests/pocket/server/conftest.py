import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

OFFSET = 14_000 + os.getpid() % 300 * 23  # two runs of the suite side by side keep apart
ARGUMENTS = [sys.executable, "-m", "pocket", "--port-offset", str(OFFSET)]


class Process:
    """`python -m pocket` on shifted ports."""

    def __init__(self, data_dir: Path, *more: str) -> None:
        command = [*ARGUMENTS, "--data-dir", str(data_dir), *more]
        self.child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.http = httpx.Client(trust_env=False, timeout=20)

    def url(self, port: int, path: str) -> str:
        return f"http://127.0.0.1:{port + OFFSET}{path}"

    def get(self, port: int, path: str, **given: object) -> httpx.Response:
        return self.http.get(self.url(port, path), **given)  # type: ignore[arg-type]

    def post(self, port: int, path: str, **given: object) -> httpx.Response:
        return self.http.post(self.url(port, path), **given)  # type: ignore[arg-type]

    def wait_ready(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                if self.get(12345, "/-/ready").status_code == 200:
                    return
            except httpx.TransportError:
                assert self.child.poll() is None, self.child.stderr and self.child.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what it said."""
        if self.child.poll() is None:
            os.kill(self.child.pid, number)
        _, said = self.child.communicate(timeout=30)
        self.http.close()
        return self.child.returncode, said


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Process] = []

    def begin(*more: str) -> Process:
        process = Process(tmp_path, *more)
        started.append(process)
        process.wait_ready()
        return process

    yield begin
    for process in started:
        if process.child.returncode is None:
            process.stop(signal.SIGKILL)
