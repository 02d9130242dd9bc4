// Runs over time: one bar a run, stacked by what became of its rows.

import { h, put, s } from "../dom.js";
import { compact, number, spoken } from "../format.js";
import { go } from "../router.js";
import { rejected, word } from "../status.js";

const SERIES = [
  ["added", "Added", (counts) => counts.added],
  ["updated", "Updated", (counts) => counts.updated],
  ["unchanged", "Unchanged", (counts) => counts.unchanged],
  ["rejected", "Rejected", (counts) => rejected(counts) + counts.refused],
];
const MARKS = { failed: "✕", cancelled: "–" };
const LEFT = 46;
const TOP = 10;
const BOTTOM = 24;
const WIDEST = 34;

export class RunChart {
  constructor(exportId) {
    this.exportId = exportId;
    this.hidden = new Set();
    this.runs = [];
    this.box = h("div", { class: "chart" });
    this.legend = h("div", { class: "legend", role: "group", "aria-label": "What the chart shows" }, SERIES.map((one) => this.toggle(one)), key("✕", "Failed"));
    this.element = h("figure", {}, this.legend, this.box);
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  toggle([id, text]) {
    const press = () => {
      if (!this.hidden.delete(id)) this.hidden.add(id);
      button.setAttribute("aria-pressed", String(!this.hidden.has(id)));
      this.draw();
    };
    const button = h("button", { class: `s-${id}`, "aria-pressed": "true", click: press }, h("span", { class: "swatch" }), text);
    return button;
  }

  // The newest first, as the API gives them.
  show(runs) {
    this.runs = runs;
    this.draw();
  }

  draw() {
    const { width, height } = this.box.getBoundingClientRect();
    if (!width) return;
    const room = Math.max(1, Math.floor((width - LEFT) / 7));
    const runs = this.runs.slice(0, room).reverse();
    const series = SERIES.filter(([id]) => !this.hidden.has(id));
    const sums = runs.map((run) => series.reduce((sum, [, , of]) => sum + of(run.counts), 0));
    const most = ceiling(Math.max(1, ...sums));
    const bottom = height - BOTTOM;
    const scale = (bottom - TOP) / most;
    const step = Math.min(WIDEST * 1.5, (width - LEFT) / Math.max(1, runs.length));
    const drawing = s("svg", { role: "img", "aria-label": summary(runs) }, rules(most, width, bottom, scale));
    runs.forEach((run, at) => {
      drawing.append(this.bar(run, { x: LEFT + at * step, step, bottom, scale, series }));
    });
    drawing.append(...days(runs, step, width, height));
    put(this.box, drawing);
  }

  bar(run, { x, step, bottom, scale, series }) {
    const wide = Math.max(2, Math.min(WIDEST, step * 0.72));
    const left = x + (step - wide) / 2;
    let y = bottom;
    const parts = series.map(([id, , of]) => {
      const size = of(run.counts) * scale;
      if (size <= 0) return null;
      const tall = Math.max(1, size);
      y -= tall;
      return s("rect", { class: `s-${id}`, x: left, y, width: wide, height: tall });
    });
    const middle = left + wide / 2;
    const arm = Math.min(4.5, wide / 2);
    const mark = run.status === "failed"
      ? s("path", { class: "failed", d: `M${middle - arm} ${y - 14}l${2 * arm} ${2 * arm}m0 ${-2 * arm}l${-2 * arm} ${2 * arm}` })
      : run.status === "cancelled" && s("path", { class: "cancelled", d: `M${middle - arm} ${y - 8}h${2 * arm}` });
    return s(
      "g",
      { class: `bar-run ${run.dry_run ? "dry" : ""}`, click: () => go(`/console/exports/${this.exportId}/runs/${run.id}`) },
      s("title", {}, told(run)),
      s("rect", { class: "hit", x, y: TOP, width: step, height: bottom - TOP }),
      parts,
      mark,
    );
  }
}

const key = (mark, text) => h("span", { class: "key" }, h("span", { class: "mark", "aria-hidden": "true" }, mark), text);

function rules(most, width, bottom, scale) {
  return [0, 0.5, 1].map((share) => {
    const y = bottom - most * share * scale;
    return [
      s("line", { class: "rule", x1: LEFT, x2: width, y1: y, y2: y }),
      s("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, compact(most * share)),
    ];
  });
}

function days(runs, step, width, height) {
  if (runs.length === 0) return [];
  const label = (run, x, anchor) => s("text", { x, y: height - 4, "text-anchor": anchor }, spoken(new Date(run.created_at)));
  const end = LEFT + runs.length * step;
  const first = label(runs[0], LEFT, "start");
  return runs.length > 1 && end - LEFT > 260 ? [first, label(runs.at(-1), Math.min(end, width), "end")] : [first];
}

// The next round number.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((one) => one * power).find((one) => one >= value);
}

function told(run) {
  const counts = SERIES.map(([, text, of]) => `${text} ${number(of(run.counts))}`).join("\n");
  const mark = MARKS[run.status] ? ` ${MARKS[run.status]}` : "";
  return `${spoken(new Date(run.created_at))}: ${word(run.status)}${mark}${run.dry_run ? ", dry run" : ""}\n${counts}`;
}

function summary(runs) {
  const failed = runs.filter((run) => run.status === "failed").length;
  return `The last ${runs.length} runs as bars, ${failed} of them failed. The table below has the numbers.`;
}
