import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.applications import Starlette
from starlette.types import ASGIApp

from pocket.asgi.body import BodyLimit
from pocket.config import Settings
from pocket.receive.otlp import http
from pocket.receive.otlp.receiver import Receiver
from pocket.rows import Span
from pocket.store import Store, StoreFull

PROTO, JSON = {"content-type": "application/x-protobuf"}, {"content-type": "application/json"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def seen() -> list[Span]:
    return []


@pytest.fixture
def client(connect: Callable[[ASGIApp], Any], store: Store, settings: Settings, seen: list[Span]) -> Any:
    receiver = Receiver(store, settings, seen.extend)
    app = Starlette(routes=http.routes(receiver))
    return connect(BodyLimit(app, settings.max_body_bytes, http.refuse))


def document(now: int, **more: Any) -> dict[str, Any]:
    span = {
        "traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "roll", "kind": 2, "startTimeUnixNano": str(now),
        "endTimeUnixNano": str(now + 9), "attributes": [{"key": "traceId", "value": {"stringValue": "kept"}}],
        "links": [{"traceId": TRACE, "spanId": "00f067aa0ba902b7"}], **more,
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


def protobuf(now: int, trace_id: str = TRACE) -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id = bytes.fromhex(trace_id), bytes(range(8))
    span.start_time_unix_nano = span.end_time_unix_nano = now
    return request.SerializeToString()


def test_json_with_hexadecimal_ids(client: Any, store: Store, seen: list[Span], now: int) -> None:
    response = client.post("/v1/traces", json=document(now))
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == "application/json"
    store.flush()
    [span] = store.traces.trace(TRACE)
    assert (span.span_id, span.attributes, span.service_name) == ("b7ad6b7169203331", {"traceId": "kept"}, "s")
    assert span.links[0].span_id == "00f067aa0ba902b7"
    assert seen == [span]


def test_protobuf_and_gzip(client: Any, store: Store, now: int) -> None:
    packed = gzip.compress(protobuf(now))
    response = client.post("/v1/traces", content=packed, headers={**PROTO, "content-encoding": "gzip"})
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    store.flush()
    assert len(store.traces.trace(TRACE)) == 1


def test_an_empty_request_is_fine(client: Any) -> None:
    for signal in ("traces", "logs", "metrics"):
        assert client.post(f"/v1/{signal}", content=b"", headers=PROTO).status_code == 200
        assert client.post(f"/v1/{signal}", content=b"{}", headers=JSON).status_code == 200


def test_partial_success_says_what_was_refused(client: Any, store: Store, now: int) -> None:
    body = protobuf(now, "00" * 16) + protobuf(now)
    response = client.post("/v1/traces", content=body, headers=PROTO)
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert answer.partial_success.rejected_spans == 1
    assert "trace ids must be 128 bit" in answer.partial_success.error_message
    response = client.post("/v1/traces", json=document(0, startTimeUnixNano="1"))
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert (
        store.own_metrics.registry.get_sample_value(
            "pocket_dropped_total", {"signal": "spans", "reason": "rejected"}
        )
        == 2
    )


def test_malformed_is_400_with_a_status_in_the_same_encoding(client: Any) -> None:
    response = client.post("/v1/traces", content=b"\xff\xff", headers=PROTO)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/x-protobuf"
    assert Status.FromString(response.content).code == 3
    assert "malformed" in Status.FromString(response.content).message
    bodies = [
        b"{", b"[]", b"null", b'"x"', b'{"resourceSpans": 1}', b'{"resourceSpans": [{"resource": 5}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', b"\xff", b"[" * 100_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "1e30"}]}]}]}',
    ]  # fmt: skip
    for body in bodies[:-2]:
        response = client.post("/v1/traces", content=body, headers=JSON)
        assert response.status_code == 400, body[:50]
        assert response.json()["code"] == 3
    for body in bodies[-2:]:
        assert client.post("/v1/traces", content=body, headers=JSON).status_code in (200, 400)


def test_other_refusals(client: Any, store: Store, now: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.post("/v1/traces", content=b"", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post("/v1/traces", content=bytes(2 << 20), headers=PROTO).status_code == 413
    bomb = gzip.compress(bytes(50 << 20))
    response = client.post("/v1/logs", content=bomb, headers={**JSON, "content-encoding": "gzip"})
    assert (response.status_code, response.json()["code"]) == (413, 3)
    assert client.get("/v1/traces").status_code == 405
    assert client.post("/v1/nothing", content=b"", headers=PROTO).status_code == 404

    def full(_: list[Span]) -> None:
        raise StoreFull("full")

    monkeypatch.setattr(store, "append_spans", full)
    response = client.post("/v1/traces", json=document(now))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceSpans", "resourceLogs", "resourceMetrics", "scopeSpans", "spans", "traceId", "spanId",
             "name",
             "attributes", "key", "value", "stringValue", "startTimeUnixNano", "kind", "status", "scopeLogs",
             "logRecords", "body", "scopeMetrics", "metrics", "gauge", "sum", "dataPoints", "asDouble",
             "arrayValue"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signal=st.sampled_from(["traces", "logs", "metrics"]), value=JSONISH)
def test_any_json_is_answered(client: Any, signal: str, value: Any) -> None:
    response = client.post(f"/v1/{signal}", content=json.dumps(value).encode(), headers=JSON)
    assert response.status_code in (200, 400)


MESSAGES = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest
}  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signal=st.sampled_from(sorted(MESSAGES)), noise=st.binary(max_size=60), at=st.integers(0, 200))
def test_any_bytes_are_answered(client: Any, signal: str, noise: bytes, at: int) -> None:
    good = protobuf(1_800_000_000 * 10**9)
    body = good[:at] + noise + good[at + len(noise) // 2 :]
    assert client.post(f"/v1/{signal}", content=body, headers=PROTO).status_code in (200, 400)
