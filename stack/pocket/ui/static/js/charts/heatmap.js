// A histogram over time as a heat map: a column a step, a row a bucket, exemplars where they fell.

import { h } from "../core/dom.js";
import { clock, format } from "../core/format.js";
import * as theme from "../core/theme.js";
import { exemplarLayer } from "./exemplars.js";
import { layout, local, plotBox } from "./plot.js";

/**
 * `{element, draw(series, {range, step, unit, scheme, exemplars})}`; series carry the counts of one bucket
 * each, bound in `le`.
 */
export function heatMap(label) {
  const plot = plotBox(label);
  const element = h("div", { class: "timeseries" }, plot.element);
  const diamonds = exemplarLayer(plot);
  let last;
  const redraw = () => {
    const [series, options] = last;
    const { bounds, times, z } = grid(series, options.step);
    const text = z.map((row, b) => row.map((n, i) => cell(n, bounds, b, times[i], options.unit)));
    const trace = {
      type: "heatmap",
      x: [times[0] - options.step, ...times].map(local),
      y: z.map((_, b) => b + 0.5),
      z,
      text,
      hovertemplate: "%{text}<extra></extra>",
      colorscale: scale(options.scheme),
      showscale: false,
      zmin: 0,
      hoverongaps: false,
      xgap: 1,
      ygap: 1,
    };
    const tall = element.clientHeight || 200;
    const every = Math.max(1, Math.ceil(bounds.length / (tall / 22)));
    const shown = bounds.map((bound, i) => [i + 1, bound]).filter(([i, bound]) =>
      Number.isFinite(bound) && i % every === 0
    );
    const base = layout({ range: options.range, hovermode: "closest" });
    base.yaxis = {
      ...base.yaxis,
      range: [0, bounds.length],
      tickvals: shown.map(([i]) => i),
      ticktext: shown.map(([, bound]) => format(bound, options.unit)),
    };
    plot.draw([trace], base);
    diamonds.set(
      (options.exemplars ?? []).map((one) => ({ ...one, y: position(one.value, bounds) })),
      options.unit,
    );
  };
  return {
    element,
    draw(series, options) {
      last = [series, options];
      redraw();
    },
  };
}

const bound = (le) => (/^\+?Inf$/i.test(le) ? Infinity : Number(le));

/**
 * `le` series → bucket bounds, the times on the grid (columns end there, as increases look back), and counts
 * per bucket (`z[bucket][time]`, null where empty).
 */
function grid(series, step) {
  const rows = series.map(({ labels, name, t, v }) => ({
    le: bound(labels.le ?? name),
    at: new Map(t.map((ms, i) => [ms, v[i]])),
  }));
  rows.sort((a, b) => a.le - b.le);
  const known = series.flatMap(({ t }) => t);
  const [first, last] = known.reduce(([a, b], t) => [Math.min(a, t), Math.max(b, t)], [Infinity, -Infinity]);
  const times = Array.from({ length: Math.round((last - first) / step) + 1 }, (_, i) => first + i * step);
  const z = rows.map(({ at }) => times.map((ms) => (at.get(ms) > 1e-9 ? at.get(ms) : null)));
  return { bounds: rows.map(({ le }) => le), times, z };
}

function cell(n, bounds, bucket, ms, unit) {
  if (n === null) return "";
  const low = bucket ? format(bounds[bucket - 1], unit) : "0";
  return `${clock(ms)}   ${low} – ${format(bounds[bucket], unit)}<br><b>${format(n)}</b>`;
}

/** Where a value lies on the axis of buckets: the bucket's index plus its share of the bucket. */
function position(value, bounds) {
  const bucket = bounds.findIndex((le) => value <= le);
  if (bucket < 0) return bounds.length;
  const low = bucket ? bounds[bucket - 1] : 0;
  const high = bounds[bucket];
  return bucket + (Number.isFinite(high) && high > low ? (value - low) / (high - low) : 0.5);
}

// Grafana's schemes, by the nearest of our colours.
const SCHEMES = { Oranges: "series-2", Greens: "series-3", Purples: "series-5" };

function scale(scheme) {
  const accent = theme.colour(SCHEMES[scheme] ?? "series-1");
  return [[0, theme.fade(accent, 0.2)], [0.35, theme.fade(accent, 0.55)], [1, accent]];
}
