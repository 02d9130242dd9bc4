// A connection is added or changed: its name, the secret with its key, who may use it, and that somebody agrees.

import { announce } from "../announce.js";
import { ask, askKept } from "../api.js";
import { h, name, put } from "../dom.js";
import { time } from "../format.js";
import { begin } from "../frame.js";
import { empty, loading, noticeBox, problemBox } from "../notice.js";
import { choice, field } from "../parts/field.js";
import { findings } from "../parts/findings.js";
import { has, person, vaultName } from "../session.js";
import { numbered, slug } from "../slug.js";

const NEW = { display_name: "", secret_name: "", usable_by: "admins", consent: null };
const SECRET = /^[0-9A-Za-z-]{1,127}$/;
const SENTENCES = [
  "This connection lets the app send data out of Customer Insights to Campaign Monitor, personal data among it. The app does so on your instruction.",
  "You are responsible that the data may be used in this way, and that Campaign Monitor meets the obligations of privacy and security that bind you.",
  "An administrator can remove the connection at any time; then nothing is sent through it any more.",
];

export async function connectionForm({ id }, { signal, first }) {
  const page = begin({ title: id ? "Connection" : "New connection", at: "Connections", first, crumbs: [["Connections", "/console/connections"]] });
  if (!has("admin")) {
    put(page.body, h("div", { class: "card" }, empty("Connections are for administrators", "Ask one to add or to change it.")));
    return;
  }
  put(page.body, h("div", { class: "card" }, loading(4)));
  try {
    const kept = id ? await askKept(`/connections/${id}`, { signal }) : { document: NEW, etag: null };
    if (id) page.rename(kept.document.display_name);
    new ConnectionForm(page, id, kept).draw();
  } catch (problem) {
    if (problem.name !== "AbortError") put(page.body, problemBox(problem));
  }
}

class ConnectionForm {
  constructor(page, id, { document: held, etag }) {
    Object.assign(this, { page, id, held, etag, usable: held.usable_by });
    this.typed = Boolean(id);
  }

  draw() {
    const { held } = this;
    this.title = field("Display name", h("input", { type: "text", maxlength: "200", required: true, autocomplete: "off", value: held.display_name, input: () => this.named() }), {
      hint: "Say what it is for and which account it is: contributors see nothing else of it.",
    });
    this.secret = field("Secret name", h("input", { type: "text", maxlength: "127", required: true, autocomplete: "off", spellcheck: "false", value: held.secret_name, input: () => ((this.typed = true), this.command()) }), {
      hint: "Under this name the API key of the account stands in Key Vault. The app reads it from there; the console never sees it.",
    });
    this.shell = h("pre", { tabindex: "0", "aria-label": "Command that stores the key" });
    this.agree = h("input", { type: "checkbox", id: "agree", checked: Boolean(held.consent) });
    const copy = h("button", { type: "button", class: "small", click: () => this.copy(copy) }, "Copy");
    const users = (value, title, under) => choice("radio", "users", { value, title, under, checked: this.usable === value, change: () => (this.usable = value) });
    this.told = h("div");
    this.save = h("button", { class: "primary" }, "Save and check");
    const form = h(
      "form",
      { class: "guide", novalidate: true, submit: (event) => (event.preventDefault(), this.submit()) },
      h("section", { class: "card stack" }, h("h2", {}, "Account"), this.title.element, this.secret.element, h("div", { class: "field wide" }, h("span", { class: "label" }, vaultName ? "Store the key with" : "Without a Key Vault, on your own machine, give the key with"), h("div", { class: "command" }, this.shell, copy), h("span", { class: "hint" }, "The API key stands in Campaign Monitor under Account settings, API keys. The command asks for it without showing it."))),
      h("section", { class: "card stack" }, h("h2", {}, "Who may use it"), h("div", { class: "choices narrow", role: "radiogroup", "aria-label": "Who may use it" }, users("admins", "Administrators"), users("contributors", "Administrators and contributors", "Contributors set up exports through it, and manage every export that uses it. They do not see or change the connection."))),
      h("section", { class: "card stack" }, h("h2", {}, "Data privacy and compliance"), h("div", { class: "consent" }, SENTENCES.map((text) => h("p", {}, text)), h("label", { class: "line", for: "agree" }, this.agree, h("strong", {}, "I agree")), held.consent ? h("p", { class: "hint" }, name(held.consent.agreed_by), " agreed on ", time(held.consent.agreed_at)) : h("p", { class: "hint" }, "It is kept that ", name(person.name), " agreed, and when. Without it no export runs."))),
      this.told,
      h("div", { class: "savebar" }, h("p", { class: "quiet" }, "Saving sends nothing."), h("a", { class: "button", href: "/console/connections" }, "Back"), this.save),
    );
    put(this.page.body, form);
    this.command();
  }

