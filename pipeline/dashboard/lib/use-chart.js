// A chart of the events that filters find, asked anew whenever the question changes.
import { api } from "./api.js";
import { usePreferences } from "./preferences.js";
import { zoneName } from "./time.js";
import { useRequest } from "./use-request.js";

/**
 * @param {import("./api.js").ChartName} chart @param {Record<string, any>} filters the body of a query
 * @param {{ by?: string[], spans?: import("./analysis.js").Between[] }} [how]
 */
export function useChart(chart, filters, how = {}) {
  usePreferences(); // another zone, other days
  const question = { chart, filters, ...how, timeZone: zoneName() };
  return useRequest((signal) => api.analysis(question, signal), [JSON.stringify(question)]);
}
