// Pyroscope's querier API (Connect, as JSON): 64-bit numbers arrive as text.

import { ask, proxied } from "./http.js";

const call = (method, body, signal) =>
  ask(proxied("pyroscope", `querier.v1.QuerierService/${method}`), {
    source: "Pyroscope",
    signal,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const window = ({ from, to }) => ({ start: Math.floor(from), end: Math.ceil(to) });

/** `[{id, name, unit}]`. */
export async function profileTypes(range, signal) {
  const { profileTypes: types } = await call("ProfileTypes", window(range), signal);
  return (types ?? []).map((type) => ({
    id: type.ID,
    name: `${type.name} ${type.sampleType}`,
    unit: type.sampleUnit,
  }));
}

export async function services(range, signal) {
  const { names } = await call("LabelValues", { name: "service_name", ...window(range) }, signal);
  return (names ?? []).toSorted();
}

/** The merged stacks as a flame graph: see `decode`. */
export async function flamegraph(profileTypeID, labelSelector, range, signal) {
  const body = { profileTypeID, labelSelector, ...window(range), maxNodes: 8192 };
  return decode((await call("SelectMergeStacktraces", body, signal)).flamegraph);
}

/** The same for the samples taken while given spans ran. */
export async function spanFlamegraph(profileTypeID, labelSelector, spans, range, signal) {
  const body = { profileTypeID, labelSelector, spanSelector: spans, ...window(range), maxNodes: 8192 };
  return decode((await call("SelectMergeSpanProfile", body, signal)).flamegraph);
}

/** CPU use over time: series by label. */
export async function series(profileTypeID, labelSelector, range, step, groupBy, signal) {
  const body = { profileTypeID, labelSelector, ...window(range), step: step / 1000, groupBy };
  const { series: list } = await call("SelectSeries", body, signal);
  return (list ?? []).map(({ labels, points }) => ({
    labels: Object.fromEntries((labels ?? []).map(({ name, value }) => [name, value])),
    t: (points ?? []).map(({ timestamp }) => Number(timestamp)),
    v: (points ?? []).map(({ value }) => Number(value ?? 0)),
  }));
}

/**
 * Pyroscope's levels hold, per frame, four numbers: offset from the end of the previous frame, total, self,
 * name. → `{total, levels: [[{x, total, self, name, depth}]]}` with absolute x.
 */
export function decode(flame) {
  const names = flame?.names ?? [];
  const levels = (flame?.levels ?? []).map(({ values }, depth) => {
    const frames = [];
    let x = 0;
    for (let i = 0; i + 3 < values.length; i += 4) {
      x += Number(values[i]);
      const total = Number(values[i + 1]);
      frames.push({
        x,
        total,
        self: Number(values[i + 2]),
        name: names[Number(values[i + 3])] ?? "?",
        depth,
      });
      x += total;
    }
    return frames;
  });
  return { total: Number(flame?.total ?? 0), levels };
}
