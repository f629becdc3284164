// Profiles: where the CPU time of a service went. Flame graph, top functions, and use over time.

import { ApiError } from "../api/http.js";
import * as pyroscope from "../api/pyroscope.js";
import { flameGraph, short, topFunctions } from "../charts/flame.js";
import { timeSeries } from "../charts/timeseries.js";
import { h, icon, put } from "../core/dom.js";
import { count, duration, format } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { step as chooseStep } from "../core/timerange.js";
import { loader } from "../parts/loader.js";
import { empty, failed, loading, trafficHint, unknown } from "../parts/states.js";
import { sortableTable } from "../parts/table.js";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

export function mount(root, context) {
  const serviceBox = h("select", {
    "aria-label": "Service",
    onchange: () => router.update({ service: serviceBox.value, span: undefined }),
  });
  const typeBox = h("select", {
    "aria-label": "Profile type",
    onchange: () => router.update({ type: typeBox.value === CPU ? undefined : typeBox.value }),
  });
  const chart = flameGraph();
  const find = h("input", {
    type: "search",
    placeholder: "Find a function",
    "aria-label": "Find a function",
    oninput: () => search(),
  });
  const hits = h("span", { class: "muted small", role: "status" });
  const note = h("span", { class: "muted small", role: "status" });
  const use = timeSeries("CPU use over time");
  const history = h("section", {
    class: "card",
    style: { height: "140px", display: "flex" },
    "aria-label": "Use over time",
  }, use.element);
  const table = sortableTable();
  const page = h("div", { class: "stack" }, loading());
  const layout = h(
    "div",
    { class: "flame-layout" },
    h("section", { class: "card flush scroll", "aria-label": "Top functions" }, table.element),
    h("section", { class: "card", "aria-label": "Flame graph" }, chart.element),
  );
  const work = loader(page, (error) => put(page, failed(error)));
  let shown = { total: 0 };
  context.title("Profiles");
  put(
    root,
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "toolbar" },
        h("label", { class: "field" }, "Service", serviceBox),
        h("label", { class: "field" }, "Type", typeBox),
        find,
        hits,
        h(
          "button",
          { class: "button", onclick: () => chart.zoom(undefined) },
          icon("refresh", 14),
          "Reset zoom",
        ),
        h("span", { class: "spacer" }),
        note,
      ),
      page,
    ),
  );

  function search() {
    const found = chart.search(find.value);
    put(
      hits,
      found &&
        (found.frames
          ? `${count(found.frames, "frame")}, ${
            format(found.total / (shown.total || 1), "percentunit", 1)
          } of the time`
          : "no such function"),
    );
  }

  function load() {
    return work.load(async (signal) => {
      const { params } = router.current();
      const range = context.range();
      const [services, types] = await Promise.all([
        pyroscope.services(range, signal),
        pyroscope.profileTypes(range, signal),
      ]);
      const service = params.service ?? services.find((name) => name === "dice-roller") ?? services[0];
      const type = params.type ?? (types.find(({ id }) => id === CPU) ?? types[0])?.id ?? CPU;
      options(
        serviceBox,
        [...new Set([...services, service].filter(Boolean))].map((name) => [name, name]),
        service,
      );
      options(typeBox, types.map(({ id, name }) => [id, name]), type);
      if (!service) return put(page, empty(`No profiles in ${context.rangeWords()}`, trafficHint(context)));
      if (types.length && !types.some(({ id }) => id === type)) {
        return put(
          page,
          unknown(
            ["There is no profile type “", type, "”"],
            "Those there are:",
            types.map(({ id, name }) => [name, router.href(["profiles"], { service, type: id })]),
          ),
        );
      }
      const selector = `{service_name=${JSON.stringify(service)}}`;
      const [stack, series] = await Promise.all([
        stacks(type, selector, params.span, range, signal),
        cpuSeries(type, selector, range, history.clientWidth || 900, signal),
      ]);
      return show(stack, series, range, service, services);
    });
  }

  function show({ flame, words, own }, series, range, service, services) {
    const away = own &&
      h(
        "button",
        { class: "button slim", onclick: () => router.update({ span: undefined }) },
        "Whole service",
      );
    put(
      note,
      flame.total ? [words, ` ${duration(flame.total)} of CPU in ${context.rangeWords()} `, away] : words,
    );
    if (!flame.total) {
      return put(
        page,
        unknown(
          ["No profile of ", service, ` in ${context.rangeWords()}`],
          `Profiles arrive every few seconds while a service uses the CPU. ${trafficHint(context)}`,
          services.filter((name) => name !== service).map((
            name,
          ) => [name, router.href(["profiles"], { service: name })]),
        ),
      );
    }
    if (page.firstChild !== history) put(page, history, layout);
    chart.draw(flame);
    shown = flame;
    search();
    drawTop(table, flame, (name) => {
      find.value = name;
      search();
    });
    history.hidden = own || !series.series.length; // of a span, use over time is not kept
    return !history.hidden &&
      use.draw(series.series.map((one) => ({ ...one, name: "CPU", colour: theme.service(service) })), {
        range,
        step: series.step,
        unit: "suffix: cores",
        custom: { fillOpacity: 18 },
        legend: { displayMode: "hidden" },
      });
  }

  load();
  return { update: load, refresh: load, unmount: work.stop };
}

