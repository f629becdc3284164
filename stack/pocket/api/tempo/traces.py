"""A trace by its id, in JSON or protobuf."""

from __future__ import annotations

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.tempo import otlp
from pocket.api.tempo import parameters as params
from pocket.rows import Span

PROTOBUF = "application/protobuf"


def trace_v1(call: Call) -> Response:
    spans = _spans(call)
    if not spans:
        return Response(status_code=404)
    if _wants_protobuf(call):
        return Response(otlp.trace_bytes(spans), media_type=PROTOBUF)
    return answers.json({"batches": otlp.resource_spans_json(spans)})


def trace_v2(call: Call) -> Response:
    """Unlike Tempo 3, which gives an empty trace here, an unknown trace is a 404: Grafana then says so."""
    spans = _spans(call)
    if not spans:
        return Response(status_code=404)
    if _wants_protobuf(call):
        return Response(otlp.trace_response_bytes(spans), media_type=PROTOBUF)
    return answers.json({"trace": {"resourceSpans": otlp.resource_spans_json(spans)}, "metrics": {}})


def _spans(call: Call) -> list[Span]:
    return call.store.traces.trace(params.trace_id(call.path["id"]))


def _wants_protobuf(call: Call) -> bool:
    return PROTOBUF in call.headers.get("accept", "")
