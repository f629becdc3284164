// Results → series and single values, as stat and bar panels want them.

import { reduce } from "../charts/legend.js";
import { displayName, fieldOptions } from "./fields.js";

/**
 * All series of the results; a table's numeric columns count as series, over its time column if it has one.
 */
export function seriesOf(results) {
  return results.flatMap(({ series, table, refId }) => series ?? (table ? columns(table, refId) : []));
}

function columns({ columns: all, rows }, refId) {
  const time = all.findIndex(({ type }) => type === "time");
  return all.flatMap(({ name, type }, i) => (type !== "number" ? [] : [{
    name,
    refId,
    labels: {},
    t: rows.map((row, n) => (time < 0 ? n : row[time])),
    v: rows.map((row) => row[i]),
  }]));
}

/**
 * `[{name, value, options, series}]`: a value a series by the panel's calculation, or one a row with `values:
 * true`.
 */
export function singleValues(panel, results) {
  const { calcs = ["lastNotNull"], values: eachRow, fields } = panel.options?.reduceOptions ?? {};
  const tables = results.filter(({ table }) => table);
  if (tables.length && (eachRow || panel.type === "barchart")) {
    return tables.flatMap(({ table, refId }) => rowValues(panel, table, refId));
  }
  return seriesOf(results).filter(({ name }) => !fields || fieldMatches(fields, name)).map((series) => {
    const options = fieldOptions(panel, series);
    return {
      name: displayName(options, series.name, series.labels),
      value: reduce(series.v, calcs[0]),
      options,
      series,
    };
  });
}

const fieldMatches = (fields, name) =>
  !fields.startsWith("/") || new RegExp(fields.slice(1, fields.lastIndexOf("/"))).test(name);

function rowValues(panel, { columns: all, rows }, refId) {
  const text = all.findIndex(({ type }) => type === "string");
  const numbers = all.flatMap(({ type }, i) => (type === "number" ? [i] : []));
  return rows.flatMap((row) =>
    numbers.map((i) => {
      const name = text < 0
        ? all[i].name
        : numbers.length > 1
        ? `${row[text]} ${all[i].name}`
        : String(row[text]);
      return { name, value: row[i], options: fieldOptions(panel, { name: all[i].name, refId }) };
    })
  );
}
