// Asks, and waits for the answer: the value of the button that was pressed, or null.

import { h } from "./dom.js";

export function dialog(title, content, buttons) {
  return new Promise((resolve) => {
    const heading = h("h2", { id: "asked" }, title);
    const form = h("form", { method: "dialog" }, content, h("div", { class: "actions" }, buttons));
    const box = h("dialog", { "aria-labelledby": "asked" }, heading, form);
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue || null);
    });
    document.body.append(box);
    box.showModal();
  });
}

export const answer = (text, value, kind = "") => h("button", { class: kind, value }, text);

export function confirm(title, text, yes, kind = "primary") {
  return dialog(title, h("p", {}, text), [answer("Keep", ""), answer(yes, "yes", kind)]);
}
