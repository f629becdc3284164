// A panel's targets → data. Each result is `{refId, …}` with `series`, `table`, `lines`, `traces`, `graph` or
// `flame`.

import * as grafana from "../api/grafana.js";
import * as loki from "../api/loki.js";
import * as prometheus from "../api/prometheus.js";
import * as pyroscope from "../api/pyroscope.js";
import { serviceGraph } from "../api/servicegraph.js";
import * as tempo from "../api/tempo.js";
import { step as chooseStep } from "../core/timerange.js";
import { seriesName } from "./fields.js";

const SCRAPE_MS = 5000;

/** What a query of this panel is run with: the range, a step that suits its width, Grafana's macros. */
export function frame(panel, range, width) {
  const bars = panel.fieldConfig?.defaults?.custom?.drawStyle === "bars";
  const points = panel.maxDataPoints ?? Math.max(40, Math.min(300, Math.round(width / (bars ? 14 : 3))));
  const step = chooseStep(
    range,
    panel.type === "heatmap" ? Math.min(points, Math.round(width / 9)) : points,
    minimum(panel),
  );
  // A rate needs four scrapes to survive a lost one, and one step plus a scrape to leave no gap (Grafana's
  // own rule).
  const rate = Math.max(4 * SCRAPE_MS, step + SCRAPE_MS);
  const macros = {
    __rate_interval: `${rate / 1000}s`,
    __interval: `${step / 1000}s`,
    __interval_ms: String(step),
    __range: `${Math.round((range.to - range.from) / 1000)}s`,
    __range_s: String(Math.round((range.to - range.from) / 1000)),
    __range_ms: String(range.to - range.from),
  };
  return { range, step, macros };
}

function minimum({ interval }) {
  const match = /^>?(\d+)(s|m)$/.exec(interval ?? "");
  return match ? Number(match[1]) * (match[2] === "m" ? 60000 : 1000) : SCRAPE_MS;
}

/** `$__interval` and `${__interval}` replaced; other names stay. */
export function interpolate(text = "", macros) {
  return text.replace(
    /\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g,
    (whole, braced, bare) => macros[braced ?? bare] ?? whole,
  );
}

export const sourceOf = (panel, target) => target?.datasource?.uid ?? panel.datasource?.uid ?? "prometheus";

/** Runs all visible targets at once; the first failure is the panel's. */
export function run(panel, context, signal) {
  const targets = (panel.targets ?? []).filter(({ hide }) => !hide);
  return Promise.all(targets.map(async (target) => {
    const runner = RUNNERS[sourceOf(panel, target)] ?? runPrometheus;
    return { refId: target.refId, target, ...(await runner(panel, target, context, signal)) };
  }));
}

const RUNNERS = {
  prometheus: runPrometheus,
  loki: runLoki,
  tempo: runTempo,
  pyroscope: runPyroscope,
  postgres: runPostgres,
};

async function runPrometheus(_panel, target, { range, step, macros }, signal) {
  const expr = interpolate(target.expr, macros);
  const isInstant = target.instant && !target.range;
  const [found, exemplars] = await Promise.all([
    isInstant ? prometheus.query(expr, range.to, signal) : prometheus.queryRange(expr, range, step, signal),
    // A Prometheus without exemplar storage refuses; the panel is whole without them.
    target.exemplar && !isInstant ? prometheus.exemplars(expr, range, signal).catch(() => []) : [],
  ]);
  const series = named(target.format === "heatmap" ? perBucket(found) : found, target, expr);
  return { series, exemplars, expr };
}

/**
 * Cumulative `le` series → a count a bucket, in the order of the bounds: what Grafana makes of format
 * “heatmap”.
 */
function perBucket(found) {
  const bound = ({ labels }) => (/Inf/.test(labels.le) ? Infinity : Number(labels.le));
  const sorted = found.toSorted((a, b) => bound(a) - bound(b));
  return sorted.map((one, i) => {
    if (!i) return one;
    const below = new Map(sorted[i - 1].t.map((t, n) => [t, sorted[i - 1].v[n]]));
    return {
      ...one,
      v: one.v.map((value, n) => (value === null ? null : Math.max(0, value - (below.get(one.t[n]) ?? 0)))),
    };
  });
}

function named(found, target, expr) {
  const all = found.map(({ labels }) => labels);
  return found.map((one) => ({
    ...one,
    name: seriesName(target.legendFormat, one.labels, expr, all),
    refId: target.refId,
  }));
}

async function runLoki(panel, target, { range, step, macros }, signal) {
  const expr = interpolate(target.expr, macros);
  if (panel.type === "logs") {
    return { ...(await loki.lines(expr, range, { limit: target.maxLines ?? 200, signal })), expr };
  }
  if (target.queryType === "instant") {
    return { series: named(await loki.instant(expr, range.to, signal), target, expr), expr };
  }
  const series = await loki.series(expr, range, step, signal);
  if (series) return { series: named(series, target, expr), expr };
  return { ...(await loki.lines(expr, range, { limit: target.maxLines ?? 200, signal })), expr };
}

async function runTempo(panel, target, { range, step, macros }, signal) {
  if (target.queryType === "serviceMap" || panel.type === "nodeGraph") {
    return { graph: await serviceGraph(range, signal) };
  }
  const query = interpolate(target.query || "{}", macros);
  if (panel.type === "timeseries") {
    return { series: named(await tempo.metrics(query, range, step, signal), target, query), expr: query };
  }
  return { traces: await tempo.search(query, range, { limit: target.limit ?? 20, signal }), expr: query };
}

async function runPyroscope(_panel, target, { range }, signal) {
  const { profileTypeId, labelSelector = "{}" } = target;
  return {
    flame: await pyroscope.flamegraph(profileTypeId, labelSelector, range, signal),
    profileTypeId,
    labelSelector,
  };
}

async function runPostgres(_panel, target, { range }, signal) {
  const tables = await grafana.sql(target, range, signal);
  return { table: tables[0] ?? { columns: [], rows: [] } };
}
