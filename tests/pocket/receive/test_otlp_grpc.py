import socket
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from pocket.config import Settings
from pocket.receive.otlp import grpc as otlp_grpc
from pocket.receive.otlp.receiver import Receiver
from pocket.rows import Span
from pocket.store import Store, StoreFull


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def channel(store: Store, settings: Settings) -> AsyncIterator[grpc.aio.Channel]:
    spans: list[Span] = []
    port = free_port()
    server = otlp_grpc.server(Receiver(store, settings, spans.extend), f"127.0.0.1:{port}", 1 << 20)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


def request(now: int) -> trace_service_pb2.ExportTraceServiceRequest:
    result = trace_service_pb2.ExportTraceServiceRequest()
    span = result.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = b"1" * 16, b"2" * 8
    span.start_time_unix_nano = span.end_time_unix_nano = now
    return result


async def test_export(channel: grpc.aio.Channel, store: Store, now: int) -> None:
    stub = trace_service_pb2_grpc.TraceServiceStub(channel)  # type: ignore[no-untyped-call]
    response = await stub.Export(request(now), compression=grpc.Compression.Gzip)
    assert response.partial_success.rejected_spans == 0
    logs = logs_service_pb2.ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=now).body.string_value = "hi"
    logs_stub = logs_service_pb2_grpc.LogsServiceStub(channel)  # type: ignore[no-untyped-call]
    await logs_stub.Export(logs)
    store.flush()
    assert len(store.traces.trace((b"1" * 16).hex())) == 1
    assert [e.line for e in store.logs.select([], 0, 1 << 62)] == ["hi"]


async def test_full_is_unavailable_and_too_large_is_refused(
    channel: grpc.aio.Channel, store: Store, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: list[Span]) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(store, "append_spans", full)
    stub = trace_service_pb2_grpc.TraceServiceStub(channel)  # type: ignore[no-untyped-call]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Export(request(now))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    large = request(now)
    large.resource_spans[0].scope_spans[0].spans[0].name = "x" * (2 << 20)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Export(large)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
