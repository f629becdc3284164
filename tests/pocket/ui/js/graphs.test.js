import { deepEqual, equal, ok } from "node:assert/strict";

import { decode } from "ui/api/pyroscope.js";
import * as graph from "ui/api/servicegraph.js";
import { pathOf, placeLabels, sample } from "ui/charts/edgelabels.js";
import { layered } from "ui/charts/graphlayout.js";

/** Answers the graph's four queries: `rates` by metric, each `[client, server, type, value]`. */
function answering(rates) {
  globalThis.fetch = (url) => {
    const query = new URL(String(url), "http://x").searchParams.get("query") ?? "";
    const metric = /request_(\w+)\[/.exec(query)?.[1] ?? "";
    const result = (rates[metric] ?? []).map(([client, server, connection_type, value]) => ({
      metric: { client, server, ...(connection_type && { connection_type }) },
      value: [1, String(value)],
    }));
    return Promise.resolve(Response.json({ status: "success", data: { resultType: "vector", result } }));
  };
}

Deno.test("a service graph has rates, failures, mean times, and what a node is", async () => {
  answering({
    total: [["user", "roller", "virtual_node", 2], ["roller", "postgres", "database", 4]],
    failed_total: [["user", "roller", "virtual_node", 0.5]],
    server_seconds_sum: [["user", "roller", "virtual_node", 1]],
    server_seconds_count: [["user", "roller", "virtual_node", 2]],
  });
  const { nodes, edges } = await graph.serviceGraph({ from: 0, to: 300_000 });
  deepEqual(edges.map(({ to, failed, seconds }) => [to, failed, seconds]), [["roller", 0.25, 0.5], [
    "postgres",
    0,
    null,
  ]]);
  deepEqual(nodes.map(({ id, kind, rate }) => [id, kind, rate]), [
    ["postgres", "database", 4],
    ["roller", "", 2],
    ["user", "virtual_node", 0],
  ]);
});

Deno.test("calls that never reached their server are on the edge of those that did", async () => {
  answering({
    total: [["a", "b", "", 3], ["a", "b", "virtual_node", 1]],
    failed_total: [["a", "b", "virtual_node", 1]],
  });
  const { edges } = await graph.serviceGraph({ from: 0, to: 1000 });
  equal(edges.length, 1);
  deepEqual([edges[0].rate, edges[0].failed], [4, 0.25]);
});

Deno.test("a node and a call lead to their traces", () => {
  equal(graph.serviceQuery({ id: 'a"b', kind: "" }), '{resource.service.name = "a\\"b"}');
  equal(
    graph.callQuery({ from: "a", to: "b", kind: "" }),
    '{resource.service.name = "a"} > {resource.service.name = "b"}',
  );
  equal(
    graph.callQuery({ from: "a", to: "pg", kind: "database" }),
    '{resource.service.name = "a" && span.db.system.name != nil}',
  );
});

Deno.test("a flame graph's bars have absolute places", () => {
  const flame = {
    names: ["total", "a", "b"],
    total: "10",
    levels: [{ values: [0, 10, 0, 0] }, { values: [1, 4, 4, 1, 2, 3, 3, 2] }],
  };
  const { total, levels } = decode(flame);
  equal(total, 10);
  deepEqual(levels[1], [
    { x: 1, total: 4, self: 4, name: "a", depth: 1 },
    { x: 7, total: 3, self: 3, name: "b", depth: 1 },
  ]);
  deepEqual(decode(undefined), { total: 0, levels: [] });
});

Deno.test("callers stand left of whom they call, and a call that passes a column has a lane", () => {
  const nodes = ["user", "roller", "dice", "postgres"].map((id) => ({ id }));
  const edges = [["user", "roller"], ["roller", "dice"], ["dice", "postgres"], ["roller", "postgres"]]
    .map(([from, to]) => ({ from, to }));
  const { places, ways, width, top, height } = layered(nodes, edges);
  const xs = nodes.map(({ id }) => places.get(id)?.x ?? NaN);
  deepEqual(xs, xs.toSorted((a, b) => a - b));
  deepEqual(ways.map((way) => way.length), [1, 1, 1, 3]); // there, along the lane, and back
  const lane = ways[3][1][0][1];
  ok(lane < 22 && lane > top && top + height > 22 && width > (xs.at(-1) ?? 0));
});

Deno.test("a cycle is cut", () => {
  const edges = [{ from: "a", to: "b" }, { from: "b", to: "a" }];
  const { places } = layered([{ id: "a" }, { id: "b" }], edges);
  deepEqual([...places.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)), true);
});

Deno.test("two edges' labels do not cover each other", () => {
  const across = [[[0, 0], [100, 0], [200, 0], [300, 0]]];
  const points = sample(across);
  deepEqual([points[0], points.at(-1)], [[0, 0], [300, 0]]);
  equal(pathOf(across), "M0 0C100 0 200 0 300 0");
  const edge = { points, lines: ["1 req/s"] };
  const [a, b] = placeLabels([edge, { ...edge }], []);
  ok(Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height);
});
