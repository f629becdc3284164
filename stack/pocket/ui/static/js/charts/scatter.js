// Durations of traces over time: a point a trace, which a click opens. Where older ones were not asked for is
// no gap.

import { clock, format } from "../core/format.js";
import * as router from "../core/router.js";
import { named } from "../core/text.js";
import * as theme from "../core/theme.js";
import { layout, local, plain, plotBox } from "./plot.js";

const WORDS_PX = 150; // below that, the words would not fit into the part they are about

/**
 * `{element, draw(hits, range, from)}`; `from` is the time in ms of the oldest trace that was asked for, if
 * not all were.
 */
export function traceScatter(label) {
  const plot = plotBox(label);
  plot.after(listenOnce);
  return {
    element: plot.element,
    draw(hits, range, from) {
      const failed = new Set(hits.filter(({ isFailed }) => isFailed));
      const high = Math.max(...hits.map(({ durationMs }) => durationMs), 1);
      const base = layout({ range, y: { unit: "ms", high, margin: 56 }, hovermode: "closest" });
      plot.draw(
        [points(hits.filter((hit) => !failed.has(hit)), false), points([...failed], true)],
        from > range.from ? { ...base, ...uncovered(range, from, plot.element.clientWidth) } : base,
      );
    },
  };
}

function points(hits, bad) {
  return {
    type: "scatter",
    mode: "markers",
    name: bad ? "error" : "ok",
    x: hits.map(({ t }) => local(t)),
    y: hits.map(({ durationMs }) => durationMs),
    customdata: hits.map(({ traceID }) => traceID),
    text: hits.map(({ service, name, durationMs }) =>
      `<b>${format(durationMs, "ms")}</b><br>${plain(named(service, "(no service)"))} ${plain(named(name))}`
    ),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      size: bad ? 9 : 7,
      symbol: bad ? "x" : "circle",
      color: bad ? theme.colour("error") : theme.fade(theme.colour("series-1"), 0.6),
      line: { width: 0 },
    },
  };
}

/** The part of the range before the oldest trace shown: shaded, with a line where it ends. */
function uncovered(range, from, width) {
  const [x0, x1] = [local(range.from), local(from)];
  const place = { xref: "x", yref: "paper", y0: 0, y1: 1 };
  const room = (width * (from - range.from)) / (range.to - range.from);
  return {
    shapes: [
      {
        type: "rect",
        ...place,
        x0,
        x1,
        fillcolor: theme.fade(theme.colour("muted"), 0.1),
        line: { width: 0 },
        layer: "below",
      },
      { type: "line", ...place, x0: x1, x1, line: { color: theme.colour("muted"), width: 1, dash: "dot" } },
    ],
    annotations: room < WORDS_PX ? [] : [{
      xref: "x",
      yref: "paper",
      x: local((range.from + from) / 2),
      y: 0.5,
      showarrow: false,
      text: `not shown: before ${clock(from)}`,
      font: { size: 12, color: theme.colour("muted") },
    }],
  };
}

function listenOnce(graph) {
  if (graph.opensTraces) return;
  graph.opensTraces = true;
  graph.on("plotly_click", ({ points: [point] }) => router.go(["trace", point.customdata]));
}
