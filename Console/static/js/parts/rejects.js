// Who was not sent or was refused: by reason, with the first rows of each; addresses stay masked until they are asked for.

import { address, ask } from "../api.js";
import { h, name, put } from "../dom.js";
import { number, plural } from "../format.js";
import { empty, loading, problemBox } from "../notice.js";

export function rejects(exportId, runId, signal) {
  const path = `/exports/${exportId}/runs/${runId}/rejects`;
  const body = h("div", {}, loading(3));
  const show = h("button", { class: "small", "aria-pressed": "false", hidden: true }, "Show addresses");
  const download = h("a", { class: "button", href: address(path), download: "", hidden: true }, "Download as CSV");
  const element = h("section", { class: "card" }, h("div", { class: "cardhead" }, h("h2", {}, "Rejects"), h("div", { class: "actions" }, show, download)), body);
  let shown = false;

  async function load() {
    try {
      const groups = await ask(`${path}/summary${shown ? "?show=true" : ""}`, { signal });
      const open = new Set([...body.querySelectorAll("details[open]")].map((one) => one.dataset.of));
      put(body, groups.length ? groups.map((one) => reason(one, open)) : empty("No rejects", "Every row that was read could be sent."));
      show.hidden = download.hidden = groups.length === 0;
    } catch (problem) {
      if (problem.name !== "AbortError") put(body, problemBox(problem, load));
    }
  }

  show.addEventListener("click", () => {
    shown = !shown;
    show.setAttribute("aria-pressed", String(shown));
    show.textContent = shown ? "Mask addresses" : "Show addresses";
    load();
  });
  load();
  return element;
}

function reason(group, open) {
  const of = `${group.reason} ${group.message}`;
  const head = ["Segment", "Partition", "Line", "CustomerId", "Address"];
  const rows = group.first.map((row) =>
    h("tr", {}, h("td", {}, name(row.segment)), h("td", {}, name(row.partition)), h("td", { class: "figure" }, row.line === null ? "–" : number(row.line)), h("td", {}, name(row.customer_id || "–")), h("td", {}, name(row.email || "–"))),
  );
  const rest = group.count - group.first.length;
  return h(
    "details",
    { class: "reason", "data-of": of, open: open.has(of) },
    h("summary", {}, h("span", { class: "count" }, number(group.count)), h("span", {}, name(group.message), " ", h("code", { class: "quiet" }, group.reason))),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `First rows: ${group.message}` },
      h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col", class: text === "Line" && "figure" }, text)))), h("tbody", {}, rows)),
      rest > 0 && h("p", { class: "quiet small" }, `And ${plural(rest, "more row")}, in the CSV.`),
    ),
  );
}
