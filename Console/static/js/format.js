// Numbers with separators, times in the reader's zone with UTC on hover.

import { h } from "./dom.js";

const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const WHOLE_DAY = 86_400_000;

export const number = (value) => NUMBER.format(value);
export const compact = (value) => COMPACT.format(value);
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

// `within` a sentence it does not begin with a capital.
export function time(iso, { within = false } = {}) {
  if (!iso) return "–";
  const text = spoken(new Date(iso));
  const shown = within ? text.replace(/^(Today|Tomorrow|Yesterday)/, (word) => word.toLowerCase()) : text;
  return h("time", { datetime: iso, title: `${iso.slice(0, 19).replace("T", " ")} UTC` }, shown);
}

export function spoken(at, now = new Date()) {
  const days = Math.round((midnight(at) - midnight(now)) / WHOLE_DAY);
  const day = { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days];
  const far = at.getFullYear() === now.getFullYear() ? DAY : YEAR;
  return `${day ?? far.format(at)} ${CLOCK.format(at)}`;
}

export const exact = (at) => `${YEAR.format(at)}, ${CLOCK.format(at)}`;

const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function age(hours) {
  if (hours < 1) return "less than an hour old";
  if (hours < 48) return `${plural(Math.round(hours), "hour")} old`;
  return `${plural(Math.round(hours / 24), "day")} old`;
}

export const hoursSince = (iso) => (Date.now() - new Date(iso)) / 3_600_000;
export const secondsBetween = (from, to) => (new Date(to) - new Date(from)) / 1000;

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let power = 0;
  for (; count >= 1000 && power < units.length - 1; power += 1) count /= 1000;
  return `${power && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[power]}`;
}
