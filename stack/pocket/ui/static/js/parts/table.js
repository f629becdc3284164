// A table whose columns sort on a click of their head.

import { h, put } from "../core/dom.js";

/**
 * `{element, draw(columns, rows)}`; a column is `{title, number?, clip?, wide?, cell?(value, row) → node or
 * text, key?(value)}`, a row an array of values.
 * @param {{ onRow?: (row: any[], event: MouseEvent) => void }} [options]
 */
export function sortableTable({ onRow } = {}) {
  const element = h("table", { class: "table" });
  let by = { column: -1, down: true };
  let last;
  const redraw = () => {
    const [columns, rows] = last;
    const key = columns[by.column]?.key ?? ((value) => value);
    const order = (a, b) => compare(key(a[by.column]), key(b[by.column])) * (by.down ? -1 : 1);
    const sorted = by.column < 0 ? rows : rows.toSorted(order);
    put(
      element,
      h("thead", {}, h("tr", {}, columns.map(headCell))),
      h(
        "tbody",
        {},
        sorted.map((row) =>
          h(
            "tr",
            onRow ? { onclick: (event) => onRow(row, event) } : {},
            columns.map((column, i) => bodyCell(column, row[i], row)),
          )
        ),
      ),
    );
  };
  const headCell = (column, i) =>
    h(
      "th",
      {
        class: classes(column),
        scope: "col",
        "aria-sort": by.column === i ? (by.down ? "descending" : "ascending") : undefined,
      },
      h(
        "button",
        { type: "button", title: column.title, onclick: () => sort(i) },
        column.title,
        by.column === i && (by.down ? " ↓" : " ↑"),
      ),
    );
  const bodyCell = (column, value, row) =>
    h(
      "td",
      { class: classes(column), title: column.clip && typeof value === "string" ? value : undefined },
      column.cell ? column.cell(value, row) : value ?? "–",
    );
  function sort(column) {
    by = { column, down: by.column === column ? !by.down : true };
    redraw();
  }
  return {
    element,
    draw(columns, rows) {
      last = [columns, rows];
      redraw();
    },
  };
}

const classes = ({ number, clip, wide }) =>
  [number && "number", clip && "clip", wide && "hide-narrow"].filter(Boolean).join(" ");

function compare(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
}
