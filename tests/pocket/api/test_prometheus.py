"""Prometheus' HTTP API over the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pocket.api import prometheus
from pocket.config import Settings
from pocket.rows import Exemplar, MetricMetadata, Sample
from pocket.store import Store

START = 1_700_000_000


@dataclass
class Target:
    scrape_pool: str = "api"
    scrape_url: str = "http://127.0.0.1:8001/metrics"
    labels: dict[str, str] = field(default_factory=lambda: {"job": "api", "instance": "127.0.0.1:8001"})
    discovered_labels: dict[str, str] = field(default_factory=lambda: {"__address__": "127.0.0.1:8001"})
    scrape_interval: float = 5.0
    scrape_timeout: float = 4.5
    health: str = "up"
    last_error: str = ""
    last_scrape: float = 0.0
    last_scrape_duration: float = 0.01


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(Settings(data_dir=tmp_path_factory.mktemp("data"), retention_seconds=10**10))
    for job, factor in (("api", 1.0), ("web", 2.0)):
        labels = {"__name__": "x_total", "job": job}
        store.append_samples([Sample(labels, (START + i * 5) * 1000, factor * i) for i in range(61)])
    store.append_samples([Sample({"__name__": "up", "job": "api", "a.b": "c"}, START * 1000, 1.0)])
    exemplar = Exemplar({"__name__": "x_total", "job": "api"}, {"trace_id": "ab"}, 3.5, START * 1000 + 250)
    store.append_metrics([], [exemplar])
    store.append_metadata([MetricMetadata("x", "counter", "how many"), MetricMetadata("up", "gauge", "")])
    store.flush()
    yield store
    store.close()


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text("global: {evaluation_interval: 15s}\n")
    settings = Settings(data_dir=tmp_path, prometheus_config=configuration)
    app = prometheus.app(store, settings, targets=lambda: [Target()])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://prometheus/api/v1/") as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **parameters: Any) -> Any:
    answer = await client.get(path, params={name.replace("match", "match[]"): v for name, v in parameters.items()})
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("query", "kind", "result"),
    [
        ("1 + 1", "scalar", [START + 10, "2"]),
        ('"text"', "string", [START + 10, "text"]),
        ("sum(x_total)", "vector", [{"metric": {}, "value": [START + 10, "6"]}]),
        (
            'x_total{job="web"}[8s]',
            "matrix",
            [{"metric": {"__name__": "x_total", "job": "web"}, "values": [[START + 5, "2"], [START + 10, "4"]]}],
        ),
        ("nothing", "vector", []),
        (r'"\xff\u00e9"', "string", [START + 10, "\ufffdé"]),
        (
            r'label_replace(label_replace(vector(1), "a", "\xff", "", ""), "b", "$1", "a", "(.*)")',
            "vector",
            [{"metric": {"a": "\ufffd", "b": "\ufffd"}, "value": [START + 10, "1"]}],
        ),
        (r'x_total{job="\xff"}', "vector", []),
    ],
)
async def test_instant_queries(client: httpx.AsyncClient, query: str, kind: str, result: Any) -> None:
    body = await get(client, "query", query=query, time=START + 10)
    assert body == {"status": "success", "data": {"resultType": kind, "result": result}}


async def test_range_queries_include_both_ends_and_take_forms(client: httpx.AsyncClient) -> None:
    form = {
        "query": 'x_total{job="api"}',
        "start": f"{START + 1.5}",
        "end": "2023-11-14T22:13:31.5Z",
        "step": "5s",
    }
    answer = await client.post("query_range", data=form)
    values = [[START + 1.5, "0"], [START + 6.5, "1"], [START + 11.5, "2"]]
    series = {"metric": {"__name__": "x_total", "job": "api"}, "values": values}
    assert answer.json() == {"status": "success", "data": {"resultType": "matrix", "result": [series]}}


async def test_the_configured_evaluation_interval_is_the_step_of_subqueries(client: httpx.AsyncClient) -> None:
    body = await get(client, "query", query='x_total{job="api"}[1m:]', time=START + 70)
    assert [t for t, _ in body["data"]["result"][0]["values"]] == [START + t for t in (25, 40, 55, 70)]


async def test_notes_are_told(client: httpx.AsyncClient) -> None:
    body = await get(client, "query", query="quantile(2, rate(up[5m])) or quantile(3, up)", time=START + 10)
    assert body["warnings"] == ["PromQL warning: quantile value should be between 0 and 1, got " + x for x in
                                ("2 (1:10)", "3 (1:39)")]  # fmt: skip
    body = await get(client, "query", query="x_total", time=START, limit=1)
    assert (len(body["data"]["result"]), body["warnings"]) == (1, ["results truncated due to limit"])


@pytest.mark.parametrize(
    ("path", "parameters", "status", "kind", "error"),
    [
        ("query", {"query": "sum("}, 400, "bad_data", 'invalid parameter "query": 1:5: parse error: unclosed'),
        ("query", {"query": 'x{a=~"("}'}, 400, "bad_data",
         'invalid parameter "query": 1:3: parse error: error parsing regexp: missing closing ): `(`'),
        ("query", {}, 400, "bad_data", 'invalid parameter "query": unknown position: parse error: no expression'),
        ("query", {"query": "1", "time": "x"}, 400, "bad_data",
         "invalid parameter \"time\": invalid time value for 'time': cannot parse \"x\" to a valid timestamp"),
        ("query", {"query": "1", "limit": "-1"}, 400, "bad_data",
         'invalid parameter "limit": limit must be non-negative'),
        ("query", {"query": "1", "timeout": "1x"}, 400, "bad_data",
         'invalid parameter "timeout": cannot parse "1x" to a valid duration'),
        ("query", {"query": "x_total", "timeout": "0"}, 503, "timeout",
         "query timed out in expression evaluation"),
        ("query", {"query": "x_total / on() x_total", "time": START}, 422, "execution",
         "found duplicate series for the match group {} on the right hand-side of the operation: "),
        ("query_range", {"query": "x_total", "start": "2", "end": "1", "step": "1"}, 400, "bad_data",
         'invalid parameter "end": end timestamp must not be before start time'),
        ("query_range", {"query": "1", "start": "0", "end": "1", "step": "0"}, 400, "bad_data",
         'invalid parameter "step": zero or negative query resolution step widths are not accepted.'),
        ("query_range", {"query": "1", "start": "0", "end": "11001", "step": "1"}, 400, "bad_data",
         "exceeded maximum resolution of 11,000 points per timeseries."),
        ("query_range", {"query": "x_total[1m]", "start": "0", "end": "1", "step": "1"}, 400, "bad_data",
         'invalid parameter "query": invalid expression type "range vector" for range query'),
        ("query_range", {"query": "1", "end": "1", "step": "1"}, 400, "bad_data",
         'invalid parameter "start": cannot parse "" to a valid timestamp'),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
        ("series", {"match": "{}"}, 400, "bad_data",
         'invalid parameter "match[]": match[] must contain at least one non-empty matcher'),
        ("labels", {"match": "x_total + 1"}, 400, "bad_data", "1:9: parse error: unexpected <op:+>"),
        ("metadata", {"limit": "x"}, 400, "bad_data", "limit must be a number"),
        ("query_exemplars", {"query": "sum("}, 400, "bad_data", "1:5: parse error: "),
        ("query_exemplars", {"query": "up", "start": "2", "end": "1"}, 400, "bad_data",
         "end timestamp must not be before start timestamp"),
        ("format_query", {"query": "1 +"}, 400, "bad_data", 'invalid parameter "query": 1:4: parse error: '),
    ],
)  # fmt: skip
async def test_errors_have_prometheus_shape(
    client: httpx.AsyncClient, path: str, parameters: dict[str, Any], status: int, kind: str, error: str
) -> None:
    body = await get(client, path, status, **parameters)
    assert (body["status"], body["errorType"]) == ("error", kind)
    assert body["error"].startswith(error)
    assert body.keys() == {"status", "errorType", "error"}


async def test_labels_values_and_series(client: httpx.AsyncClient) -> None:
    assert (await get(client, "labels"))["data"] == ["__name__", "a.b", "job"]
    assert (await get(client, "labels", match="x_total"))["data"] == ["__name__", "job"]
    assert (await get(client, "labels", end=START - 10_000_000))["data"] == []
    assert (await get(client, "label/job/values", match='x_total{job=~"w.*"}'))["data"] == ["web"]
    assert (await get(client, "label/U__a_2e_b/values"))["data"] == ["c"]
    assert (await get(client, "label/nothing/values"))["data"] == []
    api, web = ({"__name__": "x_total", "job": job} for job in ("api", "web"))
    assert (await get(client, "series", match=["x_total", '{job="web"}']))["data"] == [api, web]
    limited = await get(client, "label/job/values", limit=1)
    assert (limited["data"], limited["warnings"]) == (["api"], ["results truncated due to limit"])


async def test_metadata(client: httpx.AsyncClient) -> None:
    x = {"x": [{"type": "counter", "help": "how many", "unit": ""}]}
    assert (await get(client, "metadata", metric="x"))["data"] == x
    assert (await get(client, "metadata"))["data"].keys() == {"x", "up"}
    assert len((await get(client, "metadata", limit=1))["data"]) == 1


async def test_exemplars_of_every_selector_once(client: httpx.AsyncClient) -> None:
    body = await get(client, "query_exemplars", query='rate(x_total[1m]) / x_total{job="api"}')
    exemplar = {"labels": {"trace_id": "ab"}, "value": "3.5", "timestamp": START + 0.25}
    expected = [{"seriesLabels": {"__name__": "x_total", "job": "api"}, "exemplars": [exemplar]}]
    assert body["data"] == expected
    assert (await get(client, "query_exemplars", query="x_total", start=START + 1))["data"] == []
    assert (await client.get("query_exemplars", params={"query": "1"})).status_code == 204


async def test_targets(client: httpx.AsyncClient) -> None:
    (target,) = (await get(client, "targets"))["data"]["activeTargets"]
    assert (target["scrapePool"], target["health"], target["scrapeInterval"]) == ("api", "up", "5s")
    assert target["lastScrape"] == "0001-01-01T00:00:00Z"
    assert (await get(client, "targets", scrapePool="other"))["data"]["activeTargets"] == []
    assert (await get(client, "targets", state="dropped"))["data"]["activeTargets"] == []


async def test_what_grafana_asks_for_besides(client: httpx.AsyncClient) -> None:
    assert (await get(client, "status/buildinfo"))["data"]["version"].startswith("3.")
    assert "evaluation_interval" in (await get(client, "status/config"))["data"]["yaml"]
    assert (await get(client, "status/flags"))["data"]["query.lookback-delta"] == "5m"
    assert "storageRetention" in (await get(client, "status/runtimeinfo"))["data"]
    assert (await get(client, "rules"))["data"] == {"groups": []}
    assert (await get(client, "alerts"))["data"] == {"alerts": []}
    assert (await get(client, "format_query", query="sum(a)by(b)"))["data"] == "sum by (b) (a)"
    assert (await client.get("http://prometheus/-/ready")).text == "Prometheus Server is Ready.\n"
    assert (await client.get("http://prometheus/-/healthy")).status_code == 200
