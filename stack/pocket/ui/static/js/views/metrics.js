// Metrics: PromQL with completion, as a graph with exemplars and as a table of present values.

import * as prometheus from "../api/prometheus.js";
import { coloured } from "../charts/seriescolours.js";
import { timeSeries } from "../charts/timeseries.js";
import { h, put } from "../core/dom.js";
import { count, format } from "../core/format.js";
import * as router from "../core/router.js";
import { step as chooseStep } from "../core/timerange.js";
import { interpolate } from "../dashboard/targets.js";
import { seriesName } from "../dashboard/fields.js";
import { loader } from "../parts/loader.js";
import { queryBox } from "../parts/querybox.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";
import { sortableTable } from "../parts/table.js";

const EXAMPLES = [
  ["targets up", "up"],
  ["request rate", "sum by (job, handler) (rate(http_requests_total[1m]))"],
  [
    "p95 latency",
    "histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[1m])))",
  ],
  ["error share", 'sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))'],
  ["rolls by die", "sum by (die_type, result) (rate(dice_rolls_total[1m]))"],
];
const FUNCTIONS = [
  "rate",
  "irate",
  "increase",
  "delta",
  "sum by",
  "avg by",
  "max by",
  "min by",
  "count by",
  "topk",
  "histogram_quantile",
  "avg_over_time",
  "max_over_time",
  "sum_over_time",
  "label_replace",
  "absent",
  "clamp_min",
  "round",
  "sort_desc",
];

export function mount(root, context, { params }) {
  let names = [];
  let help = {};
  const box = queryBox({
    kind: "promql",
    label: "PromQL query",
    placeholder: "rate(http_requests_total[1m])",
    examples: EXAMPLES,
    complete: (word) => complete(word, names, help),
    onRun: (q) => router.update({ q }) || search(),
  });
  const about = h("p", { class: "muted small", role: "note" });
  const chart = timeSeries("Query result");
  const graph = h("section", {
    class: "card",
    style: { height: "380px", display: "flex" },
    "aria-label": "Graph",
  }, loading());
  const table = sortableTable();
  const list = h("section", {
    class: "card flush scroll",
    hidden: true,
    style: { "max-height": "520px" },
    "aria-label": "Values",
  }, table.element);
  const work = loader(graph, (error) => {
    list.hidden = true;
    put(graph, failed(error, router.current().params.q));
  });
  context.title("Metrics");
  put(root, h("div", { class: "stack" }, box.element, about, graph, list));

  async function learnNames(signal) {
    const [found, meta] = await Promise.allSettled([
      prometheus.metricNames(context.range(), signal),
      prometheus.metadata(signal),
    ]);
    names = found.status === "fulfilled" ? found.value : [];
    help = meta.status === "fulfilled" ? meta.value : {};
  }

  function search() {
    const q = router.current().params.q ?? "";
    box.set(q);
    return work.load(async (signal) => {
      await learnNames(signal);
      if (!q) return browse();
      put(about, describe(q, help));
      const range = context.range();
      const step = chooseStep(range, Math.max(60, Math.min(360, graph.clientWidth / 3)));
      const expr = interpolate(q, {
        __rate_interval: `${Math.max(20, step / 1000 + 5)}s`,
        __interval: `${step / 1000}s`,
        __range: `${Math.round((range.to - range.from) / 1000)}s`,
      });
      const [series, exemplars] = await Promise.all([
        prometheus.queryRange(expr, range, step, signal),
        prometheus.exemplars(expr, range, signal).catch(() => []),
      ]);
      return show(q, series, { range, step, exemplars });
    });
  }

  function show(q, series, { range, step, exemplars }) {
    graph.style.height = "380px";
    list.hidden = !series.length;
    if (!series.length) {
      return put(
        graph,
        empty(
          `No data in ${context.rangeWords()}`,
          `The query is right but matches nothing. ${trafficHint(context)}`,
        ),
      );
    }
    const all = series.map(({ labels }) => labels);
    const named = series.map((one) => ({ ...one, name: seriesName(undefined, one.labels, q, all) }));
    const unit = unitOf(q);
    if (graph.firstChild !== chart.element) put(graph, chart.element);
    // Exemplars are single observations: on a graph of rates or counts they would be on another scale.
    chart.draw(coloured(named), {
      range,
      step,
      unit,
      custom: { fillOpacity: series.length === 1 ? 12 : 0 },
      exemplars: unit === "s" ? exemplars : [],
    });
    return drawTable(table, named, unit);
  }

  function browse() {
    put(about);
    list.hidden = !names.length;
    graph.style.height = "130px";
    if (!names.length) {
      return put(graph, empty(`No metrics in ${context.rangeWords()}`, trafficHint(context)));
    }
    put(
      graph,
      empty(
        "Write a query, take an example, or choose a metric below",
        "Two letters are enough for completion.",
      ),
    );
    const rows = names.map((name) => [name, ...Object.values(of(name, help))]);
    return table.draw([
      {
        title: `Metric (${names.length})`,
        cell: (name) =>
          h(
            "a",
            { class: "mono", href: router.href(["metrics"], { q: starter(name, of(name, help).type) }) },
            name,
          ),
      },
      { title: "Type" },
      { title: "What it counts" },
    ], rows);
  }

  box.set(params.q ?? "");
  search();
  return { update: search, refresh: search, unmount: work.stop };
}

