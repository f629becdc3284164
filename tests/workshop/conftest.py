"""A made-up project with a stage of its own, so that the command's tests need no real stage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

HERE = Path(__file__).parent
SERVICE = """
import http.server, os, signal, sys, threading, time
if "FAIL" in os.environ:
    print("about to fail"); print(os.environ["FAIL"]); sys.exit(3)
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('{"message": "asked for %s"}' % self.path, flush=True)
        self.send_response(200); self.end_headers(); self.wfile.write(repr(dict(os.environ)).encode())
    def log_message(self, *a): pass
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), H).serve_forever()
"""
COMPOSE = """
name: made-up
include: [../stack/docker-compose.yml]
services:
  one:
    build: one
    command: python service.py
    restart: unless-stopped
    environment: {PORT: "8001", OTEL_EXPORTER_OTLP_ENDPOINT: "http://alloy:4318"}
    ports: ["127.0.0.1:8001:8001"]
  two:
    build: one
    command: [python, service.py]
    environment: [PORT=8002, "ONE=http://one:8001/"]
    ports: ["8002:8002"]
    depends_on: {one: {condition: service_healthy}, alloy: {condition: service_healthy}}
    healthcheck:
      test: [CMD, python, -c, "import urllib.request as u; u.urlopen('http://127.0.0.1:8002/healthz')"]
      interval: 1s
"""
STACK = """
services:
  alloy: {image: alloy, ports: ["127.0.0.1:12345:12345", "4317:4317", "4318:4318"]}
"""


@dataclass
class Project:
    """A made-up project on ports of its own. `run` is the real command line in a process of its own."""

    root: Path
    offset: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))  # as in an activated .venv
        mine = {"WORKSHOP_ROOT": str(self.root), "PORT_OFFSET": str(self.offset), "PATH": path}
        return {**os.environ, **mine, **extra}

    @property
    def data(self) -> Path:
        return self.root / ".workshop" / f"offset-{self.offset}"

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "workshop", *arguments]
        return subprocess.run(
            command,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "workshop", *arguments],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def state(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.data / "run.json").read_text())
        return content

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.state()["services"] if each["name"] == name)
        return found

    def compose(self, text: str) -> None:
        (self.root / "stage1" / "docker-compose.yml").write_text(text)

    def arrived(self) -> list[str]:
        """The log lines that the made-up stack has received."""
        file = self.data / "pocket" / "lines.jsonl"
        return [json.loads(line)["line"] for line in file.read_text().splitlines()] if file.exists() else []

    def left(self) -> list[str]:
        """Processes that still belong to this project, whoever is their parent."""
        return processes_of(self.root)

    def stop(self) -> None:
        self.run("down", "--volumes")  # root's database lies outside the folder
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def processes_of(root: Path) -> list[str]:
    """Command lines of processes that work in or on this folder (zombies have none)."""
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        try:
            words = " ".join(process.info["cmdline"] or ())
            if (
                process.pid != os.getpid()
                and words
                and (str(root) in words or process.cwd().startswith(str(root)))
            ):
                found.append(f"{process.pid} {words}")
        except (psutil.Error, OSError):
            continue
    return found


def eventually(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """The condition's first true value; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (OSError, ValueError, StopIteration, KeyError):
            pass
        time.sleep(0.05)
    pytest.fail(f"not within {seconds:g} s: {what}")


@pytest.fixture
def project(tmp_path: Path, next_offset: Callable[[], int]) -> Iterator[Project]:
    root = tmp_path / "project"
    for folder in ("stage1/one", "stack/pocket", "stack/prometheus"):
        (root / folder).mkdir(parents=True)
    (root / "stack" / "docker-compose.yml").write_text(STACK)
    (root / "stage1" / "one" / "service.py").write_text(SERVICE)
    (root / "stack" / "pocket" / "__init__.py").touch()
    shutil.copy(HERE / "fake_pocket.py", root / "stack" / "pocket" / "__main__.py")
    made = Project(root, next_offset())
    made.compose(COMPOSE)
    yield made
    made.stop()
    assert made.left() == []
