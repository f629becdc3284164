// Grafana's field options: defaults plus overrides by name, regular expression or query; thresholds and
// mappings.

import * as theme from "../core/theme.js";

/**
 * Everything that applies to one field: `{unit, decimals, min, max, displayName, colour, thresholds,
 * mappings, custom}`.
 * @param {any} panel
 * @param {{ name?: string, refId?: string }} [of]
 */
export function fieldOptions(panel, { name, refId } = {}) {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const merged = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides) {
    if (matches(matcher, name, refId)) { for (const { id, value } of properties) apply(merged, id, value); }
  }
  return { ...merged, colour: fixedColour(merged.color), unit: merged.unit ?? "" };
}

function matches({ id, options }, name, refId) {
  if (id === "byName") return options === name;
  if (id === "byFrameRefID") return options === refId;
  if (id === "byRegexp") return expression(options).test(name ?? "");
  return false;
}

function expression(text) {
  const [, body, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [undefined, text, ""];
  try {
    return new RegExp(body, flags.replace(/[gy]/g, ""));
  } catch {
    return /(?!)/;
  }
}

function apply(target, id, value) {
  const [head, ...rest] = id.split(".");
  if (!rest.length) target[head] = value;
  else {
    target[head] = { ...target[head] };
    apply(target[head], rest.join("."), value);
  }
}

const fixedColour = (color) => (color?.mode === "fixed" ? theme.grafana(color.fixedColor) : undefined);

/** The colour of a value by its thresholds; undefined where none is set. */
export function thresholdColour(value, { thresholds, min = 0, max = 100 }) {
  const steps = thresholds?.steps ?? [];
  const relative = thresholds?.mode === "percentage" ? ((value - min) / (max - min)) * 100 : value;
  const step = steps.findLast((one) =>
    one.value === null || one.value === undefined || relative >= one.value
  );
  return step && theme.grafana(step.color);
}

/** `{text, colour}` of a value mapping that fits, else undefined. */
export function mapped(value, { mappings = [] }) {
  for (const { type, options } of mappings) {
    const result = type === "value"
      ? options[String(value)]
      : type === "range"
      ? inRange(value, options) && options.result
      : type === "special" && isSpecial(value, options.match)
      ? options.result
      : undefined;
    if (result) return { text: result.text, colour: theme.grafana(result.color) };
  }
  return undefined;
}

const inRange = (value, { from, to }) =>
  value !== null && (from ?? -Infinity) <= value && value <= (to ?? Infinity);
const isSpecial = (value, match) =>
  (match === "null" || match === "null+nan" || match === "empty") && (value === null || value === undefined);

/** Grafana's `{{label}}` template; without one, the labels that tell the series apart. */
export function seriesName(format, labels, expr, all) {
  if (format && format !== "__auto") {
    return format.replace(/\{\{\s*([^}\s]+)\s*\}\}/g, (_, label) => labels[label] ?? "");
  }
  const telling = Object.entries(labels).filter(([name, value]) =>
    name !== "__name__" && all.some((other) => other[name] !== value)
  );
  if (telling.length) {
    return telling.length === 1
      ? telling[0][1]
      : telling.map(([name, value]) => `${name}=${value}`).join(", ");
  }
  return labels.__name__ ?? (Object.values(labels).filter(Boolean).join(", ") || expr);
}

/** `displayName` may quote labels: `${__field.labels.job}`. */
export function displayName(options, name, labels = {}) {
  return options.displayName?.replace(/\$\{__field\.labels\.([^}]+)\}/g, (_, label) => labels[label] ?? "") ||
    name;
}
