"""No panel carries an option that Grafana does not have: one that it dropped is ignored, or means something else.

An old SDK wrote `tooltip.show: false` into every heat map. Grafana 10.3 replaced it by `tooltip.mode`, and today's
reads the old one as "none": no hover, so no way from an exemplar to its trace.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

FILES = sorted(Path(__file__).parents[2].glob("stage[1-6]/grafana-dashboards/*.json"))
Names = dict[str, Any]  # name → the names below it; an empty one is a leaf


def names(text: str) -> Names:
    """`a b{c d}` → {a: {}, b: {c: {}, d: {}}}."""
    tree: Names = {}
    path = [tree]
    for word in text.replace("{", " { ").replace("}", " } ").split():
        if word == "{":
            path.append(path[-1][list(path[-1])[-1]])
        elif word == "}":
            path.pop()
        else:
            path[-1][word] = {}
    return tree


# From the npm package @grafana/schema 13.2.3, src/raw/composable/*/panelcfg: what an options object may hold.
LEGEND = "legend{asTable calcs displayMode limit overflow placement showLegend sortBy sortDesc width}"
STATISTIC = "orientation reduceOptions{calcs fields limit values} text"
SCHEMA = {
    "timeseries": names(
        f"{LEGEND} tooltip{{hideZeros maxHeight maxWidth mode sort}} annotations disableKeyboardEvents "
        "orientation timeCompare timezone"
    ),
    "heatmap": names(
        "annotations calculate calculation cellGap cellRadius cellValues{decimals unit} "
        "color{exponent fill max min mode reverse scale scheme steps} exemplars{color} filterValues{ge le} "
        "legend{placement show width} rowsFrame{layout value yBucketScale} selectionMode showValue "
        "tooltip{maxHeight maxWidth mode showColorScale yHistogram} "
        "yAxis{axisPlacement axisLabel axisWidth decimals max min reverse unit}"
    ),
    "stat": names(
        f"{STATISTIC} colorMode graphMode justifyMode percentChangeColorMode showPercentChange textMode wideLayout"
    ),
    "bargauge": names(
        f"{STATISTIC} {LEGEND} displayMode maxVizHeight minVizHeight minVizWidth namePlacement showUnfilled "
        "sizing valueMode"
    ),
    "table": names(
        "cellHeight disableKeyboardEvents enablePagination frameIndex frozenColumns{left} maxRowHeight pageSize "
        "showHeader showTypeIcons sortBy"
    ),
    "nodeGraph": names("edges layoutAlgorithm nodes zoomMode"),
    "logs": names(
        "dedupStrategy displayedFields enableInfiniteScrolling enableLogDetails fontSize prettifyLogMessage "
        "showCommonLabels showControls showLabels showLogContextToggle showTime sortOrder syntaxHighlighting "
        "wrapLogMessage"
    ),
    "flamegraph": {},
}


def unknown(options: Names, schema: Names, path: str = "") -> list[str]:
    found = []
    for name, value in options.items():
        if name not in schema:
            found.append(path + name)
        elif isinstance(value, dict) and schema[name]:
            found += unknown(value, schema[name], f"{path}{name}.")
    return found


def panels(file: Path, *types: str) -> list[dict[str, Any]]:
    model = json.loads(file.read_text(encoding="utf-8"))
    return [panel for panel in model["panels"] if panel["type"] != "row" and (not types or panel["type"] in types)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parents[1].name)
def test_every_option_is_one_that_grafana_has(file: Path) -> None:
    for panel in panels(file):
        assert unknown(panel["options"], SCHEMA[panel["type"]]) == [], panel["title"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parents[1].name)
def test_what_shows_exemplars_says_so_at_the_pointer(file: Path) -> None:
    charts = panels(file, "heatmap", "timeseries")
    assert {panel["type"] for panel in charts} == {"heatmap", "timeseries"}
    for panel in charts:
        assert panel["options"]["tooltip"]["mode"] in {"single", "multi"}, panel["title"]


def test_the_sdk_is_of_todays_grafana() -> None:
    """Its releases for old Grafanas have an epoch (`1769699998!10.1.0`), which pip takes for newer than none."""
    assert "!" not in version("grafana-foundation-sdk")
