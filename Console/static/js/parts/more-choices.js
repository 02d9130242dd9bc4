// What an export does beside the usual, folded away.

import { h } from "../dom.js";
import { field, select } from "./field.js";

const KEYS = ["enabled", "mode", "removals", "resubscribe", "max_removal_percent", "max_profiles", "max_age_hours"];

export class MoreChoices {
  constructor(held, changed) {
    const usual = { enabled: true, mode: "changes", removals: "keep", resubscribe: false, max_removal_percent: 20, max_profiles: 1_000_000, max_age_hours: null };
    this.now = Object.fromEntries(KEYS.map((key) => [key, held[key] ?? usual[key]]));
    const set = (key, read = (value) => value) => (value) => {
      this.now[key] = read(value);
      changed();
    };
    const whole = (key, extra) => {
      const input = h("input", { type: "number", min: "1", step: "1", value: this.now[key] ?? "", ...extra, input: () => set(key)(input.value ? Math.round(Number(input.value)) : null) });
      return input;
    };
    this.element = h(
      "details",
      {},
      h("summary", {}, "More choices"),
      h(
        "div",
        { class: "stack folded" },
        field("What is sent", select([["changes", "What has changed since it was last confirmed"], ["everything", "Everybody, each time"]], this.now.mode, set("mode"))).element,
        field("Who has left the segments", select([["keep", "Stays on the list"], ["unsubscribe", "Is unsubscribed"], ["delete", "Is deleted from the list"]], this.now.removals, set("removals"))).element,
        field("Most leavers in one run, in percent", whole("max_removal_percent", { min: "0", max: "100" }), { hint: "When more seem to have left, nobody is removed until somebody confirms it: the snapshot is probably not whole." }).element,
        field("Who has unsubscribed", select([["no", "Stays unsubscribed"], ["yes", "Is subscribed again"]], this.now.resubscribe ? "yes" : "no", set("resubscribe", (value) => value === "yes")), {
          hint: "Subscribe people again only when they have asked for it.",
        }).element,
        field("Most profiles of a segment", whole("max_profiles"), { hint: "A larger segment is refused before anything is sent." }).element,
        field("Greatest age of a snapshot, in hours", whole("max_age_hours", { placeholder: "Any age" }), { hint: "An older one is not sent: the run fails and says so." }).element,
      ),
    );
  }

  value() {
    const { max_profiles: most, max_removal_percent: leavers } = this.now;
    return { ...this.now, max_profiles: most ?? 1_000_000, max_removal_percent: leavers ?? 20 };
  }
}
