"""What the questions make of answers: span chains, overlap, log lines, macros; the manifests fit the stages."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from workshop.check import lessons
from workshop.check.apis import Apis
from workshop.check.dashboards import checks as dashboard_checks
from workshop.check.dashboards import expand
from workshop.check.logs import problem_of
from workshop.check.manifest import Hop
from workshop.check.outcome import NotYetError, SkipError
from workshop.check.questions import questions
from workshop.check.request import FRONTEND_PORT, FreshTrace, TracedClick
from workshop.check.spans import TraceSpan, missing_hop, spans
from workshop.check.stages import STAGES
from workshop.compose.reader import read

ROOT = Path(__file__).resolve().parents[3]
THERE = sorted(int(file.parent.name.removeprefix("stage")) for file in ROOT.glob("stage*/docker-compose.yml"))


def span(
    name: str, parent: str = "", service: str = "a", kind: str = "INTERNAL", start: int = 0, end: int = 1
) -> TraceSpan:
    return TraceSpan(service, name, kind, name, parent, start, end, {})


def test_a_chain_is_found_below_other_spans() -> None:
    trace = [span("one", kind="SERVER"), span("between", "one"), span("two", "between", "b", "SERVER")]
    assert missing_hop(trace, (Hop("a", "one", "SERVER"), Hop("b", "t.o", "SERVER"))) is None


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ((Hop("a", "two"), Hop("a", "one")), "one"),  # the wrong way round
        ((Hop("a", "one"), Hop("a", "sibling"), Hop("a", "two")), "two"),  # beside it, not below
        ((Hop("b", "one"),), "one"),  # another service
        ((Hop("a", "one", "SERVER"),), "one"),  # another kind
        ((Hop("a", "on"),), "on"),  # the whole name counts
    ],
)
def test_a_broken_chain_names_its_first_missing_hop(path: tuple[Hop, ...], missing: str) -> None:
    hop = missing_hop([span("one"), span("two", "one"), span("sibling", "one")], path)
    assert hop is not None
    assert hop.name == missing


def test_spans_of_a_trace_with_parents_that_are_not_there_or_go_round() -> None:
    looping = [span("one", "two"), span("two", "one"), span("orphan", "gone")]
    assert missing_hop(looping, (Hop("a", "orphan"), Hop("a", "one"))) is not None


@pytest.mark.parametrize("encode", [lambda raw: base64.b64encode(raw).decode(), bytes.hex])
def test_tempos_json_is_read_with_either_form_of_ids(encode: Any) -> None:
    raw = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "dice-roller"}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "spanId": encode(b"12345678"),
                                "parentSpanId": encode(b"abcdefgh"),
                                "name": "GET /roll",
                                "kind": "SPAN_KIND_SERVER",
                                "startTimeUnixNano": "10",
                                "endTimeUnixNano": "20",
                                "attributes": [{"key": "dice.die_type", "value": {"stringValue": "fair"}}],
                            }
                        ]
                    }
                ],
            }
        ]
    }
    (found,) = spans(raw)
    ids, attributes = (b"12345678".hex(), b"abcdefgh".hex()), {"dice.die_type": "fair"}
    assert found == TraceSpan("dice-roller", "GET /roll", "SERVER", *ids, 10, 20, attributes)


@pytest.mark.parametrize(
    ("times", "most"),
    [([], 0), ([(0, 1)], 1), ([(0, 1), (1, 2)], 1), ([(0, 5), (1, 2), (3, 4)], 2), ([(0, 9), (0, 9), (1, 8)], 3)],
)
def test_overlap(times: list[tuple[int, int]], most: int) -> None:
    assert lessons.most_at_once([span(str(t), start=t[0], end=t[1]) for t in times]) == most


def tempo_trace(*rolls: tuple[int, int, int]) -> dict[str, Any]:
    """`roll die` spans, each (dice.roll_index, start, end)."""
    found = [
        {"name": "roll die", "startTimeUnixNano": str(start), "endTimeUnixNano": str(end), "attributes": [
            {"key": "dice.roll_index", "value": {"intValue": str(index)}}
        ]}
        for index, start, end in rolls
    ]  # fmt: skip
    return {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": found}]}]}}


class FixedTrace(FreshTrace):
    async def made(self) -> str:
        return "1" * 32

    async def _make(self, traceparent: str) -> None:
        raise AssertionError("made() is all that is asked")


@pytest.mark.parametrize(
    ("rolls", "answer"),
    [
        ([(i, i, 10 + i) for i in range(5)], "5 of 5 at the same time"),
        ([(0, 0, 1), *((i, 1, 9) for i in range(1, 5))], "4 of 5 at the same time"),
        ([(0, 0, 9), (1, 0, 9)], r"dice.roll_index \[0, 1\], not"),  # the others got lost
        ([(0, 0, 9)] * 5, r"dice.roll_index \[0, 0, 0, 0, 0\], not"),
        ([(i, 10 * i, 10 * i + 9) for i in range(5)], "no more than 1 run"),
        ([(i, 10 * i, 10 * i + 19) for i in range(5)], "no more than 2 run"),
    ],
)
async def test_a_whole_batch_has_to_overlap(rolls: list[tuple[int, int, int]], answer: str) -> None:
    request = FixedTrace(apis := answering({f"/api/v2/traces/{'1' * 32}": tempo_trace(*rolls)}), ())
    question = lessons.overlapping_rolls(apis, request)
    if "of 5 at" in answer:
        assert await question.ask() == answer
    else:
        with pytest.raises(NotYetError, match=answer):
            await question.ask()


async def test_a_page_that_cannot_be_clicked_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    click = TracedClick(Apis(httpx.AsyncClient(), port - FRONTEND_PORT), ())
    with pytest.raises(NotYetError, match="the page cannot be clicked"):
        await click.made()


GOOD = {
    "timestamp": "2026-01-01T00:00:00.000Z", "level": "info", "logger": "x", "message": "m", "service": "a",
    "trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "1",
}  # fmt: skip


def test_a_good_log_line_and_each_way_to_be_a_bad_one() -> None:
    assert problem_of(json.dumps(GOOD), "a") == ""
    assert "no JSON" in problem_of("plain", "a")
    assert "without level" in problem_of(json.dumps({**GOOD, "level": ""}), "a")
    assert "of service 'a'" in problem_of(json.dumps(GOOD), "b")
    assert "whole trace" in problem_of(json.dumps({**GOOD, "trace_id": "1"}), "a")


def test_macros() -> None:
    assert expand("rate(x[$__rate_interval]) $__interval $__range_s $__range") == "rate(x[20s]) 15s 300 300s"


def answering(routes: dict[str, Any]) -> Apis:
    """Apis whose every request gets the JSON of its path, or a 404."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path in routes:
            return httpx.Response(200, json=routes[request.url.path])
        return httpx.Response(404, json={"message": "not found"})

    return Apis(httpx.AsyncClient(transport=httpx.MockTransport(handle)), 0)


