from collections.abc import Callable

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import REGISTRY

import clients
import rolling

Backend = Callable[[Callable[[httpx.Request], httpx.Response]], list[httpx.Request]]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"


def test_one_trace_from_the_click_to_the_request(lucky: list[httpx.Request], spans: InMemorySpanExporter) -> None:
    answer = rolling.roll("fair", {})
    call, click = spans.get_finished_spans()
    assert (click.name, click.kind, click.parent) == ("roll button", SpanKind.SERVER, None)
    assert (call.name, call.kind) == ("GET", SpanKind.CLIENT)
    assert call.parent is not None
    assert call.parent.span_id == click.context.span_id
    assert answer.trace_id == f"{click.context.trace_id:032x}"
    sent = lucky[-1].headers["traceparent"].split("-")
    assert (sent[1], sent[2]) == (answer.trace_id, f"{call.context.span_id:016x}")
    assert (call.attributes or {})["http.response.status_code"] == 200


def test_a_click_belongs_to_the_callers_trace(lucky: list[httpx.Request], spans: InMemorySpanExporter) -> None:
    assert rolling.roll("fair", {"traceparent": PARENT}).trace_id == PARENT[3:35]
    click = spans.get_finished_spans()[-1]
    assert click.parent is not None
    assert f"{click.parent.span_id:016x}" == PARENT[36:52]


def test_a_malformed_traceparent_starts_a_new_trace(lucky: list[httpx.Request]) -> None:
    answer = rolling.roll("fair", {"traceparent": "00-zzz-1-01"})
    assert answer.status == 200
    assert int(answer.trace_id, 16) > 0


def test_a_failure_makes_the_click_an_error(backend: Backend, spans: InMemorySpanExporter) -> None:
    backend(lambda request: httpx.Response(500, json={"detail": "off the table"}))
    assert not rolling.roll("risky", {}).ok
    click = spans.get_finished_spans()[-1]
    assert (click.status.status_code, click.status.description) == (StatusCode.ERROR, "off the table")
    assert (click.attributes or {})["error.type"] == "500"


@pytest.mark.parametrize("url", ["http://dice-roller:8001", "https://dice-roller/", "http://[::1]:8001"])
def test_a_url_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ROLLER_URL", url)
    assert str(clients.client("ROLLER_URL", "", timeout=1, peer="").base_url).rstrip("/") == url.rstrip("/")


def test_what_nobody_foresaw_is_timed_and_counted(backend: Backend) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError

    backend(broken)
    labels = {"die_type": "fair", "status": "500"}
    before = REGISTRY.get_sample_value("streamlit_requests_total", labels) or 0
    with pytest.raises(RuntimeError):
        rolling.roll("fair", {})
    assert REGISTRY.get_sample_value("streamlit_requests_total", labels) == before + 1


def test_a_die_of_the_callers_making_is_no_label(backend: Backend) -> None:
    backend(lambda request: httpx.Response(404, json={"detail": "no such die"}))
    assert rolling.roll('gold"en\n', {}).status == 404
    labels = {"die_type": "unknown", "status": "404"}
    assert REGISTRY.get_sample_value("streamlit_requests_total", labels) == 1
    clicks = [
        sample.labels for family in REGISTRY.collect() for sample in family.samples if "clicks" in sample.name
    ]
    assert {labels["die_type"] for labels in clicks} <= {"fair", "risky", "unknown"}


def test_many_at_once_are_one_request(backend: Backend, spans: InMemorySpanExporter) -> None:
    body = {"die": "fair", "times": 5, "rolls": [1, 2, 3, 4, 5], "total": 15, "failed": 0}
    seen = backend(lambda request: httpx.Response(200, json=body))
    answer = rolling.roll_all("fair", 5, {})
    assert (answer.status, answer.body) == (200, body)
    assert [request.url.raw_path for request in seen] == [b"/roll-async?die=fair&times=5"]
    assert (spans.get_finished_spans()[-1].attributes or {})["dice.batch_size"] == 5
