// Events by the values of a key, with what failed of each; a value leads to the events that have it.
import { failRate, filteredBy, keyLabel } from "../lib/analysis.js";
import { html } from "../lib/html.js";
import { count, percent } from "../lib/numbers.js";
import { useChart } from "../lib/use-chart.js";
import { BarList } from "./bar-list.js";
import { ChartCard } from "./chart-card.js";
import { KeySelect } from "./key-select.js";

/**
 * @param {{ query: Record<string, any>, params: URLSearchParams, by: string, keys: string[], fields: import("../lib/analysis.js").Fields,
 *   setBy: (key: string) => void, address: (params: URLSearchParams) => string }} props
 */
export function SplitCard({ query, params, by, keys, fields, setBy, address }) {
  const chart = useChart("split", query, { by: [by] });
  const rows = chart.data?.rows ?? [];
  const judged = rows.some((row) => row.passed + row.failed > 0);
  const bars = rows.map((row) => {
    const narrowed = filteredBy(params, by, row.part, fields);
    const rate = failRate(row);
    return {
      label: row.part,
      value: row.events,
      text: count(row.events),
      href: narrowed && address(narrowed),
      ...(judged ? { marked: row.failed, extra: rate === null ? "–" : percent(rate) } : {}),
    };
  });
  return html`<${ChartCard} title=${`By ${keyLabel(by)}`} request=${chart} hint=${judged ? "Red is what failed, and its share." : undefined}
    actions=${html`<${KeySelect} label="Key" value=${by} keys=${keys} change=${setBy} />`}>
    <${BarList} bars=${bars} more=${rows.length && rows[0].of > rows.length ? `The ${rows.length} most frequent of ${count(rows[0].of)} values.` : undefined} />
  <//>`;
}
