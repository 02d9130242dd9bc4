// An export is set up or changed, step by step, and rehearsed before it is saved.

import * as actions from "../actions.js";
import { announce } from "../announce.js";
import { ask, askKept } from "../api.js";
import { h, name, put } from "../dom.js";
import { begin } from "../frame.js";
import { empty, loading, noticeBox, problemBox } from "../notice.js";
import { choice, field } from "../parts/field.js";
import { ListChoice } from "../parts/list-choice.js";
import { MappingForm } from "../parts/mapping.js";
import { MoreChoices } from "../parts/more-choices.js";
import { Rehearsal } from "../parts/rehearsal.js";
import { ScheduleChoice } from "../parts/schedule-choice.js";
import { SegmentChoice } from "../parts/segment-choice.js";
import { Step } from "../parts/step.js";
import { go } from "../router.js";
import { has } from "../session.js";
import { numbered, slug } from "../slug.js";

const NEW = { display_name: "", connection: null, list_id: "", segments: [], mapping: null, schedule: "refresh", enabled: true };
const NOT_SENT = ["id", "connection_name", "may_manage", "status", "last_run", "next_due", "saved"];

export async function exportForm({ id }, { signal, first }) {
  const crumbs = [["Exports", "/console/"], ...(id ? [[id, `/console/exports/${id}`]] : [])];
  const page = begin({ title: id ? "Edit the export" : "New export", at: "Exports", first, crumbs });
  if (!has("contributor")) {
    put(page.body, h("div", { class: "card" }, empty("Exports are set up by contributors", "Your role lets you look on.")));
    return;
  }
  put(page.body, h("div", { class: "card" }, loading(6)));
  try {
    const [kept, connections] = await Promise.all([
      id ? askKept(`/exports/${id}`, { signal }) : { document: NEW, etag: null },
      ask("/connections", { signal }),
    ]);
    if (id) page.rename(`Edit ${kept.document.display_name}`);
    new ExportForm(page, id, kept, connections, signal).draw();
  } catch (problem) {
    if (problem.name !== "AbortError") put(page.body, problemBox(problem));
  }
}

class ExportForm {
  constructor(page, id, { document: held, etag }, connections, signal) {
    Object.assign(this, { page, id, held, etag, connections, signal });
    this.now = { connection: held.connection, list_id: held.list_id, segments: [...held.segments] };
    this.listFields = [];
  }

  draw() {
    if (this.connections.length === 0 && !this.id) {
      put(this.page.body, h("div", { class: "card" }, this.noConnection()));
      return;
    }
    const changed = () => this.changed();
    this.title = field("Name", h("input", { type: "text", maxlength: "200", required: true, autocomplete: "off", value: this.held.display_name, input: changed }));
    this.lists = new ListChoice((list) => this.chooseList(list), this.signal);
    this.segments = new SegmentChoice((segments) => this.chooseSegments(segments), this.signal);
    this.mapping = new MappingForm(this.held.mapping, changed, { guess: !this.id });
    this.schedule = new ScheduleChoice(this.held.schedule, changed);
    this.more = new MoreChoices(this.held, changed);
    this.rehearsal = new Rehearsal((create) => this.check(create), this.signal);
    this.steps = {
      connection: new Step(1, "Name and connection", { content: [this.title.element, this.connectionChoice()] }),
      list: new Step(2, "List", { waits: "Choose a connection first.", content: this.lists.element }),
      segments: new Step(3, "Segments", { content: this.segments.element }),
      mapping: new Step(4, "Mapping", { waits: "Choose a list and a segment first.", content: this.mapping.element }),
      preview: new Step(5, "Preview", { waits: "It needs a list, a segment and the column with the email address.", content: this.rehearsal.preview.element }),
      schedule: new Step(6, "Schedule", { content: [this.schedule.element, this.more.element] }),
      rehearsal: new Step(7, "Rehearsal", { waits: "It tries all that a run relies on, and sends nothing. It needs a list, a segment and the column with the email address.", content: this.rehearsal.element }),
    };
    this.told = h("div");
    this.save = h("button", { class: "primary" }, "Save");
    const back = this.id ? `/console/exports/${this.id}` : "/console/";
    put(
      this.page.body,
      h(
        "form",
        { class: "guide", novalidate: true, submit: (event) => (event.preventDefault(), this.submit()) },
        Object.values(this.steps).map((step) => step.element),
        this.told,
        h("div", { class: "savebar" }, h("p", { class: "quiet" }, "Saving does not run the export. You can try it with a dry run afterwards."), h("a", { class: "button", href: back }, "Back"), this.save),
      ),
    );
    this.segments.load(this.now.segments);
    if (this.now.connection) this.chooseConnection(this.now.connection);
    this.changed();
  }

  noConnection() {
    return has("admin")
      ? empty("An export needs a connection", "It names the account of Campaign Monitor that the list is in.", h("a", { class: "button primary", href: "/console/new-connection" }, "New connection"))
      : empty("No connection is shared with you", "An administrator adds connections and says who may use them. Ask one to share a connection with contributors.");
  }

