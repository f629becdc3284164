// Logs: LogQL, how many lines of which level when, the lines themselves, live if wanted. Newest first; a
// trace's oldest first.

import { isAbort } from "../api/http.js";
import * as loki from "../api/loki.js";
import { coloured } from "../charts/seriescolours.js";
import { timeSeries } from "../charts/timeseries.js";
import { h, put } from "../core/dom.js";
import { count } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { step as chooseStep } from "../core/timerange.js";
import { loader } from "../parts/loader.js";
import { liveTail } from "../parts/livetail.js";
import { levelOf, logList } from "../parts/loglist.js";
import { queryBox } from "../parts/querybox.js";
import { empty, failed, loading, trafficHint } from "../parts/states.js";

const ALL = '{service_name=~".+"}';
const EXAMPLES = [
  ["all services", ALL],
  ["the roller", '{service_name="dice-roller"}'],
  ["warnings and errors", '{service_name=~".+", level=~"warning|error"}'],
  ["risky rolls", '{service_name="dice-roller"} | json | die_type="risky"'],
  ["lines per second", 'sum by (level) (rate({service_name=~".+"}[1m]))'],
];
const LIMIT = 500;
const BACK_MS = 2000; // how far back the tail begins where there is no line yet
const ONE_TRACE = /\|\s*trace_id\s*=\s*["`]/;

const asked = () => router.current().params.q || ALL;
/** What one trace did is read from its beginning, unless the reader says otherwise. */
const usualOrder = () => (ONE_TRACE.test(asked()) ? "oldest" : "newest");
const isOldestFirst = () => (router.current().params.order ?? usualOrder()) === "oldest";

export function mount(root, context, { params }) {
  const box = queryBox({
    kind: "logql",
    label: "LogQL query",
    placeholder: ALL,
    examples: EXAMPLES,
    onRun: (q) => router.update({ q: q === ALL ? undefined : q }) || search(),
  });
  const chart = timeSeries("Log volume by level");
  const volume = h("section", {
    class: "card",
    style: { height: "150px", display: "flex" },
    "aria-label": "Log volume",
  }, chart.element);
  const list = logList({ filter: (condition) => router.update({ q: narrowed(asked(), condition) }) });
  const results = h("section", { class: "card flush", "aria-label": "Log lines" }, loading());
  const found = h("span", { class: "muted small", role: "status" });
  const wrap = h("button", {
    class: "button slim",
    "aria-pressed": "false",
    onclick: () => press(wrap, list.wrap),
  }, "Wrap lines");
  const oldest = h(
    "button",
    { class: "button slim", "aria-pressed": "false", onclick: turn },
    "Oldest first",
  );
  const live = liveTail({ query: asked, since: () => lines[0]?.t ?? Date.now() - BACK_MS, onLines: add });
  const work = loader(results, (error) => {
    live.stop();
    volume.hidden = true;
    put(found);
    put(results, failed(error, router.current().params.q));
  });
  let lines = [];
  context.title("Logs");
  put(
    root,
    h(
      "div",
      { class: "stack" },
      box.element,
      volume,
      h("div", { class: "toolbar" }, found, h("span", { class: "spacer" }), live.element, oldest, wrap),
      results,
    ),
  );

  function search() {
    const q = asked();
    box.set(q);
    return work.load(async (signal) => {
      const range = context.range();
      oldest.setAttribute("aria-pressed", String(isOldestFirst()));
      const answer = await loki.lines(q, range, {
        limit: LIMIT,
        direction: isOldestFirst() ? "forward" : "backward",
        signal,
      });
      if (answer.series) live.stop();
      if (answer.series) return showSeries(q, range, signal);
      lines = isOldestFirst() ? answer.lines.toReversed() : answer.lines;
      showLines();
      live.restart();
      return showVolume(q, range, signal);
    });
  }

  function turn() {
    const order = isOldestFirst() ? "newest" : "oldest";
    router.update({ order: order === usualOrder() ? undefined : order });
  }

  function showLines() {
    put(
      found,
      lines.length
        ? `${count(lines.length, "line")}${
          lines.length >= LIMIT ? `, the ${isOldestFirst() ? "oldest" : "newest"}` : ""
        }`
        : "",
    );
    if (!lines.length) {
      return put(
        results,
        empty(
          `No log lines in ${context.rangeWords()}`,
          router.current().params.q
            ? `Nothing matches. Widen the time range, or try \`${ALL}\`.`
            : trafficHint(context),
        ),
      );
    }
    list.draw(isOldestFirst() ? lines.toReversed() : lines);
    return results.firstChild === list.element || put(results, list.element);
  }

  async function showVolume(q, range, signal) {
    const step = chooseStep(range, Math.max(30, Math.min(120, volume.clientWidth / 12)));
    try {
      const series = await loki.series(
        `sum by (level, detected_level) (count_over_time(${q} [${step / 1000}s]))`,
        range,
        step,
        signal,
      );
      drawVolume(series, range, step);
    } catch (error) {
      if (!isAbort(error)) volume.hidden = true; // a pipeline that cannot be counted still has its lines
    }
  }

  function drawVolume(series, range, step) {
    volume.hidden = !series.length;
    const order = ["debug", "info", "warning", "error", "unknown"];
    const coloured = loki.perLevel(series, known).map((one) => ({
      ...one,
      colour: theme.colour(`level-${levelOf(one.name)}`),
    }));
    coloured.sort((a, b) => order.indexOf(levelOf(a.name)) - order.indexOf(levelOf(b.name)));
    chart.draw(coloured, {
      range,
      step,
      custom: { drawStyle: "bars", fillOpacity: 90, stacking: { mode: "normal" } },
    });
  }

  async function showSeries(q, range, signal) {
    const step = chooseStep(range, 120);
    const series = await loki.series(q, range, step, signal);
    put(found, count(series.length, "series").replace(/seriess$/, "series"));
    volume.hidden = true;
    if (!series.length) {
      return put(results, empty(`No data in ${context.rangeWords()}`, trafficHint(context)));
    }
    const graph = timeSeries("Query result");
    put(results, h("div", { style: { height: "360px", display: "flex", padding: "12px" } }, graph.element));
    return graph.draw(
      coloured(series).map((one) => ({ ...one, name: Object.values(one.labels).join(", ") || q })),
      { range, step },
    );
  }

  function add(fresh) {
    const known = new Set(lines.slice(0, 2 * LIMIT).map(({ ns, line }) => ns + line));
    const added = fresh.filter(({ ns, line }) => !known.has(ns + line));
    if (!added.length) return;
    lines = [...added, ...lines].slice(0, LIMIT);
    showLines();
  }

  /** While the tail runs, the list is its; only the counts are asked again. */
  function refresh() {
    return live.isOn() ? work.load((signal) => showVolume(asked(), context.range(), signal)) : search();
  }

  box.set(params.q ?? ALL);
  search();
  return {
    update: search,
    refresh,
    unmount() {
      work.stop();
      live.stop();
    },
  };
}

/** Levels of one colour under one name: `warn` is `warning`. */
const known = (level) => (levelOf(level) === "unknown" ? level : levelOf(level));

function press(button, act) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  act(on);
}

/**
 * The query with one more condition: a label goes into the selector, anything else becomes a filter stage.
 */
function narrowed(query, { kind, name, value, operator }) {
  const condition = `${name}${operator}${loki.quote(value)}`;
  if (kind === "label") return query.replace(/\}/, `, ${condition}}`);
  const parsed = kind === "field" && !/\|\s*json\b/.test(query) ? " | json" : "";
  return `${query}${parsed} | ${condition}`;
}
