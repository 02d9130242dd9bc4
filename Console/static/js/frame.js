// What all pages have: the places, who is here, a heading.

import { announce } from "./announce.js";
import { h, name, put } from "./dom.js";
import { has, person } from "./session.js";

const PLACES = [
  ["Exports", "/console/", "viewer"],
  ["Connections", "/console/connections", "admin"],
];
const NAMES = { viewer: "Viewer", contributor: "Contributor", admin: "Administrator" };

export function frame() {
  put(
    document.getElementById("person"),
    name(person.name),
    h("span", { class: "role" }, NAMES[person.role]),
    h("a", { href: "/.auth/logout?post_logout_redirect_uri=/console/" }, "Sign out"),
  );
}

// Clears the page and begins it; `at` is the place that it belongs to.
export function begin({ title, at, first, crumbs = [] }) {
  document.title = `${title} · Segment exports`;
  const places = PLACES.filter(([, , role]) => has(role));
  put(
    document.getElementById("places"),
    places.map(([text, href]) => h("a", { href, "aria-current": text === at && "page" }, text)),
  );
  const heading = h("h1", { tabindex: "-1" }, name(title));
  const under = h("div", { class: "under" });
  const actions = h("div", { class: "actions" });
  const trail = crumbs.map(([text, href], number) => [number > 0 && h("span", { "aria-hidden": "true" }, "/"), h("a", { href }, name(text))]);
  const body = h("div");
  put(
    document.getElementById("page"),
    crumbs.length > 0 && h("nav", { class: "crumbs", "aria-label": "Where this is" }, trail),
    h("div", { class: "head" }, h("div", {}, heading, under), actions),
    body,
  );
  if (!first) {
    scrollTo({ top: 0, behavior: "instant" });
    heading.focus({ preventScroll: true });
    announce(title);
  }
  const rename = (text) => {
    document.title = `${text} · Segment exports`;
    put(heading, name(text));
  };
  return { body, under, actions, rename };
}
