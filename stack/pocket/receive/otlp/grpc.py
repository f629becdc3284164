"""OTLP over gRPC, with the servicers of opentelemetry-proto."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from anyio import CapacityLimiter, to_thread
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from pocket.asgi.body import BodyError
from pocket.receive.otlp.receiver import THREAD_BYTES, Receiver
from pocket.store import StoreError, StoreFull, TooLargeError

Export = Callable[[Any, Any, Any], Awaitable[Any]]


def server(receiver: Receiver, address: str, max_bytes: int) -> grpc.aio.Server:
    """A server bound to `address`, not yet started. Raises RuntimeError if the port is taken."""
    # Without so_reuseport=0 a second server on the same port would share it silently.
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", max_bytes)]
    result = grpc.aio.server(options=options, compression=grpc.Compression.Gzip)
    services: list[tuple[type, Callable[[Any, Any], None], str]] = [
        (trace_grpc.TraceServiceServicer, trace_grpc.add_TraceServiceServicer_to_server, "traces"),
        (logs_grpc.LogsServiceServicer, logs_grpc.add_LogsServiceServicer_to_server, "logs"),
        (metrics_grpc.MetricsServiceServicer, metrics_grpc.add_MetricsServiceServicer_to_server, "metrics"),
    ]
    for base, add, signal in services:
        add(_servicer(receiver, base, signal), result)
    if not result.add_insecure_port(address):
        raise RuntimeError(f"cannot listen on {address}")
    return result


def _servicer(receiver: Receiver, base: type, signal: str) -> Any:
    return type(base.__name__, (base,), {"Export": _export(receiver, signal)})()


def _export(receiver: Receiver, signal: str) -> Export:
    async def export(_self: Any, request: Any, context: Any) -> Any:
        try:
            receiver.admit()
            if request.ByteSize() > THREAD_BYTES:
                answer = await to_thread.run_sync(receiver.export, signal, request, limiter=decoders)
            else:
                answer = receiver.export(signal, request)
            await receiver.durable()
        except (BodyError, TooLargeError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))  # a code exporters do not retry on
        except (StoreFull, StoreError) as error:
            receiver.refused(signal)
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))  # the code they do retry on
        return answer

    decoders = CapacityLimiter(1)  # as for HTTP
    return export
