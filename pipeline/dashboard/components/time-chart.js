// Bars or lines over time. Dragging over it chooses a span of time; what lies under the pointer stands above it.
import { html } from "../lib/html.js";
import { usePreferences } from "../lib/preferences.js";
import { dateTime, zoneName } from "../lib/time.js";
import uPlot from "../vendor/uplot.js";
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.js";

/** @typedef {{ label: string, values: (number | null)[], colour: string, line?: boolean, text?: (value: number) => string }} Series `colour`: a variable of the styles */
/** @typedef {{ since: number, until: number, colour: string }} Band seconds since the epoch */

/**
 * @param {{ label: string, times: number[], step: number, series: Series[], stacked?: boolean, height?: number, bands?: Band[],
 *   axisText?: (value: number) => string, select?: (since: number, until: number) => void }} props
 *   `times`: the beginnings of steps of `step` seconds, in order
 */
export function TimeChart({ label, times, step, series, stacked, height = 220, bands = [], axisText, select }) {
  const { theme, zone } = usePreferences();
  const dark = useDark();
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  const chosen = useRef(select);
  chosen.current = select;
  const [under, setUnder] = useState(/** @type {number | null} */ (null));
  // Stacked bars are drawn from the sum of all down to the first alone, each over the last.
  const order = stacked ? series.map((_, index) => series.length - 1 - index) : series.map((_, index) => index);
  const tops = stacked ? series.map((_, index) => times.map((_, at) => series.slice(0, index + 1).reduce((sum, each) => sum + (each.values[at] ?? 0), 0))) : series.map((each) => each.values);
  const data = /** @type {[number[], ...(number | null)[][]]} */ ([times, ...order.map((index) => tops[index])]);
  const drawn = useRef({ plot: /** @type {any} */ (null), times, bands });
  drawn.current.times = times;
  drawn.current.bands = bands;
  const frameKey = JSON.stringify([step, series.map(({ label, colour, line }) => [label, colour, line]), height, theme, zone, dark]);

  useLayoutEffect(() => {
    const element = /** @type {HTMLDivElement} */ (frame.current);
    const colour = (/** @type {string} */ name) => getComputedStyle(element).getPropertyValue(name).trim();
    const resolved = (/** @type {string} */ name) => {
      element.style.color = `var(${name})`;
      const value = getComputedStyle(element).color;
      element.style.color = "";
      return value;
    };
    const [muted, line] = [resolved("--muted"), resolved("--line")];
    const font = `12px ${colour("font-family") || "system-ui, sans-serif"}`;
    const bars = uPlot.paths.bars?.({ size: [0.86, 64], align: 1, radius: times.length < 60 ? 0.12 : 0 });
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zoneName()),
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: Boolean(select), y: false, setScale: false } },
        scales: {
          x: { range: () => [drawn.current.times[0] - step * 0.1, (drawn.current.times.at(-1) ?? 0) + step * 1.1] },
          y: { range: (_, __, top) => [0, top > 0 ? top * 1.08 : 1] },
        },
        axes: [
          { stroke: muted, grid: { show: false }, ticks: { stroke: line, size: 4 }, font, values: timeLabels },
          { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { show: false }, font, size: 52, space: 38, values: (_, ticks) => ticks.map((tick) => (axisText ? axisText(tick) : short(tick))) },
        ],
        series: [
          {},
          ...order.map((index) => ({
            label: series[index].label,
            stroke: series[index].line ? resolved(series[index].colour) : undefined,
            fill: series[index].line ? undefined : resolved(series[index].colour),
            width: series[index].line ? 2 : 0,
            paths: series[index].line ? undefined : bars,
            spanGaps: false,
            points: { show: Boolean(series[index].line) && times.length < 80, size: 5, fill: resolved(series[index].colour) },
          })),
        ],
        hooks: {
          setCursor: [(/** @type {any} */ chart) => setUnder(chart.cursor.left >= 0 ? stepAt(chart.posToVal(chart.cursor.left, "x")) : null)],
          setSelect: [
            (/** @type {any} */ chart) => {
              const { left, width } = chart.select;
              if (width < 4) return;
              const [since, until] = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
              chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              chosen.current?.(since, until);
            },
          ],
          draw: [
            (/** @type {any} */ chart) => {
              for (const band of drawn.current.bands) {
                const [left, right] = [band.since, band.until].map((at) => Math.min(Math.max(chart.valToPos(at, "x", true), chart.bbox.left), chart.bbox.left + chart.bbox.width));
                chart.ctx.save();
                chart.ctx.fillStyle = chart.ctx.strokeStyle = resolved(band.colour);
                chart.ctx.lineWidth = 2;
                chart.ctx.strokeRect(left, chart.bbox.top + 1, right - left, chart.bbox.height - 1);
                chart.ctx.globalAlpha = 0.2;
                chart.ctx.fillRect(left, chart.bbox.top, right - left, chart.bbox.height);
                chart.ctx.restore();
              }
            },
          ],
        },
      },
      data,
      element,
    );
    drawn.current.plot = plot;
    /** Which of the steps a time lies in. @param {number} at */
    function stepAt(at) {
      const index = drawn.current.times.findLastIndex((time) => time <= at);
      return index >= 0 && at < drawn.current.times[index] + step * 1.2 ? index : null;
    }
    const watcher = new ResizeObserver(() => element.clientWidth && plot.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [frameKey]);
  // New values of the same chart are put into it: what lies under the pointer stays.
  useLayoutEffect(() => drawn.current.plot.setData(data), [JSON.stringify([data, bands])]);

  return html`<figure class="time-chart">
    <figcaption>
      ${series.map((each) => html`<span class="legend" key=${each.label}><span class="dot" style=${{ background: `var(${each.colour})` }}></span>${each.label}
        ${under !== null && each.values[under] !== null && each.values[under] !== undefined && html`<strong>${(each.text ?? short)(/** @type {number} */ (each.values[under]))}</strong>`}</span>`)}
      <span class="grow"></span>
      <span class="muted when">${under !== null && times[under] !== undefined ? dateTime(times[under] * 1000).slice(0, step >= 86400 ? 10 : 16 + (step < 60 ? 3 : 0)) : ""}</span>
    </figcaption>
    <div class=${select ? "plot selects" : "plot"} ref=${frame} role="img" aria-label=${label}></div>
  </figure>`;
}

/** `12k`, `0.5`. @param {number} value */
const short = (value) => value.toLocaleString("en-US", { notation: value >= 10_000 ? "compact" : "standard", maximumFractionDigits: 2 });

/** The clock of a tick, and the day where it begins. @param {any} _ @param {number[]} ticks */
function timeLabels(_, ticks) {
  let before = "";
  return ticks.map((tick) => {
    const text = dateTime(tick * 1000);
    const [day, time] = [text.slice(5, 10), text.slice(11, ticks.length > 1 && ticks[1] - ticks[0] < 60 ? 19 : 16)];
    const shown = time.startsWith("00:00") && ticks.length > 1 && ticks[1] - ticks[0] >= 86400 ? day : day === before ? time : `${time}\n${day}`;
    before = day;
    return shown;
  });
}

/** Whether the browser prefers dark: colours of a canvas do not follow by themselves. */
function useDark() {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const update = () => setDark(query.matches);
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, []);
  return dark;
}
