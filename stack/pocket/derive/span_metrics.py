"""RED metrics of spans (Tempo: modules/generator/processor/spanmetrics)."""

from __future__ import annotations

from pocket.derive.registry import Counter, Histogram
from pocket.rows import Span

KINDS = (
    "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
)  # fmt: skip
STATUSES = ("STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR")
_LABELS = ("service", "span_name", "span_kind", "status_code")
# As in stack/tempo/tempo.yaml.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class SpanMetrics:
    def __init__(self) -> None:
        self.calls = Counter("traces_spanmetrics_calls_total", _LABELS)
        self.latency = Histogram("traces_spanmetrics_latency", _LABELS, BUCKETS)

    def add(self, span: Span, now_ms: int) -> None:
        values = (span.service_name, span.name, KINDS[span.kind], STATUSES[span.status])
        self.calls.add(values, now_ms)
        self.latency.observe(values, span.duration_ns / 1e9, span.trace_id, now_ms)
