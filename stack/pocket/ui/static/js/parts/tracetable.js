// Traces as a table: what ran, when, how long, whether it failed; each row leads to the trace.

import { h, title } from "../core/dom.js";
import { clock, dateTime, format } from "../core/format.js";
import * as router from "../core/router.js";
import * as theme from "../core/theme.js";
import { sortableTable } from "./table.js";

/** `{element, draw(hits)}` with hits as api/tempo.js gives them. */
export function traceTable({ compact = false } = {}) {
  const table = sortableTable({
    onRow([hit], event) {
      const isLink = event.target instanceof Element && event.target.closest("a");
      if (!isLink && !getSelection()?.toString()) router.go(["trace", hit.traceID], spanOf(hit));
    },
  });
  table.element.classList.add("traces");
  return {
    element: table.element,
    draw(hits) {
      const most = Math.max(...hits.map(({ durationMs }) => durationMs), 1);
      const errors = hits.some((hit) => isFailed(hit) !== undefined);
      const spans = hits.some(({ services }) => services.length);
      const columns = [
        {
          title: "Trace",
          cell: (hit) =>
            h(
              "a",
              { class: "mono", href: router.href(["trace", hit.traceID], spanOf(hit)) },
              hit.traceID.slice(0, 8),
            ),
          key: ({ traceID }) => traceID,
        },
        { title: "Root", cell: root, clip: true, key: ({ service, name }) => service + name },
        {
          title: "Start",
          wide: true,
          cell: ({ t }) => h("span", { title: dateTime(t, true) }, clock(t, true)),
          key: ({ t }) => t,
        },
        {
          title: "Duration",
          number: true,
          key: ({ durationMs }) => durationMs,
          cell: (
            hit,
          ) => [
            format(hit.durationMs, "ms"),
            h("i", {
              class: "meter",
              style: {
                "--share": `${(hit.durationMs / most) * 100}%`,
                "--c": isFailed(hit) ? "var(--error)" : undefined,
              },
            }),
          ],
        },
        spans && !compact &&
        { title: "Spans", number: true, wide: true, cell: (hit) => spanCount(hit) || "–", key: spanCount },
        errors &&
        {
          title: "Status",
          cell: (
            hit,
          ) => (isFailed(hit)
            ? h("span", { class: "pill error" }, "error")
            : isFailed(hit) === false
            ? h("span", { class: "muted" }, "ok")
            : "–"),
          key: (hit) => Number(isFailed(hit) ?? 0),
        },
      ].filter(Boolean);
      table.draw(columns, hits.map((hit) => columns.map(() => hit)));
    },
  };
}

// Tempo's words (pkg/search/search.go) for a trace whose first span has not ended yet, or never arrived.
const NO_ROOT = "<root span not yet received>";

function root({ service, name }) {
  if (service === NO_ROOT) {
    return h(
      "span",
      { class: "muted", title: "The first span has not ended yet, or was not sent" },
      "root not received yet",
    );
  }
  return h(
    "span",
    { class: "service", style: { "--c": theme.service(service) } },
    h("span", {}, title(service, "(no service)"), " ", h("span", { class: "muted" }, title(name))),
  );
}

const spanOf = (hit) => ({
  span: hit.spanSets[0]?.spans?.length === 1 ? hit.spanSets[0].spans[0].spanID : undefined,
});
const spanCount = ({ services }) => services.reduce((all, { spans }) => all + spans, 0);

/**
 * Whether a search hit shows an error: from the service statistics, or a status among the matched spans'
 * attributes.
 */
export function isFailed({ services, spanSets }) {
  if (services.length) return services.some(({ errors }) => errors > 0);
  const statuses = spanSets.flatMap(({ spans }) => spans ?? []).flatMap(({ attributes }) => attributes ?? [])
    .filter(({ key }) => key === "status");
  return statuses.length ? statuses.some(({ value }) => value?.stringValue === "error") : undefined;
}
