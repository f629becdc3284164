// What a panel shows when there is nothing, nothing yet, or no answer: always words, never a blank.

import { h, icon } from "../core/dom.js";
import { clock } from "../core/format.js";

export const loading = () => h("div", { class: "skeleton", role: "status", "aria-label": "Loading" });

/** The backend's own text; with the query, also the place in it that the text names. */
export function failed(error, query) {
  const message = error.message ?? String(error);
  const isRefusal = error.status >= 400 && error.status < 500;
  return h(
    "div",
    { class: "state error", role: "alert" },
    icon("warning", 22),
    h(
      "b",
      {},
      !error.source
        ? "Something went wrong"
        : isRefusal
        ? `${error.source} refused the query`
        : `${error.source} could not answer`,
    ),
    h("pre", {}, message),
    isRefusal && query && pointed(message, query),
  );
}

/** A view whose module did not arrive; `again` asks for it once more. */
export function notLoaded(error, again) {
  const why = navigator.onLine
    ? "The server did not deliver it. Is the stack running? Start it with `make run`."
    : "The browser is offline.";
  return h(
    "div",
    { class: "state error", role: "alert" },
    icon("warning", 22),
    h("b", {}, "This view could not be loaded"),
    h("span", {}, coded(why)),
    h("pre", {}, error.message),
    h("button", { class: "button primary", onclick: again }, icon("refresh", 14), "Try again"),
    h(
      "span",
      { class: "muted" },
      `Last tried at ${clock(Date.now())}; again at the next refresh, or when the browser is online.`,
    ),
  );
}

/** Prometheus writes `1:5: parse error`, Loki and Tempo `line 1, col 5`; both count from 1. */
function pointed(message, query) {
  const [, row, column] = /(?:line (?=\d+, col)|\b(?=\d+:\d+: ))(\d+)(?:, col |:)(\d+)/.exec(message) ?? [];
  const line = row && query.split("\n")[Number(row) - 1];
  if (!line || column === "1") return null; // the very beginning: where an engine is that knows no place
  const at = Math.min(Number(column), line.length + 1) - 1;
  return h(
    "pre",
    { class: "pointed" },
    line.slice(0, at),
    h("mark", {}, line[at] ?? " "),
    line.slice(at + 1),
  );
}

/** `code` in backticks becomes <code>. */
export function empty(message, hint) {
  return h(
    "div",
    { class: "state" },
    icon("empty", 26),
    h("b", {}, message),
    hint && h("span", {}, coded(hint)),
  );
}

const MOST_WAYS = 12;

/** No such thing, and the ways on to those there are: `[text, href]` each. */
export function unknown(message, hint, ways) {
  return h(
    "div",
    { class: "state unknown" },
    icon("empty", 26),
    h("b", {}, message),
    hint && h("span", {}, coded(hint)),
    h(
      "nav",
      { class: "toolbar", "aria-label": "Ways on" },
      ways.slice(0, MOST_WAYS).map(([text, href]) => h("a", { class: "button", href }, text)),
    ),
  );
}

export function unavailable(message) {
  return h(
    "div",
    { class: "state" },
    icon("info", 22),
    h("b", {}, "Not available here"),
    h("span", {}, coded(message)),
  );
}

export function coded(text) {
  return text.split(/`([^`]*)`/).map((part, i) => (i % 2 ? h("code", {}, part) : part));
}

const RECENT_MS = 60e3;

/**
 * The hint that gets data into sight: that range may be long over, or nothing is moving in the stage that
 * runs.
 */
export function trafficHint({ workshop: { stage }, range }) {
  const run = `\`make traffic STAGE=${stage ?? 1}\``;
  return range().to < Date.now() - RECENT_MS
    ? `Press “Now” for the newest data; if there is none either, run ${run}.`
    : `Run ${run}, then refresh.`;
}
