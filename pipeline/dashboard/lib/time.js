// Dates in the chosen zone. The server's are ISO 8601 in UTC.
import { preferences } from "./preferences.js";

/** The IANA name of the zone in force. */
export function zoneName() {
  const { zone } = preferences();
  return zone === "browser" ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} name @param {Intl.DateTimeFormatOptions} options */
function format(name, options) {
  const zone = zoneName();
  const key = `${name} ${zone}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone, hourCycle: "h23" });
    formats.set(key, found);
  }
  return found;
}

/** @param {string | number | Date} value @param {Intl.DateTimeFormatOptions} options @param {string} name */
function parts(value, options, name) {
  const given = format(name, options).formatToParts(new Date(value));
  return Object.fromEntries(given.map(({ type, value }) => [type, value]));
}

/** `2026-11-24 10:15:03`, with milliseconds if asked for. @param {string | number | Date} value @param {boolean} [exact] */
export function dateTime(value, exact = false) {
  const p = parts(
    value,
    { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 },
    "full",
  );
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}${exact ? `.${p.fractionalSecond}` : ""}`;
}

/** `10:15:03`. @param {string | number | Date} value */
export const clock = (value) => dateTime(value).slice(11);

/** `2026-11-24`. @param {string | number | Date} value */
export const day = (value) => dateTime(value).slice(0, 10);

/** The zone's distance from UTC at a time, such as `UTC+1`. @param {string | number | Date} [value] */
export function offset(value = Date.now()) {
  return parts(value, { timeZoneName: "shortOffset" }, "offset").timeZoneName.replace("GMT", "UTC");
}

/** `12 s ago`, `3 h ago`; rough on purpose. @param {string | number | Date} value @param {number} [now] */
export function ago(value, now = Date.now()) {
  const seconds = Math.round((now - new Date(value).getTime()) / 1000);
  if (seconds < 0) return `in ${span(-seconds)}`;
  return seconds < 2 ? "just now" : `${span(seconds)} ago`;
}

/** `45 s`, `12 min`, `3 h`, `5 d`. @param {number} seconds */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/**
 * The moment that a wall clock of the zone shows, from `2026-11-24T10:15` (with or without seconds), as ISO 8601 in UTC.
 * A time that the zone skips is taken for one an hour later. Empty for what is no time.
 * @param {string} text
 */
export function momentOf(text) {
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return "";
  let guess = asUtc;
  // What the zone's clock shows at the guess tells how far off it is; twice, for guesses beyond a change of clocks.
  for (let step = 0; step < 2; step++) guess += asUtc - Date.parse(`${dateTime(guess, true).replace(" ", "T")}Z`);
  return new Date(guess).toISOString();
}

/** What `momentOf` takes, for fields of forms. @param {string | number | Date} value */
export const wallClock = (value) => dateTime(value).replace(" ", "T");
