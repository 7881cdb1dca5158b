// How confident the models were: a histogram in steps of 0.05. A bar leads to the events from there on, where a class is chosen.
import { withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { count, counted } from "../lib/numbers.js";
import { useChart } from "../lib/use-chart.js";
import { ChartCard } from "./chart-card.js";

const BINS = 20;

/** @param {{ query: Record<string, any>, params: URLSearchParams, address: (params: URLSearchParams) => string }} props */
export function ConfidenceCard({ query, params, address }) {
  const chart = useChart("confidences", query);
  const found = new Map((chart.data?.rows ?? []).map((row) => [row.bin, row.found]));
  const bins = Array.from({ length: BINS }, (_, bin) => found.get(bin) ?? 0);
  const most = Math.max(1, ...bins);
  const name = params.get("class");
  const edge = (/** @type {number} */ bin) => (bin / BINS).toFixed(2);
  return html`<${ChartCard} title=${name ? `Confidence of ${name}` : "Confidence"} request=${chart} empty="Nothing with a confidence was found in these events."
    hint=${name ? "A bar leads to events with at least this confidence." : "Of all classes together; choose a class to see it alone."}>
    <div class="histogram">
      <span class="histogram-most">${count(most)}</span>
      <ol>${bins.map((value, bin) => {
        const title = `${edge(bin)} to ${edge(bin + 1)}: ${counted(value, "annotation")}`;
        const bar = html`<span class="histogram-bar" style=${{ height: `${value ? Math.max(1.5, (value / most) * 100) : 0}%` }}></span>`;
        return html`<li key=${bin} title=${title}>${name ? html`<a href=${address(withParams(params, { conf: edge(bin) }))} aria-label=${title}>${bar}</a>` : html`<span class="out-of-sight">${title}</span>${bar}`}</li>`;
      })}</ol>
      <div class="histogram-axis" aria-hidden="true">${[0, 0.25, 0.5, 0.75, 1].map((at) => html`<span key=${at}>${at}</span>`)}</div>
    </div>
  <//>`;
}
