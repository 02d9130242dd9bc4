// A button with more to choose from.

import { h } from "./dom.js";

export function menuButton(label, items) {
  const button = h("button", { class: "bare small", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": label, title: "More" }, "⋯");
  button.addEventListener("click", () => open(button, label, items()));
  return button;
}

function open(button, label, items) {
  const menu = h("div", { class: "menu", popover: "auto", role: "menu", "aria-label": label }, items);
  const entries = items.filter(Boolean);
  entries.forEach((item) => {
    item.setAttribute("role", "menuitem");
    item.tabIndex = -1;
    item.addEventListener("click", () => menu.hidePopover());
  });
  menu.addEventListener("keydown", (event) => move(event, entries));
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    button.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement)) button.focus();
    menu.remove();
  });
  document.body.append(menu);
  menu.showPopover();
  button.setAttribute("aria-expanded", "true");
  const at = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = at.bottom + size.height + 8 < innerHeight;
  menu.style.left = `${Math.max(8, at.right - size.width)}px`;
  menu.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
  entries[0]?.focus();
}

function move(event, entries) {
  const at = entries.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  entries[(to + entries.length) % entries.length].focus();
}
