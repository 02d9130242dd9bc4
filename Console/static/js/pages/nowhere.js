// An address that leads to nothing.

import { h } from "../dom.js";
import { begin } from "../frame.js";
import { empty } from "../notice.js";

export function nowhere(_, { first }) {
  const { body } = begin({ title: "Nothing here", first });
  body.append(empty("There is no such page", "The address may have been mistyped.", h("a", { class: "button", href: "/console/" }, "To the exports")));
}
