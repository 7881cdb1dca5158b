// Figures of the events that the filters find: over time, by what, how confident, and what changed.
import { ClassesCard } from "../components/classes-card.js";
import { Comparison } from "../components/comparison.js";
import { ConfidenceCard } from "../components/confidence-card.js";
import { EmptyState } from "../components/empty-state.js";
import { ErrorNote } from "../components/error-note.js";
import { FilterBar } from "../components/filter-bar.js";
import { HeatMap } from "../components/heat-map.js";
import { Icon } from "../components/icon.js";
import { Loading } from "../components/loading.js";
import { OverTime } from "../components/over-time.js";
import { PageHeader } from "../components/page-header.js";
import { SplitCard } from "../components/split-card.js";
import { failRate, firstOf, keysOf, spanOf, spanText, summed } from "../lib/analysis.js";
import { api } from "../lib/api.js";
import { filtersOf, queryOf, withParams } from "../lib/filters.js";
import { html } from "../lib/html.js";
import { count, percent } from "../lib/numbers.js";
import { addressOf, go } from "../lib/router.js";
import { useChart } from "../lib/use-chart.js";
import { useRequest } from "../lib/use-request.js";
import { useEffect, useMemo, useState } from "../vendor/preact-hooks.js";

/** @typedef {import("../lib/analysis.js").Between} Between */

const BRUSHES = /** @type {const} */ ([["zoom", "Zoom"], ["a", "Before"], ["b", "After"]]);

/** @param {{ place: import("../lib/router.js").Place }} props */
export default function Analysis({ place }) {
  const { params } = place;
  const useCases = useRequest((signal) => api.useCases(signal), []);
  const all = useCases.data?.useCases ?? [];
  const chosen = params.get("useCase") ?? "";
  const fields = useRequest((signal) => (chosen ? api.metadataFields("custom", chosen, signal) : Promise.resolve({ fields: {} })), [chosen]);
  useEffect(() => {
    const first = all.find((useCase) => useCase.status === "active") ?? all[0];
    // The last day answers at once, however many events there are; all times are a choice away.
    if (!chosen && first) go(addressOf("analysis", { useCase: first.id, last: "24h" }), { replace: true });
  }, [chosen, useCases.data]);
  const error = useCases.error ?? fields.error;
  if (error) return html`<${ErrorNote} error=${error} retry=${() => (useCases.reload(), fields.reload())} />`;
  if (useCases.data && !all.length)
    return html`<${EmptyState} icon="chart" title="No use case yet" text="Figures are of the events of a use case."><a class="button primary" href=${addressOf("use-cases")}>Make the first one</a><//>`;
  if (!chosen || !fields.data || fields.loading) return html`<${Loading} />`;
  return html`
    <${PageHeader} title="Analysis" text=${all.find(({ id }) => id === chosen)?.name ?? chosen}>
      <label><span class="out-of-sight">Use case</span><select value=${chosen} onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ event) => go(addressOf("analysis", { useCase: event.currentTarget.value, last: params.get("last"), from: params.get("from"), to: params.get("to") }))}>
        ${all.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>
      <a class="button" href=${addressOf("events", filtersOf(params))}><${Icon} name="events" size=${16} /> These events</a>
    <//>
    <${Charts} params=${params} fields=${fields.data.fields} />`;
}

