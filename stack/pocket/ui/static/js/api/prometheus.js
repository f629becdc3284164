// Prometheus' HTTP API → series `{labels, t: [ms], v: [number]}` and instant samples.

import { ask, proxied } from "./http.js";

const get = (path, params, signal) =>
  ask(proxied("prometheus", `api/v1/${path}`, params), { source: "Prometheus", signal });

/**
 * Series of a range query on the grid of `step` ms; both ends are aligned to it, so that points stay put on
 * refresh.
 */
export async function queryRange(query, { from, to }, step, signal) {
  const start = Math.floor(from / step) * step;
  const end = Math.floor(to / step) * step;
  const answer = await get(
    "query_range",
    { query, start: start / 1000, end: end / 1000, step: step / 1000 },
    signal,
  );
  return answer.data.result.map(({ metric, values }) => ({
    labels: metric,
    t: values.map(([seconds]) => Math.round(seconds * 1000)),
    v: values.map(([, value]) => parse(value)),
  }));
}

/**
 * Samples of an instant query: `[{labels, t, v}]`, each with one point; a scalar is one sample without
 * labels.
 */
export async function query(text, at, signal) {
  const { data } = await get("query", { query: text, time: at / 1000 }, signal);
  if (data.resultType === "scalar" || data.resultType === "string") return [sample({}, data.result)];
  if (data.resultType === "matrix") {
    return data.result.map(({ metric, values }) => sample(metric, values.at(-1)));
  }
  return data.result.map(({ metric, value }) => sample(metric, value));
}

const sample = (labels, [seconds, value]) => ({ labels, t: [Math.round(seconds * 1000)], v: [parse(value)] });

function parse(text) {
  if (text === "NaN") return null;
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

/** Exemplars of the series a query reads: `[{labels, value, t, series}]`, oldest first. */
export async function exemplars(text, { from, to }, signal) {
  const { data } = await get("query_exemplars", { query: text, start: from / 1000, end: to / 1000 }, signal);
  const flat = data.flatMap(({ seriesLabels, exemplars: list }) =>
    list.map((one) => ({
      labels: one.labels,
      value: Number(one.value),
      t: Math.round(one.timestamp * 1000),
      series: seriesLabels,
    }))
  );
  return flat.sort((a, b) => a.t - b.t);
}

/** Names of all metrics, sorted. */
export async function metricNames({ from, to }, signal) {
  const { data } = await get("label/__name__/values", { start: from / 1000, end: to / 1000 }, signal);
  return data.toSorted();
}

/** `{name: {type, help}}`. A histogram's metadata has the family's name, without `_bucket`. */
export async function metadata(signal) {
  const { data } = await get("metadata", {}, signal);
  return Object.fromEntries(Object.entries(data).map(([name, [first]]) => [name, first ?? {}]));
}

export async function labelValues(name, { from, to }, match, signal) {
  const { data } = await get(
    `label/${name}/values`,
    { "match[]": match, start: from / 1000, end: to / 1000 },
    signal,
  );
  return data;
}

/** `expr{a="b"}` as PromQL writes labels, without the name. */
export function selector(labels) {
  const pairs = Object.entries(labels).filter(([name]) => name !== "__name__");
  return `${labels.__name__ ?? ""}{${pairs.map(([name, value]) => `${name}=${quote(value)}`).join(", ")}}`;
}

/** A label's value, or `|= "text"`, as PromQL and LogQL write it. */
export const quote = (value) =>
  `"${String(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
