// What was found most, with the mean confidence of each class; a class leads to the events that have it.
import { withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { confidence, count } from "../lib/numbers.js";
import { useChart } from "../lib/use-chart.js";
import { BarList } from "./bar-list.js";
import { ChartCard } from "./chart-card.js";

/** @param {{ query: Record<string, any>, params: URLSearchParams, address: (params: URLSearchParams) => string }} props */
export function ClassesCard({ query, params, address }) {
  const chart = useChart("classes", query);
  const rows = chart.data?.rows ?? [];
  const bars = rows.map(({ part, found, mean }) => ({
    label: part,
    value: found,
    text: count(found),
    extra: confidence(mean),
    href: address(withParams(params, { class: part })),
  }));
  return html`<${ChartCard} title="Top classes" request=${chart} empty="Nothing was found in these events." hint="How many, and their mean confidence.">
    <${BarList} bars=${bars} more=${rows.length && rows[0].of > rows.length ? `The ${rows.length} most frequent of ${count(rows[0].of)} classes.` : undefined} />
  <//>`;
}
