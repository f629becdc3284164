// Panel types → drawings. Each is `(panel, context) → {element, draw(results, setting)}`.

import { callQuery, serviceQuery } from "../api/servicegraph.js";
import { flameGraph } from "../charts/flame.js";
import { heatMap } from "../charts/heatmap.js";
import { nodeGraph } from "../charts/nodegraph.js";
import { timeSeries } from "../charts/timeseries.js";
import { h, put } from "../core/dom.js";
import * as router from "../core/router.js";
import { logList } from "../parts/loglist.js";
import { markdown } from "../parts/markdown.js";
import { traceTable } from "../parts/tracetable.js";
import { displayName, fieldOptions } from "./fields.js";
import { bars, stat } from "./figures.js";
import { tablePanel } from "./tablepanel.js";
import { seriesOf } from "./values.js";

function timeseriesPanel(panel) {
  const chart = timeSeries(panel.title);
  return {
    element: chart.element,
    draw(results, { range, step }) {
      const defaults = fieldOptions(panel);
      const series = seriesOf(results).map((one) => {
        const own = fieldOptions(panel, one);
        return {
          ...one,
          name: displayName(own, one.name, one.labels),
          colour: own.colour,
          unit: own.unit,
          decimals: own.decimals,
          custom: own.custom,
        };
      }).filter(({ custom }) => !custom?.hideFrom?.viz);
      const { unit, decimals, min, max, custom, thresholds } = defaults;
      const exemplars = results.flatMap((result) => result.exemplars ?? []);
      chart.draw(series, {
        range,
        step,
        unit,
        decimals,
        min,
        max,
        custom,
        thresholds,
        exemplars,
        legend: panel.options?.legend,
        softMin: custom.axisSoftMin,
        softMax: custom.axisSoftMax,
      });
    },
  };
}

function heatmapPanel(panel) {
  const chart = heatMap(panel.title);
  return {
    element: chart.element,
    draw(results, { range, step }) {
      const unit = panel.options?.yAxis?.unit ?? fieldOptions(panel).unit;
      chart.draw(seriesOf(results), {
        range,
        step,
        unit,
        scheme: panel.options?.color?.scheme,
        exemplars: results.flatMap((result) => result.exemplars ?? []),
      });
    },
  };
}

function logsPanel(panel) {
  const list = logList({ wraps: panel.options?.wrapLogMessage ?? false });
  return { element: list.element, draw: (results) => list.draw(results.flatMap(({ lines }) => lines ?? [])) };
}

function graphPanel() {
  const element = h("div", { class: "graph-host" });
  const link = (node) => router.href(["traces"], { q: serviceQuery(node) });
  const linkEdge = (edge) => router.href(["traces"], { q: callQuery(edge) });
  return { element, draw: ([{ graph }]) => put(element, nodeGraph(graph, { link, linkEdge })) };
}

function flamePanel() {
  const chart = flameGraph();
  return { element: chart.element, draw: ([{ flame }]) => chart.draw(flame) };
}

function textPanel(panel) {
  const element = h("div", { class: "text" });
  return { element, draw: () => put(element, markdown(panel.options?.content ?? "")) };
}

function tracesPanel() {
  const table = traceTable({ compact: true });
  return {
    element: table.element,
    draw: (results) => table.draw(results.flatMap(({ traces }) => traces ?? [])),
  };
}

function tableOrTraces(panel) {
  let drawn;
  const element = h("div");
  return {
    element,
    draw(results, setting) {
      if (!drawn) {
        drawn = results.some(({ traces }) => traces) ? tracesPanel() : tablePanel(panel);
        put(element, drawn.element);
      }
      drawn.draw(results, setting);
    },
  };
}

export const PANELS = {
  timeseries: timeseriesPanel,
  heatmap: heatmapPanel,
  stat,
  gauge: stat,
  bargauge: bars,
  barchart: bars,
  piechart: bars,
  table: tableOrTraces,
  traces: tracesPanel,
  logs: logsPanel,
  nodeGraph: graphPanel,
  flamegraph: flamePanel,
  text: textPanel,
};
export const SCROLLS = new Set(["table", "traces", "logs"]);
export const BARE = new Set(["text"]);
export const HALF = new Set(["stat", "gauge"]);
