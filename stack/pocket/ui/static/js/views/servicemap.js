// The service map: who calls whom, how often, how fast, how badly. From the service graph metrics.

import { callQuery, serviceGraph, serviceQuery } from "../api/servicegraph.js";
import { nodeGraph } from "../charts/nodegraph.js";
import { h, put, title } from "../core/dom.js";
import { format, rate } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { loader } from "../parts/loader.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";
import { sortableTable } from "../parts/table.js";

const tracesOf = (node) => router.href(["traces"], { q: serviceQuery(node) });

const callTraces = (edge) => router.href(["traces"], { q: callQuery(edge) });

export function mount(root, context) {
  const picture = h("section", {
    class: "card graph-host",
    style: { "min-height": "320px" },
    "aria-label": "Service graph",
  }, loading());
  const table = sortableTable();
  const list = h(
    "section",
    { class: "card flush scroll", hidden: true, "aria-label": "Calls" },
    table.element,
  );
  const work = loader(picture, (error) => put(picture, failed(error)));
  const note = h("p", { class: "muted small" });
  context.title("Service map");
  put(root, h("div", { class: "stack" }, picture, note, list));
  const load = () =>
    work.load(async (signal) => {
      const graph = await serviceGraph(context.range(), signal);
      list.hidden = note.hidden = !graph.edges.length;
      put(note, `Rates and latencies are averages over ${context.rangeWords()}.`);
      if (!graph.edges.length) {
        return put(
          picture,
          empty(
            `No calls between services in ${context.rangeWords()}`,
            `${
              trafficHint(context)
            } The graph is derived from pairs of client and server spans and appears after some seconds.`,
          ),
        );
      }
      put(picture, nodeGraph(graph, { link: tracesOf, linkEdge: callTraces }));
      const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
      return table.draw(
        COLUMNS,
        graph.edges.map((
          edge,
        ) => [nodes.get(edge.from), nodes.get(edge.to), edge.rate, edge.failed, edge.seconds, edge]),
      );
    });
  load();
  return { update: load, refresh: load, unmount: work.stop };
}

const service = (node) =>
  h(
    "a",
    { class: "service", style: { "--c": theme.service(node.id) }, href: tracesOf(node) },
    title(node.id),
  );
const COLUMNS = [
  { title: "Client", cell: service, key: ({ id }) => id },
  { title: "Server", cell: service, key: ({ id }) => id },
  { title: "Rate", number: true, cell: rate },
  {
    title: "Failed",
    number: true,
    cell: (share) => h("span", { class: share > 0 && "bad" }, format(share, "percentunit")),
  },
  { title: "Mean latency", number: true, cell: (seconds) => format(seconds, "s") },
  {
    title: "Traces",
    number: true,
    cell: (edge) =>
      h("a", { href: callTraces(edge), "aria-label": [edge.from, " to ", edge.to, ": traces"] }, "open"),
    key: ({ from, to }) => from + to,
  },
];