/**
 * A span's own samples if it has a profile id and the backend keeps them apart; else the service's, said so.
 */
async function stacks(type, selector, span, range, signal) {
  if (span) {
    try {
      const flame = await pyroscope.spanFlamegraph(type, selector, [span], range, signal);
      if (flame.total) return { flame, own: true, words: "Samples of this span:" };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  const flame = await pyroscope.flamegraph(type, selector, range, signal);
  return { flame, own: false, words: span ? "The span was too short to be sampled; the whole service:" : "" };
}

/** `path/file.py:function` with the function first: the end of a name is what tells it apart. */
function named(name) {
  const [, file, call] = /^(.*):([^:]+)$/.exec(short(name)) ?? [];
  return call ? [call, " ", h("span", { class: "muted" }, file)] : [name];
}

/** Nanoseconds of CPU per step as cores in use. Pyroscope's points are sums over the step. */
async function cpuSeries(type, selector, range, width, signal) {
  const step = chooseStep(range, width / 12, 15000);
  try {
    const series = await pyroscope.series(type, selector, range, step, [], signal);
    return { step, series: series.map((one) => ({ ...one, v: one.v.map((ns) => ns / 1e6 / step) })) };
  } catch (error) {
    if (error instanceof ApiError) return { step, series: [] };
    throw error;
  }
}

/** The options anew only when they are others: a list that is open stays as it is. */
function options(box, list, chosen) {
  const same = box.options.length === list.length &&
    list.every(([value], i) => box.options[i].value === value);
  if (!same) put(box, list.map(([value, text]) => h("option", { value }, text)));
  if (box.value !== chosen) box.value = chosen;
  box.disabled = !list.length;
}

function drawTop(table, flame, find) {
  const share = (value) => `${((value / flame.total) * 100).toFixed(2)}%`;
  const amount = (value) =>
    h(
      "span",
      { title: format(value / flame.total, "percentunit") },
      duration(value),
      h("i", { class: "meter", style: { "--share": share(value), "--c": "var(--series-2)" } }),
    );
  const rows = topFunctions(flame).slice(0, 200).map(({ name, self, total }) => [name, self, total]);
  table.draw([
    {
      title: "Function",
      clip: true,
      cell: (name) =>
        h(
          "button",
          { class: "button bare slim mono function", title: name, onclick: () => find(name) },
          ...named(name),
        ),
    },
    { title: "Self", number: true, cell: amount },
    { title: "Total", number: true, cell: (value) => duration(value) },
  ], rows);
}
