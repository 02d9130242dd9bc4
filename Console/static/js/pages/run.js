// One run: its account, how long its steps took, what it read, and who was turned down.

import * as actions from "../actions.js";
import { announce } from "../announce.js";
import { ask } from "../api.js";
import { h, name, put } from "../dom.js";
import { age, duration, hoursSince, plural, secondsBetween, exact, time } from "../format.js";
import { begin } from "../frame.js";
import { follow } from "../live.js";
import { loading, noticeBox, problemBox } from "../notice.js";
import { Flow } from "../parts/flow.js";
import { rejects } from "../parts/rejects.js";
import { Progress } from "../progress.js";
import { go } from "../router.js";
import { chip, inWork, rejected, trigger, word } from "../status.js";

const LEAVERS = ["too_many_leavers", "leavers_uncertain"];

export function runPage({ id, run }, { signal, first }) {
  const crumbs = [["Exports", "/console/"], [id, `/console/exports/${id}`]];
  const page = begin({ title: "Run", at: "Exports", first, crumbs });
  new OneRun(id, run, page, signal).load();
}

class OneRun {
  constructor(exportId, id, page, signal) {
    Object.assign(this, { exportId, id, page, signal, path: `/exports/${exportId}/runs/${id}` });
  }

  async load() {
    put(this.page.body, h("div", { class: "card" }, loading(6)));
    try {
      const [run, one] = await Promise.all([ask(this.path, { signal: this.signal }), ask(`/exports/${this.exportId}`, { signal: this.signal }).catch(() => null)]);
      this.one = one;
      this.begin(run);
    } catch (problem) {
      if (problem.name !== "AbortError") put(this.page.body, problemBox(problem, () => this.load()));
      return;
    }
    follow(() => this.look(), { every: () => (inWork(this.run) ? 1000 : 3_600_000), signal: this.signal });
  }

  begin(run) {
    if (this.one) document.querySelector(".crumbs a:last-of-type").replaceChildren(name(this.one.display_name));
    this.page.rename(`Run of ${exact(new Date(run.created_at))}`);
    this.flow = new Flow();
    this.notices = h("div");
    this.now = h("div");
    this.steps = h("div", { class: "steps" });
    this.facts = h("dl", { class: "facts" });
    this.rejects = h("div");
    put(
      this.page.body,
      this.notices,
      this.now,
      h("section", { class: "card" }, h("h2", {}, run.dry_run ? "What would become of each row" : "What became of each row"), this.flow.element),
      h("section", { class: "card" }, h("h2", {}, "Steps"), this.steps),
      h("section", { class: "card" }, h("h2", {}, "What it read"), this.facts),
      this.rejects,
    );
    this.show(run);
  }

  show(run) {
    const ended = this.run && inWork(this.run) && !inWork(run);
    this.run = run;
    put(
      this.page.under,
      chip(run),
      run.dry_run && h("span", { class: "tag" }, "dry run: nothing is sent"),
      run.audit && h("span", { class: "tag" }, "audit: nothing is sent"),
      h("span", {}, trigger(run), run.requested_by && [" by ", name(run.requested_by)]),
      run.mode === "everything" && h("span", {}, "Sends everything, changed or not"),
      run.cancelled_by && h("span", {}, "Cancelled by ", name(run.cancelled_by)),
    );
    put(this.notices, run.error && this.told("bad", run.error), run.warnings.map((one) => this.told("warn", one)));
    this.flow.show(run.counts, run.dry_run);
    put(this.steps, lanes(run));
    put(this.facts, facts(run));
    this.showProgress(run);
    if (!inWork(run) && this.rejects.childElementCount === 0) {
      const any = rejected(run.counts) + run.counts.refused > 0;
      if (any || run.status !== "failed") put(this.rejects, rejects(this.exportId, this.id, this.signal));
    }
    if (ended) announce(`The run has ended: ${word(run.status)}. ${plural(run.counts.added, "subscriber")} added.`);
  }

  // Where a run waits for somebody's word on leavers, it can be given here.
  told(tone, problem) {
    const box = noticeBox(tone, problem.message, problem.action);
    if (LEAVERS.includes(problem.code) && this.one?.may_manage) {
      const start = async () => {
        const run = await actions.removeLeavers(this.one);
        if (run) go(`/console/exports/${this.exportId}/runs/${run.id}`);
      };
      box.append(h("div", { class: "actions" }, h("button", { class: "small danger", click: start }, "Run, and remove them")));
    }
    return box;
  }

  showProgress(run) {
    const may = this.one?.may_manage;
    if (!inWork(run)) {
      this.progress = null;
      put(this.page.actions);
      put(this.now);
      return;
    }
    if (!this.progress) {
      this.progress = new Progress("Progress of the run");
      put(this.now, h("section", { class: "card" }, this.progress.element));
      put(this.page.actions, may && h("button", { class: "danger", click: async () => this.cancelled(await actions.cancel(this.one, this.run)) }, "Cancel the run"));
    }
    this.progress.show(run);
  }

  cancelled(run) {
    if (run) this.show(run);
  }

  async look() {
    if (inWork(this.run)) this.show(await ask(this.path, { signal: this.signal }));
  }
}

function lanes(run) {
  const end = run.ended_at ?? new Date().toISOString();
  const moments = [
    ["Waiting", run.created_at, run.started_at],
    ["Reading", run.started_at, run.planned_at],
    ["Sending", run.planned_at, run.sent_at],
    ["Finishing", run.sent_at ?? (run.ended_at && run.planned_at), run.ended_at],
  ];
  const whole = Math.max(0.001, secondsBetween(run.created_at, end));
  const known = moments.filter(([, from]) => from);
  return known.map(([text, from, to], at) => {
    if (!to && at < known.length - 1) return null;
    const seconds = secondsBetween(from, to ?? end);
    const vars = { "--from": secondsBetween(run.created_at, from) / whole, "--share": seconds / whole };
    return h("div", { class: "lane" }, h("span", {}, text), h("div", { class: "track" }, h("div", { vars })), h("span", { class: "took" }, duration(seconds)));
  });
}

function facts(run) {
  const fact = (term, ...content) => h("div", {}, h("dt", {}, term), h("dd", {}, content));
  const wide = (term, ...content) => h("div", { class: "wide" }, h("dt", {}, term), h("dd", {}, content));
  const snapshots = run.snapshots.map((one) => {
    const old = one.written_at && age(Math.max(0, hoursSince(one.written_at) - hoursSince(run.created_at)));
    return wide(
      "Segment",
      name(one.segment),
      h("div", { class: "quiet small" }, "Snapshot ", one.path.split("/").slice(-4).join("/"), `, ${plural(one.partitions, "partition")}`),
      one.written_at && h("div", { class: "quiet small" }, "Written ", time(one.written_at, { within: true }), `: ${old} when the run began`),
    );
  });
  return [
    snapshots.length ? snapshots : fact("Segments", "Not looked at yet"),
    fact("Began", time(run.created_at)),
    fact("Ended", run.ended_at ? time(run.ended_at) : "Not yet"),
    fact("Took", duration(secondsBetween(run.created_at, run.ended_at ?? new Date().toISOString()))),
    fact("Run id", h("code", {}, run.id)),
  ];
}
