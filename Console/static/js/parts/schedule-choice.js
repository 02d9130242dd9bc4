// When an export runs, chosen in words.

import { h, put } from "../dom.js";
import { fromCron, inWords, toCron } from "../schedule.js";
import { choice, select } from "./field.js";

const EVERY = [["day", "Every day"], ["week", "Every week"], ["hour", "Every hour"], ["own", "By a cron expression"]];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"].map((text, number) => [String(number), text]);
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export class ScheduleChoice {
  constructor(schedule, changed) {
    this.changed = changed;
    this.kind = schedule === null ? "demand" : schedule === "refresh" ? "refresh" : "times";
    this.times = { every: "day", time: "06:00", weekday: "1", minute: "0", expression: "30 2 * * *" };
    if (this.kind === "times") Object.assign(this.times, fromCron(schedule));
    this.details = h("div", { class: "line" });
    this.said = h("p", { class: "hint", role: "status" });
    const kinds = [
      ["refresh", "With every refresh", "As soon as Customer Insights has written a new complete snapshot."],
      ["times", "At set times", "Also when the segment has not changed: then there is nothing to send."],
      ["demand", "Only on demand", "When somebody presses Run now, or a program asks for it."],
    ];
    this.element = h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "choices", role: "radiogroup", "aria-label": "Schedule" },
        kinds.map(([value, title, under]) =>
          choice("radio", "schedule", {
            value,
            title,
            under,
            checked: this.kind === value,
            change: () => {
              this.kind = value;
              this.draw();
              this.tell();
            },
          }),
        ),
      ),
      this.details,
      this.said,
    );
    this.draw();
    this.say();
  }

  value() {
    if (this.kind === "demand") return null;
    return this.kind === "refresh" ? "refresh" : toCron(this.times);
  }

  draw() {
    this.details.hidden = this.kind !== "times";
    const { every } = this.times;
    const set = (what) => (value) => {
      this.times[what] = value;
      if (what === "every") this.draw();
      this.tell();
    };
    const text = (what, type, label, extra = {}) => {
      const input = h("input", { type, "aria-label": label, value: this.times[what], ...extra, input: () => input.value && set(what)(input.value) });
      return input;
    };
    const often = select(EVERY, every, set("every"));
    often.setAttribute("aria-label", "How often");
    const weekday = select(WEEKDAYS, this.times.weekday, set("weekday"));
    weekday.setAttribute("aria-label", "Weekday");
    put(
      this.details,
      often,
      every === "week" && ["on", weekday],
      (every === "day" || every === "week") && ["at", text("time", "time", "Time"), h("span", { class: "hint" }, ZONE)],
      every === "hour" && ["at minute", text("minute", "number", "Minute", { min: "0", max: "59" })],
      every === "own" && [text("expression", "text", "Cron expression"), h("span", { class: "hint" }, "Five fields, in UTC")],
    );
  }

  tell() {
    this.say();
    this.changed();
  }

  say() {
    const saving = this.kind === "times" && ["day", "week"].includes(this.times.every) ? " It is kept in UTC, so it moves by an hour when the clocks change." : "";
    this.said.textContent = `${inWords(this.value())}.${saving}`;
  }
}
