"""Every service bounds a request's head as the pocket stack does, and is started so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(main.parent for main in ROOT.glob("stage[0-9]/*/main.py"))
HTTP = "head:BoundedHead"
SECONDS = 60


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: f"{service.parent.name}/{service.name}")
def test_the_bound_is_the_stacks_own_and_in_force(service: Path) -> None:
    assert (service / "head.py").read_bytes() == (ROOT / "stack/pocket/asgi/head.py").read_bytes()
    assert f"UVICORN_HTTP={HTTP}" in (service / "Dockerfile").read_text(encoding="utf-8")
    compose = yaml.safe_load((service.parent / "docker-compose.yml").read_text(encoding="utf-8"))
    assert compose["services"][service.name]["environment"]["UVICORN_HTTP"] == HTTP


@pytest.fixture
def port(next_offset: Callable[[], int], tmp_path: Path) -> Iterator[int]:
    """Where stage 1's roller listens, started as its compose file says."""
    listening = 8001 + next_offset()
    environment = os.environ | {"UVICORN_PORT": str(listening), "UVICORN_HTTP": HTTP}
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "uvicorn", "main:app"]
        child = subprocess.Popen(command, cwd=ROOT / "stage1/dice-roller", env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS
        while not (child.poll() or answers(listening)):
            assert time.monotonic() < deadline, (tmp_path / "log").read_text(encoding="utf-8")
            time.sleep(0.1)
        yield listening
    finally:
        child.terminate()
        child.wait(20)


def answers(port: int) -> bool:
    try:
        return said(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def said(port: int, *sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for each in sent:
            connection.sendall(each)
        return connection.recv(4096)


def test_a_header_without_end_is_refused(port: int) -> None:
    assert said(port, b"GET /healthz HTTP/1.1\r\nx: ", b"y" * 300_000).startswith(b"HTTP/1.1 431")
    assert answers(port)
