// One export: what it is, its runs over time, and each of them.

import * as actions from "../actions.js";
import { announce } from "../announce.js";
import { ask } from "../api.js";
import { h, name, put } from "../dom.js";
import { duration, number, plural, secondsBetween, time } from "../format.js";
import { begin } from "../frame.js";
import { follow } from "../live.js";
import { menuButton } from "../menu.js";
import { empty, loading, noticeBox, problemBox } from "../notice.js";
import { RunChart } from "../parts/chart.js";
import { Progress } from "../progress.js";
import { go } from "../router.js";
import { inWords } from "../schedule.js";
import { chip, inWork, rejected, trigger, word } from "../status.js";

const PAGE = 50;
const FIGURES = [
  ["Rows read", (counts) => counts.rows_read],
  ["Added", (counts) => counts.added],
  ["Updated", (counts) => counts.updated],
  ["Unchanged", (counts) => counts.unchanged],
  ["Refused", (counts) => counts.refused],
  ["Rejected", rejected],
];

export function exportPage({ id }, { signal, first }) {
  const page = begin({ title: id, at: "Exports", first, crumbs: [["Exports", "/console/"]] });
  new OneExport(id, page, signal).load();
}

class OneExport {
  constructor(id, page, signal) {
    Object.assign(this, { id, page, signal });
    this.rows = new Map();
    this.runs = [];
  }

  async load() {
    put(this.page.body, h("div", { class: "card" }, loading(5)));
    try {
      const [one, runs] = await Promise.all([ask(`/exports/${this.id}`, { signal: this.signal }), this.ask()]);
      this.begin(one, runs);
    } catch (problem) {
      if (problem.name !== "AbortError") put(this.page.body, problemBox(problem, () => this.load()));
      return;
    }
    this.soon = follow(() => this.look(), { every: () => (this.runs.some(inWork) ? 1000 : 15_000), signal: this.signal });
  }

  ask(before) {
    return ask(`/exports/${this.id}/runs?limit=${PAGE}${before ? `&before=${before}` : ""}`, { signal: this.signal });
  }

