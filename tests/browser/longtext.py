"""Texts that are longer than any page is wide, in every place where telemetry has a text."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

WORD = f"a_name_of_{'very_' * 50}long_thing"
WORDS = "words that may wrap but are many " * 12
TRACE = "a11ca11ca11ca11ca11ca11ca11ca11c"
DASHBOARD = "long-texts"
QUANTILE = "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))"


def push(url: Callable[[int, str], str]) -> None:
    """Spans, log lines and metrics; `url(4318, "/v1/traces")` knows the ports."""
    now = time.time_ns()
    otlp = {
        "/v1/traces": {"resourceSpans": [_spans(now)]},
        "/v1/logs": {"resourceLogs": [_resource(scopeLogs=[{"logRecords": _records(now)}])]},
        "/v1/metrics": {"resourceMetrics": [_resource(scopeMetrics=[{"metrics": [_gauge(now)]}])]},
    }
    for path, body in otlp.items():
        httpx.post(url(4318, path), json=body, trust_env=False).raise_for_status()
    line = json.dumps({"message": WORD, WORD: WORD, "trace_id": TRACE})
    values = [[str(now - n), text, {"meta": WORD}] for n, text in enumerate((line, WORD, WORDS))]
    streams = [{"stream": {"service_name": WORD, "level": level}, "values": values} for level in ("info", WORD)]
    httpx.post(url(3100, "/loki/api/v1/push"), json={"streams": streams}, trust_env=False).raise_for_status()


def _attributes() -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in ((WORD, WORD), ("note", WORDS))]


def _resource(**more: Any) -> dict[str, Any]:
    return {
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": WORD}}]},
        **more,
    }


def _spans(now: int) -> dict[str, Any]:
    event = {"timeUnixNano": str(now), "name": "exception", "attributes": _attributes()}
    span = {
        "traceId": TRACE, "kind": 2, "startTimeUnixNano": str(now - 10**9), "endTimeUnixNano": str(now),
        "status": {"code": 2, "message": WORD}, "attributes": _attributes(), "events": [event],
        "links": [{"traceId": TRACE, "spanId": "1" * 16, "attributes": _attributes()}],
    }  # fmt: skip
    spans = [
        {**span, "spanId": "1" * 16, "name": WORD},
        {**span, "spanId": "2" * 16, "parentSpanId": "1" * 16, "name": WORDS},
    ]
    return _resource(scopeSpans=[{"scope": {"name": WORD}, "spans": spans}])


def _records(now: int) -> list[dict[str, Any]]:
    return [
        {"timeUnixNano": str(now), "severityText": "WARN", "body": {"stringValue": text}, "traceId": TRACE,
         "attributes": _attributes()}
        for text in (WORD, WORDS)
    ]  # fmt: skip


def _gauge(now: int) -> dict[str, Any]:
    points = [
        {"timeUnixNano": str(now), "asDouble": n, "attributes": [*_attributes(), _label(f"{WORD}{n}")]}
        for n in range(3)
    ]
    return {"name": "long_gauge", "description": WORDS + WORD, "gauge": {"dataPoints": points}}


def _label(value: str) -> dict[str, Any]:
    return {"key": "label", "value": {"stringValue": value}}


QUERIES = {
    "traces": ("traces", '{name=~"a_name.*"}'),
    "traces, refused": ("traces", "{" + WORD + " oops" + WORD),
    "traces, metrics": ("traces", '{name != "no' + WORD + '"} | rate()'),
    "traces, none": ("traces", '{name = "no' + WORD + '"}'),
    "logs": ("logs", '{service_name=~"a_name.*"}'),
    "logs, series": ("logs", 'sum(count_over_time({service_name=~".+"} != "no' + WORD + '" [1m]))'),
    "logs, refused": ("logs", '{service_name="' + WORD + '"} | | ' + WORD),
    "metrics": ("metrics", QUANTILE),
    "metrics, long query": ("metrics", 'sum(long_gauge{job!="no' + WORD + '"})'),
    "metrics, labels": ("metrics", "long_gauge"),
    "metrics, none": ("metrics", 'nothing{a="' + WORD + '"}'),
    "metrics, refused": ("metrics", "sum(" + WORD),
}
VIEWS = {
    "dashboard": f"d/{DASHBOARD}",
    "trace": f"trace/{TRACE}",
    "service map": "service-map",
    "metrics, all": "metrics",
    "profiles": f"profiles?service={WORD}",
    "checklist": "check",
    **{name: f"{view}?q={quote(query)}" for name, (view, query) in QUERIES.items()},
}

CHECKLIST = {
    "stage": 1,
    "result": {
        "checked_at": "2026-01-01T00:00:00Z",
        "items": [
            {"title": WORD, "group": WORD, "status": status, "detail": WORD, "hint": f"{WORD} `{WORD}`"}
            for status in ("pass", "fail", "skip")
        ],
    },
}


def dashboard() -> dict[str, Any]:
    """One panel of every type, with long titles, legends and rows."""
    right = {"legend": {"placement": "right"}}
    table = {"legend": {"placement": "right", "displayMode": "table", "calcs": ["mean", "max"]}}
    panels = [
        _panel("timeseries"), _panel("timeseries", options=right), _panel("timeseries", options=table),
        _panel("timeseries", expr=f"sum({WORD}"), _panel("timeseries", expr=QUANTILE),
        _panel("stat"), _panel("bargauge", options={"orientation": "horizontal"}), _panel("barchart"),
        _panel("heatmap"), _panel("table", instant=True), _panel("table", "tempo", query="{}"),
        _panel("logs", "loki", expr='{service_name=~".+"}'), _panel("nodeGraph", "tempo", queryType="serviceMap"),
        _panel("text", options={"content": f"# {WORD}\n\n`{WORD}` {WORD}\n\n- {WORD}\n\n```\n{WORD}\n```"}),
        _panel("row"), _panel(WORD),
    ]  # fmt: skip
    for n, panel in enumerate(panels):
        panel["gridPos"] = {"x": 12 * (n % 2), "y": 8 * (n // 2), "w": 12, "h": 8}
    return {"dashboard": {"uid": DASHBOARD, "title": WORD, "panels": panels}}


def _panel(
    type_: str, source: str = "prometheus", options: dict[str, Any] | None = None, **target: Any
) -> dict[str, Any]:
    uid = {"uid": source}
    return {
        "type": type_, "title": WORD, "description": WORD, "datasource": uid, "options": options or {},
        "targets": [] if type_ in ("text", "row") else [
            {"refId": "A", "datasource": uid, "expr": "long_gauge", **target}],
        "fieldConfig": {"defaults": {"custom": {}}, "overrides": []},
    }  # fmt: skip