def dashboard(tmp_path: Path, *panels: dict[str, Any]) -> Path:
    content = {
        "uid": "u",
        "title": "T",
        "panels": [{"id": i, "title": f"p{i}", **panel} for i, panel in enumerate(panels)],
    }
    (tmp_path / "d.json").write_text(json.dumps(content))
    return tmp_path


PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}


@pytest.mark.parametrize(
    ("values", "passes"),
    [([[1, "0"]], True), ([[1, "NaN"], [2, "1"]], True), ([[1, "NaN"], [2, "NaN"]], False), ([], False)],
)
async def test_a_panel_of_nothing_but_nan_has_no_data(tmp_path: Path, values: list[Any], passes: bool) -> None:
    folder = dashboard(tmp_path, {"type": "timeseries", "targets": [{"expr": "up", "datasource": PROMETHEUS}]})
    apis = answering({"/api/v1/query_range": {"data": {"result": [{"metric": {}, "values": values}]}}})
    panel = dashboard_checks(folder, apis)[1]
    if passes:
        assert await panel.ask() == "1 series"
    else:
        with pytest.raises(NotYetError, match="no data for up"):
            await panel.ask()


async def test_panels_in_collapsed_rows_are_asked_and_every_target_counts(tmp_path: Path) -> None:
    loki = {"expr": '{a="b"}', "datasource": {"type": "loki", "uid": "loki"}}
    inner = {
        "id": 9,
        "title": "inner",
        "type": "logs",
        "targets": [loki, {"expr": "up", "datasource": PROMETHEUS}],
    }
    folder = dashboard(tmp_path, {"type": "row", "panels": [inner]}, {"type": "text"})
    apis = answering(
        {"/loki/api/v1/query_range": {"data": {"result": [{}]}}, "/api/v1/query_range": {"data": {"result": []}}}
    )
    _, panel = dashboard_checks(folder, apis)
    with pytest.raises(NotYetError, match="no data for up"):
        await panel.ask()


