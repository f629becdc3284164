// The waterfall: a tree of spans against time. Rows fold; arrow keys walk the tree.

import { h, icon, put, title } from "../core/dom.js";
import { duration, ticks } from "../core/format.js";
import { named } from "../core/text.js";
import * as theme from "../core/theme.js";

const FIRST_ROWS = 600;

/**
 * `{element, select(id, inSight)}`; `onSelect(id)` is called for a click or the keyboard's choice,
 * `onOpen(true)` when a click or Enter asks for the details, `onOpen(false)` for Escape.
 */
export function waterfall(trace, { onSelect, onOpen }) {
  const tree = build(trace.spans);
  const folded = new Set();
  const body = h("div", { role: "tree", "aria-label": "Spans" });
  const { values, step } = ticks(0, trace.duration, "", 5);
  const element = h(
    "div",
    { class: "waterfall", style: { "--step": `${(step / trace.duration) * 100}%` } },
    axis(trace.duration, values),
    body,
  );
  let most = FIRST_ROWS;
  let chosen;

  const fold = (id, on) => {
    if (on) folded.add(id);
    else folded.delete(id);
    draw();
    rowsIn(body).find((one) => one.dataset.span === id)?.focus();
  };
  function draw() {
    const rows = visible(tree, folded);
    put(
      body,
      rows.slice(0, most).map((node) => row(node, trace, { folded, fold, onSelect, onOpen })),
      rows.length > most && h("button", {
        class: "button",
        onclick: () => ((most *= 4), draw()),
      }, `Show ${rows.length - most} more spans`),
    );
    mark();
  }
  function mark() {
    for (const one of rowsIn(body)) {
      const is = one.dataset.span === chosen;
      one.setAttribute("aria-selected", String(is));
      one.tabIndex = is ? 0 : -1;
    }
  }
  body.addEventListener(
    "keydown",
    (event) =>
      event.target instanceof Element && event.target.closest(".span-row") &&
      walk(event, body, trace, { folded, fold, onSelect, onOpen }),
  );
  draw();
  return {
    element,
    select(id, inSight) {
      chosen = id;
      mark();
      // above the sheet of its details
      if (inSight) body.querySelector(`[data-span="${id}"]`)?.scrollIntoView({ block: "nearest" });
    },
  };
}

/** Roots of the tree `{span, depth, children, size}`; a span whose parent did not arrive counts as a root. */
function build(spans) {
  const nodes = new Map(spans.map((span) => [span.id, { span, depth: 0, children: [], orphan: false }]));
  const roots = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parent);
    if (parent && parent !== node) parent.children.push(node);
    else {
      node.orphan = Boolean(node.span.parent);
      roots.push(node);
    }
  }
  const settle = (list, depth) => {
    list.sort((a, b) => a.span.start - b.span.start);
    for (const node of list) {
      node.depth = depth;
      settle(node.children, depth + 1);
    }
  };
  settle(roots, 0);
  return roots;
}

function visible(roots, folded) {
  return roots.flatMap((node) => [node, ...(folded.has(node.span.id) ? [] : visible(node.children, folded))]);
}

function axis(total, values) {
  const at = (ns) => `${(ns / total) * 100}%`;
  const marks = values.filter((ns) => ns / total < 0.96).map((ns) =>
    h("span", { style: { left: at(ns) } }, duration(ns))
  );
  return h(
    "div",
    { class: "line axis", "aria-hidden": "true" },
    h("div", {}, "Service and operation"),
    h("div", { class: "scale" }, marks),
  );
}

function row(node, trace, { folded, fold, onSelect, onOpen }) {
  const { span, depth, children, orphan } = node;
  const left = (span.start / trace.duration) * 100 || 0;
  const width = (span.duration / trace.duration) * 100 || 0;
  const open = !folded.has(span.id);
  const both = [named(span.service, "(no service)"), ": ", named(span.name)];
  const twist = children.length
    ? h("button", {
      class: "twist",
      tabindex: "-1",
      "aria-expanded": String(open),
      "aria-label": open ? "Fold" : "Unfold",
      onclick: (event) => (event.stopPropagation(), fold(span.id, open)),
    }, icon("chevron", 14))
    : h("span", { class: "twist" });
  twist.querySelector(".icon")?.classList.add("turns");
  const events = span.events.filter(({ offset }) => offset >= 0 && offset <= trace.duration)
    .map(({ name, offset }) =>
      h("i", {
        class: "event",
        title: named(name),
        style: { "--left": `${(offset / trace.duration) * 100}%` },
      })
    );
  return h(
    "div",
    {
      class: `line span-row${span.error ? " error" : ""}${left + width > 72 && left > 18 ? " late" : ""}`,
      role: "treeitem",
      "data-span": span.id,
      tabindex: "-1",
      "aria-level": depth + 1,
      "aria-expanded": children.length ? String(open) : undefined,
      "aria-selected": "false",
      "aria-label": [...both, `, ${duration(span.duration)}${span.error ? ", failed" : ""}`],
      style: {
        "--c": theme.service(span.service),
        "--depth": depth,
        "--left": `${left}%`,
        "--width": `${width}%`,
      },
      onclick: () => (onOpen(true), onSelect(span.id)),
    },
    h(
      "div",
      { class: "name" },
      twist,
      span.error && h("span", { class: "mark", title: "Status ERROR" }, icon("warning", 15)),
      h(
        "span",
        { class: "text", title: both },
        title(span.name),
        " ",
        h(
          "span",
          { class: "of" },
          title(span.service, "(no service)"),
          orphan && " · parent missing",
          !open && ` · ${size(node)} folded`,
        ),
      ),
    ),
    h(
      "div",
      { class: "lane" },
      h("div", { class: "bar" }),
      events,
      h("span", { class: "time" }, duration(span.duration)),
    ),
  );
}

const size = ({ children }) => children.reduce((sum, child) => sum + 1 + size(child), 0);

function walk(event, body, { spans }, { folded, fold, onSelect, onOpen }) {
  const rows = rowsIn(body);
  const i = rows.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const to = (one) => one && (onSelect(one.dataset.span), one.focus());
  const id = rows[i]?.dataset.span;
  const isParent = spans.some(({ parent }) => parent === id);
  if (event.key === "ArrowDown") to(rows[i + 1]);
  else if (event.key === "ArrowUp") to(rows[i - 1]);
  else if (event.key === "ArrowLeft" && isParent && !folded.has(id)) fold(id, true);
  else if (event.key === "ArrowLeft") {
    to(rows.find((one) => one.dataset.span === spans.find((span) => span.id === id)?.parent));
  } else if (event.key === "ArrowRight" && folded.has(id)) fold(id, false);
  else if (event.key === "ArrowRight" && isParent) to(rows[i + 1]);
  else if (event.key === "Enter" || event.key === " ") (onOpen(true), to(rows[i]));
  else if (event.key === "Escape") onOpen(false);
  else return;
  event.preventDefault();
}

/** @type {(body: HTMLElement) => HTMLElement[]} */
const rowsIn = (body) => [...body.querySelectorAll(".span-row")].filter((row) => row instanceof HTMLElement);
