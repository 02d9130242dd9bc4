// What a check has found, one thing after the other.

import { h, name } from "../dom.js";

export const findings = (found) =>
  h(
    "ul",
    { class: "findings" },
    found.map((one) =>
      h(
        "li",
        { class: one.ok ? "ok" : "not" },
        h("span", { class: "sign", "aria-hidden": "true" }, one.ok ? "✓" : "✕"),
        h("span", {}, h("span", { class: "unseen" }, one.ok ? "Good: " : "Wrong: "), name(one.message), one.action && h("span", { class: "hint" }, ` ${one.action}`)),
      ),
    ),
  );
