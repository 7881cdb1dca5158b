// How alerts are told: how long, how bad, and which events are behind one.
import { withComparison } from "./filters.js";
import { addressOf } from "./router.js";

/** @typedef {import("./api.js").Alert} Alert */

/** @type {Record<string, string>} */
const SOURCES = { device_id: "device", stream_id: "stream", workflow_id: "workflow", factory_id: "factory" };
/** Labels of the event data, by their names on the wire. @type {Record<string, string>} */
const DATA = { result: "result", alert_type: "alertType", item_type: "itemType", location: "location", feedback: "feedback" };
const BEFORE_MS = 60_000;

/** @type {Record<string, string>} */
export const SEVERITY = { high: "bad", medium: "warn", low: "accent" };

/** `Defect burst`. @param {string} rule */
export const ruleLabel = (rule) => (rule[0] ?? "").toUpperCase() + rule.slice(1).replaceAll("_", " ");

/** Seconds from firing to the end, or to now. @param {Alert} alert */
export const openSeconds = ({ firedAt, endsAt }) => Math.max(0, ((endsAt ? Date.parse(endsAt) : Date.now()) - Date.parse(firedAt)) / 1000);

/** The events of an alert's group, around its time. @param {Alert} alert */
export function eventsOf({ useCaseId, group, startsAt, endsAt }) {
  let params = new URLSearchParams({ useCase: useCaseId, from: new Date(Date.parse(startsAt) - BEFORE_MS).toISOString() });
  if (endsAt) params.set("to", endsAt);
  for (const [label, value] of Object.entries(group)) {
    if (!value) continue;
    if (SOURCES[label]) params.set(SOURCES[label], value);
    else params = withComparison(params, DATA[label] ? "data" : "meta", [DATA[label] ?? label, "eq", value]);
  }
  return addressOf("events", params);
}

/** The event that set it off; empty where none did, such as for silence. @param {Alert} alert */
export const eventOf = ({ useCaseId, eventId }) => (eventId ? addressOf(["event", useCaseId, eventId]) : "");

/** `12`, `0.42`. @param {number} value */
export const valueText = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
