"""The committed JSON is what the Python says, and keeps the rules that others' dashboards broke."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboards.__main__ import main, path, render
from dashboards.colors import BAD, GOOD, PLAIN, SERVICES, WARNING
from dashboards.stages import STAGES
from pocket.query.promql.parse import parse as parse_promql

FIXED = {"prometheus", "loki", "tempo", "pyroscope", "postgres"}
TYPES = {
    "row",
    "stat",
    "timeseries",
    "heatmap",
    "bargauge",
    "barchart",
    "table",
    "logs",
    "nodeGraph",
    "flamegraph",
}
WITHOUT_JOB = re.compile(r"traces_(spanmetrics|service_graph)_|^vector\(")


def panels(stage: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render(stage))["panels"]
    return found


def color_of(panel: dict[str, Any], series: str) -> str | None:
    """As Grafana does: the last override that fits the name."""
    found = None
    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byRegexp" and re.search(matcher["options"][1:-1], series):
            found = next((p["value"]["fixedColor"] for p in override["properties"] if p["id"] == "color"), found)
    return found


def lines(stage: int) -> list[dict[str, Any]]:
    return [panel for panel in panels(stage) if panel["type"] == "timeseries"]


def promql(stage: int) -> list[str]:
    asking = [panel for panel in panels(stage) if panel.get("datasource", {}).get("uid") == "prometheus"]
    return [target["expr"] for panel in asking for target in panel["targets"]]


def test_the_committed_files_are_current() -> None:
    assert main(["--check"]) == 0


def test_check_says_which_file_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    path(1, tmp_path).write_text("{}")
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out == "differs: stage1/grafana-dashboards/dice-roller-stage1.json\n"
    assert path(1, tmp_path).read_text() == "{}"


@pytest.mark.parametrize("stage", STAGES)
def test_title_uid_and_ids(stage: int) -> None:
    model = json.loads(render(stage))
    assert (model["title"], model["uid"]) == (f"Dice Roller – Stage {stage}", f"dice-roller-stage{stage}")
    ids = [panel["id"] for panel in model["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("stage", STAGES)
def test_every_panel_teaches_and_asks_a_known_source(stage: int) -> None:
    for panel in panels(stage):
        assert panel["type"] in TYPES
        if panel["type"] != "row":
            assert len(panel["description"]) > 20
            assert panel["datasource"]["uid"] in FIXED
            assert panel["targets"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("stage", STAGES)
def test_no_two_panels_overlap(stage: int) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(stage):
        grid = panel["gridPos"]
        cells = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
        assert not cells & taken, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("stage", STAGES)
def test_promql_parses_and_keeps_to_its_job(stage: int) -> None:
    for expr in promql(stage):
        text = expr.replace("$__rate_interval", "20s").replace("$__range", "15m").replace("$__interval", "5s")
        parse_promql(text)
        for selector in re.findall(r"[a-z_]+\{[^}]*\}", text):
            assert "job" in selector or WITHOUT_JOB.match(selector), f"{selector} mixes jobs"
        if "histogram_quantile" in text:
            assert re.search(r"histogram_quantile\([0-9.]+, sum by \(le[^)]*\) \(rate\(", text)
        assert not re.search(r"\[\d+[smh]\]", expr), f"{expr} has a fixed range: $__rate_interval follows the zoom"


@pytest.mark.parametrize("stage", STAGES)
def test_every_selector_of_a_trace_query_has_a_scope(stage: int) -> None:
    queries = [t["query"] for p in panels(stage) for t in p.get("targets", []) if t.get("queryType") == "traceql"]
    assert queries
    for query in queries:
        for name in re.findall(r"[{&|]\s*([a-z_.]+)\s*[=!<>]", query):
            assert name.split(".")[0] in {"resource", "span", "event"} or name in {
                "name",
                "status",
                "kind",
                "duration",
            }


@pytest.mark.parametrize("stage", STAGES)
def test_every_number_has_a_unit(stage: int) -> None:
    for panel in panels(stage):
        if panel["type"] in {"stat", "timeseries", "bargauge"}:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] == "heatmap":
            assert panel["options"]["yAxis"]["unit"]


@pytest.mark.parametrize(
    ("legend", "colors"),
    [
        (re.compile(r"\{\{status\}\}$"), {"200": GOOD, "404": WARNING, "499": WARNING, "500": BAD}),
        (re.compile(r"\{\{result\}\}$"), {"failure": BAD, "error": BAD, "timeout": BAD, "cancelled": WARNING}),
        (re.compile(r"^\{\{level\}\}$"), {"error": BAD, "warning": WARNING, "info": PLAIN}),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_outcomes_and_levels_have_their_color(stage: int, legend: re.Pattern[str], colors: dict[str, str]) -> None:
    asking = [
        panel
        for panel in lines(stage)
        if any(legend.search(target.get("legendFormat", "")) for target in panel["targets"])
    ]
    assert asking
    for panel in asking:
        # "{{die_type}} {{status}}" is the same with a name before it
        before = panel["targets"][0]["legendFormat"].count("{{") - 1
        for name, color in colors.items():
            if not before or color != GOOD:
                assert color_of(panel, "risky " * before + name) == color, (panel["title"], name)


@pytest.mark.parametrize("stage", STAGES)
def test_a_service_has_one_color_on_every_panel(stage: int) -> None:
    by_job = [panel for panel in lines(stage) if panel["targets"][0].get("legendFormat") == "{{job}}"]
    assert len(by_job) == 2
    for panel in by_job:
        assert {name: color_of(panel, name) for name in SERVICES} == SERVICES
    rates = [panel for panel in panels(stage) if panel["title"] == "Request rate"]
    assert rates
    for panel in rates:
        job = re.search(r'job="([^"]+)"', panel["targets"][0]["expr"])
        assert job
        assert panel["fieldConfig"]["defaults"]["color"] == {"mode": "fixed", "fixedColor": SERVICES[job[1]]}


def test_service_colors_stand_out_on_light_and_dark_and_are_the_uis() -> None:
    sheet = (Path(__file__).parents[2] / "stack/pocket/ui/static/style.css").read_text()
    assert dict(re.findall(r"--service-([a-z-]+): (#[0-9a-f]{6});", sheet)) == SERVICES
    for color in SERVICES.values():
        for ground in ("#ffffff", "#161b22"):
            assert contrast(color, ground) >= 3, (color, ground)  # WCAG 2.2, 1.4.11


def contrast(a: str, b: str) -> float:
    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)
