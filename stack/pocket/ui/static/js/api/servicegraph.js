// The service graph from the metrics Tempo's generator (and its pocket twin) derives from spans.

import * as prometheus from "./prometheus.js";

/**
 * `{nodes: [{id, rate, failed, seconds}], edges: [{from, to, rate, failed, seconds}]}`: requests/s over the range,
 * the failed share (0…1), mean seconds. A node's figures are those of the requests it serves.
 */
export async function serviceGraph(range, signal) {
  const window = `${Math.max(60, Math.round((range.to - range.from) / 1000))}s`;
  const by = (metric) => prometheus.query(`sum by (client, server) (rate(traces_service_graph_request_${metric}[${window}]))`, range.to, signal);
  const [total, failed, seconds, served] = await Promise.all(["total", "failed_total", "server_seconds_sum", "server_seconds_count"].map(by));
  const look = (list) => new Map(list.map(({ labels, v }) => [`${labels.client}→${labels.server}`, v[0] ?? 0]));
  const [bad, spent, answers] = [failed, seconds, served].map(look);
  const edges = total.filter(({ v }) => v[0] > 0).map(({ labels: { client, server }, v: [rate] }) => {
    const key = `${client}→${server}`;
    return { from: client, to: server, rate, failed: Math.min(1, (bad.get(key) ?? 0) / rate), seconds: answers.get(key) ? spent.get(key) / answers.get(key) : null };
  });
  return { nodes: nodesOf(edges), edges };
}

function nodesOf(edges) {
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
  return names.map((id) => {
    const incoming = edges.filter(({ to }) => to === id);
    const rate = sum(incoming, ({ rate: r }) => r);
    const timed = incoming.filter(({ seconds }) => seconds !== null);
    const weight = sum(timed, ({ rate: r }) => r);
    return {
      id, rate, isClient: !incoming.length, failed: rate ? sum(incoming, (e) => e.rate * e.failed) / rate : 0,
      seconds: weight ? sum(timed, (e) => e.rate * e.seconds) / weight : null,
    };
  });
}

const sum = (list, f) => list.reduce((all, one) => all + f(one), 0);
