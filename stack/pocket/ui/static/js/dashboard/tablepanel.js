// Table panels: labels and values of instant queries, joined across targets, or a database's rows.

import { h, put } from "../core/dom.js";
import { dateTime, format } from "../core/format.js";
import { sortableTable } from "../parts/table.js";
import { fieldOptions, mapped, thresholdColour } from "./fields.js";

export function tablePanel(panel) {
  const table = sortableTable();
  const element = h("div", {}, table.element);
  return {
    element,
    draw(results) {
      const joined = organize(
        results.some(({ table: t }) => t) ? results.find(({ table: t }) => t).table : join(results),
        panel.transformations ?? [],
      );
      table.draw(joined.columns.map((column) => head(panel, column)), joined.rows);
      if (!joined.rows.length) put(element, h("p", { class: "state" }, "No rows"));
    },
  };
}

/**
 * Rows with equal labels become one; a target's value is the column `Value`, or `Value #A` if there are
 * several.
 */
function join(results) {
  const labels = [
    ...new Set(results.flatMap(({ series }) => (series ?? []).flatMap((one) => Object.keys(one.labels)))),
  ].filter((name) => name !== "__name__");
  const many = results.length > 1;
  const rows = new Map();
  results.forEach(({ series }, i) => {
    for (const one of series ?? []) {
      const key = JSON.stringify(labels.map((name) => one.labels[name] ?? ""));
      if (!rows.has(key)) {
        rows.set(key, [
          one.t.at(-1),
          ...labels.map((name) => one.labels[name] ?? ""),
          ...results.map(() => null),
        ]);
      }
      rows.get(key)[1 + labels.length + i] = one.v.findLast((value) => value !== null) ?? null;
    }
  });
  const values = results.map(({ refId }) => ({
    name: many ? `Value #${refId}` : "Value",
    type: "number",
    refId,
  }));
  const columns = [
    { name: "Time", type: "time" },
    ...labels.map((name) => ({ name, type: "string" })),
    ...values,
  ];
  return { columns, rows: [...rows.values()] };
}

/**
 * Grafana's “organize fields”: leaves columns out, orders and renames them. The bare time of an instant is
 * left out.
 */
function organize({ columns, rows }, transformations) {
  const options = transformations.find(({ id }) => id === "organize")?.options ?? {};
  const { excludeByName = {}, indexByName = {}, renameByName = {} } = options;
  const isInstant = columns[0]?.name === "Time";
  const kept = columns.map((column, i) => ({ column, i })).filter(({ column, i }) =>
    !excludeByName[column.name] && !(isInstant && i === 0)
  );
  kept.sort((a, b) => (indexByName[a.column.name] ?? 99) - (indexByName[b.column.name] ?? 99));
  return {
    columns: kept.map(({ column }) => ({ ...column, title: renameByName[column.name] || column.name })),
    rows: rows.map((row) => kept.map(({ i }) => row[i])),
  };
}

function head(panel, column) {
  const options = { ...fieldOptions(panel, { name: column.name, refId: column.refId }) };
  const renamed = fieldOptions(panel, { name: column.title, refId: column.refId });
  const own = {
    ...options,
    ...Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined && value !== "")),
  };
  return {
    title: own.displayName ?? column.title,
    number: column.type === "number",
    cell: (value) => cell(value, column, own),
  };
}

function cell(value, { type }, options) {
  if (type === "time") {
    return value === null ? "–" : h(
      "span",
      { title: dateTime(value, true) },
      dateTime(value).replace(`${dateTime(Date.now()).slice(0, 10)} `, ""),
    );
  }
  const map = mapped(value, options);
  if (type !== "number") {
    return map?.text ??
      (value === null || value === undefined
        ? "–"
        : typeof value === "object"
        ? JSON.stringify(value)
        : String(value));
  }
  const coloured = options.custom?.cellOptions?.type?.startsWith("color")
    ? thresholdColour(value, options)
    : undefined;
  return h(
    "span",
    { style: { color: map?.colour ?? coloured } },
    map?.text ?? format(value, options.unit, options.decimals),
  );
}
