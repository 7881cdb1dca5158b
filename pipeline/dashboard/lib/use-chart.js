// A chart of the events that filters find, asked anew whenever the question changes.
import { api } from "./api.js";
import { usePreferences } from "./preferences.js";
import { zoneName } from "./time.js";
import { useRequest } from "./use-request.js";

// Two at a time, in the order of the page: all at once they slow each other down, and none would be there early.
/** @type {Promise<unknown>[]} */
const lanes = [Promise.resolve(), Promise.resolve()];
let next = 0;

/** @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @returns {Promise<T>} */
function inTurn(ask, signal) {
  const lane = next++ % lanes.length;
  const asked = lanes[lane].then(() => {
    signal.throwIfAborted();
    return ask();
  });
  lanes[lane] = asked.catch(() => {});
  return asked;
}

/**
 * @param {import("./api.js").ChartName} chart @param {Record<string, any>} filters the body of a query
 * @param {{ by?: string[], spans?: import("./analysis.js").Between[] }} [how]
 */
export function useChart(chart, filters, how = {}) {
  usePreferences(); // another zone, other days
  const question = { chart, filters, ...how, timeZone: zoneName() };
  return useRequest((signal) => inTurn(() => api.analysis(question, signal), signal), [JSON.stringify(question)]);
}
