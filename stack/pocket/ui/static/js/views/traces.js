// Traces: TraceQL search, durations over time, the table of what was found; series where the query asks for
// them.

import * as tempo from "../api/tempo.js";
import { coloured } from "../charts/seriescolours.js";
import { traceScatter } from "../charts/scatter.js";
import { timeSeries } from "../charts/timeseries.js";
import { h, put } from "../core/dom.js";
import { clock, count } from "../core/format.js";
import * as router from "../core/router.js";
import { step as chooseStep } from "../core/timerange.js";
import { seriesName } from "../dashboard/fields.js";
import { loader } from "../parts/loader.js";
import { queryBox } from "../parts/querybox.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";
import { isFailed, traceTable } from "../parts/tracetable.js";

const EXAMPLES = [
  ["all", "{}"],
  ["errors", "{status = error}"],
  ["slow requests", "{kind = server && duration > 500ms}"],
  ["the roller", '{resource.service.name = "dice-roller"}'],
  ["risky dice", '{span.dice.die_type = "risky"}'],
  ["failed rolls", '{name = "roll die" && status = error}'],
  ["rate by name", "{} | rate() by (name)"],
];
const LIMITS = ["20", "50", "100", "200", "500"];

export function mount(root, context, { params }) {
  const box = queryBox({
    kind: "traceql",
    label: "TraceQL query",
    placeholder: '{resource.service.name = "dice-roller" && status = error}',
    examples: EXAMPLES,
    onRun: (
      q,
    ) => (tempo.traceIn(q)
      ? router.go(...wayTo(q))
      : router.update({ q: q === "{}" ? undefined : q }) || search()),
  });
  const limit = h("select", {
    "aria-label": "Most traces",
    onchange: () => router.update({ limit: limit.value === "100" ? undefined : limit.value }),
  }, LIMITS.map((value) => h("option", { value }, value)));
  const found = h("span", { class: "muted small", role: "status" });
  const scatter = traceScatter("Trace durations over time");
  const chart = h("div", { class: "card", style: { height: "190px", display: "flex" } }, scatter.element);
  const table = traceTable();
  const results = h("div", { class: "card flush scroll" }, loading());
  const work = loader(results, (error) => {
    chart.hidden = true;
    put(found);
    put(results, failed(error, router.current().params.q));
  });
  context.title("Traces");
  const limitField = h("label", { class: "field" }, "Limit", limit);
  put(
    root,
    h(
      "div",
      { class: "stack" },
      box.element,
      chart,
      h("div", { class: "toolbar" }, found, h("span", { class: "spacer" }), limitField),
      results,
    ),
  );

  function search() {
    const { params: now } = router.current();
    const q = now.q || "{}";
    // no entry of its own to be stuck at
    if (tempo.traceIn(q)) return location.replace(router.href(...wayTo(q)));
    box.set(q);
    const most = LIMITS.includes(now.limit) ? now.limit : "100";
    if (limit.value !== most) limit.value = most;
    return work.load(async (signal) => {
      const range = context.range();
      limitField.hidden = tempo.isMetrics(q);
      if (tempo.isMetrics(q)) return showSeries(q, range, signal);
      return show(await tempo.search(q, range, { limit: Number(limit.value), signal }), range);
    });
  }

  async function showSeries(q, range, signal) {
    const step = chooseStep(range, 120);
    const series = await tempo.metrics(q, range, step, signal);
    chart.hidden = true;
    put(found, `${series.length} series`);
    if (!series.length) {
      return put(results, empty(`No data in ${context.rangeWords()}`, trafficHint(context)));
    }
    const graph = timeSeries("Query result");
    const all = series.map(({ labels }) => labels);
    put(results, h("div", { style: { height: "360px", display: "flex", padding: "12px" } }, graph.element));
    return graph.draw(
      coloured(series).map((one) => ({ ...one, name: seriesName(undefined, one.labels, q, all) })),
      { range, step, unit: unitOf(q) },
    );
  }

  function show(hits, range) {
    chart.hidden = !hits.length;
    const oldest = hits.length >= Number(limit.value) ? hits.at(-1).t : undefined;
    put(
      found,
      oldest
        ? `The newest ${count(hits.length, "trace")}, back to ${clock(oldest)}. Older ones are not shown: ${
          limit.value === LIMITS.at(-1) ? "shorten the range" : "raise the limit"
        } to see them.`
        : hits.length
        ? count(hits.length, "trace")
        : "",
    );
    if (!hits.length) {
      return put(
        results,
        empty(
          `No traces in ${context.rangeWords()}`,
          router.current().params.q
            ? "Nothing matches this query. Widen the time range, or try `{}`."
            : trafficHint(context),
        ),
      );
    }
    table.draw(hits);
    put(results, table.element);
    return scatter.draw(hits.map((hit) => ({ ...hit, isFailed: isFailed(hit) })), range, oldest);
  }

  box.set(params.q ?? "{}");
  search();
  return { update: search, refresh: search, unmount: work.stop };
}

/**
 * The view of the trace whose id the text is.
 * @param {string} text
 * @returns {[any[], Record<string, any>]}
 */
function wayTo(text) {
  const found = tempo.traceIn(text);
  return [["trace", found?.id], { span: found?.span }];
}

/** Tempo's series over a duration are in seconds; those of a rate or a count are not. */
const unitOf = (
  q,
) => (/\b(?:min|max|avg|sum|quantile)_over_time\s*\(\s*(?:\w+:)?\w*duration\b/i.test(q) ? "s" : "short");
