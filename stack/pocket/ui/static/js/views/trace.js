// One trace: the facts first, the waterfall, the chosen span's details, and the ways on to logs, profile and
// metrics.

import * as tempo from "../api/tempo.js";
import { h, icon, put, title } from "../core/dom.js";
import { count, dateTime, duration } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { loader } from "../parts/loader.js";
import { long } from "../parts/longtext.js";
import { failed, loading, unknown } from "../parts/states.js";
import { spanDetails } from "./spandetails.js";
import { spanSheet } from "./spansheet.js";
import { waterfall } from "./waterfall.js";

const ID = /^[0-9a-f]{1,32}$/i;
const MARGIN_MS = 60000; // logs and profiles around a trace may be stamped a little before or after its spans

export function mount(root, context, { path }) {
  const page = h("div", { class: "stack" }, loading());
  const work = loader(page, (error) => put(page, failed(error)));
  let shown;
  put(root, page);

  function open(given) {
    work.stop();
    if (!ID.test(given)) {
      context.title("Trace");
      shown = undefined;
      return put(
        page,
        unknown(
          given ? ["“", given, "” is no trace id"] : "Which trace?",
          "A trace id has up to 32 hexadecimal digits.",
          [newest()],
        ),
      );
    }
    // Go's Tempo drops leading zeros, and so do links made from its answers
    const id = given.toLowerCase().padStart(32, "0");
    context.title(`Trace ${id.slice(0, 8)}`);
    return work.load(async (signal) => {
      const trace = await tempo.trace(id, signal);
      if (!trace) {
        shown = undefined;
        return put(
          page,
          unknown(
            ["Trace ", id, " is not stored"],
            "It may be older than what is kept, not sampled, or not arrived yet: " +
              "a span is sent some seconds after it ends. Refresh to look again.",
            [newest(), ["Its logs, if there are any", logsOf(id)]],
          ),
        );
      }
      // a refresh found nothing new
      if (shown?.trace.id === trace.id && shown.trace.spans.length === trace.spans.length) return shown;
      shown = draw(page, trace);
      return shown;
    });
  }

  open(path[1] ?? "");
  const update = ({ path: next }) => (same(next[1], shown) ? shown.choose() : open(next[1] ?? ""));
  const recolour = () => shown && (shown = draw(page, shown.trace));
  return { update, refresh: () => open(router.current().path[1] ?? ""), recolour, unmount: work.stop };
}

const same = (id, shown) => shown !== undefined && id?.toLowerCase().padStart(32, "0") === shown.trace.id;

function draw(page, trace) {
  const details = spanSheet();
  const select = (id) => router.update({ span: id }, { replace: true });
  const fall = waterfall(trace, { onSelect: select, onOpen: details.open });
  const choose = () => {
    const wanted = router.current().params.span;
    const span = trace.spans.find(({ id }) => id === wanted) ?? firstToSee(trace);
    details.show(span, spanDetails(span, trace, links(trace)));
    fall.select(span.id, span.id === wanted);
  };
  put(
    page,
    summary(trace),
    h(
      "div",
      { class: "trace-layout" },
      h("div", { class: "card flush", style: { overflow: "clip" } }, fall.element),
      details.element,
    ),
  );
  details.open(Boolean(router.current().params.span)); // a link to a span is about its details
  choose();
  return { trace, choose };
}

/** What a reader looks for: the deepest failed span, where the error began; else the root. */
function firstToSee({ spans }) {
  const failedSpans = spans.filter(({ error }) => error);
  const parents = new Set(failedSpans.map(({ parent }) => parent));
  return failedSpans.find(({ id }) => !parents.has(id)) ?? rootOf(spans);
}

function rootOf(spans) {
  const ids = new Set(spans.map(({ id }) => id));
  return spans.filter(({ parent }) => !ids.has(parent)).sort((a, b) => a.start - b.start)[0] ?? spans[0];
}

/**
 * The span of the service in which most time passed outside of its children: the one whose profile tells
 * something. Not the caller that began it all: what is its own is the way there and back, most of a trace of
 * a few milliseconds.
 */
