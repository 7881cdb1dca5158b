// Throughput and latency of the last ten minutes.
import { html } from "../lib/html.js";
import { TimeChart } from "./time-chart.js";

/** @param {{ state: import("../lib/api.js").SystemState }} props */
export function FlowCharts({ state }) {
  const { flow, flowStep: step, flowSpan: span } = state;
  const now = Math.floor(Date.parse(state.now) / 1000 / step) * step;
  const times = Array.from({ length: span / step }, (_, index) => now - span + (index + 1) * step - step);
  const at = new Map(flow.map((each) => [each.at, each]));
  const stored = times.map((time) => (at.get(time)?.stored ?? 0) / step);
  const rejected = times.map((time) => (at.get(time)?.rejected ?? 0) / step);
  const waits = (/** @type {"p50" | "p99"} */ name) => times.map((time) => at.get(time)?.[name] ?? null);
  return html`<div class="charts halves">
    <section class="card chart-card" aria-label="Throughput"><header><h2 class="grow">Throughput</h2><span class="hint">records a second, last ten minutes</span></header>
      <${TimeChart} label="Records stored and rejected a second, last ten minutes" times=${times} step=${step} stacked height=${180}
        series=${[{ label: "Rejected", values: rejected, colour: "--bad" }, { label: "Stored", values: stored, colour: "--c-pass" }]} /></section>
    <section class="card chart-card" aria-label="Latency"><header><h2 class="grow">Latency</h2><span class="hint">from Kafka to the table</span></header>
      <${TimeChart} label="Milliseconds from arrival at Kafka to the table, last ten minutes" times=${times} step=${step} height=${180} axisText=${milliseconds}
        series=${[{ label: "Median", values: waits("p50"), colour: "--c1", line: true, text: milliseconds }, { label: "99 of 100 are faster than", values: waits("p99"), colour: "--c2", line: true, text: milliseconds }]} /></section>
  </div>`;
}

/** @param {number} value */
const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value)} ms`);
