"""What happens to a decoded OTLP request, the same for HTTP and gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb

from pocket.admission.bounds import Bounds
from pocket.admission.limits import Rejected
from pocket.config import Settings
from pocket.receive.otlp import logs, metrics, traces
from pocket.rows import Span
from pocket.store import Store

REQUESTS: dict[str, Any] = {
    "traces": trace_pb.ExportTraceServiceRequest,
    "logs": logs_pb.ExportLogsServiceRequest,
    "metrics": metrics_pb.ExportMetricsServiceRequest,
}
SIGNALS = {"traces": "spans", "logs": "logs", "metrics": "samples"}  # as the store names their rows
# Converting more than this leaves the event loop to a thread, so that scrapes and queries are not held up.
THREAD_BYTES = 64 << 10


class Receiver:
    """Stores what a request holds. `spans` is called with every batch of spans that was stored.

    Each method takes the request and gives the response. StoreFull means that nothing could be taken for now,
    BodyError and TooLargeError that it never can.
    """

    def __init__(self, store: Store, settings: Settings, spans: Callable[[list[Span]], None]) -> None:
        self._store, self._settings, self._spans = store, settings, spans

    def export(self, signal: str, request: Any) -> Any:
        """`signal` is traces, logs or metrics; `request` and the response are its protobuf messages."""
        handlers = {"traces": self.traces, "logs": self.logs, "metrics": self.metrics}
        return handlers[signal](request)

    def admit(self) -> None:
        """Raises StoreFull before the work of decoding what could not be stored."""
        self._store.admit()

    async def durable(self) -> None:
        """Returns when what was taken is on disk: what is acknowledged survives a kill. Raises StoreError."""
        await self._store.durable()

    def refused(self, signal: str) -> None:
        """Count a request that its sender will send again."""
        self._store.own_metrics.refused.labels(SIGNALS[signal]).inc()

    def traces(self, request: Any) -> Any:
        rows, rejected = traces.spans(request, Bounds.now(self._settings))
        self._store.append_spans(rows)
        self._spans(rows)
        response = trace_pb.ExportTraceServiceResponse()
        return self._partial(response, "rejected_spans", "spans", rejected)

    def logs(self, request: Any) -> Any:
        rows, rejected = logs.entries(request, Bounds.now(self._settings))
        self._store.append_logs(rows)
        response = logs_pb.ExportLogsServiceResponse()
        return self._partial(response, "rejected_log_records", "logs", rejected)

    def metrics(self, request: Any) -> Any:
        points, rejected = metrics.points(request, Bounds.now(self._settings))
        self._store.append_metrics(points.samples, points.exemplars, points.metadata)
        response = metrics_pb.ExportMetricsServiceResponse()
        return self._partial(response, "rejected_data_points", "samples", rejected)

    def _partial(self, response: Any, field: str, signal: str, rejected: Rejected) -> Any:
        if rejected.count:
            setattr(response.partial_success, field, rejected.count)
            response.partial_success.error_message = rejected.message
            self._store.own_metrics.dropped.labels(signal, "rejected").inc(rejected.count)
        return response
