// The account of a run as a flow: from the rows read to what became of each.

import { h, put, s } from "../dom.js";
import { number } from "../format.js";

const SENT = [
  ["added", "Added to the list"],
  ["updated", "Updated on the list"],
  ["refused", "Refused by Campaign Monitor"],
  ["unsent", "Not sent"],
];
const KEPT = [
  ["unchanged", "Unchanged, nothing to send"],
  ["duplicate", "Duplicate address"],
  ["invalid", "Invalid"],
  ["malformed", "Unreadable"],
];
const HEIGHT = 250; // of all bands together
const LEAST = 3;
const PITCH = 26; // between two labels, at least
const NODE = 10;
const LABELS = 262; // pixels for the words beside the bands
const TOP = 26;

export class Flow {
  constructor() {
    this.box = h("div");
    this.ledger = h("div", { class: "ledger" });
    this.element = h("div", { class: "flow" }, this.box, this.ledger);
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  show(counts, dryRun) {
    const shown = JSON.stringify([counts, dryRun]);
    if (this.shown === shown) return;
    this.shown = shown;
    this.counts = counts;
    this.dryRun = dryRun;
    put(this.ledger, ledger(counts));
    this.draw();
  }

  draw() {
    const width = this.box.clientWidth;
    if (!width || !this.counts) return;
    const { counts } = this;
    if (counts.rows_read === 0) {
      put(this.box, h("p", { class: "quiet" }, "No row has been read yet."));
      return;
    }
    const narrow = width < 560;
    const right = width - (narrow ? Math.min(190, width * 0.52) : LABELS);
    const scale = HEIGHT / counts.rows_read;
    const leaves = [...SENT, ...KEPT].map(([id, text]) => ({ id, text, value: counts[id], sent: SENT.some(([one]) => one === id) })).filter((leaf) => leaf.value > 0);
    let y = TOP;
    for (const leaf of leaves) {
      leaf.size = Math.max(LEAST, leaf.value * scale);
      leaf.y = y;
      y += Math.max(leaf.size + 8, PITCH);
      leaf.text = this.dryRun && leaf.id === "unsent" ? "To be sent" : leaf.text;
    }
    const parts = [];
    const sent = leaves.filter((leaf) => leaf.sent);
    const middle = right * 0.5;
    const total = leaves.reduce((sum, leaf) => sum + leaf.size, 0);
    let from = TOP + Math.max(0, (y - TOP - total) / 2 - 8);
    parts.push(s("rect", { class: "source", x: 0, y: from, width: NODE, height: total, rx: 2 }));
    parts.push(text(0, from - 9, [number(counts.rows_read), " rows read"], "start"));
    if (sent.length) {
      const size = sent.reduce((sum, leaf) => sum + leaf.size, 0);
      const top = sent[0].y + (sent.at(-1).y + sent.at(-1).size - sent[0].y - size) / 2;
      parts.push(band(NODE, from, middle, top, size, "source"), s("rect", { class: "source", x: middle, y: top, width: NODE, height: size, rx: 2 }));
      if (!narrow) parts.push(text(middle + NODE / 2, top - 9, [number(counts.to_send), " to send"], "middle"));
      let at = top;
      for (const leaf of sent) {
        parts.push(band(middle + NODE, at, right, leaf.y, leaf.size, `s-${leaf.id}`));
        at += leaf.size;
      }
      from += size;
    }
    for (const leaf of leaves.filter((one) => !one.sent)) {
      parts.push(band(NODE, from, right, leaf.y, leaf.size, `s-${leaf.id}`));
      from += leaf.size;
    }
    for (const leaf of leaves) {
      parts.push(s("rect", { class: `node s-${leaf.id}`, x: right, y: leaf.y, width: NODE, height: leaf.size, rx: 2 }));
      parts.push(text(right + NODE + 8, leaf.y + leaf.size / 2 + 5, [number(leaf.value), ` ${narrow ? leaf.text.split(/,| by| on| to the/)[0] : leaf.text}`], "start"));
    }
    const drawing = s("svg", { role: "img", "aria-label": told(counts), width, height: y }, parts);
    this.box.style.height = `${y}px`;
    put(this.box, drawing);
  }
}

function text(x, y, [value, label], anchor) {
  return s("text", { x, y, "text-anchor": anchor, class: "label" }, s("tspan", { class: "value" }, value), label);
}

function band(x0, y0, x1, y1, size, kind) {
  const bend = (x0 + x1) / 2;
  const upper = `M${x0} ${y0}C${bend} ${y0} ${bend} ${y1} ${x1} ${y1}`;
  const lower = `L${x1} ${y1 + size}C${bend} ${y1 + size} ${bend} ${y0 + size} ${x0} ${y0 + size}Z`;
  return s("path", { class: `band ${kind}`, d: upper + lower });
}

// The two equations, which hold at every moment after planning.
function ledger(counts) {
  const line = (total, title, terms) =>
    h("p", {}, h("strong", {}, number(counts[total])), `${title} =`, terms.map(([id, label], at) => h("span", {}, at > 0 && "+ ", h("strong", {}, number(counts[id])), ` ${label}`)));
  return [
    line("rows_read", "rows read", [["malformed", "unreadable"], ["invalid", "invalid"], ["duplicate", "duplicate"], ["unchanged", "unchanged"], ["to_send", "to send"]]),
    line("to_send", "to send", [["added", "added"], ["updated", "updated"], ["refused", "refused"], ["unsent", "not sent"]]),
    counts.to_remove > 0 &&
      h("p", {}, h("strong", {}, number(counts.to_remove)), "have left the segments:", h("span", {}, h("strong", {}, number(counts.removed)), " removed"), h("span", {}, "+ ", h("strong", {}, number(counts.to_remove - counts.removed)), " not removed")),
  ];
}

const told = (counts) =>
  `Of ${number(counts.rows_read)} rows read, ` + [...SENT, ...KEPT].filter(([id]) => counts[id]).map(([id, words]) => `${number(counts[id])}: ${words}`).join("; ");
