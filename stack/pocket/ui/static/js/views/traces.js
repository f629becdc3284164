// Traces: TraceQL search, durations over time, the table of what was found.

import * as tempo from "../api/tempo.js";
import { layout, local, plain, plotBox } from "../charts/plot.js";
import { h, put } from "../core/dom.js";
import { count, format } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { loader } from "../parts/loader.js";
import { queryBox } from "../parts/querybox.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";
import { isFailed, traceTable } from "../parts/tracetable.js";

const EXAMPLES = [
  ["all", "{}"],
  ["errors", "{status = error}"],
  ["slow requests", '{kind = server && duration > 500ms}'],
  ["the roller", '{resource.service.name = "dice-roller"}'],
  ["risky dice", '{span.die.type = "risky"}'],
  ["failed rolls", '{name = "roll die" && status = error}'],
];
const LIMITS = ["20", "50", "100", "200", "500"];

export function mount(root, context, { params }) {
  const box = queryBox({
    kind: "traceql", label: "TraceQL query", placeholder: '{resource.service.name = "dice-roller" && status = error}', examples: EXAMPLES,
    onRun: (q) => router.update({ q: q === "{}" ? undefined : q }) || search(),
  });
  const limit = h("select", { "aria-label": "Most traces", onchange: () => router.update({ limit: limit.value === "100" ? undefined : limit.value }) },
    LIMITS.map((value) => h("option", { value }, value)));
  const found = h("span", { class: "muted small", role: "status" });
  const plot = plotBox("Trace durations over time");
  const chart = h("div", { class: "card", style: { height: "190px", display: "flex" } }, plot.element);
  const table = traceTable();
  const results = h("div", { class: "card flush scroll" }, loading());
  const work = loader(results, (error) => {
    chart.hidden = true;
    put(found);
    put(results, failed(error, router.current().params.q));
  });
  plot.after(listenOnce);
  context.title("Traces");
  put(root, h("div", { class: "stack" }, box.element, chart, h("div", { class: "toolbar" }, found, h("span", { class: "spacer" }), h("label", { class: "field" }, "Limit", limit)), results));

  function search() {
    const { params: now } = router.current();
    box.set(now.q ?? "{}");
    const most = LIMITS.includes(now.limit) ? now.limit : "100";
    if (limit.value !== most) limit.value = most;
    return work.load(async (signal) => {
      const range = context.range();
      show(await tempo.search(now.q || "{}", range, { limit: Number(limit.value), signal }), range);
    });
  }

  function show(hits, range) {
    chart.hidden = !hits.length;
    put(found, hits.length ? `${count(hits.length, "trace")}${hits.length >= Number(limit.value) ? " (the newest; raise the limit for more)" : ""}` : "");
    if (!hits.length) return put(results, empty(`No traces in ${context.rangeWords()}`, router.current().params.q ? "Nothing matches this query. Widen the time range, or try `{}`." : trafficHint(context)));
    table.draw(hits);
    put(results, table.element);
    return plot.draw([false, true].map((bad) => points(hits.filter((hit) => (isFailed(hit) ?? false) === bad), bad)), durations(hits, range));
  }

  box.set(params.q ?? "{}");
  search();
  return { update: search, refresh: search, unmount: work.stop };
}

function points(hits, bad) {
  return {
    type: "scatter", mode: "markers", name: bad ? "error" : "ok", x: hits.map(({ t }) => local(t)), y: hits.map(({ durationMs }) => durationMs), customdata: hits.map(({ traceID }) => traceID),
    text: hits.map(({ service, name, durationMs }) => `<b>${format(durationMs, "ms")}</b><br>${plain(service)} ${plain(name)}`), hovertemplate: "%{text}<extra></extra>",
    marker: { size: bad ? 9 : 7, symbol: bad ? "x" : "circle", color: bad ? theme.colour("error") : theme.fade(theme.colour("series-1"), 0.6), line: { width: 0 } },
  };
}

function durations(hits, range) {
  return layout({ range, y: { unit: "ms", high: Math.max(...hits.map(({ durationMs }) => durationMs), 1), margin: 56 }, hovermode: "closest" });
}

function listenOnce(graph) {
  if (graph.opensTraces) return;
  graph.opensTraces = true;
  graph.on("plotly_click", ({ points: [point] }) => router.go(["trace", point.customdata]));
}
