// The frame: navigation, time range, theme, and the view the hash names. A view is `mount(root, context) →
// {update?(params), refresh(), recolour?(), unmount?()}`; `context` gives it the range and the title.

import { checklist, dashboards } from "./api/grafana.js";
import { h, icon, present, put } from "./core/dom.js";
import { isThere, load, ModuleError } from "./core/modules.js";
import * as scrollPosition from "./core/scrollposition.js";
import * as router from "./core/router.js";
import { legible } from "./core/text.js";
import * as theme from "./core/theme.js";
import * as time from "./core/timerange.js";
import { notices } from "./parts/notices.js";
import { failed, notLoaded } from "./parts/states.js";
import { timePicker } from "./parts/timepicker.js";

const VIEWS = {
  d: "/js/dashboard/view.js",
  traces: "/js/views/traces.js",
  trace: "/js/views/trace.js",
  "service-map": "/js/views/servicemap.js",
  logs: "/js/views/logs.js",
  metrics: "/js/views/metrics.js",
  profiles: "/js/views/profiles.js",
  check: "/js/views/checklist.js",
  nowhere: "/js/views/nowhere.js",
};
const TABS = [
  ["d", "dashboard", "Dashboard"],
  ["traces", "traces", "Traces"],
  ["service-map", "map", "Service map"],
  ["logs", "logs", "Logs"],
  ["metrics", "metrics", "Metrics"],
  ["profiles", "profiles", "Profiles"],
  ["check", "check", "Checklist"],
];

const PATIENCE_MS = 400;
const TIMELESS = new Set(["trace", "check"]); // what they show is of no time range

const [nav, bar, main, skip] = ["#nav", "#bar", "#view", ".skip"].map(present);
const heading = h("h1");
const extra = h("span", { class: "toolbar" });
const workshop = { stage: null };
let mounted;
let isMissing = false; // the view's module did not arrive
let turn = 0;

const picker = timePicker({ onRefresh: () => (mounted ? mounted.view.refresh() : retry()) });
const themeButton = h("button", { class: "button bare", onclick: theme.toggle });

function drawTheme() {
  const label = theme.isDark() ? "Light theme" : "Dark theme";
  put(themeButton, icon(theme.isDark() ? "sun" : "moon"));
  themeButton.title = label;
  themeButton.setAttribute("aria-label", label);
}

function drawNav(path) {
  const active = path[0] === "trace" ? "traces" : path[0];
  const brand = h(
    "a",
    { class: "brand", href: router.href(["d"]) },
    h("img", { src: "/favicon.svg", alt: "" }),
    h("span", {}, "Dice workshop", workshop.stage && h("small", {}, `Stage ${workshop.stage}`)),
  );
  put(
    nav,
    brand,
    TABS.map(([route, sign, label]) =>
      h(
        "a",
        {
          class: "tab",
          href: router.href([route]),
          title: label,
          "aria-label": label,
          "aria-current": route === active && "page",
        },
        icon(sign),
        h("span", {}, label),
      )
    ),
  );
}

const context = {
  workshop,
  views: TABS.map(([path, , label]) => [path, label]),
  range: () => time.range(router.current().params),
  rangeWords: () => time.words(router.current().params),
  title(text, ...nodes) {
    document.title = `${legible(text)} · Dice workshop`;
    put(heading, text);
    put(extra, ...nodes);
  },
};

/** @param {string[]} path */
const viewOf = ([first]) => (Object.hasOwn(VIEWS, first) ? first : "nowhere");

function route() {
  const { path, params } = router.current();
  if (!path.length) return location.replace(router.href(["d"], params)); // no entry of its own to be stuck at
  drawNav(path);
  picker.show(params, !TIMELESS.has(path[0]));
  const top = scrollPosition.arrive();
  const key = viewOf(path);
  if (mounted?.key === key && mounted.view.update) return mounted.view.update({ path, params });
  const isFirst = turn === 0;
  mounted?.view.unmount?.();
  mounted = undefined;
  put(main);
  scrollPosition.settle(main, top);
  // what had it is gone
  if (!isFirst && !bar.contains(document.activeElement)) main.focus({ preventScroll: true });
  return mount(key);
}

async function mount(key, isAsked = false) {
  const mine = (turn += 1);
  isMissing = false;
  try {
    const module = await load(VIEWS[key]);
    if (mine !== turn) return;
    mounted = { key, view: module.mount(main, context, router.current()) };
    markReload(undefined);
  } catch (error) {
    if (mine === turn) await refuse(error, key, isAsked);
  }
}

/**
 * Says so, and keeps in mind that it is to be tried again. A module that another one imports cannot get a new
 * URL: when the server is back and the import still fails, the page begins anew; by itself once, for a file
 * may be broken.
 */
async function refuse(error, key, isAsked) {
  const mine = turn;
  if (!(error instanceof ModuleError)) return put(main, failed(error));
  isMissing = true;
  context.title(TABS.find(([name]) => name === key)?.[2] ?? "Trace");
  put(main, notLoaded(error, () => retry(true)));
  if (
    !error.isRepeated || (history.state?.isReloaded && !isAsked) || !(await isThere(error.path)) ||
    mine !== turn
  ) return undefined;
  markReload(true);
  return location.reload();
}

const markReload = (isReloaded) => history.replaceState({ ...history.state, isReloaded }, "");

function retry(isAsked) {
  if (isMissing) mount(viewOf(router.current().path), isAsked);
}

async function start() {
  put(bar, h("div", { class: "title" }, heading, extra), picker.element, themeButton);
  drawTheme();
  skip.addEventListener("click", (event) => {
    event.preventDefault(); // the hash is the view's
    main.focus();
  });
  theme.onChange(() => {
    drawTheme();
    // charts hold resolved colours; what is being written stays
    (mounted?.view.recolour ?? mounted?.view.refresh)?.();
  });
  document.body.append(notices());
  addEventListener("hashchange", route);
  addEventListener("online", () => retry());
  const learnt = learnStage();
  // hints name the stage
  await Promise.race([learnt, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  await route();
  await learnt;
  drawNav(router.current().path);
}

/**
 * The stage makes hints concrete (`make traffic STAGE=1`); without the workshop's own endpoint the dashboards
 * tell.
 */
async function learnStage() {
  const [list, hits] = await Promise.allSettled([checklist(), dashboards()]);
  const known = hits.status === "fulfilled" ? hits.value : [];
  const stages = known.map(({ uid }) => Number(/stage(\d)$/.exec(uid)?.[1] ?? 0));
  const stage = list.status === "fulfilled" ? list.value.stage : null;
  workshop.stage = stage ?? (Math.max(0, ...stages) || null);
}

start();
