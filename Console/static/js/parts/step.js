// One step of a guided form: what it waits for, whether it is done.

import { h, put } from "../dom.js";

export class Step {
  constructor(order, title, { waits, content }) {
    this.order = order;
    this.waits = waits;
    this.content = content;
    this.sign = h("span", { class: "order", "aria-hidden": "true" }, String(order));
    this.state = h("span", { class: "unseen" });
    this.heading = h("h2", {}, title, this.state);
    this.body = h("div", { class: "stack" });
    this.element = h("section", { class: "card step", "aria-label": title }, h("div", { class: "top" }, this.sign, this.heading), this.body);
  }

  // `ready`: whether what comes before is there; `done`: whether this is.
  set({ ready, done }) {
    if (this.ready !== ready) put(this.body, ready ? this.content : h("p", { class: "hint" }, this.waits));
    this.ready = ready;
    this.element.classList.toggle("waits", !ready);
    this.element.classList.toggle("done", ready && done);
    this.element.classList.toggle("now", ready && !done);
    this.sign.textContent = ready && done ? "✓" : String(this.order);
    this.state.textContent = ready && done ? " (done)" : "";
  }
}
