// The service graph from the metrics Tempo's generator (and its pocket twin) derives from spans.

import * as prometheus from "./prometheus.js";

/**
 * `{nodes: [{id, kind, rate, failed, seconds}], edges: [{from, to, kind, rate, failed, seconds}]}`:
 * requests/s over the range, the failed share (0…1), mean seconds. A node's figures are those of the requests
 * it serves. `kind` is Tempo's connection type: empty between services, `database`, `messaging_system`, or
 * `virtual_node` for who sends no spans.
 */
export async function serviceGraph(range, signal) {
  const window = `${Math.max(60, Math.round((range.to - range.from) / 1000))}s`;
  const by = (metric) =>
    prometheus.query(
      `sum by (client, server, connection_type) (rate(traces_service_graph_request_${metric}[${window}]))`,
      range.to,
      signal,
    );
  const [total, failed, seconds, served] = await Promise.all(
    ["total", "failed_total", "server_seconds_sum", "server_seconds_count"].map(by),
  );
  const keyOf = ({ client, server, connection_type: kind = "" }) => `${client}→${server} ${kind}`;
  const look = (list) => new Map(list.map(({ labels, v }) => [keyOf(labels), v[0] ?? 0]));
  const [bad, spent, answers] = [failed, seconds, served].map(look);
  const edges = total.filter(({ v }) => v[0] > 0).map(({ labels, v: [rate] }) => {
    const key = keyOf(labels);
    return {
      from: labels.client,
      to: labels.server,
      kind: labels.connection_type ?? "",
      rate,
      failed: Math.min(1, (bad.get(key) ?? 0) / rate),
      seconds: mean(spent.get(key), answers.get(key)),
    };
  });
  const merged = joined(edges);
  return { nodes: nodesOf(merged), edges: merged };
}

/**
 * Calls that never reached their server, as after a time-out, are of type `virtual_node` beside those that
 * did: one edge.
 */
function joined(edges) {
  const lost = (edge) =>
    edge.kind === "virtual_node" &&
    edges.some((other) => other.from === edge.from && other.to === edge.to && other.kind === "");
  return edges.filter((edge) => !lost(edge)).map((edge) => {
    const all = edges.filter((other) =>
      other === edge || (lost(other) && edge.kind === "" && other.from === edge.from && other.to === edge.to)
    );
    const rate = sum(all, (one) => one.rate);
    return { ...edge, rate, failed: sum(all, (one) => one.rate * one.failed) / rate };
  });
}

/**
 * No call takes no time: a sum of 0 over counted calls means that it is not known (yet), as for a server that
 * sends no spans.
 */
const mean = (spent, calls) => (spent > 0 && calls > 0 ? spent / calls : null);

function nodesOf(edges) {
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
  return names.map((id) => {
    const incoming = edges.filter(({ to }) => to === id);
    const rate = sum(incoming, ({ rate: r }) => r);
    const timed = incoming.filter(({ seconds }) => seconds !== null);
    const weight = sum(timed, ({ rate: r }) => r);
    return {
      id,
      rate,
      kind: kindOf(id, edges),
      isClient: !incoming.length,
      failed: rate ? sum(incoming, (e) => e.rate * e.failed) / rate : 0,
      seconds: weight ? sum(timed, (e) => e.rate * e.seconds) / weight : null,
    };
  });
}

const sum = (list, f) => list.reduce((all, one) => all + f(one), 0);

/** A node that sends no spans of its own is what all its calls say it is. */
function kindOf(id, edges) {
  const database = edges.some(({ to, kind }) => to === id && kind === "database");
  const calls = edges.filter(({ from }) => from === id);
  const nobody = calls.length > 0 && calls.every(({ kind }) => kind === "virtual_node") &&
    !edges.some(({ to }) => to === id);
  return database ? "database" : nobody ? "virtual_node" : "";
}

const named = (service) => `resource.service.name = ${JSON.stringify(service)}`;

/**
 * The TraceQL for a node's traces: a database has no spans of its own, its callers' tell; nor has who is
 * outside.
 */
export function serviceQuery({ id, kind }) {
  if (kind === "database") return "{span.db.system.name != nil}";
  return kind === "virtual_node" ? "{kind = server && nestedSetParent < 0}" : `{${named(id)}}`;
}

/** The TraceQL for the traces in which a call was made. */
export function callQuery({ from, to, kind }) {
  if (kind === "database") return `{${named(from)} && span.db.system.name != nil}`;
  if (kind === "virtual_node" && from !== "user") {
    return `{${named(from)} && span.peer.service = ${JSON.stringify(to)}}`;
  }
  return kind === "virtual_node"
    ? `{${named(to)} && kind = server && nestedSetParent < 0}`
    : `{${named(from)}} > {${named(to)}}`;
}
