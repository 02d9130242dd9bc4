// The lists of an account, picked by their titles.

import { ask } from "../api.js";
import { h, name, put } from "../dom.js";
import { plural } from "../format.js";
import { loading, noticeBox, problemBox } from "../notice.js";
import { choice } from "./field.js";

const MANY = 8;

export class ListChoice {
  constructor(chosen, signal) {
    this.chosen = chosen;
    this.signal = signal;
    this.element = h("div", { class: "stack" });
  }

  async load(connection, listId) {
    this.connection = connection;
    put(this.element, loading(3));
    try {
      const clients = await ask(`/connections/${connection}/lists`, { signal: this.signal });
      if (this.connection === connection) this.show(clients, listId);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      put(this.element, problemBox(problem, () => this.load(connection, listId)), this.byHand(listId));
    }
  }

  show(clients, listId) {
    const several = clients.length > 1;
    const lists = clients.flatMap((client) => client.lists.map((list) => ({ ...list, client: client.name })));
    if (lists.length === 0) {
      put(this.element, noticeBox("warn", "The account has no list.", "Create one in Campaign Monitor, then choose the connection again."));
      return;
    }
    const known = lists.some((list) => list.id === listId);
    const choices = lists.map((list) => [
      `${list.title} ${list.client} ${list.id}`.toLowerCase(),
      choice("radio", "list", { value: list.id, checked: list.id === listId, title: name(list.title), under: several && name(list.client), change: () => this.chosen(list.id) }),
    ]);
    const box = h("div", { class: `choices ${lists.length > MANY ? "scrolls" : ""}`, role: "radiogroup", "aria-label": "List" }, choices.map(([, one]) => one));
    const filter = h("input", {
      type: "search",
      "aria-label": "Search lists",
      placeholder: `Search ${plural(lists.length, "list")}`,
      input: () => choices.forEach(([text, one]) => (one.hidden = !text.includes(filter.value.trim().toLowerCase()))),
    });
    put(
      this.element,
      listId && !known && noticeBox("warn", "The list that was chosen is not in this account.", `Its id is ${listId}. Choose another one.`),
      lists.length > MANY && filter,
      box,
      (this.about = h("p", { class: "hint", role: "status" })),
    );
  }

  tell(list) {
    if (!this.about) return;
    this.about.textContent = list.confirmed_opt_in
      ? "This list is confirmed opt-in: who is new stays unconfirmed until they answer Campaign Monitor's mail."
      : `It has ${plural(list.custom_fields.length, "custom field")}.`;
  }

  // Campaign Monitor may not answer now: the id can be given all the same.
  byHand(listId) {
    const input = h("input", { type: "text", "aria-label": "API list ID", placeholder: "API list ID", value: listId ?? "", change: () => this.chosen(input.value.trim()) });
    return h("div", { class: "field" }, input, h("span", { class: "hint" }, "Or give the API list ID, as the settings of the list show it."));
  }
}
