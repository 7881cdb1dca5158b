// How a device is, from what was heard of it.

/** @typedef {"quiet" | "rejected" | "live" | "silent" | "never"} DeviceState */

/** The worst first. @type {Record<string, { label: string, kind: string, help: string }>} */
export const STATES = {
  quiet: { label: "quiet", kind: "bad", help: "No event for much longer than usual" },
  rejected: { label: "only rejects", kind: "bad", help: "It sends, and nothing of it was stored within a day" },
  live: { label: "as usual", kind: "good", help: "Events come as usual" },
  silent: { label: "silent for a day", kind: "warn", help: "No event within a day; there were some before" },
  never: { label: "never heard of", kind: "", help: "Registered, and no event within the look-back" },
};

/** @param {import("./api.js").Device} device @param {number} now @returns {DeviceState} */
export function stateOf({ lastEvent, lastDay, quietAfterSeconds, rejects }, now) {
  if (!lastDay) return rejects ? "rejected" : lastEvent ? "silent" : "never";
  const silence = (now - Date.parse(lastEvent ?? "")) / 1000;
  return quietAfterSeconds !== null && silence > quietAfterSeconds ? "quiet" : "live";
}

/** Mean events an hour in the hours that had any. @param {number[]} hours */
export function ratePerHour(hours) {
  const busy = hours.filter(Boolean);
  return busy.length ? busy.reduce((sum, value) => sum + value, 0) / busy.length : 0;
}