export function busiest({ spans: all }) {
  const caller = rootOf(all);
  const inside = caller.kind === "client" ? all.filter((span) => span !== caller) : all;
  const spans = inside.length ? inside : all;
  const inner = new Map();
  for (const { parent, duration: length } of spans) inner.set(parent, (inner.get(parent) ?? 0) + length);
  const own = ({ id, duration: length }) => Math.max(0, length - (inner.get(id) ?? 0));
  const by = Map.groupBy(spans, ({ service }) => service);
  const most = (list) => list.reduce((sum, span) => sum + own(span), 0);
  const [, chosen] = [...by].reduce((best, one) => (most(one[1]) > most(best[1]) ? one : best));
  return chosen.reduce((best, span) => (own(span) > own(best) ? span : best));
}

function summary(trace) {
  const { spans, services } = trace;
  const root = rootOf(spans);
  const errors = spans.filter(({ error }) => error).length;
  const ways = links(trace);
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "section",
    { class: "card stack", "aria-label": "Summary" },
    h(
      "dl",
      { class: "facts" },
      h(
        "div",
        {},
        h("dt", {}, title(root.service, "(no service)")),
        h("dd", { class: "big" }, long(root.name, title(root.name))),
      ),
      h("div", {}, h("dt", {}, "Duration"), h("dd", { class: "big" }, duration(trace.duration))),
      fact(
        "Status",
        errors
          ? h("span", { class: "pill error" }, count(errors, "failed span"))
          : h("span", { class: "pill ok" }, "ok"),
      ),
      fact("Start", dateTime(trace.start, true)),
      fact("Spans", spans.length),
      fact(
        "Services",
        services.map((name) =>
          h(
            "span",
            { class: "service", style: { "--c": theme.service(name), "margin-right": "12px" } },
            title(name, "(no service)"),
          )
        ),
      ),
      fact("Trace id", h("span", { class: "mono small", style: { "font-weight": 400 } }, trace.id)),
    ),
    h(
      "div",
      { class: "toolbar" },
      h("a", { class: "button", href: ways.logs() }, icon("logs", 15), "Logs of this trace"),
      h(
        "a",
        {
          class: "button",
          href: ways.profile(busiest(trace)),
          title: "CPU profile of the service that took most of the time",
        },
        icon("profiles", 15),
        h("span", { class: "clipped" }, "Profile of ", title(busiest(trace).service, "(no service)")),
      ),
      h("a", { class: "button", href: ways.metrics(root) }, icon("metrics", 15), "Metrics"),
      h("button", { class: "button", onclick: () => save(trace) }, icon("download", 15), "JSON"),
    ),
  );
}

const newest = () => ["Newest traces", router.href(["traces"])];
const logsOf = (id, range) =>
  router.href(["logs"], { q: `{service_name=~".+"} | trace_id=${JSON.stringify(id)}`, ...range });

/** Where a trace or one of its spans leads to; the time range is the trace's own, with a margin. */
function links(trace) {
  const around = (start, length, margin = MARGIN_MS) => ({
    from: String(Math.floor(start - margin)),
    to: String(Math.ceil(start + length / 1e6 + margin)),
  });
  const whole = around(trace.start, trace.duration);
  const near = (span) => around(trace.start + span.start / 1e6, span.duration);
  return {
    logs: () => logsOf(trace.id, whole),
    spanLogs: (span) =>
      router.href(["logs"], {
        q: `{service_name=~".+"} | trace_id=${JSON.stringify(trace.id)} | span_id=${JSON.stringify(span.id)}`,
        ...near(span),
      }),
    profile: (span) =>
      router.href(["profiles"], {
        service: span.service,
        span: span.attributes["pyroscope.profile.id"],
        trace: trace.id,
        ...near(span),
      }),
    metrics: (span) =>
      router.href(["metrics"], {
        q: metricsQuery(span),
        ...around(trace.start, trace.duration, 10 * MARGIN_MS),
      }),
  };
}

function metricsQuery(span) {
  const by = `service=${JSON.stringify(span.service)}, span_name=${JSON.stringify(span.name)}`;
  return `histogram_quantile(0.95, sum by (le) (rate(traces_spanmetrics_latency_bucket{${by}}[1m])))`;
}

function save({ id, json }) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(json, null, 2)], { type: "application/json" }));
  h("a", { href: url, download: `trace-${id}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
