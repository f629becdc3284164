// plotly.js in our clothes: theme, local time, round ticks in Grafana's units, drag to zoom, resize.

import { h } from "../core/dom.js";
import { dateTime, format, ticks } from "../core/format.js";
import * as router from "../core/router.js";
import { legible } from "../core/text.js";
import { colour } from "../core/theme.js";

const CONFIG = {
  displayModeBar: false,
  responsive: false,
  doubleClick: false,
  showTips: false,
  staticPlot: false,
};

/** plotly reads times as UTC unless told the wall clock's digits. */
export const local = (ms) => dateTime(ms, true);
const unlocal = (text) => new Date(String(text).replace(" ", "T")).getTime();

/**
 * plotly reads a little markup (links too) in names and labels: text from telemetry goes in escaped, and
 * legible.
 */
export const plain = (text) => legible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A box that holds one plot: `{element, draw(traces, layout), after(f)}`. Redraws on resize. */
export function plotBox(label) {
  /** @type {any} plotly gives it methods and state */
  const plot = h("div", { class: "plot" });
  const element = h("div", { class: "chart", role: "img", "aria-label": label }, plot);
  const afters = [];
  let last;
  let queued = false;
  const paint = async () => {
    queued = false;
    if (!last || !element.isConnected || !element.clientWidth || !element.clientHeight) return;
    const [traces, shape] = last;
    const [width, height] = [element.clientWidth, element.clientHeight];
    const xaxis = { ...shape.xaxis, nticks: Math.max(2, Math.min(9, Math.floor(width / 95))) };
    await globalThis.Plotly.react(plot, traces, { ...shape, xaxis, width, height }, CONFIG);
    if (!plot.listening) listen(plot);
    for (const f of afters) f(plot);
  };
  const soon = () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(paint);
  };
  new ResizeObserver(soon).observe(element);
  return {
    element,
    draw(traces, layout) {
      last = [traces, layout];
      soon();
    },
    after: (f) => afters.push(f),
  };
}

function listen(plot) {
  plot.listening = true;
  plot.on("plotly_relayout", (change) => {
    const [a, b] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (a === undefined || plot.layout.xaxis.type !== "date") return;
    const [from, to] = [unlocal(a), unlocal(b)];
    if (to - from >= 1000) router.update({ from: String(Math.round(from)), to: String(Math.round(to)) });
  });
}

/**
 * The layout all charts share; `y` is `{unit, decimals, min, max, title, log}` over the values `low…high`.
 * @param {{ range?: { from: number, to: number }, y?: any, y2?: any, [more: string]: any }} options
 */
export function layout({ range, y, y2, ...more }) {
  const text = colour("muted");
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    autosize: false,
    showlegend: false,
    margin: { l: y?.margin ?? 52, r: y2 ? 52 : 8, t: 8, b: 26 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 11, color: text },
    hovermode: "x unified",
    hoverdistance: 30,
    dragmode: "zoom",
    bargap: 0.12,
    hoverlabel: {
      bgcolor: colour("raised"),
      bordercolor: colour("border-strong"),
      font: { size: 11, color: colour("text") },
      namelength: 48,
    },
    xaxis: axis({
      type: "date",
      range: range && [local(range.from), local(range.to)],
      tickangle: 0,
      ticklabelstandoff: 4,
      hoverformat: "%H:%M:%S",
      showgrid: false,
      tickformatstops: STOPS,
    }),
    yaxis: yAxis(y ?? {}),
  };
  if (y2) base.yaxis2 = { ...yAxis(y2), overlaying: "y", side: "right", showgrid: false, tickmode: "array" };
  return { ...base, ...more };
}

const STOPS = [
  { dtickrange: [null, 60000], value: "%H:%M:%S" },
  { dtickrange: [60000, 86400000], value: "%H:%M" },
  { dtickrange: [86400000, null], value: "%d %b" },
];

export function axis(more) {
  return {
    gridcolor: colour("grid"),
    linecolor: colour("border"),
    zeroline: false,
    ticks: "",
    fixedrange: false,
    automargin: false,
    ...more,
  };
}

function yAxis({ unit, decimals, low = 0, high = 1, min, max, title, log }) {
  if (log) return axis({ type: "log", fixedrange: true, nticks: 6, tickformat: "~s" });
  const bottom = min ?? (low >= 0 ? 0 : low);
  const top = max ?? (high > bottom ? high + (high - bottom) * 0.06 : bottom + 1);
  const { values } = ticks(bottom, top, unit);
  return axis({
    range: [min ?? Math.min(bottom, values[0] ?? bottom), top],
    fixedrange: true,
    tickmode: "array",
    tickvals: values,
    ticktext: values.map((value) => format(value, unit, decimals)),
    title: title ? { text: title, standoff: 4, font: { size: 11 } } : undefined,
  });
}

/** Room for the widest tick label, so that the plot area does not jump. */
export function marginFor({ unit, decimals, high = 1, low = 0 }) {
  const { values } = ticks(low, high, unit);
  const longest = Math.max(3, ...values.map((value) => format(value, unit, decimals).length));
  return Math.min(96, 14 + longest * 6.6);
}
