// Two keys against each other, such as line by shift: how many events, or which share failed. A cell leads to its events.
import { failRate, filteredBy, keyLabel } from "../lib/analysis.js";
import { html } from "../lib/html.js";
import { count, counted, percent } from "../lib/numbers.js";
import { useChart } from "../lib/use-chart.js";
import { useState } from "../vendor/preact-hooks.js";
import { ChartCard } from "./chart-card.js";
import { KeySelect } from "./key-select.js";

/** @typedef {import("../lib/analysis.js").Figures & { row: string, column: string }} Cell */

const MOST_ROWS = 20;
const MOST_COLUMNS = 12;

/**
 * @param {{ query: Record<string, any>, params: URLSearchParams, rows: string, columns: string, keys: string[], fields: import("../lib/analysis.js").Fields,
 *   set: (changes: Record<string, string>) => void, address: (params: URLSearchParams) => string }} props
 */
export function HeatMap({ query, params, rows, columns, keys, fields, set, address }) {
  const chart = useChart("heatMap", query, { by: [rows, columns] });
  const cells = /** @type {Cell[]} */ (chart.data?.rows ?? []);
  const judged = cells.some(({ passed, failed }) => passed + failed > 0);
  const [counted_, setCounted] = useState(false);
  const rate = judged && !counted_;
  const [down, across] = [namesOf(cells, "row", MOST_ROWS), namesOf(cells, "column", MOST_COLUMNS)];
  const at = new Map(cells.map((cell) => [JSON.stringify([cell.row, cell.column]), cell]));
  const value = (/** @type {Cell} */ cell) => (rate ? (failRate(cell) ?? 0) : cell.events);
  const most = Math.max(rate ? 0.01 : 1, ...cells.map(value));
  const narrowed = (/** @type {Cell} */ cell) => {
    const first = filteredBy(params, rows, cell.row, fields);
    return first && filteredBy(first, columns, cell.column, fields);
  };
  return html`<${ChartCard} title=${`By ${keyLabel(rows)} and ${keyLabel(columns)}`} request=${chart} wide
    actions=${html`
      ${judged && html`<div class="segmented" role="group" aria-label="Shown">
        <button aria-pressed=${rate} onClick=${() => setCounted(false)}>Fail rate</button><button aria-pressed=${!rate} onClick=${() => setCounted(true)}>Events</button></div>`}
      <${KeySelect} label="Rows" value=${rows} keys=${keys} change=${(/** @type {string} */ key) => set({ rows: key })} />
      <${KeySelect} label="Columns" value=${columns} keys=${keys} change=${(/** @type {string} */ key) => set({ cols: key })} />`}>
    <div class="heat-frame" tabindex="0" role="region" aria-label="Heat map"><table class=${rate ? "heat rate" : "heat"}>
      <thead><tr><td></td>${across.map((name) => html`<th key=${name} scope="col">${name || "none"}</th>`)}</tr></thead>
      <tbody>${down.map((row) => html`<tr key=${row}><th scope="row">${row || "none"}</th>
        ${across.map((column) => {
          const cell = at.get(JSON.stringify([row, column]));
          if (!cell) return html`<td key=${column} class="nothing">·</td>`;
          const share = value(cell) / most;
          const failed = failRate(cell);
          const link = narrowed(cell);
          const text = rate ? (failed === null ? "–" : percent(failed)) : count(cell.events);
          const title = `${row || "none"}, ${column || "none"}: ${counted(cell.events, "event")}${failed === null ? "" : `, ${percent(failed)} failed`}`;
          return html`<td key=${column} style=${{ "--share": share.toFixed(3) }} title=${title}>
            ${link ? html`<a href=${address(link)}>${text}</a>` : text}${rate && html`<small>${count(cell.events)}</small>`}</td>`;
        })}</tr>`)}</tbody>
    </table></div>
  <//>`;
}

/** The names with most events, in order of their names. @param {Cell[]} cells @param {"row" | "column"} side @param {number} most */
function namesOf(cells, side, most) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  for (const cell of cells) totals.set(cell[side], (totals.get(cell[side]) ?? 0) + cell.events);
  const kept = [...totals].sort((one, other) => other[1] - one[1]).slice(0, most).map(([name]) => name);
  return kept.sort((one, other) => one.localeCompare(other, undefined, { numeric: true }));
}
