"""A service sends its spans as OTLP's own variables say: by HTTP or by gRPC, for all signals or for traces alone.

Stage 1's roller stands for all: telemetry/ is the same everywhere.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

ROLLER = Path(__file__).resolve().parents[2] / "stage1/dice-roller"
DEADLINE = 30.0
GRPC, HTTP = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
Names = list[str]


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def names_of(request: ExportTraceServiceRequest) -> Names:
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    return [span.name for scope in scopes for span in scope.spans]


@contextmanager
def over_grpc() -> Iterator[tuple[int, Names]]:
    names: Names = []

    class Receiver(service.TraceServiceServicer):
        def Export(  # noqa: N802 - gRPC's name
            self, request: ExportTraceServiceRequest, context: object
        ) -> ExportTraceServiceResponse:
            names.extend(names_of(request))
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(Receiver(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port, names
    server.stop(None).wait(DEADLINE)


@contextmanager
def over_http() -> Iterator[tuple[int, Names]]:
    names: Names = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            names.extend(names_of(ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, names
        server.shutdown()


def roller(environment: dict[str, str], port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "uvicorn", "main:app", "--no-access-log", "--port", str(port)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    env |= {"ROLL_DELAY_MAX_SECONDS": "0"} | environment
    return subprocess.Popen(
        command, cwd=ROLLER, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def rolled(process: subprocess.Popen[str], port: int) -> bool:
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/roll", params={"die": "fair"}).status_code == 200
        except httpx.TransportError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("receiver", "environment"),
    [
        (over_grpc, GRPC),
        (over_http, HTTP),
        (over_http, {}),
        (over_grpc, HTTP | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}),
        (over_http, GRPC | {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}),
    ],
    ids=["grpc", "http", "default", "traces by grpc", "traces by http"],
)
def test_spans_arrive_and_the_stop_flushes_them(
    receiver: Callable[[], AbstractContextManager[tuple[int, Names]]], environment: dict[str, str], free_port: int
) -> None:
    with receiver() as (otlp, names):
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{otlp}"}
        with roller(environment | endpoint, free_port) as process:
            try:
                assert rolled(process, free_port)
                process.send_signal(signal.SIGTERM)
                _, err = process.communicate(timeout=DEADLINE)
            finally:
                process.kill()
    assert {"GET /roll", "roll die"} <= set(names)
    assert err == ""


@pytest.mark.parametrize(
    ("variable", "nonsense"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier-pigeon"),
        ("PYROSCOPE_SERVER_ADDRESS", "nonsense"),
    ],
)
def test_nonsense_refuses_to_start_and_says_why(variable: str, nonsense: str, free_port: int) -> None:
    with roller({variable: nonsense}, free_port) as process:
        try:
            _, err = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode != 0
    assert len(err.splitlines()) == 1
    assert nonsense in err
