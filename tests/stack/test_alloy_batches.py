"""The real Alloy with the stack's configuration: its exporter's queue makes one batch of many small requests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

ALLOY = shutil.which("alloy", path=os.getenv("REAL_TOOLS_DIR", "")) or shutil.which("alloy")
CONFIG = Path(__file__).parents[2] / "stack/alloy/config.alloy"
DEADLINE = 60.0
REQUESTS, SPANS = 40, 5

pytestmark = pytest.mark.skipif(ALLOY is None, reason="alloy is neither in REAL_TOOLS_DIR nor on PATH")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def tempo() -> Iterator[tuple[int, list[int]]]:
    """A stand-in: its port, and how many spans each request had."""
    sizes: list[int] = []

    class Receiver(service.TraceServiceServicer):
        def Export(  # noqa: N802 - gRPC's name
            self, request: ExportTraceServiceRequest, context: object
        ) -> ExportTraceServiceResponse:
            scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
            sizes.append(sum(len(scope.spans) for scope in scopes))
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(Receiver(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port, sizes
    server.stop(None).wait(DEADLINE)


@contextmanager
def alloy(folder: Path, exports_to: int) -> Iterator[int]:
    """The port where it takes OTLP by gRPC. It looks for Docker in vain, which does not keep it from its work."""
    port = free_port()
    text = CONFIG.read_text(encoding="utf-8").replace("0.0.0.0:4317", f"127.0.0.1:{port}")
    config = folder / "config.alloy"
    config.write_text(text.replace("0.0.0.0:4318", f"127.0.0.1:{free_port()}"), encoding="utf-8")
    listen = f"--server.http.listen-addr=127.0.0.1:{free_port()}"
    options = [f"--storage.path={folder}", listen, "--stability.level=public-preview", "--disable-reporting"]
    environment = os.environ | {"TRACES_ENDPOINT": f"127.0.0.1:{exports_to}"}
    command = [str(ALLOY), "run", *options, str(config)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield port
        finally:
            process.terminate()


def request() -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for _ in range(SPANS):
        scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="roll die")
    return made


def test_many_small_requests_become_one(tmp_path: Path) -> None:
    with (
        tempo() as (to, sizes),
        alloy(tmp_path, to) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        grpc.channel_ready_future(channel).result(DEADLINE)
        stub = service.TraceServiceStub(channel)  # type: ignore[no-untyped-call]
        for _ in range(REQUESTS):
            stub.Export(request())
        deadline = time.monotonic() + DEADLINE
        while sum(sizes) < REQUESTS * SPANS and time.monotonic() < deadline:
            time.sleep(0.05)
    assert sum(sizes) == REQUESTS * SPANS
    assert len(sizes) < REQUESTS / 4
