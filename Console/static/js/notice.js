// What stands where there is nothing, nothing yet, or something went wrong.

import { h } from "./dom.js";

export const loading = (rows = 5) =>
  h("div", { class: "loading", role: "status" }, h("span", { class: "unseen" }, "Loading"), Array.from({ length: rows }, () => h("div")));

export function problemBox(problem, again) {
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("strong", {}, problem.message),
    problem.action && h("span", {}, problem.action),
    again && h("div", { class: "actions" }, h("button", { class: "small", click: again }, "Try again")),
  );
}

export const noticeBox = (tone, title, text) => h("div", { class: `notice ${tone}` }, h("strong", {}, title), text && h("span", {}, text));

export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, text), actions.length > 0 && h("div", { class: "actions" }, actions));
