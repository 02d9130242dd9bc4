// The connections: to which accounts, for whom, used by what.

import { complain, toast } from "../announce.js";
import { ask } from "../api.js";
import { answer, dialog } from "../dialog.js";
import { h, name, put } from "../dom.js";
import { plural, time } from "../format.js";
import { begin } from "../frame.js";
import { menuButton } from "../menu.js";
import { empty, loading, problemBox } from "../notice.js";
import { choice } from "../parts/field.js";
import { findings } from "../parts/findings.js";
import { sortHeads } from "../parts/sorting.js";
import { has } from "../session.js";

const USERS = { admins: "Administrators", contributors: "Administrators and contributors" };
const COLUMNS = [
  { text: "Connection", key: (one) => one.display_name.toLowerCase() },
  { text: "Type", key: (one) => one.type },
  { text: "Created", key: (one) => one.saved?.created_at ?? "" },
  { text: "Who may use it", key: (one) => one.usable_by },
  { text: "Used by", key: (one) => one.used_by.length },
];

export function connections(_, { signal, first }) {
  const page = begin({ title: "Connections", at: "Connections", first });
  if (!has("admin")) {
    put(page.body, h("div", { class: "card" }, empty("Connections are for administrators", "They decide where data can go. When you set up an export, you choose among the connections that are shared with you.")));
    return;
  }
  page.actions.append(h("a", { class: "button primary", href: "/console/new-connection" }, "New connection"));
  load(page.body, signal);
}

async function load(body, signal) {
  put(body, h("div", { class: "card" }, loading(3)));
  try {
    const found = await ask("/connections", { signal });
    if (found.length === 0) put(body, h("div", { class: "card" }, none()));
    else show(body, found, signal);
  } catch (problem) {
    if (problem.name !== "AbortError") put(body, problemBox(problem, () => load(body, signal)));
  }
}

const none = () =>
  empty(
    "There are no connections yet",
    "A connection names an account of Campaign Monitor, the secret in Key Vault that holds its key, and who may use it.",
    h("a", { class: "button primary", href: "/console/new-connection" }, "New connection"),
  );

function show(body, found, signal) {
  const lines = h("tbody", { role: "rowgroup" });
  const rows = new Map(found.map((one) => [one, row(one, () => load(body, signal))]));
  const heads = sortHeads(COLUMNS, () => arrange());
  const arrange = () => put(lines, heads.sorted(found).map((one) => rows.get(one)));
  const table = h(
    "table",
    { class: "cards", role: "table", "aria-label": "Connections" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.cells, h("th", { role: "columnheader", scope: "col" }, h("span", { class: "unseen" }, "Actions")))),
    lines,
  );
  arrange();
  put(body, h("div", { class: "card flush" }, h("div", { class: "tablebox" }, table)));
}

function row(one, again) {
  const cell = (label, ...content) => h("td", { role: "cell", "data-label": label }, content);
  const link = (id) => h("a", { href: `/console/exports/${id}` }, id);
  const used = one.used_by.length;
  const check = h("button", { class: "small", "aria-label": `Check: ${one.display_name}`, click: () => checked(one, check) }, "Check");
  return h(
    "tr",
    { role: "row" },
    h("th", { role: "rowheader", scope: "row" }, h("div", { class: "clip" }, h("a", { href: `/console/connections/${one.id}/edit` }, name(one.display_name)), h("span", { class: "under" }, `Secret ${one.secret_name}`))),
    cell("Type", "Campaign Monitor"),
    cell("Created", one.saved ? h("div", {}, time(one.saved.created_at), h("span", { class: "under" }, name(one.saved.created_by))) : "–"),
    cell("Who may use it", h("div", {}, USERS[one.usable_by], !one.consent && h("span", { class: "chip warn" }, "Nobody has agreed"))),
    cell("Used by", h("div", {}, used ? [plural(used, "export"), h("span", { class: "under" }, one.used_by.slice(0, 3).flatMap((id, at) => [at > 0 && ", ", link(id)]), used > 3 && ", …")] : "Nothing")),
    h(
      "td",
      { role: "cell", class: "todo" },
      h("div", {}, check, menuButton(`More for ${one.display_name}`, () => [
        h("a", { href: `/console/connections/${one.id}/edit` }, "Edit"),
        h("button", { class: "danger", click: async () => (await remove(one)) && again() }, "Remove"),
      ])),
    ),
  );
}

async function checked(one, button) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const found = await ask(`/connections/${one.id}/check`, { method: "POST" });
    const lists = found.clients.flatMap((client) => client.lists);
    await dialog(
      found.ok ? "The connection works" : "The connection does not work",
      [findings(found.findings), lists.length > 0 && h("p", { class: "hint" }, "Lists: ", name(lists.slice(0, 8).map((list) => list.title).join(", ")), lists.length > 8 && " …")],
      [answer("Close", "", "primary")],
    );
  } catch (problem) {
    complain(problem);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    button.focus();
  }
}

async function remove(one) {
  const used = one.used_by.length;
  const content = used
    ? [
        h("p", {}, `${plural(used, "export uses", "exports use")} it: `, name(one.used_by.slice(0, 12).join(", ")), used > 12 && " …"),
        h(
          "fieldset",
          { class: "choices" },
          h("legend", { class: "unseen" }, "What becomes of the exports"),
          choice("radio", "fate", { value: "detach", checked: true, title: "Detach them", under: "They keep their configuration, and do not run until somebody gives them another connection." }),
          choice("radio", "fate", { value: "remove", title: "Remove them", under: "Their configuration goes. Who is on the lists stays there." }),
        ),
      ]
    : [h("p", {}, "Nothing uses it. The key stays in Key Vault until somebody removes it there.")];
  let fate = used ? "detach" : null;
  content.forEach((part) => part.addEventListener("change", (event) => (fate = event.target.value)));
  const chosen = await dialog(`Remove ${one.display_name}?`, content, [answer("Keep", ""), answer("Remove the connection", "yes", "danger")]);
  if (chosen !== "yes") return false;
  try {
    await ask(`/connections/${one.id}${fate ? `?exports=${fate}` : ""}`, { method: "DELETE" });
    toast(`${one.display_name} is removed.`);
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  }
}
