// A dashboard from Grafana's JSON: rows that fold, panels on the 24-column grid.

import * as grafana from "../api/grafana.js";
import { isAbort, isMissing } from "../api/http.js";
import { h, icon, put } from "../core/dom.js";
import * as router from "../core/router.js";
import { empty, failed, loading, unknown } from "../parts/states.js";
import { panelCard } from "./panel.js";

export function mount(root, context, { path }) {
  let cards = [];
  let uid;
  let control = new AbortController();
  const clear = () => {
    control.abort();
    control = new AbortController();
    for (const card of cards) card.dispose();
    cards = [];
  };

  async function open(wanted) {
    clear();
    context.title("Dashboard");
    put(root, loading());
    const { signal } = control;
    let all = [];
    try {
      all = await grafana.dashboards(signal);
      uid = wanted ?? latest(all)?.uid;
      if (!uid) return put(root, empty("There is no dashboard yet", "Start a stage: `make run STAGE=1`."));
      if (!wanted) history.replaceState(history.state, "", router.href(["d", uid]));
      const dashboard = await grafana.dashboard(uid, signal);
      const sections = draw(dashboard);
      return context.title(dashboard.title, chooser(all, uid), jump(sections));
    } catch (error) {
      if (isAbort(error)) return undefined;
      return put(root, isMissing(error) ? noSuch(uid, all) : failed(error));
    }
  }

  function draw(dashboard) {
    const sections = rows(dashboard.panels ?? []).map(({ row, panels }) => ({
      title: row?.title,
      element: section(row, panels),
    }));
    put(root, sections.map(({ element }) => element));
    return sections.filter(({ title }) => title);
  }

  function section(row, panels) {
    const top = Math.min(...panels.map(({ gridPos }) => gridPos?.y ?? 0));
    const grid = h("div", { class: "grid" });
    const fill = () => {
      const made = panels.map((panel) =>
        panelCard({ ...panel, gridPos: { ...panel.gridPos, y: (panel.gridPos?.y ?? 0) - top } }, context)
      );
      cards.push(...made);
      put(grid, made.map(({ element }) => element));
    };
    if (!row?.collapsed) fill();
    return h("section", { class: "row" }, row?.title && rowHead(row, grid, fill), grid);
  }

  open(path[1]);
  return {
    update({ path: next }) {
      if (next[1] && next[1] !== uid) open(next[1]);
      else for (const card of cards) card.refresh();
    },
    refresh() {
      for (const card of cards) card.refresh();
    },
    unmount: clear,
  };
}

function rowHead(row, grid, fill) {
  grid.hidden = Boolean(row.collapsed);
  const button = h(
    "button",
    { class: "row-head", "aria-expanded": String(!row.collapsed) },
    icon("chevron", 15),
    row.title,
  );
  button.querySelector(".icon")?.classList.add("turns");
  button.addEventListener("click", () => {
    grid.hidden = !grid.hidden;
    if (!grid.hidden && !grid.children.length) fill();
    button.setAttribute("aria-expanded", String(!grid.hidden));
  });
  return button;
}

/** Panels grouped under the row they follow; a collapsed row carries its own. */
function rows(panels) {
  const sorted = [...panels].sort((a, b) =>
    (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0)
  );
  /** @type {{ row: any, panels: any[] }} */
  let group = { row: undefined, panels: [] };
  /** @type {{ row: any, panels: any[] }[]} */
  const groups = [group];
  for (const panel of sorted) {
    if (panel.type === "row") groups.push(group = { row: panel, panels: [...(panel.panels ?? [])] });
    else group.panels.push(panel);
  }
  return groups.filter((group) => group.panels.length);
}

/** A long dashboard's table of contents. */
function jump(sections) {
  if (sections.length < 4) return null;
  const go = ({ target }) => {
    sections[target.value].element.scrollIntoView({
      behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
    });
    target.value = "";
  };
  return h(
    "select",
    { "aria-label": "Go to row", class: "jump", onchange: go },
    h("option", { value: "", selected: true, hidden: true }, "Go to row…"),
    sections.map(({ title }, i) => h("option", { value: i }, title)),
  );
}

const noSuch = (uid, all) =>
  unknown(
    ["There is no dashboard “", uid, "”"],
    all.length ? "Those there are:" : "Start a stage: `make run STAGE=1`.",
    all.map((one) => [one.title, router.href(["d", one.uid])]),
  );

const latest = (all) => all.toSorted((a, b) => a.uid.localeCompare(b.uid, "en", { numeric: true })).at(-1);

function chooser(all, uid) {
  if (all.length < 2) return null;
  return h(
    "select",
    { "aria-label": "Dashboard", onchange: (event) => router.go(["d", event.target.value]) },
    all.map((one) => h("option", { value: one.uid, selected: one.uid === uid }, one.title)),
  );
}
