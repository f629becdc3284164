"""OTLP over gRPC, with the servicers of opentelemetry-proto."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from anyio import to_thread
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from pocket.receive.otlp.receiver import THREAD_BYTES, Receiver
from pocket.store import StoreFull

Export = Callable[[Any, Any, Any], Awaitable[Any]]


def server(receiver: Receiver, address: str, max_bytes: int) -> grpc.aio.Server:
    """A server bound to `address`, not yet started. Raises RuntimeError if the port is taken."""
    # Without so_reuseport=0 a second server on the same port would share it silently.
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", max_bytes)]
    result = grpc.aio.server(options=options, compression=grpc.Compression.Gzip)
    services: list[tuple[type, Callable[[Any, Any], None], Callable[[Any], Any]]] = [
        (trace_grpc.TraceServiceServicer, trace_grpc.add_TraceServiceServicer_to_server, receiver.traces),
        (logs_grpc.LogsServiceServicer, logs_grpc.add_LogsServiceServicer_to_server, receiver.logs),
        (metrics_grpc.MetricsServiceServicer, metrics_grpc.add_MetricsServiceServicer_to_server, receiver.metrics),
    ]
    for base, add, take in services:
        add(_servicer(receiver, base, take), result)
    if not result.add_insecure_port(address):
        raise RuntimeError(f"cannot listen on {address}")
    return result


def _servicer(receiver: Receiver, base: type, take: Callable[[Any], Any]) -> Any:
    return type(base.__name__, (base,), {"Export": _export(receiver, take)})()


def _export(receiver: Receiver, take: Callable[[Any], Any]) -> Export:
    async def export(_self: Any, request: Any, context: Any) -> Any:
        try:
            receiver.admit()
            if request.ByteSize() > THREAD_BYTES:
                return await to_thread.run_sync(take, request)
            return take(request)
        except StoreFull as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))  # the code exporters retry on

    return export
