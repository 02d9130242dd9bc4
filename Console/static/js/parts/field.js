// A label, what is filled in below it, a hint, and what is wrong with it.

import { h } from "../dom.js";

let made = 0;

export function field(label, control, { hint } = {}) {
  made += 1;
  control.id = `field-${made}`;
  const told = h("span", { class: "hint", id: `hint-${made}` }, hint);
  const wrong = h("span", { class: "wrong", id: `wrong-${made}` });
  control.setAttribute("aria-describedby", `hint-${made} wrong-${made}`);
  const element = h("div", { class: "field" }, h("label", { for: control.id }, label), control, told, wrong);
  const complain = (text) => {
    wrong.textContent = text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  return { element, control, complain };
}

export function choice(kind, group, { value, checked, disabled, title, under, change }) {
  const input = h("input", { type: kind, name: group, value, disabled, change });
  input.checked = Boolean(checked);
  return h("label", { class: "choice" }, input, h("span", {}, h("span", {}, title), under && h("span", { class: "quiet" }, under)));
}

export function select(options, chosen, change) {
  const element = h("select", { change: () => change(element.value) }, options.map(([value, text]) => h("option", { value }, text)));
  element.value = chosen;
  return element;
}
