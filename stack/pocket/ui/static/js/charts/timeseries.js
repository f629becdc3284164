// Lines, areas, bars and points over time, with legend and exemplars. A series: {name, t: [ms], v:
// [number|null], colour?, unit?, decimals?, custom?: Grafana's `custom` field options}.

import { h } from "../core/dom.js";
import { format } from "../core/format.js";
import * as theme from "../core/theme.js";
import { exemplarLayer } from "./exemplars.js";
import { legend } from "./legend.js";
import { layout, local, marginFor, plain, plotBox } from "./plot.js";

/**
 * `{element, draw(series, options)}`; options: range, step, unit, decimals, min, max, legend, exemplars,
 * thresholds.
 */
export function timeSeries(label) {
  const plot = plotBox(label);
  const box = h("div", { class: "legend" });
  const element = h("div", { class: "timeseries" }, plot.element, box);
  const hidden = new Set();
  const diamonds = exemplarLayer(plot);
  let last;
  const redraw = () => {
    const [all, options] = last;
    const series = all.map((one, i) => ({ ...one, colour: one.colour ?? theme.series(i) }));
    const shown = series.filter(({ name }) => !hidden.has(name));
    const { traces, axes } = build(shown.length ? shown : series, options);
    plot.draw(
      traces,
      layout({ range: options.range, ...axes, barmode: "relative", shapes: thresholdLines(options) }),
    );
    diamonds.set((options.exemplars ?? []).map((one) => ({ ...one, y: one.value })), options.unit);
    const place = options.legend ?? {};
    element.classList.toggle("split", place.placement === "right");
    box.hidden = place.displayMode === "hidden" || place.showLegend === false;
    if (!box.hidden) {
      legend(box, series, { mode: place.displayMode, calcs: place.calcs ?? [], hidden, changed: redraw });
    }
  };
  return {
    element,
    draw(series, options) {
      last = [series, options];
      redraw();
    },
  };
}

function build(series, options) {
  const traces = series.map((one) => trace(one, options));
  const left = series.filter(({ custom }) => custom?.axisPlacement !== "right");
  const right = series.filter(({ custom }) => custom?.axisPlacement === "right");
  const axes = { y: scale(left.length ? left : series, options) };
  if (left.length && right.length) {
    axes.y2 = scale(right, { ...options, min: undefined, max: undefined });
    traces.forEach((one, i) => right.includes(series[i]) && Object.assign(one, { yaxis: "y2" }));
  }
  const areas = series.flatMap((one, i) => fills(one, traces[i], options));
  return { traces: [...areas, ...traces], axes };
}

function trace(one, options) {
  const custom = { ...options.custom, ...one.custom };
  const unit = one.unit ?? options.unit;
  const bars = custom.drawStyle === "bars";
  const stacked = custom.stacking && custom.stacking.mode !== "none" && custom.stacking.mode !== undefined;
  const { t, v } = custom.spanNulls ? one : gaps(one, options.step);
  const opacity = (custom.fillOpacity ?? 0) / 100;
  return {
    type: bars ? "bar" : "scatter",
    name: plain(one.name),
    x: t.map(local),
    y: v,
    mode: custom.drawStyle === "points"
      ? "markers"
      : custom.showPoints === "always"
      ? "lines+markers"
      : "lines",
    text: v.map((value) => format(value, unit, one.decimals ?? options.decimals)),
    textposition: "none",
    hovertemplate: "%{text}<extra>%{fullData.name}</extra>",
    ...(bars
      ? {
        width: options.step && options.step * 0.88,
        offset: options.step && options.step * -0.94,
        marker: { color: theme.fade(one.colour, Math.max(opacity, 0.75)), line: { width: 0 } },
      }
      : {
        line: {
          color: one.colour,
          width: custom.lineWidth ?? 1.6,
          shape: SHAPES[custom.lineInterpolation] ?? "linear",
          dash: custom.lineStyle?.fill === "dash" ? "dash" : "solid",
        },
        marker: { color: one.colour, size: custom.pointSize ?? 5 },
        ...(stacked &&
          {
            fillcolor: theme.fade(one.colour, opacity || 0.15),
            stackgroup: "one",
            groupnorm: custom.stacking.mode === "percent" ? "percent" : "",
          }),
      }),
  };
}

/** The area under a line, a trace for each stretch without a gap: plotly would fill straight across one. */
function fills(one, { type, x, y, line, stackgroup, yaxis }, options) {
  const opacity = ({ ...options.custom, ...one.custom }.fillOpacity ?? 0) / 100;
  if (type !== "scatter" || stackgroup || !opacity) return [];
  const stretches = [];
  y.forEach((value, i) => {
    if (value === null) return;
    if (!i || y[i - 1] === null) stretches.push({ x: [], y: [] });
    stretches.at(-1).x.push(x[i]);
    stretches.at(-1).y.push(value);
  });
  return stretches.map((part) => ({
    type,
    mode: "lines",
    ...part,
    yaxis,
    line: { width: 0, shape: line.shape },
    fill: "tozeroy",
    fillcolor: theme.fade(one.colour, opacity),
    hoverinfo: "skip",
  }));
}

const SHAPES = { linear: "linear", smooth: "spline", stepAfter: "hv", stepBefore: "vh" };

/** A null where a series pauses for more than two steps, so that the line breaks as Grafana's does. */
function gaps({ t, v }, step) {
  if (!step) return { t, v };
  /** @type {{ t: number[], v: (number | null)[] }} */
  const out = { t: [], v: [] };
  for (let i = 0; i < t.length; i += 1) {
    if (i && t[i] - t[i - 1] > step * 2.5) {
      out.t.push(t[i - 1] + step);
      out.v.push(null);
    }
    out.t.push(t[i]);
    out.v.push(v[i]);
  }
  return out;
}

function scale(series, options) {
  const custom = { ...options.custom, ...series[0]?.custom };
  const mode = custom.stacking?.mode;
  const [low, high] = mode === "percent"
    ? [0, 100]
    : mode === "normal"
    ? stackedExtent(series)
    : extent(series, options);
  const unit = mode === "percent" ? "percent" : series[0]?.unit ?? options.unit;
  const shape = {
    unit,
    decimals: options.axisDecimals,
    low,
    high,
    min: options.min,
    max: options.max,
    title: custom.axisLabel,
  };
  return {
    ...shape,
    log: custom.scaleDistribution?.type === "log",
    margin: marginFor({ ...shape, high: options.max ?? high }),
  };
}

function extent(series, { exemplars = [], softMin, softMax }) {
  let [low, high] = [softMin ?? Infinity, softMax ?? -Infinity];
  const see = (value) => {
    if (value === null || !Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const { v } of series) v.forEach(see);
  for (const { value } of exemplars) see(value);
  return low > high ? [0, 1] : [low, high];
}

function stackedExtent(series) {
  const sums = new Map();
  for (const { t, v } of series) t.forEach((at, i) => sums.set(at, (sums.get(at) ?? 0) + (v[i] ?? 0)));
  return [0, Math.max(0, ...sums.values()) || 1];
}

function thresholdLines({ thresholds, custom }) {
  if (!thresholds || !custom?.thresholdsStyle || custom.thresholdsStyle.mode === "off") return [];
  return thresholds.steps.filter(({ value }) => value !== null && value !== undefined).map((
    { value, color },
  ) => ({
    type: "line",
    xref: "paper",
    x0: 0,
    x1: 1,
    y0: value,
    y1: value,
    line: { color: theme.grafana(color), width: 1, dash: "dash" },
  }));
}
