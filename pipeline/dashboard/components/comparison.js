// Two spans of time side by side: what changed, and whether it is more than chance.
import { failRate } from "../lib/analysis.js";
import { html } from "../lib/html.js";
import { confidence, count, percent } from "../lib/numbers.js";
import { chanceOf } from "../lib/statistics.js";
import { dateTime } from "../lib/time.js";
import { useChart } from "../lib/use-chart.js";
import { ChartCard } from "./chart-card.js";
import { SpanFields } from "./span-fields.js";

/** @typedef {import("../lib/analysis.js").Between} Between */
/** @typedef {import("../lib/analysis.js").Figures & { span: number, warned: number, confidence: number | null, objects: Record<string, number> }} Side */

const CLASSES = 8;
const NOTHING = { events: 0, passed: 0, failed: 0, warned: 0, confidence: null, objects: {} };

/** @param {{ query: Record<string, any>, before: Between, after: Between, set: (before: Between, after: Between) => void }} props */
export function Comparison({ query, before, after, set }) {
  const { startTime, endTime, ...filters } = query; // its own times take their place
  const chart = useChart("comparison", filters, { spans: [before, after] });
  const sides = [0, 1].map((number) => /** @type {Side} */ (chart.data?.rows.find((row) => row.span === number) ?? { span: number, ...NOTHING }));
  return html`<${ChartCard} title="Before and after" request=${chart} wide empty="No event in either of them; choose other times."
    actions=${html`<${SpanFields} key=${JSON.stringify([before, after])} before=${before} after=${after} set=${set} />`}>
    <${Verdict} sides=${sides} />
    <div class="comparison">
      <${FigureTable} sides=${sides} spans=${[before, after]} />
      <${ClassTable} sides=${sides} />
    </div>
  <//>`;
}

/** The change of the fail rate in words. @param {{ sides: Side[] }} props */
function Verdict({ sides }) {
  const [before, after] = sides;
  const [was, is] = sides.map(failRate);
  if (was === null || is === null) return null;
  const chance = chanceOf(before.failed, before.passed + before.failed, after.failed, after.passed + after.failed);
  const points = (is - was) * 100;
  const what = Math.abs(points) < 0.05 ? "stayed at" : points > 0 ? "rose" : "fell";
  const sure = chance !== null && chance < 0.01 && Math.abs(points) >= 0.05;
  const why = chance === null ? "Too few failures or events to tell it from chance." : sure ? "Chance alone would hardly explain it." : "It may well be chance.";
  return html`<p class=${`verdict ${sure ? (points > 0 ? "bad" : "good") : ""}`}>The fail rate ${what}${what === "stayed at" ? ` ${percent(is)}` : html` from <strong>${percent(was)}</strong> to <strong>${percent(is)}</strong> (${points > 0 ? "+" : ""}${points.toFixed(1)} points)`}.
    <span class="muted"> ${why}${chance !== null ? ` (p ${chance < 0.001 ? "< 0.001" : `= ${chance.toFixed(3)}`})` : ""}</span></p>`;
}

/** @param {{ sides: Side[], spans: Between[] }} props */
function FigureTable({ sides, spans }) {
  const hours = spans.map(({ since, until }) => (Date.parse(until) - Date.parse(since)) / 3_600_000);
  /** @type {[string, (side: Side, index: number) => number | null, (value: number) => string][]} */
  const lines = [
    ["Events", (side) => side.events, count],
    ["Events an hour", (side, index) => side.events / hours[index], rounded],
    ["Passed", (side) => side.passed, count],
    ["Failed", (side) => side.failed, count],
    ["Fail rate", failRate, percent],
    ["Mean of highest confidence", (side) => side.confidence, confidence],
    ["With warnings", (side) => side.warned, count],
  ];
  return html`<div class="table-frame" tabindex="0" role="region" aria-label="Figures before and after"><table>
    <thead><tr><td></td>${["Before", "After"].map((name, index) => html`<th key=${name} class="number" scope="col">${name}<div class="hint">${short(spans[index])}</div></th>`)}</tr></thead>
    <tbody>${lines.map(([name, pick, text]) => html`<tr key=${name}><th scope="row">${name}</th>
      ${sides.map((side, index) => {
        const value = pick(side, index);
        return html`<td key=${index} class="number">${value === null ? "–" : text(value)}</td>`;
      })}</tr>`)}</tbody>
  </table></div>`;
}

/** Objects of a class for each event, those first that changed most. @param {{ sides: Side[] }} props */
function ClassTable({ sides }) {
  const rates = sides.map(({ objects, events }) => new Map(Object.entries(objects).map(([name, number]) => [name, number / events])));
  const names = [...new Set(rates.flatMap((rate) => [...rate.keys()]))];
  if (!names.length) return null;
  const lines = names.map((name) => ({ name, values: rates.map((rate) => rate.get(name) ?? 0) }));
  const change = (/** @type {number[]} */ [was, is]) => Math.abs(is - was);
  lines.sort((one, other) => change(other.values) - change(one.values));
  return html`<div class="table-frame" tabindex="0" role="region" aria-label="Classes before and after"><table>
    <thead><tr><th scope="col">Objects for each event</th><th class="number" scope="col">Before</th><th class="number" scope="col">After</th><th class="number" scope="col">Change</th></tr></thead>
    <tbody>${lines.slice(0, CLASSES).map(({ name, values: [was, is] }) => html`<tr key=${name}><th scope="row">${name}</th>
      <td class="number">${was.toFixed(2)}</td><td class="number">${is.toFixed(2)}</td>
      <td class="number">${was ? `${is >= was ? "+" : "−"}${Math.abs(((is - was) / was) * 100).toFixed(0)} %` : "new"}</td></tr>`)}</tbody>
  </table></div>`;
}

/** @param {Between} span */
const short = ({ since, until }) => `${dateTime(since).slice(5, 16)} – ${dateTime(until).slice(5, 16)}`;

/** @param {number} value */
const rounded = (value) => (value < 10 ? value.toFixed(1) : count(Math.round(value)));
