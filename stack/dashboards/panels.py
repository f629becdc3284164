"""Panels by shape. Each takes its title, what it teaches (shown at the ⓘ) and its queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    logs,
    nodegraph,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.queries import LOKI, POSTGRES, PROMETHEUS, PYROSCOPE, TEMPO

Query = Builder[Any]
LEGEND = common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
TOOLTIP = (
    common.VizTooltipOptions()
    .mode(common_models.TooltipDisplayMode.MULTI)
    .sort(common_models.SortOrder.DESCENDING)
)
Panel = Any  # the SDK's panel builders share no base class that has title, span and height


def shaped(panel: Panel, title: str, teaches: str, source: DataSourceRef, size: tuple[int, int]) -> Panel:
    """Width in 24ths of the page, height in Grafana's grid rows."""
    width, height = size
    return panel.title(title).description(teaches).datasource(source).span(width).height(height)


def with_targets(panel: Panel, queries: Sequence[Query]) -> Panel:
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        built: Dataquery = query.build()
        built.ref_id = letter  # type: ignore[attr-defined]
        panel = panel.with_target(query)
    return panel


def number(title: str, teaches: str, unit: str, query: Query, source: DataSourceRef = PROMETHEUS) -> Panel:
    panel = stat.Panel().unit(unit).graph_mode(common_models.BigValueGraphMode.AREA)
    return with_targets(shaped(panel, title, teaches, source, (6, 4)), [query])


def lines(
    title: str,
    teaches: str,
    unit: str,
    *queries: Query,
    size: tuple[int, int] = (12, 8),
    source: DataSourceRef = PROMETHEUS,
    stacked: bool = False,
) -> Panel:
    panel = timeseries.Panel().unit(unit).min(0).fill_opacity(10).show_points(common_models.VisibilityMode.NEVER)
    panel = panel.legend(LEGEND).tooltip(TOOLTIP)
    if stacked:
        stacking = common.StackingConfig().mode(common_models.StackingMode.NORMAL)
        panel = panel.fill_opacity(40).stacking(stacking)
    return with_targets(shaped(panel, title, teaches, source, size), queries)


def heat(title: str, teaches: str, unit: str, query: Query) -> Panel:
    color = heatmap.HeatmapColorOptions().mode(heatmap_models.HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    panel = heatmap.Panel().calculate(False).color(color).y_axis(heatmap.YAxisConfig().unit(unit))
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, (12, 8)), [query])


def bars(title: str, teaches: str, unit: str, *queries: Query, size: tuple[int, int] = (8, 8)) -> Panel:
    panel = bargauge.Panel().unit(unit).min(0).decimals(0).orientation(common_models.VizOrientation.HORIZONTAL)
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, size), queries)


def log_lines(title: str, teaches: str, query: Query) -> Panel:
    panel = logs.Panel().show_time(True).enable_log_details(True).prettify_log_message(False)
    return with_targets(shaped(panel, title, teaches, LOKI, (24, 10)), [query])


def traces(title: str, teaches: str, query: Query) -> Panel:
    return with_targets(shaped(table.Panel(), title, teaches, TEMPO, (12, 10)), [query])


def records(title: str, teaches: str, query: Query, size: tuple[int, int] = (12, 8)) -> Panel:
    """Rows of a database table."""
    return with_targets(shaped(table.Panel(), title, teaches, POSTGRES, size), [query])


def graph(title: str, teaches: str, query: Query) -> Panel:
    return with_targets(shaped(nodegraph.Panel(), title, teaches, TEMPO, (24, 10)), [query])


def flames(title: str, teaches: str, query: Query) -> Panel:
    """The SDK has no builder for the flame graph, so this is its general panel with the type's name."""
    return with_targets(shaped(dashboard.Panel().type("flamegraph"), title, teaches, PYROSCOPE, (24, 12)), [query])