async def test_an_error_of_the_stack_is_passed_on_in_its_own_words(tmp_path: Path) -> None:
    folder = dashboard(tmp_path, {"type": "timeseries", "targets": [{"expr": "up", "datasource": PROMETHEUS}]})
    with pytest.raises(NotYetError, match=r"prometheus answers 404: .*not found"):
        await dashboard_checks(folder, answering({}))[1].ask()


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_each_manifest_asks_each_thing_once(stage: int) -> None:
    checks = questions(STAGES[stage], ROOT / f"stage{stage}", answering({}))
    ids = [check.id for check in checks]
    assert len(ids) == len(set(ids))
    assert all(check.hint and check.title for check in checks)
    assert {name for check in checks for name in check.after} <= set(ids)


@pytest.mark.parametrize("stage", sorted(set(THERE) & STAGES.keys()))
def test_each_manifest_fits_the_stages_compose_file(stage: int) -> None:
    services = read(ROOT / f"stage{stage}" / "docker-compose.yml", {}).services
    for service in STAGES[stage].services:
        assert services[service.compose].ports == (service.port,)
        assert services[service.compose].environment["OTEL_SERVICE_NAME"] == service.name


@pytest.mark.parametrize("stage", sorted(set(THERE) & STAGES.keys()))
def test_what_a_question_needs_are_services_of_the_compose_file(stage: int) -> None:
    services = read(ROOT / f"stage{stage}" / "docker-compose.yml", {}).services
    checks = questions(STAGES[stage], ROOT / f"stage{stage}", answering({}))
    assert {name for check in checks for name in check.needs} <= services.keys() | {"traffic-gen"}
    for service in STAGES[stage].services:
        about = {check.id.partition(":")[0] for check in checks if service.compose in check.needs}
        assert about >= {"healthy", "families", "targets", "logs", "profile"}


def test_only_the_tables_of_the_database_need_it() -> None:
    checks = questions(STAGES[6], ROOT / "stage6", answering({}))
    assert {check.id.partition(":")[0] for check in checks if "postgres" in check.needs} == {"panel"}


@pytest.mark.parametrize("route", ["/api/search", "/api/ds/query"])
@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("pocket", [False, True])
async def test_only_the_full_stack_may_be_without_a_grafana(
    route: str, away: bool, pocket: bool, tmp_path: Path
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/query":
            return httpx.Response(200, json={"data": {"result": [{}] if pocket else []}})
        if away:
            raise httpx.ConnectError("refused")
        return httpx.Response(404, text="not found")

    apis = Apis(httpx.AsyncClient(transport=httpx.MockTransport(handle)), 0)
    sql = {"datasource": {"type": "grafana-postgresql-datasource"}, "targets": [{"rawSql": "SELECT 1"}]}
    ui, panel = dashboard_checks(dashboard(tmp_path, sql), apis)
    fault = (NotYetError, httpx.ConnectError) if pocket else SkipError
    with pytest.raises(fault):
        await (ui if route == "/api/search" else panel).ask()
