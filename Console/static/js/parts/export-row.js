// One export in the list: what is shown of it changes in place, so that nothing jumps and the focus stays.

import * as actions from "../actions.js";
import { h, name, put } from "../dom.js";
import { number, time } from "../format.js";
import { menuButton } from "../menu.js";
import { Progress } from "../progress.js";
import { inWords } from "../schedule.js";
import { chip, inWork, neverRun, rejected } from "../status.js";

const FIGURES = [
  ["Added", (counts) => counts.added],
  ["Updated", (counts) => counts.updated],
  ["Refused", (counts) => counts.refused],
  ["Rejected", rejected],
];

export class ExportRow {
  constructor(one, changed) {
    this.changed = changed;
    this.list = one.list_id;
    const cell = (label, kind) => h("td", { role: "cell", "data-label": label, class: kind });
    this.title = h("th", { role: "rowheader", scope: "row" });
    this.route = cell("Segments to list");
    this.schedule = cell("Schedule");
    this.last = cell("Last run", "last");
    this.figures = FIGURES.map(([label]) => cell(label, "figure"));
    this.todo = cell("Actions", "todo");
    this.element = h("tr", { role: "row" }, this.title, this.route, this.schedule, this.last, this.figures, this.todo);
    this.progress = null;
    this.looked = false;
    this.show(one);
    this.looked = true;
  }

  show(one) {
    const before = this.one;
    this.one = one;
    if (!before || before.display_name !== one.display_name || before.connection_name !== one.connection_name) this.showTitle();
    if (!before || before.list_id !== one.list_id || before.segments.join() !== one.segments.join()) this.showRoute();
    if (!before || [before.schedule, before.enabled, before.next_due].join() !== [one.schedule, one.enabled, one.next_due].join()) {
      this.showSchedule();
    }
    this.showRun();
    const doing = [inWork(one.last_run), one.enabled, one.may_manage].join();
    if (this.doing !== doing) this.showActions();
    this.doing = doing;
  }

  // What a search looks in.
  text() {
    const { display_name: title, connection_name: connection, segments } = this.one;
    return [title, connection, this.list, ...segments].join(" ").toLowerCase();
  }

  entitle(title) {
    this.list = title;
    this.showRoute();
  }

  showTitle() {
    const { id, display_name: title, connection_name: connection } = this.one;
    put(
      this.title,
      h(
        "div",
        { class: "clip" },
        h("a", { href: `/console/exports/${id}` }, name(title)),
        h("span", { class: "under" }, connection ? name(connection) : "No connection"),
      ),
    );
  }

  showRoute() {
    const tables = this.one.segments.map((segment) => h("span", { title: segment }, name(segment.split("/")[1])));
    const shown = tables.length > 2 ? [tables[0], h("span", { class: "quiet" }, `and ${tables.length - 1} more`)] : tables;
    put(this.route, h("div", { class: "clip" }, h("span", { class: "route" }, shown), h("span", { class: "under to" }, h("span", { "aria-hidden": "true" }, "→"), h("span", { class: "unseen" }, "to"), name(this.list))));
  }

  showSchedule() {
    const { schedule, enabled, connection, next_due: due } = this.one;
    const words = h("span", {}, inWords(schedule));
    const under = !connection
      ? h("span", { class: "under" }, "Does not run: no connection")
      : !enabled
        ? h("span", { class: "chip" }, "Paused")
        : due && h("span", { class: "under" }, "Next ", time(due, { within: true }));
    put(this.schedule, h("div", {}, words, under));
  }

  showRun() {
    const run = this.one.last_run;
    FIGURES.forEach(([, of], column) => {
      const count = run ? of(run.counts) : null;
      this.figures[column].textContent = count === null ? "" : number(count);
      this.figures[column].classList.toggle("zero", count === 0);
    });
    if (inWork(run)) {
      if (!this.progress) {
        this.progress = new Progress(`Progress of ${this.one.display_name}`);
        put(this.last, this.progress.element);
      }
      this.progress.show(run);
      return;
    }
    this.progress = null;
    // Not looked up yet: the place is kept.
    if (run === null && !this.looked) return;
    const shown = run ? `${run.id} ${run.status}` : "never";
    if (this.shown === shown) return;
    this.shown = shown;
    const where = run && `/console/exports/${this.one.id}/runs/${run.id}`;
    put(
      this.last,
      h("div", {}, run ? chip(run) : neverRun(), run && h("span", { class: "under" }, h("a", { href: where, class: "quiet" }, time(run.created_at)), run.dry_run && " · dry run")),
    );
  }

  showActions() {
    const { one } = this;
    if (!one.may_manage) {
      put(this.todo);
      return;
    }
    const had = this.todo.contains(document.activeElement);
    const main = inWork(one.last_run)
      ? h("button", { class: "small", click: () => this.did(actions.cancel(one, this.one.last_run)) }, "Cancel")
      : h("button", { class: "small", disabled: !one.connection, click: () => this.did(actions.runNow(one)) }, "Run now");
    main.setAttribute("aria-label", `${main.textContent}: ${one.display_name}`);
    put(this.todo, h("div", {}, main, menuButton(`More for ${one.display_name}`, () => this.more())));
    if (had) main.focus();
  }

  more() {
    const { one } = this;
    const item = (text, click, kind) => h("button", { click, class: kind }, text);
    return [
      one.connection && !inWork(one.last_run) && item("Dry run", () => this.did(actions.dryRun(one))),
      item(one.enabled ? "Pause" : "Resume", async () => this.saved(await actions.setEnabled(one, !one.enabled))),
      h("a", { href: `/console/exports/${one.id}/edit` }, "Edit"),
      item("Remove", async () => (await actions.remove(one)) && this.changed({ ...one, removed: true }), "danger"),
    ];
  }

  async did(call) {
    const run = await call;
    if (!run) return;
    this.show({ ...this.one, last_run: run });
    this.changed(this.one);
  }

  saved(one) {
    if (one) this.show({ ...one, last_run: this.one.last_run });
  }
}
