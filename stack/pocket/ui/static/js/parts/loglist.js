// Log lines with the colour of their level; a click opens a line's fields, and the way to its trace.

import { fields, quote } from "../api/loki.js";
import { ansi } from "../core/ansi.js";
import { h, icon, title } from "../core/dom.js";
import { clock, dateTime } from "../core/format.js";
import * as router from "../core/router.js";
import { isBlank } from "../core/text.js";
import { copyButton, long } from "./longtext.js";

const LEVELS = {
  debug: "debug",
  trace: "debug",
  info: "info",
  warn: "warning",
  warning: "warning",
  error: "error",
  err: "error",
  critical: "error",
  fatal: "error",
};
export const levelOf = (level) => LEVELS[level] ?? "unknown";

/**
 * @typedef {{ kind: string, name: string, value: string, operator: "=" | "!=" }} Condition
 *
 * `{element, draw(lines)}`; `filter`, if given, is called to add a condition to the query.
 * @param {{ wraps?: boolean, filter?: (condition: Condition) => void }} [options]
 */
export function logList({ wraps = false, filter } = {}) {
  const element = h("div", { class: `log${wraps ? " wraps" : ""}` });
  const open = new Set();
  let rows = new Map();
  return {
    element,
    wrap: (on) => element.classList.toggle("wraps", on),
    /** Rows that stay keep their element, and with it focus, selection and the place on the screen. */
    draw(lines) {
      const old = rows;
      rows = new Map();
      for (const entry of lines) {
        const key = keyOf(entry, rows);
        rows.set(key, old.get(key) ?? row(entry, key, open, filter, old.size > 0));
      }
      for (const [key, gone] of old) if (!rows.has(key)) gone.remove();
      let next = element.firstChild;
      for (const one of rows.values()) {
        if (next && one === next) next = next.nextSibling;
        else element.insertBefore(one, next);
      }
    },
  };
}

/** Time and text; the same line twice in a nanosecond is two lines. */
function keyOf({ ns, line }, rows) {
  let key = ns + line;
  while (rows.has(key)) key += "\u0000";
  return key;
}

function row(entry, key, open, filter, isFresh) {
  const parsed = { ...fields(entry.line), ...entry.parsed };
  const service = entry.labels.service_name ?? "";
  const level = levelOf(entry.level);
  const button = h(
    "button",
    {
      class: `log-line${isFresh ? " fresh" : ""}`,
      "aria-expanded": String(open.has(key)),
      style: { "--c": `var(--level-${level})` },
    },
    h("span", { class: "stripe" }),
    h("time", { title: dateTime(entry.t, true) }, clock(entry.t, true)),
    h("span", { class: "level" }, entry.level),
    h("span", { class: "line" }, h("span", { class: "of" }, service, service && "  "), text(entry, parsed)),
  );
  const box = h("div", { class: "log-entry" }, button);
  const show = (shown) => {
    shown ? open.add(key) : open.delete(key);
    button.setAttribute("aria-expanded", String(shown));
    box.querySelector(".log-more")?.remove();
    if (shown) box.append(more(entry, parsed, filter));
  };
  button.addEventListener("click", () => show(!open.has(key)));
  if (open.has(key)) show(true);
  return box;
}

// Already in the line's own columns, or in every line alike; so is what Loki calls …_extracted, a label's
// second.
const COMMON = new Set([
  "timestamp",
  "time",
  "level",
  "logger",
  "message",
  "msg",
  "service",
  "trace_id",
  "span_id",
  "trace_flags",
]);

/** A JSON line reads as its message and its own fields; any other as it is. */
function text({ line }, parsed) {
  const message = parsed.message ?? parsed.msg;
  if (message === undefined) return isBlank(line) ? title(line, "(empty line)") : ansi(line);
  const rest = Object.entries(parsed).filter(([name]) => !COMMON.has(name) && !name.endsWith("_extracted"))
    .flatMap(([name, value]) => ["  ", name, "=", value]);
  return [ansi(message), rest.length > 0 && h("span", { class: "extra" }, rest)];
}

function more(entry, parsed, filter) {
  const trace = entry.metadata.trace_id ?? entry.labels.trace_id ?? parsed.trace_id;
  const span = entry.metadata.span_id ?? entry.labels.span_id ?? parsed.span_id;
  const links = h(
    "div",
    { class: "toolbar" },
    trace &&
      h(
        "a",
        { class: "button slim primary", href: router.href(["trace", trace], { span }) },
        icon("traces", 14),
        "Open trace",
      ),
    trace &&
      h(
        "a",
        {
          class: "button slim",
          href: router.href(["logs"], { q: `{service_name=~".+"} | trace_id=${quote(trace)}` }),
        },
        icon("logs", 14),
        "Logs of this trace",
      ),
    copyButton("Copy line", entry.line),
  );
  const elsewhere = { ...entry.labels, ...entry.metadata };
  const own = Object.entries(parsed).filter(([name, value]) => elsewhere[name] !== value);
  /** @type {[string, [string, any][]][]} */
  const all = [["label", Object.entries(entry.labels)], ["metadata", Object.entries(entry.metadata)], [
    "field",
    own,
  ]];
  const rows = all.flatMap(([kind, pairs]) =>
    pairs.map(([name, value]) =>
      h(
        "tr",
        {},
        h("td", {}, name),
        h("td", {}, long(value, title(value, "(empty)"))),
        h("td", {}, h("span", { class: "tag" }, kind)),
        h(
          "td",
          {},
          filter && [around(filter, kind, name, value, "="), around(filter, kind, name, value, "!=")],
        ),
      )
    )
  );
  return h(
    "div",
    { class: "log-more" },
    links,
    h("pre", {}, long(entry.line, title(entry.line, "(empty line)"))),
    h("table", { class: "pairs" }, h("tbody", {}, rows)),
  );
}

function around(filter, kind, name, value, operator) {
  const told = [operator === "=" ? "Only" : "Without", " lines where ", name, " is this"];
  return h("button", {
    class: "button bare slim",
    title: told,
    "aria-label": told,
    onclick: () => filter({ kind, name, value, operator }),
  }, operator === "=" ? "+" : "−");
}
