"""The service as it runs: its own process, its log lines, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from telemetry.export import FLUSH_SECONDS

SERVICE = Path(__file__).parent.parent
DEADLINE = 20.0
COMMAND: list[str] = json.loads((SERVICE / "Dockerfile").read_text().rpartition("\nCMD ")[2])


class Dice(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"identifier": "fair", "faces": [1, 2], "error_rate": 0, "shakes": 0}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(autouse=True)
def dice_over_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Dice) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DIE_SERVICE_URL", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()


@contextmanager
def running(port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", *COMMAND, "--port", str(port)]
    env = os.environ | {"ROLL_DELAY_MAX_SECONDS": "0"} | environment
    process = subprocess.Popen(
        command, cwd=SERVICE, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def healthy(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the service did not come up")


def test_a_stop_flushes_the_spans_and_every_line_is_json(
    receiver: Callable[[int], AbstractContextManager[list[str]]], free_port: Callable[[], int]
) -> None:
    port, otlp = free_port(), free_port()
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp}", "OTEL_BSP_SCHEDULE_DELAY": "60000"}
    with receiver(otlp) as names, running(port, **endpoint) as process:
        healthy(port, process)
        httpx.get(f"http://127.0.0.1:{port}/roll", params={"die": "fair"})
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=DEADLINE)
    assert {"GET /roll", "roll die"} <= set(names)
    lines = [json.loads(line) for line in out.splitlines()]
    assert {"timestamp", "level", "logger", "message", "service"} <= set.intersection(
        *(set(line) for line in lines)
    )
    assert {line["logger"] for line in lines} == {"uvicorn.error", "dice-roller"}
    assert err == ""


def test_a_backend_that_never_answers_does_not_hold_up_the_stop(free_port: Callable[[], int]) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as tarpit:
        address = f"http://127.0.0.1:{tarpit.getsockname()[1]}"
        backends = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "PYROSCOPE_SERVER_ADDRESS": address}
        with running(port, **backends) as process:
            healthy(port, process)
            assert httpx.get(f"http://127.0.0.1:{port}/roll", params={"die": "fair"}).status_code == 200
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_request_that_takes_long_does_not_hold_up_the_stop_and_its_spans_arrive(
    receiver: Callable[[int], AbstractContextManager[list[str]]], free_port: Callable[[], int]
) -> None:
    port, otlp = free_port(), free_port()
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp}", "ROLL_DELAY_MAX_SECONDS": "60"}
    with receiver(otlp) as names, running(port, **environment) as process, ExitStack() as callers:
        healthy(port, process)
        for _ in range(8):
            caller = callers.enter_context(socket.create_connection(("127.0.0.1", port)))
            caller.sendall(b"GET /roll?die=fair HTTP/1.1\r\nhost: roller\r\n\r\n")
        healthy(port, process)  # an answer to this: those before it were read
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
    assert names.count("roll die") == 8


def test_the_stop_is_over_before_docker_kills() -> None:
    grace = float(COMMAND[COMMAND.index("--timeout-graceful-shutdown") + 1])
    assert grace + FLUSH_SECONDS < 10


@pytest.mark.parametrize("url", ["die-service:8002", "http://[", "", "ftp://die-service"])
def test_a_malformed_url_refuses_to_start_and_says_why(free_port: Callable[[], int], url: str) -> None:
    with running(free_port(), DIE_SERVICE_URL=url) as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode != 0
    assert err.strip() == f"dice-roller: DIE_SERVICE_URL must be like http://die-service:8002, not {url!r}"


def test_a_malformed_delay_refuses_to_start_and_says_why(free_port: Callable[[], int]) -> None:
    with running(free_port(), ROLL_DELAY_MAX_SECONDS="fast") as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode != 0
    assert err.strip() == "dice-roller: ROLL_DELAY_MAX_SECONDS must be between 0 and 60, not 'fast'"