  connectionChoice() {
    const { connection } = this.now;
    const known = this.connections.some((one) => one.id === connection);
    const choices = this.connections.map((one) =>
      choice("radio", "connection", { value: one.id, checked: one.id === connection, title: name(one.display_name), under: "Campaign Monitor", change: () => this.chooseConnection(one.id) }),
    );
    return h(
      "fieldset",
      {},
      h("legend", { class: "label" }, "Connection"),
      connection && !known && noticeBox("warn", "You may not use the connection that the export has.", "Choose another one, or ask an administrator to share it."),
      h("div", { class: "choices narrow" }, choices),
    );
  }

  chooseConnection(id) {
    if (this.now.connection !== id) this.now.list_id = "";
    this.now.connection = id;
    this.lists.load(id, this.now.list_id);
    if (this.now.list_id) this.chooseList(this.now.list_id);
    this.changed();
  }

  async chooseList(id) {
    this.now.list_id = id;
    this.changed();
    try {
      const list = await ask(`/connections/${this.now.connection}/lists/${id}`, { signal: this.signal });
      if (this.now.list_id !== id) return;
      this.listFields = list.custom_fields;
      this.lists.tell(list);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.listFields = [];
    }
    this.offer();
  }

  chooseSegments(segments) {
    this.now.segments = segments;
    this.offer();
  }

  offer() {
    this.mapping.offer(this.segments.columns(this.now.segments), this.listFields);
    this.changed();
  }

  changed() {
    const { connection, list_id: list, segments } = this.now;
    const titled = this.title.control.value.trim() !== "";
    const mapped = Boolean(this.mapping.value().email);
    const whole = Boolean(connection && list && segments.length && mapped);
    this.steps.connection.set({ ready: true, done: Boolean(titled && connection) });
    this.steps.list.set({ ready: Boolean(connection), done: Boolean(list) });
    this.steps.segments.set({ ready: true, done: segments.length > 0 });
    this.steps.mapping.set({ ready: Boolean(list && segments.length), done: mapped });
    this.steps.schedule.set({ ready: true, done: true });
    this.steps.preview.set({ ready: whole, done: whole });
    this.steps.rehearsal.set({ ready: whole, done: this.rehearsal.ok });
    if (whole) this.rehearsal.soon(JSON.stringify(this.value()), () => this.steps.rehearsal.set({ ready: true, done: this.rehearsal.ok }));
  }

  value() {
    const kept = Object.fromEntries(Object.entries(this.held).filter(([key]) => !NOT_SENT.includes(key)));
    return {
      ...kept,
      ...this.more.value(),
      display_name: this.title.control.value.trim() || "Not named yet",
      connection: this.now.connection,
      list_id: this.now.list_id,
      segments: this.now.segments,
      mapping: this.mapping.value(),
      schedule: this.schedule.value(),
    };
  }

  async check(create) {
    const found = await ask(`/exports/${this.id ?? "not-saved-yet"}/check${create ? "?create_fields=true" : ""}`, { method: "POST", body: this.value(), signal: this.signal });
    if (create) this.chooseList(this.now.list_id);
    return found;
  }

  // What has to be filled in before it can be saved: the first control, and what to say.
  lacking() {
    const titled = this.title.control.value.trim() !== "";
    this.title.complain(titled ? "" : "Give it a name.");
    if (!titled) return [this.title.control, "Give the export a name."];
    const step = Object.entries({ connection: "Choose a connection.", list: "Choose a list.", segments: "Choose a segment.", mapping: "Say which column holds the email address." }).find(([key]) => !this.steps[key].element.classList.contains("done"));
    return step && [this.steps[step[0]].element.querySelector("input, select, button"), step[1]];
  }

  async submit() {
    const lacking = this.lacking();
    put(this.told, lacking && noticeBox("warn", lacking[1]));
    if (lacking) {
      announce(lacking[1]);
      lacking[0]?.focus();
      return;
    }
    this.save.disabled = true;
    try {
      this.saved(await this.put(this.value()));
    } catch (problem) {
      put(this.told, problemBox(problem));
      this.save.disabled = false;
    }
  }

  async put(body) {
    if (this.id) return ask(`/exports/${this.id}`, { method: "PUT", body, headers: { "If-Match": this.etag } });
    const id = slug(body.display_name, "export");
    for (let number = 1; ; number += 1) {
      try {
        return await ask(`/exports/${numbered(id, number)}`, { method: "PUT", body, headers: { "If-None-Match": "*" } });
      } catch (problem) {
        if (problem.status !== 412 || number > 20) throw problem;
      }
    }
  }

  saved(one) {
    const where = `/console/exports/${one.id}`;
    this.page.rename(one.display_name);
    const said = this.id ? "Saved. It was not run." : "Saved. It has not run yet.";
    const start = (how) => async () => (await how(one)) && go(where);
    put(
      this.page.body,
      h(
        "div",
        { class: "card" },
        empty(
          said,
          "A dry run reads and checks every row, gives the account and the rejects, and sends nothing.",
          h("a", { class: "button", href: where }, "To the export"),
          h("button", { click: start(actions.runNow) }, "Run now"),
          h("button", { class: "primary", click: start(actions.dryRun) }, "Dry run"),
        ),
      ),
    );
    announce(said);
    scrollTo({ top: 0 });
    this.page.body.querySelector("button.primary").focus();
  }
}