/** @param {{ params: URLSearchParams, fields: import("../lib/analysis.js").Fields }} props */
function Charts({ params, fields }) {
  const filters = filtersOf(params);
  // Relative times count from when the filters were chosen: all charts are of the same events.
  const query = useMemo(() => queryOf(filters, Date.now()), [filters.toString()]);
  const [brush, setBrush] = useState(/** @type {"zoom" | "a" | "b"} */ ("zoom"));
  const keys = keysOf(fields);
  const split = keys.includes(params.get("split") ?? "") ? /** @type {string} */ (params.get("split")) : "";
  const by = params.get("by") ?? firstOf(keys, ["meta:line_id", "meta:zone", "meta:location", "device"]);
  const rows = params.get("rows") ?? by;
  const columns = params.get("cols") ?? firstOf(keys, ["meta:shift", "device"]);
  const over = useChart("overTime", query, split ? { by: [split] } : {});
  const set = (/** @type {Record<string, string | null>} */ changes) => go(addressOf("analysis", withParams(params, changes)));
  const apply = (/** @type {URLSearchParams} */ changed) => go(addressOf("analysis", changed));
  const address = (/** @type {URLSearchParams} */ changed) => addressOf("analysis", changed);
  const spans = spansOf(params, over.data);
  const select = (/** @type {number} */ since, /** @type {number} */ until) => {
    const step = over.data?.stepSeconds ?? 1;
    const [from, to] = [Math.floor(since / step) * step, Math.ceil(until / step) * step].map((seconds) => new Date(seconds * 1000).toISOString());
    if (brush === "zoom") return set({ last: null, from, to });
    setBrush(brush === "a" ? "b" : "zoom");
    set({ a: spans && spanText(spans[0]), b: spans && spanText(spans[1]), [brush]: `${from}~${to}` });
  };
  const zoomed = params.has("from") || params.has("to");
  const totals = summed(over.data?.rows ?? []);
  const rate = failRate(totals);
  const marked = params.has("a") || params.has("b") || brush !== "zoom";
  const bands = marked && spans ? spans.map(({ since, until }, index) => ({ since: Date.parse(since) / 1000, until: Date.parse(until) / 1000, colour: index ? "--c2" : "--c1" })) : [];

  return html`
    <${FilterBar} params=${params} apply=${apply} />
    ${over.data && html`<section aria-label="Totals"><dl class="tiles">
      <div><dt>Events</dt><dd>${count(totals.events)}</dd></div>
      ${rate !== null && html`<div><dt>Passed</dt><dd>${count(totals.passed)}</dd></div>
        <div><dt>Failed</dt><dd>${count(totals.failed)}</dd></div>
        <div class="accented"><dt>Fail rate</dt><dd>${percent(rate)}</dd></div>`}
    </dl></section>`}
    <div class="charts">
      <${OverTime} request=${over} split=${split} keys=${keys} setSplit=${(/** @type {string} */ key) => set({ split: key || null })} bands=${bands} select=${select}
        actions=${html`
          ${zoomed && html`<button class="button small" onClick=${() => set({ from: null, to: null })}>Zoom out</button>`}
          <div class="segmented brushes" role="group" aria-label="Dragging over the chart">
            ${BRUSHES.map(([name, label]) => html`<button key=${name} aria-pressed=${brush === name} title=${name === "zoom" ? "Drag to zoom" : `Drag over the time ${label.toLowerCase()} a change`} onClick=${() => setBrush(name)}>${label}</button>`)}
          </div>`} />
      <${SplitCard} query=${query} params=${params} by=${by} keys=${keys} fields=${fields} setBy=${(/** @type {string} */ key) => set({ by: key })} address=${address} />
      <${ClassesCard} query=${query} params=${params} address=${address} />
      <${ConfidenceCard} query=${query} params=${params} address=${address} />
      <${HeatMap} query=${query} params=${params} rows=${rows} columns=${columns} keys=${keys} fields=${fields} set=${set} address=${address} />
      ${spans && html`<${Comparison} query=${query} before=${spans[0]} after=${spans[1]} set=${(/** @type {Between} */ a, /** @type {Between} */ b) => set({ a: spanText(a), b: spanText(b) })} />`}
    </div>`;
}

/** The spans to compare: those of the address, else the two halves of what is shown. @param {URLSearchParams} params @param {import("../lib/api.js").Chart | undefined} chart @returns {[Between, Between] | null} */
function spansOf(params, chart) {
  const [a, b] = [spanOf(params.get("a")), spanOf(params.get("b"))];
  if (a && b) return [a, b];
  if (!chart?.rows.length || chart.since >= chart.until) return null;
  const [since, middle, until] = [chart.since, Math.round((chart.since + chart.until) / 2), chart.until + 1].map((at) => new Date(at).toISOString());
  return [a ?? { since, until: middle }, b ?? { since: middle, until }];
}
