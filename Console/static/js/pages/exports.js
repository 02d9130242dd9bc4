// The start page: every export, what it last did, and what can be done with it.

import { announce } from "../announce.js";
import { ask, query } from "../api.js";
import { h, put } from "../dom.js";
import { number, plural } from "../format.js";
import { begin } from "../frame.js";
import { follow } from "../live.js";
import { empty, loading, problemBox } from "../notice.js";
import { ExportRow } from "../parts/export-row.js";
import { sortHeads } from "../parts/sorting.js";
import { has } from "../session.js";
import { inWork, rejected, word } from "../status.js";

const LIVE = 1000; // milliseconds between two looks while a run is at work
const CALM = 15_000;
const AT_ONCE = 25; // exports whose last runs are asked for in one call

const counted = (of) => (row) => (row.one.last_run ? of(row.one.last_run.counts) : -1);
const COLUMNS = [
  { text: "Export", key: (row) => row.one.display_name.toLowerCase() },
  { text: "Segments to list", key: (row) => row.one.segments.join().toLowerCase() },
  { text: "Schedule", key: (row) => row.one.next_due ?? "~" },
  { text: "Last run", key: (row) => row.one.last_run?.created_at ?? "" },
  { text: "Added", figure: true, key: counted((counts) => counts.added) },
  { text: "Updated", figure: true, key: counted((counts) => counts.updated) },
  { text: "Refused", figure: true, key: counted((counts) => counts.refused), title: "By Campaign Monitor" },
  { text: "Rejected", figure: true, key: counted(rejected), title: "Not sent: unreadable, invalid or a duplicate" },
];

export function exportsPage(_, { signal, first }) {
  const page = begin({ title: "Exports", at: "Exports", first });
  if (has("contributor")) page.actions.append(h("a", { class: "button primary", href: "/console/new-export" }, "New export"));
  const list = new ExportList(page.body, signal);
  list.load();
}

class ExportList {
  constructor(body, signal) {
    this.body = body;
    this.signal = signal;
    this.rows = new Map();
  }

  async load() {
    put(this.body, h("div", { class: "card" }, loading(6)));
    try {
      // What is saved comes at once; the last run of each is looked up while that is read already.
      this.take(await ask("/exports?runs=false", { signal: this.signal }));
    } catch (problem) {
      if (problem.name !== "AbortError") put(this.body, problemBox(problem, () => this.load()));
      return;
    }
    this.soon = follow(() => this.look(), { every: () => (this.working().length ? LIVE : CALM), signal: this.signal });
  }

  take(found) {
    if (found.length === 0) {
      put(this.body, h("div", { class: "card" }, none()));
      return;
    }
    for (const one of found) this.rows.set(one.id, new ExportRow(one, (changed) => this.changed(changed)));
    this.search = h("input", { type: "search", id: "search", placeholder: "Name, segment, list, connection", input: () => this.arrange() });
    this.count = h("span", { class: "quiet", role: "status" });
    this.lines = h("tbody", { role: "rowgroup" });
    this.heads = sortHeads(COLUMNS, () => this.arrange());
    const table = h(
      "table",
      { class: "cards", role: "table", "aria-label": "Exports" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, this.heads.cells, h("th", { role: "columnheader", scope: "col" }, h("span", { class: "unseen" }, "Actions")))),
      this.lines,
    );
    put(
      this.body,
      h("div", { class: "card" }, h("div", { class: "tools" }, h("label", { class: "unseen", for: "search" }, "Search exports"), this.search, this.count), h("div", { class: "tablebox" }, table)),
    );
    this.arrange();
    this.titles();
    this.fill(this.heads.sorted([...this.rows.values()]));
  }

  // Some after the others, in the order in which they are shown; then the ways to sort by them are right, too.
  async fill(rows) {
    for (let at = 0; at < rows.length && !this.signal.aborted; at += AT_ONCE) {
      await this.ask(rows.slice(at, at + AT_ONCE)).catch(() => null);
      if (at === 0) this.soon?.();
    }
    if (!this.signal.aborted) this.arrange();
  }

  async ask(rows) {
    if (rows.length === 0) return;
    const found = await ask(`/exports?${query("id", rows.map((row) => row.one.id))}`, { signal: this.signal });
    for (const one of found) this.rows.get(one.id)?.show(one);
  }

  inView() {
    const rows = [...this.rows.values()].filter(({ element }) => {
      const { top, bottom } = element.getBoundingClientRect();
      return element.isConnected && bottom > 0 && top < innerHeight;
    });
    return rows.slice(0, AT_ONCE);
  }

  arrange() {
    const wanted = this.search.value.trim().toLowerCase();
    const shown = [...this.rows.values()].filter((row) => row.text().includes(wanted));
    put(this.lines, this.heads.sorted(shown).map((row) => row.element));
    const all = this.rows.size;
    this.count.textContent = shown.length === all ? plural(all, "export") : `${number(shown.length)} of ${plural(all, "export")}`;
  }

  working() {
    return [...this.rows.values()].filter((row) => inWork(row.one.last_run));
  }

  // While runs are at work only those are asked for; else what is in view, since the schedule may have begun one.
  async look() {
    const working = this.working();
    if (working.length === 0) {
      await this.ask(this.inView());
      return;
    }
    await Promise.all(working.map((row) => this.lookAt(row)));
  }

  async lookAt(row) {
    const { id, last_run: before } = row.one;
    const run = await ask(`/exports/${id}/runs/${before.id}`, { signal: this.signal });
    row.show({ ...row.one, last_run: run });
    if (!inWork(run)) announce(`${row.one.display_name}: ${word(run.status)}. ${plural(run.counts.added, "subscriber")} added.`);
  }

  changed(one) {
    if (one.removed) {
      this.rows.delete(one.id);
      if (this.rows.size === 0) put(this.body, h("div", { class: "card" }, none()));
      else this.arrange();
    } else {
      this.soon();
    }
  }

  async titles() {
    try {
      const found = await ask("/list-titles", { signal: this.signal });
      for (const [id, title] of Object.entries(found)) this.rows.get(id)?.entitle(title);
    } catch {
      // The ids of the lists stay: Campaign Monitor does not answer, or somebody left the page.
    }
  }
}

function none() {
  if (!has("contributor")) return empty("There are no exports yet", "A contributor or an administrator sets them up.");
  return empty(
    "Set up your first export",
    has("admin")
      ? "An export takes segments of Customer Insights to a list of Campaign Monitor. It needs a connection to the account first."
      : "An export takes segments of Customer Insights to a list of Campaign Monitor, through a connection that an administrator shares with you.",
    has("admin") && h("a", { class: "button", href: "/console/connections" }, "Connections"),
    h("a", { class: "button primary", href: "/console/new-export" }, "New export"),
  );
}
