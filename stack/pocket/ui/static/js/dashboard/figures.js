// Big numbers and bars.

import { h, put, s } from "../core/dom.js";
import { format } from "../core/format.js";
import * as theme from "../core/theme.js";
import { mapped, thresholdColour } from "./fields.js";
import { singleValues } from "./values.js";

function shownValue({ value, options }) {
  const map = mapped(value, options);
  return {
    text: map?.text ?? format(value, options.unit, options.decimals),
    colour: map?.colour ?? options.colour ?? (value === null ? undefined : thresholdColour(value, options)),
  };
}

/** Stat: the value large, its name, a sparkline behind. */
export function stat(panel) {
  const element = h("div", { class: "stats" });
  const { graphMode = "area", colorMode = "value", textMode = "auto", justifyMode } = panel.options ?? {};
  return {
    element,
    draw(results) {
      const values = singleValues(panel, results).slice(0, 12);
      put(
        element,
        values.map((one) => {
          const { text, colour } = shownValue(one);
          const [number, unit] = text.split(/ (.*)/s);
          const named = textMode === "name" || textMode === "value_and_name" ||
            (textMode === "auto" && values.length > 1);
          return h(
            "div",
            {
              class: `stat${colorMode.startsWith("background") ? " filled" : ""}${
                justifyMode === "center" ? " centred" : ""
              }`,
              style: { "--c": colorMode === "none" ? undefined : colour },
            },
            graphMode === "area" && one.series?.v.length > 2 && !colorMode.startsWith("background") &&
              spark(one.series.v, colour ?? theme.series(0)),
            textMode !== "name" && h("div", { class: "value" }, number, unit && h("small", {}, unit)),
            named && h("div", { class: "name", title: one.name }, one.name),
          );
        }),
      );
    },
  };
}

function spark(values, colour) {
  const known = values.map((value) => (Number.isFinite(value) ? value : null));
  const finite = known.filter((value) => value !== null);
  const [low, high] = [Math.min(...finite, 0), Math.max(...finite)];
  const points = known.map((
    value,
    i,
  ) => (value === null
    ? null
    : [(i / (known.length - 1)) * 100, 29 - ((value - low) / (high - low || 1)) * 26])
  ).filter(Boolean);
  if (points.length < 2) return null;
  const line = points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L");
  return s(
    "svg",
    { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("path", { d: `M${points[0][0]} 30L${line}L${points.at(-1)[0]} 30z`, fill: colour, opacity: 0.12 }),
    s("path", {
      d: `M${line}`,
      fill: "none",
      stroke: colour,
      "stroke-width": 1.3,
      opacity: 0.75,
      "vector-effect": "non-scaling-stroke",
    }),
  );
}

/** Bar gauge and bar chart: a bar a value, lying or upright. */
export function bars(panel) {
  const element = h("div", { class: "gauges" });
  const upright = panel.options?.orientation === "vertical" ||
    (panel.type === "barchart" && panel.options?.orientation !== "horizontal");
  element.classList.toggle("upright", upright);
  return {
    element,
    draw(results) {
      const values = sorted(singleValues(panel, results)).slice(0, 40);
      const top = Math.max(...values.map(({ value, options }) => options.max ?? value ?? 0), 0) || 1;
      put(element, values.map((one, i) => bar(one, i, top, upright)));
    },
  };
}

/**
 * By name where the names are numbers (the faces of a die, without an empty bucket above), else as they come.
 */
function sorted(all) {
  const values = all.filter(({ name, value }) => name !== "+Inf" || value);
  return values.every(({ name }) => name !== "" && !Number.isNaN(Number(name)))
    ? values.toSorted((a, b) => Number(a.name) - Number(b.name))
    : values;
}

function bar(one, index, top, upright) {
  const { text, colour } = shownValue(one);
  const isClassic = one.options.color?.mode?.startsWith("palette");
  const fill = one.options.colour ?? (isClassic ? theme.series(index) : colour) ?? theme.series(0);
  const share = Math.max(0, Math.min(1, (one.value ?? 0) / top));
  const track = h(
    "div",
    { class: "track", title: [one.name, ": ", text] },
    h("div", { class: "fill", style: { "--c": fill, "--share": `${(share * 100).toFixed(2)}%` } }),
  );
  const label = h(
    "span",
    { class: "label", title: one.name },
    /^\d+\.0$/.test(one.name) ? one.name.slice(0, -2) : one.name,
  );
  const value = h("span", { class: "number" }, text);
  return upright ? [track, value, label] : [label, track, value];
}
