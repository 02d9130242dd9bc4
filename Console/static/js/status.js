// What a run is doing, in a word and a colour.

import { h } from "./dom.js";

const WORDS = {
  queued: ["Waiting", "work"],
  planning: ["Reading", "work"],
  sending: ["Sending", "work"],
  finishing: ["Finishing", "work"],
  succeeded: ["Succeeded", "good"],
  completed_with_rejects: ["Done, with rejects", "warn"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", ""],
};
const TRIGGERS = { refresh: "Refresh", schedule: "Schedule", "on-demand": "On demand" };

export const inWork = (run) => Boolean(run) && WORDS[run.status]?.[1] === "work";
export const word = (status) => WORDS[status]?.[0] ?? status;
export const trigger = (run) => TRIGGERS[run.trigger] ?? run.trigger;

export function chip(run) {
  const [text, tone] = WORDS[run.status] ?? [run.status, ""];
  return h("span", { class: `chip ${tone}` }, text);
}

export const neverRun = () => h("span", { class: "chip" }, "Never run");
export const rejected = (counts) => counts.malformed + counts.invalid + counts.duplicate;
