// The service map: who calls whom, how often, how fast, how badly. From the service graph metrics.

import { serviceGraph } from "../api/servicegraph.js";
import { nodeGraph } from "../charts/nodegraph.js";
import { h, put } from "../core/dom.js";
import { format } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { loader } from "../parts/loader.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";
import { sortableTable } from "../parts/table.js";

const tracesOf = (service) => router.href(["traces"], { q: `{resource.service.name = ${JSON.stringify(service)}}` });

export function mount(root, context) {
  const picture = h("section", { class: "card", style: { "min-height": "320px", display: "flex" }, "aria-label": "Service graph" }, loading());
  const table = sortableTable();
  const list = h("section", { class: "card flush scroll", hidden: true, "aria-label": "Calls" }, table.element);
  const work = loader(picture, (error) => put(picture, failed(error)));
  context.title("Service map");
  put(root, h("div", { class: "stack" }, picture, list));
  const load = () => work.load(async (signal) => {
    const graph = await serviceGraph(context.range(), signal);
    list.hidden = !graph.edges.length;
    if (!graph.edges.length) return put(picture, empty(`No calls between services in ${context.rangeWords()}`, `${trafficHint(context.workshop)} The graph is derived from pairs of client and server spans and appears after some seconds.`));
    put(picture, nodeGraph(graph, { link: ({ id }) => tracesOf(id) }));
    return table.draw(COLUMNS, graph.edges.map((edge) => [edge.from, edge.to, edge.rate, edge.failed, edge.seconds]));
  });
  load();
  return { update: load, refresh: load, unmount: work.stop };
}

const service = (name) => h("a", { class: "service", style: { "--c": theme.service(name) }, href: tracesOf(name) }, name);
const COLUMNS = [
  { title: "Client", cell: service },
  { title: "Server", cell: service },
  { title: "Rate", number: true, cell: (rate) => format(rate, "reqps") },
  { title: "Failed", number: true, cell: (share) => h("span", { class: share > 0 && "bad" }, format(share, "percentunit")) },
  { title: "Mean latency", number: true, cell: (seconds) => format(seconds, "s") },
];