/** A family's metadata also describes its `_bucket`, `_sum`, `_count` and `_total` series. */
function of(name, help) {
  const family = help[name] ?? help[name.replace(/_(bucket|sum|count|total|created)$/, "")] ?? {};
  return { type: family.type ?? "", help: family.help ?? "" };
}

/** A first query that makes sense for the type. */
function starter(name, type) {
  if (name.endsWith("_bucket")) return `histogram_quantile(0.95, sum by (le) (rate(${name}[1m])))`;
  return type === "counter" || /_(total|count|sum)$/.test(name) ? `rate(${name}[1m])` : name;
}

function complete(word, names, help) {
  const lower = word.toLowerCase();
  const rank = (text) => (text.startsWith(lower) ? 0 : 1);
  const metrics = names.filter((name) => name.toLowerCase().includes(lower)).map((text) => ({
    text,
    ...of(text, help),
  }));
  const functions = FUNCTIONS.filter((name) => name.startsWith(lower)).map((text) => ({
    text,
    type: "function",
    help: "",
  }));
  return [
    ...functions,
    ...metrics.sort((a, b) => rank(a.text) - rank(b.text) || a.text.localeCompare(b.text)),
  ];
}

function describe(q, help) {
  const known = [...new Set(q.match(/[a-zA-Z_:][\w:]*/g) ?? [])].map((name) => [name, of(name, help)]).filter(
    ([, { help: text }]) => text,
  );
  return known.slice(0, 3).flatMap((
    [name, { type, help: text }],
    i,
  ) => [i ? " · " : "", h("code", {}, name), " ", h("span", { class: "tag" }, type), ` ${text}`]);
}

/**
 * Seconds and bytes by the naming convention (prometheus.io/docs/practices/naming); a rate of them has no
 * unit.
 */
function unitOf(q) {
  if (/_bytes\b/.test(q) && !/\b(rate|increase)\b/.test(q)) return "bytes";
  if (/histogram_quantile/.test(q) && /_seconds_bucket|_latency_bucket/.test(q)) return "s";
  return /_seconds_sum/.test(q) && /_seconds_count/.test(q) ? "s" : "short";
}

function drawTable(table, series, unit) {
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels)))];
  if (!labels.length) {
    return table.draw([{ title: "Series", clip: true }, {
      title: "Last value",
      number: true,
      cell: (value) => format(value, unit),
    }], series.map(({ name, v }) => [name, v.findLast((value) => value !== null) ?? null]));
  }
  const columns = [
    ...labels.map((title) => ({ title: title === "__name__" ? "metric" : title, clip: true })),
    {
      title: `Last value (${count(series.length, "row")})`,
      number: true,
      cell: (value) => format(value, unit),
    },
  ];
  return table.draw(
    columns,
    series.map(({ labels: own, v }) => [
      ...labels.map((name) => own[name] ?? ""),
      v.findLast((value) => value !== null) ?? null,
    ]),
  );
}
