// A span's details: what failed first, then figures and links, then everything it carries.

import { ansi } from "../core/ansi.js";
import { h, icon, title } from "../core/dom.js";
import { dateTime, duration } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { long } from "../parts/longtext.js";

/** Sections for the details column; `ways` are the links of the trace. */
export function spanDetails(span, trace, ways) {
  return [
    h(
      "header",
      {},
      h(
        "span",
        { class: "service small", style: { "--c": theme.service(span.service) } },
        title(span.service, "(no service)"),
      ),
      h("div", {}, long(span.name, h("h1", {}, title(span.name)))),
      h(
        "div",
        { class: "toolbar" },
        span.error && h("span", { class: "pill error" }, "ERROR"),
        span.kind && h("span", { class: "tag" }, span.kind),
        h(
          "span",
          { class: "small" },
          duration(span.duration),
          h("span", { class: "muted" }, ` at +${duration(span.start)}`),
        ),
      ),
    ),
    trouble(span),
    h(
      "div",
      { class: "toolbar", style: { "margin-top": "10px" } },
      h("a", { class: "button slim", href: ways.spanLogs(span) }, icon("logs", 14), "Logs of this span"),
      h("a", { class: "button slim", href: ways.profile(span) }, icon("profiles", 14), "Profile"),
      h("a", { class: "button slim", href: ways.metrics(span) }, icon("metrics", 14), "Metrics"),
      row(span) && h("a", { class: "button slim", href: row(span) }, icon("explore", 14), "Same die"),
    ),
    folding("Attributes", span.attributes, true),
    events(span),
    linked(span),
    folding("Resource", span.resource, false),
    folding("Identity", {
      "span id": span.id,
      "parent span id": span.parent || "– (root)",
      "instrumentation scope": span.scope || "–",
      start: dateTime(trace.start + span.start / 1e6, true),
    }, false),
  ];
}

/** Other traces of the same die: the attribute a learner asks about first. */
function row({ attributes }) {
  const die = attributes["dice.die_type"];
  return die && router.href(["traces"], { q: `{span.dice.die_type = ${JSON.stringify(die)}}` });
}

function trouble(span) {
  const exceptions = span.events.filter(({ name }) => name === "exception");
  if (!span.error && !exceptions.length) return null;
  const first = exceptions[0]?.attributes ?? {};
  const what = [first["exception.type"], first["exception.message"]].filter(Boolean).join(": ") ||
    span.message || httpError(span.attributes);
  const stack = first["exception.stacktrace"];
  return h(
    "div",
    { class: "callout", role: "note" },
    long(what, h("b", {}, ansi(what))),
    span.message && !what.includes(span.message) && h("div", {}, long(span.message, ansi(span.message))),
    stack && h("details", {}, h("summary", {}, "Stack trace"), h("pre", {}, ansi(String(stack)))),
  );
}

function httpError({ "http.response.status_code": code, "error.type": type }) {
  return code ? `HTTP ${code}` : String(type ?? "Status ERROR");
}

function folding(name, values, open) {
  const entries = Object.entries(values);
  if (!entries.length) return null;
  return h(
    "section",
    {},
    h(
      "details",
      { open },
      h("summary", {}, `${name} `, h("span", { class: "muted" }, entries.length)),
      pairs(entries),
    ),
  );
}

const pairs = (entries) =>
  h(
    "table",
    { class: "pairs" },
    h(
      "tbody",
      {},
      entries.map(([name, value]) => h("tr", {}, h("td", {}, breakable(name)), h("td", {}, told(value)))),
    ),
  );

function told(value) {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return long(text, title(text, "(empty)"));
}

/** Attribute names may wrap after a dot or an underscore rather than within a word. */
const breakable = (name) => name.split(/(?<=[._])/).flatMap((part) => [part, h("wbr")]);

function events({ events: list }) {
  if (!list.length) return null;
  return h(
    "section",
    {},
    h("h3", {}, `Events `, h("span", { class: "muted" }, list.length)),
    list.map(({ name, offset, attributes }) =>
      h(
        "details",
        {},
        h(
          "summary",
          { class: "small" },
          title(name),
          " ",
          h("span", { class: "muted" }, `+${duration(offset)}`),
        ),
        pairs(Object.entries(attributes)),
      )
    ),
  );
}

function linked({ links }) {
  if (!links.length) return null;
  return h(
    "section",
    {},
    h("h3", {}, "Links"),
    links.map(({ trace, span, attributes }) =>
      h(
        "div",
        {},
        h(
          "a",
          { class: "mono small", href: router.href(["trace", trace], { span }) },
          `${trace.slice(0, 16)}… / ${span}`,
        ),
        pairs(Object.entries(attributes)),
      )
    ),
  );
}
