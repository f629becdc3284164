import json
import logging
from uuid import UUID

import httpx
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from main import service
from telemetry.logs import JsonFormatter

OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


async def test_one_server_span_by_the_stable_conventions(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await client.get("/roll", params={"die": "fair"})
    (server,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    attributes = server.attributes or {}
    assert server.name == "GET /roll"
    assert (attributes["http.request.method"], attributes["http.response.status_code"]) == ("GET", 200)
    assert (attributes["http.route"], attributes["url.path"]) == ("/roll", "/roll")
    assert not [name for name in attributes if name in ("http.method", "http.status_code", "http.url")]
    assert not [span.name for span in spans.get_finished_spans() if span.name.endswith((" send", " receive"))]


async def test_the_callers_trace_goes_on(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
    await client.get("/roll", params={"die": "fair"}, headers={"traceparent": parent})
    assert {f"{span.context.trace_id:032x}" for span in spans.get_finished_spans()} == {parent[3:35]}


async def test_scrapes_and_health_checks_leave_no_trace(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    for path in ("/metrics", "/healthz"):
        assert (await client.get(path)).status_code == 200
        assert REGISTRY.get_sample_value("http_requests_total", labels(path, "200")) is None
    assert spans.get_finished_spans() == ()


async def test_a_query_cannot_hide_a_request(client: httpx.AsyncClient, spans: InMemorySpanExporter) -> None:
    await client.get("/roll?die=/metrics")
    assert [span.name for span in spans.get_finished_spans()] == ["GET /roll"]


def labels(handler: str, status: str) -> dict[str, str]:
    return {"method": "GET", "handler": handler, "status": status}


async def test_exact_status_codes_are_counted(client: httpx.AsyncClient) -> None:
    before = REGISTRY.get_sample_value("http_requests_total", labels("/roll", "404")) or 0
    await client.get("/roll", params={"die": "golden"})
    assert REGISTRY.get_sample_value("http_requests_total", labels("/roll", "404")) == before + 1


async def test_neither_path_nor_method_of_a_stranger_becomes_a_label(client: httpx.AsyncClient) -> None:
    await client.get("/no/such/path")
    await client.request("BREW", "/roll")
    text = (await client.get("/metrics")).text
    assert "/no/such/path" not in text
    assert "BREW" not in text
    assert 'handler="none",method="GET",status="404"' in text


async def test_latency_has_exemplars_that_name_a_trace(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await client.get("/roll", params={"die": "fair"})
    trace_id = f"{spans.get_finished_spans()[0].context.trace_id:032x}"
    answer = await client.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    samples = families["http_request_duration_seconds"].samples
    assert trace_id in {sample.exemplar.labels["trace_id"] for sample in samples if sample.exemplar}


async def test_plain_text_for_those_who_ask_for_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# {" not in answer.text
    assert "_created" not in answer.text


async def test_metrics_name_the_process_as_spans_and_log_lines_do(
    client: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await client.get("/roll", params={"die": "fair"})
    line = json.loads(JsonFormatter(service).format(logging.makeLogRecord({"msg": "rolled"})))
    instances = {span.resource.attributes["service.instance.id"] for span in spans.get_finished_spans()}
    assert instances == {line["service_instance_id"]} == {str(UUID(line["service_instance_id"]))}
    samples = REGISTRY.get_target_info() or {}
    assert samples["service_instance_id"] == line["service_instance_id"]
    assert (samples["service_name"], samples["service_namespace"]) == ("dice-roller", "dice-workshop")
    assert f'service_instance_id="{line["service_instance_id"]}"' in (await client.get("/metrics")).text


async def test_the_buckets_resolve_from_a_millisecond_to_five_seconds(client: httpx.AsyncClient) -> None:
    await client.get("/roll", params={"die": "fair"})
    (family,) = [family for family in REGISTRY.collect() if family.name == "http_request_duration_seconds"]
    bounds = {float(sample.labels["le"]) for sample in family.samples if sample.name.endswith("_bucket")}
    assert min(bounds) == 0.001
    assert sorted(bounds)[-2] == 5
    assert len([bound for bound in bounds if bound > 1]) >= 3
