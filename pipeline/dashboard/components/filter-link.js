// A value that leads to all events that have it too: filters are one click away wherever a value is shown.
import { html } from "../lib/html.js";
import { filtersOf, withComparison, withParams } from "../lib/filters.js";
import { addressOf } from "../lib/router.js";

/**
 * @param {{ params: URLSearchParams, name: string, value: import("../lib/filters.js").Value, field?: string,
 *   children?: import("../vendor/preact.js").ComponentChildren }} props `params`: the filters so far; `field`: of meta, image and data
 */
export function FilterLink({ params, name, value, field, children }) {
  const filters = filtersOf(params);
  const changed = field ? withComparison(filters, name, [field, "eq", value]) : withParams(filters, { [name]: String(value) });
  const view = params.get("view");
  if (view) changed.set("view", view);
  return html`<a class="value" href=${addressOf("events", changed)} title=${`Only events with ${field ?? name} ${value}`}>${children ?? String(value)}</a>`;
}
