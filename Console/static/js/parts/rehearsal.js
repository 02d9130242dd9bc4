// The rehearsal of what is in the form: tried again when it changes, shown as findings and as a preview.

import { h, name, put } from "../dom.js";
import { problemBox } from "../notice.js";
import { findings } from "./findings.js";
import { Preview } from "./preview.js";

const PAUSE = 500; // milliseconds without a change

export class Rehearsal {
  constructor(check, signal) {
    this.check = check;
    this.signal = signal;
    this.ok = false;
    this.preview = new Preview();
    this.found = h("div", { class: "stack", "aria-live": "polite" });
    this.again = h("button", { type: "button", click: () => this.run() }, "Rehearse again");
    this.element = h("div", { class: "stack" }, this.found, h("div", { class: "actions" }, this.again));
  }

  soon(state, then) {
    this.then = then;
    if (this.state === state) return;
    this.state = state;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => !this.signal.aborted && this.run(), PAUSE);
  }

  async run(create = false) {
    const { state } = this;
    this.preview.busy();
    this.again.disabled = true;
    if (!this.found.hasChildNodes()) put(this.found, h("p", { class: "hint" }, "Rehearsing …"));
    try {
      const found = await this.check(create);
      if (this.state === state || create) this.show(found);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.ok = false;
      put(this.found, problemBox(problem));
    }
    this.again.disabled = false;
    this.then?.();
  }

  show(found) {
    this.ok = found.ok;
    this.preview.show(found.preview);
    const missing = found.fields.filter((one) => !one.there);
    put(
      this.found,
      findings(found.findings),
      missing.length > 0 &&
        h(
          "div",
          { class: "notice warn" },
          h("strong", {}, "The list lacks ", name(missing.map((one) => one.key).join(", ")), "."),
          h("span", {}, "They can be created here, as fields for text. Fields of another type are created in Campaign Monitor."),
          h("div", { class: "actions" }, h("button", { type: "button", class: "small", click: () => this.run(true) }, missing.length === 1 ? "Create the field" : "Create the fields")),
        ),
    );
  }
}
