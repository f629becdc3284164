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
from grafana_foundation_sdk.models import dashboard as dashboard_models
from grafana_foundation_sdk.models import heatmap as heatmap_models
from grafana_foundation_sdk.models import table as table_models
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from dashboards.colors import BAD, GOOD, PLAIN, WARNING, Colors
from dashboards.queries import LOKI, POSTGRES, PROMETHEUS, PYROSCOPE, TEMPO

Query = Builder[Any]
LEGEND = common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
TOOLTIP = (
    common.VizTooltipOptions()
    .mode(common_models.TooltipDisplayMode.MULTI)
    .sort(common_models.SortOrder.DESCENDING)
)
Panel = Any  # the SDK's panel builders share no base class that has title, span and height


class Table(table.Panel):
    """Without the footer in the SDK's defaults: since Grafana 12.2 a column has one, and the panel has none."""

    def build(self) -> dashboard_models.Panel:
        panel = super().build()
        assert isinstance(panel.options, table_models.Options)
        panel.options.footer = None
        return panel


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


def fixed(color: str) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(FieldColorModeId.FIXED).fixed_color(color)


def colored(panel: Panel, colors: Colors) -> Panel:
    """Series by name, see `colors`; where two fit, the later one counts."""
    for pattern, color in colors.items():
        value = {"mode": "fixed", "fixedColor": color}
        panel = panel.override_by_regexp(f"/{pattern}/", [DynamicConfigValue("color", value)])
    return panel


def limits(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colors from given values on; the first has none and is the ground."""
    return dashboard.ThresholdsConfig().steps([Threshold(value=value, color=color) for value, color in steps])


def number(
    title: str, teaches: str, unit: str, query: Query, *, color: str = PLAIN, size: tuple[int, int] = (6, 4)
) -> Panel:
    """One value and its way there."""
    panel = stat.Panel().unit(unit).graph_mode(common_models.BigValueGraphMode.AREA).color_scheme(fixed(color))
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, size), [query])


def ratio(title: str, teaches: str, query: Query, *, bad: float) -> Panel:
    """A share of failures: good at none, bad from `bad` on."""
    panel = stat.Panel().unit("percentunit").graph_mode(common_models.BigValueGraphMode.AREA).decimals(1)
    panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    panel = panel.thresholds(limits((None, GOOD), (0.001, WARNING), (bad, BAD)))
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, (6, 4)), [query])


def state(
    title: str, teaches: str, query: Query, *, words: Sequence[str] = (), size: tuple[int, int] = (6, 4)
) -> Panel:
    """A count of what is up: red at 0. `words` say it in words, from 0 on."""
    panel = stat.Panel().unit("none").graph_mode(common_models.BigValueGraphMode.NONE)
    panel = panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS)).thresholds(
        limits((None, BAD), (1, GOOD))
    )
    if words:
        options = {str(value): ValueMappingResult(text=word, index=value) for value, word in enumerate(words)}
        mappings: list[ValueMapping] = [ValueMap(options=options)]
        panel = panel.mappings(mappings)
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, size), [query])


def lines(
    title: str,
    teaches: str,
    unit: str,
    *queries: Query,
    size: tuple[int, int] = (12, 8),
    source: DataSourceRef = PROMETHEUS,
    stacked: bool = False,
    colors: Colors | None = None,
    soft_max: float | None = None,
) -> Panel:
    """`soft_max`: where the axis ends as long as no value is above it, so that a flat zero is no 0 to 100 %."""
    panel = timeseries.Panel().unit(unit).min(0).fill_opacity(10).show_points(common_models.VisibilityMode.NEVER)
    panel = panel.legend(LEGEND).tooltip(TOOLTIP)
    if stacked:
        # No lines: that of a series at 0 would run along the top of the others, in the color of errors.
        stacking = common.StackingConfig().mode(common_models.StackingMode.NORMAL)
        panel = panel.fill_opacity(70).line_width(0).stacking(stacking)
    if soft_max is not None:
        panel = panel.axis_soft_max(soft_max)
    panel = colored(panel, colors or {})
    return with_targets(shaped(panel, title, teaches, source, size), queries)


def limit(panel: Panel, name: str) -> Panel:
    """A series that is no measurement but a bound: dashed, nothing under it."""
    dashes = {"fill": "dash", "dash": [8, 6]}
    values = [DynamicConfigValue("custom.lineStyle", dashes), DynamicConfigValue("custom.fillOpacity", 0)]
    return panel.override_by_name(name, values)


def heat(title: str, teaches: str, unit: str, query: Query) -> Panel:
    color = heatmap.HeatmapColorOptions().mode(heatmap_models.HeatmapColorMode.SCHEME).scheme("Blues").steps(64)
    panel = heatmap.Panel().calculate(False).color(color).y_axis(heatmap.YAxisConfig().unit(unit))
    panel = panel.tooltip(heatmap.HeatmapTooltip().mode(common_models.TooltipDisplayMode.SINGLE))
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, (12, 8)), [query])


def bars(title: str, teaches: str, unit: str, query: Query, color: str = PLAIN) -> Panel:
    panel = bargauge.Panel().unit(unit).min(0).decimals(0).orientation(common_models.VizOrientation.HORIZONTAL)
    panel = panel.color_scheme(fixed(color)).display_mode(common_models.BarGaugeDisplayMode.BASIC)
    return with_targets(shaped(panel, title, teaches, PROMETHEUS, (8, 8)), [query])


def log_lines(title: str, teaches: str, query: Query) -> Panel:
    panel = logs.Panel().show_time(True).enable_log_details(True).prettify_log_message(False)
    return with_targets(shaped(panel, title, teaches, LOKI, (24, 10)), [query])


def traces(title: str, teaches: str, query: Query, *, none: str = "") -> Panel:
    """`none`: what to say where no trace fits, which for failures is good news."""
    panel = Table().no_value(none) if none else Table()
    return with_targets(shaped(panel, title, teaches, TEMPO, (12, 10)), [query])


def records(title: str, teaches: str, query: Query, size: tuple[int, int] = (12, 8)) -> Panel:
    """Rows of a database table."""
    return with_targets(shaped(Table(), title, teaches, POSTGRES, size), [query])


def graph(title: str, teaches: str, query: Query) -> Panel:
    return with_targets(shaped(nodegraph.Panel(), title, teaches, TEMPO, (24, 10)), [query])


def flames(title: str, teaches: str, query: Query) -> Panel:
    """The SDK has no builder for the flame graph, so this is its general panel with the type's name."""
    return with_targets(shaped(dashboard.Panel().type("flamegraph"), title, teaches, PYROSCOPE, (24, 12)), [query])
