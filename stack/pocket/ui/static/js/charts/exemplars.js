// Exemplars as diamonds over a chart. Each is a real link to its trace: clickable, in the tab order, with a
// tooltip.

import { h } from "../core/dom.js";
import { clock, format } from "../core/format.js";
import * as router from "../core/router.js";
import { tip } from "../parts/tooltip.js";
import { local } from "./plot.js";

// more would hide the chart; the largest of each time slot are kept, as they are the ones to look at
const MOST = 120;

/** `{set([{t, y, value, labels, series}], unit)}`: positions follow the plot. */
export function exemplarLayer(plot) {
  const layer = h("div", { class: "exemplars", role: "group", "aria-label": "Exemplars" });
  plot.element.append(layer);
  let items = [];
  let unit;
  const place = (graph) => {
    const { xaxis, yaxis } = graph._fullLayout ?? {};
    if (!xaxis || !yaxis) return;
    const { width, height } = graph._fullLayout;
    const old = new Map(linksIn(layer).map((link) => [link.dataset.key, link]));
    items.forEach((one, i) => {
      const [x, y] = [xaxis._offset + xaxis.d2p(local(one.t)), yaxis._offset + yaxis.d2p(one.y)];
      if (!(x >= 0 && x <= width && y >= 0 && y <= height)) return;
      const key = `${one.t} ${one.value} ${traceOf(one.labels)}`;
      const link = old.get(key) ?? diamond(one, unit, key); // kept, so that a refresh takes no focus away
      old.delete(key);
      link.tabIndex = i ? -1 : 0;
      link.style.left = `${x}px`;
      link.style.top = `${y}px`;
      if (!link.isConnected) layer.append(link);
    });
    for (const link of old.values()) link.remove();
  };
  layer.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const links = linksIn(layer);
    const at = links.findIndex((link) => link === document.activeElement);
    links.at((at + step) % links.length)?.focus();
    event.preventDefault();
  });
  plot.after(place);
  return {
    set(all, newUnit) {
      items = thin(all.filter(({ labels }) => traceOf(labels)));
      unit = newUnit;
    },
  };
}

/** The label that names the trace, however the library spells it. */
export const traceOf = (labels) => labels.trace_id ?? labels.traceID ?? labels.traceId;

function diamond(one, unit, key) {
  const trace = traceOf(one.labels);
  const value = format(one.value, unit);
  const link = h("a", {
    class: "exemplar",
    "data-key": key,
    href: router.href(["trace", trace]),
    "aria-label": `Exemplar ${value} at ${clock(one.t)}: open trace`,
  });
  const where = one.series?.handler ?? one.series?.span_name ?? one.series?.job ?? "";
  tip(
    link,
    () => [
      h("b", {}, `${value} · ${clock(one.t, true)}`),
      where && h("div", {}, where),
      h("div", { class: "muted" }, `Open trace ${trace.slice(0, 12)}…`),
    ],
  );
  return link;
}

function thin(items) {
  if (items.length <= MOST) return items;
  const first = items[0].t;
  const slot = (items.at(-1).t - first + 1) / MOST;
  const best = new Map();
  for (const one of items) {
    const key = Math.floor((one.t - first) / slot);
    if (!best.has(key) || best.get(key).y < one.y) best.set(key, one);
  }
  return [...best.values()];
}

/** @type {(layer: HTMLElement) => HTMLElement[]} */
const linksIn = (layer) => [...layer.querySelectorAll("a")];
