// What a screen reader says, and what flies in for those who see.

import { h } from "./dom.js";

const SHOWN = 8000; // milliseconds

export function announce(text) {
  const live = document.getElementById("live");
  live.textContent = "";
  // The same words again are said again only when they come anew.
  requestAnimationFrame(() => (live.textContent = text));
}

export function toast(text, { tone = "good", action = "" } = {}) {
  const box = h("div", { class: `notice ${tone}` }, h("strong", {}, text), action && h("span", {}, action));
  document.getElementById("toasts").append(box);
  announce(`${text} ${action}`.trim());
  setTimeout(() => box.remove(), SHOWN);
}

export const complain = (problem) => toast(problem.message, { tone: "bad", action: problem.action });
