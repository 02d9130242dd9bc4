// The first subscribers as Campaign Monitor would get them, with masked addresses.

import { h, name, put } from "../dom.js";
import { plural } from "../format.js";

export class Preview {
  constructor() {
    this.element = h("div", {}, h("p", { class: "hint" }, "The first ten subscribers stand here when the mapping has an email address."));
  }

  busy() {
    this.element.setAttribute("aria-busy", "true");
  }

  show({ subscribers, turned_down: down }) {
    this.element.removeAttribute("aria-busy");
    if (subscribers.length === 0 && down.length === 0) {
      put(this.element, h("p", { class: "hint" }, "There is nothing to show: the rehearsal says why."));
      return;
    }
    const keys = Object.keys(subscribers[0]?.custom_fields ?? {});
    const mobile = subscribers.some((one) => one.mobile_number !== null);
    const heads = ["Email address", "Name", mobile && "Mobile number", ...keys].filter(Boolean);
    const cells = (one) => [one.email, one.name ?? "", ...(mobile ? [one.mobile_number ?? ""] : []), ...keys.map((key) => one.custom_fields[key])];
    const table = h(
      "table",
      { "aria-label": "The first subscribers" },
      h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, name(text))))),
      h("tbody", {}, subscribers.map((one) => h("tr", {}, cells(one).map((text) => h("td", {}, h("span", { class: "clip" }, name(text))))))),
    );
    const reasons = [...new Set(down.map((one) => one.message))].slice(0, 3);
    put(
      this.element,
      h("div", { class: "tablebox", tabindex: "0", role: "region", "aria-label": "Preview" }, table),
      down.length > 0 && h("p", { class: "hint after" }, `Among the first rows ${plural(down.length, "was", "were")} turned down: ${reasons.join(" ")}`),
    );
  }
}
