// Loki's HTTP API → log lines and series. Times are nanoseconds as text, beyond what a number holds.

import { ask, proxied } from "./http.js";

export { quote } from "./prometheus.js"; // both write texts as Go does

/** @typedef {Record<string, string>} Labels */

// Tells stream labels, structured metadata and parsed labels apart in the answer.
const CATEGORIZE = { "x-loki-response-encoding-flags": "categorize-labels" };
const get = (path, params, signal) =>
  ask(proxied("loki", `loki/api/v1/${path}`, params), { source: "Loki", signal, headers: CATEGORIZE });
const ns = (ms) => `${Math.floor(ms)}000000`;

/**
 * A log query's lines, newest first: `[{ns: "…", t: ms, line, labels, metadata, parsed, level}]`.
 * @param {string} query
 * @param {{ from: number, to: number }} range Unix ms
 * @param {{ limit?: number, direction?: "backward" | "forward", signal?: AbortSignal }} options
 */
export async function lines(query, { from, to }, { limit = 500, direction = "backward", signal }) {
  const { data } = await get(
    "query_range",
    { query, start: ns(from), end: ns(to), limit, direction },
    signal,
  );
  if (data.resultType !== "streams") return { series: matrix(data.result) };
  const all = data.result.flatMap(({ stream, values }) => values.map((value) => entry(stream, value)));
  const order = direction === "backward" ? -1 : 1;
  return { lines: all.sort((a, b) => order * compare(a.ns, b.ns)) };
}

const compare = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/**
 * What a message of the live tail brings, newest first. A browser's WebSocket cannot ask for categories, so
 * labels and structured metadata come as one; `names` are those that are labels.
 * @param {{ streams?: { stream: Labels, values: string[][] }[] }} message
 * @param {Set<string>} names
 */
export function pushed({ streams = [] }, names) {
  const all = streams.flatMap(({ stream, values }) => {
    const part = (isLabel) =>
      Object.fromEntries(Object.entries(stream).filter(([name]) => names.has(name) === isLabel));
    const [labels, structuredMetadata] = [part(true), part(false)];
    return values.map(([time, line]) => entry(labels, [time, line, { structuredMetadata }]));
  });
  return all.sort((a, b) => -compare(a.ns, b.ns));
}

/** The address of the live tail from a time in ms on. */
export function tailUrl(query, since, limit) {
  const url = new URL(proxied("loki", "loki/api/v1/tail", { query, start: ns(since), limit }), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}

/**
 * @param {Labels} stream
 * @param {[time: string, line: string, more?: { structuredMetadata?: Labels, parsed?: Labels }]} value
 */
function entry(stream, [time, line, more = {}]) {
  const metadata = more.structuredMetadata ?? {};
  const parsed = more.parsed ?? {};
  const level = levelIn({ ...metadata, ...parsed, ...stream });
  return { ns: time, t: Number(time.slice(0, -6)), line, labels: stream, metadata, parsed, level };
}

/**
 * The level a line says it has, else the one Loki found out (lines that came by OTLP have no other).
 * @param {Labels} labels
 */
const levelIn = ({ level, detected_level: detected }) => (level || detected || "unknown").toLowerCase();

/** Series by `level` and `detected_level` as one a level, as `nameOf` calls it. */
export function perLevel(series, nameOf) {
  return [...Map.groupBy(series, ({ labels }) => nameOf(levelIn(labels)))].map(([name, alike]) => {
    const sums = new Map();
    for (const { t, v } of alike) t.forEach((at, i) => sums.set(at, (sums.get(at) ?? 0) + v[i]));
    const t = [...sums.keys()].sort((a, b) => a - b);
    return { name, labels: { level: name }, t, v: t.map((at) => sums.get(at)) };
  });
}

/** A metric query's series on the grid of `step` ms. */
export async function series(query, { from, to }, step, signal) {
  const start = Math.floor(from / step) * step;
  const end = Math.ceil(to / step) * step;
  const { data } = await get(
    "query_range",
    { query, start: ns(start), end: ns(end), step: `${step}ms` },
    signal,
  );
  if (data.resultType === "streams") return undefined;
  return matrix(data.result);
}

const matrix = (result) =>
  result.map(({ metric, values }) => ({
    labels: metric,
    t: values.map(([seconds]) => Math.round(seconds * 1000)),
    v: values.map(([, value]) => Number(value)),
  }));

/** A metric query's value at one time. */
export async function instant(query, at, signal) {
  const { data } = await get("query", { query, time: ns(at) }, signal);
  return data.result.map(({ metric, value }) => ({
    labels: metric,
    t: [Math.round(value[0] * 1000)],
    v: [Number(value[1])],
  }));
}

export async function labels({ from, to }, signal) {
  return (await get("labels", { start: ns(from), end: ns(to) }, signal)).data ?? [];
}

export async function labelValues(name, { from, to }, signal) {
  return (await get(`label/${encodeURIComponent(name)}/values`, { start: ns(from), end: ns(to) }, signal))
    .data ?? [];
}

/** The fields of a JSON line, flat, as text; none when it is no JSON object. */
export function fields(line) {
  if (!line.startsWith("{")) return {};
  try {
    const object = JSON.parse(line);
    return Object.fromEntries(
      Object.entries(object).map((
        [name, value],
      ) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
    );
  } catch {
    return {};
  }
}
