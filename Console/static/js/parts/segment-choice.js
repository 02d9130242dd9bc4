// The segments in the container, with their size and age.

import { ask } from "../api.js";
import { h, name, put } from "../dom.js";
import { age, bytes, plural } from "../format.js";
import { empty, loading, problemBox } from "../notice.js";
import { choice } from "./field.js";

const MANY = 8;

export class SegmentChoice {
  constructor(chosen, signal) {
    this.chosen = chosen;
    this.signal = signal;
    this.found = [];
    this.element = h("div", { class: "stack" });
  }

  async load(segments) {
    put(this.element, loading(3));
    try {
      this.found = await ask("/segments", { signal: this.signal });
      this.show(segments);
      this.chosen(segments);
    } catch (problem) {
      if (problem.name !== "AbortError") put(this.element, problemBox(problem, () => this.load(segments)));
    }
  }

  show(segments) {
    const gone = segments.filter((segment) => !this.found.some((one) => one.segment === segment));
    const all = [...this.found, ...gone.map((segment) => ({ segment, snapshot: null, columns: [], error: { message: "It is not in the container any more." } }))];
    if (all.length === 0) {
      put(this.element, empty("There are no segments in the container", "Set up an export to Azure Blob Storage in Customer Insights. When it has run, its segments stand here."));
      return;
    }
    const choices = all.map((one) => [one.segment.toLowerCase(), this.one(one, segments.includes(one.segment))]);
    this.box = h("div", { class: `choices ${all.length > MANY ? "scrolls" : ""}`, role: "group", "aria-label": "Segments" }, choices.map(([, each]) => each));
    const filter = h("input", {
      type: "search",
      "aria-label": "Search segments",
      placeholder: `Search ${plural(all.length, "segment")}`,
      input: () => choices.forEach(([text, each]) => (each.hidden = !text.includes(filter.value.trim().toLowerCase()))),
    });
    put(this.element, all.length > MANY && filter, this.box, h("p", { class: "hint" }, "Several segments go to one list: of the same address the first one wins."));
  }

  one({ segment, snapshot, columns, error }, checked) {
    const [folder, table] = segment.split("/");
    const under = snapshot
      ? `${folder} · ${bytes(snapshot.bytes)} in ${plural(snapshot.partitions, "partition")} · ${plural(columns.length, "column")} · ${age(snapshot.age_hours)}`
      : error.message;
    return choice("checkbox", "segment", { value: segment, checked, disabled: !snapshot && !checked, title: name(table), under: name(under), change: () => this.chosen(this.picked()) });
  }

  picked() {
    return [...this.box.querySelectorAll("input:checked")].map((input) => input.value);
  }

  // The columns that all of these have.
  columns(segments) {
    const known = this.found.filter((one) => segments.includes(one.segment) && one.snapshot);
    if (known.length === 0) return [];
    return known[0].columns.filter((column) => known.every((one) => one.columns.includes(column)));
  }
}
