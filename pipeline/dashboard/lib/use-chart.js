// A chart of the events that filters find, asked anew whenever the question changes.
import { api } from "./api.js";
import { usePreferences } from "./preferences.js";
import { zoneName } from "./time.js";
import { useRequest } from "./use-request.js";

// One after the other, beside the one over time: all at once they slow each other down, and none would be there early.
/** @type {Promise<unknown>} */
let last = Promise.resolve();

/** @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @returns {Promise<T>} */
function inTurn(ask, signal) {
  const asked = last.then(() => {
    signal.throwIfAborted();
    return ask();
  });
  last = asked.catch(() => {});
  return asked;
}

/**
 * @param {import("./api.js").ChartName} chart @param {Record<string, any>} filters the body of a query
 * @param {{ by?: string[], spans?: import("./analysis.js").Between[] }} [how]
 */
export function useChart(chart, filters, how = {}) {
  usePreferences(); // another zone, other days
  const question = { chart, filters, ...how, timeZone: zoneName() };
  return useRequest((signal) => (chart === "overTime" ? api.analysis(question, signal) : inTurn(() => api.analysis(question, signal), signal)), [JSON.stringify(question)]);
}
