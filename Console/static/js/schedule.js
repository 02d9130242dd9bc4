// Schedules in words. Cron is in UTC; the words are in the reader's zone, where it can be said there.

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const SUNDAY = 7; // of January 2024

export function inWords(schedule) {
  if (schedule === null || schedule === undefined) return "Only on demand";
  if (schedule === "refresh") return "With every refresh";
  return cronInWords(schedule.trim().split(/\s+/)) ?? `By cron: ${schedule} (UTC)`;
}

export function cronInWords([minute, hour, day, month, weekday]) {
  if (month !== "*" || !/^\d+$|^\*\/\d+$/.test(minute)) return null;
  const everyDay = day === "*" && weekday === "*";
  if (minute.startsWith("*/")) return everyDay && hour === "*" ? `Every ${minute.slice(2)} minutes` : null;
  if (hour === "*" && everyDay) return `Every hour, ${minute} minutes past`;
  if (/^\*\/\d+$/.test(hour) && everyDay) return `Every ${hour.slice(2)} hours, ${minute} minutes past`;
  if (!/^\d+(,\d+)*$/.test(hour)) return null;
  const hours = hour.split(",").map(Number);
  if (everyDay) return `Every day at ${list(hours.map((one) => clock(one, minute)).sort())}`;
  if (day === "*" && /^[0-7]$/.test(weekday) && hours.length === 1) {
    const at = moment(Number(weekday), hours[0], minute);
    return `Every ${WEEKDAY.format(at)} at ${CLOCK.format(at)}`;
  }
  if (weekday === "*" && /^\d+$/.test(day) && hours.length === 1) {
    return `On day ${day} of every month at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")} UTC`;
  }
  return null;
}

// A time of the reader's zone as the minute and hour of UTC, and how the day shifts.
export function toCron({ every, time, weekday, minute, expression }) {
  if (every === "own") return expression.trim();
  if (every === "hour") return `${Number(minute)} * * * *`;
  const [hours, minutes] = time.split(":").map(Number);
  const at = new Date(2024, 0, SUNDAY + Number(weekday ?? 0), hours, minutes);
  const clockPart = `${at.getUTCMinutes()} ${at.getUTCHours()} * *`;
  return `${clockPart} ${every === "week" ? at.getUTCDay() : "*"}`;
}

// What the form shows of an expression; what it has no fields for is shown as it is.
export function fromCron(schedule) {
  const [minute, hour, day, month, weekday] = schedule.trim().split(/\s+/);
  const plain = [minute, hour].every((one) => /^\d+$/.test(one)) && day === "*" && month === "*";
  if (plain && /^[0-7*]$/.test(weekday)) {
    const at = moment(weekday === "*" ? 0 : Number(weekday), hour, minute);
    return { every: weekday === "*" ? "day" : "week", time: CLOCK.format(at), weekday: String(at.getDay()) };
  }
  if (/^\d+$/.test(minute) && [hour, day, month, weekday].every((one) => one === "*")) return { every: "hour", minute };
  return { every: "own", expression: schedule };
}

const moment = (weekday, hour, minute) => new Date(Date.UTC(2024, 0, SUNDAY + weekday, Number(hour), Number(minute)));
const clock = (hour, minute) => CLOCK.format(todayAt(hour, minute));

function todayAt(hour, minute) {
  const at = new Date();
  at.setUTCHours(hour, Number(minute), 0, 0);
  return at;
}

const list = (parts) => new Intl.ListFormat("en", { type: "conjunction" }).format(parts);
