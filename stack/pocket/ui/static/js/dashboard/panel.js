// One panel: its card, when it asks (once in sight, then on refresh), and what it shows meanwhile or instead.

import { ApiError, isAbort } from "../api/http.js";
import { h, icon, put } from "../core/dom.js";
import { empty, failed, loading, trafficHint, unavailable } from "../parts/states.js";
import { tip } from "../parts/tooltip.js";
import { exploreLink } from "./explore.js";
import { BARE, HALF, PANELS, SCROLLS } from "./panels.js";
import { frame, run } from "./targets.js";

/** `{element, refresh(), dispose()}`. The element's `data-state` is loading, ready, empty or error. */
export function panelCard(panel, context) {
  const body = h("div", { class: "body" }, loading());
  const element = card(panel, body, context);
  let drawn;
  let control;
  let visible = false;
  let stale = true;

  async function load() {
    stale = false;
    control?.abort();
    control = new AbortController();
    const { signal } = control;
    element.classList.add("loading");
    try {
      const setting = frame(panel, context.range(), element.clientWidth || 600);
      const results = panel.type === "text" ? [] : await run(panel, setting, signal);
      if (!signal.aborted) show(results, setting);
    } catch (error) {
      if (!isAbort(error) && !signal.aborted) refuse(error);
    }
    if (!signal.aborted) element.classList.remove("loading");
  }

  function show(results, setting) {
    const kind = PANELS[panel.type];
    if (!kind) {
      return settle("error", failed(new ApiError(`This UI does not draw panels of type “${panel.type}”.`)));
    }
    if (panel.type !== "text" && isEmpty(results)) return settle("empty", nothing(panel, context));
    if (!drawn || element.dataset.state !== "ready") {
      drawn = kind(panel, context);
      put(body, drawn.element);
    }
    drawn.draw(results, setting);
    element.dataset.state = "ready";
    return undefined;
  }

  function refuse(error) {
    const missing = error instanceof ApiError && error.status === 404 && error.source === "PostgreSQL";
    settle(
      missing ? "unavailable" : "error",
      missing
        ? unavailable(
          "The PostgreSQL data source is not there: " +
            "this panel needs Grafana's full stack, or a stage with a database.",
        )
        : failed(error),
    );
  }

  function settle(state, content) {
    element.dataset.state = state;
    drawn = undefined;
    put(body, content);
  }

  const watcher = new IntersectionObserver((entries) => {
    visible = entries.at(-1)?.isIntersecting ?? false;
    if (visible && stale) load();
  }, { rootMargin: "200px" });
  watcher.observe(element);
  return {
    element,
    refresh() {
      stale = true;
      if (visible) load();
    },
    dispose() {
      watcher.disconnect();
      control?.abort();
    },
  };
}

function card(panel, body, context) {
  const info = panel.description &&
    h("button", { class: "button bare", "aria-label": ["About: ", panel.description] }, icon("info", 14));
  if (info) tip(info, () => [panel.description]);
  const explore = exploreLink(panel, context);
  const link = explore &&
    h("a", {
      class: "button bare go",
      title: "Explore this query",
      "aria-label": ["Explore: ", panel.title],
      href: "#",
    }, icon("explore", 14));
  if (link) {
    for (const event of ["pointerenter", "focus", "click"]) {
      link.addEventListener(event, () => link.setAttribute("href", explore()));
    }
  }
  const { x = 0, y = 0, w = 12, h: height = 8 } = panel.gridPos ?? {};
  const classes = [
    "panel",
    panel.transparent && "bare",
    SCROLLS.has(panel.type) && "scrolls",
    HALF.has(panel.type) && w <= 8 && "half",
  ];
  return h(
    "section",
    {
      class: classes.filter(Boolean).join(" "),
      "data-state": "loading",
      "data-type": panel.type,
      "aria-label": panel.title || panel.type,
      style: { "--x": x, "--y": y, "--w": w, "--h": height },
    },
    (panel.title || !BARE.has(panel.type)) &&
      h("header", {}, h("h2", { title: panel.title }, panel.title), info, link),
    body,
  );
}

function isEmpty(results) {
  return results.every(({ series, table, lines, traces, graph, flame }) =>
    !series?.some(({ v }) => v.some((value) => value !== null)) && !table?.rows.length && !lines?.length &&
    !traces?.length && !graph?.edges.length && !flame?.total
  );
}

function nothing(panel, context) {
  const text = panel.fieldConfig?.defaults?.noValue;
  return empty(text ?? `No data in ${context.rangeWords()}`, text ? undefined : trafficHint(context));
}
