// What can be split by, how it is called, and how a value of it becomes a filter of the events.
import { withComparison, withParams } from "./filters.js";

/** @typedef {{ since: string, until: string }} Between */
/** @typedef {{ events: number, passed: number, failed: number }} Figures */
/** Types by key of custom metadata. @typedef {Record<string, { types: string[] }>} Fields */

const PLAIN = ["device", "stream", "workflow", "factory", "type"];
const CUT = 200;
const DATA = ["result", "alertType", "severity", "itemType", "location"];

/** `line_id`, `device`, `alert type`. @param {string} key */
export const keyLabel = (key) => key.replace(/^(meta|data):/, "").replace(/([a-z])([A-Z])/g, "$1 $2");

/** All keys: metadata first. @param {Fields} fields */
export const keysOf = (fields) => [...Object.keys(fields).map((name) => `meta:${name}`), ...PLAIN, ...DATA.map((name) => `data:${name}`)];

/** The first of some keys that there is. @param {string[]} keys @param {string[]} wanted */
export const firstOf = (keys, wanted) => wanted.find((key) => keys.includes(key)) ?? keys[0];

/**
 * The filters with a value more; null where it cannot be filtered by.
 * @param {URLSearchParams} params @param {string} key @param {string} text @param {Fields} fields
 */
export function filteredBy(params, key, text, fields) {
  if (!text) return null;
  const [kind, name] = key.split(":");
  if (kind === "data") return withComparison(params, "data", [name, "eq", text]);
  if (kind !== "meta") return withParams(params, { [key]: text });
  const types = fields[name]?.types ?? ["string"];
  const number = Number(text);
  const value = types.includes("string") ? text : types.includes("boolean") && /^(true|false)$/.test(text) ? text === "true" : Number.isFinite(number) ? number : text;
  // A longer text is cut in charts (core/analysis/keys.py): what contains its beginning is looked for.
  const cut = typeof value === "string" && [...value].length >= CUT;
  return withComparison(params, "meta", [name, cut ? "contains" : "eq", value]);
}

/** The share that failed of what passed or failed; null where nothing did. @param {Figures} figures */
export const failRate = ({ passed, failed }) => (passed + failed ? failed / (passed + failed) : null);

/** @param {Figures[]} rows @returns {Figures} */
export const summed = (rows) => rows.reduce((sum, row) => ({ events: sum.events + row.events, passed: sum.passed + row.passed, failed: sum.failed + row.failed }), { events: 0, passed: 0, failed: 0 });

/** A span in an address: `ISO~ISO`. @param {string | null} text @returns {Between | null} */
export function spanOf(text) {
  const [since = "", until = ""] = (text ?? "").split("~");
  return Date.parse(since) < Date.parse(until) ? { since, until } : null;
}

/** @param {Between} span */
export const spanText = ({ since, until }) => `${since}~${until}`;
