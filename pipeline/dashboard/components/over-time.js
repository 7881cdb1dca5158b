// Events over time, what passed and failed or by the values of a key, and the fail rate below. Dragging zooms.
import { keyLabel } from "../lib/analysis.js";
import { html } from "../lib/html.js";
import { percent } from "../lib/numbers.js";
import { span } from "../lib/time.js";
import { ChartCard } from "./chart-card.js";
import { KeySelect } from "./key-select.js";
import { TimeChart } from "./time-chart.js";

/** @typedef {import("../lib/analysis.js").Figures & { at: number, part?: string | null }} Row */

/**
 * @param {{ request: import("../lib/use-request.js").Request<import("../lib/api.js").Chart>, split: string, keys: string[], setSplit: (key: string) => void,
 *   bands: import("./time-chart.js").Band[], actions?: import("../vendor/preact.js").ComponentChildren, select: (since: number, until: number) => void }} props
 */
export function OverTime({ request, split, keys, setSplit, bands, actions, select }) {
  const step = request.data?.stepSeconds ?? 1;
  const rows = /** @type {Row[]} */ (request.data?.rows ?? []);
  const times = allSteps([...new Set(rows.map(({ at }) => at))], step);
  const judged = rows.some(({ passed, failed }) => passed + failed > 0);
  const series = split ? byPart(rows, times) : byResult(rows, times, judged);
  const rates = split ? [] : rateOf(rows, times);
  return html`<${ChartCard} title="Events over time" request=${request} wide
    actions=${html`${actions}<${KeySelect} label="Split by" value=${split} keys=${keys} none="pass and fail" change=${setSplit} />`}>
    <${TimeChart} label=${`Events in steps of ${span(step)}${split ? `, by ${keyLabel(split)}` : ""}`} times=${times} step=${step} series=${series} stacked bands=${bands} select=${select} />
    ${!split && judged && html`<${TimeChart} label="Fail rate over time" times=${times} step=${step} height=${130} bands=${bands} select=${select}
      axisText=${(/** @type {number} */ value) => `${Math.round(value * 100)} %`} series=${[{ label: "Fail rate", values: rates, colour: "--bad", line: true, text: percent }]} />`}
  <//>`;
}

/** Every step from the first to the last, so that gaps show; where clocks change, only those that there are. @param {number[]} found @param {number} step */
function allSteps(found, step) {
  const [first, last] = [found[0], found[found.length - 1]];
  const even = found.every((at) => (at - first) % step === 0);
  return even && (last - first) / step < 2000 ? Array.from({ length: (last - first) / step + 1 }, (_, index) => first + index * step) : found;
}

/** @param {Row[]} rows @param {number[]} times @param {boolean} judged */
function byResult(rows, times, judged) {
  const at = new Map(rows.map((row) => [row.at, row]));
  const values = (/** @type {(row: Row) => number} */ pick) => times.map((time) => (at.has(time) ? pick(/** @type {Row} */ (at.get(time))) : 0));
  if (!judged) return [{ label: "Events", values: values((row) => row.events), colour: "--accent" }];
  const others = values((row) => row.events - row.passed - row.failed);
  return [
    { label: "Failed", values: values((row) => row.failed), colour: "--bad" },
    { label: "Passed", values: values((row) => row.passed), colour: "--c-pass" },
    ...(others.some(Boolean) ? [{ label: "Neither", values: others, colour: "--line-strong" }] : []),
  ];
}

/** @param {Row[]} rows @param {number[]} times */
function rateOf(rows, times) {
  const at = new Map(rows.map((row) => [row.at, row]));
  return times.map((time) => {
    const row = at.get(time);
    return row && row.passed + row.failed ? row.failed / (row.passed + row.failed) : null;
  });
}

/** The most frequent values, the largest first, and all others together (null). @param {Row[]} rows @param {number[]} times */
function byPart(rows, times) {
  const places = new Map(times.map((time, index) => [time, index]));
  /** @type {Map<string | null, number[]>} */
  const values = new Map();
  for (const { at, part = null, events } of rows) {
    if (!values.has(part)) values.set(part, times.map(() => 0));
    /** @type {number[]} */ (values.get(part))[/** @type {number} */ (places.get(at))] += events;
  }
  const total = (/** @type {number[]} */ numbers) => numbers.reduce((sum, value) => sum + value, 0);
  const named = [...values].filter(([part]) => part !== null).sort((one, other) => total(other[1]) - total(one[1]));
  const others = values.get(null);
  return [
    ...named.map(([part, numbers], index) => ({ label: part || "none", values: numbers, colour: `--c${index + 1}` })),
    ...(others ? [{ label: "others", values: others, colour: "--line-strong" }] : []),
  ];
}
