// Tempo's HTTP API → search hits and traces. Span times are kept as numbers of ns relative to the trace's
// start, because Unix nanoseconds do not fit a double.

import { ApiError, ask, proxied } from "./http.js";

const get = (path, params, signal) => ask(proxied("tempo", path, params), { source: "Tempo", signal });

/** TraceQL search: `[{traceID, service, name, t: ms, durationMs, spanSets}]`, newest first. */
export async function search(q, { from, to }, { limit = 100, signal }) {
  const params = { start: Math.floor(from / 1000), end: Math.ceil(to / 1000), limit, spss: 10 };
  const { traces } = await hinted(q, (text) => get("api/search", { q: text, ...params }, signal));
  const hits = (traces ?? []).map((hit) => ({
    traceID: hit.traceID.padStart(32, "0"),
    service: hit.rootServiceName ?? "",
    name: hit.rootTraceName ?? "",
    t: Number(hit.startTimeUnixNano.slice(0, -6)),
    durationMs: hit.durationMs ?? 0,
    spanSets: hit.spanSets ?? (hit.spanSet ? [hit.spanSet] : []),
    services: Object.entries(hit.serviceStats ?? {}).map(([name, { spanCount = 0, errorCount = 0 }]) => ({
      name,
      spans: spanCount,
      errors: errorCount,
    })),
  }));
  return hits.sort((a, b) => b.t - a.t);
}

const STRINGS = /"(?:\\.|[^"\\])*"|`[^`]*`/g;
const METRICS = /\|\s*(?:rate|(?:count|min|max|avg|sum|quantile|histogram)_over_time|compare)\s*\(/;

/** Whether a query asks for series (`{} | rate()`): the search would leave that part out and list traces. */
export const isMetrics = (q) => METRICS.test(q.replace(STRINGS, '""'));

const TRACEPARENT = /^\s*(?:traceparent:\s*)?[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}.*\s*$/i;

/**
 * What the text names, where it is a trace's id (leading zeros may lack) or a `traceparent` header.
 * @param {string} text
 * @returns {{ id: string, span?: string } | undefined}
 */
export function traceIn(text) {
  const [, id] = /^\s*([0-9a-f]{1,32})\s*$/i.exec(text) ?? [];
  if (id) return { id: id.toLowerCase() };
  const [, traceId, span] = TRACEPARENT.exec(text) ?? [];
  return traceId ? { id: traceId.toLowerCase(), span: span.toLowerCase() } : undefined;
}

const HINT = " with (most_recent=true)";

/**
 * Without the hint Tempo answers the first traces that it comes across. A refusal must be about what the
 * reader wrote.
 */
async function hinted(q, run) {
  if (/\bwith\s*\([^()]*\)\s*$/.test(q)) return run(q);
  try {
    return await run(q + HINT);
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return run(q);
    throw error;
  }
}

/** TraceQL metrics (`{…} | rate()`): series. */
export async function metrics(q, { from, to }, step, signal) {
  const params = { q, start: Math.floor(from / 1000), end: Math.ceil(to / 1000), step: `${step / 1000}s` };
  const { series } = await get("api/metrics/query_range", params, signal);
  return (series ?? []).map(({ labels, samples }) => ({
    labels: Object.fromEntries((labels ?? []).map(({ key, value }) => [key, String(plain(value))])),
    t: samples.map(({ timestampMs }) => Number(timestampMs)),
    v: samples.map(({ value }) => value ?? 0),
  }));
}

export async function tagValues(tag, signal) {
  const { tagValues: values } = await get(`api/v2/search/tag/${encodeURIComponent(tag)}/values`, {}, signal);
  return (values ?? []).map(({ value }) => value);
}

/** One trace: `{id, json, start: ms, duration: ns, spans, services}`; null if Tempo does not know it. */
export async function trace(id, signal) {
  let json;
  try {
    json = await get(`api/v2/traces/${id}`, {}, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
  const found = decode(json.trace ?? json);
  return found.length ? { id, json, ...timed(found) } : null;
}

/** All spans of `{resourceSpans|batches: […]}`, flat, with absolute times as BigInt. */
function decode(body) {
  return (body.resourceSpans ?? body.batches ?? []).flatMap((group) => {
    const resource = attributes(group.resource?.attributes);
    return (group.scopeSpans ?? group.instrumentationLibrarySpans ?? []).flatMap(({ scope, spans }) =>
      (spans ?? []).map((span) => decodeSpan(span, resource, scope))
    );
  });
}

function decodeSpan(span, resource, scope) {
  const start = BigInt(span.startTimeUnixNano ?? 0);
  const error = ["STATUS_CODE_ERROR", 2].includes(span.status?.code);
  return {
    id: hex(span.spanId, 8),
    parent: span.parentSpanId ? hex(span.parentSpanId, 8) : "",
    name: span.name ?? "",
    kind: KINDS[span.kind] ?? String(span.kind ?? "").replace("SPAN_KIND_", "").toLowerCase(),
    begin: start,
    finish: BigInt(span.endTimeUnixNano ?? start),
    error,
    message: span.status?.message ?? "",
    service: String(resource["service.name"] ?? "unknown"),
    resource,
    attributes: attributes(span.attributes),
    scope: scope?.name ?? "",
    events: (span.events ?? []).map((e) => ({
      name: e.name ?? "",
      at: BigInt(e.timeUnixNano ?? start),
      attributes: attributes(e.attributes),
    })),
    links: (span.links ?? []).map((l) => ({
      trace: hex(l.traceId, 16),
      span: hex(l.spanId, 8),
      attributes: attributes(l.attributes),
    })),
  };
}

const KINDS = ["", "internal", "server", "client", "producer", "consumer"];

/** Ids are base64 in Tempo's JSON and hex in OTLP's; the length tells which. */
function hex(id, bytes) {
  if (!id || (id.length === bytes * 2 && /^[0-9a-fA-F]+$/.test(id))) return (id ?? "").toLowerCase();
  return Array.from(atob(id), (c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** `[{key, value: {stringValue}}]` → `{key: value}`. */
function attributes(list) {
  return Object.fromEntries((list ?? []).map(({ key, value }) => [key, plain(value)]));
}

export function plain(value) {
  if (!value) return "";
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.kvlistValue) return attributes(value.kvlistValue.values);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? value.bytesValue ?? "";
}

function timed(spans) {
  const start = spans.reduce((least, { begin }) => (begin < least ? begin : least), spans[0].begin);
  for (const span of spans) {
    span.start = Number(span.begin - start);
    span.duration = Math.max(0, Number(span.finish - span.begin));
    for (const event of span.events) event.offset = Number(event.at - start);
  }
  const duration = Math.max(...spans.map((span) => span.start + span.duration));
  return {
    spans,
    start: Number(start / 1000000n),
    duration,
    services: [...new Set(spans.map(({ service }) => service))],
  };
}
