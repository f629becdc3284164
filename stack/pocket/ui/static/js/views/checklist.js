// The checklist: what `workshop check` found, with a hint for everything that is missing.

import * as grafana from "../api/grafana.js";
import { messageOf } from "../api/http.js";
import { h, icon, put } from "../core/dom.js";
import { dateTime } from "../core/format.js";
import { loader } from "../parts/loader.js";
import { coded, empty, failed, loading } from "../parts/states.js";

export function mount(root, context) {
  const page = h("div", { class: "stack" }, loading());
  const problem = h("div");
  const label = h("span", {}, "Run the check");
  const again = h("button", { class: "button primary", onclick: check }, icon("play", 14), label);
  const lead = h("span", { class: "muted" });
  const work = loader(page, (error) => put(page, failed(error)));
  context.title("Checklist");
  put(
    root,
    h(
      "div",
      { class: "stack" },
      h("div", { class: "toolbar" }, lead, h("span", { class: "spacer" }), again),
      problem,
      page,
    ),
  );

  const load = () => work.load(async (signal) => show(await grafana.checklist(signal)));

  async function check() {
    busy(true);
    put(problem);
    try {
      show(await grafana.runCheck());
    } catch (error) {
      put(problem, h("div", { class: "callout", role: "alert" }, messageOf(error)));
    }
    busy(false);
  }

  function busy(on) {
    again.disabled = on;
    again.classList.toggle("spinning", on);
    again.firstChild?.replaceWith(icon(on ? "refresh" : "play", 14));
    put(label, on ? "Checking…" : "Run the check");
    page.classList.toggle("busy", on);
  }

  function show({ stage, result }) {
    put(
      lead,
      stage
        ? `Stage ${stage}: is every signal and every link there?`
        : "Is every signal and every link there?",
    );
    const checks = result?.items ?? [];
    if (!checks.length) {
      return put(
        page,
        empty(
          "Nothing has been checked yet",
          `Press “Run the check”, or run \`make check STAGE=${stage ?? 1}\` in a terminal.`,
        ),
      );
    }
    const missing = checks.filter(({ status }) => status === "fail");
    const others = groups(checks.filter(({ status }) => status !== "fail"));
    return put(
      page,
      progress(checks, result),
      missing.length > 0 && section(`Missing: ${missing.length}`, missing, true),
      others.map(([name, list]) => section(name, list)),
    );
  }

  load();
  return { update: load, refresh() {}, unmount: work.stop };
}

const SIGNS = {
  pass: ["check", "found"],
  fail: ["cross", "missing"],
  skip: ["info", "cannot be asked here"],
};

function progress(checks, result) {
  const asked = checks.filter(({ status }) => status !== "skip").length;
  const good = checks.filter(({ status }) => status === "pass").length;
  const when = Date.parse(result.checked_at);
  return h(
    "div",
    { class: "card progress" },
    h("span", { class: `pill ${good === asked ? "ok" : "error"}` }, `${good} of ${asked}`),
    h(
      "div",
      { class: "track", role: "img", "aria-label": `${good} of ${asked} found` },
      h("i", { style: { width: `${(good / Math.max(asked, 1)) * 100}%` } }),
    ),
    h(
      "span",
      { class: "muted small" },
      good === asked ? "You have it all." : "See the hints below.",
      when && ` Checked at ${dateTime(when)}.`,
    ),
  );
}

/** What is missing comes first, with the group it is of: it is what one came for. */
const section = (title, list, withGroup = false) =>
  h(
    "section",
    { class: "stack", style: { gap: "6px" }, "aria-label": title },
    title && h("h2", {}, title),
    h("div", { class: "card flush" }, list.map((one) => line(one, withGroup))),
  );

const groups = (checks) => [...Map.groupBy(checks, ({ group }) => group ?? "")];

function line(one, withGroup) {
  const [sign, label] = SIGNS[one.status] ?? SIGNS.fail;
  return h(
    "div",
    { class: `check ${one.status}` },
    h("span", { class: "sign", role: "img", "aria-label": label }, icon(sign, 17)),
    h("div", {}, one.title, withGroup && one.group && [" ", h("span", { class: "tag" }, one.group)]),
    one.detail && h("div", { class: "detail" }, one.detail),
    one.hint && h("div", { class: "hint" }, coded(one.hint)),
  );
}
