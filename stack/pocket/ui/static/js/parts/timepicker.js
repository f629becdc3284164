// The time range button with its presets and custom ends, the refresh button and its interval.

import { h, icon, put } from "../core/dom.js";
import * as router from "../core/router.js";
import * as time from "../core/timerange.js";

/**
 * `{element, show(params, hasRange)}`; calls `onRefresh` at the chosen interval while the page is visible.
 */
export function timePicker({ onRefresh }) {
  const label = h("span");
  const button = h(
    "button",
    { class: "button", "aria-haspopup": "true", "aria-expanded": "false", title: "Time range" },
    icon("clock", 16),
    label,
  );
  const panel = h("div", { class: "popover", hidden: true });
  const menu = h("div", { class: "menu" }, button, panel);
  const newest = h("button", {
    class: "button",
    title: "Back to the newest data",
    onclick: () => router.update({ from: time.DEFAULTS.from, to: time.DEFAULTS.to }),
  }, "Now");
  const again = h("button", {
    class: "button",
    title: "Refresh now",
    "aria-label": "Refresh now",
    onclick: onRefresh,
  }, icon("refresh", 16));
  const every = h(
    "select",
    { title: "Refresh every", "aria-label": "Refresh every", class: "hide-narrow" },
    time.REFRESH.map((value) => h("option", { value }, value)),
  );
  const open = (shown) => {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (shown && !isHalfWritten(panel)) draw(panel, () => open(false));
    if (shown) panel.querySelector("button")?.focus();
  };
  button.addEventListener("click", () => open(panel.hidden));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    open(false);
    button.focus();
  });
  document.addEventListener(
    "pointerdown",
    ({ target }) => !(target instanceof Node && menu.contains(target)) && open(false),
  );
  every.addEventListener("change", () => router.update({ refresh: every.value }));

  let timer;
  const show = (params, hasRange = true) => {
    put(label, time.label(params));
    menu.hidden = every.hidden = !hasRange;
    newest.hidden = !hasRange || (params.to ?? "now") === "now";
    const refresh = time.REFRESH.includes(params.refresh) ? params.refresh : time.DEFAULTS.refresh;
    every.value = refresh;
    clearInterval(timer);
    const live = (params.to ?? "now") === "now";
    const ms = live ? time.interval(refresh) : 0;
    if (ms) timer = setInterval(() => document.visibilityState === "visible" && onRefresh(), ms);
  };
  return { element: h("div", { class: "toolbar picker" }, newest, menu, again, every), show };
}

function draw(panel, close) {
  const { params } = router.current();
  const from = params.from ?? time.DEFAULTS.from;
  const to = params.to ?? time.DEFAULTS.to;
  const choose = (changes) => {
    put(panel);
    close();
    router.update(changes);
  };
  const presets = time.PRESETS.map(([value, text]) =>
    h("button", {
      class: "option",
      type: "button",
      role: "menuitemradio",
      "aria-checked": String(to === "now" && from === value),
      onclick: () => choose({ from: value, to: "now" }),
    }, text)
  );
  put(panel, presets, custom(from, to, choose));
  panel.dataset.range = time.label(params);
}

/** Ends that were changed and not applied are kept, unless the range has become another meanwhile. */
const isHalfWritten = (panel) =>
  panel.querySelector(".edited:not([hidden])") && panel.dataset.range === time.label(router.current().params);

function custom(from, to, choose) {
  const shown = (
    text,
  ) => (/^\d+$/.test(text)
    ? new Date(Number(text) - new Date().getTimezoneOffset() * 60e3).toISOString().slice(0, 19)
    : text);
  const start = h("input", { type: "text", value: shown(from), "aria-label": "From" });
  const end = h("input", { type: "text", value: shown(to), "aria-label": "To" });
  const wrong = h("span", { class: "bad", role: "alert" });
  const was = [start.value, end.value];
  const note = h(
    "span",
    { class: "edited", role: "status", hidden: true },
    "edited, not applied",
    h("button", { type: "button", class: "button bare slim", onclick: () => restore() }, "Restore"),
  );
  const changed = () => (note.hidden = start.value === was[0] && end.value === was[1]);
  const restore = () => {
    [start.value, end.value] = was;
    put(wrong);
    changed();
    start.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    const [a, b] = [read(start.value), read(end.value)];
    if (a && b && (time.resolve(a) ?? NaN) < (time.resolve(b) ?? NaN)) choose({ from: a, to: b });
    else put(wrong, "Write now-20m, or 2025-11-21T15:04:05; From before To.");
  };
  return h(
    "form",
    { onsubmit: submit, oninput: changed },
    h("label", {}, "From", start),
    h("label", {}, "To", end),
    wrong,
    note,
    h("button", { class: "button primary" }, "Apply"),
  );
}

/** `now-5m` as it is, a local date as milliseconds, otherwise undefined. */
function read(text) {
  const trimmed = text.trim();
  if (time.resolve(trimmed) !== undefined) return trimmed;
  const ms = Date.parse(trimmed.replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : String(ms);
}