  named() {
    if (!this.typed) this.secret.control.value = `campaign-monitor-${slug(this.title.control.value, "account")}`.slice(0, 127);
    this.command();
  }

  command() {
    const secret = this.secret.control.value.trim() || "<secret name>";
    this.shell.textContent = vaultName
      ? `read -rsp 'API key: ' key && az keyvault secret set --vault-name ${vaultName} --name ${secret} --value "$key" --output none`
      : `read -rsp 'API key: ' key && export SECRET_${secret.toUpperCase().replaceAll("-", "_")}="$key"`;
  }

  async copy(button) {
    await navigator.clipboard.writeText(this.shell.textContent).catch(() => null);
    button.textContent = "Copied";
    announce("Copied");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  wrong() {
    const title = this.title.control.value.trim();
    const secret = this.secret.control.value.trim();
    this.title.complain(title ? "" : "Give it a name.");
    this.secret.complain(SECRET.test(secret) ? "" : "Letters, digits and hyphens, 127 at most.");
    return [this.title, this.secret].find((one) => one.control.hasAttribute("aria-invalid"))?.control;
  }

  async submit() {
    const wrong = this.wrong();
    if (wrong) return wrong.focus();
    const consent = this.agree.checked ? (this.held.consent ?? { agreed_by: person.name }) : null;
    const body = { display_name: this.title.control.value.trim(), secret_name: this.secret.control.value.trim(), usable_by: this.usable, consent };
    this.save.disabled = true;
    put(this.told);
    try {
      await this.put(body);
      await this.check(body);
    } catch (problem) {
      put(this.told, problemBox(problem));
    } finally {
      this.save.disabled = false;
    }
  }

  async put(body) {
    if (this.id) {
      const { document: saved, etag } = await askKept(`/connections/${this.id}`, { method: "PUT", body, headers: { "If-Match": this.etag } });
      this.held = saved;
      this.etag = etag;
      return;
    }
    const id = slug(body.display_name, "connection");
    for (let number = 1; !this.id; number += 1) {
      try {
        const { document: saved, etag } = await askKept(`/connections/${numbered(id, number)}`, { method: "PUT", body, headers: { "If-None-Match": "*" } });
        Object.assign(this, { id: saved.id, held: saved, etag });
        history.replaceState(null, "", `/console/connections/${saved.id}/edit`);
        this.page.rename(saved.display_name);
      } catch (problem) {
        if (problem.status !== 412 || number > 20) throw problem;
      }
    }
  }

  async check(body) {
    put(this.told, h("section", { class: "card" }, h("p", { role: "status" }, "Saved. Checking …")));
    const found = await ask(`/connections/${this.id}/check`, { method: "POST" });
    put(
      this.told,
      noticeBox(found.ok ? "good" : "warn", found.ok ? "Saved, and it works." : "Saved, and it does not work yet.", body.consent ? null : "Nobody has agreed: no export runs through it."),
      h("section", { class: "card stack" }, findings(found.findings), found.ok && h("div", { class: "actions" }, h("a", { class: "button", href: "/console/new-export" }, "Set up an export"))),
    );
    announce(found.ok ? "Saved, and it works." : "Saved, and it does not work yet.");
    this.told.scrollIntoView({ block: "nearest" });
  }
}
