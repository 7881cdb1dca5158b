// The filters of the page of events: read from the address, written to it, and made into the query of the HTTP API.
import { day, momentOf, zoneName } from "./time.js";

/** @typedef {string | number | boolean} Value */
/** A comparison of a field: its name, operator and value. @typedef {[field: string, operator: string, value: Value]} Comparison */

/** Where an event comes from; in the address as `device=cam-7`, or `device=!cam-7` for all but that. */
export const SOURCES = /** @type {const} */ (["device", "stream", "workflow", "factory"]);

/** Comparisons of fields, each in the address as JSON, any number of times. */
export const COMPARED = /** @type {const} */ (["meta", "image", "data"]);

export const EVENT_TYPES = ["quality_check", "inventory_count", "safety_alert", "custom"];
export const FEEDBACK = ["correct", "incorrect", "inconclusive", "none"];

/** All names of filters in an address, the use case and times included. */
export const FILTER_NAMES = ["useCase", "last", "from", "to", "tod", "type", ...SOURCES, "class", "conf", "feedback", "warnings", ...COMPARED];

/** Presets of the time range: how far back, in seconds. @type {Record<string, [label: string, seconds: number]>} */
export const LAST = {
  "15m": ["Last 15 minutes", 900],
  "1h": ["Last hour", 3600],
  "8h": ["Last 8 hours", 8 * 3600],
  "24h": ["Last 24 hours", 86400],
  "7d": ["Last 7 days", 7 * 86400],
};

/** Presets that follow the days of the zone: how many days back and at which hour each begins and ends. @type {Record<string, [label: string, from: [days: number, hour: number], to: [days: number, hour: number]]>} */
export const DAYS = {
  today: ["Today", [0, 0], [-1, 0]],
  yesterday: ["Yesterday", [1, 0], [0, 0]],
  night: ["Last night, 22 to 6", [1, 22], [0, 6]],
};

/** @param {number} now @param {[days: number, hour: number]} place */
function atHour(now, [days, hour]) {
  const date = new Date(`${day(now)}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - days);
  return momentOf(`${date.toISOString().slice(0, 10)}T${String(hour).padStart(2, "0")}:00`);
}

/** Each day between two times of a zone's clock; in the address as `tod=22:00-06:00 Europe/Berlin`. @param {URLSearchParams} params */
export function timeOfDay(params) {
  const [, start, end, timeZone = zoneName()] = /^(\d\d:\d\d)-(\d\d:\d\d)(?: (.+))?$/.exec(params.get("tod") ?? "") ?? [];
  return start && end ? { start, end, timeZone } : null;
}

/** Only the filters of an address. @param {URLSearchParams} params */
export function filtersOf(params) {
  return new URLSearchParams([...params].filter(([name]) => FILTER_NAMES.includes(name)));
}

/** The comparisons of one kind; what cannot be read is passed over. @param {URLSearchParams} params @param {string} kind @returns {Comparison[]} */
export function comparisons(params, kind) {
  return params.getAll(kind).flatMap((text) => {
    try {
      const found = JSON.parse(text);
      return Array.isArray(found) && found.length === 3 ? [/** @type {Comparison} */ (found)] : [];
    } catch {
      return [];
    }
  });
}

/**
 * The address's query with one filter set, or taken away by an empty value.
 * @param {URLSearchParams} params @param {Record<string, string | null | undefined>} changes
 */
export function withParams(params, changes) {
  const changed = new URLSearchParams(params);
  for (const [name, value] of Object.entries(changes)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  return changed;
}

/**
 * With a comparison more; it takes the place of `before`, or of an equal test of the same field.
 * @param {URLSearchParams} params @param {string} kind @param {Comparison | null} comparison @param {Comparison} [before]
 */
export function withComparison(params, kind, comparison, before) {
  const replaced = (/** @type {Comparison} */ other) =>
    before ? JSON.stringify(other) === JSON.stringify(before) : comparison && other[0] === comparison[0] && other[1] === "eq" && comparison[1] === "eq";
  const kept = comparisons(params, kind).filter((other) => !replaced(other));
  const changed = new URLSearchParams(params);
  changed.delete(kind);
  for (const each of comparison ? [...kept, comparison] : kept) changed.append(kind, JSON.stringify(each));
  return changed;
}

/**
 * The filters as the body of `POST /vision-events/query`. Relative times count from `now`, which stays the same for all
 * pages of one list.
 * @param {URLSearchParams} params @param {number} now milliseconds
 * @returns {Record<string, any>}
 */
export function queryOf(params, now) {
  /** @type {Record<string, any>} */
  const query = { useCaseId: params.get("useCase") ?? "" };
  const preset = LAST[params.get("last") ?? ""];
  if (preset) query.startTime = new Date(now - preset[1] * 1000).toISOString();
  const days = DAYS[params.get("last") ?? ""];
  if (days) [query.startTime, query.endTime] = [atHour(now, days[1]), atHour(now, days[2])];
  if (params.get("from")) query.startTime = params.get("from");
  if (params.get("to")) query.endTime = params.get("to");
  const daily = timeOfDay(params);
  if (daily) query.timeOfDay = daily;
  // What people said of events is shown with them, not among them.
  query.eventTypes = params.get("type")?.split(",") ?? EVENT_TYPES;
  for (const source of SOURCES) {
    const value = params.get(source);
    if (value) query[`${source}Id`] = value.startsWith("!") ? { operator: "neq", value: value.slice(1) } : { operator: "eq", value };
  }
  const name = params.get("class");
  if (name) query.detectionClass = { value: name, ...(params.get("conf") ? { minConfidence: Number(params.get("conf")) } : {}) };
  if (params.get("feedback")) query.feedbackStatus = params.get("feedback");
  if (params.get("warnings")) query.warningsOnly = true;
  const listed = (/** @type {string} */ kind, /** @type {string} */ key) =>
    comparisons(params, kind).map(([field, operator, value]) => ({ [key]: field, operator, value, type: typeof value }));
  if (params.has("meta")) query.customMetadataFilters = listed("meta", "field");
  if (params.has("image")) query.imageMetadataFilters = listed("image", "field");
  if (params.has("data")) query.eventFieldFilters = listed("data", "column");
  return query;
}

/** @type {Record<string, string>} */
const SIGNS = { eq: "is", neq: "is not", gt: ">", gte: "≥", lt: "<", lte: "≤", contains: "contains" };
export const OPERATORS = Object.entries(SIGNS);

/** `line_id is L3`. @param {Comparison} comparison */
export const comparisonText = ([field, operator, value]) => `${field} ${SIGNS[operator] ?? operator} ${value}`;
