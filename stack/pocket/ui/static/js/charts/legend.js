// The legend under or beside a chart: a click hides a series, a table shows its calculations.

import { h, put } from "../core/dom.js";
import { format } from "../core/format.js";

export const CALCS = {
  lastNotNull: ["Last", (v) => v.findLast((x) => x !== null && !Number.isNaN(x))],
  last: ["Last", (v) => v.at(-1)],
  firstNotNull: ["First", (v) => v.find((x) => x !== null)],
  first: ["First", (v) => v[0]],
  mean: ["Mean", (v) => total(v) / known(v).length],
  min: ["Min", (v) => Math.min(...known(v))],
  max: ["Max", (v) => Math.max(...known(v))],
  sum: ["Total", (v) => total(v)],
  count: ["Count", (v) => known(v).length],
  range: ["Range", (v) => Math.max(...known(v)) - Math.min(...known(v))],
  diff: ["Difference", (v) => known(v).at(-1) - known(v)[0]],
  delta: ["Delta", (v) => known(v).at(-1) - known(v)[0]],
};
const known = (v) => v.filter((x) => x !== null && !Number.isNaN(x));
const total = (v) => known(v).reduce((a, b) => a + b, 0);

/** One of Grafana's reductions of a series' values; null when there is nothing to reduce. */
export function reduce(values, calc = "lastNotNull") {
  if (!known(values).length) return null;
  return (CALCS[calc] ?? CALCS.lastNotNull)[1](values) ?? null;
}

/**
 * `items`: `[{name, colour, v, unit, decimals}]`. `hidden` is the set of names that are off; `changed` is
 * called after a click changed it. A click shows that series alone, a second one all again; with Ctrl it
 * toggles one.
 */
export function legend(box, items, { mode = "list", calcs = [], hidden, changed }) {
  const toggle = (event, name) => {
    if (event.ctrlKey || event.metaKey) hidden.has(name) ? hidden.delete(name) : hidden.add(name);
    else {
      const alone = items.every((item) => item.name === name || hidden.has(item.name)) && !hidden.has(name);
      hidden.clear();
      if (!alone) { for (const item of items) if (item.name !== name) hidden.add(item.name); }
    }
    changed();
  };
  const entry = (item) =>
    h(
      "button",
      {
        type: "button",
        title: item.name,
        "aria-pressed": String(!hidden.has(item.name)),
        onclick: (event) => toggle(event, item.name),
      },
      h("i", { class: "swatch", style: { "--c": item.colour } }),
      h("span", { class: "clipped" }, item.name),
    );
  if (mode !== "table" && !calcs.length) {
    box.className = "legend";
    return put(box, items.map(entry));
  }
  box.className = "legend-table legend-host";
  const head = h(
    "tr",
    {},
    h("th", {}, "Series"),
    calcs.map((calc) => h("th", { class: "number" }, (CALCS[calc] ?? CALCS.last)[0])),
  );
  const rows = items.map((item) =>
    h(
      "tr",
      {},
      h("td", {}, h("span", { class: "legend" }, entry(item))),
      calcs.map((calc) =>
        h("td", { class: "number" }, format(reduce(item.v, calc), item.unit, item.decimals))
      ),
    )
  );
  return put(box, h("table", { class: "table" }, h("thead", {}, head), h("tbody", {}, rows)));
}
