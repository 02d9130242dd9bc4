// Which column becomes what: the fields of every subscriber, the custom fields of the list, and new ones.

import { h, name, put } from "../dom.js";
import { guessColumn, guessField } from "../guesses.js";
import { select } from "./field.js";

const FIELDS = [
  ["email", "Email address", true],
  ["first_name", "First name"],
  ["last_name", "Last name"],
  ["mobile_number", "Mobile number"],
];
const NOTHING = "";

export class MappingForm {
  constructor(mapping, changed, { guess }) {
    this.mapping = { consent_to_track: "Unchanged", ...mapping };
    this.fields = new Map((mapping?.custom_fields ?? []).map((one) => [one.key, one.column]));
    this.changed = changed;
    this.guess = guess;
    this.columns = [];
    this.listFields = [];
    this.rows = 0;
    this.element = h("div", { class: "stack" });
  }

  value() {
    const chosen = Object.fromEntries([...FIELDS.map(([what]) => what), "segments_field"].map((what) => [what, this.mapping[what] || null]));
    const custom_fields = [...this.fields].filter(([, column]) => column).map(([key, column]) => ({ key, column }));
    return { ...this.mapping, ...chosen, email: chosen.email ?? "", custom_fields };
  }

  offer(columns, listFields) {
    this.columns = columns;
    this.listFields = listFields;
    if (this.guess && columns.length) this.fillIn();
    this.draw();
  }

  // What is chosen already stays, as long as the segments have it.
  fillIn() {
    const gone = (column) => !column || !this.columns.includes(column);
    for (const [what] of FIELDS) if (gone(this.mapping[what])) this.mapping[what] = guessColumn(what, this.columns);
    for (const { key } of this.listFields) {
      if (!this.fields.has(key)) this.fields.set(key, guessField(key, this.columns));
    }
  }

  draw() {
    const known = new Map(this.listFields.map((one) => [plain(one.key), one]));
    const missing = [...this.fields.keys()].filter((key) => !known.has(plain(key)));
    const pairs = [
      h("div", { class: "pair titles", "aria-hidden": "true" }, h("span", {}, "In Campaign Monitor"), h("span", {}, "Column of the segment"), h("span")),
      FIELDS.map(([what, label, needed]) =>
        this.pair(label, this.mapping[what], (column) => (this.mapping[what] = column), { needed, note: needed && "Required" }),
      ),
      this.listFields.map(({ key, data_type: type }) => {
        const held = [...this.fields.keys()].find((one) => plain(one) === plain(key)) ?? key;
        return this.pair(name(key), this.fields.get(held), (column) => this.fields.set(held, column), { note: kind(type) });
      }),
      missing.map((key) =>
        this.pair(name(key), this.fields.get(key), (column) => this.fields.set(key, column), {
          note: ["New: the list does not have it yet ", h("button", { class: "link", type: "button", click: () => this.drop(key) }, "Leave it out")],
        }),
      ),
    ];
    put(this.element, h("div", { class: "mapping" }, pairs), this.adding(), h("div", { class: "mapping" }, this.memberships(), this.consent()));
  }

  pair(label, chosen, take, { needed = false, note = "" } = {}) {
    const gone = chosen && !this.columns.includes(chosen);
    const options = [[NOTHING, needed ? "Choose a column" : "Nothing"], ...this.columns.map((column) => [column, column])];
    if (gone) options.push([chosen, `${chosen} (not in the segments)`]);
    const control = select(options, chosen ?? NOTHING, (value) => {
      take(value || null);
      this.changed();
    });
    if (gone) control.setAttribute("aria-invalid", "true");
    return this.row(label, control, h("span", { class: "hint" }, note));
  }

  row(label, control, note) {
    this.rows += 1;
    control.id = `pair-${this.rows}`;
    return h("div", { class: "pair" }, h("label", { class: "target", for: control.id }, label), control, note);
  }

  adding() {
    const input = h("input", { type: "text", "aria-label": "Name of a new custom field", placeholder: "Name of a new custom field", maxlength: "100" });
    const add = () => {
      const key = input.value.trim();
      if (!key) return;
      if (![...this.fields.keys(), ...this.listFields.map((one) => one.key)].some((one) => plain(one) === plain(key))) {
        this.fields.set(key, guessField(key, this.columns));
      }
      this.draw();
      this.changed();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      add();
    });
    return h("div", { class: "line" }, input, h("button", { type: "button", click: add }, "Add a field"));
  }

  drop(key) {
    this.fields.delete(key);
    this.draw();
    this.changed();
  }

  consent() {
    const options = [["Unchanged", "Leave it as it is"], ["Yes", "Yes"], ["No", "No"]];
    const control = select(options, this.mapping.consent_to_track, (value) => {
      this.mapping.consent_to_track = value;
      this.changed();
    });
    return this.row("Consent to track opens and clicks", control);
  }

  memberships() {
    const chosen = this.mapping.segments_field ?? NOTHING;
    const many = this.listFields.filter((one) => one.data_type === MANY).map((one) => one.key);
    const held = many.find((key) => plain(key) === plain(chosen)) ?? chosen;
    if (held && !many.includes(held)) many.push(held);
    if (!many.length) return null;
    const options = [[NOTHING, "Nowhere"], ...many.map((key) => [key, key])];
    const control = select(options, held, (key) => {
      this.mapping.segments_field = key || null;
      this.changed();
    });
    return this.row("Names of the subscriber's segments", control, h("span", { class: "hint" }, "A field that takes several options, with one for each segment"));
  }
}

// As the service compares keys.
const plain = (key) => key.replace(/^\[|\]$/g, "").replaceAll(" ", "").toLowerCase();

const MANY = "MultiSelectMany";
const KINDS = { Text: "Text", Number: "Number", Date: "Date", MultiSelectOne: "One of several", MultiSelectMany: "Several of several", Country: "Country", USState: "US state" };
const kind = (type) => KINDS[type] ?? type;
