// Heads of columns that sort the rows below them.

import { h } from "../dom.js";

// `columns`: text, key(row), figure?, title?. `sorted` gives the rows in the order that was chosen last.
export function sortHeads(columns, again) {
  let by = 0;
  let down = false;
  const cells = columns.map((column, number) => {
    const choose = () => {
      down = by === number ? !down : Boolean(column.figure);
      by = number;
      mark();
      again();
    };
    const button = h("button", { class: "sort", click: choose, title: column.title }, column.text);
    return h("th", { role: "columnheader", scope: "col", class: column.figure && "figure" }, button);
  });
  const mark = () =>
    cells.forEach((cell, number) => cell.setAttribute("aria-sort", number !== by ? "none" : down ? "descending" : "ascending"));
  mark();
  const sorted = (rows) => {
    const keyed = rows.map((row) => [columns[by].key(row), row]);
    keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    if (down) keyed.reverse();
    return keyed.map(([, row]) => row);
  };
  return { cells, sorted };
}