  begin(one, runs) {
    this.chart = new RunChart(this.id);
    this.lines = h("tbody", { role: "rowgroup" });
    this.more = h("button", { click: () => this.showEarlier(), hidden: runs.length < PAGE }, "Show earlier runs");
    this.notices = h("div");
    this.now = h("div");
    const columns = [["Began"], ["Status"], ["By"], ["Took", "figure"], ...FIGURES.map(([text]) => [text, "figure"])];
    const table = h(
      "table",
      { class: "cards", role: "table", "aria-label": "Runs" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(([text, kind]) => h("th", { role: "columnheader", scope: "col", class: kind }, text)))),
      this.lines,
    );
    this.history = [
      h("section", { class: "card" }, h("h2", {}, "Runs over time"), this.chart.element),
      h("section", { class: "card" }, h("h2", {}, "Runs"), h("div", { class: "tablebox" }, table)),
      this.more,
    ];
    this.none = h("div", { class: "card" }, empty("It has not run yet", one.may_manage ? "A dry run reads and checks everything, and sends nothing." : "Its runs will stand here."));
    this.body = h("div");
    put(this.page.body, this.notices, this.now, this.body);
    this.show(one);
    this.take(runs);
  }

  show(one) {
    this.one = one;
    this.page.rename(one.display_name);
    put(
      this.page.under,
      h("span", {}, one.connection ? name(one.connection_name ?? one.connection) : "No connection"),
      h("span", {}, name(one.segments.map((segment) => segment.split("/")[1]).join(", ")), " → ", (this.list = name(this.title ?? one.list_id))),
      h("span", {}, inWords(one.schedule), one.enabled && one.next_due && [", next ", time(one.next_due, { within: true })]),
    );
    put(
      this.notices,
      !one.connection && noticeBox("warn", "This export has no connection, so it does not run.", "Edit it and choose one. The rest of its configuration is kept."),
      one.connection && !one.enabled && noticeBox("", "This export is paused.", "It runs on demand only."),
    );
    this.showActions();
    this.entitle();
  }

  async entitle() {
    if (this.title) return;
    const titles = await ask("/list-titles", { signal: this.signal }).catch(() => ({}));
    this.title = titles[this.id];
    if (this.title) this.list.textContent = this.title;
  }

  showActions() {
    const { one } = this;
    const newest = this.runs.find(inWork);
    const doing = [one.may_manage, one.connection, one.enabled, newest?.id].join();
    if (this.doing === doing) return;
    this.doing = doing;
    if (!one.may_manage) return put(this.page.actions);
    const start = async (how) => {
      const run = await how(one);
      if (!run) return;
      this.take([run]);
      this.soon();
    };
    put(
      this.page.actions,
      newest
        ? h("button", { class: "danger", click: async () => this.update(await actions.cancel(one, this.runs.find(inWork))) }, "Cancel the run")
        : [
            h("button", { disabled: !one.connection, click: () => start(actions.dryRun) }, "Dry run"),
            h("button", { class: "primary", disabled: !one.connection, click: () => start(actions.runNow) }, "Run now"),
          ],
      menuButton(`More for ${one.display_name}`, () => [
        h("a", { href: `/console/exports/${one.id}/edit` }, "Edit"),
        h("button", { click: async () => this.saved(await actions.setEnabled(one, !one.enabled)) }, one.enabled ? "Pause" : "Resume"),
        h("button", { class: "danger", click: async () => (await actions.remove(one)) && go("/console/") }, "Remove"),
      ]),
    );
  }

  saved(one) {
    if (one) this.show(one);
  }

  update(run) {
    if (run) this.take([run]);
  }

  // New runs and new states of those that are shown.
  take(runs) {
    for (const run of runs) {
      const known = this.rows.get(run.id);
      if (known) known.show(run);
      else this.rows.set(run.id, new RunRow(this.id, run));
    }
    this.runs = [...this.rows.values()].map((row) => row.run).sort((a, b) => (a.id < b.id ? 1 : -1));
    const lines = this.runs.map((run) => this.rows.get(run.id).element);
    if (lines.some((line, at) => this.lines.children[at] !== line)) put(this.lines, lines);
    put(this.body, this.runs.length ? this.history : this.none);
    this.chart.show(this.runs);
    this.showProgress();
    this.showActions();
  }

  showProgress() {
    const run = this.runs.find(inWork);
    if (!run) {
      this.progress = null;
      return put(this.now);
    }
    if (!this.progress) {
      this.progress = new Progress("Progress of the run");
      put(this.now, h("section", { class: "card" }, h("div", { class: "cardhead" }, h("h2", {}, run.dry_run ? "Dry run at work" : "At work"), h("a", { href: `/console/exports/${this.id}/runs/${run.id}` }, "Follow it")), this.progress.element));
    }
    return this.progress.show(run);
  }

  async look() {
    const working = this.runs.filter(inWork);
    const found = working.length
      ? await Promise.all(working.map((run) => ask(`/exports/${this.id}/runs/${run.id}`, { signal: this.signal })))
      : await ask(`/exports/${this.id}/runs?limit=5`, { signal: this.signal });
    this.take(found);
    for (const run of found) {
      if (working.length && !inWork(run)) announce(`The run has ended: ${word(run.status)}. ${plural(run.counts.added, "subscriber")} added.`);
    }
  }

  async showEarlier() {
    const runs = await this.ask(this.runs.at(-1).id).catch(() => []);
    this.more.hidden = runs.length < PAGE;
    this.take(runs);
  }
}

class RunRow {
  constructor(exportId, run) {
    this.exportId = exportId;
    this.element = h("tr", { role: "row" });
    this.show(run);
  }

  show(run) {
    this.run = run;
    const cell = (label, kind, ...content) => h("td", { role: "cell", "data-label": label, class: kind }, content);
    const took = run.ended_at ? duration(secondsBetween(run.created_at, run.ended_at)) : "";
    const state = JSON.stringify([run.status, run.counts]);
    if (this.state === state) return;
    this.state = state;
    const held = this.element.contains(document.activeElement);
    put(
      this.element,
      h("th", { role: "rowheader", scope: "row" }, h("a", { href: `/console/exports/${this.exportId}/runs/${run.id}` }, time(run.created_at))),
      cell("Status", "", h("span", {}, chip(run), run.dry_run && " ", run.dry_run && h("span", { class: "tag" }, "dry run"), run.audit && h("span", { class: "tag" }, "audit"))),
      cell("By", "", h("span", {}, trigger(run), run.requested_by && h("span", { class: "under" }, name(run.requested_by)))),
      cell("Took", "figure", took),
      FIGURES.map(([label, of]) => cell(label, `figure ${of(run.counts) ? "" : "zero"}`, number(of(run.counts)))),
    );
    if (held) this.element.querySelector("a").focus();
  }
}
